/* SPDX-License-Identifier: ISC */
/* history: days, hours and samples put together. */
#include "web/history.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

int64_t history_hold_s(int64_t interval_ms, int64_t cadence_us)
{
	return series_hold_s(interval_ms, cadence_us);
}

/* ---- reading whole records into memory, so that no scan runs inside another */

struct rollups {
	struct rollup *rows;
	size_t n, room;
};

static bool take_rollup(void *arg, const struct rollup *rollup)
{
	struct rollups *list = arg;

	if (list->n == list->room) {
		list->room = list->room * 2 + 64;
		list->rows = mem_grow(list->rows, list->room, sizeof(*list->rows));
	}
	list->rows[list->n++] = *rollup;
	return true;
}

struct samples {
	struct sample *rows;
	size_t n, room;
};

static bool take_sample(void *arg, const struct sample *sample)
{
	struct samples *list = arg;

	if (list->n == list->room) {
		list->room = list->room * 2 + 64;
		list->rows = mem_grow(list->rows, list->room, sizeof(*list->rows));
	}
	list->rows[list->n++] = *sample;
	return true;
}

/* Samples of the span, and a little around it: the one before holds into it. */
static bool read_samples(struct state_txn *txn, uint32_t id, int64_t from_s, int64_t to_s, int64_t hold_s,
	struct samples *list, struct error *err)
{
	return state_sample_scan(
		txn, id, (from_s - hold_s) * US_PER_S, (to_s + hold_s) * US_PER_S, take_sample, list, err);
}

/* ---- sums */

struct summing {
	struct state_txn *txn;
	uint32_t id;
	int64_t hold_s;
	bool raw;
	struct rollup *out;
	struct error *err;
};

static bool sum_samples(const struct summing *s, int64_t from_s, int64_t to_s)
{
	struct samples list = {0};
	struct rollup rollup;
	bool ok;

	if (!s->raw || from_s >= to_s || to_s - from_s > HISTORY_RAW_S)
		return true;
	ok = read_samples(s->txn, s->id, from_s, to_s, s->hold_s, &list, s->err);
	if (ok && list.n) {
		/* before the first result there was nothing to see: that is not unknown, it is nothing */
		int64_t first_s = list.rows[0].at_us / US_PER_S;

		series_rollup(
			list.rows, list.n, first_s > from_s ? first_s : from_s, to_s, s->hold_s, &rollup);
		series_merge(s->out, &rollup);
	}
	free(list.rows);
	return ok;
}

enum level { LEVEL_DAYS, LEVEL_HOURS, LEVEL_SAMPLES };

/* Sums what this level has, and what lies between from the next finer one. */
static bool sum_level(const struct summing *s, enum level level, int64_t from_s, int64_t to_s)
{
	struct rollups list = {0};
	bool ok;

	if (from_s >= to_s)
		return true;
	if (level == LEVEL_SAMPLES)
		return sum_samples(s, from_s, to_s);
	ok = state_rollup_scan(s->txn, level == LEVEL_DAYS ? ROLLUP_DAY : ROLLUP_HOUR, s->id, from_s, to_s,
		take_rollup, &list, s->err);
	for (size_t i = 0; ok && i < list.n; i++) {
		const struct rollup *r = &list.rows[i];

		if (r->from_s < from_s || r->to_s > to_s)
			continue;
		ok = sum_level(s, level + 1, from_s, r->from_s);
		series_merge(s->out, r);
		from_s = r->to_s;
	}
	ok = ok && sum_level(s, level + 1, from_s, to_s);
	free(list.rows);
	return ok;
}

bool history_sum(struct state_txn *txn, uint32_t id, int64_t from_s, int64_t to_s, int64_t hold_s, bool raw,
	struct rollup *out, struct error *err)
{
	struct summing summing = {txn, id, hold_s, raw, out, err};

	*out = (struct rollup){0};
	return sum_level(&summing, to_s - from_s < HISTORY_DAY_S ? LEVEL_HOURS : LEVEL_DAYS, from_s, to_s);
}

/* ---- pieces */

