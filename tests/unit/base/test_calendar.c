/* SPDX-License-Identifier: ISC */
/*
 * calendar: durations, dates as protocols write them, and time zones. Zones are checked against the C
 * library over two centuries, and against a search minute by minute for what DST skips and repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/calendar.h"
#include "base/file.h"
#include "base/mem.h"

/* ---- durations --------------------------------------------------------------------------------------- */

static void durations_are_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *s;
		bool ok;
		int64_t ms;
	} rows[] = {
		{"500ms", true, 500},
		{"30s", true, 30000},
		{"5m", true, 300000},
		{"1h", true, 3600000},
		{"2d", true, 172800000},
		{"0s", true, 0},
		{"090s", true, 90000},
		{"106751991167d", true, INT64_C(9223372036828800000)},
		{"106751991168d", false, 0},
		{"9223372036854775807ms", true, INT64_MAX},
		{"9223372036854775808ms", false, 0},
		{"99999999999999999999s", false, 0},
		{"", false, 0},
		{"5", false, 0},
		{"m", false, 0},
		{"5 m", false, 0},
		{" 5m", false, 0},
		{"5m ", false, 0},
		{"-5m", false, 0},
		{"+5m", false, 0},
		{"1.5h", false, 0},
		{"5M", false, 0},
		{"5min", false, 0},
		{"1h30m", false, 0},
		{"1w", false, 0},
		{"5us", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t ms = 0;

		if (calendar_parse_duration(rows[i].s, &ms) != rows[i].ok)
			fail_msg("\"%s\"", rows[i].s);
		if (rows[i].ok)
			assert_true(ms == rows[i].ms);
	}
}

