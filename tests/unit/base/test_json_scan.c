/* SPDX-License-Identifier: ISC */
/*
 * json_scan: what is JSON and what is not, by tables: good texts with their tokens, bad ones with the
 * reason and the place; numbers to the last digit; doubled names, also disguised, many and nested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/json_scan.h"
#include "base/mem.h"

/* One letter per token: o { } a [ ] k s n t f 0, then "." done or "!" bad. */
static char letter(enum json_token token)
{
	static const char letters[] = "!.{}[]ksntf0";

	return letters[token];
}

/* The tokens of a text, as letters; the caller frees. */
static char *tokens_of(struct json_scan *s)
{
	struct text t = TEXT_INIT;
	enum json_token token;

	do {
		token = json_scan_next(s);
		text_char(&t, letter(token));
	} while (token > JSON_DONE);
	return text_take(&t);
}

static void good_texts_give_their_tokens(void **state)
{
	static const struct {
		const char *text;
		unsigned flags;
		const char *tokens;
	} rows[] = {
		{"{}", 0, "{}."},
		{"[]", 0, "[]."},
		{" \t\r\n[ ] \n", 0, "[]."},
		{"\"\"", 0, "s."},
		{"0", 0, "n."},
		{"true", 0, "t."},
		{"false", 0, "f."},
		{"null", 0, "0."},
		{"[1,-2,0.5,1e9,1E+2,1.25e-3,-0]", 0, "[nnnnnnn]."},
		{"{\"a\":1,\"b\":[true,null,{\"a\":\"x\"}],\"c\":{}}", 0, "{knk[t0{ks}]k{}}."},
		{"{ \"a\" : 1 , \"b\" : [ ] }", 0, "{knk[]}."},
		{"{\"\":1}", 0, "{kn}."},
		{"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDD25\\u0000\"]", 0, "[s]."},
		{"\"\x7f \xc3\xa9 \xe7\x9b\xa3 \xf0\x9f\x94\xa5\"", 0, "s."},
		{"[{\"a\":1},{\"a\":1}]", 0, "[{kn}{kn}]."},
		{"{\"a\":{\"a\":{\"a\":1}}}", 0, "{k{k{kn}}}."},
		{"// one\n{ /* two */ \"a\": 1 // three\n}/**/ // four", JSON_COMMENTS, "{kn}."},
		{"/***/[/*,*/1/* / * */,//]\n2]", JSON_COMMENTS, "[nn]."},
		{"\xef\xbb\xbf{}", JSON_COMMENTS, "{}."},
		{"[\"// not a comment\", \"/* nor this */\"]", JSON_COMMENTS, "[ss]."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct json_scan s;
		char *tokens;

		json_scan_init(&s, rows[i].text, strlen(rows[i].text), rows[i].flags, 8);
		tokens = tokens_of(&s);
		assert_string_equal(tokens, rows[i].tokens);
		assert_int_equal(json_scan_next(&s), JSON_DONE);
		free(tokens);
		json_scan_free(&s);
	}
}

static const struct bad_text {
	const char *text;
	unsigned flags;
	unsigned line, column;
	const char *why; /* part of it */
} bad_texts[] = {
	{"", 0, 1, 1, "ends here"},
	{"  ", 0, 1, 3, "ends here"},
	{"{", 0, 1, 2, "ends here"},
	{"[", 0, 1, 2, "ends here"},
	{"{\"a\"", 0, 1, 5, "ends here"},
	{"{\"a\":", 0, 1, 6, "ends here"},
	{"{\"a\":1", 0, 1, 7, "ends here"},
	{"{\"a\":1,", 0, 1, 8, "ends here"},
	{"{} {}", 0, 1, 4, "after the end"},
	{"1 2", 0, 1, 3, "after the end"},
	{"{}x", 0, 1, 3, "after the end"},
	{"[1]]", 0, 1, 4, "after the end"},
	{"[1 2]", 0, 1, 4, "a comma or ]"},
	{"[1}", 0, 1, 3, "a comma or ]"},
	{"{\"a\":1]", 0, 1, 7, "a comma or }"},
	{"{\"a\":1 \"b\":2}", 0, 1, 8, "a comma or }"},
	{"[1,]", 0, 1, 4, "comma must not"},
	{"{\"a\":1,}", 0, 1, 8, "comma must not"},
	{"[,1]", 0, 1, 2, "a value is missing"},
	{"[1,,2]", 0, 1, 4, "a value is missing"},
	{"{,}", 0, 1, 2, "a name in double quotes"},
	{"{a:1}", 0, 1, 2, "a name in double quotes"},
	{"{'a':1}", 0, 1, 2, "a name in double quotes"},
	{"{1:1}", 0, 1, 2, "a name in double quotes"},
	{"{\"a\" 1}", 0, 1, 6, "a colon"},
	{"{\"a\",1}", 0, 1, 5, "a colon"},
	{"{\"a\"}", 0, 1, 5, "a colon"},
	{"{\"a\":}", 0, 1, 6, "a value is missing"},
	{"True", 0, 1, 1, "a value is missing"},
	{"tru", 0, 1, 1, "a value is missing"},
	{"truely", 0, 1, 5, "after the end"},
	{"NaN", 0, 1, 1, "a value is missing"},
	{"Infinity", 0, 1, 1, "a value is missing"},
	{"+1", 0, 1, 1, "a value is missing"},
	{".5", 0, 1, 1, "a value is missing"},
	{"-", 0, 1, 2, "a digit is missing"},
	{"-x", 0, 1, 2, "a digit is missing"},
	{"01", 0, 1, 1, "cannot begin with 0"},
	{"-00", 0, 1, 2, "cannot begin with 0"},
	{"[1.]", 0, 1, 4, "after the point"},
	{"1e", 0, 1, 3, "in the exponent"},
	{"1e+", 0, 1, 4, "in the exponent"},
	{"0x10", 0, 1, 2, "after the end"},
	{"1_000", 0, 1, 2, "after the end"},
	{"\"abc", 0, 1, 1, "not closed"},
	{"\"abc\\\"", 0, 1, 1, "not closed"},
	{"\"a\nb\"", 0, 1, 3, "control character"},
	{"\"a\tb\"", 0, 1, 3, "control character"},
	{"\"\\x41\"", 0, 1, 2, "this escape"},
	{"\"\\", 0, 1, 2, "this escape"},
	{"\"\\'\"", 0, 1, 2, "this escape"},
	{"\"\\u12g4\"", 0, 1, 2, "four hex digits"},
	{"\"\\u12", 0, 1, 2, "four hex digits"},
	{"\"\\ud800\"", 0, 1, 2, "surrogate"},
	{"\"\\udc00\"", 0, 1, 2, "surrogate"},
	{"\"\\ud800\\u0041\"", 0, 1, 2, "surrogate"},
	{"\"\\ud800\\ud800\"", 0, 1, 2, "surrogate"},
	{"\"\\ud800x\"", 0, 1, 2, "surrogate"},
	{"\"ab\xff\"", 0, 1, 4, "UTF-8"},
	{"\"\xc0\x80\"", 0, 1, 2, "UTF-8"},
	{"\"\xed\xa0\x80\"", 0, 1, 2, "UTF-8"},
	{"\"\xe7\x9b\"", 0, 1, 2, "UTF-8"},
	{"{\"a\":1,\"a\":2}", 0, 1, 8, "twice"},
	{"{\"a\":1,\"\\u0061\":2}", 0, 1, 8, "twice"},
	{"{\"\\/\":1,\"/\":2}", 0, 1, 9, "twice"},
	{"{\"a\":{\"b\":1},\n \"c\":[{\"d\":1,\n \"d\":1}]}", 0, 3, 2, "twice"},
	{"{\"a\":{\"a\":1},\"a\":2}", 0, 1, 14, "twice"},
	{"[[[[[[[[[]]]]]]]]]", 0, 1, 9, "too deeply"},
	{"{}// x", 0, 1, 3, "after the end"},
	{"\xef\xbb\xbf{}", 0, 1, 1, "a value is missing"},
	{"{/* x", JSON_COMMENTS, 1, 2, "comment is not closed"},
	{"{/*/}", JSON_COMMENTS, 1, 2, "comment is not closed"},
	{"{/ x\n}", JSON_COMMENTS, 1, 2, "a name in double quotes"},
	{"{}/", JSON_COMMENTS, 1, 3, "after the end"},
	{"\xef\xbb\xbf{\n  \"\xe7\x9b\xa3\": x", JSON_COMMENTS, 2, 8, "a value is missing"},
	{"\f[]", 0, 1, 1, "a value is missing"},
};

static void bad_texts_are_refused_where_they_are_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_texts); i++) {
		const struct bad_text *bad = &bad_texts[i];
		struct json_scan s;
		unsigned line, column;
		char *tokens;

		json_scan_init(&s, bad->text, strlen(bad->text), bad->flags, 8);
		tokens = tokens_of(&s);
		if (tokens[strlen(tokens) - 1] != '!')
			fail_msg("row %zu: %s was taken", i, bad->text);
		json_scan_position(&s, s.start, &line, &column);
		if (!strstr(s.error, bad->why) || line != bad->line || column != bad->column)
			fail_msg("row %zu: %s: %u:%u: %s", i, bad->text, line, column, s.error);
		assert_int_equal(json_scan_next(&s), JSON_BAD);
		free(tokens);
		json_scan_free(&s);
	}
}

