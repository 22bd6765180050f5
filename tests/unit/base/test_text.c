/* SPDX-License-Identifier: ISC */
/*
 * text: every escaping verb by a table of what goes in and what must come out, and the string builder.
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

#define BAD "\xef\xbf\xbd"

typedef void (*verb)(struct text *t, const char *s);

static const struct {
	verb write;
	const char *in, *out;
} escapes[] = {
	{text_html, "", ""},
	{text_html, "plain text", "plain text"},
	{text_html, "<a href=\"x\" id='y'>&</a>",
		"&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&lt;/a&gt;"},
	{text_html, "tab\tline\nend", "tab\tline\nend"},
	{text_html, "mail\r\nlines\r\n", "mail\nlines\n"},
	{text_html, "lone\rreturn", "lone" BAD "return"},
	{text_html, "bell\a del\x7f", "bell" BAD " del" BAD},
	{text_html, "C1 \xc2\x9b[31m", "C1 " BAD "[31m"},
	{text_html, "\xe7\x9b\xa3\xe6\x8e\xa7", "\xe7\x9b\xa3\xe6\x8e\xa7"},
	{text_html, "\xf0\x9f\x94\xa5", "\xf0\x9f\x94\xa5"},
	{text_html, "cut \xe7\x9b", "cut " BAD},
	{text_html, "cut \xe7\x9b<", "cut " BAD "&lt;"},
	{text_html, "overlong \xc0\xbcscript>", "overlong " BAD BAD "script&gt;"},
	{text_html, "surrogate \xed\xa0\x80", "surrogate " BAD BAD BAD},
	{text_html, "too high \xf4\x90\x80\x80", "too high " BAD BAD BAD BAD},
	{text_html, "latin \xe9t\xe9", "latin " BAD "t" BAD},
	{text_xml, "a\x01<b>\xef\xbf\xbe\xef\xbf\xbf", "a" BAD "&lt;b&gt;" BAD BAD},
	{text_url, "AZaz09-._~", "AZaz09-._~"},
	{text_url, "a b+c&d=e/f?g#h%", "a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25"},
	{text_url, "\xe7\x9b\xa3", "%E7%9B%A3"},
	{text_url, "!\"$'()*,:;<>@[\\]^`{|}", "%21%22%24%27%28%29%2A%2C%3A%3B%3C%3E%40%5B%5C%5D%5E%60%7B%7C%7D"},
	{text_json, "a\"b\\c/d", "a\\\"b\\\\c/d"},
	{text_json, "\b\f\n\r\t\x01\x1f\x7f", "\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f"},
	{text_json, "</script><!--&", "\\u003c/script\\u003e\\u003c!--\\u0026"},
	{text_json, "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\\u2028\\u2029\xe2\x80\xaa"},
	{text_json, "bad \xff\xfe", "bad " BAD BAD},
	{text_json_string, "x", "\"x\""},
	{text_json_string, "", "\"\""},
	{text_json_string, NULL, "null"},
	{text_header, "one\r\nX-Evil: two", "one X-Evil: two"},
	{text_header, "a\n\n\r\nb\tc", "a b c"},
	{text_header, "nel \xc2\x85 sep \xe2\x80\xa8 end", "nel   sep   end"},
	{text_header, "\xe7\x9b\xa3 bad \xff", "\xe7\x9b\xa3 bad " BAD},
	{text_log, "ok line", "ok line"},
	{text_screen, "Gr\xc3\xbc\xc3\x9f" "e \xe6\xbc\xa2\xe5\xad\x97 \\ \"", "Gr\xc3\xbc\xc3\x9f" "e \xe6\xbc\xa2\xe5\xad\x97 \\ \""},
	{text_screen, "a\nb\x1b[31m\x7f\xc2\x9b\xe2\x80\xae\xff", "a\\x0Ab\\x1B[31m\\x7F\\xC2\\x9B\\xE2\\x80\\xAE\\xFF"},
	{text_log, "a\nb\x1b[31m\\x41\x7f\xe9", "a\\x0Ab\\x1B[31m\\x5Cx41\\x7F\\xE9"},
	{text_slack, "<!channel> & <@U1>\n*bold*\xff", "&lt;!channel&gt; &amp; &lt;@U1&gt;\n*bold*\xff"},
	{text_label, "a\"b\\c\nd<e>\t", "a\\\"b\\\\c\\nd<e>\t"},
	{text_label, "\xe7\x9b\xa3\xff", "\xe7\x9b\xa3" BAD},
};

static void each_verb_escapes_its_context(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		struct text t = TEXT_INIT;

		escapes[i].write(&t, escapes[i].in);
		assert_string_equal(text_str(&t), escapes[i].out);
		text_free(&t);
	}
}

static void verbs_with_a_length_take_nul_bytes(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	text_htmln(&t, "a\0b", 3);
	assert_string_equal(text_str(&t), "a" BAD "b");
	text_clear(&t);
	text_urln(&t, "a\0b", 3);
	assert_string_equal(text_str(&t), "a%00b");
	text_clear(&t);
	text_jsonn(&t, "a\0b", 3);
	assert_string_equal(text_str(&t), "a\\u0000b");
	text_clear(&t);
	text_logn(&t, "a\0b", 3);
	assert_string_equal(text_str(&t), "a\\x00b");
	text_free(&t);
}

static void seconds_are_exact_and_short(void **state)
{
	static const struct {
		int64_t us;
		const char *out;
	} rows[] = {
		{0, "0"},
		{1, "0.000001"},
		{-1, "-0.000001"},
		{1500000, "1.5"},
		{-500000, "-0.5"},
		{12300000, "12.3"},
		{60000000, "60"},
		{100010, "0.10001"},
		{INT64_MAX, "9223372036854.775807"},
		{INT64_MIN, "-9223372036854.775808"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;

		text_json_seconds(&t, rows[i].us);
		assert_string_equal(text_str(&t), rows[i].out);
		text_free(&t);
	}
}

static void builder_grows_clears_and_gives_away(void **state)
{
	struct text t = TEXT_INIT;
	char *mine;

	(void)state;
	assert_string_equal(text_str(&t), "");
	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%03d,", i);
	assert_int_equal(t.len, 4000);
	assert_memory_equal(t.ptr + 3996, "999,", 5);
	text_clear(&t);
	assert_string_equal(text_str(&t), "");
	text_raw(&t, "kept");
	mine = text_take(&t);
	assert_string_equal(mine, "kept");
	assert_null(t.ptr);
	free(mine);
	mine = text_take(&t);
	assert_string_equal(mine, "");
	free(mine);
}

static void printing_fits_at_every_length(void **state)
{
	(void)state;
	for (int before = 0; before < 130; before++) {
		for (int n = 0; n < 200; n += 7) {
			struct text t = TEXT_INIT;

			text_printf(&t, "%*s", before, "");
			text_printf(&t, "%0*d", n + 1, 7);
			assert_int_equal(t.len, before + n + 1);
			assert_int_equal(strlen(t.ptr), t.len);
			assert_int_equal(t.ptr[t.len - 1], '7');
			text_free(&t);
		}
	}
}

static void cutting_keeps_characters_whole(void **state)
{
	static const struct {
		const char *in;
		size_t max, fit;
		const char *cut;
	} rows[] = {
		{"abc", 3, 3, "abc"},
		{"abcdef", 5, 5, "ab\xe2\x80\xa6"},
		{"abcdef", 3, 3, "\xe2\x80\xa6"},
		{"abcdef", 2, 2, "ab"},
		{"abc", 0, 0, ""},
		{"\xe7\x9b\xa3\xe6\x8e\xa7", 6, 6, "\xe7\x9b\xa3\xe6\x8e\xa7"},
		{"\xe7\x9b\xa3\xe6\x8e\xa7", 5, 3, "\xe2\x80\xa6"},
		{"\xe7\x9b\xa3\xe6\x8e\xa7", 2, 0, ""},
		{"a\xf0\x9f\x94\xa5z", 4, 1, "a\xe2\x80\xa6"},
		{"a\xf0\x9f\x94\xa5z", 5, 5, "a\xe2\x80\xa6"},
		{"\x80\x80\x80\x80\x80\x80", 4, 4, "\x80\xe2\x80\xa6"},
		{"\xe9\xe9\xe9\xe9", 2, 2, "\xe9\xe9"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;

		assert_int_equal(text_utf8_fit(rows[i].in, strlen(rows[i].in), rows[i].max), rows[i].fit);
		text_cut(&t, rows[i].in, rows[i].max);
		assert_string_equal(text_str(&t), rows[i].cut);
		text_free(&t);
	}
}

static void utf8_is_judged_as_the_standard_says(void **state)
{
	static const struct {
		const char *s;
		bool valid;
	} rows[] = {
		{"", true},
		{"ascii", true},
		{"\xc2\x80\xdf\xbf", true},
		{"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
		{"\x80", false},
		{"\xc1\xbf", false},
		{"\xc2", false},
		{"\xe0\x9f\xbf", false},
		{"\xed\xa0\x80", false},
		{"\xf0\x8f\xbf\xbf", false},
		{"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false},
		{"\xf0\x9f\x94", false},
		{"ok then \xff", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(text_utf8_valid(rows[i].s, strlen(rows[i].s)), rows[i].valid);
}

static void percent_decoding_is_done_once_or_refused(void **state)
{
	static const struct {
		const char *in;
		bool plus;
		const char *out; /* NULL: refused */
	} rows[] = {
		{"", false, ""},
		{"plain", false, "plain"},
		{"%41%6a%6A", false, "Ajj"},
		{"a+b", false, "a+b"},
		{"a+b", true, "a b"},
		{"%2541", false, "%41"},
		{"%2B+", true, "+ "},
		{"%", false, NULL},
		{"%4", false, NULL},
		{"x%4g", false, NULL},
		{"x%g4", false, NULL},
		{"x%%41", false, NULL},
		{"% 1", true, NULL},
		{"%+1", true, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;

		text_raw(&t, ">");
		assert_int_equal(text_percent_decode(&t, rows[i].in, strlen(rows[i].in), rows[i].plus),
			rows[i].out != NULL);
		assert_string_equal(text_str(&t) + 1, rows[i].out ? rows[i].out : "");
		text_free(&t);
	}
}

