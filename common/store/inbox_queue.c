/* SPDX-License-Identifier: ISC */
/*
 * inbox_queue: what is to be shown or acted on, with increasing ids and bounds for each kind and sender.
 *
 * Kinds that are only shown lose their oldest entry when a bound is reached. Those that the prober acts on
 * are refused instead, and deleted once it has said that it has seen them.
 */
#include "store/inbox_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/record.h"

#define SENDER_MAX 200 /* bytes of a sender that count for its bound */
#define DELETE_AT_ONCE 512

struct bounds {
	bool acted_on;
	size_t of_sender, of_kind; /* entries */
	size_t kind_bytes, payload_max;
};
static const struct bounds bounds[INBOX__COUNT] = {
	[INBOX_REFUSED_BEAT] = {false, 20, 2000, 4u << 20, 16u << 10},
	[INBOX_HOOK] = {true, 500, 5000, 16u << 20, 64u << 10},
	[INBOX_PEER] = {true, 100, 1000, 16u << 20, 64u << 10},
	[INBOX_REQUEST] = {true, 200, 2000, 8u << 20, 64u << 10},
	[INBOX_LOG_BEAT] = {false, 50, 100000, 32u << 20, 16u << 10},
};

static bool acceptable(const struct inbox_entry *entry, struct error *err)
{
	if (entry->kind > 0 && entry->kind < INBOX__COUNT &&
		entry->payload_len <= bounds[entry->kind].payload_max)
		return true;
	return error_set(err, ERROR_INPUT, "an entry for the inbox is of no known kind or too large");
}

/* ---- keys and records -------------------------------------------------------------------------------- */

static struct key key_queue(enum inbox_kind kind, uint64_t id)
{
	struct key k = {.n = 0};

	key_add_u8(&k, (uint8_t)kind);
	key_add_u64(&k, id);
	return k;
}

static struct key key_of_kind(enum inbox_kind kind)
{
	struct key k = {.n = 0};

	key_add_u8(&k, (uint8_t)kind);
	return k;
}

static struct key key_of_sender(enum inbox_kind kind, const char *sender)
{
	struct key k = key_of_kind(kind);

	key_add_bytes(&k, sender, strnlen(sender, SENDER_MAX));
	key_add_u8(&k, 0);
	return k;
}

/* A kind's tally has the shorter key of the two. */
static struct key key_tally(enum inbox_kind kind, const char *sender)
{
	return sender ? key_of_sender(kind, sender) : key_of_kind(kind);
}

static void pack_queued(struct pack *p, const struct inbox_entry *entry)
{
	pack_begin(p, BLOB_QUEUED, 1);
	pack_i64(p, 1, entry->at_us);
	pack_str(p, 2, entry->sender);
	pack_bytes(p, 3, entry->payload, entry->payload_len);
	pack_end(p);
}

/* The strings are owned copies; free_queued() releases them. */
static bool unpack_queued(const MDB_val *key, const MDB_val *value, struct inbox_entry *out, char **sender,
	char **payload, struct error *err)
{
	const uint8_t *kind = key->mv_data;
	struct unpack u;

	*sender = *payload = NULL;
	if (!unpack_begin(&u, value->mv_data, value->mv_size, BLOB_QUEUED, 1, err))
		return false;
	*out = (struct inbox_entry){.kind = (enum inbox_kind)*kind, .id = key_read_u64(key, 1)};
	while (unpack_next(&u)) {
		if (u.tag == 1) {
			out->at_us = unpack_i64(&u);
		} else if (u.tag == 2 && u.is_bytes && !*sender) {
			*sender = unpack_str(&u);
		} else if (u.tag == 3 && u.is_bytes && !*payload) {
			*payload = unpack_str(&u);
			out->payload_len = u.len;
		}
	}
	out->sender = *sender ? *sender : "";
	out->payload = *payload ? *payload : "";
	return unpack_end(&u, err);
}

