/* SPDX-License-Identifier: ISC */
/*
 * words: every row is whole in both languages, and filling, lengths and tags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/monitor.h"
#include "model/words.h"

static const char *const names[] = {
#define WORD(id, en, zh) #id,
#include "model/words.def"
#undef WORD
};

static unsigned placeholders(const char *s)
{
	unsigned seen = 0;

	for (; *s; s++) {
		if (s[0] == '{' && s[1] >= '1' && s[1] <= '9' && s[2] == '}')
			seen |= 1u << (s[1] - '0');
	}
	return seen;
}

static bool ascii_only(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

static void every_row_is_whole_in_both_languages(void **state)
{
	(void)state;
	for (int i = 0; i < WORD__COUNT; i++) {
		const char *en = word(LANGUAGE_EN, (enum word)i), *zh = word(LANGUAGE_ZH_TW, (enum word)i);

		if (!*en || !*zh || !ascii_only(en) || !text_utf8_valid(zh, strlen(zh)))
			fail_msg("%s is empty or badly encoded", names[i]);
		if (ascii_only(zh) && placeholders(zh) == 0 && strcmp(zh, "TLS") != 0)
			fail_msg("%s is not translated", names[i]);
	}
}

static void both_languages_take_the_same_arguments(void **state)
{
	(void)state;
	for (int i = 0; i < WORD__COUNT; i++) {
		unsigned en = placeholders(word(LANGUAGE_EN, (enum word)i));
		unsigned zh = placeholders(word(LANGUAGE_ZH_TW, (enum word)i));

		if (en != zh)
			fail_msg("%s takes other arguments in the two languages", names[i]);
		if ((en >> 1) & ((en >> 1) + 1))
			fail_msg("%s leaves out a number between its placeholders", names[i]);
	}
}

static void arguments_are_put_in_their_places(void **state)
{
	static const char *const args[] = {"<3>", "10"};
	struct text t = TEXT_INIT;

	(void)state;
	words_put(&t, text_html, LANGUAGE_EN, WORD_SOME_DOWN, args, 2);
	assert_string_equal(text_str(&t), "&lt;3&gt; of 10 monitors are down");
	text_clear(&t);
	words_put(&t, text_raw, LANGUAGE_ZH_TW, WORD_SOME_DOWN, args, 2);
	assert_string_equal(text_str(&t), "10 個監控項目中有 <3> 個故障");
	text_free(&t);
}

static void the_rows_own_words_are_escaped_too(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	words_put(&t, text_json, LANGUAGE_EN, WORD_NO_MONITORS_HELP, NULL, 0);
	assert_non_null(strstr(text_str(&t), "\\\"monitors\\\""));
	text_free(&t);
}

static void a_missing_argument_leaves_a_hole_not_a_crash(void **state)
{
	static const char *const args[] = {NULL, "x"};
	struct text t = TEXT_INIT;

	(void)state;
	words_put(&t, text_raw, LANGUAGE_EN, WORD_LINE, args, 2);
	words_put(&t, text_raw, LANGUAGE_EN, WORD_LINE, NULL, 0);
	assert_string_equal(text_str(&t), ": x: ");
	text_free(&t);
}

static const struct {
	int64_t us;
	const char *en, *zh;
} lengths[] = {
	{-5, "0 ms", "0 毫秒"},
	{0, "0 ms", "0 毫秒"},
	{340 * US_PER_MS, "340 ms", "340 毫秒"},
	{US_PER_S, "1 s", "1 秒"},
	{12900 * US_PER_MS, "12 s", "12 秒"},
	{60 * US_PER_S, "1 min", "1 分鐘"},
	{200 * US_PER_S, "3 min 20 s", "3 分鐘 20 秒"},
	{7500 * US_PER_S, "2 h 5 min", "2 小時 5 分鐘"},
	{7205 * US_PER_S, "2 h", "2 小時"},
	{(3 * 86400 + 4 * 3600 + 59) * US_PER_S, "3 d 4 h", "3 天 4 小時"},
	{400 * 86400 * US_PER_S, "400 d", "400 天"},
};

static void lengths_have_two_units_at_most(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		text_clear(&t);
		words_length(&t, LANGUAGE_EN, lengths[i].us);
		assert_string_equal(text_str(&t), lengths[i].en);
		text_clear(&t);
		words_length(&t, LANGUAGE_ZH_TW, lengths[i].us);
		assert_string_equal(text_str(&t), lengths[i].zh);
	}
	text_free(&t);
}

static const struct {
	int64_t us;
	const char *en;
} responses[] = {
	{0, "0 ms"},
	{87400, "87 ms"},
	{87500, "88 ms"},
	{999499, "999 ms"},
	{999500, "1.00 s"},
	{1240000, "1.24 s"},
	{1999999, "2.00 s"},
	{12345678, "12.35 s"},
};

static void response_times_are_rounded(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(responses); i++) {
		text_clear(&t);
		words_response(&t, LANGUAGE_EN, responses[i].us);
		assert_string_equal(text_str(&t), responses[i].en);
	}
	text_free(&t);
}

static const struct {
	const char *tag;
	enum language language;
} tags[] = {
	{"en", LANGUAGE_EN},
	{"en-GB", LANGUAGE_EN},
	{"zh-TW", LANGUAGE_ZH_TW},
	{"zh-tw", LANGUAGE_ZH_TW},
	{"zh_TW", LANGUAGE_ZH_TW},
	{"zh-Hant", LANGUAGE_ZH_TW},
	{"zh", LANGUAGE_ZH_TW},
	{"zhx", LANGUAGE_EN},
	{"de", LANGUAGE_EN},
	{"", LANGUAGE_EN},
	{NULL, LANGUAGE_EN},
};

static void languages_are_what_browsers_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tags); i++)
		assert_int_equal(language_parse(tags[i].tag), tags[i].language);
	for (int i = 0; i < LANGUAGE__COUNT; i++)
		assert_int_equal(language_parse(language_tag((enum language)i)), i);
}

static void counts_choose_the_row(void **state)
{
	(void)state;
	assert_int_equal(words_count(1, WORD_ALL_UP_ONE, WORD_ALL_UP), WORD_ALL_UP_ONE);
	assert_int_equal(words_count(0, WORD_ALL_UP_ONE, WORD_ALL_UP), WORD_ALL_UP);
	assert_int_equal(words_count(2, WORD_ALL_UP_ONE, WORD_ALL_UP), WORD_ALL_UP);
}

static void each_value_has_its_own_word(void **state)
{
	(void)state;
	for (int i = 0; i < STATE__COUNT; i++) {
		if (i != STATE_SUSPECT)
			assert_string_equal(word(LANGUAGE_EN, word_of_state(i)),
				monitor_state_name((enum monitor_state)i));
	}
	assert_int_equal(word_of_event(EVENT_DIGEST), WORD_EVENT_DIGEST);
	assert_int_equal(word_of_event(99), WORD_EVENT_UNKNOWN);
	assert_int_equal(word_of_mark(MARK_SLOW), WORD_MARK_SLOW);
	assert_int_equal(word_of_held("maintenance"), WORD_HELD_MAINTENANCE);
	assert_int_equal(word_of_held("no such rule"), WORD_NONE);
	assert_int_equal(word_of_held(NULL), WORD_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole_in_both_languages),
		cmocka_unit_test(both_languages_take_the_same_arguments),
		cmocka_unit_test(arguments_are_put_in_their_places),
		cmocka_unit_test(the_rows_own_words_are_escaped_too),
		cmocka_unit_test(a_missing_argument_leaves_a_hole_not_a_crash),
		cmocka_unit_test(lengths_have_two_units_at_most),
		cmocka_unit_test(response_times_are_rounded),
		cmocka_unit_test(languages_are_what_browsers_say),
		cmocka_unit_test(counts_choose_the_row),
		cmocka_unit_test(each_value_has_its_own_word),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
