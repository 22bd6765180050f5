/* SPDX-License-Identifier: ISC */
/* Heartbeats through the dispatcher, against a real store in a directory of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "one_store.h"
#include "web/request.h"

static void ask(const char *method, const char *uri, const char *body)
{
	fixture_ask(&store, method, uri, body, body != NULL ? strlen(body) : 0, NULL, &answer);
}

static void expect(int status, const char *body)
{
	if (answer.status != status || (body != NULL && strcmp(text_str(&answer.body), body) != 0))
		fail_msg("%d %s, expected %d %s", answer.status, text_str(&answer.body), status,
			body != NULL ? body : "");
}

/* 200, some age, and the rule. */
static void expect_beating(void)
{
	expect(200, NULL);
	if (strncmp(text_str(&answer.body), "{\"ok\":true,\"age\":0", 18) != 0 ||
		strstr(answer.body.ptr, ",\"max_age\":300}") == NULL)
		fail_msg("%s", text_str(&answer.body));
}

/* Client times that grow, so that no beat is a replay of an earlier one. */
static int64_t next_time_us(void)
{
	static int64_t last_us;

	return last_us = clock_wall_us() > last_us ? clock_wall_us() : last_us + 1;
}

static void a_beat_is_stored_and_shown(void **state)
{
	(void)state;
	ask("GET", "/beat/robot", NULL);
	expect(404, "{\"ok\":false}");
	fixture_beat(&store, "robot", "", ROBOT_SECRET, next_time_us(), &answer);
	expect(200, "{\"ok\":true}");
	ask("GET", "/beat/robot", NULL);
	expect_beating();
	ask("HEAD", "/beat/robot", NULL);
	expect(200, "");
	assert_non_null(strstr(text_str(&answer.head), "Content-Length: 3"));
}

static void late_never_and_unknown_look_the_same(void **state)
{
	struct answer never = {0};

	(void)state;
	fixture_ask(&store, "GET", "/beat/robot", NULL, 0, NULL, &never);
	ask("GET", "/beat/nobody", NULL);
	expect(404, text_str(&never.body));
	assert_string_equal(text_str(&answer.head), text_str(&never.head));
	ask("GET", "/beat/hidden", NULL); /* a monitor, but no heartbeat */
	expect(404, text_str(&never.body));
	answer_clear(&never);
}

static void replays_and_strangers_in_time_are_refused_with_both_clocks(void **state)
{
	int64_t now_us = next_time_us();

	(void)state;
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us, &answer);
	expect(200, NULL);
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us, &answer);
	expect(400, NULL);
	assert_non_null(strstr(text_str(&answer.body), "is not newer than that of the last beat"));
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us - 1, &answer);
	expect(400, NULL);
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us + (FIXTURE_WINDOW_S + 5) * US_PER_S, &answer);
	expect(400, NULL);
	assert_non_null(strstr(text_str(&answer.body), "is not within 5m of our clock"));
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us - (FIXTURE_WINDOW_S + 5) * US_PER_S, &answer);
	expect(400, NULL);
	fixture_beat(&store, "robot", "", ROBOT_SECRET, now_us + 1, &answer);
	expect(200, NULL);
}

static void signatures_decide(void **state)
{
	struct answer wrong = {0};

	(void)state;
	fixture_beat(&store, "robot", "", "another secret", next_time_us(), &wrong);
	assert_int_equal(wrong.status, 403);
	fixture_beat(&store, "nobody", "", "another secret", next_time_us(), &answer);
	expect(403, text_str(&wrong.body));
	ask("POST", "/beat/robot", "{\"time\":1}");
	expect(403, text_str(&wrong.body));
	fixture_beat(&store, "rotated", "", ROTATED_OLD, next_time_us(), &answer);
	expect(200, NULL);
	fixture_beat(&store, "rotated", "", ROTATED_NEW, next_time_us(), &answer);
	expect(200, NULL);
	fixture_beat(&store, "rotated", "", ROBOT_SECRET, next_time_us(), &answer);
	expect(403, NULL);
	answer_clear(&wrong);
}

static void job_signals_tell_of_runs(void **state)
{
	static const struct {
		const char *verb;
		int status, then; /* of the POST, of a GET after it */
	} steps[] = {
		{"start", 200, 404},
		{"0", 200, 200},
		{"log", 200, 200},
		{"3", 200, 404},
		{"", 200, 200},
		{"fail", 200, 404},
		{"0", 200, 200},
		{"255", 200, 404},
		{"256", 404, 404},
		{"stop", 404, 404},
		{"", 200, 200},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(steps); i++) {
		fixture_beat(&store, "robot", steps[i].verb, ROBOT_SECRET, next_time_us(), &answer);
		if (answer.status != steps[i].status)
			fail_msg("step %zu (%s): %d", i, steps[i].verb, answer.status);
		ask("GET", "/beat/robot", NULL);
		if (answer.status != steps[i].then)
			fail_msg("after step %zu (%s): %d", i, steps[i].verb, answer.status);
	}
}

