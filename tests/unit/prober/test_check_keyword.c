/* SPDX-License-Identifier: ISC */
/* keyword: found wherever it lies, across borders of pieces and to the end of what is read, and not beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prober/check/keyword.h"
#include "looking.h"
#include "small_server.h"

#define ANSWER(body) "HTTP/1.1 200 OK\r\n\r\n" body
#define URL "\"url\":\"http://127.0.0.1:%u"

static const struct script scripts[] = {
	{"/shop", ANSWER("<p>Add to cart</p>"), THEN_CLOSE},
	{"/chunked",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nAdd\r\n4\r\n to \r\n4\r\ncart\r\n0\r\n\r\n",
		THEN_CLOSE},
	{"/endless", ANSWER("Add to cart\nno end of it\n"), THEN_REPEAT},
	{"/drip", ANSWER("Add to cart"), THEN_DRIP},
	{"/broken", "HTTP/1.1 500 Oh\r\nContent-Length: 11\r\n\r\nAdd to cart", THEN_CLOSE},
	{"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b garbage", THEN_CLOSE},
	{"/json", ANSWER("{\"a\":\"Add to cart\",\"b\":2}"), THEN_CLOSE},
	{"/empty", "HTTP/1.1 204 No Content\r\n\r\n", THEN_CLOSE},
};

static struct small_server server;

static void the_answer_holds_the_keyword_or_not(void **state)
{
	static const struct look_row rows[] = {
		{"{" URL "/shop\",\"keyword\":\"Add to cart\"}", OUTCOME_UP, false, ""},
		{"{" URL "/shop\",\"keyword\":\"add to cart\"}", OUTCOME_DOWN, false,
			"keyword \"add to cart\" is not in the answer"},
		{"{" URL "/shop\",\"keyword\":\"ADD TO CART\",\"ignore_case\":true}", OUTCOME_UP, false, ""},
		{"{" URL "/shop\",\"keyword\":\"Add to cart\",\"absent\":true}", OUTCOME_DOWN, false,
			"keyword \"Add to cart\" is in the answer"},
		{"{" URL "/shop\",\"keyword\":\"Fatal error\",\"absent\":true}", OUTCOME_UP, false, ""},
		{"{" URL "/chunked\",\"keyword\":\"Add to cart\"}", OUTCOME_UP, false, ""},
		{"{" URL "/empty\",\"keyword\":\"x\"}", OUTCOME_DOWN, false, "keyword \"x\" is not in the answer"},
		{"{" URL "/gzip\",\"keyword\":\"x\"}", OUTCOME_DOWN, false,
			"keyword \"x\" is not in the answer, which came compressed (gzip)"},
		{"{" URL "/gzip\",\"keyword\":\"x\",\"absent\":true}", OUTCOME_UNKNOWN, false,
			"the answer came compressed (gzip), the keyword may be in it"},
		{"{" URL "/gzip\",\"keyword\":\"garbage\",\"absent\":true}", OUTCOME_DOWN, false,
			"keyword \"garbage\" is in the answer"},
		{"{" URL "/broken\",\"keyword\":\"Add to cart\"}", OUTCOME_DOWN, true, "HTTP 500"},
	};

	(void)state;
	look_at_rows("keyword", server.port, 1000, rows, COUNT_OF(rows));
}

static void reading_stops_when_it_is_known_and_at_max_body(void **state)
{
	static const struct look_row rows[] = {
		{"{" URL "/drip\",\"keyword\":\"Add to cart\"}", OUTCOME_UP, false, ""},
		{"{" URL "/drip\",\"keyword\":\"cartx\"}", OUTCOME_UP, false, ""},
		{"{" URL "/drip\",\"keyword\":\"never\"}", OUTCOME_DOWN, false, "timed out after 0.5 s reading"},
		{"{" URL "/endless\",\"keyword\":\"never\"}", OUTCOME_DOWN, false,
			"keyword \"never\" is not in the first 64 KiB"},
		{"{" URL "/endless\",\"keyword\":\"Add to cart\",\"max_body\":10}", OUTCOME_DOWN, false,
			"keyword \"Add to cart\" is not in the first 10 bytes"},
		{"{" URL "/endless\",\"keyword\":\"Add to cart\",\"max_body\":11}", OUTCOME_UP, false, ""},
		{"{" URL "/endless\",\"keyword\":\"never\",\"absent\":true}", OUTCOME_UP, false, ""},
	};

	(void)state;
	look_at_rows("keyword", server.port, 500, rows, COUNT_OF(rows));
}

static void what_http_asks_for_is_asked_for_too(void **state)
{
	static const struct look_row rows[] = {
		{"{" URL "/json\",\"keyword\":\"Add\",\"json\":{\"b\":2}}", OUTCOME_UP, false, ""},
		{"{" URL "/json\",\"keyword\":\"Add\",\"json\":{\"b\":3}}", OUTCOME_DOWN, false, "JSON: b is 2"},
		{"{" URL "/json\",\"keyword\":\"Sub\",\"json\":{\"b\":2}}", OUTCOME_DOWN, false, "keyword \"Sub\""},
		{"{" URL "/json\",\"keyword\":\"Add\",\"header\":{\"x-a\":\"\"}}", OUTCOME_DOWN, false, "header x-a"},
	};

	(void)state;
	look_at_rows("keyword", server.port, 1000, rows, COUNT_OF(rows));
}

/* Is it found when the text comes in pieces of `size` bytes? */
static bool found_in_pieces(const char *keyword, const char *text, size_t size, bool ignore_case)
{
	struct keyword k;
	size_t n = strlen(text);
	bool found;

	keyword_begin(&k, keyword, ignore_case);
	for (size_t at = 0; at < n; at += size)
		keyword_feed(&k, text + at, n - at < size ? n - at : size);
	found = k.found;
	keyword_clear(&k);
	return found;
}

static void it_is_found_across_all_borders(void **state)
{
	static const struct {
		const char *keyword, *text;
		bool ignore_case, found;
	} rows[] = {
		{"needle", "hay needle hay", false, true},
		{"needle", "needleneedl", false, true},
		{"aab", "aaaaaaaab", false, true},
		{"needle", "needlneedlneedl", false, false},
		{"needle", "NEEDle", false, false},
		{"needle", "hay NEEDle", true, true},
		{"äpfel", "drei ÄPFEL", true, true},
		{"ÄPFEL", "drei äpfel", true, true},
		{"ΣΑΒ", "σαβ", true, true},
		{"購物車", "加入購物車", true, true},
		{"x", "\xc3\xc3x", true, true},
		{"\xc3", "ab\xc3", true, false}, /* half a character is none yet, and the text has ended */
		{"\U0001d7d8Z", "a\U0001d7d8z", true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t size = 1; size <= strlen(rows[i].text); size++)
			if (found_in_pieces(rows[i].keyword, rows[i].text, size, rows[i].ignore_case) != rows[i].found)
				fail_msg("\"%s\" in \"%s\" in pieces of %zu", rows[i].keyword, rows[i].text, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_holds_the_keyword_or_not),
		cmocka_unit_test(reading_stops_when_it_is_known_and_at_max_body),
		cmocka_unit_test(what_http_asks_for_is_asked_for_too),
		cmocka_unit_test(it_is_found_across_all_borders),
	};
	int failed;

	small_server_start(&server, scripts, COUNT_OF(scripts));
	failed = cmocka_run_group_tests_name("check_keyword", tests, NULL, NULL);
	small_server_stop(&server);
	return failed;
}
