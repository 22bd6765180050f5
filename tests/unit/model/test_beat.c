/* SPDX-License-Identifier: ISC */
/*
 * beat: what is admitted, what is remembered, and how fresh it then is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/beat.h"

/* 2026-05-01 00:00:00 UTC, and a machine that booted 1000 s before it. */
#define MIDNIGHT_S INT64_C(1777593600)
#define S US_PER_S

static struct moment at(double seconds)
{
	int64_t us = (int64_t)(seconds * 1e6);

	return (struct moment){.wall_us = MIDNIGHT_S * S + us, .boot_us = 1000 * S + us, .boot_id = 7};
}

static const struct heartbeat_rules simple = {.max_age_ms = 300000, .window_ms = 300000};
static const struct heartbeat_rules with_grace = {.max_age_ms = 300000, .grace_ms = 60000, .window_ms = 300000};
static char every_three[] = "0 3 * * *", taipei[] = "Asia/Taipei";
static const struct heartbeat_rules scheduled = {
	.schedule = every_three, .timezone = taipei, .grace_ms = 600000, .window_ms = 300000};

/* ---- admitting */

static const struct {
	const char *name;
	double client;  /* client's time, seconds from MIDNIGHT */
	double last;    /* newest accepted one; < -1e6: never beat */
	double now;
	enum beat_verdict verdict;
} admissions[] = {
	{"the first", 0, -1e9, 0, BEAT_OK},
	{"newer by a microsecond", 10.000001, 10, 12, BEAT_OK},
	{"the same again", 10, 10, 12, BEAT_NOT_NEWER},
	{"older", 9, 10, 12, BEAT_NOT_NEWER},
	{"at the window's old edge", 0, -1e9, 300, BEAT_OK},
	{"beyond it", 0, -1e9, 300.000001, BEAT_OUTSIDE_WINDOW},
	{"at the window's new edge", 300, -1e9, 0, BEAT_OK},
	{"beyond it", 300.000001, -1e9, 0, BEAT_OUTSIDE_WINDOW},
	{"the newest is of a clock that was a day ahead", 10, 86400, 12, BEAT_OK},
	{"far off and older: its clock is named, not a replay", -7200, 10, 12, BEAT_OUTSIDE_WINDOW},
};

static void beats_are_admitted_by_their_own_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(admissions); i++) {
		struct beat_last last = {.last_time_us = at(admissions[i].last).wall_us};
		struct beat beat = {.has_time = true, .time_us = at(admissions[i].client).wall_us};
		struct moment now = at(admissions[i].now);
		bool beaten = admissions[i].last > -1e6;

		if (beat_admit(&simple, beaten ? &last : NULL, &beat, &now) != admissions[i].verdict)
			fail_msg("%s", admissions[i].name);
	}
}

static void absurd_times_are_outside_the_window(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, -1};
	struct moment now = at(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct beat beat = {.has_time = true, .time_us = times[i]};

		assert_int_equal(beat_admit(&simple, NULL, &beat, &now), BEAT_OUTSIDE_WINDOW);
	}
}

static void a_beat_without_time_is_always_admitted(void **state)
{
	struct beat_last last = {.last_time_us = at(100).wall_us};
	struct beat beat = {.has_time = false};
	struct moment now = at(0);

	(void)state;
	assert_int_equal(beat_admit(&simple, &last, &beat, &now), BEAT_OK);
}

/* ---- applying: a story per row; "s" success "S" start "f" fail "l" log, with an optional run id */

static void apply(struct beat_last *last, const char *what, double when)
{
	static const struct {
		char letter;
		enum beat_kind kind;
	} kinds[] = {{'s', BEAT_SUCCESS}, {'S', BEAT_START}, {'f', BEAT_FAIL}, {'l', BEAT_LOG}};
	struct moment now = at(when);
	struct beat beat = {.exit_status = -1, .length_us = -1, .rid = what[1] ? what + 1 : NULL};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (kinds[i].letter == what[0])
			beat.kind = kinds[i].kind;
	}
	beat_apply(last, &beat, &now);
}