static void nul_bytes_are_no_end(void **state)
{
	struct json_scan s;

	(void)state;
	json_scan_init(&s, "{}\0", 3, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_OBJECT);
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_END);
	assert_int_equal(json_scan_next(&s), JSON_BAD);
	json_scan_free(&s);
	json_scan_init(&s, "\"a\0\"", 4, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_BAD);
	json_scan_free(&s);
	json_scan_init(&s, "\"\\\0\"", 4, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_BAD);
	json_scan_free(&s);
	json_scan_init(&s, "1\0", 2, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_NUMBER);
	assert_int_equal(json_scan_next(&s), JSON_BAD);
	json_scan_free(&s);
}

static void strings_are_decoded_and_compared(void **state)
{
	static const struct {
		const char *token, *decoded;
	} rows[] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u76e3\\ud83d\\udd25z\"", "A\xc3\xa9\xe7\x9b\xa3\xf0\x9f\x94\xa5z"},
		{"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct json_scan s;
		struct text t = TEXT_INIT;

		json_scan_init(&s, rows[i].token, strlen(rows[i].token), 0, 8);
		assert_int_equal(json_scan_next(&s), JSON_STRING);
		json_scan_string(&s, &t);
		assert_string_equal(text_str(&t), rows[i].decoded);
		assert_true(json_scan_is(&s, rows[i].decoded));
		assert_false(json_scan_is(&s, "something else"));
		text_free(&t);
		json_scan_free(&s);
	}
}

