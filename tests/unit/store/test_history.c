/* SPDX-License-Identifier: ISC */
/*
 * Results, hours and days: what comes back of them, what they cost, what is forgotten.
 */
#include "state_test.h"

static bool near(int64_t got, int64_t meant, int64_t share)
{
	return meant < 0 ? got == meant : llabs(got - meant) * share <= meant;
}

/* Numbers that are the same in each run. */
static uint32_t random_state = 1;
static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

/* What a web server of average speed gives: a steady base and some jitter. */
static struct sample http_sample(uint32_t id, int64_t at_us, bool by_name)
{
	int64_t base = 20000 + id % 97 * 3000, total = base + draw((uint32_t)base / 5);

	return (struct sample){
		.monitor_id = id,
		.at_us = at_us,
		.outcome = OUTCOME_UP,
		.state = STATE_UP,
		.response_us = total,
		.timings = {by_name ? total / 10 : -1, total / 6, by_name ? total / 4 : -1, total * 2 / 3,
			total},
	};
}

struct got {
	struct sample *list;
	size_t n, most;
};

static bool get(void *arg, const struct sample *sample)
{
	struct got *got = arg;

	got->list = mem_grow(got->list, got->n + 1, sizeof(*sample));
	got->list[got->n++] = *sample;
	return got->n != got->most;
}

static struct got scan(struct state_txn *txn, uint32_t id, int64_t from_us, int64_t to_us)
{
	struct got got = {0};

	assert_ok(state_sample_scan(txn, id, from_us, to_us, get, &got, &err));
	return got;
}

static size_t count(struct state_txn *txn, uint32_t id, int64_t from_us, int64_t to_us)
{
	struct got got = scan(txn, id, from_us, to_us);

	free(got.list);
	return got.n;
}

/* ---- results ----------------------------------------------------------------------------------------- */

static const struct sample odd[] = {
	{3, T0_US + 61234000, OUTCOME_UP, STATE_UP, false, 123456, {1000, 20000, 30000, 60000, 123456}},
	{3, T0_US + 1000000, OUTCOME_DOWN, STATE_SUSPECT, true, -1, TIMINGS_NONE},
	{1, T0_US + 3599999000, OUTCOME_UNKNOWN, STATE_UNKNOWN, false, -1, {5000, -1, -1, -1, -1}},
	{900000, T0_US, OUTCOME_UP, STATE_PAUSED, true, 0, {0, 0, 0, 0, 7}},
	{3, T0_US + 3600000000, OUTCOME_UP, STATE_DOWN, false, INT64_C(3000000000),
		{-1, -1, -1, -1, 60000000}},
	{3, T0_US - 1000, OUTCOME_UP, STATE_PENDING, false, 1, {200, 300, -1, 1, 1}},
};

static void check_odd(const struct sample *got)
{
	const struct sample *meant = NULL;

	for (size_t i = 0; i < COUNT_OF(odd); i++)
		if (odd[i].monitor_id == got->monitor_id && odd[i].at_us == got->at_us)
			meant = &odd[i];
	assert_non_null(meant);
	assert_int_equal(got->outcome, meant->outcome);
	assert_int_equal(got->state, meant->state);
	assert_int_equal(got->maintenance, meant->maintenance);
	assert_true(near(got->response_us, meant->response_us, 250));
	assert_true(near(got->timings.dns_us, meant->timings.dns_us, 60));
	assert_true(near(got->timings.connect_us, meant->timings.connect_us, 60));
	assert_true(near(got->timings.tls_us, meant->timings.tls_us, 60));
	assert_true(near(got->timings.first_byte_us, meant->timings.first_byte_us, 60));
	assert_true(near(got->timings.total_us, meant->timings.total_us, 60));
}

static void check_all_odd(struct state_txn *txn)
{
	struct got all = scan(txn, 0, 0, INT64_MAX), three = scan(txn, 3, 0, INT64_MAX);

	assert_int_equal(all.n, COUNT_OF(odd));
	for (size_t i = 0; i < all.n; i++) {
		check_odd(&all.list[i]);
		assert_true(!i || all.list[i].at_us >= all.list[i - 1].at_us);
	}
	assert_int_equal(three.n, 4);
	for (size_t i = 1; i < three.n; i++)
		assert_true(three.list[i].at_us > three.list[i - 1].at_us);
	free(all.list);
	free(three.list);
}

