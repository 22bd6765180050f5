/* SPDX-License-Identifier: ISC */
/*
 * calendar: durations, and times as people and protocols write them. See calendar.h.
 * Zones are in zone.c, cron expressions in cron.c.
 */
#include "base/calendar.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/zone.h"

/* ---- durations --------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{"d", INT64_C(86400000)},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
};

bool calendar_parse_duration(const char *s, int64_t *ms)
{
	size_t digits = strspn(s, "0123456789");
	int64_t number = 0;

	for (size_t i = 0; i < digits; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, s[i] - '0', &number))
			return false;
	if (digits == 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (strcmp(s + digits, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].ms, ms);
	return false;
}

/* The largest unit that divides it gives the shortest form: "90s", not "90000ms". */
void calendar_put_duration(struct text *t, int64_t ms)
{
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (ms % units[i].ms != 0 || (ms == 0 && units[i].ms != 1000))
			continue;
		text_printf(t, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
		return;
	}
}

/* ---- moments and what clocks show -------------------------------------------------------------------- */

/* Years 0 to 9999: what four digits can say, and far from any overflow. */
#define MIN_UNIX_S INT64_C(-62167219200)
#define MAX_UNIX_S INT64_C(253402300799)

void calendar_civil(const struct zone *zone, int64_t unix_s, struct civil *out)
{
	struct zone_span span;
	int64_t local_s;

	unix_s = unix_s < MIN_UNIX_S ? MIN_UNIX_S : unix_s > MAX_UNIX_S ? MAX_UNIX_S : unix_s;
	span = zone_span_at(zone, unix_s);
	local_s = unix_s + span.offset;
	local_s = local_s < MIN_UNIX_S ? MIN_UNIX_S : local_s > MAX_UNIX_S ? MAX_UNIX_S : local_s;
	zone_split(local_s, out);
	out->utc_offset_s = (int)span.offset;
}

int64_t calendar_unix(const struct zone *zone, const struct civil *when)
{
	int year = when->year < 0 ? 0 : when->year > 9999 ? 9999 : when->year;
	int month = when->month < 1 ? 1 : when->month > 12 ? 12 : when->month;
	int64_t local_s = zone_days(year, month, when->day) * DAY_S + when->hour * INT64_C(3600) +
		when->minute * INT64_C(60) + when->second;

	return zone_first_moment(zone, local_s);
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void calendar_put_iso(struct text *t, int64_t unix_s)
{
	struct civil c;

	calendar_civil(NULL, unix_s, &c);
	text_printf(t, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

void calendar_put_clock(struct text *t, int64_t us)
{
	text_json_seconds(t, us);
	if (us < 0 || us / US_PER_S >= INT64_C(253402300800)) /* the year 10000 */
		return;
	text_raw(t, " (");
	calendar_put_iso(t, us / US_PER_S);
	text_char(t, ')');
}

void calendar_put_local(struct text *t, const struct zone *zone, int64_t unix_s)
{
	struct civil c;

	calendar_civil(zone, unix_s, &c);
	text_printf(t, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

static void put_rfc_date(struct text *t, int64_t unix_s, const char *zone_text)
{
	struct civil c;

	calendar_civil(NULL, unix_s, &c);
	text_printf(t, "%s, %02d %s %04d %02d:%02d:%02d %s", day_names[c.weekday], c.day,
		month_names[c.month - 1], c.year, c.hour, c.minute, c.second, zone_text);
}

void calendar_put_mail_date(struct text *t, int64_t unix_s)
{
	put_rfc_date(t, unix_s, "+0000");
}

void calendar_put_http_date(struct text *t, int64_t unix_s)
{
	put_rfc_date(t, unix_s, "GMT");
}

/* ---- reading an HTTP date ---------------------------------------------------------------------------- */

/* Exactly n digits at s; -1 when they are not. */
static int digits_at(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

static int name_at(const char *s, const char names[][4], int n)
{
	for (int i = 0; i < n; i++)
		if (memcmp(s, names[i], 3) == 0)
			return i;
	return -1;
}

/* "Fri, 01 May 2026 02:10:04 GMT": the punctuation stands at fixed places. */
static bool has_http_date_shape(const char *s)
{
	static const char shape[] = "___, __ ___ ____ __:__:__ GMT";

	if (strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] != '_' && shape[i] != s[i])
			return false;
	return true;
}

/* What was read is written again and must be the same: that refuses 31 June, 24:00 and a wrong weekday. */
bool calendar_parse_http_date(const char *s, int64_t *unix_s)
{
	struct text again = TEXT_INIT;
	struct civil c = {0};
	bool is_same;

	if (!has_http_date_shape(s))
		return false;
	c.day = digits_at(s + 5, 2);
	c.month = name_at(s + 8, month_names, 12) + 1;
	c.year = digits_at(s + 12, 4);
	c.hour = digits_at(s + 17, 2);
	c.minute = digits_at(s + 20, 2);
	c.second = digits_at(s + 23, 2);
	if (c.day < 1 || c.month < 1 || c.year < 0 || c.hour < 0 || c.minute < 0 || c.second < 0)
		return false;
	*unix_s = calendar_unix(NULL, &c);
	calendar_put_http_date(&again, *unix_s);
	is_same = strcmp(text_str(&again), s) == 0;
	text_free(&again);
	return is_same;
}
