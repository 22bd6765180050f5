/* SPDX-License-Identifier: ISC */
/* What happened to seed.h's monitors: results, hours, days, incidents. Written in a transaction of the state. */
#ifndef TESTS_WEB_SEED_HISTORY_H
#define TESTS_WEB_SEED_HISTORY_H

#include "seed.h"

bool seed_history(struct state_txn *txn, const struct seed *seed, enum seed_kind kind, int64_t now_us,
	struct error *err);

#endif
