/* SPDX-License-Identifier: ISC */
/*
 * series: rows of samples and what they sum up to. A row's samples are "SECONDS STATE" words: the state's
 * letter (u up, d down, s suspect, ? unknown, z paused, p pending, m up within maintenance) in lower case for
 * the usual outcome, in upper case for a good result while down or suspect; x X y: nobody knows, while the state
 * was up, down, suspect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/series.h"

#define T0 INT64_C(1770000000)

static struct sample sample_of(long at_s, char letter)
{
	static const struct {
		char letter;
		enum monitor_state state;
		enum outcome outcome;
	} letters[] = {
		{'u', STATE_UP, OUTCOME_UP},
		{'m', STATE_UP, OUTCOME_UP},
		{'d', STATE_DOWN, OUTCOME_DOWN},
		{'D', STATE_DOWN, OUTCOME_UP},
		{'s', STATE_SUSPECT, OUTCOME_DOWN},
		{'S', STATE_SUSPECT, OUTCOME_UP},
		{'?', STATE_UNKNOWN, OUTCOME_UNKNOWN},
		{'x', STATE_UP, OUTCOME_UNKNOWN},
		{'X', STATE_DOWN, OUTCOME_UNKNOWN},
		{'y', STATE_SUSPECT, OUTCOME_UNKNOWN},
		{'z', STATE_PAUSED, OUTCOME_UNKNOWN},
		{'p', STATE_PENDING, OUTCOME_UNKNOWN},
	};
	struct sample s = {.at_us = (T0 + at_s) * US_PER_S, .response_us = -1, .maintenance = letter == 'm'};

	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if (letters[i].letter == letter) {
			s.state = letters[i].state;
			s.outcome = letters[i].outcome;
		}
	}
	return s;
}

static size_t read_samples(const char *text, struct sample *out)
{
	size_t n = 0;

	while (*text) {
		char *end;
		long at = strtol(text, &end, 10);

		out[n++] = sample_of(at, *end);
		text = end + 1 + strspn(end + 1, " ");
	}
	return n;
}

/* Summed over 600 s from T0; a result holds 150 s. */
static const struct {
	const char *name, *samples;
	int64_t up_s, down_s, unknown_s;
} sums[] = {
	{"nothing", "", 0, 0, 600},
	{"up all the time", "0u 100u 200u 300u 400u 500u", 600, 0, 0},
	{"what was before holds into it", "-60u 60u 160u 260u 360u 460u 560u", 600, 0, 0},
	{"what was long before does not", "-1000u 300u 400u 500u", 300, 0, 300},
	{"a result holds no longer than it may", "0u 400u 500u", 150 + 200, 0, 250},
	{"down holds no longer either", "0d 300d", 0, 300, 300},
	{"an outage begins with its first bad result", "0u 100s 105s 110d 210d 310u 410u 510u", 390, 210,
		0},
	{"a good result within its ladder belongs to it", "0u 100s 105S 110s 120d 220u 320u 420u 520u", 480,
		120, 0},
	{"a ladder that came to nothing was up", "0u 100s 105S 110S 120u 220u 320u 420u 520u", 600, 0, 0},
	{"recovery begins with its first good result", "0d 100d 200D 210u 310u 410u 510u", 400, 200, 0},
	{"a good result that led to nothing is still the outage", "0d 100D 110d 200d 300d 400d 500d", 0,
		600, 0},
	{"a ladder that ended blind was unknown", "0u 100s 105s 110? 200? 300u 400u 500u", 400, 0, 200},
	{"a suspect at the end is up until known", "0u 100u 200u 300u 400u 500u 590s", 600, 0, 0},
	{"the sample after the end tells", "0u 100u 200u 300u 400u 500u 590s 610d", 590, 10, 0},
	{"unknown is apart", "0u 100? 200? 300u 400u 500u", 400, 0, 200},
	{"slots that were missed are unknown, though it was up", "0u 100x 200x 300u 400u 500u", 400, 0, 200},
	{"and so they are though it was down", "0d 100X 200X 300d 400d 500d", 0, 400, 200},
	{"a gap of whole slots is unknown", "0x 100x 200x 300x 400x 500x", 0, 0, 600},
	{"a look that failed within an outage's ladder", "0u 100s 105y 110s 120d 220u 320u 420u 520u", 480, 120, 0},
	{"and within one that came to nothing", "0u 100s 110y 120u 220u 320u 420u 520u", 580, 0, 20},
	{"paused is in none, however long", "0u 100z 500u", 200, 0, 0},
	{"pending is in none while told so", "0p 100p 200u 300u 400u 500u", 400, 0, 0},
	{"maintenance is in none", "0u 100m 200m 300u 400u 500u", 400, 0, 0},
};

