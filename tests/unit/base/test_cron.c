/* SPDX-License-Identifier: ISC */
/*
 * cron: which expressions are taken, and when they match: rows by hand, most of them around DST, and a
 * search minute by minute through years that must find the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/calendar.h"
#include "base/mem.h"

static void expressions_become_sets(void **state)
{
	static const struct {
		const char *s;
		uint64_t minutes;
		uint32_t hours, days, months, weekdays;
		bool days_star, weekdays_star, frequent;
	} rows[] = {
		{"0 0 1 1 0", 1, 1, 2, 2, 1, false, false, false},
		{"* * * * *", (UINT64_C(1) << 60) - 1, 0xffffff, 0xfffffffe, 0x1ffe, 0x7f, true, true, true},
		{" \t5  4\t* * * ", 1 << 5, 1 << 4, 0xfffffffe, 0x1ffe, 0x7f, true, true, false},
		{"*/15 0 * * *", UINT64_C(1) | 1 << 15 | 1 << 30 | UINT64_C(1) << 45, 1, 0xfffffffe, 0x1ffe, 0x7f,
			true, true, true},
		{"0,30 9-17/4 * * *", 1 | 1 << 30, 1 << 9 | 1 << 13 | 1 << 17, 0xfffffffe, 0x1ffe, 0x7f, true,
			true, false},
		{"0 0 */10 * *", 1, 1, 1 << 1 | 1 << 11 | 1 << 21 | 1u << 31, 0x1ffe, 0x7f, true, true, false},
		{"0 0 1-7 * mon", 1, 1, 0xfe, 0x1ffe, 2, false, false, false},
		{"0 0 * jan,Jun-AUG *", 1, 1, 0xfffffffe, 1 << 1 | 7 << 6, 0x7f, true, true, false},
		{"0 0 * * 7", 1, 1, 0xfffffffe, 0x1ffe, 1, true, false, false},
		{"0 0 * * 5-7", 1, 1, 0xfffffffe, 0x1ffe, 0x61, true, false, false},
		{"0 0 * * fri-sun", 1, 1, 0xfffffffe, 0x1ffe, 0x61, true, false, false},
		{"0 0 * * Sun,wed", 1, 1, 0xfffffffe, 0x1ffe, 9, true, false, false},
		{"0 0 * * 0-7", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true, false, false},
		{"0 0 * * */2", 1, 1, 0xfffffffe, 0x1ffe, 0x55, true, true, false},
		{"59 23 31 12 6", UINT64_C(1) << 59, 1 << 23, 1u << 31, 1 << 12, 1 << 6, false, false, false},
		{"0-10/100 0 * * *", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true, true, false},
		{"@hourly", 1, 0xffffff, 0xfffffffe, 0x1ffe, 0x7f, true, true, true},
		{"@daily", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true, true, false},
		{"@midnight", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true, true, false},
		{" @weekly ", 1, 1, 0xfffffffe, 0x1ffe, 1, true, false, false},
		{"@monthly", 1, 1, 2, 0x1ffe, 0x7f, false, true, false},
		{"@yearly", 1, 1, 2, 2, 0x7f, false, true, false},
		{"@annually", 1, 1, 2, 2, 0x7f, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *why = NULL;
		struct cron c;

		if (!calendar_parse_cron(rows[i].s, &c, &why))
			fail_msg("%s: %s", rows[i].s, why);
		if (c.minutes != rows[i].minutes || c.hours != rows[i].hours || c.days != rows[i].days ||
			c.months != rows[i].months || c.weekdays != rows[i].weekdays)
			fail_msg("%s: %llx %x %x %x %x", rows[i].s, (unsigned long long)c.minutes, c.hours, c.days,
				c.months, c.weekdays);
		assert_int_equal(c.days_star, rows[i].days_star);
		assert_int_equal(c.weekdays_star, rows[i].weekdays_star);
		assert_int_equal(c.frequent, rows[i].frequent);
	}
}