static const struct {
	const char *name;
	const char *steps[5]; /* 10 s apart */
	int64_t run_s;        /* of the newest finished run, -1 unknown */
	bool running;
} runs[] = {
	{"start, success", {"S", "s"}, 10, false},
	{"start, fail", {"S", "f"}, 10, false},
	{"success alone", {"s"}, -1, false},
	{"start alone", {"S"}, -1, true},
	{"a log between does not matter", {"S", "l", "s"}, 20, false},
	{"same run id", {"Sa", "sa"}, 10, false},
	{"another run's success leaves it running", {"Sa", "sb"}, -1, true},
	{"... and then its own ends it", {"Sa", "sb", "sa"}, 20, false},
	{"a failure of any run ends it", {"Sa", "fb"}, -1, false},
	{"a success without run id ends it", {"Sa", "s"}, -1, false},
	{"a second start is the one that counts", {"Sa", "Sb", "sb"}, 10, false},
};

static void runs_are_paired_by_their_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(runs); i++) {
		struct beat_last last = BEAT_LAST_INIT;

		for (size_t j = 0; j < COUNT_OF(runs[i].steps) && runs[i].steps[j]; j++)
			apply(&last, runs[i].steps[j], (double)j * 10);
		if (last.run_us != (runs[i].run_s < 0 ? -1 : runs[i].run_s * S) ||
			(last.started.wall_us != 0) != runs[i].running)
			fail_msg("%s: run %lld us", runs[i].name, (long long)last.run_us);
		beat_last_clear(&last);
	}
}

static void a_length_that_the_client_measured_wins(void **state)
{
	struct beat_last last = BEAT_LAST_INIT;
	struct beat beat = {.kind = BEAT_SUCCESS, .length_us = 1234, .exit_status = 0};
	struct moment now = at(50);

	(void)state;
	apply(&last, "S", 0);
	beat_apply(&last, &beat, &now);
	assert_int_equal(last.run_us, 1234);
	assert_int_equal(last.exit_status, 0);
	assert_int_equal(last.count, 2);
	assert_int_equal(last.any.wall_us, now.wall_us);
	beat_last_clear(&last);
}

static void long_messages_are_cut_and_kept_until_the_next_one(void **state)
{
	struct beat_last last = BEAT_LAST_INIT;
	struct text msg = TEXT_INIT;
	struct beat beat = {.kind = BEAT_LOG};
	struct moment now = at(0);

	(void)state;
	for (int i = 0; i < 4000; i++)
		text_raw(&msg, "\xe7\x9b\xa3");
	beat.msg = text_str(&msg);
	beat_apply(&last, &beat, &now);
	assert_int_equal(strlen(last.msg), 9999);
	apply(&last, "s", 10);
	assert_int_equal(strlen(last.msg), 9999);
	beat.msg = "";
	beat_apply(&last, &beat, &now);
	assert_string_equal(last.msg, "");
	beat_last_clear(&last);
	text_free(&msg);
}

static void only_a_beat_with_a_time_moves_the_replay_guard(void **state)
{
	struct beat_last last = BEAT_LAST_INIT;
	struct beat beat = {.kind = BEAT_SUCCESS, .has_time = true, .time_us = 42};
	struct moment now = at(0);

	(void)state;
	beat_apply(&last, &beat, &now);
	apply(&last, "s", 10);
	assert_int_equal(last.last_time_us, 42);
	beat_last_clear(&last);
}

/* ---- ageing */

struct ageing {
	const char *name;
	const struct heartbeat_rules *rules;
	const char *steps[4];
	double when[4];
	double now, grace_from; /* grace_from 0: none */
	enum freshness freshness;
	bool answers_200;
};

/* In Taipei MIDNIGHT is 08:00; the next 03:00 is 19 h later. */
#define THREE (19 * 3600)
#define DAY 86400

