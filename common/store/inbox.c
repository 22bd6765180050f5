/* SPDX-License-Identifier: ISC */
/*
 * inbox: opening the book of what was heard, and the last values of heartbeats. The queue is in
 * inbox_queue.c, group commit in inbox_commit.c.
 */
#include "store/inbox_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/copies.h"
#include "store/record.h"

/* ---- what the book is like --------------------------------------------------------------------------- */

static bool check_meta(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct counter counter;
	bool is_schema = key->mv_size == 6 && !memcmp(key->mv_data, "schema", 6);
	struct unpack u;

	if (is_schema)
		return unpack_begin(
			&u, value->mv_data, value->mv_size, BOOK_SCHEMA_KIND, BOOK_SCHEMA_VERSION, err);
	return record_unpack(value->mv_data, value->mv_size, &SHAPE_COUNTER, &counter, err);
}

static bool check_beat(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct beat_last last;

	(void)key;
	if (!record_unpack(value->mv_data, value->mv_size, &SHAPE_BEAT_LAST, &last, err))
		return false;
	record_clear(&SHAPE_BEAT_LAST, &last);
	return true;
}

static bool check_words(const MDB_val *key, const MDB_val *value, struct error *err)
{
	const uint8_t *bytes;
	size_t n;

	(void)key;
	return blob_unpack(value->mv_data, value->mv_size, BLOB_TEXT, &bytes, &n, err);
}

static bool check_tally(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct tally tally;

	(void)key;
	return record_unpack(value->mv_data, value->mv_size, &SHAPE_TALLY, &tally, err);
}

static bool check_sender(const MDB_val *key, const MDB_val *value, struct error *err)
{
	(void)value;
	return key->mv_size > 9 || error_set(err, ERROR_DAMAGED, "a key is too short");
}

static const struct book_table tables[TABLE__COUNT] = {
	[TABLE_META] = {"meta", check_meta},
	[TABLE_BEATS] = {"beats", check_beat},
	[TABLE_WORDS] = {"words", check_words},
	[TABLE_QUEUE] = {"queue", inbox_check_queued},
	[TABLE_SENDERS] = {"senders", check_sender},
	[TABLE_TALLIES] = {"tallies", check_tally},
};

static const struct book_plan plan = {
	.name = "inbox",
	.tables = tables,
	.table_count = TABLE__COUNT,
	.schema = 1,
	.room_first = 16u << 20,
	.room_ahead = 4u << 20,
	.group_writes = true,
	.read_by_prober = true,
};

struct inbox *inbox_open(const char *dir, enum store_mode mode, struct error *err)
{
	struct book *book = book_open(&plan, dir, mode, err);
	struct inbox *inbox;

	if (!book)
		return NULL;
	inbox = MEM_NEW(struct inbox);
	inbox->book = book;
	commit_line_init(&inbox->line, book);
	return inbox;
}

void inbox_close(struct inbox *inbox)
{
	if (!inbox)
		return;
	if (inbox->remote) {
		remote_close(inbox->remote);
		free(inbox);
		return;
	}
	book_close(inbox->book);
	commit_line_free(&inbox->line);
	free(inbox);
}

/* What could not be read because it is damaged is mended by its writer at once, for the next call. */
static void mend_damage(struct inbox *inbox, const struct error *why)
{
	struct book *book = inbox->book;
	struct error ignored;

	if (why->kind == ERROR_DAMAGED && book->mode != STORE_READ)
		__atomic_store_n(&inbox->unmended,
			!inbox_mend(book->dir, (uint64_t)book->inode, clock_wall_us() / US_PER_S, &ignored),
			__ATOMIC_RELAXED);
	__atomic_store_n(&book->looked_us, 0, __ATOMIC_RELAXED); /* the next to read looks which file it is */
}

bool inbox_unmended(const struct inbox *inbox)
{
	return __atomic_load_n(&inbox->unmended, __ATOMIC_RELAXED);
}

/* The end of each call that reads or writes records. */
bool inbox_done(struct inbox *inbox, bool ok, const struct error *why, struct error *err)
{
	if (ok)
		return true;
	if (err)
		*err = *why;
	mend_damage(inbox, why);
	return false;
}

bool inbox_figures(struct inbox *inbox, struct store_figures *out, struct error *err)
{
	if (inbox->remote)
		return remote_figures(inbox, out, err);
	return book_figures(inbox->book, out, err);
}

