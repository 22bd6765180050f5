/* SPDX-License-Identifier: ISC */
/*
 * cron: cron expressions, read as Vixie cron reads them, and when they match. See calendar.h.
 *
 * Matching works on local times, as if there were no DST; zone.h turns these into moments. A job at a
 * fixed time runs at the first moment at which the clocks have come that far: that is the jump for a skipped
 * time and the first of two for a repeated one. A frequent job runs whenever the clocks show a matching
 * minute.
 */
#include <string.h>
#include <strings.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "base/zone.h"

/* ---- reading ----------------------------------------------------------------------------------------- */

static const char *const month_words[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

/* One field: its range, the words that stand for numbers (from low on), and what to say when it is wrong. */
struct field {
	int low, high;
	const char *const *words;
	const char *wrong;
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
	[MINUTE] = {0, 59, NULL, "the minute (first field) must be made of 0-59, *, lists, ranges and steps"},
	[HOUR] = {0, 23, NULL, "the hour (second field) must be made of 0-23, *, lists, ranges and steps"},
	[DAY] = {1, 31, NULL, "the day (third field) must be made of 1-31, *, lists, ranges and steps"},
	[MONTH] = {1, 12, month_words,
		"the month (fourth field) must be made of 1-12 or jan-dec, *, lists, ranges and steps"},
	[WEEKDAY] = {0, 7, weekday_words,
		"the weekday (fifth field) must be made of 0-7 or sun-sat, *, lists, ranges and steps"},
};

static bool read_number(const char **s, int *out)
{
	const char *start = *s;
	int value = 0;

	for (; **s >= '0' && **s <= '9' && *s - start < 4; (*s)++)
		value = value * 10 + (**s - '0');
	*out = value;
	return *s > start;
}

static bool read_value(const char **s, const struct field *field, int *out)
{
	if (read_number(s, out))
		return *out >= field->low && *out <= field->high;
	for (int i = 0; field->words && field->words[i]; i++) {
		if (strncasecmp(*s, field->words[i], 3) == 0) {
			*s += 3;
			*out = field->low + i;
			return true;
		}
	}
	return false;
}

/* "*", "5", "1-5"; then perhaps "/2", which a single value cannot have: cron(8) ignores it there. */
static bool read_item(const char **s, const struct field *field, uint64_t *bits)
{
	int first = field->low, last = field->high, step = 1;
	bool is_single = false;

	if (**s == '*') {
		(*s)++;
	} else {
		if (!read_value(s, field, &first))
			return false;
		is_single = **s != '-';
		last = first;
		if (!is_single) {
			(*s)++;
			if (!read_value(s, field, &last))
				return false;
		}
	}
	if (last == 0 && first > 0 && field == &fields[WEEKDAY])
		last = 7; /* fri-sun */
	if (**s == '/') {
		(*s)++;
		if (is_single || !read_number(s, &step) || step < 1)
			return false;
	}
	for (int value = first; value <= last; value += step)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): read_value keeps to the field */
		*bits |= UINT64_C(1) << value;
	return first <= last;
}

