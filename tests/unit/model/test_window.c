/* SPDX-License-Identifier: ISC */
/*
 * window: texts, when they are active, and what daylight saving makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/mem.h"
#include "model/window.h"

/* "2026-05-01 02:00:00" in the zone. */
static int64_t when(const struct zone *zone, const char *text)
{
	struct civil c = {0};

	assert_int_equal(
		sscanf(text, "%d-%d-%d %d:%d:%d", &c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second),
		6);
	return calendar_unix(zone, &c);
}

static struct window parsed(const char *text)
{
	struct window w;
	const char *why;

	if (!window_parse(text, calendar_zone("Asia/Taipei"), &w, &why))
		fail_msg("%s: %s", text, why);
	return w;
}

/* Times are of the zone "at", texts that name no zone are of Taipei's. */
static const struct {
	const char *text, *at, *time;
	bool active;
	const char *next; /* change, in the same zone; NULL never */
} rows[] = {
	{"2026-05-01 02:00 for 2h", "Asia/Taipei", "2026-05-01 01:59:59", false, "2026-05-01 02:00:00"},
	{"2026-05-01 02:00 for 2h", "Asia/Taipei", "2026-05-01 02:00:00", true, "2026-05-01 04:00:00"},
	{"2026-05-01 02:00 for 2h", "Asia/Taipei", "2026-05-01 03:59:59", true, "2026-05-01 04:00:00"},
	{"2026-05-01 02:00 for 2h", "Asia/Taipei", "2026-05-01 04:00:00", false, NULL},
	{"2026-05-01 02:00 to 2026-05-02 01:30", "Asia/Taipei", "2026-05-01 23:00:00", true,
		"2026-05-02 01:30:00"},
	{"2026-05-01T02:00:30 for 30s", "Asia/Taipei", "2026-05-01 02:00:59", true, "2026-05-01 02:01:00"},
	{"2026-05-01T02:00Z for 1h", "UTC", "2026-05-01 02:30:00", true, "2026-05-01 03:00:00"},
	{"2026-05-01 02:00+08:00 for 1h in UTC", "UTC", "2026-04-30 18:30:00", true, "2026-04-30 19:00:00"},
	{"2026-05-01 02:00-02:30 for 1h", "UTC", "2026-05-01 04:30:00", true, "2026-05-01 05:30:00"},
	{"2026-05-01 02:00 for 1h in Europe/Berlin", "UTC", "2026-05-01 00:00:00", true,
		"2026-05-01 01:00:00"},

	/* 2026-05-01 is a Friday */
	{"mon-fri 09:00-18:00", "Asia/Taipei", "2026-05-01 08:59:59", false, "2026-05-01 09:00:00"},
	{"mon-fri 09:00-18:00", "Asia/Taipei", "2026-05-01 09:00:00", true, "2026-05-01 18:00:00"},
	{"mon-fri 09:00-18:00", "Asia/Taipei", "2026-05-01 18:00:00", false, "2026-05-04 09:00:00"},
	{"Mon-Fri 09:00-18:00 in UTC", "UTC", "2026-05-01 17:59:00", true, "2026-05-01 18:00:00"},
	{"sat,sun 00:00-24:00", "Asia/Taipei", "2026-05-02 12:00:00", true, "2026-05-04 00:00:00"},
	{"sat,sun 00:00-24:00", "Asia/Taipei", "2026-05-01 12:00:00", false, "2026-05-02 00:00:00"},
	{"fri-mon 00:00-24:00", "Asia/Taipei", "2026-05-02 12:00:00", true, "2026-05-05 00:00:00"},
	{"mon-wed,fri 10:00-11:00", "Asia/Taipei", "2026-04-30 10:30:00", false, "2026-05-01 10:00:00"},
	{"fri 09:00-10:00", "Asia/Taipei", "2026-05-01 10:00:00", false, "2026-05-08 09:00:00"},
	{"22:00-02:00", "Asia/Taipei", "2026-05-01 23:00:00", true, "2026-05-02 02:00:00"},
	{"22:00-02:00", "Asia/Taipei", "2026-05-01 01:00:00", true, "2026-05-01 02:00:00"},
	{"fri 22:00-02:00", "Asia/Taipei", "2026-05-02 01:00:00", true, "2026-05-02 02:00:00"},
	{"fri 22:00-02:00", "Asia/Taipei", "2026-05-01 01:00:00", false, "2026-05-01 22:00:00"},
	{"08:00-12:00,13:00-17:00", "Asia/Taipei", "2026-05-01 12:30:00", false, "2026-05-01 13:00:00"},
	{"08:00-13:00,12:00-17:00", "Asia/Taipei", "2026-05-01 12:30:00", true, "2026-05-01 17:00:00"},
	{"00:00-24:00", "Asia/Taipei", "2026-05-01 12:30:00", true, NULL},
	{"00:00-12:00,12:00-00:00", "Asia/Taipei", "2026-05-01 12:30:00", true, NULL},
	{"00:00-00:00", "Asia/Taipei", "2026-05-01 12:30:00", true, NULL},

	{"cron 0 3 * * sun for 2h", "Asia/Taipei", "2026-05-01 00:00:00", false, "2026-05-03 03:00:00"},
	{"cron 0 3 * * sun for 2h", "Asia/Taipei", "2026-05-03 03:00:00", true, "2026-05-03 05:00:00"},
	{"cron 0 3 * * sun for 2h", "Asia/Taipei", "2026-05-03 05:00:00", false, "2026-05-10 03:00:00"},
	{"cron @daily for 30m in Asia/Taipei", "Asia/Taipei", "2026-05-03 00:29:59", true,
		"2026-05-03 00:30:00"},
	{"cron 0 * * * * for 1h", "Asia/Taipei", "2026-05-03 00:29:59", true, NULL},
	{"cron * * * * * for 2m", "Asia/Taipei", "2026-05-03 00:29:59", true, NULL},
	{"cron 0,30 3 1 * * for 1h", "Asia/Taipei", "2026-05-02 00:00:00", false, "2026-06-01 03:00:00"},
	{"cron 0,30 3 * * * for 1h", "Asia/Taipei", "2026-05-03 03:10:00", true, "2026-05-03 04:30:00"},

	/* Berlin: the clocks skip 02:00-03:00 on 2026-03-29, and show 02:00-03:00 twice on 2026-10-25 */
	{"01:00-04:00 in Europe/Berlin", "UTC", "2026-03-29 00:30:00", true, "2026-03-29 02:00:00"},
	{"01:00-04:00 in Europe/Berlin", "UTC", "2026-10-25 00:30:00", true, "2026-10-25 03:00:00"},
	{"02:15-02:45 in Europe/Berlin", "UTC", "2026-03-28 12:00:00", false, "2026-03-30 00:15:00"},
	{"02:30-03:30 in Europe/Berlin", "UTC", "2026-03-29 01:00:00", true, "2026-03-29 01:30:00"},
	{"2026-03-29 01:30 for 1h in Europe/Berlin", "UTC", "2026-03-29 01:00:00", true,
		"2026-03-29 01:30:00"},
	{"cron 30 2 * * * for 1h in Europe/Berlin", "UTC", "2026-03-29 01:10:00", true,
		"2026-03-29 02:00:00"},
};

