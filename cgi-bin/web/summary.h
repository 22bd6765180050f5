/* SPDX-License-Identifier: ISC */
/*
 * summary: what a row of the dashboard tells of a monitor's past: uptime over a day, a month and a year, the
 * last 90 days as cells, the last 24 hours as a line. From hours and days, a dozen records for a year, and
 * from the state it is in since the last of them; raw samples are never read for a list.
 */
#ifndef WEB_SUMMARY_H
#define WEB_SUMMARY_H

#include "store/state.h"
#include "web/chart.h"

#define SUMMARY_DAYS 90
#define SUMMARY_HOURS 24

struct summary {
	double uptime_24h, uptime_30d, uptime_1y; /* -1: nothing was seen */
	enum chart_cell days[SUMMARY_DAYS];       /* oldest first; the last one is today */
	double day_uptime[SUMMARY_DAYS];          /* -1: nothing was seen */
	int64_t today_s;                          /* when today began (days are those of UTC, as they are stored) */
	uint32_t hours_us[SUMMARY_HOURS];         /* median of each hour, oldest first; 0 none */
};

/* What a monitor is, for the time that no hour tells of yet. */
struct summary_now {
	int64_t now_s, since_s; /* since_s: of the state; 0 not known */
	enum monitor_state state;
	bool maintenance; /* active: this time counts for nothing */
};

bool summary_read(struct state_txn *txn, uint32_t id, const struct summary_now *now, struct summary *out,
	struct error *err);

#endif
