/* SPDX-License-Identifier: ISC */
/* A heartbeat's page: what a program told is shown to people, in words, and visitors see none of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "one_store.h"

static void ping(const char *signal, const char *body)
{
	char uri[128];

	snprintf(uri, sizeof(uri), "/ping/" ROBOT_TOKEN "%s", signal);
	fixture_ask(&store, "POST", uri, body, strlen(body), NULL, &answer);
	assert_int_equal(answer.status, 200);
}

static void look(const char *uri)
{
	static const char *const person[] = {"REMOTE_USER=ann", "HTTP_ACCEPT=text/html", NULL};

	fixture_ask(&store, "GET", uri, NULL, 0, person, &answer);
	assert_int_equal(answer.status, 200);
}

static void expect_text(const char *text, bool there)
{
	if ((strstr(text_str(&answer.body), text) != NULL) != there)
		fail_msg("\"%s\" should %sbe on the page:\n%s", text, there ? "" : "not ", text_str(&answer.body));
}

static void before_the_first_beat_it_says_how_to_send_one(void **state)
{
	(void)state;
	look("/staff/m/robot");
	expect_text("No beat has arrived yet", true);
	expect_text("How to send a beat", true);
}

static void each_kind_of_signal_has_its_line(void **state)
{
	static const struct {
		const char *signal, *body, *says;
	} rows[] = {
		{"", "", "success"},
		{"/start", "", "running for"},
		{"/log", "the disk is at 91 % & <full>", "the disk is at 91 % &amp; &lt;full&gt;"},
		{"/3", "no space left", "exit status 3"},
		{"/fail", "gave up", "gave up"},
		{"/start", "", "started"},
		{"/0", "", "Next beat is due by"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ping(rows[i].signal, rows[i].body);
		look("/staff/m/robot");
		expect_text(rows[i].says, true);
	}
	expect_text("<full>", false);
	look("/staff/m/robot?lang=zh-TW");
	expect_text("結束狀態 3", true);
}

static void only_the_newest_lines_are_shown(void **state)
{
	char body[32];

	(void)state;
	for (int i = 0; i < 25; i++) {
		snprintf(body, sizeof(body), "line number %d.", i);
		ping("/log", body);
	}
	look("/staff/m/robot");
	expect_text("line number 24.", true);
	expect_text("line number 5.", true);
	expect_text("line number 4.", false);
}

static void a_refused_beat_is_shown_with_both_clocks(void **state)
{
	(void)state;
	fixture_beat(&store, "robot", "", ROBOT_SECRET, clock_wall_us(), &answer);
	assert_int_equal(answer.status, 200);
	fixture_beat(&store, "robot", "", ROBOT_SECRET, 1000 * US_PER_S, &answer);
	assert_int_equal(answer.status, 400);
	look("/staff/m/robot");
	expect_text("1970-01-01T00:16:40Z", true);
	expect_text("is not within 5m of our clock", true);
}

static void visitors_are_told_nothing(void **state)
{
	static const char *const visitor[] = {"HTTP_ACCEPT=text/html", NULL};

	(void)state;
	ping("/fail", "a private message");
	fixture_ask(&store, "GET", "/m/robot", NULL, 0, visitor, &answer);
	expect_text("a private message", false);
	fixture_ask(&store, "GET", "/m/site", NULL, 0, visitor, &answer);
	assert_int_equal(answer.status, 200);
	expect_text("How to send a beat", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(before_the_first_beat_it_says_how_to_send_one,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(each_kind_of_signal_has_its_line, open_store, close_store),
		cmocka_unit_test_setup_teardown(only_the_newest_lines_are_shown, open_store, close_store),
		cmocka_unit_test_setup_teardown(a_refused_beat_is_shown_with_both_clocks,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(visitors_are_told_nothing, open_store, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
