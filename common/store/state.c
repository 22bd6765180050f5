/* SPDX-License-Identifier: ISC */
/*
 * state: opening the book of what was concluded, its transactions, and the small records by name.
 *
 *	state_config.c     the published configuration
 *	state_row.c        rows and judges
 *	state_sample.c     results, as they come and by the hour (sample_code.c)
 *	state_rollup.c     hours and days summed up
 *	state_incident.c   incidents
 *	state_notice.c     the outbox
 *	state_forget.c     what is kept no longer
 */
#include "store/state_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* ---- what the book is like --------------------------------------------------------------------------- */

static bool check_shape(const MDB_val *value, const struct shape *shape, struct error *err)
{
	void *what = mem_alloc(shape->size);
	bool ok = record_unpack(value->mv_data, value->mv_size, shape, what, err);

	if (ok)
		record_clear(shape, what);
	free(what);
	return ok;
}

static bool check_text(const MDB_val *key, const MDB_val *value, struct error *err)
{
	const uint8_t *bytes;
	size_t n;

	(void)key;
	return blob_unpack(value->mv_data, value->mv_size, BLOB_TEXT, &bytes, &n, err);
}

static bool check_id(const MDB_val *key, const MDB_val *value, struct error *err)
{
	(void)key;
	return value->mv_size == 4 || error_set(err, ERROR_DAMAGED, "an id has not its size");
}

static bool check_none(const MDB_val *key, const MDB_val *value, struct error *err)
{
	(void)key;
	return !value->mv_size || error_set(err, ERROR_DAMAGED, "an index entry is not empty");
}

#define CHECK_SHAPE(name, shape)                                                                  \
	static bool name(const MDB_val *key, const MDB_val *value, struct error *err)             \
	{                                                                                         \
		(void)key;                                                                        \
		return check_shape(value, shape, err);                                            \
	}
CHECK_SHAPE(check_monitor, &SHAPE_MONITOR)
CHECK_SHAPE(check_heartbeat, &SHAPE_HEARTBEAT)
CHECK_SHAPE(check_judge, &SHAPE_JUDGE)
CHECK_SHAPE(check_incident, &SHAPE_INCIDENT)
CHECK_SHAPE(check_entry, &SHAPE_ENTRY)
CHECK_SHAPE(check_notice, &SHAPE_NOTICE)

/* Single records: each name has its shape; NULL is text. */
static const struct {
	const char *name;
	const struct shape *shape;
} singles[] = {
	{"site", &SHAPE_SITE},
	{"problems", &SHAPE_PROBLEMS},
	{"listing", &SHAPE_LISTING},
	{"pass", &SHAPE_PASS},
	{"counters", &SHAPE_COUNTERS},
	{"seen", &SHAPE_COUNTER},
	{"fingerprint", NULL},
	{"default", NULL},
};

static bool check_meta(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct unpack u;

	for (size_t i = 0; i < COUNT_OF(singles); i++)
		if (key->mv_size == strlen(singles[i].name) &&
			!memcmp(key->mv_data, singles[i].name, key->mv_size))
			return singles[i].shape ? check_shape(value, singles[i].shape, err) :
				check_text(key, value, err);
	return unpack_begin(&u, value->mv_data, value->mv_size, BOOK_SCHEMA_KIND, BOOK_SCHEMA_VERSION, err);
}

static const struct book_table tables[TABLE__COUNT] = {
	[TABLE_META] = {"meta", check_meta},
	[TABLE_MONITORS] = {"monitors", check_monitor},
	[TABLE_IDS] = {"ids", check_id},
	[TABLE_SLUGS] = {"slugs", check_id},
	[TABLE_HEARTBEATS] = {"heartbeats", check_heartbeat},
	[TABLE_TOKENS] = {"tokens", check_id},
	[TABLE_ORDER] = {"order", check_id},
	[TABLE_ROWS] = {"rows", state_check_rows},
	[TABLE_JUDGES] = {"judges", check_judge},
	[TABLE_RUNS] = {"runs", state_check_run},
	[TABLE_HOURS] = {"hours", state_check_hour},
	[TABLE_PARTS] = {"parts", state_check_parts},
	[TABLE_ROLLUP_HOURS] = {"rollup_hours", state_check_rollup},
	[TABLE_ROLLUP_DAYS] = {"rollup_days", state_check_rollup},
	[TABLE_INCIDENTS] = {"incidents", check_incident},
	[TABLE_ENTRIES] = {"entries", check_entry},
	[TABLE_OPEN] = {"open", check_none},
	[TABLE_BY_MONITOR] = {"by_monitor", check_none},
	[TABLE_NOTICES] = {"notices", check_notice},
	[TABLE_DUE] = {"due", check_none},
	[TABLE_BY_INCIDENT] = {"by_incident", check_none},
	[TABLE_NOTES] = {"notes", check_text},
};

static const struct book_plan plan = {
	.name = "state",
	.tables = tables,
	.table_count = TABLE__COUNT,
	.schema = 1,
	.room_first = 8u << 20,
	.room_ahead = 8u << 20,
	.group_writes = false,
	.read_by_prober = false,
};

/* ---- opening, transactions --------------------------------------------------------------------------- */

bool state_is_ours(const char *dir, struct error *err)
{
	char *path = file_join(dir, "state/data.mdb");
	int fd = file_open(path, err);
	bool ours = fd >= 0 && store_is_ours(dir, fd, path, err);

	if (fd >= 0)
		close(fd);
	free(path);
	return ours;
}

struct state *state_open(const char *dir, enum store_mode mode, struct error *err)
{
	struct book *book = book_open(&plan, dir, mode, err);
	struct state *state;

