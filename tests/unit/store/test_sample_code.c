/* SPDX-License-Identifier: ISC */
/*
 * The code of results: how exact it is, that it comes back, and how small it is.
 */
#include "store_test.h"

#include "store/sample_code.h"

static struct sample back(const struct sample *sample)
{
	struct mark mark;
	struct sample out;

	mark_from(&mark, sample);
	mark_to(&mark, sample_hour(sample->at_us), &out);
	return out;
}

static void test_times_are_kept_to_the_millisecond(void **state)
{
	static const int64_t times[] = {
		0, 999, 1000, T0_US, T0_US + 1, T0_US + 3599999999, INT64_C(4102444800000000)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct sample sample = {.at_us = times[i], .timings = TIMINGS_NONE};

		assert_int_equal(back(&sample).at_us, times[i] / 1000 * 1000);
	}
}

static void test_lengths_are_kept_by_share(void **state)
{
	(void)state;
	for (int64_t us = 0; us <= UINT32_MAX; us = us < 1000 ? us + 1 : us + us / 97) {
		struct sample sample = {.at_us = T0_US,
			.response_us = us,
			.timings = {us, -1, us / 2, us / 100, us + us / 3}};
		struct sample out = back(&sample);

		assert_true(llabs(out.response_us - us) * 250 <= us);
		assert_true(llabs(out.timings.dns_us - us) * 60 <= us);
		assert_true(llabs(out.timings.tls_us - us / 2) * 60 <= us / 2);
		assert_int_equal(out.timings.connect_us, -1);
		if (us < 128)
			assert_int_equal(out.response_us, us);
	}
}

static void test_what_is_beyond_the_range_is_its_end(void **state)
{
	struct sample sample = {
		.at_us = -5, .response_us = INT64_MAX, .timings = {INT64_MAX, -1, -1, -1, INT64_MAX}};
	struct sample out;

	(void)state;
	out = back(&sample);
	assert_int_equal(out.at_us, 0);
	assert_true(out.response_us > INT64_C(4200000000));
	assert_int_equal(out.timings.total_us, out.response_us);
}

static void test_outcome_state_and_maintenance_come_back(void **state)
{
	(void)state;
	for (enum outcome outcome = 0; outcome < OUTCOME__COUNT; outcome++)
		for (enum monitor_state s = 0; s < STATE__COUNT; s++)
			for (int maintenance = 0; maintenance < 2; maintenance++) {
				struct sample sample = {.at_us = T0_US,
					.outcome = outcome,
					.state = s,
					.maintenance = maintenance,
					.response_us = -1,
					.timings = TIMINGS_NONE};
				struct sample out = back(&sample);

				assert_int_equal(out.outcome, outcome);
				assert_int_equal(out.state, s);
				assert_int_equal(out.maintenance, maintenance);
				assert_int_equal(out.response_us, -1);
			}
}

enum { MARKS = 500 };
static struct mark marks[MARKS];

static void make_marks(bool one_monitor)
{
	for (int i = 0; i < MARKS; i++) {
		struct sample sample = {
			.monitor_id = one_monitor ? 7 : 1 + (uint32_t)i * 3,
			.at_us = T0_US +
				 (one_monitor ? i * INT64_C(7000000) : i * INT64_C(1999000) % 3600000000),
			.outcome = i % 50 ? OUTCOME_UP : OUTCOME_DOWN,
			.state = STATE_UP,
			.response_us = i % 50 ? 30000 + i * 37 % 5000 : -1,
			.timings = {i % 3 ? 900 : -1, 9000 + i % 7 * 100, -1, 20000,
				i % 50 ? 30000 + i * 37 % 5000 : 77},
		};

		mark_from(&marks[i], &sample);
	}
}

