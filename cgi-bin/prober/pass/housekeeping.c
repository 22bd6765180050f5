/* SPDX-License-Identifier: ISC */
/*
 * housekeeping: hours, days, forgetting. One note, "rolled", holds the begin of the newest hour that was
 * summed up; everything before it is done, so a crash repeats one hour at most, with the same outcome.
 *
 * An hour is summed some minutes after its end: looks at a suspect near the end are weighed by what came
 * next. A monitor that had results before and has none in an hour was not watched: that hour is unknown, and
 * stored as such, whoever slept.
 */
#include "prober/pass/housekeeping.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/series.h"

#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define SETTLED_S INT64_C(300) /* after its end, before an hour is summed up */
#define FORGET_AT_ONCE 2000
#define GAP_MAX_S (40 * DAY_S) /* of a longer absence only the end is booked hour by hour */
#define NOTICES_KEPT_S (90 * DAY_S)

/* ---- how far it is */

static bool read_rolled(struct state_txn *txn, int64_t *hour_s)
{
	char *note = NULL;
	bool known = state_note_get(txn, "rolled", &note, NULL) && text_to_i64(note, hour_s);

	free(note);
	return known;
}

static bool write_rolled(struct state_txn *txn, int64_t hour_s, struct error *err)
{
	struct text note = TEXT_INIT;
	bool ok;

	text_printf(&note, "%lld", (long long)hour_s);
	ok = state_note_put(txn, "rolled", text_str(&note), err);
	text_free(&note);
	return ok;
}

static int64_t newest_complete(int64_t now_us)
{
	int64_t then_s = now_us / US_PER_S - SETTLED_S;

	return then_s - then_s % HOUR_S - HOUR_S;
}

/* The next hour to be summed up, from *hour_s on; false when there is none yet. */
static bool next_hour(struct state_txn *txn, int64_t now_us, int64_t *hour_s)
{
	int64_t newest = newest_complete(now_us), rolled;

	if (!read_rolled(txn, &rolled)) {
		if (!state_samples_unsettled(txn, hour_s))
			return false;
		return *hour_s <= newest;
	}
	if (rolled > newest + HOUR_S)
		rolled = newest - HOUR_S; /* it was written before the clock was stepped back */
	*hour_s = rolled + HOUR_S;
	if (newest - *hour_s > GAP_MAX_S)
		*hour_s = newest - GAP_MAX_S;
	return *hour_s <= newest;
}

bool housekeeping_due(struct state *state, int64_t now_us)
{
	struct state_txn *txn = state_begin(state, false, NULL);
	int64_t hour_s;
	bool due = txn && next_hour(txn, now_us, &hour_s);

	state_end(txn);
	return due;
}

/* ---- hours */

struct samples {
	struct sample *at;
	size_t n, size;
};

static bool take_sample(void *arg, const struct sample *sample)
{
	struct samples *samples = arg;

	if (samples->n == samples->size) {
		samples->size = samples->size ? samples->size * 2 : 256;
		samples->at = mem_grow(samples->at, samples->size, sizeof(samples->at[0]));
	}
	samples->at[samples->n++] = *sample;
	return true;
}

static bool is_there(void *arg, const struct rollup *rollup)
{
	(void)rollup;
	*(bool *)arg = true;
	return false;
}

static bool was_watched_before(struct state_txn *txn, uint32_t id, int64_t hour_s)
{
	bool there = false;

	return state_rollup_scan(txn, ROLLUP_HOUR, id, hour_s - HOUR_S, hour_s, is_there, &there, NULL) &&
	       there;
}

/* Sums an hour of one monitor. Before its very first result it did not exist for us; when it is paused, or no
   longer configured, nothing is missing. */
static bool roll_monitor(struct state_txn *txn, uint32_t id, const struct row *row, int64_t hold_s, int64_t hour_s,
	struct samples *samples, struct error *err)
{
	bool before = was_watched_before(txn, id, hour_s);
	int64_t from_s = hour_s;
	struct rollup rollup;

	samples->n = 0;
	if (!state_sample_scan(txn, id, (hour_s - hold_s) * US_PER_S, (hour_s + HOUR_S + hold_s) * US_PER_S,
		    take_sample, samples, err))
		return false;
	if ((!before || row->state == STATE_PAUSED || !(row->flags & ROW_CONFIGURED)) && samples->n == 0)
		return true;
	if (!before && samples->at[0].at_us / US_PER_S > hour_s)
		from_s = samples->at[0].at_us / US_PER_S;
	if (from_s >= hour_s + HOUR_S)
		return true;
	series_rollup(samples->at, samples->n, from_s, hour_s + HOUR_S, hold_s, &rollup);
	rollup.from_s = hour_s;
	return state_rollup_put(txn, ROLLUP_HOUR, id, &rollup, err);
}