static void test_results_come_back_before_and_after_settling(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	int64_t hour;

	assert_ok(state_samples_add(txn, odd, COUNT_OF(odd), &err));
	check_all_odd(txn);
	while (state_samples_unsettled(txn, &hour)) {
		assert_ok(state_samples_settle(txn, hour, &err));
		check_all_odd(txn);
	}
	assert_int_equal(hour, T0_S + 3600);
	assert_ok(state_commit(txn, &err));
	state_close(s);
}

static void test_a_span_is_half_open(void **state)
{
	static const struct {
		int64_t from_us, to_us;
		size_t n;
	} rows[] = {
		{0, INT64_MAX, 4},
		{T0_US - 1000, T0_US, 1},
		{T0_US, T0_US + 1000000, 0},
		{T0_US + 1000000, T0_US + 61234000, 1},
		{T0_US + 1000000, T0_US + 61234001, 2},
		{T0_US + 3600000000, INT64_MAX, 1},
		{T0_US, T0_US, 0},
		{INT64_MIN, 0, 0},
		{INT64_MIN, INT64_MAX, 4},
	};
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);

	assert_ok(state_samples_add(txn, odd, COUNT_OF(odd), &err));
	for (int settled = 0; settled < 2; settled++) {
		for (size_t i = 0; i < COUNT_OF(rows); i++)
			assert_int_equal(count(txn, 3, rows[i].from_us, rows[i].to_us), rows[i].n);
		assert_ok(state_samples_settle(txn, T0_S, &err));
	}
	state_end(txn);
	state_close(s);
}

static void test_late_results_join_a_settled_hour(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct got got;

	for (int round = 0; round < 3; round++) {
		for (uint32_t id = 1; id <= 1500; id++) {
			struct sample sample = http_sample(id, T0_US + (20 - round * 7) * US_PER_S, true);

			assert_ok(state_samples_add(txn, &sample, 1, &err));
		}
		assert_ok(state_samples_settle(txn, T0_S, &err));
	}
	for (uint32_t id = 1; id <= 1500; id += 499) {
		got = scan(txn, id, 0, INT64_MAX);
		assert_int_equal(got.n, 3);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(got.list[i].at_us, T0_US + (6 + 7 * i) * US_PER_S);
			assert_true(near(got.list[i].timings.tls_us, got.list[i].response_us / 4, 30));
		}
		free(got.list);
	}
	assert_int_equal(count(txn, 0, 0, INT64_MAX), 4500);
	assert_ok(state_samples_settle(txn, T0_S, &err)); /* nothing new: nothing to do */
	assert_int_equal(count(txn, 0, 0, INT64_MAX), 4500);
	state_end(txn);
	state_close(s);
}

static void test_results_of_one_moment_are_all_kept(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);

	for (int i = 0; i < 5; i++) {
		struct sample sample = http_sample(1, T0_US, false);

		assert_ok(state_samples_add(txn, &sample, 1, &err));
	}
	assert_int_equal(count(txn, 1, 0, INT64_MAX), 5);
	assert_ok(state_samples_settle(txn, T0_S, &err));
	assert_int_equal(count(txn, 1, 0, INT64_MAX), 5);
	state_end(txn);
	state_close(s);
}