	if (!book)
		return NULL;
	state = MEM_NEW(struct state);
	state->book = book;
	return state;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	book_close(state->book);
	free(state);
}

struct state_txn *state_begin(struct state *state, bool writing, struct error *err)
{
	struct state_txn *txn = MEM_NEW(struct state_txn);

	if (book_begin(state->book, writing, &txn->book, err))
		return txn;
	free(txn);
	return NULL;
}

bool state_commit(struct state_txn *txn, struct error *err)
{
	bool ok = book_txn_commit(&txn->book, err);

	free(txn);
	return ok;
}

void state_end(struct state_txn *txn)
{
	if (!txn)
		return;
	book_end(&txn->book);
	free(txn);
}

bool state_figures(struct state *state, struct store_figures *out, struct error *err)
{
	return book_figures(state->book, out, err);
}

bool state_backup(struct state *state, const char *dir_out, struct error *err)
{
	return book_copy(state->book, dir_out, err);
}

bool state_verify(struct state *state, uint64_t *records, struct error *err)
{
	return book_verify(state->book, records, err);
}

bool state_set_aside(const char *dir, int64_t now_s, char **moved_to, struct error *err)
{
	return book_set_aside(&plan, dir, now_s, moved_to, err);
}

bool state_restore(const char *dir, const char *copies, struct error *err)
{
	return book_restore(&plan, dir, copies, err);
}

/* ---- records by shape -------------------------------------------------------------------------------- */

bool state_get(struct state_txn *txn, enum state_table table, const struct key *k, const struct shape *shape,
	void *out, struct error *err)
{
	MDB_val value;

	return book_get(&txn->book, table, k, &value, err) &&
		record_unpack(value.mv_data, value.mv_size, shape, out, err);
}

bool state_get_or_empty(struct state_txn *txn, enum state_table table, const struct key *k,
	const struct shape *shape, void *out, struct error *err)
{
	struct error why;

	if (state_get(txn, table, k, shape, out, &why))
		return true;
	memset(out, 0, shape->size);
	if (why.kind == ERROR_MISSING)
		return true;
	if (err)
		*err = why;
	return false;
}

bool state_put(struct state_txn *txn, enum state_table table, const struct key *k, const struct shape *shape,
	const void *from, struct error *err)
{
	struct pack p;
	bool ok;

	record_pack(&p, shape, from);
	ok = book_put_changed(&txn->book, table, k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

bool state_get_text(struct state_txn *txn, enum state_table table, const struct key *k, char **out,
	struct error *err)
{
	MDB_val value;
	const uint8_t *bytes;
	size_t n;

	if (!book_get(&txn->book, table, k, &value, err) ||
		!blob_unpack(value.mv_data, value.mv_size, BLOB_TEXT, &bytes, &n, err))
		return false;
	*out = mem_strn((const char *)bytes, n);
	return true;
}

bool state_put_text(struct state_txn *txn, enum state_table table, const struct key *k, const char *text,
	struct error *err)
{
	struct pack p;
	bool ok;

	if (!text)
		return book_delete(&txn->book, table, k, err);
	blob_pack(&p, BLOB_TEXT, text, strlen(text));
	ok = book_put_changed(&txn->book, table, k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

bool state_get_id(struct state_txn *txn, enum state_table table, const struct key *k, uint32_t *id,
	struct error *err)
{
	MDB_val value;

	if (!book_get(&txn->book, table, k, &value, err))
		return false;
	*id = key_read_u32(&value, 0);
	return *id || error_set(err, ERROR_DAMAGED, "an id has not its size");
}

bool state_counters(struct state_txn *txn, struct counters *out, struct error *err)
{
	struct key k = key_name("counters");

	return state_get_or_empty(txn, TABLE_META, &k, &SHAPE_COUNTERS, out, err);
}

bool state_counters_put(struct state_txn *txn, const struct counters *counters, struct error *err)
{
	struct key k = key_name("counters");

	return state_put(txn, TABLE_META, &k, &SHAPE_COUNTERS, counters, err);
}

uint64_t state_time(int64_t us)
{
	return us > 0 ? (uint64_t)us : 0;
}

/* ---- passes, notes ----------------------------------------------------------------------------------- */

bool state_pass(struct state_txn *txn, struct pass_info *out, struct error *err)
{
	struct key k = key_name("pass");

	return state_get_or_empty(txn, TABLE_META, &k, &SHAPE_PASS, out, err);
}

bool state_pass_put(struct state_txn *txn, const struct pass_info *pass, struct error *err)
{
	struct key k = key_name("pass");

	return state_put(txn, TABLE_META, &k, &SHAPE_PASS, pass, err);
}

bool state_inbox_seen(struct state_txn *txn, uint64_t *seen, struct error *err)
{
	struct key k = key_name("seen");
	struct counter counter;

	if (!state_get_or_empty(txn, TABLE_META, &k, &SHAPE_COUNTER, &counter, err))
		return false;
	*seen = counter.value;
	return true;
}

bool state_inbox_seen_put(struct state_txn *txn, uint64_t seen, struct error *err)
{
	struct key k = key_name("seen");
	struct counter counter = {seen};

	return state_put(txn, TABLE_META, &k, &SHAPE_COUNTER, &counter, err);
}

bool state_note_get(struct state_txn *txn, const char *name, char **out, struct error *err)
{
	struct key k = key_name(name);

	return state_get_text(txn, TABLE_NOTES, &k, out, err);
}

bool state_note_put(struct state_txn *txn, const char *name, const char *value, struct error *err)
{
	struct key k = key_name(name);

	return state_put_text(txn, TABLE_NOTES, &k, value, err);
}