static void windows_open_and_close_when_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct zone *zone;
		struct window w;
		int64_t t, next;

		zone = calendar_zone(rows[i].at);
		assert_non_null(zone);
		w = parsed(rows[i].text);
		t = when(zone, rows[i].time);
		next = rows[i].next ? when(zone, rows[i].next) : WINDOW_NEVER;
		if (window_active(&w, t) != rows[i].active)
			fail_msg("%s at %s: active %d", rows[i].text, rows[i].time, !rows[i].active);
		if (window_next_change(&w, t) != next)
			fail_msg("%s at %s: next change %+lld s off", rows[i].text, rows[i].time,
				(long long)(window_next_change(&w, t) - next));
	}
}

/* What window_next_change() promises, asked minute by minute over the two changes of the clocks. */
static void changes_are_where_activity_changes(void **state)
{
	static const char *const texts[] = {"01:00-04:00 in Europe/Berlin", "02:30-03:30 in Europe/Berlin",
		"sat,sun 00:00-24:00 in Europe/Berlin", "cron 30 2 * * * for 90m in Europe/Berlin",
		"22:00-02:15 in Europe/Berlin"};
	static const char *const days[] = {"2026-03-28 12:00:00", "2026-10-24 12:00:00"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts) * COUNT_OF(days); i++) {
		struct window w = parsed(texts[i / COUNT_OF(days)]);
		int64_t t = when(NULL, days[i % COUNT_OF(days)]), end = t + 2 * 86400;
		int64_t next = window_next_change(&w, t);
		bool active = window_active(&w, t);

		for (; t < end; t += 60) {
			if (t >= next) {
				active = !active;
				next = window_next_change(&w, t);
			}
			if (window_active(&w, t) != active)
				fail_msg("%s: wrong at %lld", texts[i / COUNT_OF(days)], (long long)t);
		}
	}
}

