/* SPDX-License-Identifier: ISC */
/*
 * Answers of services: what counts as taken, what is tried again and when, what is final.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/answer.h"

#define NOW (INT64_C(1777600800) * US_PER_S) /* 2026-05-01T02:00:00Z */

static const struct {
	const char *success, *refused;
	int status;
	const char *body;
	enum delivery_end end;
} answers[] = {
	{NULL, NULL, 200, "", DELIVERY_SENT},
	{NULL, NULL, 204, "", DELIVERY_SENT},
	{NULL, NULL, 202, "anything", DELIVERY_SENT},
	{NULL, NULL, 301, "", DELIVERY_REFUSED},
	{NULL, NULL, 400, "", DELIVERY_REFUSED},
	{NULL, NULL, 404, "", DELIVERY_REFUSED},
	{NULL, NULL, 410, "", DELIVERY_REFUSED},
	{NULL, NULL, 408, "", DELIVERY_RETRY},
	{NULL, NULL, 425, "", DELIVERY_RETRY},
	{NULL, NULL, 429, "", DELIVERY_RETRY},
	{NULL, NULL, 420, "", DELIVERY_RETRY}, /* the row says so */
	{NULL, NULL, 500, "", DELIVERY_RETRY},
	{NULL, NULL, 503, "", DELIVERY_RETRY},
	{NULL, NULL, 599, "", DELIVERY_RETRY},
	{NULL, NULL, 0, "", DELIVERY_RETRY},
	{"=ok", "no_service", 200, "ok", DELIVERY_SENT},
	{"=ok", "no_service", 200, " ok\r\n", DELIVERY_SENT},
	{"=ok", "no_service", 200, "", DELIVERY_RETRY},
	{"=ok", "no_service", 200, "okay", DELIVERY_RETRY},
	{"=ok", "no_service", 200, "<html>log in to the hotel's network</html>", DELIVERY_RETRY},
	{"=ok", "invalid_token|no_service", 200, "no_service", DELIVERY_REFUSED},
	{"=ok", "no_service", 500, "no_service", DELIVERY_RETRY},
	{".ok=true", "invalid_auth", 200, "{\"ok\":true}", DELIVERY_SENT},
	{".ok=true", "invalid_auth", 200, "{\"ok\":\"true\"}", DELIVERY_SENT},
	{".ok=true", "invalid_auth", 200, "{\"ok\":false,\"error\":\"invalid_auth\"}", DELIVERY_REFUSED},
	{".ok=true", "invalid_auth", 200, "{\"ok\":false,\"error\":\"ratelimited\"}", DELIVERY_RETRY},
	{".ok=true", NULL, 200, "{\"ok\":true", DELIVERY_RETRY},
	{".ok=true", NULL, 200, "{\"ok\":false,\"ok\":true}", DELIVERY_RETRY}, /* a doubled key says nothing */
	{".status=1", NULL, 200, "{\"status\":1}", DELIVERY_SENT},
	{".status=1", NULL, 200, "{\"status\":0}", DELIVERY_RETRY},
	{".a.b", NULL, 200, "{\"a\":{\"b\":\"x\"}}", DELIVERY_SENT},
	{".a.b", NULL, 200, "{\"a\":{\"b\":{}}}", DELIVERY_SENT},
	{".a.b", NULL, 200, "{\"a\":{\"b\":null}}", DELIVERY_RETRY},
	{".a.b", NULL, 200, "{\"a\":[1]}", DELIVERY_RETRY},
	{".a.b", NULL, 200, "", DELIVERY_RETRY},
	{"?.id", NULL, 204, "", DELIVERY_SENT},
	{"?.id", NULL, 200, "{\"id\":1}", DELIVERY_SENT},
	{"?.id", NULL, 200, "{}", DELIVERY_RETRY},
	{"!HTTP error", "HTTP error 400", 200, "1", DELIVERY_SENT},
	{"!HTTP error", "HTTP error 400", 200, "returned HTTP error 429 with", DELIVERY_RETRY},
	{"!HTTP error", "HTTP error 400", 200, "returned HTTP error 400 with", DELIVERY_REFUSED},
};

static void each_answer_ends_as_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct http_row row = {.success = answers[i].success, .refused = answers[i].refused, .also_retry = {420}};
		struct answer answer = {answers[i].status, answers[i].body, NULL};
		enum delivery_end end = answer_end(&row, &answer);

		if (end != answers[i].end)
			print_error("%s: %d %s\n", row.success ? row.success : "any", answer.status, answer.body);
		assert_int_equal(end, answers[i].end);
	}
}

static const struct {
	const char *header, *path, *body;
	int64_t ms;
} waits[] = {
	{NULL, NULL, "", -1},
	{"0", NULL, "", 0},
	{"3", NULL, "", 3000},
	{"0.35", NULL, "", 350},
	{"86400", NULL, "", 86400000},
	{"999999999999999999999", NULL, "", 86400000},
	{"-5", NULL, "", -1},
	{"soon", NULL, "", -1},
	{"", NULL, "", -1},
	{"nan", NULL, "", -1},
	{"3 ", NULL, "", -1},
	{"Fri, 01 May 2026 02:01:30 GMT", NULL, "", 90000},
	{"Fri, 01 May 2026 01:00:00 GMT", NULL, "", 0},
	{"Sat, 01 May 2027 01:00:00 GMT", NULL, "", 86400000},
	{NULL, ".parameters.retry_after", "{\"parameters\":{\"retry_after\":7}}", 7000},
	{NULL, ".retry_after", "{\"retry_after\":0.65}", 650},
	{NULL, ".retry_after", "{\"retry_after\":{}}", -1},
	{"2", ".retry_after", "{\"retry_after\":9}", 2000},
};

static void each_wait_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		struct http_row row = {.wait = waits[i].path};
		struct answer answer = {429, waits[i].body, waits[i].header};
		int64_t us = answer_wait_us(&row, &answer, NOW);

		if (us != (waits[i].ms < 0 ? -1 : waits[i].ms * 1000))
			print_error("%s %s\n", waits[i].header ? waits[i].header : "-", waits[i].body);
		assert_int_equal(us, waits[i].ms < 0 ? -1 : waits[i].ms * 1000);
	}
}

static void a_path_gives_scalars_only(void **state)
{
	char *found = answer_path("{\"a\":{\"b\":[1]},\"ts\":\"177.001\",\"n\":12}", ".ts");

	(void)state;
	assert_string_equal(found, "177.001");
	free(found);
	found = answer_path("{\"n\":12}", ".n");
	assert_string_equal(found, "12");
	free(found);
	assert_null(answer_path("{\"a\":{}}", ".a"));
	assert_null(answer_path("not JSON", ".a"));
	assert_null(answer_path("{\"a\":1}", ".b.c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_ends_as_it_should),
		cmocka_unit_test(each_wait_is_read),
		cmocka_unit_test(a_path_gives_scalars_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
