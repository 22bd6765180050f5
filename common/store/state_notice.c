/* SPDX-License-Identifier: ISC */
/*
 * state_notice: the outbox. Those that wait are indexed by due time, so that picking what is due does not
 * look at the others; delivered ones are found through their incident.
 */
#include "store/state_private.h"

static struct key key_due(int64_t due_us, uint64_t id)
{
	struct key k = key_u64(state_time(due_us));

	key_add_u64(&k, id);
	return k;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static bool put_due(struct state_txn *txn, const struct notice *notice, struct error *err)
{
	struct key k = key_due(notice->due_us, notice->id);

	return notice->state != NOTICE_WAITING || book_put_changed(&txn->book, TABLE_DUE, &k, "", 0, err);
}

/* Takes it out of the order of due times as it stands stored. */
static bool drop_due(struct state_txn *txn, const struct notice *stored, struct error *err)
{
	struct key k = key_due(stored->due_us, stored->id);

	return stored->state != NOTICE_WAITING || book_delete(&txn->book, TABLE_DUE, &k, err);
}

static bool put_record(struct state_txn *txn, const struct notice *notice, struct error *err)
{
	struct key k = key_u64(notice->id), by_incident = key_u32(notice->incident);

	key_add_u64(&by_incident, notice->id);
	return state_put(txn, TABLE_NOTICES, &k, &SHAPE_NOTICE, notice, err) &&
		book_put_changed(&txn->book, TABLE_BY_INCIDENT, &by_incident, "", 0, err);
}

bool state_notice_add(struct state_txn *txn, struct notice *notice, struct error *err)
{
	struct counters counters;

	if (!state_counters(txn, &counters, err))
		return false;
	notice->id = ++counters.notice;
	return state_counters_put(txn, &counters, err) && put_record(txn, notice, err) &&
		put_due(txn, notice, err);
}

bool state_notice_put(struct state_txn *txn, const struct notice *notice, struct error *err)
{
	struct notice stored;
	bool moved, ok;

	if (!state_notice(txn, notice->id, &stored, err))
		return false;
	moved = stored.due_us != notice->due_us || stored.state != notice->state;
	ok = !moved || drop_due(txn, &stored, err);
	if (ok && stored.incident != notice->incident) {
		struct key k = key_u32(stored.incident);

		key_add_u64(&k, stored.id);
		ok = book_delete(&txn->book, TABLE_BY_INCIDENT, &k, err);
	}
	notice_clear(&stored);
	return ok && put_record(txn, notice, err) && put_due(txn, notice, err);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

bool state_notice(struct state_txn *txn, uint64_t id, struct notice *out, struct error *err)
{
	struct key k = key_u64(id);

	return state_get(txn, TABLE_NOTICES, &k, &SHAPE_NOTICE, out, err);
}

static bool show(struct state_txn *txn, uint64_t id, bool (*each)(void *arg, const struct notice *notice),
	void *arg, bool *go_on, struct error *err)
{
	struct notice notice;

	if (!state_notice(txn, id, &notice, err))
		return false;
	*go_on = each(arg, &notice);
	notice_clear(&notice);
	return true;
}

bool state_notice_due(struct state_txn *txn, int64_t due_us,
	bool (*each)(void *arg, const struct notice *notice), void *arg, struct error *err)
{
	struct walk w;
	bool ok = true, go_on = true;

	for (bool on = walk_first(&w, &txn->book, TABLE_DUE); on && ok && go_on; on = walk_next(&w)) {
		if (key_read_u64(&w.key, 0) > state_time(due_us))
			break;
		ok = show(txn, key_read_u64(&w.key, 8), each, arg, &go_on, err);
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

int64_t state_notice_next(struct state_txn *txn)
{
	struct walk w;
	int64_t next = INT64_MAX;

	if (walk_first(&w, &txn->book, TABLE_DUE))
		next = (int64_t)key_read_u64(&w.key, 0);
	walk_end(&w, NULL);
	return next;
}

static bool begin_newest(struct walk *w, struct state_txn *txn, const struct key *prefix)
{
	struct key beyond = *prefix;

	if (!prefix->n)
		return walk_last(w, &txn->book, TABLE_NOTICES);
	key_add_u64(&beyond, UINT64_MAX);
	return walk_before(w, &txn->book, TABLE_BY_INCIDENT, &beyond) && walk_within(w, prefix);
}

bool state_notice_scan(struct state_txn *txn, uint32_t incident,
	bool (*each)(void *arg, const struct notice *notice), void *arg, struct error *err)
{
	struct key prefix = incident ? key_u32(incident) : (struct key){.n = 0};
	struct walk w;
	bool ok = true, go_on = true;

	for (bool on = begin_newest(&w, txn, &prefix); on && ok && go_on;
		on = walk_back(&w) && walk_within(&w, &prefix))
		ok = show(txn, key_read_u64(&w.key, prefix.n), each, arg, &go_on, err);
	return walk_end(&w, ok ? err : NULL) && ok;
}
