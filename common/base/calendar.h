/* SPDX-License-Identifier: ISC */
/*
 * calendar: durations, time zones, cron expressions, and times as people write them.
 *
 * Time zones are read from the system's TZif files (RFC 8536) into immutable values, because the C
 * library knows one zone per process and this needs one per monitor, in several threads.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* "500ms" "30s" "5m" "1h" "2d": a whole number and a unit; milliseconds out. */
bool calendar_parse_duration(const char *s, int64_t *ms);
/* The shortest exact form of the above ("90s", "5m"). */
void calendar_put_duration(struct text *t, int64_t ms);

struct zone; /* immutable once loaded; safe to share between threads; NULL is UTC everywhere below */

/* Loads "Asia/Taipei" from the zoneinfo directory ($TZDIR, /usr/share/zoneinfo, ...); "UTC" always
   works. NULL when there is no such zone or the name is not a plain relative one. Cached for the
   life of the process; never freed. */
const struct zone *calendar_zone(const char *name);

struct civil {
	int year, month, day;       /* month and day from 1 */
	int hour, minute, second;
	int weekday;                /* 0 Sunday .. 6 Saturday */
	int utc_offset_s;           /* of this moment in this zone */
};

/* Moments before the year 0 or after 9999 are taken for the first or last one. */
void calendar_civil(const struct zone *zone, int64_t unix_s, struct civil *out);
/* The first moment at or after which the zone's clocks show this; a time that DST skips gives the
   moment of the jump, one that occurs twice gives the first. Only year..second are read. */
int64_t calendar_unix(const struct zone *zone, const struct civil *when);

struct cron {
	uint64_t minutes;  /* bit 0..59 */
	uint32_t hours, days, months, weekdays;
	bool days_star, weekdays_star; /* Vixie: day matches when either does, unless one is a star */
	bool frequent; /* minute or hour begins with a star: goes by elapsed time through DST changes */
};

/* Five fields, names, ranges, lists, steps, and @hourly @daily @midnight @weekly @monthly @yearly
   @annually. On false *why is a literal that says what is wrong. */
bool calendar_parse_cron(const char *s, struct cron *out, const char **why);
/* The first matching minute strictly after unix_s, in the zone; -1 when none within 5 years. As cron(8)
   does it: a job at a skipped local time runs at the jump, one at a repeated local time runs once; but
   frequent jobs ("*" or a step of it for minute or hour) just run on in the skipped or repeated hour. */
int64_t calendar_cron_next(const struct cron *cron, const struct zone *zone, int64_t unix_s);
/* The last matching minute at or before unix_s; -1 when none within 5 years. */
int64_t calendar_cron_previous(const struct cron *cron, const struct zone *zone, int64_t unix_s);

/* 2026-05-01T02:10:04Z */
void calendar_put_iso(struct text *t, int64_t unix_s);
/* 1777601404.5 (2026-05-01T02:10:04Z): a clock to be compared with another, by programs and people;
   the seconds alone before 1970 and after 9999. */
void calendar_put_clock(struct text *t, int64_t us);
/* 2026-05-01 10:10:04 in the zone */
void calendar_put_local(struct text *t, const struct zone *zone, int64_t unix_s);
/* RFC 5322 for mail and HTTP-date (IMF-fixdate, GMT). */
void calendar_put_mail_date(struct text *t, int64_t unix_s);
void calendar_put_http_date(struct text *t, int64_t unix_s);
/* IMF-fixdate as Retry-After has it; false when it is not one. */
bool calendar_parse_http_date(const char *s, int64_t *unix_s);

#endif