static void test_timings_are_forgotten_before_results(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct sample sample = http_sample(1, T0_US, true);
	struct forget before = {.timings_s = T0_S + 3600};
	struct got got;
	size_t forgotten;

	assert_ok(state_samples_add(txn, &sample, 1, &err));
	assert_ok(state_samples_settle(txn, T0_S, &err));
	assert_ok(state_forget(txn, &before, 1000, &forgotten, &err));
	assert_int_equal(forgotten, 1);
	got = scan(txn, 1, 0, INT64_MAX);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.list[0].timings.dns_us, -1);
	assert_int_equal(got.list[0].timings.total_us, -1);
	free(got.list);
	/* a late one joins what is left of the hour */
	sample.at_us += US_PER_S;
	assert_ok(state_samples_add(txn, &sample, 1, &err));
	assert_ok(state_samples_settle(txn, T0_S, &err));
	got = scan(txn, 1, 0, INT64_MAX);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.list[0].timings.dns_us, -1);
	assert_true(got.list[1].timings.dns_us > 0);
	free(got.list);
	before = (struct forget){.samples_s = T0_S + 3600};
	assert_ok(state_forget(txn, &before, 1000, &forgotten, &err));
	assert_int_equal(count(txn, 1, 0, INT64_MAX), 0);
	state_end(txn);
	state_close(s);
}

static void test_forgetting_is_bounded_and_spares_what_is_young(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct forget before = {.samples_s = T0_S + 5 * 3600};
	size_t forgotten;

	for (int hour = 0; hour < 10; hour++) {
		struct sample sample = http_sample(1, T0_US + hour * 3600 * US_PER_S, false);

		assert_ok(state_samples_add(txn, &sample, 1, &err));
		if (hour % 2)
			assert_ok(state_samples_settle(txn, T0_S + hour * 3600, &err));
	}
	assert_ok(state_forget(txn, &before, 2, &forgotten, &err));
	assert_int_equal(forgotten, 2);
	assert_ok(state_forget(txn, &before, 1000, &forgotten, &err));
	assert_int_equal(forgotten, 3);
	assert_int_equal(count(txn, 1, 0, INT64_MAX), 5);
	assert_int_equal(count(txn, 1, T0_US + 5 * 3600 * US_PER_S, INT64_MAX), 5);
	state_end(txn);
	state_close(s);
}

/* ---- rollups ----------------------------------------------------------------------------------------- */

struct sums {
	struct rollup list[800];
	size_t n;
};

static bool add_rollup(void *arg, const struct rollup *rollup)
{
	struct sums *sums = arg;

	sums->list[sums->n++] = *rollup;
	return sums->n < COUNT_OF(sums->list);
}

static void test_rollups_come_back_in_order(void **state)
{
	static const struct rollup odd_ones[] = {
		{T0_S, T0_S + 3600, 3600, 0, 0, 60, 1, 200, 300, 4000, UINT32_MAX},
		/* 2000 s paused; none answered */
		{T0_S + 3600, T0_S + 7200, 1000, 500, 100, 0, 0, 0, 0, 0, 0},
		{T0_S + 86400, T0_S + 86400 + 1800, 0, 0, 1800, 1, 7, 7, 7, 7, 7},
		/* merged: not in order of size */
		{T0_S - 3600, T0_S, 3599, 1, 0, 2, 900, 500, 100, 50, 10},
	};
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct sums sums = {0};

	for (enum rollup_kind kind = ROLLUP_HOUR; kind <= ROLLUP_DAY; kind++) {
		for (size_t i = 0; i < COUNT_OF(odd_ones); i++)
			assert_ok(state_rollup_put(txn, kind, 5, &odd_ones[i], &err));
		sums.n = 0;
		assert_ok(state_rollup_scan(txn, kind, 5, INT64_MIN, INT64_MAX, add_rollup, &sums, &err));
		assert_int_equal(sums.n, 4);
		assert_memory_equal(&sums.list[0], &odd_ones[3], sizeof(odd_ones[0]));
		assert_memory_equal(&sums.list[1], &odd_ones[0], 2 * sizeof(odd_ones[0]));
		assert_memory_equal(&sums.list[3], &odd_ones[2], sizeof(odd_ones[0]));
		sums.n = 0;
		assert_ok(state_rollup_scan(txn, kind, 5, T0_S, T0_S + 3600, add_rollup, &sums, &err));
		assert_int_equal(sums.n, 1);
		sums.n = 0;
		assert_ok(state_rollup_scan(txn, kind, 6, 0, INT64_MAX, add_rollup, &sums, &err));
		assert_int_equal(sums.n, 0);
	}
	state_end(txn);
	state_close(s);
}