static void test_a_run_comes_back_in_as_many_records_as_it_needs(void **state)
{
	struct mark mark;
	size_t done = 0, records = 0;

	(void)state;
	make_marks(false);
	while (done < MARKS) {
		struct text t = TEXT_INIT;
		struct run run;
		size_t n = run_put(&t, marks + done, MARKS - done, 300);

		assert_true(n > 0 && t.len < 340);
		assert_true(run_begin(&run, (const uint8_t *)t.ptr, t.len));
		assert_int_equal(run.first_id, marks[done].id);
		assert_int_equal(run.last_id, marks[done + n - 1].id);
		for (size_t i = 0; i < n; i++) {
			assert_true(run_next(&run, &mark));
			assert_memory_equal(&mark, &marks[done + i], sizeof(mark));
		}
		assert_false(run_next(&run, &mark));
		assert_false(run.rest.bad);
		done += n;
		records++;
		text_free(&t);
	}
	assert_true(records > 5);
}

static void test_a_series_comes_back_with_its_parts(void **state)
{
	struct text series = TEXT_INIT, parts = TEXT_INIT;
	struct mark out[MARKS];

	(void)state;
	make_marks(true);
	series_put(&series, marks, MARKS);
	parts_put(&parts, marks, MARKS);
	assert_int_equal(series_count((const uint8_t *)series.ptr, series.len), MARKS);
	assert_true(series_get((const uint8_t *)series.ptr, series.len, 7, out, MARKS));
	assert_true(parts_get((const uint8_t *)parts.ptr, parts.len, out, MARKS));
	assert_memory_equal(out, marks, sizeof(out));
	assert_true(series.len < MARKS * 3);
	text_free(&series);
	text_free(&parts);
}

static void test_what_is_cut_is_bad(void **state)
{
	struct text series = TEXT_INIT, parts = TEXT_INIT, body = TEXT_INIT;
	struct mark out[MARKS];

	(void)state;
	make_marks(true);
	series_put(&series, marks, MARKS);
	parts_put(&parts, marks, MARKS);
	for (size_t n = 0; n < series.len; n++)
		assert_false(series_count((const uint8_t *)series.ptr, n) == MARKS &&
			series_get((const uint8_t *)series.ptr, n, 7, out, MARKS));
	for (size_t n = 0; n < parts.len; n++)
		assert_false(parts_get((const uint8_t *)parts.ptr, n, out, MARKS));
	run_put(&body, marks, MARKS, SIZE_MAX);
	for (size_t n = 0; n < body.len; n++) {
		struct run run;
		size_t whole = 0;

		if (!run_begin(&run, (const uint8_t *)body.ptr, n))
			continue;
		while (run_next(&run, out))
			whole++;
		assert_true(whole < MARKS);
	}
	text_free(&series);
	text_free(&parts);
	text_free(&body);
}

static void test_frames_come_back_by_id(void **state)
{
	struct text t = TEXT_INIT, inner = TEXT_INIT;
	uint32_t previous = 0;
	struct frame frame;

	(void)state;
	for (uint32_t id = 3; id < 1000000; id *= 3) {
		text_clear(&inner);
		text_printf(&inner, "%u", id);
		frame_put(&t, &previous, id, &inner);
	}
	frame_begin(&frame, (const uint8_t *)t.ptr, t.len);
	for (uint32_t id = 3; id < 1000000; id *= 3) {
		char text[16] = "";

		assert_true(frame_next(&frame));
		assert_int_equal(frame.id, id);
		memcpy(text, frame.bytes, frame.n);
		assert_int_equal(atol(text), id);
	}
	assert_false(frame_next(&frame));
	assert_false(frame.rest.bad);
	frame_begin(&frame, (const uint8_t *)t.ptr, t.len - 1);
	while (frame_next(&frame))
		;
	assert_true(frame.rest.bad);
	text_free(&t);
	text_free(&inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_kept_to_the_millisecond),
		cmocka_unit_test(test_lengths_are_kept_by_share),
		cmocka_unit_test(test_what_is_beyond_the_range_is_its_end),
		cmocka_unit_test(test_outcome_state_and_maintenance_come_back),
		cmocka_unit_test(test_a_run_comes_back_in_as_many_records_as_it_needs),
		cmocka_unit_test(test_a_series_comes_back_with_its_parts),
		cmocka_unit_test(test_what_is_cut_is_bad),
		cmocka_unit_test(test_frames_come_back_by_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
