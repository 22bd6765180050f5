/* SPDX-License-Identifier: ISC */
/*
 * state_row: the packed array of what is asked of every monitor all the time, and the judges.
 *
 * Rows lie in chunks of as many as fit one page: all rows of 10,000 monitors are 120 records, and a pass
 * dirties pages in proportion to what it looked at. A chunk tells how long its rows are, so a later version
 * may append fields; what is missing reads as zero.
 */
#include "store/state_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	ROWS_IN_CHUNK = 84,
	CHUNK_HEAD = 2, /* length of a row, low byte first */
	CHUNK_BYTES = CHUNK_HEAD + ROWS_IN_CHUNK * (int)sizeof(struct row),
};
_Static_assert(sizeof(struct row) == 48, "the row as stored has no holes");
/* LMDB's page head, our record head with the blob's tag and length, and the chunk share a page. */
_Static_assert(16 + 16 + CHUNK_BYTES <= 4096, "a chunk fits one page");

struct chunk {
	struct row rows[ROWS_IN_CHUNK];
};

static bool unpack_chunk(const MDB_val *value, struct chunk *out, struct error *err)
{
	const uint8_t *bytes;
	size_t n, length, keep;

	*out = (struct chunk){0};
	if (!blob_unpack(value->mv_data, value->mv_size, BLOB_ROWS, &bytes, &n, err))
		return false;
	length = n < CHUNK_HEAD ? 0 : bytes[0] | (size_t)bytes[1] << 8;
	if (!length || (n - CHUNK_HEAD) % length || (n - CHUNK_HEAD) / length > ROWS_IN_CHUNK)
		return error_set(err, ERROR_DAMAGED, "a chunk of rows has not its size");
	keep = length < sizeof(struct row) ? length : sizeof(struct row);
	for (size_t i = 0; i < (n - CHUNK_HEAD) / length; i++)
		memcpy(&out->rows[i], bytes + CHUNK_HEAD + i * length, keep);
	return true;
}

bool state_check_rows(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct chunk chunk;

	(void)key;
	return unpack_chunk(value, &chunk, err);
}

/* A chunk that is not there yet is all zero. */
static bool get_chunk(struct state_txn *txn, uint32_t number, struct chunk *out, struct error *err)
{
	struct key k = key_u32(number);
	struct error why;
	MDB_val value;

	if (book_get(&txn->book, TABLE_ROWS, &k, &value, &why))
		return unpack_chunk(&value, out, err);
	*out = (struct chunk){0};
	if (why.kind == ERROR_MISSING)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool put_chunk(struct state_txn *txn, uint32_t number, const struct chunk *chunk, struct error *err)
{
	struct key k = key_u32(number);
	uint8_t bytes[CHUNK_BYTES] = {sizeof(struct row) & 0xff, sizeof(struct row) >> 8};
	struct pack p;
	bool ok;

	memcpy(bytes + CHUNK_HEAD, chunk->rows, sizeof(chunk->rows));
	blob_pack(&p, BLOB_ROWS, bytes, sizeof(bytes));
	ok = book_put_changed(&txn->book, TABLE_ROWS, &k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

bool state_rows(struct state_txn *txn, struct row **rows, size_t *n, struct error *err)
{
	struct counters counters;
	struct walk w;
	bool ok = true;
	size_t chunks;

	if (!state_counters(txn, &counters, err))
		return false;
	*n = (size_t)counters.monitor + 1;
	chunks = *n / ROWS_IN_CHUNK + 1;
	*rows = mem_array(chunks, sizeof(struct chunk));
	for (bool on = walk_first(&w, &txn->book, TABLE_ROWS); on && ok; on = ok && walk_next(&w)) {
		size_t number = key_read_u32(&w.key, 0);

		if (number < chunks)
			ok = unpack_chunk(&w.value, (struct chunk *)(*rows + number * ROWS_IN_CHUNK), err);
	}
	ok = walk_end(&w, ok ? err : NULL) && ok;
	if (!ok) {
		free(*rows);
		*rows = NULL;
	}
	return ok;
}

bool state_row(struct state_txn *txn, uint32_t id, struct row *out, struct error *err)
{
	struct key k = key_u32(id / ROWS_IN_CHUNK);
	struct chunk chunk;
	MDB_val value;

	if (!book_get(&txn->book, TABLE_ROWS, &k, &value, err) || !unpack_chunk(&value, &chunk, err))
		return false;
	*out = chunk.rows[id % ROWS_IN_CHUNK];
	return true;
}

bool state_rows_put(struct state_txn *txn, const uint32_t *ids, const struct row *rows, size_t n,
	struct error *err)
{
	struct chunk chunk;
	size_t i = 0;

	while (i < n) {
		uint32_t number = ids[i] / ROWS_IN_CHUNK;

		if (!get_chunk(txn, number, &chunk, err))
			return false;
		for (; i < n && ids[i] / ROWS_IN_CHUNK == number; i++)
			chunk.rows[ids[i] % ROWS_IN_CHUNK] = rows[i];
		if (!put_chunk(txn, number, &chunk, err))
			return false;
	}
	return true;
}

/* ---- judges ------------------------------------------------------------------------------------------ */

bool state_judge(struct state_txn *txn, uint32_t id, struct judge *out, struct error *err)
{
	struct key k = key_u32(id);

	return state_get_or_empty(txn, TABLE_JUDGES, &k, &SHAPE_JUDGE, out, err);
}

bool state_judge_put(struct state_txn *txn, uint32_t id, const struct judge *judge, struct error *err)
{
	struct key k = key_u32(id);

	return state_put(txn, TABLE_JUDGES, &k, &SHAPE_JUDGE, judge, err);
}
