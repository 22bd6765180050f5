/* SPDX-License-Identifier: ISC */
/*
 * import: monitors of other services, and what becomes of each; a table of rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/commands/import.h"

/* One monitor of the answer -> the fragment's monitors, and what is said to be lost (a part of it). */
static const struct {
	const char *in, *out, *lost;
} rows[] = {
	{"{\"id\":1,\"friendly_name\":\"My Shop!\",\"url\":\"https://example.com/\",\"type\":1,\"interval\":300}",
		"{\"my-shop\":{\"type\":\"http\",\"name\":\"My Shop!\",\"interval\":\"5m\",\"url\":\"https://example.com/\"}}",
		NULL},
	{"{\"id\":\"7\",\"friendly_name\":\"\xe8\xb7\xaf\",\"url\":\"https://example.com/\",\"type\":\"1\",\"interval\":\"60\","
	 "\"http_method\":3,\"post_value\":{\"a b\":\"c&d\"}}",
		"{\"m7\":{\"type\":\"http\",\"name\":\"\xe8\xb7\xaf\",\"interval\":\"1m\",\"url\":\"https://example.com/\","
		"\"method\":\"POST\",\"body\":\"a%20b=c%26d\"}}",
		NULL},
	{"{\"id\":1,\"friendly_name\":\"a\",\"url\":\"https://u:p%40x@example.com/\",\"type\":1,\"interval\":60,\"status\":0}",
		"{\"a\":{\"type\":\"http\",\"name\":\"a\",\"interval\":\"1m\",\"paused\":true,\"url\":\"https://example.com/\","
		"\"auth\":{\"basic\":[\"u\",\"p@x\"]}}}",
		NULL},
	{"{\"id\":1,\"friendly_name\":\"a\",\"url\":\"https://example.com/\",\"type\":1,\"interval\":60,"
	 "\"http_username\":\"u\",\"http_password\":\"p\",\"http_auth_type\":2}",
		"{\"a\":{\"type\":\"http\",\"name\":\"a\",\"interval\":\"1m\",\"url\":\"https://example.com/\"}}",
		"a: digest authentication (user u)"},
	{"{\"id\":1,\"friendly_name\":\"k\",\"url\":\"https://example.com/\",\"type\":2,\"interval\":60,\"keyword_type\":1,"
	 "\"keyword_value\":\"x\"}",
		"{\"k\":{\"type\":\"keyword\",\"name\":\"k\",\"interval\":\"1m\",\"url\":\"https://example.com/\",\"keyword\":\"x\","
		"\"absent\":true,\"status\":\"100-599\"}}",
		NULL},
	{"{\"id\":1,\"friendly_name\":\"k\",\"url\":\"https://example.com/\",\"type\":2,\"interval\":60,\"keyword_type\":2,"
	 "\"keyword_case_type\":1,\"keyword_value\":\"x\",\"custom_http_statuses\":\"404:1_302:0\"}",
		"{\"k\":{\"type\":\"keyword\",\"name\":\"k\",\"interval\":\"1m\",\"url\":\"https://example.com/\","
		"\"status\":\"200-301,303-399,404\",\"keyword\":\"x\",\"ignore_case\":true}}",
		NULL},
	{"{\"id\":1,\"friendly_name\":\"p\",\"url\":\"mail.example.com\",\"type\":4,\"sub_type\":6,\"interval\":60,\"timeout\":5}",
		"{\"p\":{\"type\":\"port\",\"name\":\"p\",\"interval\":\"1m\",\"timeout\":\"5s\",\"host\":\"mail.example.com\",\"port\":143}}",
		NULL},
	{"{\"id\":1,\"friendly_name\":\"p\",\"url\":\"192.0.2.1\",\"type\":3,\"interval\":60,\"new_thing\":{\"x\":1},\"other\":0}",
		"{\"p\":{\"type\":\"ping\",\"name\":\"p\",\"interval\":\"1m\",\"host\":\"192.0.2.1\"}}", "p: new_thing {\"x\":1}"},
	{"{\"id\":1,\"friendly_name\":\"v\",\"url\":\"2001:db8::1\",\"type\":3}",
		"{\"v\":{\"type\":\"ping\",\"name\":\"v\",\"interval\":\"5m\",\"host\":\"2001:db8::1\"}}", NULL},
	{"{\"id\":1,\"friendly_name\":\"v\",\"url\":\"[2001:db8::1]\",\"type\":4,\"port\":\"22\"}",
		"{\"v\":{\"type\":\"port\",\"name\":\"v\",\"interval\":\"5m\",\"host\":\"2001:db8::1\",\"port\":22}}", NULL},
	{"{\"id\":1,\"friendly_name\":\"h\",\"url\":\"example.com/x\",\"type\":1,\"ssl\":{\"ignore_errors\":1}}",
		"{\"h\":{\"type\":\"http\",\"name\":\"h\",\"interval\":\"5m\",\"url\":\"http://example.com/x\",\"verify\":false}}",
		"h: its address, \"example.com/x\", does not say"},
	{"{\"id\":1,\"friendly_name\":\"h\",\"url\":\"https://example.com/\",\"type\":1,\"custom_http_headers\":{\"X-A\":\"1\","
	 "\"X-N\":5,\"content-type\":\"text/x\"},\"post_value\":{\"a\":\"1\"},\"post_content_type\":1}",
		"{\"h\":{\"type\":\"http\",\"name\":\"h\",\"interval\":\"5m\",\"url\":\"https://example.com/\",\"headers\":"
		"{\"X-A\":\"1\",\"content-type\":\"text/x\"},\"body\":\"a=1\"}}",
		"h: custom_http_headers X-N 5"},
	{"{\"id\":1,\"friendly_name\":\"h\",\"url\":\"https://example.com/\",\"type\":1,\"post_value\":{\"a\":\"1\",\"b\":[2]}}",
		"{\"h\":{\"type\":\"http\",\"name\":\"h\",\"interval\":\"5m\",\"url\":\"https://example.com/\",\"body\":\"a=1\"}}",
		"h: post_value b [2]"},
	{"{\"id\":1,\"friendly_name\":\"h\",\"url\":\"https://example.com/\",\"type\":1,\"http_username\":\"u\",\"http_auth_type\":3}",
		"{\"h\":{\"type\":\"http\",\"name\":\"h\",\"interval\":\"5m\",\"url\":\"https://example.com/\"}}",
		"h: another kind of authentication (user u)"},
	{"{\"id\":1,\"friendly_name\":\"k\",\"url\":\"https://example.com/\",\"type\":2,\"keyword_value\":\"\"}",
		"{\"k\":{\"type\":\"http\",\"name\":\"k\",\"interval\":\"5m\",\"url\":\"https://example.com/\"}}",
		"k: its keyword is not in the file"},
	{"{\"id\":1,\"friendly_name\":\"n\",\"url\":\"x\",\"type\":77,\"interval\":60}", "{}", "n: a monitor of type 77"},
	{"{\"id\":1,\"friendly_name\":\"w\",\"url\":\"192.0.2.1\",\"type\":3,\"interval\":60,\"mwindows\":[{\"type\":2,"
	 "\"start_time\":\"23:05\",\"duration\":90},{\"type\":4,\"start_time\":\"01:00\",\"duration\":5,\"value\":\"1-15\"},"
	 "{\"type\":4,\"friendly_name\":\"end\",\"start_time\":\"01:00\",\"duration\":5,\"value\":\"-1\"}]}",
		"{\"w\":{\"type\":\"ping\",\"name\":\"w\",\"interval\":\"1m\",\"host\":\"192.0.2.1\",\"maintenance\":"
		"[\"cron 5 23 * * * for 90m\",\"cron 0 1 1,15 * * for 5m\"]}}",
		"w: the maintenance window \"end\""},
	{"{\"id\":1,\"friendly_name\":\"c\",\"url\":\"192.0.2.1\",\"type\":3,\"interval\":60,\"alert_contacts\":[{\"id\":4,"
	 "\"type\":11,\"value\":\"https://hooks.example.com/x\",\"threshold\":5,\"recurrence\":\"30\"},{\"id\":9,\"type\":18,"
	 "\"value\":\"y\"}]}",
		"{\"c\":{\"type\":\"ping\",\"name\":\"c\",\"interval\":\"1m\",\"host\":\"192.0.2.1\",\"notify\":[{\"channel\":"
		"\"contact-4\",\"after\":\"5m\",\"repeat\":\"30m\"}]}}",
		"alert contact contact-9 (Telegram y)"},
};

