/* SPDX-License-Identifier: ISC */
/*
 * state_rollup: hours and days summed up. One record holds the hours of one monitor and day, or its days
 * out of 32: a year is few records to read, and none pays a key for each rollup. Records of one day lie
 * together whatever the monitor, so that writing an hour dirties few pages and forgetting is cheap.
 *
 * A rollup is told as differences from what is usual: its length from the period's, its percentiles from
 * each other.
 */
#include "store/state_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sample_code.h"

#define CHUNK_ROLLUPS_MAX 1024 /* more is damage */

/* Seconds of one rollup, and of the record that holds many. */
static const struct period {
	enum state_table table;
	int64_t rollup_s, chunk_s;
} periods[] = {
	[ROLLUP_HOUR] = {TABLE_ROLLUP_HOURS, 3600, 24 * 3600},
	[ROLLUP_DAY] = {TABLE_ROLLUP_DAYS, 24 * 3600, 32 * 24 * 3600},
};

struct list {
	struct rollup *rollups;
	size_t n;
};

/* ---- code -------------------------------------------------------------------------------------------- */

static void put_rollup(struct text *t, const struct rollup *r, int64_t begin_s, int64_t usual_s)
{
	int64_t length = r->to_s - r->from_s;

	put_signed(t, r->from_s - begin_s);
	put_signed(t, length - usual_s);
	put_signed(t, length - r->up_s - r->down_s - r->unknown_s);
	put_signed(t, r->down_s);
	put_signed(t, r->unknown_s);
	put_number(t, r->count);
	if (!r->count)
		return;
	put_number(t, r->min_us);
	put_signed(t, (int64_t)r->p50_us - r->min_us);
	put_signed(t, (int64_t)r->mean_us - r->p50_us);
	put_signed(t, (int64_t)r->p95_us - r->p50_us);
	put_signed(t, (int64_t)r->max_us - r->p95_us);
}

