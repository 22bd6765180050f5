/* SPDX-License-Identifier: ISC */
/*
 * window: spans of time as people write them, for maintenance and for the hours of a channel. One text:
 *
 *	2026-05-01 02:00 for 2h                   once; also "... to 2026-05-01 04:00"
 *	2026-05-01T02:00:00Z for 90m              with Z or +08:00 the time says its own zone
 *	mon-fri 09:00-18:00                       each week; days may be listed: sat,sun or mon-wed,fri
 *	22:00-02:00                               each day; an end not after its start is on the next day
 *	mon-fri 08:00-12:00,13:00-17:00           several spans a day; 24:00 is the day's end
 *	cron 0 3 * * sun for 2h                   from each time that the cron expression names
 *
 * and each may end in " in Asia/Taipei", else the times are of the zone that the caller gives. Case and the
 * number of blanks do not matter.
 *
 * Daylight saving: times of the week are what the clocks on the wall show, so a span over the change is an
 * hour shorter or longer; "for" is time that passes. A start that the clocks skip is the moment of the jump,
 * one that they show twice the first of both.
 */
#ifndef MODEL_WINDOW_H
#define MODEL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/calendar.h"

#define WINDOW_SPANS_MAX 8

enum window_kind { WINDOW_ONCE, WINDOW_WEEKLY, WINDOW_CRON };

/* Minutes of the day; `to` beyond 24:00 reaches into the next one. */
struct window_span {
	int from_min, to_min;
};

/* A value: copy it freely, nothing to free. */
struct window {
	enum window_kind kind;
	const struct zone *zone;
	int64_t from_s, to_s;    /* once */
	unsigned weekdays;       /* weekly: bit 0 Sunday .. bit 6 Saturday */
	struct window_span spans[WINDOW_SPANS_MAX];
	size_t span_count;
	struct cron cron;        /* cron */
	int64_t length_s;
};

#define WINDOW_NEVER INT64_MAX

/* zone: of texts that name none; NULL is UTC. On false *why is a literal that says what is wrong. */
bool window_parse(const char *s, const struct zone *zone, struct window *out, const char **why);

bool window_active(const struct window *window, int64_t unix_s);
/* When window_active() is next another than now: the first such moment after unix_s, or WINDOW_NEVER. */
int64_t window_next_change(const struct window *window, int64_t unix_s);
/* The span that is active at unix_s, else the next one; false when there is none any more. *to_s may be
   WINDOW_NEVER. */
bool window_next_span(const struct window *window, int64_t unix_s, int64_t *from_s, int64_t *to_s);

/* For lists as monitors carry them: is any active, and until when is it so at least (may be NULL)? Texts
   that cannot be read are passed over: the configuration was checked before it was published. */
bool window_any_active(char *const *texts, size_t n, const struct zone *zone, int64_t unix_s,
	int64_t *until_s);

#endif
