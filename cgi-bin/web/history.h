/* SPDX-License-Identifier: ISC */
/*
 * history: one monitor over a span of time, from the coarsest records that fit: days, at the edges hours,
 * and raw samples only for the last hours that nobody has rolled up yet.
 */
#ifndef WEB_HISTORY_H
#define WEB_HISTORY_H

#include "store/state.h"

#define HISTORY_DAY_S INT64_C(86400)
#define HISTORY_HOUR_S INT64_C(3600)
#define HISTORY_RAW_S (3 * HISTORY_HOUR_S) /* at most so much is summed from samples at an edge */

/* How long a result holds when none follows: see series_hold_s; cadence_us is the pass's. */
int64_t history_hold_s(int64_t interval_ms, int64_t cadence_us);

/* Sums [from_s, to_s); what no record tells of is in none of the seconds. Samples are read only when `raw`. */
bool history_sum(struct state_txn *txn, uint32_t id, int64_t from_s, int64_t to_s, int64_t hold_s, bool raw,
	struct rollup *out, struct error *err);

/* The span in pieces of step_s, oldest first, from samples (step below an hour), hours or days. The caller
   frees *points; a piece that nothing tells of is there, with nothing but its times. At most
   HISTORY_POINTS_MAX pieces: the step is made longer when there would be more. */
#define HISTORY_POINTS_MAX 1000
bool history_points(struct state_txn *txn, uint32_t id, int64_t from_s, int64_t to_s, int64_t step_s,
	int64_t hold_s, struct rollup **points, size_t *n, struct error *err);

#endif
