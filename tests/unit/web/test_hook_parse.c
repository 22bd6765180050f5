/* SPDX-License-Identifier: ISC */
/* The webhooks of UptimeRobot, StatusCake and Pingdom, in the shapes in which they are documented and seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "web/hook_parse.h"

#define ROBOT_JSON(type) \
	"{\"monitorID\":\"777810874\",\"monitorURL\":\"https://shop.example.com\",\"monitorFriendlyName\":\"Shop\"," \
	"\"alertType\":\"" type "\",\"alertTypeFriendlyName\":\"Down\",\"alertDetails\":\"HTTP 502 - Bad Gateway\"," \
	"\"alertFriendlyDuration\":\"*alertFriendlyDuration*\",\"alertDateTime\":\"1700000000\"}"
#define ROBOT_FORM \
	"monitorID=777810874&monitorURL=https%3A%2F%2Fshop.example.com&monitorFriendlyName=The+shop&alertType=2" \
	"&alertDetails=HTTP%20200%20-%20OK&alertDuration=89&alertDateTime=1700000089"
#define PINGDOM(state) \
	"{\"check_id\":12345,\"check_name\":\"Shop\",\"check_type\":\"HTTP\",\"check_params\":{\"basic_auth\":false," \
	"\"full_url\":\"https://shop.example.com/\",\"port\":443},\"tags\":[\"a\",{}],\"previous_state\":\"UP\"," \
	"\"current_state\":\"" state "\",\"state_changed_timestamp\":1700000000,\"long_description\":\"HTTP Server Error 503\"," \
	"\"description\":\"HTTP Server Error 503\",\"first_probe\":{\"ip\":\"192.0.2.1\",\"location\":\"Somewhere\"},\"version\":1}"
#define CAKE "Token=8db9fb234595dfa33b276cdd3d6ef6ab&Status=Down&StatusCode=503&URL=https%3A%2F%2Fshop.example.com&IP=192.0.2.1&Tags=&Name=Shop&CheckRate=300"

static const struct row {
	const char *service, *body, *query;
	enum hook_result result;
	enum outcome sees;
	const char *id, *name, *url, *detail;
	int64_t told_s;
} rows[] = {
	{"uptimerobot", ROBOT_JSON("1"), "", HOOK_TOLD, OUTCOME_DOWN, "777810874", "Shop", "https://shop.example.com",
		"HTTP 502 - Bad Gateway", 1700000000},
	{"uptimerobot", ROBOT_FORM, "", HOOK_TOLD, OUTCOME_UP, "777810874", "The shop", "https://shop.example.com",
		"HTTP 200 - OK", 1700000089},
	{"uptimerobot", "", ROBOT_FORM, HOOK_TOLD, OUTCOME_UP, "777810874", "The shop", "https://shop.example.com",
		"HTTP 200 - OK", 1700000089},
	{"uptimerobot", "{\"monitorID\":777,\"alertType\":1,\"alertDateTime\":\"*alertDateTime*\"}", "", HOOK_TOLD,
		OUTCOME_DOWN, "777", NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"monitorFriendlyName\":\"*\",\"alertType\":1}", "monitorID=1&alertType=2", HOOK_TOLD,
		OUTCOME_DOWN, "1", "*", NULL, NULL, 0},
	{"uptimerobot", "  \r\n\t{\"monitorID\":\"1\",\"alertType\":\"2\"}\n", "", HOOK_TOLD, OUTCOME_UP, "1", NULL, NULL,
		NULL, 0},
	{"uptimerobot", ROBOT_JSON("3"), "", HOOK_NOTHING, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", ROBOT_JSON("7"), "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", ROBOT_JSON("*alertType*"), "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"alertType\":1}", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"monitorID\":{},\"alertType\":1}", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"monitorID\":\"1\",\"alertType\":\"1\",\"alertType\":\"2\"}", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL,
		NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"monitorID\":\"1\",\"alertType\":\"1\"", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL,
		0},
	{"uptimerobot", "{", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "[1]", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	/* Latin-1, in a form and in JSON; escaped and not. */
	{"uptimerobot", "monitorID=1&alertType=1&monitorFriendlyName=B%FCcher", "", HOOK_TOLD, OUTCOME_DOWN, "1",
		"B\xc3\xbc" "cher", NULL, NULL, 0},
	{"uptimerobot", "monitorID=1&alertType=1&monitorFriendlyName=B\xFC" "cher", "", HOOK_TOLD, OUTCOME_DOWN, "1",
		"B\xc3\xbc" "cher", NULL, NULL, 0},
	{"uptimerobot", "{\"monitorID\":\"1\",\"alertType\":\"1\",\"monitorFriendlyName\":\"B\xFC" "cher\"}", "", HOOK_TOLD,
		OUTCOME_DOWN, "1", "B\xc3\xbc" "cher", NULL, NULL, 0},
	{"uptimerobot", "\xEF\xBB\xBF{\"monitorID\":\"1\",\"alertType\":\"2\"}", "", HOOK_TOLD, OUTCOME_UP, "1", NULL, NULL,
		NULL, 0},
	/* What is of no use to us does not spoil what is. */
	{"uptimerobot", "{\"monitorID\":1,\"alertType\":1,\"alertDetails\":{\"a\":[1]},\"monitorURL\":null,"
			"\"monitorFriendlyName\":false}",
		"", HOOK_TOLD, OUTCOME_DOWN, "1", NULL, NULL, NULL, 0},
	{"uptimerobot", "MonitorId=1&ALERTTYPE=1", "", HOOK_TOLD, OUTCOME_DOWN, "1", NULL, NULL, NULL, 0},
	{"uptimerobot", "&&=&%zz=1&monitorID=1&alertType=1&", "", HOOK_TOLD, OUTCOME_DOWN, "1", NULL, NULL, NULL, 0},
	/* Said twice: the same is the same, two states are none. */
	{"uptimerobot", "monitorID=1&alertType=1&alertType=1&monitorID=2", "", HOOK_TOLD, OUTCOME_DOWN, "1", NULL, NULL, NULL,
		0},
	{"uptimerobot", "monitorID=1&alertType=1&alertType=2", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "", "monitorID=1&alertType=1&alertType=2", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"uptimerobot", "{\"monitorID\":1,\"alertType\":\"1\",\"AlertType\":\"2\"}", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL,
		NULL, NULL, 0},
	{"uptimerobot", "monitorID=1&alertType=1&alertDateTime=99999999999999", "", HOOK_TOLD, OUTCOME_DOWN, "1", NULL,
		NULL, NULL, 0},
	{"statuscake", CAKE, "", HOOK_TOLD, OUTCOME_DOWN, NULL, "Shop", "https://shop.example.com", "HTTP 503", 0},
	{"statuscake", "", "Status=UP&StatusCode=200&Name=Shop&URL=|URL|", HOOK_TOLD, OUTCOME_UP, NULL, "Shop", NULL,
		"HTTP 200", 0},
	{"statuscake", "Name=Shop&Status=down&StatusCode=0", "", HOOK_TOLD, OUTCOME_DOWN, NULL, "Shop", NULL, "no answer",
		0},
	/* A template whose names are lower case, as |NAME| is put into an address. */
	{"statuscake", "", "name=The%20shop&status=Down&statuscode=502&url=https%3A%2F%2Fshop.example.com%2F", HOOK_TOLD,
		OUTCOME_DOWN, NULL, "The shop", "https://shop.example.com/", "HTTP 502", 0},
	{"statuscake", "{\"Name\":\"Shop\",\"Status\":\"DOWN\",\"StatusCode\":500}", "", HOOK_TOLD, OUTCOME_DOWN, NULL, "Shop",
		NULL, "HTTP 500", 0},
	{"statuscake", "Name=Shop&Status=Paused", "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"pingdom", PINGDOM("DOWN"), "", HOOK_TOLD, OUTCOME_DOWN, "12345", "Shop", "https://shop.example.com/", "HTTP Server Error 503",
		1700000000},
	{"pingdom", PINGDOM("UP"), "", HOOK_TOLD, OUTCOME_UP, "12345", "Shop", "https://shop.example.com/", "HTTP Server Error 503", 1700000000},
	{"pingdom", PINGDOM("FAILING"), "", HOOK_TOLD, OUTCOME_DOWN, "12345", "Shop", "https://shop.example.com/", "HTTP Server Error 503",
		1700000000},
	{"pingdom", PINGDOM("SUCCESS"), "", HOOK_TOLD, OUTCOME_UP, "12345", "Shop", "https://shop.example.com/", "HTTP Server Error 503",
		1700000000},
	{"pingdom", "{\"check_id\":1,\"check_params\":[],\"current_state\":\"up\"}", "", HOOK_TOLD, OUTCOME_UP, "1", NULL, NULL,
		NULL, 0},
	{"pingdom", PINGDOM("PAUSED"), "", HOOK_NOTHING, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"pingdom", PINGDOM("UNCONFIRMED_DOWN"), "", HOOK_NOTHING, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"pingdom", PINGDOM(""), "", HOOK_BAD, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
	{"somebody", PINGDOM("UP"), "", HOOK_NO_SERVICE, OUTCOME_UNKNOWN, NULL, NULL, NULL, NULL, 0},
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void each_service_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct hook_input input = {row->body, strlen(row->body), row->query};
		struct sighting s;
		const char *why = NULL;
		enum hook_result result = hook_parse(row->service, &input, &s, &why);

		if (result != row->result || s.sees != row->sees || !same(s.id, row->id) || !same(s.name, row->name) ||
			!same(s.url, row->url) || !same(s.detail, row->detail) || s.told_us != row->told_s * 1000000)
			fail_msg("row %zu: %d, sees %d, %s %s %s %s", i, result, s.sees, s.id, s.name, s.url, s.detail);
		if (result == HOOK_TOLD && !same(s.from, row->service))
			fail_msg("row %zu: from %s", i, s.from);
		assert_true(result != HOOK_BAD || why);
		sighting_clear(&s);
	}
}

static void long_names_are_cut_between_characters(void **state)
{
	struct text body = TEXT_INIT;
	struct hook_input input;
	struct sighting s;
	const char *why;

	(void)state;
	text_raw(&body, "Status=Down&Name=a");
	for (int i = 0; i < 1000; i++)
		text_raw(&body, "%C3%BC");
	input = (struct hook_input){text_str(&body), body.len, ""};
	assert_int_equal(hook_parse("statuscake", &input, &s, &why), HOOK_TOLD);
	assert_int_equal(strlen(s.name), SIGHTING_WORDS_MAX - 1);
	sighting_clear(&s);
	text_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_service_is_understood),
		cmocka_unit_test(long_names_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
