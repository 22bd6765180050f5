/* SPDX-License-Identifier: ISC */
/*
 * one_store: a store and the newest answer, for test programs that need one of each, and what cmocka calls
 * before and after each test. See fixture.h.
 *
 *	cmocka_unit_test_setup_teardown(a_beat_is_stored, open_store, close_store)
 */
#ifndef TESTS_WEB_ONE_STORE_H
#define TESTS_WEB_ONE_STORE_H

#include "fixture.h"

extern struct fixture store;
extern struct answer answer;

int open_store(void **state);              /* published, with all that fixture.h names */
int open_store_with_default(void **state); /* and a heartbeat called "default" */
int open_nothing(void **state);            /* no prober has been there yet */
int close_store(void **state);

#endif
