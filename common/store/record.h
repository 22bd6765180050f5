/* SPDX-License-Identifier: ISC */
/*
 * record: structs of model/ as packed records. A shape is a table with one row for each field; writing and
 * reading walk the same row, so they cannot drift apart. Adding a field is adding a row with a new tag.
 *
 *	record_pack(&p, &SHAPE_MONITOR, monitor);  put p.out; pack_free(&p);
 *	record_unpack(value, &SHAPE_MONITOR, &monitor, err)
 *
 * What a record does not hold reads as zero, NULL, or -1 where the row says so.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"

enum field_type {
	FIELD_UINT,   /* unsigned of 1, 2, 4 or 8 bytes, bool, or enum */
	FIELD_INT,    /* signed */
	FIELD_LESS,   /* signed; -1 is the usual value, and is not written */
	FIELD_STR,    /* char *, owned */
	FIELD_CHARS,  /* char[n], NUL-terminated */
	FIELD_BYTES,  /* uint8_t[n] */
	FIELD_INTS,   /* int64_t[n], or the first `count` of them */
	FIELD_STRS,   /* char ** and a count, owned */
	FIELD_ONE,    /* pointer to a nested struct or NULL, owned */
	FIELD_MANY,   /* pointer to `count` nested structs, owned */
	FIELD_INSIDE, /* a nested struct within */
	FIELD_ROW,    /* an array of nested structs within, all of them */
};

struct shape;
struct field {
	unsigned tag; /* never given a second meaning */
	enum field_type type;
	size_t at, size;             /* offset and size of the member */
	size_t count_at, count_size; /* of the member that counts, else 0 */
	const struct shape *nest;
};
struct shape {
	uint8_t kind, version; /* of the record; 0 when it only occurs nested */
	size_t size;           /* of the struct */
	const struct field *fields;
	size_t count;
};

#define SIZE_IN(T, m) sizeof(((T *)0)->m)
#define PLAIN(tag, type, T, m) {tag, type, offsetof(T, m), SIZE_IN(T, m), 0, 0, NULL}
#define COUNTED(tag, type, T, m, n) \
	{tag, type, offsetof(T, m), SIZE_IN(T, m), offsetof(T, n), SIZE_IN(T, n), NULL}
#define NESTED(tag, type, T, m, nest) {tag, type, offsetof(T, m), SIZE_IN(T, m), 0, 0, nest}
#define MANY(tag, T, m, n, nest) \
	{tag, FIELD_MANY, offsetof(T, m), SIZE_IN(T, m), offsetof(T, n), SIZE_IN(T, n), nest}
#define SHAPE(kind, T, rows) {kind, 1, sizeof(T), rows, sizeof(rows) / sizeof((rows)[0])}

/* Begins, fills and seals p; the caller frees it. */
void record_pack(struct pack *p, const struct shape *shape, const void *from);
/* Fills *to, which holds nothing owned before. On false it holds nothing owned after. */
bool record_unpack(const void *bytes, size_t n, const struct shape *shape, void *to, struct error *err);
/* Frees what the shape's fields own and leaves an empty struct: also for structs that have no _clear of
   their own. Secrets are wiped. */
void record_clear(const struct shape *shape, void *what);

/* The shapes of the model, in record_model.c. */
extern const struct shape SHAPE_BEAT_LAST, SHAPE_TALLY, SHAPE_COUNTER;
extern const struct shape SHAPE_SITE, SHAPE_PROBLEMS, SHAPE_MONITOR, SHAPE_HEARTBEAT, SHAPE_JUDGE;
extern const struct shape SHAPE_INCIDENT, SHAPE_ENTRY, SHAPE_NOTICE, SHAPE_PASS, SHAPE_COUNTERS;
extern const struct shape SHAPE_LISTING;

/* Records that are not of the model. */
struct tally { /* how many entries of the queue, how large together */
	uint64_t entries, bytes;
};
struct counter {
	uint64_t value;
};
struct counters { /* the last numbers given */
	uint32_t monitor, incident;
	uint64_t notice;
};
struct listed_monitor;
struct listing { /* what state_listing() reads */
	struct listed_monitor *monitors;
	size_t count;
};
struct problem;
struct problem_list {
	struct problem *problems;
	size_t count;
};
/* Bytes in the usual frame (version and checksum), for what has a code of its own. */
enum blob_kind { BLOB_ROWS = 64, BLOB_RUN, BLOB_HOUR, BLOB_PARTS, BLOB_ROLLUP, BLOB_TEXT, BLOB_QUEUED };
void blob_pack(struct pack *p, enum blob_kind kind, const void *bytes, size_t n);
/* *out points into the record. */
bool blob_unpack(const void *bytes, size_t n, enum blob_kind kind, const uint8_t **out, size_t *out_n,
	struct error *err);

#endif