static void a_nul_inside_a_string_makes_it_another(void **state)
{
	struct json_scan s;
	struct text t = TEXT_INIT;

	(void)state;
	json_scan_init(&s, "\"time\\u0000\"", 12, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_STRING);
	assert_false(json_scan_is(&s, "time"));
	json_scan_string(&s, &t);
	assert_int_equal(t.len, 5);
	text_free(&t);
	json_scan_free(&s);
}

static void numbers_are_exact(void **state)
{
	static const struct {
		const char *number;
		bool fits;
		int64_t micros;
		bool is_whole;
		int64_t whole;
	} rows[] = {
		{"0", true, 0, true, 0},
		{"-0", true, 0, true, 0},
		{"-0.0e5", true, 0, true, 0},
		{"1777601404", true, INT64_C(1777601404000000), true, 1777601404},
		{"1777601404.25", true, INT64_C(1777601404250000), false, 0},
		{"1777601404.123456", true, INT64_C(1777601404123456), false, 0},
		{"1777601404.1234567", true, INT64_C(1777601404123457), false, 0},
		{"1777601404.1234564", true, INT64_C(1777601404123456), false, 0},
		{"1777601404.9999999", true, INT64_C(1777601405000000), false, 0},
		{"-1.9999999", true, -2000000, false, 0},
		{"1.7776014041234565e9", true, INT64_C(1777601404123457), false, 0},
		{"17776014041234565E-7", true, INT64_C(1777601404123457), false, 0},
		{"1.5e3", true, INT64_C(1500000000), true, 1500},
		{"5.0", true, 5000000, true, 5},
		{"1e0", true, 1000000, true, 1},
		{"10e-1", true, 1000000, true, 1},
		{"0.000001", true, 1, false, 0},
		{"0.0000009", true, 1, false, 0},
		{"1e-6", true, 1, false, 0},
		{"1e-7", true, 0, false, 0},
		{"9e-8", true, 0, false, 0},
		{"9223372036854.775807", true, INT64_MAX, false, 0},
		{"9223372036854.7758074", true, INT64_MAX, false, 0},
		{"9223372036854.7758079", false, 0, false, 0},
		{"9223372036854.775808", false, 0, false, 0},
		{"-9223372036854.775808", true, INT64_MIN, false, 0},
		{"-9223372036854.775809", false, 0, false, 0},
		{"9223372036854775807", false, 0, true, INT64_MAX},
		{"-9223372036854775808", false, 0, true, INT64_MIN},
		{"9223372036854775808", false, 0, false, 0},
		{"1e12", true, INT64_C(1000000000000000000), true, INT64_C(1000000000000)},
		{"1e13", false, 0, true, INT64_C(10000000000000)},
		{"1e18", false, 0, true, INT64_C(1000000000000000000)},
		{"1e19", false, 0, false, 0},
		{"1e999999999999999999999", false, 0, false, 0},
		{"0e999999999999999999999", true, 0, true, 0},
		{"1e-999999999999999999999", true, 0, false, 0},
		{"0.00000000000000000000000000000000000001e38", true, 1000000, true, 1},
		{"100000000000000000000000000000000000000e-38", true, 1000000, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct json_scan s;
		int64_t micros = 0, whole = 0;

		json_scan_init(&s, rows[i].number, strlen(rows[i].number), 0, 8);
		assert_int_equal(json_scan_next(&s), JSON_NUMBER);
		if (json_scan_micros(&s, &micros) != rows[i].fits || micros != rows[i].micros)
			fail_msg("%s gives %lld us", rows[i].number, (long long)micros);
		if (json_scan_i64(&s, &whole) != rows[i].is_whole || whole != rows[i].whole)
			fail_msg("%s gives %lld", rows[i].number, (long long)whole);
		json_scan_free(&s);
	}
}

static void doubles_are_what_the_library_reads(void **state)
{
	struct json_scan s;

	(void)state;
	json_scan_init(&s, "[0.1,-12.5e-1,1e400]", 20, 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_ARRAY);
	assert_int_equal(json_scan_next(&s), JSON_NUMBER);
	assert_true(json_scan_double(&s) == 0.1);
	assert_int_equal(json_scan_next(&s), JSON_NUMBER);
	assert_true(json_scan_double(&s) == -1.25);
	assert_int_equal(json_scan_next(&s), JSON_NUMBER);
	assert_true(json_scan_double(&s) > 1e308);
	json_scan_free(&s);
}

static void skipping_leaves_out_a_whole_value(void **state)
{
	static const char text[] = "{\"skip\":{\"a\":[1,{\"b\":2}],\"c\":3},\"also\":4,\"stop\":[[],[1]],\"end\":5}";
	struct json_scan s;

	(void)state;
	json_scan_init(&s, text, strlen(text), 0, 8);
	assert_int_equal(json_scan_next(&s), JSON_OBJECT);
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(json_scan_is(&s, "also"));
	assert_true(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_int_equal(json_scan_next(&s), JSON_ARRAY);
	assert_true(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(json_scan_is(&s, "end"));
	assert_true(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_END);
	assert_int_equal(json_scan_next(&s), JSON_DONE);
	json_scan_free(&s);

	json_scan_init(&s, "{\"a\":[1,{\"b\"}]}", 15, 0, 8);
	json_scan_next(&s);
	json_scan_next(&s);
	assert_false(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_BAD);
	json_scan_free(&s);
}

static void depth_is_bounded_by_what_is_asked_for(void **state)
{
	static const unsigned depths[] = {0, 1, 3, JSON_MAX_DEPTH, JSON_MAX_DEPTH + 100};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(depths); i++) {
		struct json_scan s;
		char brackets[300];
		size_t opened = 0;

		memset(brackets, '[', sizeof(brackets));
		json_scan_init(&s, brackets, sizeof(brackets), 0, depths[i]);
		while (json_scan_next(&s) == JSON_ARRAY)
			opened++;
		assert_int_equal(opened, depths[i] < JSON_MAX_DEPTH ? depths[i] : JSON_MAX_DEPTH);
		assert_non_null(strstr(s.error, "too deeply"));
		json_scan_free(&s);
	}
}

/* 200,000 names in one object: with a list this would take minutes. */
static void many_names_take_linear_time(void **state)
{
	struct text t = TEXT_INIT;
	struct json_scan s;
	clock_t start = clock();
	char *tokens;

	(void)state;
	text_char(&t, '{');
	for (int i = 0; i < 200000; i++)
		text_printf(&t, "\"name%d\":%d,", i, i);
	text_raw(&t, "\"name77777\":0}");
	json_scan_init(&s, t.ptr, t.len, 0, 8);
	tokens = tokens_of(&s);
	assert_int_equal(strlen(tokens), 1 + 2 * 200000 + 1);
	assert_int_equal(s.start, t.len - strlen("\"name77777\":0}"));
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	free(tokens);
	json_scan_free(&s);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts_give_their_tokens),
		cmocka_unit_test(bad_texts_are_refused_where_they_are_wrong),
		cmocka_unit_test(nul_bytes_are_no_end),
		cmocka_unit_test(strings_are_decoded_and_compared),
		cmocka_unit_test(a_nul_inside_a_string_makes_it_another),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(doubles_are_what_the_library_reads),
		cmocka_unit_test(skipping_leaves_out_a_whole_value),
		cmocka_unit_test(depth_is_bounded_by_what_is_asked_for),
		cmocka_unit_test(many_names_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
