/* SPDX-License-Identifier: ISC */
/*
 * lmdb_table: keys, records and walks over the tables of a book.
 *
 * A table that an older program's book lacks reads as empty; a writer has made all of them. The first
 * error of a write transaction is remembered in it, so that it can never be committed half done.
 */
#include "store/lmdb_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- keys -------------------------------------------------------------------------------------------- */

void key_add_bytes(struct key *k, const void *bytes, size_t n)
{
	if (n > sizeof(k->bytes) - k->n)
		n = sizeof(k->bytes) - k->n;
	memcpy(k->bytes + k->n, bytes, n);
	k->n += n;
}

static void add_big_endian(struct key *k, uint64_t a, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(a >> 8 * (width - 1 - i));
	key_add_bytes(k, bytes, width);
}

void key_add_u8(struct key *k, uint8_t a)
{
	add_big_endian(k, a, 1);
}

void key_add_u32(struct key *k, uint32_t a)
{
	add_big_endian(k, a, 4);
}

void key_add_u64(struct key *k, uint64_t a)
{
	add_big_endian(k, a, 8);
}

struct key key_name(const char *name)
{
	struct key k = {.n = 0};

	key_add_bytes(&k, name, strlen(name));
	return k;
}

struct key key_u32(uint32_t a)
{
	struct key k = {.n = 0};

	key_add_u32(&k, a);
	return k;
}

struct key key_u64(uint64_t a)
{
	struct key k = {.n = 0};

	key_add_u64(&k, a);
	return k;
}

static uint64_t read_big_endian(const MDB_val *key, size_t at, unsigned width)
{
	const uint8_t *bytes = key->mv_data;
	uint64_t a = 0;

	if (key->mv_size < at + width)
		return 0;
	for (unsigned i = 0; i < width; i++)
		a = a << 8 | bytes[at + i];
	return a;
}

uint32_t key_read_u32(const MDB_val *key, size_t at)
{
	return (uint32_t)read_big_endian(key, at, 4);
}

uint64_t key_read_u64(const MDB_val *key, size_t at)
{
	return read_big_endian(key, at, 8);
}

/* LMDB takes keys by pointer to non-const and does not change them. */
static MDB_val val_of(const void *bytes, size_t n)
{
	union {
		const void *in;
		void *out;
	} u = {.in = bytes};

	return (MDB_val){n, u.out};
}

/* ---- records ----------------------------------------------------------------------------------------- */

static bool table_is_there(const struct book_txn *t, unsigned table)
{
	return table < t->book->tables_open;
}

static bool fail_in(struct book_txn *t, int rc, struct error *err)
{
	if (t->writing && !t->failed)
		t->failed = rc;
	if (!t->writing && rc == MDB_BAD_TXN)
		rc = MDB_CORRUPTED; /* nothing else spoils a transaction that only reads */
	return book_fail(t->book, rc, err);
}

bool book_get(struct book_txn *t, unsigned table, const struct key *k, MDB_val *value, struct error *err)
{
	MDB_val key = val_of(k->bytes, k->n);
	int rc = MDB_NOTFOUND;

	if (table_is_there(t, table))
		rc = mdb_get(t->txn, t->book->tables[table], &key, value);
	if (!rc)
		return true;
	return rc == MDB_NOTFOUND ? book_fail(t->book, rc, err) : fail_in(t, rc, err);
}

static int put(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	unsigned flags)
{
	MDB_val key = val_of(k->bytes, k->n), value = val_of(bytes, n);

	if (t->failed)
		return t->failed;
	return mdb_put(t->txn, t->book->tables[table], &key, &value, flags);
}

bool book_put(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err)
{
	int rc = put(t, table, k, bytes, n, 0);

	return !rc || fail_in(t, rc, err);
}

bool book_put_changed(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err)
{
	MDB_val old = {0, NULL};

	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): found has bytes */
	if (book_get(t, table, k, &old, NULL) && old.mv_size == n && !memcmp(old.mv_data, bytes, n))
		return true;
	return book_put(t, table, k, bytes, n, err);
}

bool book_append(struct book_txn *t, unsigned table, const struct key *k, const void *bytes, size_t n,
	struct error *err)
{
	int rc = put(t, table, k, bytes, n, MDB_APPEND);

	if (rc == MDB_KEYEXIST)
		rc = put(t, table, k, bytes, n, 0);
	return !rc || fail_in(t, rc, err);
}

