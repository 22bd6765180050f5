/* SPDX-License-Identifier: ISC */
/*
 * answer: has the service taken the message? Decided purely from status, headers and body, after the row of
 * the channel, so that tables of rows can test it.
 *
 * A row's `success` says what the body of a 2xx must be:
 *	NULL        anything
 *	"=ok"       exactly this, blanks at both ends aside
 *	".ok=true"  JSON whose value at this path is this (true, a number, a string)
 *	".sid"      JSON that has something at this path
 *	"!error"    anything that does not contain this text
 * A leading "?" asks for it only when there is a body at all.
 */
#ifndef PROBER_ANSWER_H
#define PROBER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prober/notify/channel.h"

struct answer {
	int status;
	const char *body;        /* NUL-terminated, never NULL */
	const char *retry_after; /* the header's value, or NULL */
};

enum delivery_end answer_end(const struct http_row *row, const struct answer *answer);
/* The wait the service asks for, microseconds from now; -1 when it asks for none. Seconds (fractions too) or
   an HTTP date; then the row's `wait` path. At most 24 hours. */
int64_t answer_wait_us(const struct http_row *row, const struct answer *answer, int64_t now_us);
/* The text at a path (".result.id") of a JSON body: strings as they are, other scalars as JSON; NULL when
   there is none. The caller frees. */
char *answer_path(const char *body, const char *path);

#endif