static void percent_decoding_stops_at_the_length(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	assert_false(text_percent_decode(&t, "%41", 2, false));
	assert_true(text_percent_decode(&t, "a%00b", 5, false));
	assert_int_equal(t.len, 3);
	assert_memory_equal(t.ptr, "a\0b", 4);
	text_free(&t);
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *s;
		bool is_u64, is_i64;
		int64_t value;
	} rows[] = {
		{"0", true, true, 0},
		{"42", true, true, 42},
		{"007", true, true, 7},
		{"9223372036854775807", true, true, INT64_MAX},
		{"9223372036854775808", true, false, INT64_MIN},
		{"18446744073709551615", true, false, -1},
		{"18446744073709551616", false, false, 0},
		{"99999999999999999999", false, false, 0},
		{"-1", false, true, -1},
		{"-0", false, true, 0},
		{"-9223372036854775808", false, true, INT64_MIN},
		{"-9223372036854775809", false, false, 0},
		{"", false, false, 0},
		{"-", false, false, 0},
		{"--1", false, false, 0},
		{"+1", false, false, 0},
		{" 1", false, false, 0},
		{"1 ", false, false, 0},
		{"1.0", false, false, 0},
		{"0x10", false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t u = 0;
		int64_t s = 0;

		assert_int_equal(text_to_u64(rows[i].s, &u), rows[i].is_u64);
		assert_int_equal(text_to_i64(rows[i].s, &s), rows[i].is_i64);
		if (rows[i].is_u64)
			assert_true(u == (uint64_t)rows[i].value);
		if (rows[i].is_i64)
			assert_true(s == rows[i].value);
	}
}

