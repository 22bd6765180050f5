/* SPDX-License-Identifier: ISC */
/*
 * state_sample: results, as they come and by the hour.
 *
 * A commit writes its results as runs: few records, few pages, whatever the number of monitors. Once an
 * hour is over, housekeeping settles it: its runs become series of one monitor each, which are smaller and
 * are what a page reads. Settling again is harmless: what came late joins what is there. A reader sees both.
 */
#include "store/state_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/sample_code.h"

#define RUN_BYTES 960    /* four records of this size fill a page of LMDB's */
#define CHUNK_BYTES 1900 /* two */
#define SLICE 2048       /* monitors settled at once: bounds memory */

static struct key key_run(uint32_t hour, uint32_t newest_ms, uint32_t number)
{
	struct key k = key_u32(hour);

	key_add_u32(&k, newest_ms);
	key_add_u32(&k, number);
	return k;
}

static struct key key_chunk(uint32_t hour, uint32_t first_id)
{
	struct key k = key_u32(hour);

	key_add_u32(&k, first_id);
	return k;
}

/* ---- adding ------------------------------------------------------------------------------------------ */

struct dated {
	uint32_t hour;
	struct mark mark;
};

static int dated_order(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;

	if (x->hour != y->hour)
		return x->hour < y->hour ? -1 : 1;
	return mark_order(&x->mark, &y->mark);
}

/* Several commits may have the same newest time. */
static bool next_number(struct state_txn *txn, uint32_t hour, uint32_t newest_ms, uint32_t *number,
	struct error *err)
{
	struct key beyond = key_run(hour, newest_ms, UINT32_MAX), prefix = key_chunk(hour, newest_ms);
	struct walk w;

	*number = 0;
	if (walk_before(&w, &txn->book, TABLE_RUNS, &beyond) && walk_within(&w, &prefix))
		*number = key_read_u32(&w.key, 8) + 1;
	return walk_end(&w, err);
}

