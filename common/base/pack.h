/* SPDX-License-Identifier: ISC */
/*
 * pack: records that older and newer programs can both read.
 *
 * A packed record is a 12-byte head (format, schema version, kind, CRC-32C of the rest) and a row of
 * tagged fields: a varint key (tag << 1 | is_bytes), then a varint number (zig-zag when signed) or a
 * length and bytes. An unknown tag is skipped, a missing one keeps the caller's default, so adding a
 * field needs no migration; a tag is never given a second meaning. Zero numbers and absent strings are
 * not written.
 *
 * Writing:	struct pack p; pack_begin(&p, KIND, VERSION); pack_u64(&p, 1, x); ... pack_end(&p);
 *		-> p.out.ptr, p.out.len; pack_free(&p)
 * Reading:	struct unpack u; if (!unpack_begin(&u, bytes, n, KIND, VERSION, err)) ...
 *		while (unpack_next(&u)) switch (u.tag) { case 1: x = unpack_u64(&u); ... }
 *		return unpack_end(&u, err);
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

uint32_t pack_crc32c(uint32_t crc, const void *bytes, size_t n); /* start with crc 0 */

struct pack {
	struct text out;
};

void pack_begin(struct pack *p, uint8_t kind, uint8_t version);
void pack_u64(struct pack *p, unsigned tag, uint64_t value);
void pack_i64(struct pack *p, unsigned tag, int64_t value); /* zig-zag */
void pack_str(struct pack *p, unsigned tag, const char *s); /* NULL is not written, "" is */
void pack_bytes(struct pack *p, unsigned tag, const void *bytes, size_t n);
/* A nested row of fields without head: begin returns a mark that end takes. */
size_t pack_nest(struct pack *p, unsigned tag);
void pack_unnest(struct pack *p, size_t mark);
void pack_end(struct pack *p); /* seals: writes the checksum */
void pack_free(struct pack *p);

struct unpack {
	const uint8_t *at, *end;
	unsigned tag;
	bool is_bytes;
	uint64_t number;      /* of a number field, raw */
	const uint8_t *bytes; /* of a bytes field; points into the record */
	size_t len;
	bool bad;
};

/* ERROR_DAMAGED when checksum or structure fail, ERROR_NEWER when its version is above max_version. */
bool unpack_begin(struct unpack *u, const void *bytes, size_t n, uint8_t kind, uint8_t max_version,
	struct error *err);
/* The nested row of the current bytes field. */
void unpack_nested(struct unpack *inner, const struct unpack *outer);
bool unpack_next(struct unpack *u); /* false at the end, and when bad */
uint64_t unpack_u64(const struct unpack *u);
int64_t unpack_i64(const struct unpack *u);
char *unpack_str(const struct unpack *u); /* a NUL-terminated copy; the caller frees */
bool unpack_end(const struct unpack *u, struct error *err); /* false: structure was bad */

#endif
