/* SPDX-License-Identifier: ISC */
/*
 * state_forget: what is kept no longer. All of it lies in the order of time, so forgetting takes from the
 * front; a bound on records at once keeps the transaction small, and so lets the map, when it is full, be
 * emptied step by step.
 */
#include "store/state_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct budget {
	size_t left;
};

/* Deletes the records whose key begins with a number below the limit. */
static bool forget_below(struct state_txn *txn, enum state_table table, int64_t limit, struct budget *budget,
	struct error *err)
{
	struct walk w;

	for (bool on = walk_first(&w, &txn->book, table);
		on && budget->left && (int64_t)key_read_u32(&w.key, 0) < limit; budget->left--)
		on = walk_delete(&w);
	return walk_end(&w, err);
}

static bool forget_notice(struct state_txn *txn, const struct notice *notice, struct error *err)
{
	struct key k = key_u64(notice->id), by_incident = key_u32(notice->incident);

	key_add_u64(&by_incident, notice->id);
	return book_delete(&txn->book, TABLE_NOTICES, &k, err) &&
		book_delete(&txn->book, TABLE_BY_INCIDENT, &by_incident, err);
}

/* Only what was decided long ago and waits no more. Ids follow time, so the first that is young ends it. */
static bool forget_notices(struct state_txn *txn, int64_t before_us, struct budget *budget, struct error *err)
{
	uint64_t next = 0;

	while (budget->left) {
		struct key from = key_u64(next);
		struct notice notice;
		struct walk w;
		bool found = walk_from(&w, &txn->book, TABLE_NOTICES, &from), ok = true, old;

		if (found)
			ok = record_unpack(w.value.mv_data, w.value.mv_size, &SHAPE_NOTICE, &notice, err);
		if (!walk_end(&w, ok ? err : NULL) || !ok)
			return false;
		if (!found)
			return true;
		next = notice.id + 1;
		old = notice.at_us < before_us;
		if (old && notice.state != NOTICE_WAITING) {
			ok = forget_notice(txn, &notice, err);
			budget->left--;
		}
		notice_clear(&notice);
		if (!ok || !old)
			return ok;
	}
	return true;
}

/* Notes of what was told once ("told/..."; their value is when) prove nothing any more. */
static bool forget_told(struct state_txn *txn, int64_t before_us, struct budget *budget, struct error *err)
{
	struct key prefix = key_name("told/");
	struct walk w;
	bool on = walk_from(&w, &txn->book, TABLE_NOTES, &prefix), ok = true;

	while (on && ok && budget->left && walk_within(&w, &prefix)) {
		const uint8_t *bytes;
		size_t n;
		char *text;
		int64_t told_us;

		ok = blob_unpack(w.value.mv_data, w.value.mv_size, BLOB_TEXT, &bytes, &n, err);
		text = ok ? mem_strn((const char *)bytes, n) : NULL;
		if (ok && text_to_i64(text, &told_us) && told_us < before_us) {
			on = walk_delete(&w);
			budget->left--;
		} else {
			on = walk_next(&w);
		}
		free(text);
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

bool state_forget(struct state_txn *txn, const struct forget *before, size_t most, size_t *forgotten,
	struct error *err)
{
	struct budget budget = {most};
	bool ok = forget_below(txn, TABLE_PARTS, before->timings_s / 3600, &budget, err) &&
		forget_below(txn, TABLE_RUNS, before->samples_s / 3600, &budget, err) &&
		forget_below(txn, TABLE_HOURS, before->samples_s / 3600, &budget, err) &&
		forget_below(txn, TABLE_ROLLUP_HOURS, before->hours_s / (24 * 3600), &budget, err) &&
		forget_notices(txn, before->notices_s * US_PER_S, &budget, err) &&
		forget_told(txn, before->notices_s * US_PER_S, &budget, err);

	*forgotten = most - budget.left;
	return ok;
}
