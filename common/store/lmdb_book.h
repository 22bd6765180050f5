/* SPDX-License-Identifier: ISC */
/*
 * lmdb_book: the shared care of one LMDB environment; private to store/. Both books stand on it.
 *
 * A book is a directory with data.mdb and lock.mdb and a fixed list of tables (named databases).
 *
 *	book_open, book_close           lmdb_book.c     open, reopen in place, transactions
 *	book_begin, book_txn_commit, book_end
 *	book_create                     lmdb_create.c   made aside, synced, renamed
 *	book_modes, book_set_aside...   lmdb_dir.c      directories and permissions; damage and copies
 *	book_make_room, book_grow       lmdb_room.c     zeros ahead of the data; growth of the map
 *	book_get, book_put, ...         lmdb_table.c    records, keys, cursors
 *	book_fail                       lmdb_error.c    LMDB's and the system's numbers in words
 *	book_copy, book_verify, ...     lmdb_upkeep.c   hot copy, check, figures, stale readers
 *
 * A thread has at most one transaction of a book open at a time, and ends it before it waits for anything
 * but the disk: a transaction pins pages, and reopening waits until all of them have ended.
 */
#ifndef STORE_LMDB_BOOK_H
#define STORE_LMDB_BOOK_H

#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "store/store.h"

#define BOOK_TABLES_MAX 32
#define BOOK_KEY_MAX 256
#define BOOK_MAP_FIRST ((size_t)64 << 20)
#define BOOK_META 0 /* the first table of each book: single records by name, "schema" among them */
enum { BOOK_SCHEMA_KIND = 1, BOOK_SCHEMA_VERSION = 1 }; /* of that record */

struct book_table {
	const char *name;
	/* Does this record hold? For book_verify; every table has one. */
	bool (*holds)(const MDB_val *key, const MDB_val *value, struct error *err);
};

/* What a book is like: one constant for each. */
struct book_plan {
	const char *name;    /* of the directory below the store's */
	const struct book_table *tables;
	unsigned table_count;
	unsigned schema;     /* the newest that this program knows */
	uint64_t room_first; /* bytes of data.mdb allocated at once */
	uint64_t room_ahead; /* bytes kept allocated beyond the last used page */
	bool group_writes;   /* where a group shares the store: does it write this book, or only read it? */
	bool read_by_prober; /* stale readers are cleared when it is opened for reading, else for writing */
};

struct book {
	const struct book_plan *plan;
	char *dir, *path, *data_path; /* the store's directory, the book's, and its data.mdb */
	enum store_mode mode;

	MDB_env *env; /* NULL while it cannot be opened; each use tries again */
	MDB_dbi tables[BOOK_TABLES_MAX];
	unsigned tables_open; /* a book of an older program may lack the last ones: they read as empty */
	unsigned page_size;
	dev_t device;
	ino_t inode;
	int64_t looked_us; /* when it was last seen to be the same file; atomic */
	bool frozen;      /* opened for reading only, because the file system is */
	bool want_growth; /* a transaction found the map full */
	size_t map_limit; /* growing beyond was refused (address space); SIZE_MAX none known */
	int64_t room_retry_us;
	unsigned stale_cleared;

	/* The gate: transactions enter, whoever replaces or remaps the environment closes it. */
	pthread_mutex_t lock;
	pthread_cond_t calm;
	unsigned users;
	bool closed;
	uint64_t generation; /* counts replacements, so that two threads do not mend the same fault twice */
};

struct book_txn {
	struct book *book;
	MDB_txn *txn;
	bool writing;
	int failed; /* the first error in a write transaction: it can only be ended */
	uint64_t generation;
};

/* ---- lmdb_book.c */

/* NULL on failure. The plan lives as long as the program. */
struct book *book_open(
	const struct book_plan *plan, const char *dir, enum store_mode mode, struct error *err);
void book_close(struct book *book);
/* Makes it where there is none; one that is there is not opened. */
bool book_make(const struct book_plan *plan, const char *dir, struct error *err);
/* Mends what can be mended (a full reader table, a map that grew elsewhere, a book that was replaced or
   had an error) before it gives up. */
bool book_begin(struct book *book, bool writing, struct book_txn *t, struct error *err);
/* Ends it in any case. false: nothing was stored; after anything but ERROR_FULL the book was reopened. */
bool book_txn_commit(struct book_txn *t, struct error *err);
/* Ends it; what was not committed is gone. */
void book_end(struct book_txn *t);
/* Holds off replacement of the environment around calls that need no transaction. */
bool book_enter(struct book *book, struct error *err);
void book_leave(struct book *book);

/* ---- lmdb_create.c */

/* Makes the book aside and renames it. True also when another process was first. */
bool book_create(struct book *book, struct error *err);
/* mdb_env_open with our settings and these flags. Halves the map until it fits the address space (LMDB
   never maps less than what is used) and tries again what may pass. 0 or an error number. */
int book_env_open(struct book *book, MDB_env **env, const char *path, unsigned flags, mode_t mode);
/* Opens the tables that are there, and makes those that are not when `create`. Sets tables_open. */
int book_tables_open(struct book *book, MDB_env *env, bool create);

/* ---- lmdb_dir.c */

