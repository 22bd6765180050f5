/* SPDX-License-Identifier: ISC */
/* What others saw: written and read back, refused when it is not that, and given to whom it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/sighting.h"

static void what_is_written_is_read_back(void **state)
{
	char from[] = "uptimerobot", name[] = "The \"shop\" \xE2\x9C\x97", detail[] = "HTTP 502";
	struct sighting list[2] = {{.from = from, .name = name, .sees = OUTCOME_DOWN, .detail = detail,
		.told_us = 1700000000000001, .heard_us = 1700000000500000}, {.from = from, .sees = OUTCOME_UP}};
	struct text json = TEXT_INIT, again = TEXT_INIT;
	struct sighting *read;
	struct error err = {0};
	size_t n;

	(void)state;
	sightings_encode(&json, list, 2);
	assert_true(sightings_decode(text_str(&json), json.len, &read, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(read[0].name, name);
	assert_int_equal(read[0].told_us, list[0].told_us);
	assert_null(read[1].detail);
	sightings_encode(&again, read, n);
	assert_string_equal(text_str(&json), text_str(&again));
	sightings_free(read, n);
	text_free(&json);
	text_free(&again);
}

static void what_is_no_sighting_is_refused(void **state)
{
	static const char *const bad[] = {"", "[]", "null", "{}", "{\"from\":\"x\"}", "{\"sees\":\"down\"}",
		"{\"from\":\"x\",\"sees\":\"unknown\"}", "{\"from\":1,\"sees\":\"up\"}", "{\"from\":\"x\",\"sees\":true}",
		"{\"from\":\"x\",\"sees\":\"up\",\"told\":\"1\"}", "{\"from\":\"x\",\"sees\":\"up\"} x",
		"{\"from\":\"x\",\"sees\":\"up\",\"from\":\"y\"}", "{\"from\":\"x\",\"sees\":\"up\""};
	struct sighting s;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (sighting_decode(bad[i], strlen(bad[i]), &s, &err))
			fail_msg("taken: %s", bad[i]);
		assert_null(s.from);
	}
	assert_true(sighting_decode("{\"more\":[{}],\"sees\":\"up\",\"from\":\"x\"}", 36, &s, &err));
	sighting_clear(&s);
}

static void long_words_are_cut_between_characters(void **state)
{
	struct text json = TEXT_INIT;
	struct sighting s;
	struct error err = {0};

	(void)state;
	text_raw(&json, "{\"from\":\"x\",\"sees\":\"up\",\"name\":\"a");
	for (size_t i = 0; i < SIGHTING_WORDS_MAX; i++)
		text_raw(&json, "\xC3\xBC");
	text_raw(&json, "\"}");
	assert_true(sighting_decode(text_str(&json), json.len, &s, &err));
	assert_int_equal(strlen(s.name), SIGHTING_WORDS_MAX - 1);
	sighting_clear(&s);
	text_free(&json);
}

static void a_monitor_is_known_by_its_sources(void **state)
{
	static char robot[] = "uptimerobot", cake[] = "statuscake", shop[] = "Shop", number[] = "777";
	struct monitor_source sources[] = {{robot, shop}, {robot, number}, {cake, shop}};
	struct monitor monitor = {.sources = sources, .source_count = COUNT_OF(sources)};
	static const struct {
		const char *from, *id, *name, *url;
		bool is;
	} table[] = {
		{"uptimerobot", "1", "Shop", NULL, true},
		{"uptimerobot", "777", "Renamed", NULL, true},
		{"uptimerobot", "1", "shop", NULL, false},
		{"uptimerobot", NULL, NULL, "Shop", true},
		{"statuscake", "777", NULL, NULL, false},
		{"statuscake", NULL, "Shop", NULL, true},
		{"pingdom", "777", "Shop", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct sighting s = {.from = mem_str(table[i].from),
			.id = mem_str(table[i].id),
			.name = mem_str(table[i].name),
			.url = mem_str(table[i].url),
			.sees = OUTCOME_UP};

		if (sighting_is_of(&s, &monitor) != table[i].is)
			fail_msg("row %zu", i);
		sighting_clear(&s);
	}
}

static struct sighting told(const char *from, enum outcome sees, int64_t told_us)
{
	return (struct sighting){.from = mem_str(from), .sees = sees, .told_us = told_us};
}

static void each_place_has_its_newest_word(void **state)
{
	struct sighting *list = NULL, news;
	size_t n = 0;

	(void)state;
	news = told("a", OUTCOME_DOWN, 20);
	assert_true(sightings_take(&list, &n, &news));
	news = told("b", OUTCOME_DOWN, 10);
	assert_true(sightings_take(&list, &n, &news));
	news = told("a", OUTCOME_UP, 19);
	assert_false(sightings_take(&list, &n, &news)); /* came late */
	sighting_clear(&news);
	news = told("a", OUTCOME_UP, 21);
	assert_true(sightings_take(&list, &n, &news));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].sees, OUTCOME_UP);
	news = told("a", OUTCOME_DOWN, 0); /* it does not say when: as it came */
	assert_true(sightings_take(&list, &n, &news));
	assert_int_equal(list[0].sees, OUTCOME_DOWN);
	sightings_free(list, n);
}

