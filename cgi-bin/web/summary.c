/* SPDX-License-Identifier: ISC */
/* summary: one scan over a year of days, one over the hours since yesterday, then the running hour. */
#include "web/summary.h"

#include <string.h>

#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define MONTH_DAYS 30
#define YEAR_DAYS 365

struct summing {
	struct summary *out;
	int64_t hours_from_s, told_s; /* told_s: end of the last hour there is; 0 none */
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

	s->told_s = r->to_s;
	if (at >= 0 && at < SUMMARY_HOURS && r->count)
		s->out->hours_us[at] = r->p50_us;
	if (r->from_s >= s->hours_from_s)
		add(&s->day, r);
	if (r->from_s >= s->out->today_s)
		add(&s->today, r);
	return true;
}

/* ---- since the last hour */

static bool is_there(void *arg, const struct incident *incident)
{
	(void)incident;
	*(bool *)arg = true;
	return false;
}

/* The stretch of the present state, as far as no hour tells of it; what else happened since then waits for
   the hour to be summed. Before the first hour this stretch would be the whole figure: then it counts only
   when nothing else ever happened. */
static bool add_running(struct state_txn *txn, uint32_t id, const struct summary_now *now,
	struct summing *s, struct error *err)
{
	/* The hour before this one may not have been summed yet; an older one that is missing nobody saw. */
	int64_t from_s = now->now_s - now->now_s % HOUR_S - HOUR_S;
	bool happened = false, seen = now->state == STATE_UP || now->state == STATE_DOWN;
	struct rollup r = {0};

	if (!seen || now->maintenance || !now->since_s)
		return true;
	if (!s->told_s && !state_incident_scan(txn, id, false, true, is_there, &happened, err))
		return false;
	from_s = from_s > s->told_s ? from_s : s->told_s;
	from_s = from_s > now->since_s ? from_s : now->since_s;
	if (happened || from_s >= now->now_s)
		return true;
	*(now->state == STATE_UP ? &r.up_s : &r.down_s) = now->now_s - from_s;
	add(&s->day, &r);
	if (from_s < s->out->today_s)
		*(now->state == STATE_UP ? &r.up_s : &r.down_s) = now->now_s - s->out->today_s;
	add(&s->today, &r);
	return true;
}

bool summary_read(struct state_txn *txn, uint32_t id, const struct summary_now *now, struct summary *out,
	struct error *err)
{
	int64_t this_hour_s = now->now_s - now->now_s % HOUR_S;
	struct summing s = {.out = out, .hours_from_s = this_hour_s - (SUMMARY_HOURS - 1) * HOUR_S};
	int64_t hours_from_s;

	memset(out, 0, sizeof(*out));
	out->today_s = now->now_s - now->now_s % DAY_S;
	for (int i = 0; i < SUMMARY_DAYS; i++)
		out->day_uptime[i] = -1;
	hours_from_s = s.hours_from_s < out->today_s ? s.hours_from_s : out->today_s;
	if (!state_rollup_scan(
		    txn, ROLLUP_DAY, id, out->today_s - YEAR_DAYS * DAY_S, out->today_s, take_day, &s, err) ||
		!state_rollup_scan(txn, ROLLUP_HOUR, id, hours_from_s, now->now_s, take_hour, &s, err) ||
		!add_running(txn, id, now, &s, err))
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