static void time_is_booked_where_it_belongs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(sums); i++) {
		struct sample samples[32];
		size_t n = read_samples(sums[i].samples, samples);
		struct rollup r;

		series_rollup(samples, n, T0, T0 + 600, 150, &r);
		if (r.up_s != sums[i].up_s || r.down_s != sums[i].down_s || r.unknown_s != sums[i].unknown_s)
			fail_msg("%s: up %lld down %lld unknown %lld", sums[i].name, (long long)r.up_s,
				(long long)r.down_s, (long long)r.unknown_s);
	}
}

static void fractions_of_seconds_add_up_to_the_span(void **state)
{
	struct sample samples[3] = {sample_of(0, 'u'), sample_of(0, 'd'), sample_of(0, '?')};
	struct rollup r;

	(void)state;
	samples[1].at_us += 100400000; /* 100.4 s up, 100.4 s down, 399.2 s unknown */
	samples[2].at_us += 200800000;
	series_rollup(samples, 3, T0, T0 + 600, 1000, &r);
	assert_int_equal(r.up_s, 100);
	assert_int_equal(r.down_s, 100);
	assert_int_equal(r.up_s + r.down_s + r.unknown_s, 600);
}

static void response_times_are_ranked(void **state)
{
	static struct sample samples[101];
	struct rollup r;

	(void)state;
	for (int i = 0; i < 100; i++) {
		samples[i] = sample_of(i, 'u');
		samples[i].response_us = (100 - i) * 1000;
	}
	samples[100] = sample_of(600, 'u'); /* after the end: counts for nothing */
	samples[100].response_us = 99000000;
	series_rollup(samples, COUNT_OF(samples), T0, T0 + 600, 150, &r);
	assert_int_equal(r.count, 100);
	assert_int_equal(r.min_us, 1000);
	assert_int_equal(r.p50_us, 50000);
	assert_int_equal(r.p95_us, 95000);
	assert_int_equal(r.max_us, 100000);
	assert_int_equal(r.mean_us, 50500);
}

static void one_response_time_is_all_percentiles(void **state)
{
	struct sample sample = sample_of(0, 'u');
	struct rollup r;

	(void)state;
	sample.response_us = 1234;
	series_rollup(&sample, 1, T0, T0 + 600, 150, &r);
	assert_int_equal(r.p50_us, 1234);
	assert_int_equal(r.p95_us, 1234);
	sample.response_us = INT64_C(10000000000);
	series_rollup(&sample, 1, T0, T0 + 600, 150, &r);
	assert_int_equal(r.max_us, UINT32_MAX);
}

static void uptime_leaves_unknown_apart(void **state)
{
	struct rollup r = {.up_s = 300, .down_s = 100, .unknown_s = 5000};
	struct rollup none = {.unknown_s = 600};

	(void)state;
	assert_true(series_uptime(&r) == 0.75);
	assert_true(series_uptime(&none) == -1.0);
}

static void merging_adds_time_and_weighs_quantiles(void **state)
{
	struct rollup a = {0};
	struct rollup b = {T0, T0 + 3600, 3500, 100, 0, 30, 10, 100, 90, 200, 300};
	struct rollup c = {T0 + 3600, T0 + 7200, 3000, 0, 600, 10, 5, 20, 10, 40, 50};
	struct rollup silent = {T0 + 7200, T0 + 10800, 0, 0, 3600, 0, 0, 0, 0, 0, 0};

	(void)state;
	series_merge(&a, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	series_merge(&a, &c);
	series_merge(&a, &silent);
	assert_int_equal(a.from_s, T0);
	assert_int_equal(a.to_s, T0 + 10800);
	assert_int_equal(a.up_s, 6500);
	assert_int_equal(a.down_s, 100);
	assert_int_equal(a.unknown_s, 4200);
	assert_int_equal(a.count, 40);
	assert_int_equal(a.min_us, 5);
	assert_int_equal(a.mean_us, 80);
	assert_int_equal(a.p50_us, 70);
	assert_int_equal(a.p95_us, 160);
	assert_int_equal(a.max_us, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_booked_where_it_belongs),
		cmocka_unit_test(fractions_of_seconds_add_up_to_the_span),
		cmocka_unit_test(response_times_are_ranked),
		cmocka_unit_test(one_response_time_is_all_percentiles),
		cmocka_unit_test(uptime_leaves_unknown_apart),
		cmocka_unit_test(merging_adds_time_and_weighs_quantiles),
	};

	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
