/* SPDX-License-Identifier: ISC */
/*
 * retire: monitors that were taken out of the configuration. Nobody will see the end of their outages, so an
 * open incident ends with them, quietly; should the slug come back, it begins anew, with its history, and the
 * time between is not a gap: nobody wanted to know.
 */
#include "prober/pass/pass_private.h"

static bool end_incident(struct state_txn *txn, uint32_t id, int64_t now_us, struct error *err)
{
	struct incident incident = {0};
	bool ok;

	if (!id)
		return true;
	if (!state_incident(txn, id, &incident, err))
		return err->kind == ERROR_MISSING;
	incident.ended_us = now_us;
	ok = state_incident_put(txn, &incident, err);
	incident_clear(&incident);
	return ok;
}

static bool retire(struct state_txn *txn, uint32_t id, const struct row *row, int64_t now_us, struct error *err)
{
	const struct judge fresh = {0};
	struct row rest = *row;

	rest.incident = 0;
	rest.state = rest.decided = STATE_PENDING;
	rest.marks = 0;
	rest.next_due_us = INT64_MAX;
	return end_incident(txn, row->incident, now_us, err) && state_judge_put(txn, id, &fresh, err) &&
	       state_rows_put(txn, &id, &rest, 1, err);
}

static bool is_orphan(const struct row *row)
{
	return !(row->flags & ROW_CONFIGURED) && row->checked_us && row->next_due_us != INT64_MAX;
}

bool retire_removed(struct pass *pass, const struct row *rows, size_t n, struct error *err)
{
	struct state_txn *txn = NULL;
	bool ok = true;

	for (uint32_t id = 1; ok && id < n; id++) {
		if (!is_orphan(&rows[id]))
			continue;
		if (!txn)
			txn = state_begin(pass->state, true, err);
		ok = txn && retire(txn, id, &rows[id], pass_now(pass), err);
	}
	if (txn && ok)
		return state_commit(txn, err);
	state_end(txn);
	return ok;
}