static bool import(struct import *import, const char *monitors, struct error *err)
{
	struct text answer = TEXT_INIT;
	cJSON *tree;
	bool good;

	text_printf(&answer, "{\"stat\":\"ok\",\"monitors\":[%s]}", monitors);
	tree = cJSON_Parse(text_str(&answer));
	assert_non_null(tree);
	*import = (struct import){.channels = cJSON_CreateObject(), .monitors = cJSON_CreateObject()};
	good = import_uptimerobot(import, tree, err);
	cJSON_Delete(tree);
	text_free(&answer);
	return good;
}

static void import_free(struct import *import)
{
	cJSON_Delete(import->channels);
	cJSON_Delete(import->monitors);
	text_free(&import->lost);
}

static void each_monitor_becomes_its_equal_or_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import made;
		char *printed;
		unsigned general = 2; /* what any import tells: what was not asked for, history */

		general += strstr(rows[i].out, "maintenance") != NULL;
		general += strstr(rows[i].out, "\"http\"") != NULL; /* 401 */
		assert_true(import(&made, rows[i].in, NULL));
		printed = cJSON_PrintUnformatted(made.monitors);
		assert_string_equal(printed, rows[i].out);
		if (rows[i].lost && !strstr(text_str(&made.lost), rows[i].lost))
			fail_msg("row %zu does not tell: %s", i, rows[i].lost);
		if (!rows[i].lost && made.lost_count > general)
			fail_msg("row %zu tells too much: %s", i, text_str(&made.lost));
		cJSON_free(printed);
		import_free(&made);
	}
}