/* Sums modulo 2^64, so that a damaged record cannot overflow. */
static int64_t sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t less(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static void get_rollup(struct span *s, struct rollup *r, int64_t begin_s, int64_t usual_s)
{
	int64_t length, rest;

	*r = (struct rollup){.from_s = sum(begin_s, get_signed(s))};
	length = sum(usual_s, get_signed(s));
	rest = get_signed(s);
	r->to_s = sum(r->from_s, length);
	r->down_s = get_signed(s);
	r->unknown_s = get_signed(s);
	r->up_s = less(less(less(length, rest), r->down_s), r->unknown_s);
	r->count = (uint32_t)get_number(s);
	if (!r->count)
		return;
	r->min_us = (uint32_t)get_number(s);
	r->p50_us = (uint32_t)sum(r->min_us, get_signed(s));
	r->mean_us = (uint32_t)sum(r->p50_us, get_signed(s));
	r->p95_us = (uint32_t)sum(r->p50_us, get_signed(s));
	r->max_us = (uint32_t)sum(r->p95_us, get_signed(s));
}

static bool unpack_list(const MDB_val *value, int64_t begin_s, int64_t usual_s, struct list *out,
	struct error *err)
{
	const uint8_t *bytes;
	size_t n;
	struct span s;
	uint64_t count;

	*out = (struct list){0};
	if (!blob_unpack(value->mv_data, value->mv_size, BLOB_ROLLUP, &bytes, &n, err))
		return false;
	s = (struct span){bytes, bytes + n, false};
	count = get_number(&s);
	if (count > CHUNK_ROLLUPS_MAX)
		return error_set(err, ERROR_DAMAGED, "a record of rollups does not hold");
	out->rollups = mem_array((size_t)count + 1, sizeof(*out->rollups)); /* room for one more */
	for (; out->n < count && !s.bad; out->n++)
		get_rollup(&s, &out->rollups[out->n], begin_s, usual_s);
	if (!s.bad && s.at == s.end)
		return true;
	free(out->rollups);
	*out = (struct list){0};
	return error_set(err, ERROR_DAMAGED, "a record of rollups does not hold");
}

bool state_check_rollup(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct list list;
	bool ok = unpack_list(value, 0, 0, &list, err);

	(void)key;
	free(list.rollups);
	return ok;
}

/* ---- records ----------------------------------------------------------------------------------------- */

static uint32_t chunk_of(const struct period *period, int64_t at_s)
{
	return at_s > 0 ? (uint32_t)(at_s / period->chunk_s) : 0;
}

static bool get_list(struct state_txn *txn, const struct period *period, uint32_t chunk, uint32_t id,
	struct list *out, struct error *err)
{
	struct key k = key_u32(chunk);
	struct error why;
	MDB_val value;

	*out = (struct list){0};
	key_add_u32(&k, id);
	if (book_get(&txn->book, period->table, &k, &value, &why))
		return unpack_list(&value, chunk * period->chunk_s, period->rollup_s, out, err);
	if (why.kind == ERROR_MISSING)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool put_list(struct state_txn *txn, const struct period *period, uint32_t chunk, uint32_t id,
	const struct list *list, struct error *err)
{
	struct key k = key_u32(chunk);
	struct text t = TEXT_INIT;
	struct pack p;
	bool ok;

	key_add_u32(&k, id);
	put_number(&t, list->n);
	for (size_t i = 0; i < list->n; i++)
		put_rollup(&t, &list->rollups[i], chunk * period->chunk_s, period->rollup_s);
	blob_pack(&p, BLOB_ROLLUP, t.ptr, t.len);
	ok = book_put_changed(&txn->book, period->table, &k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	text_free(&t);
	return ok;
}

/* In its place by time; one that begins at the same time is replaced. The list has room for one more. */
static void list_insert(struct list *list, const struct rollup *rollup)
{
	size_t at = list->n;

	while (at && list->rollups[at - 1].from_s >= rollup->from_s)
		at--;
	if (at == list->n || list->rollups[at].from_s != rollup->from_s) {
		memmove(&list->rollups[at + 1], &list->rollups[at], (list->n - at) * sizeof(*rollup));
		list->n++;
	}
	list->rollups[at] = *rollup;
}

bool state_rollup_put(struct state_txn *txn, enum rollup_kind kind, uint32_t id, const struct rollup *rollup,
	struct error *err)
{
	const struct period *period = &periods[kind];
	uint32_t chunk = chunk_of(period, rollup->from_s);
	struct list list;
	bool ok;

	if (!get_list(txn, period, chunk, id, &list, err))
		return false;
	if (!list.rollups)
		list.rollups = mem_array(1, sizeof(*list.rollups));
	list_insert(&list, rollup);
	ok = list.n <= CHUNK_ROLLUPS_MAX ? put_list(txn, period, chunk, id, &list, err) :
		error_set(err, ERROR_INPUT, "too many rollups within one record's time");
	free(list.rollups);
	return ok;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static bool chunks_stored(struct state_txn *txn, const struct period *period, uint32_t *first, uint32_t *last)
{
	struct error ignored;
	struct walk w;
	bool found = walk_first(&w, &txn->book, period->table);

	if (found)
		*first = key_read_u32(&w.key, 0);
	walk_end(&w, &ignored);
	found = found && walk_last(&w, &txn->book, period->table);
	if (found) {
		*last = key_read_u32(&w.key, 0);
		walk_end(&w, &ignored);
	}
	return found;
}

bool state_rollup_scan(struct state_txn *txn, enum rollup_kind kind, uint32_t id, int64_t from_s,
	int64_t to_s, bool (*each)(void *arg, const struct rollup *rollup), void *arg, struct error *err)
{
	const struct period *period = &periods[kind];
	uint32_t first, last;
	bool ok = true, go_on = true;

	if (to_s <= from_s || !chunks_stored(txn, period, &first, &last))
		return true;
	if (chunk_of(period, from_s) > first)
		first = chunk_of(period, from_s);
	if (chunk_of(period, to_s - 1) < last)
		last = chunk_of(period, to_s - 1);
	for (uint32_t chunk = first; ok && go_on && chunk <= last; chunk++) {
		struct list list;

		ok = get_list(txn, period, chunk, id, &list, err);
		for (size_t i = 0; ok && go_on && i < list.n; i++)
			if (list.rollups[i].from_s >= from_s && list.rollups[i].from_s < to_s)
				go_on = each(arg, &list.rollups[i]);
		free(list.rollups);
	}
	return ok;
}
