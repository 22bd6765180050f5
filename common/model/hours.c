/* SPDX-License-Identifier: ISC */
/* hours: see hours.h. */
#include "model/hours.h"

#include <string.h>
#include <strings.h>

#define DAY_MIN 1440
#define ALL_DAYS 0x7fu

/* ---- reading */

static void skip_blanks(const char **s)
{
	while (**s == ' ' || **s == '\t')
		(*s)++;
}

static bool take_day(const char **s, unsigned *day)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	for (unsigned i = 0; i < 7; i++)
		if (!strncasecmp(*s, names[i], 3)) {
			*s += 3;
			*day = i;
			return true;
		}
	return false;
}

/* "mon-fri", "sat,sun": sets the bits; nothing there is every day. */
static bool take_days(const char **s, unsigned *days)
{
	unsigned from, to;

	*days = 0;
	if (!take_day(s, &from)) {
		*days = ALL_DAYS;
		return true;
	}
	for (;;) {
		to = from;
		if (**s == '-' && (++*s, !take_day(s, &to)))
			return false;
		for (unsigned day = from;; day = (day + 1) % 7) {
			*days |= 1u << day;
			if (day == to)
				break;
		}
		if (**s != ',')
			return true;
		(*s)++;
		skip_blanks(s);
		if (!take_day(s, &from))
			return false;
	}
}

static bool take_two(const char **s, int max, int *out)
{
	if ((*s)[0] < '0' || (*s)[0] > '9' || (*s)[1] < '0' || (*s)[1] > '9')
		return false;
	*out = ((*s)[0] - '0') * 10 + (*s)[1] - '0';
	*s += 2;
	return *out <= max;
}

static bool take_time(const char **s, int *minutes)
{
	int hour, minute;

	if (!take_two(s, 24, &hour) || **s != ':')
		return false;
	(*s)++;
	*minutes = 0;
	if (!take_two(s, 59, &minute))
		return false;
	*minutes = hour * 60 + minute;
	return *minutes <= DAY_MIN;
}

static bool take_window(const char **s, struct hours_window *window, const char **why)
{
	skip_blanks(s);
	if (!take_days(s, &window->days)) {
		*why = "must have days like mon-fri or sat,sun";
		return false;
	}
	skip_blanks(s);
	window->from_min = 0;
	window->until_min = DAY_MIN;
	if (**s && **s != ';') {
		if (!take_time(s, &window->from_min) || *(*s)++ != '-' || !take_time(s, &window->until_min)) {
			*why = "must have times like 09:00-18:00";
			return false;
		}
		if (window->until_min <= window->from_min)
			window->until_min += DAY_MIN;
	}
	skip_blanks(s);
	return true;
}

bool hours_parse(const char *s, struct hours *out, const char **why)
{
	*out = (struct hours){.count = 0};
	for (;;) {
		skip_blanks(&s);
		if (!*s) {
			*why = "must be like \"mon-fri 09:00-18:00\"";
			return out->count > 0;
		}
		if (out->count == HOURS_MAX) {
			*why = "has too many windows";
			return false;
		}
		if (!take_window(&s, &out->windows[out->count], why))
			return false;
		out->count++;
		if (!*s)
			return true;
		if (*s++ != ';') {
			*why = "must have \";\" between its windows";
			return false;
		}
	}
}

/* ---- asking */

static int64_t at_minute(const struct zone *zone, const struct civil *day, int minutes)
{
	struct civil when = {.year = day->year, .month = day->month, .day = day->day};

	when.day += minutes / DAY_MIN;
	when.hour = minutes % DAY_MIN / 60;
	when.minute = minutes % 60;
	return calendar_unix(zone, &when);
}

int64_t hours_next(const struct hours *hours, const struct zone *zone, int64_t unix_s)
{
	struct civil noon;
	int64_t best = -1;

	calendar_civil(zone, unix_s, &noon);
	noon.hour = 12;
	noon.minute = noon.second = 0;
	for (int offset = -1; offset <= 8; offset++) {
		struct civil day = noon;

		day.day += offset;
		calendar_civil(zone, calendar_unix(zone, &day), &day);
		for (unsigned i = 0; i < hours->count; i++) {
			const struct hours_window *w = &hours->windows[i];
			int64_t from, until;

			if (!(w->days & 1u << day.weekday))
				continue;
			from = at_minute(zone, &day, w->from_min);
			until = at_minute(zone, &day, w->until_min);
			if (until <= unix_s)
				continue;
			if (from < unix_s)
				from = unix_s;
			if (best < 0 || from < best)
				best = from;
		}
	}
	return best;
}