static void durations_are_written_in_the_largest_exact_unit(void **state)
{
	static const struct {
		int64_t ms;
		const char *s;
	} rows[] = {
		{0, "0s"},
		{1, "1ms"},
		{1500, "1500ms"},
		{1000, "1s"},
		{90000, "90s"},
		{300000, "5m"},
		{3600000, "1h"},
		{5400000, "90m"},
		{86400000, "1d"},
		{90000000, "25h"},
		{-300000, "-5m"},
		{INT64_MAX, "9223372036854775807ms"},
		{INT64_MIN, "-9223372036854775808ms"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;
		int64_t ms;

		calendar_put_duration(&t, rows[i].ms);
		assert_string_equal(text_str(&t), rows[i].s);
		if (rows[i].ms >= 0) {
			assert_true(calendar_parse_duration(text_str(&t), &ms));
			assert_true(ms == rows[i].ms);
		}
		text_free(&t);
	}
}

/* ---- dates in UTC ------------------------------------------------------------------------------------ */

static const struct {
	int64_t unix_s;
	const char *iso, *http;
} dates[] = {
	{0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
	{-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
	{784111777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
	{951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
	{1777601404, "2026-05-01T02:10:04Z", "Fri, 01 May 2026 02:10:04 GMT"},
	{INT64_C(4102444799), "2099-12-31T23:59:59Z", "Thu, 31 Dec 2099 23:59:59 GMT"},
	{INT64_C(4107542399), "2100-02-28T23:59:59Z", "Sun, 28 Feb 2100 23:59:59 GMT"},
	{INT64_C(4107542400), "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
	{INT64_C(253402300799), "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
	{INT64_C(-62167219200), "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
};

static void dates_are_written_and_read_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(dates); i++) {
		struct text iso = TEXT_INIT, http = TEXT_INIT, mail = TEXT_INIT;
		int64_t again = 0;

		calendar_put_iso(&iso, dates[i].unix_s);
		calendar_put_http_date(&http, dates[i].unix_s);
		calendar_put_mail_date(&mail, dates[i].unix_s);
		assert_string_equal(text_str(&iso), dates[i].iso);
		assert_string_equal(text_str(&http), dates[i].http);
		assert_memory_equal(text_str(&mail), dates[i].http, 26);
		assert_string_equal(text_str(&mail) + 26, "+0000");
		assert_true(calendar_parse_http_date(dates[i].http, &again));
		assert_true(again == dates[i].unix_s);
		text_free(&iso);
		text_free(&http);
		text_free(&mail);
	}
}

static void impossible_moments_are_the_nearest_possible(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	calendar_put_iso(&t, INT64_MAX);
	assert_string_equal(text_str(&t), "9999-12-31T23:59:59Z");
	text_clear(&t);
	calendar_put_iso(&t, INT64_MIN);
	assert_string_equal(text_str(&t), "0000-01-01T00:00:00Z");
	text_clear(&t);
	calendar_put_local(&t, calendar_zone("Asia/Taipei"), INT64_MAX);
	assert_string_equal(text_str(&t), "9999-12-31 23:59:59");
	text_free(&t);
}

static void a_clock_is_written_for_programs_and_for_people(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{0, "0 (1970-01-01T00:00:00Z)"},
		{1777601404500000, "1777601404.5 (2026-05-01T02:10:04Z)"},
		{253402300799999999, "253402300799.999999 (9999-12-31T23:59:59Z)"},
		{253402300800000000, "253402300800"},
		{-1, "-0.000001"},
		{INT64_MIN, "-9223372036854.775808"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;

		calendar_put_clock(&t, rows[i].us);
		assert_string_equal(text_str(&t), rows[i].text);
		text_free(&t);
	}
}

static void what_is_no_http_date_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"120",
		"Fri, 01 May 2026 02:10:04",
		"Fri, 01 May 2026 02:10:04 GMT ",
		" Fri, 01 May 2026 02:10:04 GMT",
		"Fri, 01 May 2026 02:10:04 UTC",
		"fri, 01 May 2026 02:10:04 GMT",
		"Thu, 01 May 2026 02:10:04 GMT",
		"Fri, 1 May 2026 02:10:04 GMT",
		"Fri, 01 may 2026 02:10:04 GMT",
		"Fri, 01 Mai 2026 02:10:04 GMT",
		"Mon, 30 Feb 2026 02:10:04 GMT",
		"Sun, 00 May 2026 02:10:04 GMT",
		"Fri, 01 May 2026 24:10:04 GMT",
		"Fri, 01 May 2026 02:60:04 GMT",
		"Fri, 01 May 2026 02:10:60 GMT",
		"Fri, 01 May 2026 0a:10:04 GMT",
		"Fri, 01 May -026 02:10:04 GMT",
		"Friday, 01-May-26 02:10:04 GMT",
		"Fri May  1 02:10:04 2026",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t unix_s;

		if (calendar_parse_http_date(rows[i], &unix_s))
			fail_msg("\"%s\" was taken", rows[i]);
	}
}

/* ---- zones ------------------------------------------------------------------------------------------- */

static void local_times_are_those_of_the_zone(void **state)
{
	static const struct {
		const char *zone;
		int64_t unix_s;
		const char *local;
		int offset_s;
	} rows[] = {
		{"UTC", 1777601404, "2026-05-01 02:10:04", 0},
		{"Asia/Taipei", 1777601404, "2026-05-01 10:10:04", 28800},
		{"Europe/Berlin", 1774745999, "2026-03-29 01:59:59", 3600},
		{"Europe/Berlin", 1774746000, "2026-03-29 03:00:00", 7200},
		{"Europe/Berlin", 1792889999, "2026-10-25 02:59:59", 7200},
		{"Europe/Berlin", 1792890000, "2026-10-25 02:00:00", 3600},
		{"America/New_York", INT64_C(4110001200), "2100-03-29 07:00:00", -14400}, /* by the rule */
		{"Australia/Lord_Howe", 1775314800, "2026-04-05 01:30:00", 37800},
		{"Asia/Kathmandu", 0, "1970-01-01 05:30:00", 19800},
		{"Pacific/Apia", 1325239200, "2011-12-31 00:00:00", 50400},
		{"Pacific/Apia", 1325239199, "2011-12-29 23:59:59", -36000},
		{"Etc/GMT+8", 0, "1969-12-31 16:00:00", -28800},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct zone *zone = calendar_zone(rows[i].zone);
		struct text t = TEXT_INIT;
		struct civil c;

		assert_non_null(zone);
		calendar_put_local(&t, zone, rows[i].unix_s);
		assert_string_equal(text_str(&t), rows[i].local);
		calendar_civil(zone, rows[i].unix_s, &c);
		assert_int_equal(c.utc_offset_s, rows[i].offset_s);
		text_free(&t);
	}
}

static const char *const many_zones[] = {
	"UTC", "Asia/Taipei", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York",
	"America/Los_Angeles", "America/Sao_Paulo", "America/Nuuk", "America/St_Johns", "Australia/Lord_Howe",
	"Australia/Sydney", "Pacific/Apia", "Pacific/Chatham", "Pacific/Auckland", "Africa/Casablanca",
	"Africa/Cairo", "Asia/Gaza", "Asia/Tehran", "Asia/Kolkata", "Asia/Jerusalem", "Antarctica/Troll",
	"America/Asuncion", "Asia/Pyongyang", "EST5EDT", "Etc/GMT-14"};

static void assert_as_the_library(const char *name, int64_t unix_s)
{
	struct civil c;
	time_t when = (time_t)unix_s;
	struct tm tm;

	calendar_civil(calendar_zone(name), unix_s, &c);
	localtime_r(&when, &tm);
	if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 || c.day != tm.tm_mday ||
		c.hour != tm.tm_hour || c.minute != tm.tm_min || c.second != tm.tm_sec ||
		c.weekday != tm.tm_wday || c.utc_offset_s != tm.tm_gmtoff)
		fail_msg("%s at %lld: %d-%d-%d %d:%d:%d %+d", name, (long long)unix_s, c.year, c.month, c.day,
			c.hour, c.minute, c.second, c.utc_offset_s);
}

static void zones_agree_with_the_library(void **state)
{
	const int64_t from = INT64_C(-2208988800), until = INT64_C(5364662400); /* 1900 to 2140 */

	(void)state;
	for (size_t i = 0; i < COUNT_OF(many_zones); i++) {
		assert_non_null(calendar_zone(many_zones[i]));
		setenv("TZ", many_zones[i], 1);
		tzset();
		for (int64_t t = from; t < until; t += 83 * 3600 + 17 * 60 + 13)
			assert_as_the_library(many_zones[i], t);
	}
	unsetenv("TZ");
	tzset();
}

static struct civil shown(const struct zone *zone, int64_t unix_s)
{
	struct civil c;

	calendar_civil(zone, unix_s, &c);
	return c;
}

/* Around each change of offset in 2020..2031: the first moment that shows a local time, found by trying. */
static void local_times_lead_back_to_their_first_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(many_zones); i++) {
		const struct zone *zone = calendar_zone(many_zones[i]);
		int64_t from = 1577836800, until = 1956528000, step = 6 * 3600;

		for (int64_t t = from; t < until; t += step) {
			if (shown(zone, t).utc_offset_s == shown(zone, t + step).utc_offset_s)
				continue;
			for (int64_t local = t - 4 * 3600; local < t + step + 4 * 3600; local += 600) {
				int64_t local_s = local + shown(zone, t).utc_offset_s, want = t - 12 * 3600;
				struct civil c = shown(NULL, local_s);

				while (want + shown(zone, want).utc_offset_s < local_s)
					want += 300;
				if (calendar_unix(zone, &c) != want)
					fail_msg("%s: local %lld gives %lld, not %lld", many_zones[i],
						(long long)local_s, (long long)calendar_unix(zone, &c),
						(long long)want);
			}
		}
	}
}

static void a_skipped_time_is_the_jump_and_a_repeated_one_the_first(void **state)
{
	static const struct {
		struct civil when;
		int64_t unix_s;
	} rows[] = {
		{{.year = 2026, .month = 3, .day = 29, .hour = 1, .minute = 59, .second = 59}, 1774745999},
		{{.year = 2026, .month = 3, .day = 29, .hour = 2}, 1774746000},
		{{.year = 2026, .month = 3, .day = 29, .hour = 2, .minute = 30}, 1774746000},
		{{.year = 2026, .month = 3, .day = 29, .hour = 3}, 1774746000},
		{{.year = 2026, .month = 3, .day = 29, .hour = 3, .second = 1}, 1774746001},
		{{.year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30}, 1792888200},
		{{.year = 2026, .month = 10, .day = 25, .hour = 3}, 1792893600},
		{{.year = 2026, .month = 2, .day = 31}, 1772492400}, /* 3 March: days run over */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(calendar_unix(calendar_zone("Europe/Berlin"), &rows[i].when), rows[i].unix_s);
}

static void names_that_are_no_zones_give_none(void **state)
{
	static const char *const names[] = {"", "Nowhere/Land", "/etc/localtime", "../zoneinfo/UTC", "Europe/../UTC",
		"Europe", "zone.tab", "Europe/Berlin ", "Europe/Berlin\n", "UTC\\", "right/UTC/",
		"Europe//////////////////////////////////////////////////////////////Berlin"};

	(void)state;
	assert_null(calendar_zone(NULL));
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_null(calendar_zone(names[i]));
	assert_ptr_equal(calendar_zone("Europe/Berlin"), calendar_zone("Europe/Berlin"));
}

/* ---- odd and broken zone files ----------------------------------------------------------------------- */

/* A TZif file: one head and block for each version, from counts and bytes given as literals. */
struct recipe {
	const char *name;
	char version;
	const char *times;   /* n_times * width bytes of the block that counts */
	uint32_t n_times;
	const char *indexes, *types;
	uint32_t n_types, n_leap;
	const char *footer;
	size_t cut;  /* bytes to leave out at the end */
	bool loads;
	const char *at_2026; /* 2026-07-01 00:00:00 UTC shown there */
};

#define TYPE_PLUS1 "\0\0\x0e\x10\0\0"
#define TYPE_PLUS2 "\0\0\x1c\x20\1\0"
#define TYPE_WILD "\x7f\xff\xff\xff\0\0"

static const struct recipe recipes[] = {
	{"V1", 0, "\x40\0\0\0", 1, "\1", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "", 0, true, "2026-07-01 02:00:00"},
	{"V2", '2', "\0\0\0\0\x40\0\0\0", 1, "\1", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "\n\n", 0, true,
		"2026-07-01 02:00:00"},
	{"Rule", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-3\n", 0, true, "2026-07-01 03:00:00"},
	{"Angle", '3', "", 0, "", TYPE_PLUS1, 1, 0, "\n<+0330>-3:30\n", 0, true, "2026-07-01 03:30:00"},
	{"Seconds", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA+1:02:03\n", 0, true, "2026-06-30 22:57:57"},
	{"Dst", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M3.5.0,M10.5.0/3\n", 0, true,
		"2026-07-01 02:00:00"},
	{"South", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M10.1.0,M4.1.0/3\n", 0, true,
		"2026-07-01 01:00:00"},
	{"Double", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB-3,M3.5.0,M10.5.0/3\n", 0, true,
		"2026-07-01 03:00:00"},
	{"Julian", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,J182/2,J183\n", 0, true, "2026-07-01 01:00:00"},
	{"Day", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,180,182\n", 0, true, "2026-07-01 02:00:00"},
	{"Always", '3', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,0/0,J365/25\n", 0, true,
		"2026-07-01 02:00:00"},
	{"Negative", '3', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M3.4.4/-50,M10.4.4/50\n", 0, true,
		"2026-07-01 02:00:00"},
	{"NoTypes", '2', "", 0, "", "", 0, 0, "\nUTC0\n", 0, false, NULL},
	{"BadIndex", 0, "\x40\0\0\0", 1, "\2", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "", 0, false, NULL},
	{"Backwards", 0, "\x40\0\0\0\x3f\0\0\0", 2, "\0\1", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "", 0, false, NULL},
	{"Same", 0, "\x40\0\0\0\x40\0\0\0", 2, "\0\1", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "", 0, false, NULL},
	{"Wild", 0, "", 0, "", TYPE_WILD, 1, 0, "", 0, false, NULL},
	{"Leap", 0, "", 0, "", TYPE_PLUS1 "\0\0\0\1\0\0\0\1", 1, 1, "", 0, false, NULL},
	{"Cut", 0, "\x40\0\0\0", 1, "\1", TYPE_PLUS1 TYPE_PLUS2, 2, 0, "", 1, false, NULL},
	{"NoFooter", '2', "", 0, "", TYPE_PLUS1, 1, 0, "", 0, false, NULL},
	{"OpenFooter", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nUTC0", 0, false, NULL},
	{"BadRule", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB\n", 0, false, NULL},
	{"ShortName", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAA-1\n", 0, false, NULL},
	{"NoOffset", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA\n", 0, false, NULL},
	{"OpenAngle", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\n<+01\n", 0, false, NULL},
	{"Week6", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M3.6.0,M10.5.0\n", 0, false, NULL},
	{"Month0", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M0.5.0,M10.5.0\n", 0, false, NULL},
	{"Tail", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M3.5.0,M10.5.0x\n", 0, false, NULL},
	{"Hours", '2', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-25\n", 0, false, NULL},
	{"Turn168", '3', "", 0, "", TYPE_PLUS1, 1, 0, "\nAAA-1BBB,M3.5.0/168,M10.5.0\n", 0, false, NULL},
};

static void put_be32(struct text *t, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		text_char(t, (char)(value >> shift & 0xff));
}

static void put_head(struct text *t, char version, uint32_t n_leap, uint32_t n_times, uint32_t n_types)
{
	text_raw(t, "TZif");
	text_char(t, version);
	text_rawn(t, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	put_be32(t, 0);
	put_be32(t, 0);
	put_be32(t, n_leap);
	put_be32(t, n_times);
	put_be32(t, n_types);
	put_be32(t, 4);
}

static void cook(const struct recipe *r, const char *dir)
{
	char *path = file_join(dir, r->name);
	struct text t = TEXT_INIT;
	size_t width = r->version ? 8 : 4;

	if (r->version) {
		put_head(&t, r->version, 0, 0, 1);
		text_rawn(&t, TYPE_PLUS1 "AAA", 10);
	}
	put_head(&t, r->version, r->n_leap, r->n_times, r->n_types);
	text_rawn(&t, r->times, r->n_times * width);
	text_rawn(&t, r->indexes, r->n_times);
	text_rawn(&t, r->types, r->n_types * 6);
	text_rawn(&t, "AAA", 4);
	text_rawn(&t, r->types + r->n_types * 6, r->n_leap * (width + 4));
	text_raw(&t, r->footer);
	assert_true(file_write_atomic(path, t.ptr, t.len - r->cut, 0644, NULL));
	text_free(&t);
	free(path);
}

static void odd_zone_files_load_and_broken_ones_do_not(void **state)
{
	char dir[] = "/tmp/upbeat-test-zones-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("TZDIR", dir, 1);
	for (size_t i = 0; i < COUNT_OF(recipes); i++) {
		const struct recipe *r = &recipes[i];
		const struct zone *zone;
		struct text t = TEXT_INIT;
		char *path = file_join(dir, r->name);

		cook(r, dir);
		zone = calendar_zone(r->name);
		if ((zone != NULL) != r->loads)
			fail_msg("%s %s", r->name, zone ? "was taken" : "was refused");
		if (zone) {
			calendar_put_local(&t, zone, 1782864000);
			if (strcmp(text_str(&t), r->at_2026) != 0)
				fail_msg("%s shows %s", r->name, text_str(&t));
		}
		text_free(&t);
		unlink(path);
		free(path);
	}
	unsetenv("TZDIR");
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_a_number_and_a_unit),
		cmocka_unit_test(durations_are_written_in_the_largest_exact_unit),
		cmocka_unit_test(dates_are_written_and_read_again),
		cmocka_unit_test(impossible_moments_are_the_nearest_possible),
		cmocka_unit_test(a_clock_is_written_for_programs_and_for_people),
		cmocka_unit_test(what_is_no_http_date_is_refused),
		cmocka_unit_test(local_times_are_those_of_the_zone),
		cmocka_unit_test(zones_agree_with_the_library),
		cmocka_unit_test(local_times_lead_back_to_their_first_moment),
		cmocka_unit_test(a_skipped_time_is_the_jump_and_a_repeated_one_the_first),
		cmocka_unit_test(names_that_are_no_zones_give_none),
		cmocka_unit_test(odd_zone_files_load_and_broken_ones_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
