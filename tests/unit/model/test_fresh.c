/* SPDX-License-Identifier: ISC */
/*
 * fresh: when the prober's word is no longer taken, and how its rhythm is learnt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/fresh.h"

#define T0 (INT64_C(1770000000) * US_PER_S)
#define S US_PER_S

static const struct {
	int64_t cadence_s, limit_s;
} limits[] = {{0, 180}, {10, 180}, {60, 180}, {61, 183}, {300, 900}, {3600, 10800}};

static void the_limit_is_three_passes_but_three_minutes_at_least(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		assert_int_equal(fresh_limit_us(limits[i].cadence_s * S), limits[i].limit_s * S);
	assert_int_equal(fresh_limit_us(INT64_MAX), INT64_MAX);
}

/* A pass that began at T0, whose last sign of life was `sign` seconds later, looked at `later` seconds after
   it began; meanwhile the wall clock was stepped by `step` seconds, or the machine booted again. */
static const struct {
	const char *name;
	int64_t cadence_s, sign, later, step;
	bool reboot;
	int64_t age_s;
	bool fresh;
} ages[] = {
	{"just begun", 60, 0, 0, 0, false, 0, true},
	{"running and committing", 60, 50, 55, 0, false, 5, true},
	{"at the limit", 60, 20, 200, 0, false, 180, true},
	{"past the limit", 60, 20, 201, 0, false, 181, false},
	{"coarse cron", 300, 20, 600, 0, false, 580, true},
	{"clock a day forward", 60, 20, 60, 86400, false, 40, true},
	{"clock a day back", 60, 20, 60, -86400, false, 40, true},
	{"dead, and the clock a day back", 60, 20, 600, -86400, false, 580, false},
	{"booted again", 60, 20, 60, 0, true, 40, true},
	{"booted again, long after", 60, 20, 600, 0, true, 580, false},
	{"booted again with a clock a day forward", 60, 20, 60, 86400, true, 86440, false},
};

static void age_is_measured_on_the_clock_that_can_be_trusted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ages); i++) {
		struct pass_info pass = {.started_us = T0, .progress_us = T0 + ages[i].sign * S,
			.cadence_us = ages[i].cadence_s * S, .boot_id = 7, .boot_us = 1000 * S};
		struct moment now = {.wall_us = T0 + (ages[i].later + ages[i].step) * S,
			.boot_us = ages[i].reboot ? 5 * S : (1000 + ages[i].later) * S,
			.boot_id = ages[i].reboot ? 8 : 7};

		if (fresh_age_us(&pass, &now) != ages[i].age_s * S ||
			fresh_enough(&pass, &now) != ages[i].fresh)
			fail_msg("%s: age %lld us", ages[i].name, (long long)fresh_age_us(&pass, &now));
	}
}

static void a_sign_from_the_future_is_not_fresh(void **state)
{
	struct pass_info pass = {.started_us = T0, .progress_us = T0, .boot_id = 7, .boot_us = 1};
	struct moment now = {.wall_us = T0 - S, .boot_us = 1, .boot_id = 8};

	(void)state;
	assert_int_equal(fresh_age_us(&pass, &now), INT64_MAX);
	assert_false(fresh_enough(&pass, &now));
	pass.boot_us = 1000 * S;
	pass.cadence_us = 60 * S;
	now = (struct moment){.wall_us = T0 - 31 * S, .boot_us = 969 * S - 1, .boot_id = 7};
	assert_int_equal(fresh_gap_us(&pass, &now), INT64_MAX);
	now.boot_us = 999 * S;
	assert_int_equal(fresh_age_us(&pass, &now), 0); /* a request that was there before the pass */
}

static void no_pass_is_not_fresh(void **state)
{
	struct pass_info pass = {0};
	struct moment now = {.wall_us = T0};

	(void)state;
	assert_int_equal(fresh_age_us(&pass, &now), -1);
	assert_false(fresh_enough(&pass, &now));
	assert_int_equal(fresh_gap_us(&pass, &now), 0);
}