static bool read_field(const char **s, const struct field *field, uint64_t *bits)
{
	for (;;) {
		if (!read_item(s, field, bits))
			return false;
		if (**s != ',')
			return !**s || **s == ' ' || **s == '\t';
		(*s)++;
	}
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

static const struct {
	const char *nick, *means;
} nicknames[] = {
	{"@hourly", "0 * * * *"},
	{"@daily", "0 0 * * *"},
	{"@midnight", "0 0 * * *"},
	{"@weekly", "0 0 * * 0"},
	{"@monthly", "0 0 1 * *"},
	{"@yearly", "0 0 1 1 *"},
	{"@annually", "0 0 1 1 *"},
};

static const char *without_nickname(const char *s)
{
	for (size_t i = 0; i < COUNT_OF(nicknames); i++) {
		size_t n = strlen(nicknames[i].nick);

		if (strncmp(s, nicknames[i].nick, n) == 0 && !*skip_blanks(s + n))
			return nicknames[i].means;
	}
	return *s == '@' ? NULL : s;
}

/* 30 February never comes. With a weekday beside it, that decides. */
static bool has_days(const struct cron *cron)
{
	static const unsigned char lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	for (int month = 1; month <= 12; month++)
		if ((cron->months >> month & 1) && (cron->days & ((UINT64_C(2) << lengths[month]) - 1)))
			return true;
	return !cron->weekdays_star && !cron->days_star;
}

bool calendar_parse_cron(const char *s, struct cron *out, const char **why)
{
	uint64_t bits[FIELDS] = {0};
	bool star[FIELDS];

	s = without_nickname(skip_blanks(s));
	*why = "this is not one of @hourly @daily @midnight @weekly @monthly @yearly @annually";
	if (!s)
		return false;
	for (int i = 0; i < FIELDS; i++) {
		star[i] = *s == '*';
		*why = *s ? fields[i].wrong : "a cron expression has five fields: minute hour day month weekday";
		if (!*s || !read_field(&s, &fields[i], &bits[i]))
			return false;
		s = skip_blanks(s);
	}
	*why = "a cron expression has five fields: something follows the fifth";
	if (*s)
		return false;
	bits[WEEKDAY] = (bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f; /* 7 is Sunday too */
	*out = (struct cron){bits[MINUTE], (uint32_t)bits[HOUR], (uint32_t)bits[DAY], (uint32_t)bits[MONTH],
		(uint32_t)bits[WEEKDAY], star[DAY], star[WEEKDAY], star[MINUTE] || star[HOUR]};
	*why = "no month that it names has such a day";
	return has_days(out);
}

/* ---- matching local times ---------------------------------------------------------------------------- */

#define NO_TIME INT64_MIN
#define MAX_DAYS (5 * 366)

static bool day_matches(const struct cron *cron, int64_t day)
{
	struct civil c;
	bool by_day, by_weekday;

	zone_split(day * DAY_S, &c);
	by_day = cron->days >> c.day & 1;
	by_weekday = cron->weekdays >> c.weekday & 1;
	if (!(cron->months >> c.month & 1))
		return false;
	return cron->days_star || cron->weekdays_star ? by_day && by_weekday : by_day || by_weekday;
}

/* The first matching minute of a day that is not before this one, or -1; and the last that is not after. */
static int first_minute(const struct cron *cron, int from)
{
	for (int minute = from; minute < 24 * 60; minute++)
		if ((cron->hours >> minute / 60 & 1) && (cron->minutes >> minute % 60 & 1))
			return minute;
	return -1;
}

static int last_minute(const struct cron *cron, int until)
{
	for (int minute = until; minute >= 0; minute--)
		if ((cron->hours >> minute / 60 & 1) && (cron->minutes >> minute % 60 & 1))
			return minute;
	return -1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The first matching local time that is not before local_s. */
static int64_t next_local(const struct cron *cron, int64_t local_s)
{
	int64_t minutes = -floor_div(-local_s, 60), day = floor_div(minutes, 24 * 60);
	int from = (int)(minutes - day * 24 * 60);

	for (int i = 0; i <= MAX_DAYS; i++, day++, from = 0) {
		int minute = day_matches(cron, day) ? first_minute(cron, from) : -1;

		if (minute >= 0)
			return day * DAY_S + minute * 60;
	}
	return NO_TIME;
}

/* The last matching local time that is not after local_s. */
static int64_t previous_local(const struct cron *cron, int64_t local_s)
{
	int64_t minutes = floor_div(local_s, 60), day = floor_div(minutes, 24 * 60);
	int until = (int)(minutes - day * 24 * 60);

	for (int i = 0; i <= MAX_DAYS; i++, day--, until = 24 * 60 - 1) {
		int minute = day_matches(cron, day) ? last_minute(cron, until) : -1;

		if (minute >= 0)
			return day * DAY_S + minute * 60;
	}
	return NO_TIME;
}

/* ---- moments ----------------------------------------------------------------------------------------- */

/* Beyond this there are no years that we can say. */
static bool is_in_range(int64_t unix_s)
{
	return unix_s > -(INT64_C(1) << 35) && unix_s < INT64_C(1) << 37;
}

/* Frequent jobs: span by span, each with a clock of its own. */
static int64_t next_shown(const struct cron *cron, const struct zone *zone, int64_t unix_s)
{
	int64_t limit = unix_s + MAX_DAYS * DAY_S;

	while (unix_s < limit) {
		struct zone_span span = zone_span_at(zone, unix_s);
		int64_t local = next_local(cron, unix_s + span.offset);

		if (local == NO_TIME || local - span.offset < span.end)
			return local == NO_TIME ? -1 : local - span.offset;
		unix_s = span.end;
	}
	return -1;
}

static int64_t previous_shown(const struct cron *cron, const struct zone *zone, int64_t unix_s)
{
	int64_t limit = unix_s - MAX_DAYS * DAY_S;

	while (unix_s > limit) {
		struct zone_span span = zone_span_at(zone, unix_s);
		int64_t local = previous_local(cron, unix_s + span.offset);

		if (local == NO_TIME || local - span.offset >= span.start)
			return local == NO_TIME ? -1 : local - span.offset;
		unix_s = span.start - 1;
	}
	return -1;
}

int64_t calendar_cron_next(const struct cron *cron, const struct zone *zone, int64_t unix_s)
{
	int64_t local;

	if (!is_in_range(unix_s))
		return -1;
	if (cron->frequent)
		return next_shown(cron, zone, unix_s + 1);
	local = next_local(cron, zone_latest_shown(zone, unix_s) + 1);
	return local == NO_TIME ? -1 : zone_first_moment(zone, local);
}

int64_t calendar_cron_previous(const struct cron *cron, const struct zone *zone, int64_t unix_s)
{
	int64_t local;

	if (!is_in_range(unix_s))
		return -1;
	if (cron->frequent)
		return previous_shown(cron, zone, unix_s);
	local = previous_local(cron, zone_latest_shown(zone, unix_s));
	return local == NO_TIME ? -1 : zone_first_moment(zone, local);
}