static const struct ageing ages[] = {
	{"received in the future is late", &simple, {"s"}, {1000}, 100, 0, FRESH_LATE, false},
	{"not while our own downtime is fresh", &simple, {"s"}, {1000}, 100, 50, FRESH, true},
	{"and no longer", &simple, {"s"}, {1000}, 351, 50, FRESH_LATE, false},
	{"nor is a run that began in the future unfinished", &simple, {"s", "S"}, {1000, 1001}, 100, 50, FRESH, true},
	{"until that time is over", &simple, {"S"}, {1001}, 351, 50, FRESH_UNFINISHED, false},
	{"a schedule goes on from our own downtime", &scheduled, {"s"}, {3 * DAY}, THREE + 600, 50, FRESH, true},
	{"and is late when it is late", &scheduled, {"s"}, {3 * DAY}, THREE + 601, 50, FRESH_LATE, false},
	{"never", &simple, {NULL}, {0}, 0, 0, FRESH_NEVER, false},
	{"just now", &simple, {"s"}, {0}, 0, 0, FRESH, true},
	{"at the deadline", &simple, {"s"}, {0}, 300, 0, FRESH, true},
	{"past it", &simple, {"s"}, {0}, 300.000001, 0, FRESH_LATE, false},
	{"a log does not refresh", &simple, {"s", "l"}, {0, 200}, 400, 0, FRESH_LATE, false},
	{"a log alone does not arm", &simple, {"l"}, {0}, 1000, 0, FRESH_NEVER, false},
	{"failed after success", &simple, {"s", "f"}, {0, 10}, 20, 0, FRESH_FAILED, false},
	{"success after failed", &simple, {"f", "s"}, {0, 10}, 20, 0, FRESH, true},
	{"failed in the same instant, later", &simple, {"s", "f"}, {5, 5}, 20, 0, FRESH_FAILED, false},
	{"success in the same instant, later", &simple, {"f", "s"}, {5, 5}, 20, 0, FRESH, true},
	{"failed first", &simple, {"f"}, {0}, 10, 0, FRESH_FAILED, false},
	{"started is not yet anything", &simple, {"S"}, {0}, 300, 0, FRESH_NEVER, false},
	{"started and never finished", &simple, {"S"}, {0}, 301, 0, FRESH_UNFINISHED, false},
	{"a run of another id unfinished: GET does not mind", &simple, {"s", "Sa", "sb"}, {0, 10, 290}, 320,
		0, FRESH_UNFINISHED, true},
	{"a run may take as long as grace", &with_grace, {"s", "S"}, {0, 10}, 70, 0, FRESH, true},
	{"and no longer", &with_grace, {"s", "S"}, {0, 10}, 71, 0, FRESH_UNFINISHED, true},
	{"but grace is none for what is late", &with_grace, {"s"}, {0}, 301, 0, FRESH_LATE, false},
	{"our own downtime gives a full max_age", &simple, {"s"}, {0}, 1000, 900, FRESH, true},
	{"but no more", &simple, {"s"}, {0}, 1201, 900, FRESH_LATE, false},
	{"downtime gives a started run time too", &simple, {"s", "S"}, {0, 10}, 1000, 900, FRESH, true},
	{"downtime that ends in the future is a stepped clock", &simple, {"s"}, {0}, 1000, 5000, FRESH_LATE,
		false},

	{"scheduled: fresh until the next time and grace", &scheduled, {"s"}, {0}, THREE + 600, 0, FRESH,
		true},
	{"scheduled: late after", &scheduled, {"s"}, {0}, THREE + 601, 0, FRESH_LATE, false},
	{"scheduled: a beat counts for its own time", &scheduled, {"s"}, {THREE + 5}, THREE + DAY + 600, 0,
		FRESH, true},
	{"scheduled: a beat a second too early does too", &scheduled, {"s"}, {THREE - 1}, THREE + DAY + 600,
		0, FRESH, true},
	{"scheduled: a beat three seconds too early does not", &scheduled, {"s"}, {THREE - 3}, THREE + 601,
		0, FRESH_LATE, false},
	{"scheduled: a beat two seconds too early does", &scheduled, {"s"}, {THREE - 2}, THREE + 601, 0,
		FRESH, true},
	{"scheduled: a beat a minute too early does not", &scheduled, {"s"}, {THREE - 60}, THREE + 601, 0,
		FRESH_LATE, false},
	{"scheduled: our downtime gives fresh grace", &scheduled, {"s"}, {0}, THREE + 4000, THREE + 3600,
		FRESH, true},
	{"scheduled: and no more", &scheduled, {"s"}, {0}, THREE + 4201, THREE + 3600, FRESH_LATE, false},
	{"scheduled: our downtime long before does not matter", &scheduled, {"s"}, {0}, THREE + 601, 3600,
		FRESH_LATE, false},
};

static void beats_age_by_when_they_were_received(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ages); i++) {
		const struct ageing *row = &ages[i];
		struct beat_last last = BEAT_LAST_INIT;
		struct moment now = at(row->now);
		struct beat_age age;

		for (size_t j = 0; j < COUNT_OF(row->steps) && row->steps[j]; j++)
			apply(&last, row->steps[j], row->when[j]);
		age = beat_age(
			row->rules, &last, &now, row->grace_from > 0 ? at(row->grace_from).wall_us : 0);
		if (age.freshness != row->freshness || age.answers_200 != row->answers_200)
			fail_msg("%s: freshness %d, 200 %d", row->name, age.freshness, age.answers_200);
		beat_last_clear(&last);
	}
}

