/* SPDX-License-Identifier: ISC */
/*
 * state_test: what the tests of the state share over store_test.h: the newest error, a new state in the
 * test's own directory, and transactions that begin.
 */
#ifndef TESTS_STATE_TEST_H
#define TESTS_STATE_TEST_H

#include "store_test.h"

#include "store/state.h"

static struct error err;

static inline struct state *open_new(void **state)
{
	struct state *s = state_open(*state, STORE_CREATE, &err);

	if (!s)
		print_error("%s\n", err.text);
	assert_non_null(s);
	return s;
}

static inline struct state_txn *begin(struct state *state, bool writing)
{
	struct state_txn *txn = state_begin(state, writing, &err);

	if (!txn)
		print_error("%s\n", err.text);
	assert_non_null(txn);
	return txn;
}

#endif
