/* SPDX-License-Identifier: ISC */
/*
 * json_private: what the files of json_scan share: decoding (json_string.c), the set of names seen (json_keys.c).
 */
#ifndef BASE_JSON_PRIVATE_H
#define BASE_JSON_PRIVATE_H

#include "base/json_scan.h"

#define JSON_BOM_BYTES 3

bool json_has_bom(const char *text, size_t len);
/* Four hex digits, or -1. */
int json_hex4(const char *s, size_t n);
/* The decoded text of the string token at start..end (with its quotes), appended to out. */
void json_decode(const char *text, size_t start, size_t end, struct text *out);

/* The names seen so far in each object that is open. */
struct json_keys *json_keys_new(void);
/* An object begins at this depth (from 1): what was seen at that depth before counts no more. */
void json_keys_open(struct json_keys *keys, unsigned depth);
/* Adds the name whose token stands at start..end to those of the object at that depth; false when it was there
   already. */
bool json_keys_add(struct json_keys *keys, unsigned depth, const char *text, size_t start, size_t end);
void json_keys_free(struct json_keys *keys);

#endif
