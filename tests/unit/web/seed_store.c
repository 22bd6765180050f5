/* SPDX-License-Identifier: ISC */
/* seed: into a store. See seed.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "seed_history.h"
#include "store/inbox.h"

static bool put_all(struct state_txn *txn, struct seed *seed, struct error *err)
{
	struct publication *p = &seed->publication;
	uint32_t *ids = mem_array(p->monitor_count + 1, sizeof(*ids));
	bool ok = state_publish(txn, p, err) && state_pass_put(txn, &seed->pass, err) &&
		state_problems_put(txn, seed->problems, seed->problem_count, err);

	for (size_t i = 0; ok && i < p->monitor_count; i++) {
		ids[i] = p->monitors[i].id;
		ok = state_judge_put(txn, ids[i], &seed->judges[i], err);
	}
	ok = ok && (p->monitor_count == 0 || state_rows_put(txn, ids, seed->rows, p->monitor_count, err));
	free(ids);
	return ok;
}

static bool fill(
	struct state *state, struct seed *seed, enum seed_kind kind, int64_t now_us, struct error *err)
{
	struct state_txn *txn = state_begin(state, true, err);

	if (!txn)
		return false;
	if (put_all(txn, seed, err) && seed_history(txn, seed, kind, now_us, err))
		return state_commit(txn, err);
	state_end(txn);
	return false;
}

bool seed_store(const char *dir, enum seed_kind kind, int64_t now_us, int64_t age_us, struct error *err)
{
	struct seed seed;
	struct state *state = state_open(dir, STORE_CREATE, err);
	struct inbox *inbox = state ? inbox_open(dir, STORE_CREATE, err) : NULL;
	bool ok = state && inbox;

	if (ok) {
		seed_build(&seed, kind, now_us, age_us);
		ok = fill(state, &seed, kind, now_us, err);
		seed_clear(&seed);
	}
	if (inbox)
		inbox_close(inbox);
	if (state)
		state_close(state);
	return ok;
}