static void typos_find_the_name_that_was_meant(void **state)
{
	static const char *const names[] = {
		"url", "method", "interval", "timeout", "confirm", "confirm_waits", "keyword", "to", "max_age"};
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{"urll", "url"},
		{"ulr", "url"},
		{"URL", "url"},
		{"Interval", "interval"},
		{"intervall", "interval"},
		{"intrevla", "interval"},
		{"time_out", "timeout"},
		{"keywrod", "keyword"},
		{"confirm_wait", "confirm_waits"},
		{"confrim", "confirm"},
		{"maxage", "max_age"},
		{"tp", "to"},
		{"colour", NULL},
		{"x", NULL},
		{"", NULL},
		{"a_name_that_is_much_longer_than_anything_that_we_have_ever_called_a_key_of_ours", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *found = text_nearest(rows[i].typed, names, COUNT_OF(names));

		if (rows[i].meant)
			assert_string_equal(found ? found : "nothing", rows[i].meant);
		else
			assert_null(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verb_escapes_its_context),
		cmocka_unit_test(verbs_with_a_length_take_nul_bytes),
		cmocka_unit_test(seconds_are_exact_and_short),
		cmocka_unit_test(builder_grows_clears_and_gives_away),
		cmocka_unit_test(printing_fits_at_every_length),
		cmocka_unit_test(cutting_keeps_characters_whole),
		cmocka_unit_test(utf8_is_judged_as_the_standard_says),
		cmocka_unit_test(percent_decoding_is_done_once_or_refused),
		cmocka_unit_test(percent_decoding_stops_at_the_length),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(typos_find_the_name_that_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
