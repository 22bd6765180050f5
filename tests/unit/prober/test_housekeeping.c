/* SPDX-License-Identifier: ISC */
/* housekeeping: hours and days are summed up once they are over, gaps are unknown, old things go. */
#include "../store/store_test.h"

#include "prober/pass/housekeeping.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define BEGIN_S (INT64_C(1770000000) / DAY * DAY) /* midnight UTC */

static struct error err;

static struct state *open_with_monitors(const char *dir, size_t n)
{
	struct state *state = state_open(dir, STORE_CREATE, &err);
	struct monitor monitors[4] = {{0}};
	char *slugs[] = {"a", "b", "c", "d"};
	struct publication p = {.monitors = monitors, .monitor_count = n, .fingerprint = "f"};
	struct state_txn *txn;

	assert_non_null(state);
	for (size_t i = 0; i < n; i++)
		monitors[i] = (struct monitor){.slug = slugs[i],
			.name = slugs[i],
			.type = "http",
			.group = "",
			.options = "{}",
			.interval_ms = 60000,
			.place = i};
	txn = state_begin(state, true, &err);
	assert_ok(state_publish(txn, &p, &err));
	assert_ok(state_commit(txn, &err));
	return state;
}

/* One result a minute of monitor `id`, and its row as looked at. */
static void add_minutes(struct state *state, uint32_t id, int64_t from_s, int64_t to_s, enum outcome outcome)
{
	struct state_txn *txn = state_begin(state, true, &err);
	struct row row;

	for (int64_t at = from_s; at < to_s; at += 60) {
		struct sample sample = {.monitor_id = id,
			.at_us = at * US_PER_S,
			.outcome = outcome,
			.state = outcome == OUTCOME_UP ? STATE_UP : STATE_DOWN,
			.response_us = outcome == OUTCOME_UP ? 1000 : -1,
			.timings = TIMINGS_NONE};

		assert_ok(state_samples_add(txn, &sample, 1, &err));
	}
	assert_ok(state_row(txn, id, &row, &err));
	row.checked_us = to_s * US_PER_S;
	assert_ok(state_rows_put(txn, &id, &row, 1, &err));
	assert_ok(state_commit(txn, &err));
}

static void housekeep_at(struct state *state, int64_t now_s)
{
	struct site site = {
		.retain_samples_s = 14 * DAY, .retain_timings_s = 2 * DAY, .retain_hours_s = 30 * DAY};

	assert_ok(housekeep(state, &site, now_s * US_PER_S, INT64_MAX, &err));
}

static bool put_rollup(void *arg, const struct rollup *r)
{
	text_printf(arg, "%lld:%lld/%lld/%lld ", (long long)((r->from_s - BEGIN_S) / HOUR),
		(long long)r->up_s, (long long)r->down_s, (long long)r->unknown_s);
	return true;
}

/* "HOUR:up/down/unknown ..." in seconds. */
static void expect_history(struct state *state, enum rollup_kind kind, uint32_t id, const char *expected)
{
	struct state_txn *txn = state_begin(state, false, &err);
	struct text got = TEXT_INIT;

	assert_ok(state_rollup_scan(txn, kind, id, 0, INT32_MAX, put_rollup, &got, &err));
	state_end(txn);
	assert_string_equal(text_str(&got), expected);
	text_free(&got);
}

static void hours_are_summed_when_they_are_over(void **dir)
{
	struct state *state = open_with_monitors(*dir, 2);

	add_minutes(state, 1, BEGIN_S, BEGIN_S + HOUR / 2, OUTCOME_UP);
	add_minutes(state, 1, BEGIN_S + HOUR / 2, BEGIN_S + HOUR, OUTCOME_DOWN);
	add_minutes(state, 1, BEGIN_S + HOUR, BEGIN_S + HOUR + 600, OUTCOME_UP);
	add_minutes(state, 2, BEGIN_S + HOUR / 2, BEGIN_S + HOUR + 600, OUTCOME_UP); /* new since half past */
	housekeep_at(state, BEGIN_S + HOUR + 120);
	expect_history(state, ROLLUP_HOUR, 1, ""); /* too early */
	assert_false(housekeeping_due(state, (BEGIN_S + HOUR + 120) * US_PER_S));
	assert_true(housekeeping_due(state, (BEGIN_S + HOUR + 600) * US_PER_S));
	housekeep_at(state, BEGIN_S + HOUR + 600);
	expect_history(state, ROLLUP_HOUR, 1, "0:1800/1800/0 ");
	expect_history(state, ROLLUP_HOUR, 2, "0:1800/0/0 ");
	assert_false(housekeeping_due(state, (BEGIN_S + HOUR + 600) * US_PER_S));
	state_close(state);
}

static void hours_that_nobody_watched_are_unknown(void **dir)
{
	struct state *state = open_with_monitors(*dir, 1);

	add_minutes(state, 1, BEGIN_S, BEGIN_S + HOUR, OUTCOME_UP);
	housekeep_at(state, BEGIN_S + HOUR + 600);
	add_minutes(state, 1, BEGIN_S + 4 * HOUR, BEGIN_S + 5 * HOUR + 600, OUTCOME_UP);
	housekeep_at(state, BEGIN_S + 5 * HOUR + 600);
	/* the last result before the gap holds for three minutes, of which one lies in the next hour */
	expect_history(state, ROLLUP_HOUR, 1, "0:3600/0/0 1:120/0/3480 2:0/0/3600 3:0/0/3600 4:3600/0/0 ");
	state_close(state);
}

static void a_day_is_summed_with_its_last_hour(void **dir)
{
	struct state *state = open_with_monitors(*dir, 1);

	add_minutes(state, 1, BEGIN_S, BEGIN_S + DAY + 600, OUTCOME_UP);
	housekeep_at(state, BEGIN_S + DAY - 600);
	expect_history(state, ROLLUP_DAY, 1, "");
	housekeep_at(state, BEGIN_S + DAY + 600);
	expect_history(state, ROLLUP_DAY, 1, "0:86400/0/0 ");
	state_close(state);
}

static bool count_sample(void *arg, const struct sample *sample)
{
	(void)sample;
	(*(size_t *)arg)++;
	return true;
}

static void what_is_kept_no_longer_goes_and_days_stay(void **dir)
{
	struct state *state = open_with_monitors(*dir, 1);
	struct state_txn *txn;
	size_t n = 0;

	add_minutes(state, 1, BEGIN_S, BEGIN_S + DAY, OUTCOME_UP);
	housekeep_at(state, BEGIN_S + DAY + 600);
	add_minutes(state, 1, BEGIN_S + 39 * DAY, BEGIN_S + 39 * DAY + HOUR, OUTCOME_UP);
	housekeep_at(state, BEGIN_S + 39 * DAY + HOUR + 600);
	txn = state_begin(state, false, &err);
	assert_ok(state_sample_scan(txn, 1, 0, (BEGIN_S + 20 * DAY) * US_PER_S, count_sample, &n, &err));
	state_end(txn);
	assert_int_equal(n, 0);
	txn = state_begin(state, false, &err);
	assert_ok(state_sample_scan(txn, 1, 0, INT64_MAX, count_sample, &n, &err));
	state_end(txn);
	assert_int_equal(n, 60);
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(hours_are_summed_when_they_are_over),
		test_in_dir(hours_that_nobody_watched_are_unknown),
		test_in_dir(a_day_is_summed_with_its_last_hour),
		test_in_dir(what_is_kept_no_longer_goes_and_days_stay),
	};

	return cmocka_run_group_tests_name("housekeeping", tests, NULL, NULL);
}