bool inbox_check_queued(const MDB_val *key, const MDB_val *value, struct error *err)
{
	struct inbox_entry entry;
	char *sender, *payload;
	bool ok = key->mv_size == 9 || error_set(err, ERROR_DAMAGED, "a key has not its size");

	if (!ok)
		return false;
	ok = unpack_queued(key, value, &entry, &sender, &payload, err);
	free(sender);
	free(payload);
	return ok;
}

/* ---- tallies ----------------------------------------------------------------------------------------- */

static bool get_tally(struct book_txn *t, enum inbox_kind kind, const char *sender, struct tally *tally,
	struct error *err)
{
	struct key k = key_tally(kind, sender);
	MDB_val value;

	*tally = (struct tally){0};
	if (!book_get(t, TABLE_TALLIES, &k, &value, NULL))
		return !t->failed || book_fail(t->book, t->failed, err);
	return record_unpack(value.mv_data, value.mv_size, &SHAPE_TALLY, tally, err);
}

/* Adds to (or, negative, takes from) the tally; an empty one is not kept. */
static bool count(struct book_txn *t, enum inbox_kind kind, const char *sender, int entries, int64_t bytes,
	struct error *err)
{
	struct key k = key_tally(kind, sender);
	struct tally tally;
	struct pack p;
	bool ok;

