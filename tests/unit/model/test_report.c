/* SPDX-License-Identifier: ISC */
/* The object that both programs print for a monitor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/report.h"

static void prints_every_member_in_the_documented_order(void **state)
{
	struct text t = TEXT_INIT;
	(void)state;
	report_put(&t, &(struct report){.slug = "shop", .name = "Shop", .type = "http", .group = "Web",
		.state = STATE_DOWN, .since_us = INT64_C(1777600000000000), .cause = "HTTP 502",
		.checked_us = INT64_C(1777600042500000), .response_us = 123400, .incident = 7});
	assert_string_equal(text_str(&t),
		"{\"slug\":\"shop\",\"name\":\"Shop\",\"type\":\"http\",\"group\":\"Web\",\"state\":\"down\","
		"\"since\":1777600000,\"cause\":\"HTTP 502\",\"checked\":1777600042.5,\"response_ms\":123.4,"
		"\"incident\":7}");
	text_free(&t);
}

static void prints_null_for_what_there_is_none_of(void **state)
{
	struct text t = TEXT_INIT;
	(void)state;
	report_put(&t, &(struct report){.slug = "a", .name = "a", .type = "heartbeat", .group = "",
		.state = STATE_PENDING, .cause = "", .response_us = -1});
	assert_string_equal(text_str(&t),
		"{\"slug\":\"a\",\"name\":\"a\",\"type\":\"heartbeat\",\"group\":null,\"state\":\"pending\","
		"\"since\":null,\"cause\":null,\"checked\":null,\"response_ms\":null,\"incident\":null}");
	text_free(&t);
}

static void escapes_what_people_wrote(void **state)
{
	struct text t = TEXT_INIT;
	(void)state;
	report_put(&t, &(struct report){.slug = "a", .name = "\"<b>\n", .type = "http", .group = "\\",
		.state = STATE_UP});
	assert_null(strstr(text_str(&t), "<b>"));
	assert_non_null(strstr(text_str(&t), "\"name\":\"\\\""));
	assert_non_null(strstr(text_str(&t), "\"group\":\"\\\\\""));
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_every_member_in_the_documented_order),
		cmocka_unit_test(prints_null_for_what_there_is_none_of),
		cmocka_unit_test(escapes_what_people_wrote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