static void ages_and_deadlines_are_given(void **state)
{
	struct beat_last last = BEAT_LAST_INIT;
	struct moment now = at(12.3);
	struct beat_age age;

	(void)state;
	age = beat_age(&simple, &last, &now, 0);
	assert_int_equal(age.age_us, -1);
	assert_int_equal(age.deadline_us, 0);
	assert_int_equal(age.max_age_us, 300 * S);
	apply(&last, "s", 0);
	age = beat_age(&simple, &last, &now, 0);
	assert_int_equal(age.age_us, 12300000);
	assert_int_equal(age.max_age_us, 300 * S);
	assert_int_equal(age.deadline_us, at(300).wall_us);
	age = beat_age(&scheduled, &last, &now, 0);
	assert_int_equal(age.max_age_us, (THREE + 600) * S);
	assert_int_equal(age.deadline_us, at(THREE + 600).wall_us);
	beat_last_clear(&last);
}

/* The wall clock of "now" is stepped by this many seconds; 60 s really passed since the success. */
static const struct {
	double step;
	bool reboot;
	enum freshness freshness;
} steps[] = {
	{0, false, FRESH},
	{86400, false, FRESH},
	{-86400, false, FRESH},
	{0, true, FRESH},
	{86400, true, FRESH_LATE},
	{-86400, true, FRESH_LATE}, /* received in what is now the future: not fresh */
};

static void a_stepped_wall_clock_makes_nobody_late(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct beat_last last = BEAT_LAST_INIT;
		struct moment now = at(60);
		struct beat_age age;

		apply(&last, "s", 0);
		now.wall_us += (int64_t)steps[i].step * S;
		if (steps[i].reboot) {
			now.boot_id = 8;
			now.boot_us = 5 * S;
		}
		age = beat_age(&simple, &last, &now, 0);
		assert_int_equal(age.freshness, steps[i].freshness);
		assert_true(age.age_us >= 0);
		beat_last_clear(&last);
	}
}

static void scheduled_times_follow_daylight_saving(void **state)
{
	static char two_thirty[] = "30 2 * * *", berlin[] = "Europe/Berlin";
	const struct heartbeat_rules rules = {.schedule = two_thirty, .timezone = berlin, .grace_ms = 60000};
	/* 2026-03-28 02:30 in Berlin (UTC+1) is 01:30 UTC; on the 29th 02:30 does not exist: at the jump,
	   03:00 summer time = 01:00 UTC. */
	int64_t saturday_s = INT64_C(1774661400);
	struct beat_last last = BEAT_LAST_INIT;
	struct moment now = {.wall_us = saturday_s * S, .boot_us = 1, .boot_id = 1};
	struct beat beat = {.kind = BEAT_SUCCESS, .length_us = -1};

	(void)state;
	beat_apply(&last, &beat, &now);
	assert_int_equal(
		beat_age(&rules, &last, &now, 0).deadline_us, (saturday_s + 23 * 3600 + 1800 + 60) * S);
	beat_last_clear(&last);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(beat_kind_name(BEAT_SUCCESS), "success");
	assert_string_equal(beat_kind_name(BEAT_START), "start");
	assert_string_equal(beat_kind_name(BEAT_FAIL), "fail");
	assert_string_equal(beat_kind_name(BEAT_LOG), "log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beats_are_admitted_by_their_own_time),
		cmocka_unit_test(absurd_times_are_outside_the_window),
		cmocka_unit_test(a_beat_without_time_is_always_admitted),
		cmocka_unit_test(runs_are_paired_by_their_id),
		cmocka_unit_test(a_length_that_the_client_measured_wins),
		cmocka_unit_test(long_messages_are_cut_and_kept_until_the_next_one),
		cmocka_unit_test(only_a_beat_with_a_time_moves_the_replay_guard),
		cmocka_unit_test(beats_age_by_when_they_were_received),
		cmocka_unit_test(ages_and_deadlines_are_given),
		cmocka_unit_test(a_stepped_wall_clock_makes_nobody_late),
		cmocka_unit_test(scheduled_times_follow_daylight_saving),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests_name("beat", tests, NULL, NULL);
}