static void strangers_are_few_new_and_different(void **state)
{
	struct sighting *list = NULL, news;
	struct text words = TEXT_INIT;
	char name[16];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < SIGHTINGS_STRANGE_MAX + 3; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		news = (struct sighting){.from = mem_str("a"), .name = mem_str(name), .sees = OUTCOME_UP, .heard_us = 1 + i};
		assert_true(sightings_strange_take(&list, &n, &news));
	}
	assert_int_equal(n, SIGHTINGS_STRANGE_MAX);
	assert_string_equal(list[0].name, "n10");
	assert_string_equal(list[n - 1].name, "n3");
	news = (struct sighting){.from = mem_str("a"), .name = mem_str("n5"), .sees = OUTCOME_DOWN, .heard_us = 20};
	assert_false(sightings_strange_take(&list, &n, &news));
	assert_int_equal(n, SIGHTINGS_STRANGE_MAX);
	assert_string_equal(list[0].name, "n5");
	news = (struct sighting){
		.from = mem_str("a"), .unread = true, .detail = mem_str("why"), .heard_us = SIGHTINGS_STRANGE_US + 15};
	assert_true(sightings_strange_take(&list, &n, &news));
	assert_int_equal(n, 2); /* the others are too old now */
	sightings_encode(&words, list, n);
	sightings_free(list, n);
	assert_true(sightings_decode(text_str(&words), words.len, &list, &n, NULL));
	text_clear(&words);
	sighting_strange(&words, &list[0]);
	assert_string_equal(text_str(&words), "a message of a cannot be understood: why: \"\"");
	text_clear(&words);
	sighting_strange(&words, &list[1]);
	assert_string_equal(text_str(&words), "a reports \"n5\", which no monitor has among its sources");
	sightings_free(list, n);
	text_free(&words);
}

static void a_clock_that_was_far_ahead_silences_nobody(void **state)
{
	struct sighting *list = NULL, news;
	size_t n = 0;

	(void)state;
	news = told("a", OUTCOME_DOWN, INT64_C(200000) * 1000000);
	assert_true(sightings_take(&list, &n, &news)); /* heard at 0: two days ahead */
	news = told("a", OUTCOME_UP, 5);
	assert_true(sightings_take(&list, &n, &news));
	assert_int_equal(list[0].sees, OUTCOME_UP);
	sightings_free(list, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(what_is_no_sighting_is_refused),
		cmocka_unit_test(long_words_are_cut_between_characters),
		cmocka_unit_test(a_monitor_is_known_by_its_sources),
		cmocka_unit_test(each_place_has_its_newest_word),
		cmocka_unit_test(strangers_are_few_new_and_different),
		cmocka_unit_test(a_clock_that_was_far_ahead_silences_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