struct book_modes {
	mode_t directory, data, lock;
};
struct book_modes book_modes(const struct book_plan *plan, const char *dir);
/* A new name beside path; the caller frees. */
char *book_path_aside(const char *path);
/* The directory and the lock file of a book to be made. */
bool book_make_aside(const char *aside, const struct book_modes *modes, struct error *err);
/* Gives the book made aside its permissions and renames it. True also when there is one already: then the
   one aside is left for the caller to remove. */
bool book_put_in_place(
	const char *aside, const char *path, const struct book_modes *modes, struct error *err);
/* Deletes a book's two files and its directory, as far as they are there. */
void book_remove(const char *path);
/* Deletes what creators that were killed left in the store's directory. */
void book_remove_leftovers(const char *store, const char *name);
bool book_sync(const char *path, struct error *err); /* a file or directory */
/* See inbox_set_aside, inbox_restore. */
bool book_set_aside(const struct book_plan *plan, const char *dir, int64_t now_s, char **moved_to,
	struct error *err);
bool book_restore(const struct book_plan *plan, const char *dir, const char *copies, struct error *err);

/* ---- lmdb_room.c */

#define BOOK_GROW (-1) /* asks for book_grow(); outside LMDB's range and errno's */
/* In a fresh write transaction: allocates ahead with zeros, and says whether the map should grow. */
int book_make_room(struct book_txn *t);
/* The map that a book with so many used bytes should have. */
size_t book_map_for(size_t used);
/* Replaces the map by one that fits; with no transaction open. 0 or an error number. */
int book_grow(struct book *book);
/* Bytes up to the end of the last used page. */
uint64_t book_used(MDB_env *env, unsigned page_size);

/* ---- lmdb_error.c */

/* Fills *err from LMDB's or the system's error number; returns false. */
bool book_fail(const struct book *book, int rc, struct error *err);
/* Is it out of room (of any kind)? Then the transaction is aborted and the book stays as it is. */
bool book_is_full(int rc);
/* EIO is also what LMDB makes of a short write: ENOSPC when the file system is indeed full. */
int book_true_error(const struct book *book, int rc);

/* ---- lmdb_table.c */

struct key {
	uint8_t bytes[BOOK_KEY_MAX];
	size_t n;
};
/* Keys are big-endian, so that their order is that of the numbers. */
struct key key_name(const char *name);
struct key key_u32(uint32_t a);
struct key key_u64(uint64_t a);
void key_add_u8(struct key *k, uint8_t a);
void key_add_u32(struct key *k, uint32_t a);
void key_add_u64(struct key *k, uint64_t a);
/* At most BOOK_KEY_MAX in all: what is longer is cut. */
void key_add_bytes(struct key *k, const void *bytes, size_t n);
/* Parts of a stored key; 0 when it is too short. Signed times are never negative here. */
uint32_t key_read_u32(const MDB_val *key, size_t at);
uint64_t key_read_u64(const MDB_val *key, size_t at);

/* *value points into the map until the transaction ends or writes. ERROR_MISSING when not there. */
bool book_get(struct book_txn *t, unsigned table, const struct key *k, MDB_val *value, struct error *err);
bool book_put(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err);
/* As book_put, but leaves the page clean when the record is there already, byte for byte. */
bool book_put_changed(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err);
/* For keys that mostly grow: fills pages instead of halving them. */
bool book_append(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err);
/* Fine when it is not there. */
bool book_delete(struct book_txn *t, unsigned table, const struct key *k, struct error *err);

struct book_entry {
	struct key key;
	void *bytes;
	size_t n;
};
/* Makes the table hold exactly these, writing only what differs. Entries are sorted by it; ERROR_INPUT
   when two have one key. */
bool book_replace(
	struct book_txn *t, unsigned table, struct book_entry *entries, size_t n, struct error *err);

/* A walk over a table. Steps return true while it stands on a record.
 *
 *	struct walk w;
 *	for (bool on = walk_from(&w, t, TABLE, &k); on && ...; on = walk_next(&w))
 *		... w.key, w.value
 *	return walk_end(&w, err);
 */
struct walk {
	struct book_txn *t;
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc;
};
bool walk_first(struct walk *w, struct book_txn *t, unsigned table);
bool walk_last(struct walk *w, struct book_txn *t, unsigned table);
bool walk_from(struct walk *w, struct book_txn *t, unsigned table, const struct key *k); /* first >= k */
bool walk_before(struct walk *w, struct book_txn *t, unsigned table, const struct key *k); /* last < k */
bool walk_next(struct walk *w);
bool walk_back(struct walk *w);
bool walk_delete(struct walk *w); /* steps to the next */
/* true when the key begins with these bytes */
bool walk_within(const struct walk *w, const struct key *prefix);
bool walk_end(struct walk *w, struct error *err);

/* ---- lmdb_upkeep.c */

unsigned book_clear_stale(struct book *book); /* inside book_enter() or a transaction */
bool book_figures(struct book *book, struct store_figures *out, struct error *err);
bool book_copy(struct book *book, const char *dir_out, struct error *err);
bool book_verify(struct book *book, uint64_t *records, struct error *err);
/* LMDB's own list of free pages: who only reads never meets it, and who writes by a wrong one destroys pages. */
bool book_verify_free(struct book_txn *t, struct error *err);
/* What LMDB keeps of a table that was read to its end: its flags (a wrong one ends who writes) and its size. */
bool book_verify_shape(struct book_txn *t, unsigned table, uint64_t counted, struct error *err);

#endif