bool book_delete(struct book_txn *t, unsigned table, const struct key *k, struct error *err)
{
	MDB_val key = val_of(k->bytes, k->n);
	int rc = t->failed ? t->failed : mdb_del(t->txn, t->book->tables[table], &key, NULL);

	return !rc || rc == MDB_NOTFOUND || fail_in(t, rc, err);
}

/* ---- walks ------------------------------------------------------------------------------------------- */

static bool walk_step(struct walk *w, MDB_cursor_op op)
{
	if (!w->rc)
		w->rc = mdb_cursor_get(w->cursor, &w->key, &w->value, op);
	return !w->rc;
}

static void walk_begin(struct walk *w, struct book_txn *t, unsigned table)
{
	*w = (struct walk){.t = t, .rc = MDB_NOTFOUND};
	if (table_is_there(t, table))
		w->rc = mdb_cursor_open(t->txn, t->book->tables[table], &w->cursor);
}

bool walk_first(struct walk *w, struct book_txn *t, unsigned table)
{
	walk_begin(w, t, table);
	return walk_step(w, MDB_FIRST);
}

bool walk_last(struct walk *w, struct book_txn *t, unsigned table)
{
	walk_begin(w, t, table);
	return walk_step(w, MDB_LAST);
}

bool walk_from(struct walk *w, struct book_txn *t, unsigned table, const struct key *k)
{
	walk_begin(w, t, table);
	w->key = val_of(k->bytes, k->n);
	return walk_step(w, MDB_SET_RANGE);
}

bool walk_before(struct walk *w, struct book_txn *t, unsigned table, const struct key *k)
{
	if (walk_from(w, t, table, k))
		return walk_step(w, MDB_PREV);
	if (w->rc != MDB_NOTFOUND || !w->cursor)
		return false;
	w->rc = 0;
	return walk_step(w, MDB_LAST);
}

bool walk_next(struct walk *w)
{
	return walk_step(w, MDB_NEXT);
}

bool walk_back(struct walk *w)
{
	return walk_step(w, MDB_PREV);
}

/* After a deletion the cursor stands on what followed, or on nothing at the end of a page: MDB_NEXT takes
   both into account. */
bool walk_delete(struct walk *w)
{
	if (w->t->failed)
		w->rc = w->t->failed;
	if (!w->rc)
		w->rc = mdb_cursor_del(w->cursor, 0);
	return walk_step(w, MDB_NEXT);
}

bool walk_within(const struct walk *w, const struct key *prefix)
{
	return !w->rc && w->key.mv_size >= prefix->n && !memcmp(w->key.mv_data, prefix->bytes, prefix->n);
}

bool walk_end(struct walk *w, struct error *err)
{
	if (w->cursor)
		mdb_cursor_close(w->cursor);
	w->cursor = NULL;
	return !w->rc || w->rc == MDB_NOTFOUND || fail_in(w->t, w->rc, err);
}

/* ---- a whole table ----------------------------------------------------------------------------------- */

static int compare_keys(const void *a_bytes, size_t a_n, const void *b_bytes, size_t b_n)
{
	int order = memcmp(a_bytes, b_bytes, a_n < b_n ? a_n : b_n);

	return order ? order : (a_n > b_n) - (a_n < b_n);
}

static int compare_entries(const void *a, const void *b)
{
	const struct book_entry *x = a, *y = b;

	return compare_keys(x->key.bytes, x->key.n, y->key.bytes, y->key.n);
}

static bool has_twins(const struct book_entry *entries, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (!compare_entries(&entries[i - 1], &entries[i]))
			return true;
	return false;
}

/* Deletes what is in the table and not in the sorted entries. */
static bool delete_others(struct book_txn *t, unsigned table, const struct book_entry *entries, size_t n,
	struct error *err)
{
	struct walk w;
	size_t i = 0;

	for (bool on = walk_first(&w, t, table); on;) {
		int order = i < n ? compare_keys(w.key.mv_data, w.key.mv_size, entries[i].key.bytes,
				entries[i].key.n) : -1;

		if (order < 0)
			on = walk_delete(&w);
		else if (order > 0)
			i++;
		else
			on = walk_next(&w);
	}
	return walk_end(&w, err);
}

bool book_replace(struct book_txn *t, unsigned table, struct book_entry *entries, size_t n, struct error *err)
{
	if (n)
		qsort(entries, n, sizeof(*entries), compare_entries);
	if (has_twins(entries, n))
		return error_set(err, ERROR_INPUT, "two entries of table %s have one key",
			t->book->plan->tables[table].name);
	if (!delete_others(t, table, entries, n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!book_put_changed(t, table, &entries[i].key, entries[i].bytes, entries[i].n, err))
			return false;
	return true;
}