static const struct {
	const char *text, *why; /* a part of it */
} bad[] = {
	{"", "empty"},
	{"   ", "empty"},
	{"whenever", "expected days"},
	{"mon-fry 09:00-18:00", "expected days"},
	{"mondays 10:00-11:00", "expected days"},
	{"mon-fri", "times of the day"},
	{"mon-fri 9:00-18:00", "times of the day"},
	{"mon-fri 09:00-25:00", "times of the day"},
	{"mon-fri 09:60-10:00", "times of the day"},
	{"mon-fri 24:00-02:00", "times of the day"},
	{"mon-fri 09:00", "times of the day"},
	{"mon-fri 09:00-18:00,", "times of the day"},
	{"mon-fri 09:00-18:00 please", "does not belong"},
	{"mon-fri 09:00-18:00 in Nowhere/Land", "no such time zone"},
	{"mon-fri 09:00-18:00 in ../../etc/passwd", "no such time zone"},
	{"2026-05-01 02:00", "\"for DURATION\" or \"to TIME\""},
	{"2026-05-01", "a time is expected"},
	{"2026-05-01X02:00 for 2h", "a time is expected"},
	{"2026-05-01 02:00sharp for 2h", "a time is expected"},
	{"2026-05-01 02:00+8 for 2h", "a time is expected"},
	{"9:00-10:00", "times of the day"},
	{"2026-13-01 02:00 for 2h", "a time is expected"},
	{"2026-02-30 02:00 for 2h", "a time is expected"},
	{"2026-05-01 02:61 for 2h", "a time is expected"},
	{"2026-05-01 02:00 for ever", "a duration is expected"},
	{"2026-05-01 02:00 for 90d", "31 days"},
	{"2026-05-01 02:00 for 2h or so", "\"for DURATION\" or \"to TIME\""},
	{"2026-05-01 02:00 to 2026-05-01 02:00", "not after"},
	{"2026-05-01 02:00 to tomorrow", "a time is expected"},
	{"2026-05-01 02:00 to 2026-05-01 04:00 or later", "a time is expected"},
	{"cron 0 3 * * sun", "ends in \"for DURATION\""},
	{"cron for 2h", "ends in \"for DURATION\""},
	{"cron 0 3 * * moonday for 2h", ""},
	{"cron 0 99 * * * for 2h", ""},
	{"cron 0 0 31 2 * for 1h", ""},
	{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "too long"},
	{"00:00-01:00,01:00-02:00,02:00-03:00,03:00-04:00,04:00-05:00,05:00-06:00,06:00-07:00,07:00-08:00,"
	 "08:00-09:00", "times of the day"},
	{"00:00-01:00,01:00-02:00,02:00-03:00,03:00-04:00,04:00-05:00,05:00-06:00,06:00-07:00,07:00-08:00,"
	 "08:00-09:00,09:00-10:00,10:00-11:00", "too long"},
};

static void bad_texts_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *why = NULL;
		struct window w;

		if (window_parse(bad[i].text, NULL, &w, &why))
			fail_msg("taken: %s", bad[i].text);
		if (!why || !*why || !strstr(why, bad[i].why))
			fail_msg("%s: %s", bad[i].text, why ? why : "(no reason)");
	}
}

static void the_next_span_is_given_whole(void **state)
{
	const struct zone *taipei = calendar_zone("Asia/Taipei");
	struct window w = parsed("sat,sun 00:00-24:00");
	int64_t from, to;

	(void)state;
	assert_true(window_next_span(&w, when(taipei, "2026-05-01 12:00:00"), &from, &to));
	assert_int_equal(from, when(taipei, "2026-05-02 00:00:00"));
	assert_int_equal(to, when(taipei, "2026-05-04 00:00:00"));
	w = parsed("2026-05-01 02:00 for 2h");
	assert_false(window_next_span(&w, when(taipei, "2026-05-01 12:00:00"), &from, &to));
}

static void a_list_is_active_when_one_is(void **state)
{
	static char weekend[] = "sat,sun 00:00-24:00", night[] = "22:00-02:00", broken[] = "never";
	char *texts[] = {broken, night, weekend};
	const struct zone *taipei = calendar_zone("Asia/Taipei");
	int64_t until;

	(void)state;
	assert_false(window_any_active(texts, 3, taipei, when(taipei, "2026-05-01 12:00:00"), &until));
	assert_true(window_any_active(texts, 3, taipei, when(taipei, "2026-05-01 23:00:00"), &until));
	assert_int_equal(until, when(taipei, "2026-05-02 02:00:00"));
	assert_true(window_any_active(texts, 3, taipei, when(taipei, "2026-05-02 01:00:00"), &until));
	assert_int_equal(until, when(taipei, "2026-05-04 00:00:00"));
	assert_false(window_any_active(NULL, 0, taipei, 0, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_open_and_close_when_they_say),
		cmocka_unit_test(changes_are_where_activity_changes),
		cmocka_unit_test(bad_texts_are_refused_with_a_reason),
		cmocka_unit_test(the_next_span_is_given_whole),
		cmocka_unit_test(a_list_is_active_when_one_is),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
