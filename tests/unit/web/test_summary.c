/* SPDX-License-Identifier: ISC */
/* What a row tells of the time that no hour tells of yet. */
#include "../store/store_test.h"

#include "web/summary.h"

#define HOUR_S 3600
#define NOW_S (T0_S + 1800) /* half an hour into an hour */

static struct error err;

struct past {
	uint32_t hours; /* summed ones, up to this hour: each half up, half down */
	bool incident;  /* there was one */
};

/* Writes the past of monitor `id` and reads its summary. */
static struct summary summary_of(
	struct state *book, uint32_t id, const struct past *past, const struct summary_now *now)
{
	struct state_txn *txn = state_begin(book, true, &err);
	struct incident incident = {.monitor_id = id, .monitor = "m", .state = STATE_DOWN, .started_us = T0_US};
	struct summary summary;

	assert_non_null(txn);
	for (uint32_t i = 1; i <= past->hours; i++) {
		int64_t from_s = T0_S - (int64_t)i * HOUR_S;
		struct rollup r = {
			.from_s = from_s, .to_s = from_s + HOUR_S, .up_s = HOUR_S / 2, .down_s = HOUR_S / 2};

		assert_ok(state_rollup_put(txn, ROLLUP_HOUR, id, &r, &err));
	}
	if (past->incident)
		assert_ok(state_incident_new(txn, &incident, &err));
	assert_ok(summary_read(txn, id, now, &summary, &err));
	state_end(txn);
	return summary;
}

static void test_the_running_hour_counts_as_far_as_it_is_known(void **state)
{
	static const struct {
		struct past past;
		struct summary_now now;
		double uptime;
	} rows[] = {
		/* nothing was summed yet */
		{{0, false}, {NOW_S, NOW_S - 600, STATE_UP, false}, 1},
		{{0, false}, {NOW_S, NOW_S - 600, STATE_DOWN, false}, 0},
		{{0, true}, {NOW_S, NOW_S - 600, STATE_UP, false}, -1},
		{{0, false}, {NOW_S, NOW_S - 600, STATE_UP, true}, -1},
		{{0, false}, {NOW_S, NOW_S - 600, STATE_PENDING, false}, -1},
		{{0, false}, {NOW_S, NOW_S - 600, STATE_UNKNOWN, false}, -1},
		{{0, false}, {NOW_S, NOW_S - 600, STATE_PAUSED, false}, -1},
		{{0, false}, {NOW_S, 0, STATE_UP, false}, -1},
		{{0, false}, {NOW_S, NOW_S, STATE_UP, false}, -1},
		{{0, false}, {NOW_S, NOW_S + 5, STATE_UP, false}, -1},
		/* one hour was: half of it up; then the present state, no longer than since the hour's end */
		{{1, true}, {NOW_S, NOW_S - 9999, STATE_UP, false}, 3600.0 / 5400},
		{{1, true}, {NOW_S, NOW_S - 9999, STATE_DOWN, false}, 1800.0 / 5400},
		{{1, true}, {NOW_S, NOW_S - 900, STATE_DOWN, false}, 1800.0 / 4500},
		{{1, true}, {NOW_S, NOW_S - 9999, STATE_UP, true}, 0.5},
		{{1, true}, {NOW_S, NOW_S - 9999, STATE_SUSPECT, false}, 0.5},
	};
	struct state *book = state_open(*state, STORE_CREATE, &err);

	assert_non_null(book);
	for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
		struct summary summary = summary_of(book, i + 1, &rows[i].past, &rows[i].now);

		assert_float_equal(summary.uptime_24h, rows[i].uptime, 1e-9);
		assert_float_equal(summary.uptime_30d, rows[i].uptime, 1e-9);
		assert_float_equal(summary.day_uptime[SUMMARY_DAYS - 1], rows[i].uptime, 1e-9);
	}
	state_close(book);
}

static void test_what_was_yesterday_is_not_of_today(void **state)
{
	int64_t midnight_s = T0_S - T0_S % 86400;
	struct summary_now now = {midnight_s + 60, midnight_s - 60, STATE_DOWN, false};
	struct past past = {0};
	struct state *book = state_open(*state, STORE_CREATE, &err);
	struct summary summary;

	assert_non_null(book);
	summary = summary_of(book, 1, &past, &now);
	assert_float_equal(summary.day_uptime[SUMMARY_DAYS - 1], 0, 1e-9);
	assert_float_equal(summary.day_uptime[SUMMARY_DAYS - 2], -1, 1e-9);
	assert_float_equal(summary.uptime_24h, 0, 1e-9);
	state_close(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_the_running_hour_counts_as_far_as_it_is_known),
		test_in_dir(test_what_was_yesterday_is_not_of_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
