/* SPDX-License-Identifier: ISC */
/*
 * error: what went wrong, in words for the person who will read it.
 *
 * Every fallible function of store, check, config and notify returns bool and
 * takes a last argument `struct error *`; on false it has been filled in.
 * The usual line is
 *
 *	return error_set(err, ERROR_TEMPORARY, "cannot open %s: %s", path, strerror(errno));
 *
 * base itself aborts when out of memory (see mem.h) and otherwise returns
 * plain values whose comment says what each means.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INPUT,     /* what we were given is wrong: exit 1, HTTP 4xx */
	ERROR_USAGE,     /* the command line is wrong: exit 2 */
	ERROR_TEMPORARY, /* store or network cannot be used now: exit 75, HTTP 503 */
	ERROR_MISSING,   /* it is not there (yet) */
	ERROR_FULL,      /* out of room: abort the transaction and go on */
	ERROR_DAMAGED,   /* a checksum or a structure does not hold */
	ERROR_NEWER,     /* written by a newer version than this one */
	ERROR_DENIED,    /* permissions or file system do not allow it */
};

struct error {
	enum error_kind kind;
	char text[400]; /* one line, no newline, UTF-8 */
};

/* Fills *err (may be NULL) and returns false, always. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text that is there; returns false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The exit status that belongs to it: 0, 1, 2 or 75 (EX_TEMPFAIL). */
int error_exit_status(const struct error *err);

#endif