static bool roll_monitors(struct state_txn *txn, int64_t hour_s, struct error *err)
{
	struct samples samples = {0};
	struct row *rows = NULL;
	size_t n = 0;
	struct pass_info pass;
	bool ok = state_rows(txn, &rows, &n, err) && state_pass(txn, &pass, err);

	for (uint32_t id = 1; ok && id < n; id++) {
		struct monitor monitor = {0};

		if (!rows[id].checked_us)
			continue;
		ok = state_monitor(txn, id, &monitor, err) &&
		     roll_monitor(txn, id, &rows[id], series_hold_s(monitor.interval_ms, pass.cadence_us), hour_s,
			     &samples, err);
		monitor_clear(&monitor);
	}
	free(samples.at);
	free(rows);
	return ok;
}

/* ---- days */

static bool merge(void *arg, const struct rollup *rollup)
{
	series_merge(arg, rollup);
	return true;
}

static bool roll_day(struct state_txn *txn, int64_t day_s, struct error *err)
{
	struct row *rows = NULL;
	size_t n = 0;
	bool ok = state_rows(txn, &rows, &n, err);

	for (uint32_t id = 1; ok && id < n; id++) {
		struct rollup day = {0};

		ok = state_rollup_scan(txn, ROLLUP_HOUR, id, day_s, day_s + DAY_S, merge, &day, err);
		if (!ok || day.to_s == 0)
			continue;
		day.from_s = day_s;
		day.to_s = day_s + DAY_S;
		ok = state_rollup_put(txn, ROLLUP_DAY, id, &day, err);
	}
	free(rows);
	return ok;
}

/* ---- one hour, in one transaction */

/* The hour itself, and what has come of the next one: its first results are looked at, too. */
static bool settle(struct state_txn *txn, int64_t hour_s, struct error *err)
{
	int64_t oldest;

	while (state_samples_unsettled(txn, &oldest) && oldest <= hour_s + HOUR_S) {
		if (!state_samples_settle(txn, oldest, err))
			return false;
	}
	return true;
}

static bool do_hour(struct state *state, int64_t hour_s, struct error *err)
{
	struct state_txn *txn = state_begin(state, true, err);
	bool last_of_day = (hour_s + HOUR_S) % DAY_S == 0;

	if (!txn)
		return false;
	if (settle(txn, hour_s, err) && roll_monitors(txn, hour_s, err) &&
		(!last_of_day || roll_day(txn, hour_s + HOUR_S - DAY_S, err)) &&
		write_rolled(txn, hour_s, err))
		return state_commit(txn, err);
	state_end(txn);
	return false;
}

/* ---- forgetting */

static int64_t before(int64_t now_s, int64_t kept_s)
{
	return kept_s > 0 && kept_s < now_s ? now_s - kept_s : 0;
}

static bool forget_once(struct state *state, const struct forget *old, size_t *forgotten, struct error *err)
{
	struct state_txn *txn = state_begin(state, true, err);

	*forgotten = 0;
	if (!txn)
		return false;
	if (state_forget(txn, old, FORGET_AT_ONCE, forgotten, err)) {
		if (*forgotten > 0)
			return state_commit(txn, err);
		state_end(txn);
		return true;
	}
	state_end(txn);
	return false;
}

static bool forget(
	struct state *state, const struct site *site, int64_t now_s, int64_t until_us, struct error *err)
{
	struct forget old = {.samples_s = before(now_s, site->retain_samples_s),
		.timings_s = before(now_s, site->retain_timings_s),
		.hours_s = before(now_s, site->retain_hours_s),
		.notices_s = before(now_s, NOTICES_KEPT_S)};
	size_t forgotten = FORGET_AT_ONCE;

	while (forgotten == FORGET_AT_ONCE && clock_mono_us() < until_us)
		if (!forget_once(state, &old, &forgotten, err))
			return false;
	return true;
}

bool housekeep(
	struct state *state, const struct site *site, int64_t now_us, int64_t until_us, struct error *err)
{
	for (;;) {
		struct state_txn *txn = state_begin(state, false, err);
		int64_t hour_s;
		bool due = txn && next_hour(txn, now_us, &hour_s);

		state_end(txn);
		if (!txn)
			return false;
		if (!due || clock_mono_us() >= until_us)
			break;
		if (!do_hour(state, hour_s, err))
			return error_prefix(err, "housekeeping");
	}
	return forget(state, site, now_us / US_PER_S, until_us, err);
}