static void a_finished_pass_counts_from_its_end(void **state)
{
	struct pass_info pass = {.started_us = T0, .progress_us = T0 + S, .finished_us = T0 + 50 * S,
		.boot_id = 7, .boot_us = 1000 * S};
	struct moment now = {.wall_us = T0 + 60 * S, .boot_us = 1060 * S, .boot_id = 7};

	(void)state;
	assert_int_equal(fresh_age_us(&pass, &now), 10 * S);
}

static void a_reboot_is_told_from_another_host(void **state)
{
	static const struct {
		const char *name;
		int64_t progress_s;
		uint64_t last_boot, boot;
		int64_t up_s;
		bool rebooted;
	} rows[] = {
		{"the same boot", 900, 1, 1, 50, false},
		{"started since", 900, 1, 2, 50, true},
		{"another host, up for long", 900, 1, 2, 5000, false},
		{"started before the last pass ended", 960, 1, 2, 50, false},
		{"the first pass ever", 0, 0, 2, 50, false},
		{"a boot that is not known", 900, 1, 0, 50, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pass_info last = {.progress_us = rows[i].progress_s * S, .boot_id = rows[i].last_boot};
		const struct moment now = {.wall_us = 1000 * S, .boot_us = rows[i].up_s * S, .boot_id = rows[i].boot};

		if (fresh_rebooted(&last, &now) != rows[i].rebooted)
			fail_msg("%s", rows[i].name);
	}
}

static void a_gap_needs_a_known_cadence(void **state)
{
	struct pass_info pass = {.started_us = T0, .finished_us = T0, .boot_id = 7, .boot_us = 0};
	struct moment now = {.wall_us = T0 + 300 * S, .boot_us = 300 * S, .boot_id = 7};

	(void)state;
	assert_int_equal(fresh_gap_us(&pass, &now), 0);
	pass.cadence_us = 60 * S;
	assert_int_equal(fresh_gap_us(&pass, &now), 300 * S);
	pass.cadence_us = 100 * S;
	assert_int_equal(fresh_gap_us(&pass, &now), 0);
}

/* Distances in seconds, ended by 0; then what is believed, between. */
static const struct {
	const char *name;
	int64_t distances[32];
	int64_t at_least, at_most;
} rhythms[] = {
	{"each minute", {60, 60, 60}, 60, 60},
	{"each five minutes, from the start", {300, 300}, 300, 300},
	{"one gap of eight hours hardly matters", {60, 60, 28800}, 60, 90},
	{"and is forgotten", {60, 60, 28800, 60, 60, 60, 60, 60, 60, 60, 60}, 60, 64},
	{"a changed crontab line is learnt", {60, 60, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300},
		270, 300},
	{"a pass by hand hardly matters", {300, 300, 5, 295}, 200, 300},
	{"a first pass by hand, hours before cron", {7200}, 900, 900},
	{"a clock that was stepped back says nothing", {60, -86400}, 60, 60},
};

static void the_rhythm_is_learnt_from_distances(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rhythms); i++) {
		int64_t cadence = 0;

		for (const int64_t *d = rhythms[i].distances; *d; d++)
			cadence = fresh_cadence(cadence, *d * S);
		if (cadence < rhythms[i].at_least * S || cadence > rhythms[i].at_most * S)
			fail_msg("%s: %lld us", rhythms[i].name, (long long)cadence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_three_passes_but_three_minutes_at_least),
		cmocka_unit_test(age_is_measured_on_the_clock_that_can_be_trusted),
		cmocka_unit_test(a_sign_from_the_future_is_not_fresh),
		cmocka_unit_test(no_pass_is_not_fresh),
		cmocka_unit_test(a_finished_pass_counts_from_its_end),
		cmocka_unit_test(a_reboot_is_told_from_another_host),
		cmocka_unit_test(a_gap_needs_a_known_cadence),
		cmocka_unit_test(the_rhythm_is_learnt_from_distances),
	};

	return cmocka_run_group_tests_name("fresh", tests, NULL, NULL);
}