struct pieces {
	struct rollup *points;
	size_t n;
	int64_t from_s, step_s;
};

static bool place_rollup(void *arg, const struct rollup *r)
{
	struct pieces *pieces = arg;
	int64_t at = (r->from_s - pieces->from_s) / pieces->step_s;
	struct rollup *point, times;

	if (r->from_s < pieces->from_s || (size_t)at >= pieces->n)
		return true;
	point = &pieces->points[at];
	times = *point;
	if (point->up_s + point->down_s + point->unknown_s + point->count == 0)
		*point = (struct rollup){0}; /* nothing yet: an empty one merges into anything */
	series_merge(point, r);
	point->from_s = times.from_s;
	point->to_s = times.to_s;
	return true;
}

static bool fill_from_samples(
	struct state_txn *txn, uint32_t id, int64_t hold_s, struct pieces *pieces, struct error *err)
{
	struct samples list = {0};
	int64_t to_s = pieces->from_s + (int64_t)pieces->n * pieces->step_s;
	bool ok = read_samples(txn, id, pieces->from_s, to_s, hold_s, &list, err);

	for (size_t i = 0, first = 0; ok && list.n && i < pieces->n; i++) {
		struct rollup *point = &pieces->points[i];
		size_t last;

		if (point->to_s * US_PER_S <= list.rows[0].at_us)
			continue; /* before the first result */
		while (first + 1 < list.n && list.rows[first + 1].at_us <= point->from_s * US_PER_S)
			first++;
		for (last = first;
			last < list.n && list.rows[last].at_us < (point->to_s + hold_s) * US_PER_S;)
			last++;
		series_rollup(list.rows + first, last - first, point->from_s, point->to_s, hold_s, point);
	}
	free(list.rows);
	return ok;
}

/* Hours and days are rolled up when they are over: the one that is not is summed from what is finer. */
static bool fill_last(struct state_txn *txn, uint32_t id, int64_t to_s, int64_t hold_s, struct pieces *pieces,
	struct error *err)
{
	struct rollup *last = &pieces->points[pieces->n - 1], sum;

	if (pieces->n == 0 || last->count + last->up_s + last->down_s + last->unknown_s)
		return true;
	if (!history_sum(txn, id, last->from_s, to_s, hold_s, true, &sum, err))
		return false;
	sum.from_s = last->from_s;
	sum.to_s = last->to_s;
	*last = sum;
	return true;
}

bool history_points(struct state_txn *txn, uint32_t id, int64_t from_s, int64_t to_s, int64_t step_s,
	int64_t hold_s, struct rollup **points, size_t *n, struct error *err)
{
	struct pieces pieces;
	int64_t unit = step_s >= HISTORY_DAY_S ? HISTORY_DAY_S :
		step_s >= HISTORY_HOUR_S       ? HISTORY_HOUR_S :
						 1;
	bool ok;

	while ((to_s - from_s) / step_s >= HISTORY_POINTS_MAX)
		step_s *= 2;
	from_s -= from_s % unit; /* records begin at whole hours and days */
	pieces = (struct pieces){
		.n = (size_t)((to_s - from_s + step_s - 1) / step_s), .from_s = from_s, .step_s = step_s};
	pieces.points = mem_array(pieces.n + 1, sizeof(*pieces.points));
	for (size_t i = 0; i < pieces.n; i++) {
		pieces.points[i].from_s = from_s + (int64_t)i * step_s;
		pieces.points[i].to_s = pieces.points[i].from_s + step_s;
	}
	if (unit == 1)
		ok = fill_from_samples(txn, id, hold_s, &pieces, err);
	else
		ok = state_rollup_scan(txn, unit == HISTORY_DAY_S ? ROLLUP_DAY : ROLLUP_HOUR, id, from_s,
			     to_s, place_rollup, &pieces, err) &&
			fill_last(txn, id, to_s, hold_s, &pieces, err);
	*points = pieces.points;
	*n = pieces.n;
	if (!ok) {
		free(pieces.points);
		*points = NULL;
	}
	return ok;
}
