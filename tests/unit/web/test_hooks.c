/* SPDX-License-Identifier: ISC */
/* /hook/SERVICE/TOKEN: whose token it is, what is answered, and what is queued. */
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

#define DOWN "Status=Down&StatusCode=503&Name=Shop"

static bool append(void *arg, const struct inbox_entry *entry)
{
	struct text *t = arg;

	text_printf(t, "%s %s\n", entry->sender, entry->payload);
	return true;
}

/* The queue of reports as text. */
static char *queued(void)
{
	struct error err = {0};
	struct text env = TEXT_INIT, out = TEXT_INIT;
	char *list[] = {NULL, NULL};
	struct inbox *inbox;

	text_printf(&env, "UPBEAT_STORE=%s", store.dir);
	list[0] = env.ptr;
	inbox = web_inbox(web_for(list), &err);
	if (inbox)
		inbox_queue_scan(inbox, INBOX_HOOK, 0, append, &out, &err);
	text_free(&env);
	return text_take(&out);
}

static void refusals_come_in_their_order(void **state)
{
	static char large[REQUEST_BODY_MAX + 2];
	static const struct {
		const char *method, *uri, *body;
		int status;
	} rows[] = {
		{"PUT", "/hook/statuscake/" HOOK_KEY, DOWN, 405},
		{"HEAD", "/hook/statuscake/wrong-token-0123456789", "", 404},
		{"HEAD", "/hook/somebody/" HOOK_KEY, "", 404},
		{"HEAD", "/hook/statuscake/" HOOK_KEY "?" DOWN, "", 200},
		{"POST", "/hook/statuscake/wrong-token-0123456789", large, 413},
		{"POST", "/hook/statuscake/wrong-token-0123456789", DOWN, 404},
		{"POST", "/hook/statuscake/" READ_KEY, DOWN, 404},
		{"POST", "/hook/statuscake/" WRITE_KEY, DOWN, 404},
		{"POST", "/hook/statuscake/" PING_KEY, DOWN, 404},
		{"POST", "/hook/statuscake", DOWN, 404},
		{"POST", "/hook/somebody/" HOOK_KEY, DOWN, 404},
		{"POST", "/hook/uptimerobot/" HOOK_KEY, "{\"alertType\":\"3\"}", 200},
	};
	char *queue;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fixture_ask(&store, rows[i].method, rows[i].uri, rows[i].body, strlen(rows[i].body), NULL, &answer);
		if (answer.status != rows[i].status)
			fail_msg("%s %s: %d %s", rows[i].method, rows[i].uri, answer.status, text_str(&answer.body));
	}
	queue = queued();
	assert_string_equal(queue, "");
	free(queue);
}

static void what_nobody_understands_is_taken_and_kept_for_people(void **state)
{
	static const struct {
		const char *method, *uri, *body, *why;
	} rows[] = {
		{"POST", "/hook/statuscake/" HOOK_KEY, "", "up or down"},
		{"GET", "/hook/statuscake/" HOOK_KEY, "", "up or down"},
		{"POST", "/hook/statuscake/" HOOK_KEY, "Name=Shop", "up or down"},
		{"POST", "/hook/statuscake/" HOOK_KEY, "Name=Shop&Status=Sideways", "none that we know"},
		{"POST", "/hook/uptimerobot/" HOOK_KEY, "{\"alertType\":", "end"},
		{"POST", "/hook/uptimerobot/" HOOK_KEY, "\"<script>\"", "up or down"},
		{"POST", "/hook/pingdom/" HOOK_KEY, "[1]", "object"},
		{"POST", "/hook/pingdom/" HOOK_KEY, "{\"check_id\":1,\"current_state\":\"UP\",\"current_state\":\"DOWN\"}", ""},
	};
	const char *said;
	char *queue;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fixture_ask(&store, rows[i].method, rows[i].uri, rows[i].body, strlen(rows[i].body), NULL, &answer);
		said = text_str(&answer.body);
		if (answer.status != 200 || !strstr(said, "\"ok\":false") || !strstr(said, rows[i].why))
			fail_msg("row %zu: %d %s", i, answer.status, said);
	}
	queue = queued();
	assert_non_null(strstr(queue, "statuscake {\"sees\":\"nothing\",\"from\":\"statuscake\",\"name\":\"Name=Shop\","));
	free(queue);
}

static void what_was_seen_is_queued_whichever_way_it_comes(void **state)
{
	char *queue;

	(void)state;
	fixture_ask(&store, "POST", "/hook/statuscake/" HOOK_KEY, DOWN, strlen(DOWN), NULL, &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(text_str(&answer.body), "{\"ok\":true}");
	fixture_ask(&store, "GET", "/hook/statuscake/" HOOK_KEY "?Status=Up&Name=Shop", "", 0, NULL, &answer);
	assert_int_equal(answer.status, 200);
	fixture_ask(&store, "POST", "/hook/uptimerobot/" HOOK_KEY "?monitorID=7&alertType=1&alertDateTime=1700000000", "", 0, NULL,
		&answer);
	assert_int_equal(answer.status, 200);
	queue = queued();
	assert_string_equal(queue,
		"statuscake {\"sees\":\"down\",\"from\":\"statuscake\",\"name\":\"Shop\",\"detail\":\"HTTP 503\"}\n"
		"statuscake {\"sees\":\"up\",\"from\":\"statuscake\",\"name\":\"Shop\"}\n"
		"uptimerobot {\"sees\":\"down\",\"from\":\"uptimerobot\",\"id\":\"7\",\"told\":1700000000}\n");
	free(queue);
}

static void a_key_in_an_address_opens_nothing_else(void **state)
{
	static const char *const env[] = {"HTTP_X_API_KEY=" HOOK_KEY, NULL};

	(void)state;
	fixture_ask(&store, "GET", "/api/v1/monitors/hidden", "", 0, env, &answer);
	assert_int_equal(answer.status, 404);
	fixture_ask(&store, "GET", "/ping/" HOOK_KEY "/robot", "", 0, NULL, &answer);
	assert_int_equal(answer.status, 404);
}

static void without_a_state_it_is_to_be_sent_again(void **state)
{
	(void)state;
	fixture_ask(&store, "POST", "/hook/statuscake/" HOOK_KEY, DOWN, strlen(DOWN), NULL, &answer);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(text_str(&answer.head), "Retry-After:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refusals_come_in_their_order, open_store, close_store),
		cmocka_unit_test_setup_teardown( what_nobody_understands_is_taken_and_kept_for_people,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(what_was_seen_is_queued_whichever_way_it_comes,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(a_key_in_an_address_opens_nothing_else,
			open_store, close_store),
		cmocka_unit_test_setup_teardown(without_a_state_it_is_to_be_sent_again,
			open_nothing, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