static bool put_run(struct state_txn *txn, const struct key *k, const struct text *body, struct error *err)
{
	struct pack p;
	bool ok;

	blob_pack(&p, BLOB_RUN, body->ptr, body->len);
	ok = book_append(&txn->book, TABLE_RUNS, k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

/* Sorted marks of one hour. */
static bool put_marks(
	struct state_txn *txn, uint32_t hour, const struct mark *marks, size_t n, struct error *err)
{
	struct text body = TEXT_INIT;
	uint32_t newest = 0, number;
	bool ok;

	for (size_t i = 0; i < n; i++)
		if (marks[i].at_ms > newest)
			newest = marks[i].at_ms;
	ok = next_number(txn, hour, newest, &number, err);
	for (size_t done = 0; ok && done < n; number++) {
		struct key k = key_run(hour, newest, number);

		text_clear(&body);
		done += run_put(&body, marks + done, n - done, RUN_BYTES);
		ok = put_run(txn, &k, &body, err);
	}
	text_free(&body);
	return ok;
}

bool state_samples_add(struct state_txn *txn, const struct sample *samples, size_t n, struct error *err)
{
	struct dated *dated = mem_array(n, sizeof(*dated));
	struct mark *marks = mem_array(n, sizeof(*marks));
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		dated[i].hour = sample_hour(samples[i].at_us);
		mark_from(&dated[i].mark, &samples[i]);
	}
	if (n)
		qsort(dated, n, sizeof(*dated), dated_order);
	for (size_t i = 0; ok && i < n;) {
		uint32_t hour = dated[i].hour;
		size_t count = 0;

		for (; i < n && dated[i].hour == hour; i++)
			marks[count++] = dated[i].mark;
		ok = put_marks(txn, hour, marks, count, err);
	}
	free(dated);
	free(marks);
	return ok;
}

/* ---- gathering --------------------------------------------------------------------------------------- */

struct marks {
	struct mark *list;
	size_t n, room;
};

static struct mark *marks_add(struct marks *m, size_t n)
{
	if (m->n + n > m->room) {
		m->room = 2 * (m->n + n);
		m->list = mem_grow(m->list, m->room, sizeof(*m->list));
	}
	m->n += n;
	return m->list + m->n - n;
}

/* Which marks are wanted. */
struct want {
	uint32_t hour, from_ms;
	uint32_t first_id, last_id;
};

static bool damaged(struct error *err, const char *what)
{
	return error_set(err, ERROR_DAMAGED, "a record of %s does not hold", what);
}

static bool gather_run(const MDB_val *value, const struct want *want, struct marks *out, struct error *err)
{
	const uint8_t *bytes;
	size_t n;
	struct run run;
	struct mark mark;

	if (!blob_unpack(value->mv_data, value->mv_size, BLOB_RUN, &bytes, &n, err))
		return false;
	if (!run_begin(&run, bytes, n))
		return damaged(err, "results");
	if (run.last_id < want->first_id || run.first_id > want->last_id)
		return true;
	while (run_next(&run, &mark) && mark.id <= want->last_id)
		if (mark.id >= want->first_id)
			*marks_add(out, 1) = mark;
	return !run.rest.bad || damaged(err, "results");
}

static bool gather_runs(struct state_txn *txn, const struct want *want, struct marks *out, struct error *err)
{
	struct key from = key_run(want->hour, want->from_ms, 0), prefix = key_u32(want->hour);
	struct walk w;
	bool ok = true;

	for (bool on = walk_from(&w, &txn->book, TABLE_RUNS, &from); on && ok && walk_within(&w, &prefix);
		on = walk_next(&w))
		ok = gather_run(&w.value, want, out, err);
	return walk_end(&w, ok ? err : NULL) && ok;
}

/* Stands on the chunk in which first_id would be: the last that begins at or before it, else the first. */
static bool walk_chunks(
	struct walk *w, struct state_txn *txn, enum state_table table, const struct want *want)
{
	struct key after = key_chunk(want->hour, want->first_id), prefix = key_u32(want->hour);
	struct error ignored;

	key_add_u8(&after, 0); /* just beyond the chunk that begins with it */
	if (walk_before(w, &txn->book, table, &after) && walk_within(w, &prefix))
		return true;
	walk_end(w, &ignored);
	return walk_from(w, &txn->book, table, &prefix) && walk_within(w, &prefix);
}

/* Calls `each` for the wanted frames of the hour. */
static bool each_frame(struct state_txn *txn, enum state_table table, enum blob_kind kind,
	const struct want *want, bool (*each)(const struct frame *frame, struct marks *out),
	struct marks *out, struct error *err)
{
	struct key prefix = key_u32(want->hour);
	struct walk w;
	bool ok = true;

	for (bool on = walk_chunks(&w, txn, table, want);
		on && ok && walk_within(&w, &prefix) && key_read_u32(&w.key, 4) <= want->last_id;
		on = walk_next(&w)) {
		const uint8_t *bytes;
		size_t n;
		struct frame frame;

		ok = blob_unpack(w.value.mv_data, w.value.mv_size, kind, &bytes, &n, err);
		frame_begin(&frame, bytes, n);
		while (ok && frame_next(&frame) && frame.id <= want->last_id)
			if (frame.id >= want->first_id)
				ok = each(&frame, out) || damaged(err, "an hour");
		ok = ok && (!frame.rest.bad || damaged(err, "an hour"));
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

static bool gather_series(const struct frame *frame, struct marks *out)
{
	size_t count = series_count(frame->bytes, frame->n);

	return count && series_get(frame->bytes, frame->n, frame->id, marks_add(out, count), count);
}

/* Series were gathered before, by monitor. One whose parts are there and marks are not was never whole. */
static bool gather_parts(const struct frame *frame, struct marks *out)
{
	size_t low = 0, high = out->n, count = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (out->list[middle].id < frame->id)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < out->n && out->list[low + count].id == frame->id)
		count++;
	return count && parts_get(frame->bytes, frame->n, out->list + low, count);
}

/* All that is known of the hour, settled or not, by monitor and time. */
static bool gather(struct state_txn *txn, const struct want *want, struct marks *out, struct error *err)
{
	out->n = 0;
	if (!each_frame(txn, TABLE_HOURS, BLOB_HOUR, want, gather_series, out, err) ||
		!each_frame(txn, TABLE_PARTS, BLOB_PARTS, want, gather_parts, out, err) ||
		!gather_runs(txn, want, out, err))
		return false;
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), mark_order);
	return true;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

/* The first or last hour of a table; false when it is empty (or cannot be read: the scan will say). */
static bool hour_at_end(struct state_txn *txn, enum state_table table, bool last, uint32_t *hour)
{
	struct error ignored;
	struct walk w;
	bool found = last ? walk_last(&w, &txn->book, table) : walk_first(&w, &txn->book, table);

	if (found)
		*hour = key_read_u32(&w.key, 0);
	walk_end(&w, &ignored);
	return found;
}

static bool hours_stored(struct state_txn *txn, uint32_t *first, uint32_t *last)
{
	uint32_t hour;

	*first = UINT32_MAX;
	*last = 0;
	for (enum state_table table = TABLE_RUNS; table <= TABLE_HOURS; table++) {
		if (hour_at_end(txn, table, false, &hour) && hour < *first)
			*first = hour;
		if (hour_at_end(txn, table, true, &hour) && hour > *last)
			*last = hour;
	}
	return *first <= *last;
}

static int time_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static bool show_hour(const struct marks *marks, uint32_t hour, int64_t from_us, int64_t to_us,
	bool (*each)(void *arg, const struct sample *sample), void *arg)
{
	for (size_t i = 0; i < marks->n; i++) {
		struct sample sample;

		mark_to(&marks->list[i], hour, &sample);
		if (sample.at_us >= from_us && sample.at_us < to_us && !each(arg, &sample))
			return false;
	}
	return true;
}

bool state_sample_scan(struct state_txn *txn, uint32_t id, int64_t from_us, int64_t to_us,
	bool (*each)(void *arg, const struct sample *sample), void *arg, struct error *err)
{
	struct marks marks = {0};
	uint32_t first, last;
	bool ok = true, go_on = true;

	if (to_us <= 0 || from_us >= to_us || !hours_stored(txn, &first, &last))
		return true;
	if (sample_hour(from_us) > first)
		first = sample_hour(from_us);
	if (sample_hour(to_us - 1) < last)
		last = sample_hour(to_us - 1);
	for (uint32_t hour = first; ok && go_on && hour <= last; hour++) {
		struct want want = {.hour = hour, .first_id = id, .last_id = id ? id : UINT32_MAX};

		if (hour == sample_hour(from_us) && from_us > 0)
			want.from_ms = (uint32_t)(from_us / US_PER_MS % HOUR_MS);
		ok = gather(txn, &want, &marks, err);
		if (ok && !id && marks.n)
			qsort(marks.list, marks.n, sizeof(*marks.list), time_order);
		go_on = ok && show_hour(&marks, hour, from_us, to_us, each, arg);
	}
	free(marks.list);
	return ok;
}

/* ---- settling ---------------------------------------------------------------------------------------- */

/* Chunks of frames being filled, to be written when all is read. */
struct chunks {
	uint32_t hour;
	enum blob_kind kind;
	struct book_entry *list;
	size_t n, room;
	struct text body; /* of the chunk being filled */
	uint32_t first_id, previous_id;
};

static void chunks_flush(struct chunks *c)
{
	struct pack p;

	if (!c->body.len)
		return;
	if (c->n == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->list = mem_grow(c->list, c->room, sizeof(*c->list));
	}
	blob_pack(&p, c->kind, c->body.ptr, c->body.len);
	c->list[c->n++] = (struct book_entry){key_chunk(c->hour, c->first_id), mem_dup(p.out.ptr, p.out.len),
		p.out.len};
	pack_free(&p);
	text_clear(&c->body);
	c->previous_id = 0;
}

static void chunks_add(struct chunks *c, uint32_t id, const struct text *series)
{
	if (c->body.len && c->body.len + series->len > CHUNK_BYTES)
		chunks_flush(c);
	if (!c->body.len)
		c->first_id = id;
	frame_put(&c->body, &c->previous_id, id, series);
}

static void chunks_free(struct chunks *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].bytes);
	free(c->list);
	text_free(&c->body);
}

