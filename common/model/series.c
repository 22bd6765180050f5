/* SPDX-License-Identifier: ISC */
/*
 * series: summing samples up.
 *
 * A sample stands for the time until the next one. What a suspect's time was worth is known only
 * afterwards: when the outage is confirmed it began with the first bad result, and when recovery is, it
 * ended with the first good one. So samples are read from the newest to the oldest.
 */
#include "model/series.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* What a stretch of time was. */
enum stretch { STRETCH_NONE = 0, STRETCH_UP, STRETCH_DOWN, STRETCH_UNKNOWN, STRETCH__COUNT };

/* One in which a look that could not be made, or that nobody made, leaves a monitor: it is not yet called
   unknown, but what it was in that time is. */
static bool is_seen_state(enum monitor_state state)
{
	return state == STATE_UP || state == STATE_SUSPECT || state == STATE_DOWN;
}

static enum stretch stretch_of(const struct sample *sample, enum stretch next)
{
	if (sample->maintenance)
		return STRETCH_NONE;
	if (sample->outcome == OUTCOME_UNKNOWN && is_seen_state(sample->state))
		return sample->state == STATE_SUSPECT && next == STRETCH_DOWN ? STRETCH_DOWN : STRETCH_UNKNOWN;
	switch (sample->state) {
	case STATE_UP:
		return STRETCH_UP;
	case STATE_DOWN:
		return sample->outcome == OUTCOME_UP && next == STRETCH_UP ? STRETCH_UP : STRETCH_DOWN;
	case STATE_SUSPECT:
		return next == STRETCH_DOWN || next == STRETCH_UNKNOWN ? next : STRETCH_UP;
	case STATE_UNKNOWN:
		return STRETCH_UNKNOWN;
	default:
		return STRETCH_NONE;
	}
}

struct sums {
	int64_t us[STRETCH__COUNT];
};

static int64_t overlap(int64_t from, int64_t to, int64_t window_from, int64_t window_to)
{
	if (from < window_from)
		from = window_from;
	if (to > window_to)
		to = window_to;
	return to > from ? to - from : 0;
}

/* Books [from, to) as far as it lies in the window. */
static void book(struct sums *sums, enum stretch what, int64_t from, int64_t to, const struct rollup *window)
{
	sums->us[what] += overlap(from, to, window->from_s * US_PER_S, window->to_s * US_PER_S);
}

static void sum_stretches(const struct sample *samples, size_t n, int64_t hold_us,
	const struct rollup *window, struct sums *sums)
{
	enum stretch next = STRETCH_NONE;
	int64_t until = window->to_s * US_PER_S;

	for (size_t i = n; i-- > 0;) {
		int64_t at = samples[i].at_us;
		/* Paused lasts until somebody resumes: no results are missing from it. */
		bool lasts = samples[i].state == STATE_PAUSED || until - at <= hold_us;
		int64_t held = lasts ? until : at + hold_us;

		next = stretch_of(&samples[i], next);
		book(sums, next, at, held, window);
		book(sums, STRETCH_UNKNOWN, held, until, window);
		until = at;
	}
	book(sums, STRETCH_UNKNOWN, window->from_s * US_PER_S, until, window);
}

/* Seconds whose sum is the rounded sum: what rounding leaves over goes to the unknown. */
static void put_seconds(struct rollup *out, const struct sums *sums)
{
	int64_t up = sums->us[STRETCH_UP], down = sums->us[STRETCH_DOWN], unknown = sums->us[STRETCH_UNKNOWN];
	int64_t all_s = (up + down + unknown + US_PER_S / 2) / US_PER_S;

	out->up_s = (up + US_PER_S / 2) / US_PER_S;
	out->down_s = (down + US_PER_S / 2) / US_PER_S;
	out->unknown_s = all_s > out->up_s + out->down_s ? all_s - out->up_s - out->down_s : 0;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the smallest value that at least `percent` of all do not exceed. */
static uint32_t percentile(const uint32_t *sorted, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;

	return sorted[rank > 0 ? rank - 1 : 0];
}

static void put_times(struct rollup *out, uint32_t *times, size_t n)
{
	uint64_t sum = 0;

	if (n == 0)
		return;
	qsort(times, n, sizeof(*times), by_size);
	for (size_t i = 0; i < n; i++)
		sum += times[i];
	out->count = (uint32_t)n;
	out->min_us = times[0];
	out->max_us = times[n - 1];
	out->mean_us = (uint32_t)((sum + n / 2) / n);
	out->p50_us = percentile(times, n, 50);
	out->p95_us = percentile(times, n, 95);
}

static uint32_t clamped(int64_t us)
{
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static bool has_time(const struct sample *sample, const struct rollup *window)
{
	return sample->response_us >= 0 && sample->at_us >= window->from_s * US_PER_S &&
		sample->at_us < window->to_s * US_PER_S;
}

void series_rollup(const struct sample *samples, size_t n, int64_t from_s, int64_t to_s, int64_t hold_s,
	struct rollup *out)
{
	uint32_t *times = mem_array(n > 0 ? n : 1, sizeof(*times));
	struct sums sums = {{0}};
	size_t count = 0;

	*out = (struct rollup){.from_s = from_s, .to_s = to_s};
	sum_stretches(samples, n, hold_s * US_PER_S, out, &sums);
	put_seconds(out, &sums);
	for (size_t i = 0; i < n; i++) {
		if (has_time(&samples[i], out))
			times[count++] = clamped(samples[i].response_us);
	}
	put_times(out, times, count);
	free(times);
}

int64_t series_hold_s(int64_t interval_ms, int64_t cadence_us)
{
	int64_t interval_s = interval_ms / 1000, cadence_s = cadence_us / US_PER_S;

	if (cadence_s > interval_s)
		interval_s = cadence_s;

	return (interval_s > 60 ? interval_s : 60) * 2 + 60;
}

double series_uptime(const struct rollup *rollup)
{
	int64_t seen = rollup->up_s + rollup->down_s;

	return seen > 0 ? (double)rollup->up_s / (double)seen : -1.0;
}

static uint32_t weighted(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	uint64_t n = (uint64_t)na + nb;

	return (uint32_t)(((uint64_t)a * na + (uint64_t)b * nb + n / 2) / n);
}

static void merge_times(struct rollup *a, const struct rollup *b)
{
	uint32_t na = a->count, nb = b->count;

	if (nb == 0)
		return;
	a->mean_us = weighted(a->mean_us, na, b->mean_us, nb);
	a->p50_us = weighted(a->p50_us, na, b->p50_us, nb);
	a->p95_us = weighted(a->p95_us, na, b->p95_us, nb);
	a->min_us = na == 0 || b->min_us < a->min_us ? b->min_us : a->min_us;
	a->max_us = b->max_us > a->max_us ? b->max_us : a->max_us;
	a->count = UINT32_MAX - na > nb ? na + nb : UINT32_MAX;
}

void series_merge(struct rollup *a, const struct rollup *b)
{
	bool empty = a->from_s == 0 && a->to_s == 0;

	if (empty || b->from_s < a->from_s)
		a->from_s = b->from_s;
	if (empty || b->to_s > a->to_s)
		a->to_s = b->to_s;
	a->up_s += b->up_s;
	a->down_s += b->down_s;
	a->unknown_s += b->unknown_s;
	merge_times(a, b);
}
