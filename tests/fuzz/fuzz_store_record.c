/* SPDX-License-Identifier: ISC */
/*
 * Records of the two books. The first byte chooses the kind, the rest is its content, given a head and a
 * good checksum: what a checksum cannot keep out (another version's mistake, a forger who may write the
 * file) must still be refused or read within its bounds. What was read is written and read again the same.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "model/beat.h"
#include "model/incident.h"
#include "model/judge.h"
#include "model/notice.h"
#include "model/site.h"
#include "store/record.h"
#include "store/sample_code.h"
#include "store/state_private.h"

static const struct shape *const shapes[] = {
	&SHAPE_BEAT_LAST,
	&SHAPE_TALLY,
	&SHAPE_COUNTER,
	&SHAPE_SITE,
	&SHAPE_PROBLEMS,
	&SHAPE_MONITOR,
	&SHAPE_HEARTBEAT,
	&SHAPE_JUDGE,
	&SHAPE_INCIDENT,
	&SHAPE_ENTRY,
	&SHAPE_NOTICE,
	&SHAPE_PASS,
	&SHAPE_COUNTERS,
	&SHAPE_LISTING,
};

static void sealed(struct pack *p, uint8_t kind, const uint8_t *data, size_t size)
{
	pack_begin(p, kind, 1);
	text_rawn(&p->out, (const char *)data, size);
	pack_end(p);
}

static void try_shape(const struct shape *shape, const uint8_t *data, size_t size)
{
	void *what = mem_alloc(shape->size);
	struct pack in, out, again;

	sealed(&in, shape->kind, data, size);
	if (record_unpack(in.out.ptr, in.out.len, shape, what, NULL)) {
		record_pack(&out, shape, what);
		record_clear(shape, what);
		FUZZ_CHECK(record_unpack(out.out.ptr, out.out.len, shape, what, NULL));
		record_pack(&again, shape, what);
		FUZZ_CHECK(again.out.len == out.out.len && !memcmp(again.out.ptr, out.out.ptr, out.out.len));
		record_clear(shape, what);
		pack_free(&out);
		pack_free(&again);
	}
	pack_free(&in);
	free(what);
}

/* ---- results ----------------------------------------------------------------------------------------- */

static void try_run(const uint8_t *data, size_t size)
{
	struct mark *marks = mem_array(size + 1, sizeof(*marks)), mark;
	struct text t = TEXT_INIT;
	struct run run;
	size_t n = 0;

	if (run_begin(&run, data, size))
		while (run_next(&run, &marks[n])) {
			struct sample sample;

			mark_to(&marks[n], 1000, &sample);
			FUZZ_CHECK(sample.at_us >= 0 && sample.response_us >= -1);
			FUZZ_CHECK(n++ < size);
		}
	if (n && !run.rest.bad) {
		FUZZ_CHECK(run_put(&t, marks, n, SIZE_MAX) == n);
		FUZZ_CHECK(run_begin(&run, (const uint8_t *)t.ptr, t.len));
		for (size_t i = 0; i < n; i++)
			FUZZ_CHECK(run_next(&run, &mark) && !memcmp(&mark, &marks[i], sizeof(mark)));
		FUZZ_CHECK(!run_next(&run, &mark) && !run.rest.bad);
	}
	text_free(&t);
	free(marks);
}

/* The first byte says how much of the rest is the series; what follows are its parts. */
static void try_series(const uint8_t *data, size_t size)
{
	size_t share = fuzz_byte(&data, &size), n = size * share / 255, count = series_count(data, n);
	struct mark *marks = mem_array(count + 1, sizeof(*marks)),
		    *again = mem_array(count + 1, sizeof(*marks));
	struct text t = TEXT_INIT;

	if (count && series_get(data, n, 7, marks, count)) {
		bool parts = parts_get(data + n, size - n, marks, count);

		series_put(&t, marks, count);
		FUZZ_CHECK(series_get((const uint8_t *)t.ptr, t.len, 7, again, count));
		text_clear(&t);
		parts_put(&t, marks, count);
		FUZZ_CHECK(parts_get((const uint8_t *)t.ptr, t.len, again, count));
		for (size_t i = 0; i < count; i++) {
			FUZZ_CHECK(again[i].at_ms == marks[i].at_ms && again[i].look == marks[i].look);
			FUZZ_CHECK(again[i].mask == marks[i].mask);
			FUZZ_CHECK(again[i].response == marks[i].response);
			FUZZ_CHECK(!parts || !memcmp(again[i].part, marks[i].part, sizeof(again[i].part)));
		}
	}
	text_free(&t);
	free(marks);
	free(again);
}

static void try_blob(enum blob_kind kind,
	bool (*check)(const MDB_val *key, const MDB_val *value, struct error *err), const uint8_t *data,
	size_t size)
{
	struct pack p;
	MDB_val key = {0, NULL}, value;

	blob_pack(&p, kind, data, size);
	value = (MDB_val){p.out.len, p.out.ptr};
	check(&key, &value, NULL);
	pack_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t choice = fuzz_byte(&data, &size);

	if (size > 1 << 16)
		return 0;
	if (choice < COUNT_OF(shapes))
		try_shape(shapes[choice], data, size);
	switch (choice) {
	case 0x20:
		try_run(data, size);
		try_blob(BLOB_RUN, state_check_run, data, size);
		break;
	case 0x21:
		try_series(data, size);
		break;
	case 0x22:
		try_blob(BLOB_HOUR, state_check_hour, data, size);
		break;
	case 0x23:
		try_blob(BLOB_PARTS, state_check_parts, data, size);
		break;
	case 0x24:
		try_blob(BLOB_ROLLUP, state_check_rollup, data, size);
		break;
	case 0x25:
		try_blob(BLOB_ROWS, state_check_rows, data, size);
		break;
	}
	return 0;
}
