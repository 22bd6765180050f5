/* SPDX-License-Identifier: ISC */
/*
 * housekeeping: what keeps history small for years. When an hour is over its results are settled by monitor
 * and summed up; when a (UTC) day is over its hours are; and what the configuration keeps no longer is
 * forgotten. All of it in small transactions at the end of passes, and only as far as there is time.
 */
#ifndef PROBER_HOUSEKEEPING_H
#define PROBER_HOUSEKEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/state.h"

/* Does what is due at now_us (wall clock) until clock_mono_us() is until_us; the rest is for the next pass.
   Cheap when nothing is. false: the store failed. */
bool housekeep(
	struct state *state, const struct site *site, int64_t now_us, int64_t until_us, struct error *err);
/* Is anything due? One small read. */
bool housekeeping_due(struct state *state, int64_t now_us);

#endif
