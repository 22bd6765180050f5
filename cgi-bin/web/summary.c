/* SPDX-License-Identifier: ISC */
/* summary: one scan over a year of days, one over the hours since yesterday. */
#include "web/summary.h"

#include <string.h>

#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define MONTH_DAYS 30
#define YEAR_DAYS 365

struct summing {
	struct summary *out;
	int64_t now_s, hours_from_s;
	struct rollup day, month, year, today;
};

static void add(struct rollup *sum, const struct rollup *r)
{
	sum->up_s += r->up_s;
	sum->down_s += r->down_s;
	sum->unknown_s += r->unknown_s;
}

static void set_day(struct summary *out, int64_t from_s, const struct rollup *r)
{
	int64_t ago = (out->today_s - from_s) / DAY_S;

	if (ago < 0 || ago >= SUMMARY_DAYS)
		return;
	out->days[SUMMARY_DAYS - 1 - ago] = chart_cell_of(r);
	out->day_uptime[SUMMARY_DAYS - 1 - ago] = series_uptime(r);
}

static bool take_day(void *arg, const struct rollup *r)
{
	struct summing *s = arg;

	if (r->from_s >= s->out->today_s)
		return true; /* today is summed from its hours */
	add(&s->year, r);
	if (r->from_s >= s->out->today_s - MONTH_DAYS * DAY_S)
		add(&s->month, r);
	set_day(s->out, r->from_s, r);
	return true;
}

static bool take_hour(void *arg, const struct rollup *r)
{
	struct summing *s = arg;
	int64_t at = (r->from_s - s->hours_from_s) / HOUR_S;

	if (at >= 0 && at < SUMMARY_HOURS && r->count)
		s->out->hours_us[at] = r->p50_us;
	if (r->from_s >= s->hours_from_s)
		add(&s->day, r);
	if (r->from_s >= s->out->today_s)
		add(&s->today, r);
	return true;
}

bool summary_read(struct state_txn *txn, uint32_t id, int64_t now_s, struct summary *out, struct error *err)
{
	int64_t this_hour_s = now_s - now_s % HOUR_S;
	struct summing s = {
		.out = out, .now_s = now_s, .hours_from_s = this_hour_s - (SUMMARY_HOURS - 1) * HOUR_S};
	int64_t hours_from_s;

	memset(out, 0, sizeof(*out));
	out->today_s = now_s - now_s % DAY_S;
	for (int i = 0; i < SUMMARY_DAYS; i++)
		out->day_uptime[i] = -1;
	hours_from_s = s.hours_from_s < out->today_s ? s.hours_from_s : out->today_s;
	if (!state_rollup_scan(
		    txn, ROLLUP_DAY, id, out->today_s - YEAR_DAYS * DAY_S, out->today_s, take_day, &s, err) ||
		!state_rollup_scan(txn, ROLLUP_HOUR, id, hours_from_s, now_s, take_hour, &s, err))
		return false;
	if (s.today.up_s + s.today.down_s + s.today.unknown_s)
		set_day(out, out->today_s, &s.today);
	add(&s.month, &s.today);
	add(&s.year, &s.today);
	out->uptime_24h = series_uptime(&s.day);
	out->uptime_30d = series_uptime(&s.month);
	out->uptime_1y = series_uptime(&s.year);
	return true;
}
