/* SPDX-License-Identifier: ISC */
/*
 * state_private: what the files of the state share: its tables, and records by shape.
 */
#ifndef STORE_STATE_PRIVATE_H
#define STORE_STATE_PRIVATE_H

#include "store/lmdb_book.h"
#include "store/record.h"
#include "store/state.h"

struct state {
	struct book *book;
};

struct state_txn {
	struct book_txn book;
};

/* Numbers in keys are big-endian; what stands after -> is the record. */
enum state_table {
	TABLE_META = BOOK_META, /* name -> site, fingerprint, problems, default, pass, counters, seen */
	TABLE_MONITORS,         /* id -> monitor, those no longer configured too (without secrets) */
	TABLE_IDS,              /* slug -> id: every one ever given */
	TABLE_SLUGS,            /* slug -> id: those configured */
	TABLE_HEARTBEATS,       /* slug -> rules */
	TABLE_TOKENS,           /* SHA-256 of a token -> id */
	TABLE_ORDER,            /* place -> id */
	TABLE_ROWS,             /* number of chunk -> packed array of rows */
	TABLE_JUDGES,           /* id -> judge */
	TABLE_RUNS,             /* hour, newest, number -> results of one commit */
	TABLE_HOURS,            /* hour, first id -> results of that hour by monitor */
	TABLE_PARTS,            /* hour, first id -> timing parts of these */
	TABLE_ROLLUP_HOURS,     /* day, id -> rollups of its hours */
	TABLE_ROLLUP_DAYS,      /* 32 days, id -> rollups of its days */
	TABLE_INCIDENTS,        /* id -> incident without entries */
	TABLE_ENTRIES,          /* id, number -> entry */
	TABLE_OPEN,             /* id -> nothing: incidents that last */
	TABLE_BY_MONITOR,       /* monitor id, incident id -> nothing */
	TABLE_NOTICES,          /* id -> notice */
	TABLE_DUE,              /* due time, id -> nothing: notices that wait */
	TABLE_BY_INCIDENT,      /* incident id, notice id -> nothing */
	TABLE_NOTES,            /* name -> text */
	TABLE__COUNT
};

/* Reads a record into *out. ERROR_MISSING when it is not there. */
bool state_get(struct state_txn *txn, enum state_table table, const struct key *k, const struct shape *shape,
	void *out, struct error *err);
/* Writes a record, unless it is there just so already. */
bool state_put(struct state_txn *txn, enum state_table table, const struct key *k, const struct shape *shape,
	const void *from, struct error *err);
bool state_get_text(struct state_txn *txn, enum state_table table, const struct key *k, char **out,
	struct error *err);
bool state_put_text(struct state_txn *txn, enum state_table table, const struct key *k, const char *text,
	struct error *err);
/* As state_get of a record that may be missing: then *out is empty and that is no error. */
bool state_get_or_empty(struct state_txn *txn, enum state_table table, const struct key *k,
	const struct shape *shape, void *out, struct error *err);

/* A record that consists of an id alone. */
bool state_get_id(struct state_txn *txn, enum state_table table, const struct key *k, uint32_t *id,
	struct error *err);

bool state_counters(struct state_txn *txn, struct counters *out, struct error *err);
bool state_counters_put(struct state_txn *txn, const struct counters *counters, struct error *err);

/* Times in keys: before 1970 is 0. */
uint64_t state_time(int64_t us);

/* Checks of records that have a code of their own, for verify. */
bool state_check_rows(const MDB_val *key, const MDB_val *value, struct error *err);
bool state_check_run(const MDB_val *key, const MDB_val *value, struct error *err);
bool state_check_hour(const MDB_val *key, const MDB_val *value, struct error *err);
bool state_check_parts(const MDB_val *key, const MDB_val *value, struct error *err);
bool state_check_rollup(const MDB_val *key, const MDB_val *value, struct error *err);

#endif
