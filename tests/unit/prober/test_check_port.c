/* SPDX-License-Identifier: ISC */
/* port: connecting, being greeted, asking and being answered; and every way in which that comes to nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "looking.h"
#include "talker.h"

#define HERE "{\"host\":\"127.0.0.1\",\"port\":%u"

static struct look_row row(const char *options, enum outcome outcome, bool definite, const char *cause)
{
	return (struct look_row){options, outcome, definite, cause};
}

static void with_talker(const char *greeting, enum then then, struct look_row one)
{
	struct talker talker = {.greeting = greeting, .then = then};

	talker_start(&talker);
	look_at_rows("port", talker.port, 300, &one, 1);
	talker_stop(&talker);
}

static void an_open_port_is_up_and_a_closed_one_definitely_down(void **state)
{
	static const struct look_row closed[] = {
		{"{\"host\":\"127.0.0.1\",\"port\":1}", OUTCOME_DOWN, true, "connection refused"},
		{"{\"host\":\"::1\",\"port\":1}", OUTCOME_DOWN, true, "connection refused"},
		{"{\"host\":\"localhost\",\"port\":1}", OUTCOME_DOWN, true, "connection refused"},
	};

	(void)state;
	with_talker("", THEN_HANG, row(HERE "}", OUTCOME_UP, false, ""));
	with_talker("", THEN_CLOSE, row(HERE "}", OUTCOME_UP, false, ""));
	look_at_rows("port", 0, 1000, closed, COUNT_OF(closed));
}

/* localhost is ::1 first: nothing listens there, and the second address does. */
static void another_address_of_the_name_will_do(void **state)
{
	(void)state;
	with_talker("hello", THEN_HANG,
		row("{\"host\":\"localhost\",\"port\":%u,\"expect\":\"hello\"}", OUTCOME_UP, false, ""));
}

static void what_it_says_is_compared(void **state)
{
	(void)state;
	with_talker("220 ready\r\n", THEN_HANG, row(HERE ",\"expect\":\"220\"}", OUTCOME_UP, false, ""));
	with_talker("554 no\r\n", THEN_CLOSE,
		row(HERE ",\"expect\":\"220\"}", OUTCOME_DOWN, false,
			"expected \"220\", but it said \"554 no\" and closed the connection"));
	with_talker("554 no\r\n", THEN_HANG,
		row(HERE ",\"expect\":\"220\"}", OUTCOME_DOWN, false,
			"timed out after 0.3 s: expected \"220\", but it said \"554 no\""));
	with_talker("", THEN_HANG,
		row(HERE ",\"expect\":\"220\"}", OUTCOME_DOWN, false,
			"timed out after 0.3 s: expected \"220\", but it said nothing"));
	with_talker("", THEN_REPEAT,
		row(HERE ",\"expect\":\"220\"}", OUTCOME_DOWN, false, "expected \"220\", but it said \"x-more: and"));
	with_talker("22", THEN_RESET, row(HERE ",\"expect\":\"220\"}", OUTCOME_DOWN, false, "connection reset"));
}

static void what_is_to_be_sent_is_sent_whole(void **state)
{
	struct talker talker = {.then = THEN_CLOSE};
	struct result result;
	struct text options = TEXT_INIT;

	(void)state;
	talker_start(&talker);
	text_printf(&options, "{\"host\":\"127.0.0.1\",\"port\":%u,\"send\":\"ping\\r\\n\",\"expect\":\"PING\\r\\n\"}",
		talker.port);
	result = look_at("port", text_str(&options), 1000);
	assert_int_equal(result.outcome, OUTCOME_UP);
	assert_string_equal(talker.heard, "ping\r\n");
	assert_true(result.timings.connect_us >= 0 && result.timings.first_byte_us >= 0);
	assert_string_equal(result.address, "127.0.0.1");
	result_clear(&result);
	text_clear(&options);
	text_printf(&options, "{\"host\":\"127.0.0.1\",\"port\":%u,\"send\":\"only this\"}", talker.port);
	result = look_at("port", text_str(&options), 1000);
	assert_int_equal(result.outcome, OUTCOME_UP);
	for (int i = 0; i < 200 && strcmp(talker.heard, "only this") != 0; i++)
		usleep(10000); /* nobody waited for an answer: it may still be on its way */
	talker_stop(&talker);
	assert_string_equal(talker.heard, "only this");
	result_clear(&result);
	text_free(&options);
}

static void a_wrong_answer_is_kept_as_evidence(void **state)
{
	struct talker talker = {.greeting = "554 no", .then = THEN_CLOSE};
	struct text options = TEXT_INIT;
	struct result result;

	(void)state;
	talker_start(&talker);
	text_printf(&options, "{\"host\":\"127.0.0.1\",\"port\":%u,\"expect\":\"220\"}", talker.port);
	result = look_at("port", text_str(&options), 1000);
	assert_int_equal(result.body_len, 6);
	assert_memory_equal(result.body, "554 no", 6);
	result_clear(&result);
	text_free(&options);
	talker_stop(&talker);
}

static void tls_where_there_is_none_is_named(void **state)
{
	(void)state;
	with_talker("220 ready\r\n", THEN_HANG,
		row(HERE ",\"tls\":true}", OUTCOME_DOWN, false, "TLS handshake failed: it does not speak TLS there"));
	with_talker("", THEN_HANG,
		row(HERE ",\"tls\":true}", OUTCOME_DOWN, false, "timed out after 0.3 s in the TLS handshake"));
	with_talker("", THEN_CLOSE, row(HERE ",\"tls\":true}", OUTCOME_DOWN, false, "TLS handshake failed: it "));
	looking_ca = NULL;
	with_talker("", THEN_HANG,
		row(HERE ",\"tls\":true}", OUTCOME_UNKNOWN, false, "we have no list of certificate authorities"));
	looking_ca = "/dev/null";
	with_talker("", THEN_HANG,
		row(HERE ",\"tls\":true}", OUTCOME_UNKNOWN, false, "we have no usable list"));
	looking_ca = "/etc/ssl/certs/ca-certificates.crt";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_port_is_up_and_a_closed_one_definitely_down),
		cmocka_unit_test(another_address_of_the_name_will_do),
		cmocka_unit_test(what_it_says_is_compared),
		cmocka_unit_test(what_is_to_be_sent_is_sent_whole),
		cmocka_unit_test(a_wrong_answer_is_kept_as_evidence),
		cmocka_unit_test(tls_where_there_is_none_is_named),
	};

	signal(SIGPIPE, SIG_IGN); /* as in the programs */
	return cmocka_run_group_tests_name("check_port", tests, NULL, NULL);
}