	if (!get_tally(t, kind, sender, &tally, err))
		return false;
	tally.entries += (uint64_t)entries;
	tally.bytes += (uint64_t)bytes;
	if (!tally.entries)
		return book_delete(t, TABLE_TALLIES, &k, err);
	record_pack(&p, &SHAPE_TALLY, &tally);
	ok = book_put(t, TABLE_TALLIES, &k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

static bool count_both(struct book_txn *t, enum inbox_kind kind, const char *sender, int entries,
	int64_t bytes, struct error *err)
{
	return count(t, kind, sender, entries, bytes, err) && count(t, kind, NULL, entries, bytes, err);
}

/* ---- deleting ---------------------------------------------------------------------------------------- */

static bool delete_entry(struct book_txn *t, enum inbox_kind kind, uint64_t id, struct error *err)
{
	struct key k = key_queue(kind, id), by_sender;
	struct inbox_entry entry;
	char *sender, *payload;
	MDB_val value, key = {k.n, k.bytes};
	bool ok;

	if (!book_get(t, TABLE_QUEUE, &k, &value, err))
		return false;
	ok = unpack_queued(&key, &value, &entry, &sender, &payload, err);
	if (ok) {
		by_sender = key_of_sender(kind, entry.sender);
		key_add_u64(&by_sender, id);
		ok = book_delete(t, TABLE_QUEUE, &k, err) && book_delete(t, TABLE_SENDERS, &by_sender, err) &&
			count_both(t, kind, entry.sender, -1, -(int64_t)entry.payload_len, err);
	}
	free(sender);
	free(payload);
	return ok;
}

/* The oldest entry of the sender, or of the whole kind when there is none named; 0 when there is none. */
static bool oldest(
	struct book_txn *t, enum inbox_kind kind, const char *sender, uint64_t *id, struct error *err)
{
	struct key prefix = key_tally(kind, sender);
	struct walk w;

	*id = 0;
	if (walk_from(&w, t, sender ? TABLE_SENDERS : TABLE_QUEUE, &prefix) && walk_within(&w, &prefix))
		*id = key_read_u64(&w.key, prefix.n);
	return walk_end(&w, err);
}

static bool too_many(const struct tally *tally, size_t entries, size_t bytes)
{
	return tally->entries >= entries || tally->bytes > bytes;
}

/* Makes room for one more of display-only kinds; says ERROR_FULL for the others. */
static bool keep_bound(struct book_txn *t, enum inbox_kind kind, const char *sender, size_t entries,
	size_t bytes, struct error *err)
{
	for (;;) {
		struct tally tally;
		uint64_t id;

		if (!get_tally(t, kind, sender, &tally, err))
			return false;
		if (!too_many(&tally, entries, bytes))
			return true;
		if (bounds[kind].acted_on)
			return error_set(err, ERROR_FULL, "%s has %llu entries of this kind waiting already",
				sender ? sender : "the inbox", (unsigned long long)tally.entries);
		if (!oldest(t, kind, sender, &id, err))
			return false;
		if (!id)
			return error_set(err, ERROR_DAMAGED, "the inbox's tallies do not match its queue");
		if (!delete_entry(t, kind, id, err))
			return false;
	}
}

static bool delete_seen_of(struct book_txn *t, enum inbox_kind kind, uint64_t seen, bool *changed,
	struct error *err)
{
	for (unsigned n = 0; n < DELETE_AT_ONCE; n++) {
		uint64_t id;

		if (!oldest(t, kind, NULL, &id, err))
			return false;
		if (!id || id > seen)
			return true;
		if (!delete_entry(t, kind, id, err))
			return false;
		*changed = true;
	}
	return true;
}

static bool delete_seen(struct book_txn *t, uint64_t seen, bool *changed, struct error *err)
{
	for (unsigned kind = 1; kind < INBOX__COUNT; kind++)
		if (bounds[kind].acted_on && !delete_seen_of(t, (enum inbox_kind)kind, seen, changed, err))
			return false;
	return true;
}

/* ---- appending --------------------------------------------------------------------------------------- */

static bool next_id(struct book_txn *t, uint64_t *id, struct error *err)
{
	struct key k = key_name("queue");
	struct counter counter = {0};
	struct pack p;
	MDB_val value;
	bool ok;

	if (book_get(t, TABLE_META, &k, &value, NULL) &&
		!record_unpack(value.mv_data, value.mv_size, &SHAPE_COUNTER, &counter, err))
		return false;
	*id = ++counter.value;
	record_pack(&p, &SHAPE_COUNTER, &counter);
	ok = book_put(t, TABLE_META, &k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

static bool put_entry(struct book_txn *t, const struct inbox_entry *entry, struct error *err)
{
	struct key k = key_queue(entry->kind, entry->id),
		   by_sender = key_of_sender(entry->kind, entry->sender);
	struct pack p;
	bool ok;

	key_add_u64(&by_sender, entry->id);
	pack_queued(&p, entry);
	ok = book_put(t, TABLE_QUEUE, &k, p.out.ptr, p.out.len, err) &&
		book_put(t, TABLE_SENDERS, &by_sender, "", 0, err) &&
		count_both(t, entry->kind, entry->sender, 1, (int64_t)entry->payload_len, err);
	pack_free(&p);
	return ok;
}

bool inbox_queue_append(struct book_txn *t, struct inbox_entry *entry, uint64_t seen, bool *changed,
	struct error *err)
{
	const struct bounds *b;

	if (!acceptable(entry, err) || !delete_seen(t, seen, changed, err))
		return false;
	b = &bounds[entry->kind];
	if (!keep_bound(t, entry->kind, entry->sender, b->of_sender, b->kind_bytes, err) ||
		!keep_bound(t, entry->kind, NULL, b->of_kind, b->kind_bytes, err))
		return false;
	*changed = true;
	return next_id(t, &entry->id, err) && put_entry(t, entry, err);
}

struct queue_change {
	struct change change;
	struct inbox_entry entry;
	uint64_t seen;
};

static bool apply_queue(struct change *change, struct book_txn *t, bool *changed, struct error *err)
{
	struct queue_change *q = (struct queue_change *)change;

	return inbox_queue_append(t, &q->entry, q->seen, changed, err);
}

bool inbox_queue_put(struct inbox *inbox, enum inbox_kind kind, const char *sender, const char *payload,
	size_t payload_len, const struct moment *now, uint64_t seen, uint64_t *id, struct error *err)
{
	struct queue_change q = {
		.change.apply = apply_queue,
		.entry = {
			.kind = kind,
			.at_us = now->wall_us,
			.sender = sender,
			.payload = payload,
			.payload_len = payload_len,
		},
		.seen = seen,
	};
	struct error why;

	if (inbox->remote)
		return error_set(err, ERROR_DENIED, "this inbox is only read");
	if (!acceptable(&q.entry, err))
		return false;
	if (!commit_change(&inbox->line, &q.change, &why))
		return inbox_done(inbox, false, &why, err);
	if (id)
		*id = q.entry.id;
	return true;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

struct queue_walk {
	struct walk walks[INBOX__COUNT];
	bool on[INBOX__COUNT];
	struct key prefix[INBOX__COUNT];
};

/* The kind whose next entry is the oldest, or 0. Each kind is in order by itself. */
static unsigned first_of(const struct queue_walk *q)
{
	unsigned best = 0;

	for (unsigned kind = 1; kind < INBOX__COUNT; kind++)
		if (q->on[kind] && (!best || key_read_u64(&q->walks[kind].key, 1) <
				key_read_u64(&q->walks[best].key, 1)))
			best = kind;
	return best;
}

static void queue_walk_begin(struct queue_walk *q, struct book_txn *t, enum inbox_kind only, uint64_t after)
{
	*q = (struct queue_walk){0};
	for (unsigned kind = 1; kind < INBOX__COUNT; kind++) {
		struct key k = key_queue((enum inbox_kind)kind, after + 1);

		q->prefix[kind] = key_of_kind((enum inbox_kind)kind);
		if (only && only != kind)
			continue;
		q->on[kind] = walk_from(&q->walks[kind], t, TABLE_QUEUE, &k) &&
			walk_within(&q->walks[kind], &q->prefix[kind]);
	}
}

static bool queue_walk_end(struct queue_walk *q, struct error *err)
{
	bool ok = true;

	for (unsigned kind = 1; kind < INBOX__COUNT; kind++)
		if (q->walks[kind].t)
			ok = walk_end(&q->walks[kind], err) && ok;
	return ok;
}

static bool show_entry(const struct walk *w, bool (*each)(void *arg, const struct inbox_entry *entry),
	void *arg, bool *go_on, struct error *err)
{
	struct inbox_entry entry;
	char *sender, *payload;
	bool ok = unpack_queued(&w->key, &w->value, &entry, &sender, &payload, err);

	if (ok)
		*go_on = each(arg, &entry);
	free(sender);
	free(payload);
	return ok;
}

bool inbox_queue_scan(struct inbox *inbox, enum inbox_kind kind, uint64_t after,
	bool (*each)(void *arg, const struct inbox_entry *entry), void *arg, struct error *err)
{
	struct book_txn t;
	struct queue_walk q;
	struct error why;
	bool ok = true, go_on = true;
	unsigned next;

	if (after == UINT64_MAX)
		return true;
	if (inbox->remote)
		return remote_queue_scan(inbox, kind, after, each, arg, err);
	if (!book_begin(inbox->book, false, &t, &why))
		return inbox_done(inbox, false, &why, err);
	queue_walk_begin(&q, &t, kind, after);
	while (ok && go_on && (next = first_of(&q))) {
		ok = show_entry(&q.walks[next], each, arg, &go_on, &why);
		q.on[next] = walk_next(&q.walks[next]) && walk_within(&q.walks[next], &q.prefix[next]);
	}
	ok = queue_walk_end(&q, ok ? &why : NULL) && ok;
	book_end(&t);
	return inbox_done(inbox, ok, &why, err);
}

/* ---- for the audit ----------------------------------------------------------------------------------- */

bool inbox_sender_key(const MDB_val *key, const MDB_val *value, struct key *by_sender, uint64_t *bytes)
{
	struct inbox_entry entry;
	char *sender, *payload;
	bool ok = unpack_queued(key, value, &entry, &sender, &payload, NULL);

	if (ok) {
		*by_sender = key_of_sender(entry.kind, entry.sender);
		key_add_u64(by_sender, entry.id);
		*bytes += entry.payload_len;
	}
	free(sender);
	free(payload);
	return ok;
}