bool inbox_backup(struct inbox *inbox, const char *dir_out, struct error *err)
{
	if (inbox->remote)
		return remote_backup(inbox, dir_out, err);
	return book_copy(inbox->book, dir_out, err);
}

bool inbox_verify(struct inbox *inbox, uint64_t *records, struct error *err)
{
	if (inbox->remote)
		return remote_verify(inbox, records, err);
	return book_verify(inbox->book, records, err);
}

bool inbox_make(const char *dir, struct error *err)
{
	return book_make(&plan, dir, err);
}

bool inbox_set_aside(const char *dir, int64_t now_s, char **moved_to, struct error *err)
{
	return book_set_aside(&plan, dir, now_s, moved_to, err);
}

bool inbox_restore(const char *dir, const char *copies, struct error *err)
{
	return book_restore(&plan, dir, copies, err);
}

/* ---- reading beats ----------------------------------------------------------------------------------- */

static bool get_words(struct book_txn *t, const struct key *k, char **msg, struct error *err)
{
	MDB_val value;
	struct error missing;
	const uint8_t *bytes;
	size_t n;

	*msg = NULL;
	if (!book_get(t, TABLE_WORDS, k, &value, &missing)) {
		if (missing.kind == ERROR_MISSING)
			return true;
		if (err)
			*err = missing;
		return false;
	}
	if (!blob_unpack(value.mv_data, value.mv_size, BLOB_TEXT, &bytes, &n, err))
		return false;
	*msg = mem_strn((const char *)bytes, n);
	return true;
}

/* Without the message. *found false, and *last empty, when it never beat. */
static bool get_beat(struct book_txn *t, const struct key *k, struct beat_last *last, bool *found,
	struct error *err)
{
	struct error missing;
	MDB_val value;

	*last = (struct beat_last)BEAT_LAST_INIT;
	*found = book_get(t, TABLE_BEATS, k, &value, &missing);
	if (*found)
		return record_unpack(value.mv_data, value.mv_size, &SHAPE_BEAT_LAST, last, err);
	if (missing.kind == ERROR_MISSING)
		return true;
	if (err)
		*err = missing;
	return false;
}

bool inbox_beat_read(struct inbox *inbox, const char *slug, struct beat_last *last, bool *found,
	struct error *err)
{
	struct key k = key_name(slug);
	struct book_txn t;
	struct error why;
	bool ok;

	*last = (struct beat_last)BEAT_LAST_INIT;
	*found = false;
	if (inbox->remote)
		return remote_beat_read(inbox, slug, last, found, err);
	if (!book_begin(inbox->book, false, &t, &why))
		return inbox_done(inbox, false, &why, err);
	ok = get_beat(&t, &k, last, found, &why);
	if (ok && *found && !get_words(&t, &k, &last->msg, &why)) {
		beat_last_clear(last);
		ok = false;
	}
	book_end(&t);
	return inbox_done(inbox, ok, &why, err);
}

static bool scan_one(const struct walk *w, struct book_txn *t,
	bool (*each)(void *arg, const char *slug, const struct beat_last *last), void *arg, bool *go_on,
	struct error *err)
{
	struct key k = {.n = 0};
	struct beat_last last;
	char *slug;

	if (!record_unpack(w->value.mv_data, w->value.mv_size, &SHAPE_BEAT_LAST, &last, err))
		return false;
	key_add_bytes(&k, w->key.mv_data, w->key.mv_size);
	if (!get_words(t, &k, &last.msg, err)) {
		beat_last_clear(&last);
		return false;
	}
	slug = mem_strn(w->key.mv_data, w->key.mv_size);
	*go_on = each(arg, slug, &last);
	free(slug);
	beat_last_clear(&last);
	return true;
}

bool inbox_beat_scan(struct inbox *inbox,
	bool (*each)(void *arg, const char *slug, const struct beat_last *last), void *arg,
	struct error *err)
{
	struct book_txn t;
	struct walk w;
	struct error why;
	bool ok = true, go_on = true;

	if (inbox->remote)
		return remote_beat_scan(inbox, each, arg, err);
	if (!book_begin(inbox->book, false, &t, &why))
		return inbox_done(inbox, false, &why, err);
	for (bool on = walk_first(&w, &t, TABLE_BEATS); on && ok && go_on; on = walk_next(&w))
		ok = scan_one(&w, &t, each, arg, &go_on, &why);
	ok = walk_end(&w, ok ? &why : NULL) && ok;
	book_end(&t);
	return inbox_done(inbox, ok, &why, err);
}