static void equal_names_get_different_slugs(void **state)
{
	struct import made;
	static const char two[] = "{\"id\":1,\"friendly_name\":\"start\",\"url\":\"192.0.2.1\",\"type\":3},"
				  "{\"id\":2,\"friendly_name\":\"A\",\"url\":\"192.0.2.1\",\"type\":3},"
				  "{\"id\":3,\"friendly_name\":\"a\",\"url\":\"192.0.2.1\",\"type\":3}";

	(void)state;
	assert_true(import(&made, two, NULL));
	assert_non_null(cJSON_GetObjectItemCaseSensitive(made.monitors, "m1")); /* "start" is a verb */
	assert_non_null(cJSON_GetObjectItemCaseSensitive(made.monitors, "a"));
	assert_non_null(cJSON_GetObjectItemCaseSensitive(made.monitors, "a-2"));
	import_free(&made);
}

static void an_error_answer_is_no_import(void **state)
{
	struct import made = {.channels = NULL};
	struct error err = {0};
	cJSON *answer = cJSON_Parse("{\"stat\":\"fail\",\"error\":{\"message\":\"api_key is wrong\"}}");

	(void)state;
	assert_false(import_uptimerobot(&made, answer, &err));
	assert_non_null(strstr(err.text, "api_key is wrong"));
	cJSON_Delete(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_monitor_becomes_its_equal_or_is_told),
		cmocka_unit_test(equal_names_get_different_slugs),
		cmocka_unit_test(an_error_answer_is_no_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