static void test_a_rollup_replaces_the_one_of_its_time(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct rollup rollup = {.from_s = T0_S, .to_s = T0_S + 3600, .up_s = 10};
	struct sums sums = {0};

	assert_ok(state_rollup_put(txn, ROLLUP_HOUR, 1, &rollup, &err));
	rollup.up_s = 3600;
	assert_ok(state_rollup_put(txn, ROLLUP_HOUR, 1, &rollup, &err));
	assert_ok(state_rollup_scan(txn, ROLLUP_HOUR, 1, 0, INT64_MAX, add_rollup, &sums, &err));
	assert_int_equal(sums.n, 1);
	assert_int_equal(sums.list[0].up_s, 3600);
	state_end(txn);
	state_close(s);
}

/* ---- what it costs ----------------------------------------------------------------------------------- */

/* Bytes that the records (not LMDB's free pages) take: a compact copy leaves those out. */
static uint64_t live_bytes(struct state *s, const char *dir, const char *name)
{
	char *to = file_join(dir, name), *data = file_join(to, "state/data.mdb");
	struct stat st;

	assert_ok(state_backup(s, to, &err));
	assert_int_equal(stat(data, &st), 0);
	remove_tree(to);
	free(to);
	free(data);
	return (uint64_t)st.st_size;
}

static uint64_t used_bytes(struct state *s)
{
	struct store_figures figures;

	assert_ok(state_figures(s, &figures, &err));
	return figures.used_bytes;
}

enum { MONITORS = 2000, MINUTES = 60 };

/* An hour of monitors at a minute's interval, one commit a second. */
static void fill_hour(struct state *s, int64_t hour_s, bool by_name)
{
	struct sample *samples = mem_array(MONITORS, sizeof(*samples));

	for (int second = 0; second < MINUTES * 60; second++) {
		struct state_txn *txn;
		size_t n = 0;

		for (uint32_t id = 1 + (uint32_t)second % 60; id <= MONITORS; id += 60)
			samples[n++] = http_sample(
				id, (hour_s + second) * US_PER_S + 20000 + draw(30000), by_name);
		txn = begin(s, true);
		assert_ok(state_samples_add(txn, samples, n, &err));
		assert_ok(state_commit(txn, &err));
	}
	free(samples);
}

static void test_a_result_takes_few_bytes(void **state)
{
	struct state *s = open_new(state);
	uint64_t empty = live_bytes(s, *state, "c0"), fresh, settled, bare;
	const double results = (double)MONITORS * MINUTES;
	struct forget before = {.timings_s = T0_S + 3600};
	struct state_txn *txn;
	size_t forgotten;

	fill_hour(s, T0_S, true);
	fresh = live_bytes(s, *state, "c1") - empty;
	txn = begin(s, true);
	assert_ok(state_samples_settle(txn, T0_S, &err));
	assert_ok(state_commit(txn, &err));
	settled = live_bytes(s, *state, "c2") - empty;
	txn = begin(s, true);
	assert_ok(state_forget(txn, &before, SIZE_MAX, &forgotten, &err));
	assert_ok(state_commit(txn, &err));
	bare = live_bytes(s, *state, "c3") - empty;
	print_message("bytes a result: %.2f with timings, %.2f settled, %.2f without timings\n",
		(double)fresh / results, (double)settled / results, (double)bare / results);
	assert_true((double)fresh / results <= 12);
	assert_true((double)bare / results <= 4);
	state_close(s);
}

