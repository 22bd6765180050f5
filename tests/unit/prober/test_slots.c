/* SPDX-License-Identifier: ISC */
/* slots: on the clock up to a minute, spread over the minutes above, coarse when cron is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "prober/pass/slots.h"

#define S INT64_C(1000000)
#define T0 (INT64_C(29500000) * 60 * S) /* begin of a minute */

static void slots_follow_the_clock(void **state)
{
	static const struct {
		uint32_t id;
		int64_t interval_s, at_s, before_s, after_s;
	} rows[] = {
		{1, 10, 0, 0, 10},
		{1, 10, 9, 0, 10},
		{7, 10, 10, 10, 20},
		{7, 60, 59, 0, 60},
		{7, 60, 60, 60, 120},
		{7, 30, 31, 30, 60},
		{1, 120, 61, 60, 180},
		{2, 120, 61, 0, 120},
		{3, 300, 200, 180, 480},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(slot_before(rows[i].id, rows[i].interval_s * S, T0 + rows[i].at_s * S),
			T0 + rows[i].before_s * S);
		assert_int_equal(slot_after(rows[i].id, rows[i].interval_s * S, T0 + rows[i].at_s * S),
			T0 + rows[i].after_s * S);
	}
}

static void every_moment_lies_between_its_slots(void **state)
{
	static const int64_t intervals[] = {1, 7, 10, 45, 60, 90, 300, 3600, 86400};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(intervals); i++)
		for (uint32_t id = 1; id < 100; id += 13)
			for (int64_t t = T0; t < T0 + 7200 * S; t += 37 * S + 11) {
				int64_t before = slot_before(id, intervals[i] * S, t),
					after = slot_after(id, intervals[i] * S, t);

				assert_true(before <= t && t < after);
				assert_int_equal(after - before, intervals[i] * S);
				assert_int_equal(slot_before(id, intervals[i] * S, after), after);
			}
}

static void long_intervals_are_spread_over_the_minutes(void **state)
{
	unsigned due[5] = {0};

	(void)state;
	for (uint32_t id = 1; id <= 100; id++)
		due[slot_after(id, 300 * S, T0) / (60 * S) % 5]++;
	for (size_t i = 0; i < COUNT_OF(due); i++)
		assert_int_equal(due[i], 20);
}

static void a_coarse_cron_makes_coarse_slots(void **state)
{
	static const struct {
		int64_t interval_s, cadence_s, expected_s;
	} rows[] = {
		{60, 0, 60},
		{60, 60, 60},
		{60, 85, 60},
		{10, 60, 10},
		{60, 300, 300},
		{60, 304, 300},
		{60, 296, 300},
		{600, 300, 600},
		{60, 900, 900},
		{30, 120, 120},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(
			slot_interval(rows[i].interval_s * S, rows[i].cadence_s * S), rows[i].expected_s * S);
}

static void a_minute_ends_with_its_last_second(void **state)
{
	(void)state;
	assert_int_equal(minute_end(T0), T0 + 60 * S);
	assert_int_equal(minute_end(T0 + 60 * S - 1), T0 + 60 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_follow_the_clock),
		cmocka_unit_test(every_moment_lies_between_its_slots),
		cmocka_unit_test(long_intervals_are_spread_over_the_minutes),
		cmocka_unit_test(a_coarse_cron_makes_coarse_slots),
		cmocka_unit_test(a_minute_ends_with_its_last_second),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
