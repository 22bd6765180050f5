/* SPDX-License-Identifier: ISC */
/* What a beat says: every verb, and bodies that are as described or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "web/beat_parse.h"

static void verbs_are_job_signals(void **state)
{
	static const struct {
		const char *verb;
		bool ok;
		enum beat_kind kind;
		int exit_status;
	} rows[] = {
		{"", true, BEAT_SUCCESS, -1},
		{"start", true, BEAT_START, -1},
		{"fail", true, BEAT_FAIL, -1},
		{"log", true, BEAT_LOG, -1},
		{"0", true, BEAT_SUCCESS, 0},
		{"1", true, BEAT_FAIL, 1},
		{"255", true, BEAT_FAIL, 255},
		{"007", true, BEAT_FAIL, 7},
		{"256", false, 0, 0},
		{"-1", false, 0, 0},
		{"+1", false, 0, 0},
		{"1.0", false, 0, 0},
		{"Start", false, 0, 0},
		{"99999999999999999999", false, 0, 0},
		{"1 ", false, 0, 0},
		{"stop", false, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		struct beat beat;
		bool ok = beat_parse_signal(rows[i].verb, &beat);

		if (ok != rows[i].ok ||
			(ok && (beat.kind != rows[i].kind || beat.exit_status != rows[i].exit_status)))
			fail_msg("\"%s\": %d, kind %d, exit status %d", rows[i].verb, ok, (int)beat.kind,
				beat.exit_status);
	}
}

struct body_row {
	const char *body;
	bool ok;
	int64_t time_us;
	const char *msg, *rid;
	int64_t length_us;
};

static const struct body_row bodies[] = {
	{"{\"time\":1}", true, 1000000, NULL, NULL, -1},
	{" { \"time\" : 1714529400.123456 } \r\n", true, 1714529400123456, NULL, NULL, -1},
	{"{\"time\":1714529400.1234569}", true, 1714529400123457, NULL, NULL, -1},
	{"{\"time\":1.7145294e9}", true, 1714529400000000, NULL, NULL, -1},
	{"{\"time\":-1}", true, -1000000, NULL, NULL, -1},
	{"{\"time\":0}", true, 0, NULL, NULL, -1},
	{"{\"time\":1,\"msg\":\"done\",\"rid\":\"a-b\",\"length\":2.5}", true, 1000000, "done", "a-b",
		2500000},
	{"{\"msg\":\"\",\"time\":1}", true, 1000000, "", NULL, -1},
	{"{\"time\":1,\"msg\":\"\\u6b63\\u5e38 \\ud83d\\ude00\"}", true, 1000000, "正常 😀", NULL, -1},
	{"{\"time\":1,\"x\":{\"time\":[2,{}]},\"y\":[],\"z\":null}", true, 1000000, NULL, NULL, -1},
	{"{\"Time\":2,\"time\":1}", true, 1000000, NULL, NULL, -1},
	{"{\"time\\u0000\":2,\"time\":1}", true, 1000000, NULL, NULL, -1},
	{"{\"\\u0074ime\":1}", true, 1000000, NULL, NULL, -1},
	{"{\"time\":1,\"length\":\"long\"}", true, 1000000, NULL, NULL, -1},
	{"{\"time\":1,\"length\":-2}", true, 1000000, NULL, NULL, -1},
	{"", false, 0, NULL, NULL, 0},
	{"{", false, 0, NULL, NULL, 0},
	{"{}", false, 0, NULL, NULL, 0},
	{"[]", false, 0, NULL, NULL, 0},
	{"1", false, 0, NULL, NULL, 0},
	{"null", false, 0, NULL, NULL, 0},
	{"[{\"time\":1}]", false, 0, NULL, NULL, 0},
	{"{\"time\":\"1\"}", false, 0, NULL, NULL, 0},
	{"{\"time\":null}", false, 0, NULL, NULL, 0},
	{"{\"time\":true}", false, 0, NULL, NULL, 0},
	{"{\"time\":[1]}", false, 0, NULL, NULL, 0},
	{"{\"Time\":1}", false, 0, NULL, NULL, 0},
	{"{\"time\":1e309}", false, 0, NULL, NULL, 0},
	{"{\"time\":9223372036854775808}", false, 0, NULL, NULL, 0},
	{"{\"time\":NaN}", false, 0, NULL, NULL, 0},
	{"{\"time\":+5}", false, 0, NULL, NULL, 0},
	{"{\"time\":0123}", false, 0, NULL, NULL, 0},
	{"{\"time\":0x10}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"time\":2}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"\\u0074ime\":2}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"a\":1,\"a\":2}", false, 0, NULL, NULL, 0},
	{"{\"time\":1}x", false, 0, NULL, NULL, 0},
	{"{\"time\":1}{}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,}", false, 0, NULL, NULL, 0},
	{"{\"time\":1 // no\n}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"msg\":7}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"msg\":\"\xff\"}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"msg\":\"\\ud800\"}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"msg\":\"a\nb\"}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"rid\":[]}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"rid\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
		false, 0, NULL, NULL, 0},
	{"\xef\xbb\xbf{\"time\":1}", false, 0, NULL, NULL, 0},
	{"{\"time\":1,\"x\":[[[[[[[[[[1]]]]]]]]]]}", true, 1000000, NULL, NULL, -1},
};

static bool same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void bodies_are_as_described_or_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(bodies); i++) {
		const struct body_row *row = &bodies[i];
		struct beat_words words = {TEXT_INIT, TEXT_INIT};
		struct text body = TEXT_INIT;
		struct beat beat;
		const char *why;

		beat_parse_signal("", &beat);
		text_raw(&body, row->body);
		why = beat_parse_body(&body, &beat, &words);
		if ((why == NULL) != row->ok)
			fail_msg("%s: %s", row->body, why != NULL ? why : "taken");
		if (row->ok && (beat.time_us != row->time_us || !same(beat.msg, row->msg) ||
				       !same(beat.rid, row->rid) || beat.length_us != row->length_us))
			fail_msg("%s: time %lld, msg %s, rid %s, length %lld", row->body,
				(long long)beat.time_us, beat.msg, beat.rid, (long long)beat.length_us);
		beat_words_free(&words);
		text_free(&body);
	}
}

/* A NUL within, which no C string shows. */
static void a_body_with_a_nul_is_refused(void **state)
{
	struct beat_words words = {TEXT_INIT, TEXT_INIT};
	struct text body = TEXT_INIT;
	struct beat beat;

	(void)state;
	beat_parse_signal("", &beat);
	text_rawn(&body, "{\"time\":1}\0", 11);
	assert_non_null(beat_parse_body(&body, &beat, &words));
	beat_words_free(&words);
	text_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_job_signals),
		cmocka_unit_test(bodies_are_as_described_or_refused),
		cmocka_unit_test(a_body_with_a_nul_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
