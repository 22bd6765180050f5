/* SPDX-License-Identifier: ISC */
/*
 * zone: what calendar.h is made of, for the calendar files only. A zone is seen here as a row of spans of
 * constant offset; local times are counted like Unix times, as if the zone's clocks showed UTC.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/calendar.h"

#define DAY_S INT64_C(86400)
/* No two clocks of one zone differ by more than this around any moment. */
#define ZONE_MAX_SHIFT_S (2 * DAY_S)

/* start <= t < end; the first starts at INT64_MIN, the last ends at INT64_MAX. */
struct zone_span {
	int64_t start, end;
	int64_t offset; /* local - UTC, seconds */
};

/* A zone from the bytes of a TZif file, NULL when they are not one; for tests, and for calendar_zone(). */
struct zone *zone_parse(const uint8_t *bytes, size_t n);
void zone_free(struct zone *zone);

/* The span that unix_s lies in; NULL is UTC. */
struct zone_span zone_span_at(const struct zone *zone, int64_t unix_s);
/* The first moment at which the zone's clocks show local_s or, skipping it, more. */
int64_t zone_first_moment(const struct zone *zone, int64_t local_s);
/* The most that the zone's clocks have shown up to unix_s: more than they show then, in a repeated hour. */
int64_t zone_latest_shown(const struct zone *zone, int64_t unix_s);

/* Where zones are looked for, in order; "": nowhere, NULL: there are no more. */
const char *zone_directory(size_t i);
/* Days since 1970-01-01 in the proleptic Gregorian calendar; any day number, month 1 to 12. */
int64_t zone_days(int64_t year, int month, int64_t day);
/* The other way; unix_s within the years 0 to 9999. */
void zone_split(int64_t local_s, struct civil *out);

#endif
