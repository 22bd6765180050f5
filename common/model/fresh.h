/* SPDX-License-Identifier: ISC */
/*
 * fresh: may what the prober concluded still be believed?
 *
 * Passes come as often as cron makes them: each minute, or each fifteen. How often is measured, and whatever
 * is older than three of those distances (180 s at least) is shown and answered as unknown. A pass that
 * finds such a gap behind it books that time as unknown too.
 *
 * Calls: fresh_limit_us, fresh_age_us, fresh_enough, fresh_gap_us, fresh_rebooted, fresh_cadence.
 */
#ifndef MODEL_FRESH_H
#define MODEL_FRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/site.h"

#define FRESH_LIMIT_MIN_US (180 * US_PER_S)
#define FRESH_CADENCES 3

/* The freshness limit for a measured cadence (0: not known yet). */
int64_t fresh_limit_us(int64_t cadence_us);

/* Wall clock of the newest sign of life; 0: there never was one. */
int64_t fresh_newest_us(const struct pass_info *pass);
/* How long ago a pass last gave a sign of life; -1 when there never was one. Measured on the boot clock
   while it is the same boot, so that a wall clock that is stepped makes nothing look stale or fresh; else
   on the wall clock. A sign from the future, on either, is older than any limit (INT64_MAX). */
int64_t fresh_age_us(const struct pass_info *pass, const struct moment *now);
/* Is that within the limit? */
bool fresh_enough(const struct pass_info *pass, const struct moment *now);

/* For a pass that begins: how much time before `now` nobody looked, or 0 when the last pass is not longer
   ago than it may be. Not a gap: the first pass ever, and a cadence that is not known yet. */
int64_t fresh_gap_us(const struct pass_info *last, const struct moment *now);

/* For a pass that begins: was this host started since the last pass? Then nobody could hear a beat meanwhile,
   however short it was. (That the boot is another one is not enough: passes may take turns on several
   hosts.) */
bool fresh_rebooted(const struct pass_info *last, const struct moment *now);

/* The cadence after one more distance between the starts of two passes; 0 while it is not known. Follows a
   new rhythm within some passes; a single gap or a pass started by hand hardly moves it. */
int64_t fresh_cadence(int64_t cadence_us, int64_t distance_us);

#endif
