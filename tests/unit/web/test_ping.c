/* SPDX-License-Identifier: ISC */
/* The clients of healthchecks.io and Uptime Kuma get the answers that they know, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "one_store.h"
#include "store/inbox.h"
#include "web/books.h"

/* What the inbox now has of the robot. */
static struct beat_last last_beat(void)
{
	struct beat_last last = BEAT_LAST_INIT;
	struct error err = {0};
	struct text env = TEXT_INIT;
	char *list[] = {NULL, NULL};
	bool found;

	text_printf(&env, "UPBEAT_STORE=%s", store.dir);
	list[0] = env.ptr;
	assert_true(inbox_beat_read(web_inbox(web_for(list), &err), "robot", &last, &found, &err));
	text_free(&env);
	return last;
}

struct asked {
	const char *method, *uri;
	int status;
	const char *body;
};

static void ask_all(const struct asked *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		fixture_ask(&store, rows[i].method, rows[i].uri, "", 0, NULL, &answer);
		if (answer.status != rows[i].status || strcmp(text_str(&answer.body), rows[i].body) != 0)
			fail_msg("%s %s: %d %s", rows[i].method, rows[i].uri, answer.status, text_str(&answer.body));
	}
}

static void healthchecks_clients_get_their_answers(void **state)
{
	static const struct asked rows[] = {
		{"GET", "/ping/" ROBOT_TOKEN, 200, "OK"},
		{"POST", "/ping/" ROBOT_TOKEN, 200, "OK"},
		{"HEAD", "/ping/" ROBOT_TOKEN, 200, ""},
		{"GET", "/ping/" ROBOT_TOKEN "/", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/start", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/fail", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/log", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/0", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/255", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/256", 400, "invalid url format"},
		{"GET", "/ping/" ROBOT_TOKEN "/99999999999999999999999", 400, "invalid url format"},
		{"GET", "/ping/" ROBOT_TOKEN "/stop", 404, "not found"},
		{"GET", "/ping/" ROBOT_TOKEN "?rid=0f5b5d4e-7c1a-4c53-9d67-1c1d6ad7f5a1", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "?rid=0f5b5d4e", 400, "invalid uuid format"},
		{"GET", "/ping/" ROBOT_TOKEN "?rid=", 400, "invalid uuid format"},
		{"GET", "/ping/" ROBOT_TOKEN "/start?rid=0F5B5D4E7C1A4C539D671C1D6AD7F5A1", 200, "OK"},
		{"GET", "/ping/0123456789abcdef-nobody", 404, "not found"},
		{"GET", "/ping/short", 404, "not found"},
		{"GET", "/ping/0123456789abcdef-nobody/start", 404, "not found"},
		{"GET", "/ping/" PING_KEY "/robot", 200, "OK"},
		{"GET", "/ping/" WRITE_KEY "/robot/fail", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "/robot/7", 200, "OK"},
		{"GET", "/ping/" READ_KEY "/robot", 404, "not found"},
		{"GET", "/ping/" ROBOT_TOKEN "/rotated", 404, "not found"},
		{"GET", "/ping/" PING_KEY "/nobody", 404, "not found"},
		{"GET", "/ping/" PING_KEY "/site", 404, "not found"},
		{"GET", "/ping/" PING_KEY "/robot/256", 400, "invalid url format"},
		{"GET", "/ping/" PING_KEY "/robot/stop", 404, "not found"},
	};

	(void)state;
	ask_all(rows, COUNT_OF(rows));
	fixture_ask(&store, "GET", "/ping/" ROBOT_TOKEN, NULL, 0, NULL, &answer);
	assert_non_null(strstr(answer.head.ptr, "Content-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(answer.head.ptr, "Access-Control-Allow-Origin: *\r\n"));
	assert_non_null(strstr(answer.head.ptr, "Ping-Body-Limit: 10000\r\n"));
}

static void the_first_10000_bytes_of_a_body_are_its_message(void **state)
{
	char *body = mem_alloc(70000);
	struct beat_last last;

	(void)state;
	memset(body, 'x', 70000);
	fixture_ask(&store, "POST", "/ping/" ROBOT_TOKEN "/3", body, 70000, NULL, &answer);
	assert_int_equal(answer.status, 200);
	last = last_beat();
	assert_int_equal(strlen(last.msg), BEAT_MSG_MAX);
	assert_int_equal(last.exit_status, 3);
	beat_last_clear(&last);
	free(body);
}

static void start_and_end_of_a_run_give_its_length(void **state)
{
	static const struct asked rows[] = {
		{"GET", "/ping/" ROBOT_TOKEN "/start?rid=0f5b5d4e-7c1a-4c53-9d67-1c1d6ad7f5a1", 200, "OK"},
		{"GET", "/ping/" ROBOT_TOKEN "?rid=0F5B5D4E7C1A4C539D671C1D6AD7F5A1", 200, "OK"},
	};
	struct beat_last last;

	(void)state;
	ask_all(rows, COUNT_OF(rows));
	last = last_beat();
	assert_true(last.run_us >= 0);
	assert_int_equal(last.started.wall_us, 0);
	beat_last_clear(&last);
}

static void kuma_clients_get_their_answers(void **state)
{
	static const char *const none = "{\"ok\":false,\"msg\":\"Monitor not found or not active.\"}";
	static const char *const bad_ping =
		"{\"ok\":false,\"msg\":\"Invalid ping value. Must be between 0 and 100000000000 ms.\"}";
	const struct asked rows[] = {
		{"GET", "/api/push/" ROBOT_TOKEN, 200, "{\"ok\":true}"},
		{"POST", "/api/push/" ROBOT_TOKEN "?status=up&msg=OK&ping=", 200, "{\"ok\":true}"},
		{"GET", "/api/push/" ROBOT_TOKEN "?ping=12.5", 200, "{\"ok\":true}"},
		{"GET", "/api/push/" ROBOT_TOKEN "?ping=-1", 404, bad_ping},
		{"GET", "/api/push/" ROBOT_TOKEN "?ping=1e12", 404, bad_ping},
		{"GET", "/api/push/" ROBOT_TOKEN "?ping=soon", 200, "{\"ok\":true}"},
		{"GET", "/api/push/0123456789abcdef-nobody", 404, none},
		{"GET", "/api/push/x", 404, none},
	};

	(void)state;
	ask_all(rows, COUNT_OF(rows));
}

static void anything_but_up_is_down_to_kuma(void **state)
{
	static const struct {
		const char *uri;
		int beating;
	} rows[] = {
		{"/api/push/" ROBOT_TOKEN "?status=up", 200},
		{"/api/push/" ROBOT_TOKEN "?status=down&msg=broken", 404},
		{"/api/push/" ROBOT_TOKEN, 200},
		{"/api/push/" ROBOT_TOKEN "?status=UP", 404},
	};
	struct beat_last last;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		fixture_ask(&store, "GET", rows[i].uri, NULL, 0, NULL, &answer);
		assert_int_equal(answer.status, 200);
		fixture_ask(&store, "GET", "/beat/robot", NULL, 0, NULL, &answer);
		if (answer.status != rows[i].beating)
			fail_msg("after %s: %d", rows[i].uri, answer.status);
		if (i == 1) {
			last = last_beat();
			assert_string_equal(last.msg, "broken");
			beat_last_clear(&last);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(healthchecks_clients_get_their_answers,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(the_first_10000_bytes_of_a_body_are_its_message,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(start_and_end_of_a_run_give_its_length,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(kuma_clients_get_their_answers, open_store, close_store),
		cmocka_unit_test_setup_teardown(anything_but_up_is_down_to_kuma, open_store, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
