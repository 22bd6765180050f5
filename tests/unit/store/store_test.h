/* SPDX-License-Identifier: ISC */
/*
 * store_test: what the store's tests share: cmocka, a directory of one's own for each test, moments, and
 * checking that a call that fills a struct error succeeds. Everything is static inline, so that a test
 * program is one file.
 */
#ifndef TESTS_STORE_TEST_H
#define TESTS_STORE_TEST_H

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

/* In tests, literals stand where the model has strings of its own. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#define T0_S INT64_C(1777600800) /* 2026-05-01T02:00:00Z: begin of an hour */
#define T0_US (T0_S * US_PER_S)

/* The call must succeed; else its error is shown. */
#define assert_ok(call)                                                                           \
	do {                                                                                      \
		if (!(call)) {                                                                    \
			print_error("%s: %s\n", #call, err.text);                                 \
			fail();                                                                   \
		}                                                                                 \
	} while (0)

/* In a child, which has no test to fail: it ends with 1. */
#define check(condition)                                                                          \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "child: %s:%d: %s: %s\n", __FILE__, __LINE__, #condition,  \
				err.text);                                                        \
			_exit(1);                                                                 \
		}                                                                                 \
	} while (0)

/* In memory where there is a place for that: hundreds of synced commits are not what is tested. */
static inline int make_test_dir(void **state)
{
	const char *base = getenv("TMPDIR");
	char *path;

	if (!base)
		base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	path = file_join(base, "upbeat-store-XXXXXX");

	*state = mkdtemp(path);
	return *state ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int remove_test_dir(void **state)
{
	remove_tree(*state);
	free(*state);
	return 0;
}

#define test_in_dir(f) cmocka_unit_test_setup_teardown(f, make_test_dir, remove_test_dir)

static inline struct moment moment_at(int64_t wall_us)
{
	return (struct moment){
		.wall_us = wall_us, .boot_us = wall_us - T0_US + 1000 * US_PER_S, .boot_id = 7};
}

/* Waits for a child and gives its exit status, or 128 + the signal that ended it. */
static inline int wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
