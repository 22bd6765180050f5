/* SPDX-License-Identifier: ISC */
/*
 * json_scan: a strict RFC 8259 tokenizer that knows where it is.
 *
 * It bounds size and depth, refuses doubled keys, trailing bytes, bad UTF-8, lone surrogates, numbers
 * with leading zeros, and control characters in strings; with JSON_COMMENTS it also takes // and block
 * comments and skips a byte order mark. It allocates nothing but the set of keys it has seen.
 *
 *	struct json_scan s;
 *	json_scan_init(&s, bytes, n, 0, 8);
 *	while ((token = json_scan_next(&s)) > JSON_DONE) ...
 *	if (token == JSON_BAD) ... s.error, json_scan_position(&s, s.start, &line, &col)
 *	json_scan_free(&s);
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum json_token {
	JSON_BAD = 0, /* s->error says why; s->start is where */
	JSON_DONE,    /* the one value is complete and nothing follows it */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY, /* a member's name; its value comes next */
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

#define JSON_COMMENTS 1u
#define JSON_DOUBLES 2u /* doubled keys are not refused but marked: s->doubled */
#define JSON_MAX_DEPTH 64

struct json_scan {
	const char *text;
	size_t len, at;
	size_t start, end;   /* the current token's bytes (with quotes, for strings) */
	const char *error;   /* a literal, for JSON_BAD */
	bool doubled;        /* with JSON_DOUBLES: the current KEY stood in this object before */
	unsigned flags, max_depth;
	/* private */
	unsigned depth;
	char stack[JSON_MAX_DEPTH];
	int expect, last;
	struct json_keys *keys;
};

void json_scan_init(struct json_scan *s, const char *text, size_t len, unsigned flags, unsigned max_depth);
enum json_token json_scan_next(struct json_scan *s);
/* After JSON_OBJECT, JSON_ARRAY or JSON_KEY: skips the whole value. false when it is bad. */
bool json_scan_skip(struct json_scan *s);
/* The decoded text of the current KEY or STRING, appended to out. */
void json_scan_string(const struct json_scan *s, struct text *out);
/* true when the current KEY or STRING decodes to exactly this. */
bool json_scan_is(const struct json_scan *s, const char *name);
/* The current NUMBER as whole microseconds of a value in seconds, exactly (decimal arithmetic, rounded to the
   nearest: programs print the double next to what they mean); false when it does not fit int64. */
bool json_scan_micros(const struct json_scan *s, int64_t *out);
bool json_scan_i64(const struct json_scan *s, int64_t *out); /* whole numbers only */
double json_scan_double(const struct json_scan *s);
/* Line and column (both from 1; columns count characters) of a byte offset. */
void json_scan_position(const struct json_scan *s, size_t offset, unsigned *line, unsigned *column);
void json_scan_free(struct json_scan *s);

#endif