static void refusals_come_in_their_order(void **state)
{
	char *large = mem_alloc(REQUEST_BODY_MAX + 1);
	int with_store;

	(void)state;
	for (with_store = 0; with_store < 2; with_store++) {
		struct error err = {0};

		fixture_ask(&store, "PUT", "/beat/robot", large, REQUEST_BODY_MAX + 1, NULL, &answer);
		expect(405, NULL);
		assert_non_null(strstr(text_str(&answer.head), "Allow: GET, HEAD, POST\r\n"));
		fixture_ask(&store, "POST", "/beat/robot", large, REQUEST_BODY_MAX + 1, NULL, &answer);
		expect(413, NULL);
		ask("POST", "/beat/robot", "x");
		expect(with_store ? 403 : 503, NULL);
		if (!with_store) {
			assert_non_null(strstr(text_str(&answer.head), "Retry-After: 60\r\n"));
			assert_true(fixture_publish(store.dir, 0, 0, &err));
		}
	}
	fixture_ask(&store, "POST", "/beat/robot", large, REQUEST_BODY_MAX, NULL, &answer);
	expect(403, NULL);
	free(large);
}

static void without_a_state_everything_waits(void **state)
{
	static const char *const uris[] = {
		"/", "/beat/robot", "/beat", "/up", "/healthz", "/nowhere", "/ping/0123456789"};
	const char *html[] = {"HTTP_ACCEPT=text/html", NULL};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(uris); i++) {
		ask("GET", uris[i], NULL);
		if (answer.status != 503 || strstr(text_str(&answer.head), "Retry-After: 60\r\n") == NULL)
			fail_msg("%s: %d", uris[i], answer.status);
	}
	fixture_ask(&store, "GET", "/", NULL, 0, html, &answer);
	expect(503, NULL);
	assert_non_null(strstr(text_str(&answer.body), "* * * * *"));
}

static void the_root_is_the_default_heartbeats(void **state)
{
	const char *html[] = {"HTTP_ACCEPT=text/html,*/*", NULL};

	(void)state;
	ask("GET", "/", NULL);
	expect(404, "{\"ok\":false}");
	ask("POST", "/", "x");
	expect(403, NULL);
	fixture_beat(&store, "", "", DEFAULT_SECRET, next_time_us(), &answer); /* to /beat */
	expect(200, NULL);
	ask("GET", "/", NULL);
	expect_beating();
	ask("GET", "/beat", NULL);
	expect(200, NULL);
	fixture_ask(&store, "GET", "/", NULL, 0, html, &answer);
	expect(200, NULL);
	assert_non_null(strstr(text_str(&answer.body), "<!doctype html>"));
}

static void several_heartbeats_without_a_default_have_no_root(void **state)
{
	(void)state;
	ask("GET", "/beat", NULL);
	expect(404, "{\"ok\":false}");
	fixture_beat(&store, "", "", ROBOT_SECRET, next_time_us(), &answer);
	expect(403, NULL);
	ask("POST", "/", "x");
	expect(405, NULL);
}

static void paths_that_mean_nothing_do_no_harm(void **state)
{
	static const struct {
		const char *method, *uri;
		int status;
	} rows[] = {
		{"GET", "/beat/", 404},
		{"GET", "/beat/a/b/c/d", 404},
		{"GET", "/beat/%00", 400},
		{"GET", "/beat/..", 400},
		{"GET", "/beat/robot/start", 405},
		{"GET", "/beat/ROBOT", 404},
		{"GET", "/beat/start", 404},
		{"OPTIONS", "/beat/robot", 405},
		{"", "/beat/robot", 405},
		{"GET", "/beat/%C0%AErobot", 404},
		{"GET", "/beat//robot", 404},
		{"GET", "/beat%2Frobot", 404},
		{"GET", "/beat/robot;x=1", 404},
		{"POST", "/beat/robot/x%2Fy", 404},
		{"GET", "/etc/passwd", 404},
		{"DELETE", "/", 405},
	};
	struct text uri = TEXT_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		ask(rows[i].method, rows[i].uri, NULL);
		if (answer.status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].method, rows[i].uri, answer.status);
	}
	text_raw(&uri, "/beat/");
	while (uri.len < 65536)
		text_char(&uri, 'a');
	ask("GET", uri.ptr, NULL);
	expect(404, NULL);
	text_free(&uri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_beat_is_stored_and_shown, open_store, close_store),
		cmocka_unit_test_setup_teardown(late_never_and_unknown_look_the_same,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(replays_and_strangers_in_time_are_refused_with_both_clocks,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(signatures_decide, open_store, close_store),
		cmocka_unit_test_setup_teardown(job_signals_tell_of_runs, open_store, close_store),
		cmocka_unit_test_setup_teardown(refusals_come_in_their_order, open_nothing, close_store),
		cmocka_unit_test_setup_teardown(without_a_state_everything_waits, open_nothing, close_store),
		cmocka_unit_test_setup_teardown(the_root_is_the_default_heartbeats,
			open_store_with_default, close_store),
		cmocka_unit_test_setup_teardown(several_heartbeats_without_a_default_have_no_root,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(paths_that_mean_nothing_do_no_harm, open_store, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
