/* SPDX-License-Identifier: ISC */
/*
 * series: history as numbers. Samples of one pass, hours and days rolled up from them, and uptime over any
 * span with the time that nobody could see kept apart.
 */
#ifndef MODEL_SERIES_H
#define MODEL_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/monitor.h"
#include "model/result.h"

/* One stored result. */
struct sample {
	uint32_t monitor_id;
	int64_t at_us;
	enum outcome outcome;
	enum monitor_state state; /* after it was judged; PAUSED in the one sample that pausing leaves */
	bool maintenance;         /* a window was active */
	int64_t response_us;      /* -1 none */
	struct timings timings;
};

/* A span of one monitor summed up; the unit of hourly and daily history. */
struct rollup {
	int64_t from_s, to_s;     /* [from, to) */
	int64_t up_s, down_s, unknown_s; /* paused and maintenance time is in none of them */
	uint32_t count;           /* results with a response time */
	uint32_t min_us, mean_us, p50_us, p95_us, max_us;
};

/* up / (up + down); -1 when nothing was seen. */
double series_uptime(const struct rollup *rollup);
/* Adds b to a, which may be all zero (percentiles: weighted by count, which is what can be said of merged
   quantiles). */
void series_merge(struct rollup *a, const struct rollup *b);
/* How long a result holds when none follows: two intervals (of a minute at least, and of the distance between
   passes, when cron is coarser than the monitor), and what a pass may be late. */
int64_t series_hold_s(int64_t interval_ms, int64_t cadence_us);
/* Sums samples of one monitor, oldest first, over [from_s, to_s). A result holds until the next one, at
   most for hold_s; what lies beyond is unknown, and so is what lies before the first sample. Give the last
   sample before from_s too, which holds into the span, and the first ones after to_s: they tell whether
   looks at a suspect near the end were the beginning of an outage. A result of which nobody knows (a slot that
   was missed, a look that could not be made) is unknown time whatever the state was. Time that is paused, in maintenance or
   pending (a heartbeat not armed yet) is in none of the three. */
void series_rollup(const struct sample *samples, size_t n, int64_t from_s, int64_t to_s, int64_t hold_s,
	struct rollup *out);

#endif