static bool any_parts(const struct mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (marks[i].mask)
			return true;
	return false;
}

static void settle_marks(const struct marks *marks, struct chunks *hours, struct chunks *parts)
{
	struct text series = TEXT_INIT;

	for (size_t i = 0; i < marks->n;) {
		const struct mark *first = &marks->list[i];
		size_t n = 1;

		while (i + n < marks->n && first[n].id == first->id)
			n++;
		text_clear(&series);
		series_put(&series, first, n);
		chunks_add(hours, first->id, &series);
		if (any_parts(first, n)) {
			text_clear(&series);
			parts_put(&series, first, n);
			chunks_add(parts, first->id, &series);
		}
		i += n;
	}
	text_free(&series);
}

/* The largest monitor id that the hour's runs have; *any false when there are none. */
static bool last_id_in_runs(struct state_txn *txn, uint32_t hour, uint32_t *last_id, bool *any,
	struct error *err)
{
	struct key prefix = key_u32(hour);
	struct walk w;
	bool ok = true;

	for (bool on = walk_from(&w, &txn->book, TABLE_RUNS, &prefix); on && ok && walk_within(&w, &prefix);
		on = walk_next(&w)) {
		const uint8_t *bytes;
		size_t n;
		struct run run;

		*any = true;
		ok = blob_unpack(w.value.mv_data, w.value.mv_size, BLOB_RUN, &bytes, &n, err) &&
			(run_begin(&run, bytes, n) || damaged(err, "results"));
		if (ok && run.last_id > *last_id)
			*last_id = run.last_id;
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

static bool last_id_in_hour(struct state_txn *txn, uint32_t hour, uint32_t *last_id, struct error *err)
{
	const struct want want = {.hour = hour, .first_id = UINT32_MAX, .last_id = UINT32_MAX};
	struct walk w;
	bool ok = true;

	if (walk_chunks(&w, txn, TABLE_HOURS, &want)) {
		const uint8_t *bytes;
		size_t n;
		struct frame frame;

		ok = blob_unpack(w.value.mv_data, w.value.mv_size, BLOB_HOUR, &bytes, &n, err);
		frame_begin(&frame, bytes, n);
		while (ok && frame_next(&frame))
			if (frame.id > *last_id)
				*last_id = frame.id;
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

static bool delete_hour(struct state_txn *txn, enum state_table table, uint32_t hour, struct error *err)
{
	struct key prefix = key_u32(hour);
	struct walk w;

	for (bool on = walk_from(&w, &txn->book, table, &prefix); on && walk_within(&w, &prefix);)
		on = walk_delete(&w);
	return walk_end(&w, err);
}

static bool write_chunks(
	struct state_txn *txn, enum state_table table, const struct chunks *c, struct error *err)
{
	if (!delete_hour(txn, table, c->hour, err))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (!book_append(&txn->book, table, &c->list[i].key, c->list[i].bytes, c->list[i].n, err))
			return false;
	return true;
}

static bool settle_slices(struct state_txn *txn, uint32_t hour, uint32_t last_id, struct chunks *hours,
	struct chunks *parts, struct error *err)
{
	struct marks marks = {0};
	bool ok = true;

	for (uint64_t first = 0; ok && first <= last_id; first += SLICE) {
		struct want want = {
			.hour = hour,
			.first_id = (uint32_t)first,
			.last_id = first + SLICE - 1 < last_id ? (uint32_t)first + SLICE - 1 : last_id,
		};

		ok = gather(txn, &want, &marks, err);
		if (ok)
			settle_marks(&marks, hours, parts);
	}
	free(marks.list);
	chunks_flush(hours);
	chunks_flush(parts);
	return ok;
}

bool state_samples_settle(struct state_txn *txn, int64_t hour_s, struct error *err)
{
	uint32_t hour = sample_hour(hour_s * US_PER_S), last_id = 0;
	struct chunks hours = {.hour = hour, .kind = BLOB_HOUR}, parts = {.hour = hour, .kind = BLOB_PARTS};
	bool any = false, ok = last_id_in_runs(txn, hour, &last_id, &any, err);

	if (!ok || !any)
		return ok; /* nothing came since the last time */
	ok = last_id_in_hour(txn, hour, &last_id, err) &&
	     settle_slices(txn, hour, last_id, &hours, &parts, err) &&
	     write_chunks(txn, TABLE_HOURS, &hours, err) && write_chunks(txn, TABLE_PARTS, &parts, err) &&
	     delete_hour(txn, TABLE_RUNS, hour, err);
	chunks_free(&hours);
	chunks_free(&parts);
	return ok;
}

bool state_samples_unsettled(struct state_txn *txn, int64_t *hour_s)
{
	uint32_t hour;

	if (!hour_at_end(txn, TABLE_RUNS, false, &hour))
		return false;
	*hour_s = (int64_t)hour * 3600;
	return true;
}

/* ---- checks ------------------------------------------------------------------------------------------ */

bool state_check_run(const MDB_val *key, const MDB_val *value, struct error *err)
{
	const struct want all = {.last_id = UINT32_MAX};
	struct marks marks = {0};
	bool ok = gather_run(value, &all, &marks, err);

	(void)key;
	free(marks.list);
	return ok;
}

static bool check_frames(const MDB_val *value, enum blob_kind kind,
	bool (*each)(const struct frame *frame, struct marks *out), struct error *err)
{
	struct marks marks = {0};
	struct frame frame;
	const uint8_t *bytes;
	size_t n;
	bool ok = blob_unpack(value->mv_data, value->mv_size, kind, &bytes, &n, err);

	frame_begin(&frame, bytes, n);
	while (ok && frame_next(&frame))
		ok = !each || each(&frame, &marks) || damaged(err, "an hour");
	free(marks.list);
	return ok && (!frame.rest.bad || damaged(err, "an hour"));
}

bool state_check_hour(const MDB_val *key, const MDB_val *value, struct error *err)
{
	(void)key;
	return check_frames(value, BLOB_HOUR, gather_series, err);
}

/* Parts mean something only beside their series; their frames are checked. */
bool state_check_parts(const MDB_val *key, const MDB_val *value, struct error *err)
{
	(void)key;
	return check_frames(value, BLOB_PARTS, NULL, err);
}