static void test_a_pass_dirties_little(void **state)
{
	enum { MANY = 10000 };
	struct state *s = open_new(state);
	struct sample *samples = mem_array(MANY, sizeof(*samples));
	struct monitor *monitors = mem_array(MANY, sizeof(*monitors));
	struct publication publication = {.monitors = monitors, .monitor_count = MANY};
	uint32_t *ids = mem_array(MANY, sizeof(*ids));
	struct row *rows;
	struct state_txn *txn;
	uint64_t before;
	size_t n;

	for (uint32_t i = 0; i < MANY; i++) {
		char slug[16];

		snprintf(slug, sizeof(slug), "m%u", i);
		monitors[i] = (struct monitor){.slug = mem_str(slug), .type = "http", .options = "{}"};
		ids[i] = i + 1;
		samples[i] = http_sample(i + 1, T0_US + draw(55000000), false);
	}
	txn = begin(s, true);
	assert_ok(state_publish(txn, &publication, &err));
	assert_ok(state_commit(txn, &err));
	before = used_bytes(s);
	txn = begin(s, true);
	assert_ok(state_rows(txn, &rows, &n, &err));
	for (uint32_t i = 0; i < MANY; i++) {
		rows[i + 1].next_due_us = T0_US + 60 * US_PER_S + i;
		rows[i + 1].checked_us = samples[i].at_us;
		rows[i + 1].recent = RECENT_UP;
	}
	assert_ok(state_rows_put(txn, ids, rows + 1, MANY, &err));
	assert_ok(state_samples_add(txn, samples, MANY, &err));
	assert_ok(state_commit(txn, &err));
	/* nothing was free to be reused but what publishing left: what grew is what was dirtied */
	print_message("%d results and rows dirty %.2f MB\n", MANY, (double)(used_bytes(s) - before) / 1e6);
	assert_true(used_bytes(s) - before <= 2 << 20);
	free(rows);
	free(samples);
	free(ids);
	for (uint32_t i = 0; i < MANY; i++)
		free(monitors[i].slug);
	free(monitors);
	state_close(s);
}

/* As many hours, or days, of as many monitors; what they take, in megabytes a year of 1,000 monitors. */
static double year_of(void **state, enum rollup_kind kind, uint32_t watched, int64_t times)
{
	int64_t length_s = kind == ROLLUP_DAY ? 86400 : 3600;
	struct state *s = open_new(state);
	uint64_t empty = live_bytes(s, *state, "c0"), bytes;

	for (int64_t i = 0; i < times; i++) {
		struct state_txn *txn = begin(s, true);

		for (uint32_t id = 1; id <= watched; id++) {
			uint32_t base = 20000 + id * 1000 + draw(5000);
			struct rollup rollup = {
				.from_s = T0_S - T0_S % 86400 + i * length_s,
				.up_s = (uint32_t)length_s,
				.count = (uint32_t)(length_s / 60),
				.min_us = base,
				.p50_us = base + draw(9000),
				.mean_us = base + draw(20000),
				.p95_us = base + 20000 + draw(90000),
				.max_us = base + 110000 + draw(2000000),
			};

			rollup.to_s = rollup.from_s + length_s;
			assert_ok(state_rollup_put(txn, kind, id, &rollup, &err));
		}
		assert_ok(state_commit(txn, &err));
	}
	bytes = live_bytes(s, *state, "c1") - empty;
	state_close(s);
	return (double)bytes / (double)(watched * times) * (kind == ROLLUP_DAY ? 365 : 365 * 24) * 1000 / 1e6;
}

static void test_a_year_of_hours_stays_small(void **state)
{
	double megabytes = year_of(state, ROLLUP_HOUR, 200, 40 * 24);

	print_message("a year of hours of 1000 monitors takes %.1f MB\n", megabytes);
	assert_true(megabytes <= 400);
}

static void test_a_year_of_days_stays_small(void **state)
{
	double megabytes = year_of(state, ROLLUP_DAY, 200, 365);

	print_message("a year of days of 1000 monitors takes %.1f MB\n", megabytes);
	assert_true(megabytes <= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_results_come_back_before_and_after_settling),
		test_in_dir(test_a_span_is_half_open),
		test_in_dir(test_late_results_join_a_settled_hour),
		test_in_dir(test_results_of_one_moment_are_all_kept),
		test_in_dir(test_timings_are_forgotten_before_results),
		test_in_dir(test_forgetting_is_bounded_and_spares_what_is_young),
		test_in_dir(test_rollups_come_back_in_order),
		test_in_dir(test_a_rollup_replaces_the_one_of_its_time),
		test_in_dir(test_a_result_takes_few_bytes),
		test_in_dir(test_a_pass_dirties_little),
		test_in_dir(test_a_year_of_hours_stays_small),
		test_in_dir(test_a_year_of_days_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
