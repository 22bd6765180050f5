/* SPDX-License-Identifier: ISC */
/*
 * keyword: finds a text in bytes that come in pieces, also where it lies across their borders.
 *
 * Ignoring case goes by Unicode's simple lower case, so "ÄPFEL" is found in "Äpfel"; bytes that are no UTF-8
 * stand for themselves.
 */
#ifndef PROBER_KEYWORD_H
#define PROBER_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct keyword {
	struct text wanted;  /* as it is looked for: in lower case when case is ignored */
	struct text tail;    /* of what came: too short to hold it, long enough to begin it */
	struct text cut;     /* a character whose rest is still to come */
	bool ignore_case, found;
};

/* The caller clears it with keyword_clear(), also when it never began (all zero). */
void keyword_begin(struct keyword *k, const char *wanted, bool ignore_case);
/* Takes the next piece; true as soon as it has been found. */
bool keyword_feed(struct keyword *k, const char *bytes, size_t n);
void keyword_clear(struct keyword *k);

#endif