static void wrong_expressions_are_explained(void **state)
{
	static const struct {
		const char *s, *why;
	} rows[] = {
		{"", "has five fields"},
		{"   ", "has five fields"},
		{"* * * *", "has five fields"},
		{"* * * * * *", "follows the fifth"},
		{"0 0 0 * * * *", "third field"},
		{"60 * * * *", "the minute"},
		{"-1 * * * *", "the minute"},
		{"a * * * *", "the minute"},
		{"* 24 * * *", "the hour"},
		{"* * 0 * *", "the day"},
		{"* * 32 * *", "the day"},
		{"* * L * *", "the day"},
		{"* * ? * *", "the day"},
		{"* * * 0 *", "the month"},
		{"* * * 13 *", "the month"},
		{"* * * janu *", "the month"},
		{"* * * mon *", "the month"},
		{"* * * * 8", "the weekday"},
		{"* * * * jan", "the weekday"},
		{"* * * * 5#2", "the weekday"},
		{"*/0 * * * *", "the minute"},
		{"*/ * * * *", "the minute"},
		{"*/-1 * * * *", "the minute"},
		{"5/15 * * * *", "the minute"},
		{"**  * * * *", "the minute"},
		{"*5 * * * *", "the minute"},
		{"5-1 * * * *", "the minute"},
		{"5- * * * *", "the minute"},
		{"-5 * * * *", "the minute"},
		{"1-5-9 * * * *", "the minute"},
		{"1,,2 * * * *", "the minute"},
		{",1 * * * *", "the minute"},
		{"1, * * * *", "the minute"},
		{"1.5 * * * *", "the minute"},
		{"00000 * * * *", "the minute"},
		{"99999999999999999999 * * * *", "the minute"},
		{"* 1-99999999999999999999 * * *", "the hour"},
		{"*/99999999999999999999 * * * *", "the minute"},
		{"0 0 * * tue-sun-1", "the weekday"},
		{"0 0 30 2 *", "no month that it names"},
		{"0 0 31 4,6,9,11 *", "no month that it names"},
		{"@reboot", "not one of @hourly"},
		{"@every 5m", "not one of @hourly"},
		{"@Daily", "not one of @hourly"},
		{"@daily x", "not one of @hourly"},
		{"@", "not one of @hourly"},
		{"0 0 * * *\n", "the weekday"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *why = NULL;
		struct cron c;

		if (calendar_parse_cron(rows[i].s, &c, &why))
			fail_msg("\"%s\" was taken", rows[i].s);
		if (!strstr(why, rows[i].why))
			fail_msg("\"%s\": %s", rows[i].s, why);
	}
}

static struct cron cron_of(const char *s)
{
	const char *why;
	struct cron c;

	if (!calendar_parse_cron(s, &c, &why))
		fail_msg("%s: %s", s, why);
	return c;
}

/* Moments as local text are ambiguous when a clock repeats, hence UTC. */
static int64_t moment(const char *iso)
{
	int part[6] = {0};
	struct civil c;
	size_t n = 0;

	for (const char *at = iso; *at; at++) {
		if (*at >= '0' && *at <= '9')
			part[n] = part[n] * 10 + (*at - '0');
		else
			n++;
	}
	c = (struct civil){
		.year = part[0], .month = part[1], .day = part[2], .hour = part[3], .minute = part[4]};
	return calendar_unix(NULL, &c);
}

/* Each row: a moment, the next run and the last one, all in UTC. */
static const struct {
	const char *cron, *zone, *at, *next, *previous;
} runs[] = {
	{"* * * * *", "UTC", "2026-05-01T02:10", "2026-05-01T02:11", "2026-05-01T02:10"},
	{"0 3 * * *", "UTC", "2026-05-01T02:10", "2026-05-01T03:00", "2026-04-30T03:00"},
	{"0 3 * * *", "Asia/Taipei", "2026-05-01T02:10", "2026-05-01T19:00", "2026-04-30T19:00"},
	{"0 3 * * *", "UTC", "2026-05-01T03:00", "2026-05-02T03:00", "2026-05-01T03:00"},
	{"30 23 31 12 *", "UTC", "2026-05-01T00:00", "2026-12-31T23:30", "2025-12-31T23:30"},
	{"0 0 29 2 *", "UTC", "2025-01-01T00:00", "2028-02-29T00:00", "2024-02-29T00:00"},
	/* day or weekday when both are named, both when one is a star */
	{"0 0 13 * fri", "UTC", "2026-05-02T00:00", "2026-05-08T00:00", "2026-05-01T00:00"},
	{"0 0 13 * fri", "UTC", "2026-05-09T00:00", "2026-05-13T00:00", "2026-05-08T00:00"},
	{"0 0 */2 * mon", "UTC", "2026-05-01T00:00", "2026-05-11T00:00", "2026-04-27T00:00"},
	{"0 9 * * 1-5", "UTC", "2026-05-01T09:00", "2026-05-04T09:00", "2026-05-01T09:00"},
	/* skipped: Berlin jumps from 02:00 to 03:00 at 2026-03-29T01:00Z */
	{"30 2 * * *", "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T01:00", "2026-03-28T01:30"},
	{"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:30", "2026-03-29T01:00"},
	{"0 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-28T01:00"},
	{"0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-28T01:45"},
	{"0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:00", "2026-03-29T01:00"},
	{"30 3 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T01:30", "2026-03-28T02:30"},
	{"0 * * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T00:00"},
	{"*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T00:30"},
	{"*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:00", "2026-03-28T01:30"},
	{"30 2 * * sun", "Europe/Berlin", "2026-03-28T00:00", "2026-03-29T01:00", "2026-03-22T01:30"},
	/* repeated: Berlin goes from 03:00 back to 02:00 at 2026-10-25T01:00Z */
	{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-24T00:30"},
	{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30", "2026-10-25T00:30"},
	{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:30", "2026-10-26T01:30", "2026-10-25T00:30"},
	{"0,30 2,3 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T00:30"},
	{"0 2 * * *", "Europe/Berlin", "2026-10-25T01:00", "2026-10-26T01:00", "2026-10-25T00:00"},
	{"0 3 * * *", "Europe/Berlin", "2026-10-25T00:59", "2026-10-25T02:00", "2026-10-24T01:00"},
	{"0 * * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T00:00"},
	{"0 * * * *", "Europe/Berlin", "2026-10-25T01:00", "2026-10-25T02:00", "2026-10-25T01:00"},
	{"*/20 * * * *", "Europe/Berlin", "2026-10-25T00:40", "2026-10-25T01:00", "2026-10-25T00:40"},
	/* half an hour, and midnight itself */
	{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-03T15:30", "2026-10-02T15:45"},
	{"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:45", "2026-04-05T15:15", "2026-04-04T14:45"},
	{"0 0 * * *", "Africa/Cairo", "2026-04-23T12:00", "2026-04-23T22:00", "2026-04-22T22:00"},
	{"30 0 * * *", "Africa/Cairo", "2026-04-23T12:00", "2026-04-23T22:00", "2026-04-22T22:30"},
	/* a whole day left out: Samoa had no 30 December 2011 */
	{"0 12 * * *", "Pacific/Apia", "2011-12-29T23:00", "2011-12-30T10:00", "2011-12-29T22:00"},
};

static void runs_are_found_where_people_expect_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(runs); i++) {
		struct cron c = cron_of(runs[i].cron);
		const struct zone *zone = calendar_zone(runs[i].zone);
		int64_t at = moment(runs[i].at), next = calendar_cron_next(&c, zone, at);
		int64_t previous = calendar_cron_previous(&c, zone, at);
		struct text t = TEXT_INIT;

		calendar_put_iso(&t, next);
		text_raw(&t, " after ");
		calendar_put_iso(&t, previous);
		if (next != moment(runs[i].next) || previous != moment(runs[i].previous))
			fail_msg("row %zu: %s %s at %s: %s", i, runs[i].cron, runs[i].zone, runs[i].at, text_str(&t));
		text_free(&t);
	}
}

/* A plain reading of what cron(8) says: wake up each minute and look at the clock. */
static bool minute_matches(const struct cron *c, const struct civil *at)
{
	bool day = c->days >> at->day & 1, weekday = c->weekdays >> at->weekday & 1;

	if (!(c->minutes >> at->minute & 1) || !(c->hours >> at->hour & 1) || !(c->months >> at->month & 1))
		return false;
	return c->days_star || c->weekdays_star ? day && weekday : day || weekday;
}

/* Does a job run at this minute, given the most that the clocks have shown before it? Skipped minutes count
   now; minutes that were shown before do not, unless the job is a frequent one. */
static bool runs_at(const struct cron *c, const struct zone *zone, int64_t minute, int64_t *shown_until)
{
	struct civil at;
	int64_t local_s;
	bool due = false;

	calendar_civil(zone, minute, &at);
	local_s = minute + at.utc_offset_s;
	if (c->frequent)
		return minute_matches(c, &at);
	for (int64_t l = *shown_until + 60; l <= local_s; l += 60) {
		struct civil then;

		calendar_civil(NULL, l, &then);
		due |= minute_matches(c, &then);
	}
	if (local_s > *shown_until)
		*shown_until = local_s;
	return due;
}

static void search(const char *expression, const char *zone_name, int64_t from, int64_t until)
{
	struct cron c = cron_of(expression);
	const struct zone *zone = calendar_zone(zone_name);
	int64_t next = calendar_cron_next(&c, zone, from), previous = -1, shown_until;
	struct civil first;

	calendar_civil(zone, from, &first);
	shown_until = from + first.utc_offset_s;
	for (int64_t minute = from + 60; minute < until; minute += 60) {
		bool due = runs_at(&c, zone, minute, &shown_until);

		if (due != (minute == next))
			fail_msg("%s %s: %lld", expression, zone_name, (long long)minute);
		if (!due && (minute / 60) % 97 != 0)
			continue;
		previous = due ? minute : previous;
		next = calendar_cron_next(&c, zone, minute);
		if (previous != -1)
			assert_int_equal(calendar_cron_previous(&c, zone, minute), previous);
	}
}

static void a_search_minute_by_minute_finds_the_same(void **state)
{
	static const char *const crons[] = {"30 2 * * *", "0 */2 * * *", "17 1-3 * * 0,3", "*/7 2 * * *",
		"0 0 13 * fri", "45 23,0 28-31 * *", "59 * * 3,10 *"};
	static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
		"Africa/Casablanca", "Africa/Cairo", "America/Nuuk"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(crons) * COUNT_OF(zones); i++) {
		const char *expression = crons[i % COUNT_OF(crons)], *zone = zones[i / COUNT_OF(crons)];

		search(expression, zone, moment("2026-02-10T00:00"), moment("2026-04-30T00:00"));
		search(expression, zone, moment("2026-10-01T00:00"), moment("2026-11-05T00:00"));
	}
}

static void what_never_comes_is_not_waited_for(void **state)
{
	struct cron leap = cron_of("0 0 29 2 *"), daily = cron_of("0 0 * * *"), often = cron_of("* * * * *");
	struct cron never = often;

	(void)state;
	never.months = 0;
	assert_int_equal(calendar_cron_next(&leap, NULL, moment("2096-03-01T00:00")), -1);
	assert_int_equal(calendar_cron_previous(&leap, NULL, moment("2104-01-01T00:00")), -1);
	assert_int_equal(calendar_cron_next(&never, calendar_zone("Europe/Berlin"), 1777601404), -1);
	assert_int_equal(calendar_cron_previous(&never, calendar_zone("Europe/Berlin"), 1777601404), -1);
	assert_int_equal(calendar_cron_next(&daily, NULL, INT64_MAX), -1);
	assert_int_equal(calendar_cron_next(&often, NULL, INT64_MIN), -1);
	assert_int_equal(calendar_cron_previous(&daily, NULL, INT64_MIN), -1);
	assert_int_equal(calendar_cron_previous(&often, NULL, INT64_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_become_sets),
		cmocka_unit_test(wrong_expressions_are_explained),
		cmocka_unit_test(runs_are_found_where_people_expect_them),
		cmocka_unit_test(a_search_minute_by_minute_finds_the_same),
		cmocka_unit_test(what_never_comes_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