/* ---- storing a beat ---------------------------------------------------------------------------------- */

struct beat_change {
	struct change change;
	const char *slug;
	const struct heartbeat_rules *rules;
	const struct beat *beat;
	const struct moment *now;
	const char *log; /* or NULL */
	size_t log_len;
	enum beat_verdict verdict;
	int64_t last_time_us;
};

static bool put_beat(struct book_txn *t, const struct key *k, const struct beat_last *last, struct error *err)
{
	struct pack p;
	bool ok;

	record_pack(&p, &SHAPE_BEAT_LAST, last);
	ok = book_put(t, TABLE_BEATS, k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	if (!ok || !last->msg)
		return ok;
	blob_pack(&p, BLOB_TEXT, last->msg, strlen(last->msg));
	ok = book_put_changed(t, TABLE_WORDS, k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

/* Only for display: a beat is not refused because its log entry cannot be kept. */
static void put_log(struct book_txn *t, const struct beat_change *b)
{
	struct inbox_entry entry = {
		.kind = INBOX_LOG_BEAT,
		.at_us = b->now->wall_us,
		.sender = b->slug,
		.payload = b->log,
		.payload_len = b->log_len,
	};
	struct error ignored;
	bool changed;

	if (b->log)
		inbox_queue_append(t, &entry, 0, &changed, &ignored);
}

/* The verdict is given inside the transaction: of two equal beats the second sees the first. */
static bool apply_beat(struct change *change, struct book_txn *t, bool *changed, struct error *err)
{
	struct beat_change *b = (struct beat_change *)change;
	struct key k = key_name(b->slug);
	struct beat_last last;
	bool found, ok = true;

	if (!get_beat(t, &k, &last, &found, err))
		return false;
	b->last_time_us = last.last_time_us;
	b->verdict = beat_admit(b->rules, found ? &last : NULL, b->beat, b->now);
	if (b->verdict == BEAT_OK) {
		beat_apply(&last, b->beat, b->now);
		*changed = true;
		ok = put_beat(t, &k, &last, err);
		if (ok)
			put_log(t, b);
	}
	beat_last_clear(&last);
	return ok;
}

/* Last times only grow: what is refused against the committed one will be refused, and needs no write
   transaction. */
static bool refuse_early(struct inbox *inbox, struct beat_change *b, bool *refused, struct error *err)
{
	struct key k = key_name(b->slug);
	struct book_txn t;
	struct beat_last last;
	bool found, ok;

	*refused = false;
	if (!b->beat->has_time)
		return true;
	if (!book_begin(inbox->book, false, &t, err))
		return false;
	ok = get_beat(&t, &k, &last, &found, err);
	book_end(&t);
	if (!ok)
		return false;
	b->last_time_us = last.last_time_us;
	b->verdict = beat_admit(b->rules, found ? &last : NULL, b->beat, b->now);
	*refused = b->verdict != BEAT_OK;
	beat_last_clear(&last);
	return true;
}

bool inbox_beat_store(struct inbox *inbox, const char *slug, const struct heartbeat_rules *rules,
	const struct beat *beat, const struct moment *now, enum beat_verdict *verdict, int64_t *last_time_us,
	struct error *err)
{
	return inbox_beat_store_logged(inbox, slug, rules, beat, now, NULL, 0, verdict, last_time_us, err);
}

bool inbox_beat_store_logged(struct inbox *inbox, const char *slug, const struct heartbeat_rules *rules,
	const struct beat *beat, const struct moment *now, const char *log, size_t log_len,
	enum beat_verdict *verdict, int64_t *last_time_us, struct error *err)
{
	struct beat_change b = {
		.change.apply = apply_beat,
		.slug = slug,
		.rules = rules,
		.beat = beat,
		.now = now,
		.log = log,
		.log_len = log_len,
	};
	struct error why;
	bool refused;

	if (inbox->remote)
		return error_set(err, ERROR_DENIED, "this inbox is only read");
	if (!refuse_early(inbox, &b, &refused, &why) ||
		(!refused && !commit_change(&inbox->line, &b.change, &why)))
		return inbox_done(inbox, false, &why, err);
	*verdict = b.verdict;
	*last_time_us = b.last_time_us;
	return true;
}
