/* SPDX-License-Identifier: ISC */
/*
 * monitor and result: names, what may be a slug or a token, causes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/monitor.h"
#include "model/result.h"

static void state_names_can_be_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < STATE__COUNT; i++) {
		enum monitor_state back;

		assert_true(monitor_state_parse(monitor_state_name((enum monitor_state)i), &back));
		assert_int_equal(back, i);
	}
}

static void event_names_can_be_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT__COUNT; i++) {
		enum event_kind back;

		assert_true(event_parse(event_name((enum event_kind)i), &back));
		assert_int_equal(back, i);
	}
}

static void other_names_are_none(void **state)
{
	enum monitor_state s;
	enum event_kind e;

	(void)state;
	assert_false(monitor_state_parse("UP", &s));
	assert_false(monitor_state_parse("", &s));
	assert_false(event_parse("upp", &e));
	assert_false(event_parse("", &e));
}

#define SIXTY_FOUR "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *slug;
	bool valid;
} slugs[] = {
	{"a", true},
	{"0", true},
	{"shop", true},
	{"shop-1.example_com", true},
	{"starter", true},
	{"start", false},
	{"fail", false},
	{"log", false},
	{"", false},
	{"Shop", false},
	{"-shop", false},
	{".", false},
	{"a b", false},
	{"a/b", false},
	{"caf\xc3\xa9", false},
	{SIXTY_FOUR, true},
	{SIXTY_FOUR "4", false},
};

static void slugs_are_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(slugs); i++)
		assert_int_equal(monitor_slug_valid(slugs[i].slug, strlen(slugs[i].slug)), slugs[i].valid);
	assert_false(monitor_slug_valid("a\0b", 3));
}

static const struct {
	const char *token;
	bool valid;
} tokens[] = {
	{"1234567", false},
	{"12345678", true},
	{"AZaz09_-", true},
	{"1234567.", false},
	{"1234567 ", false},
	{SIXTY_FOUR, true},
	{SIXTY_FOUR "4", false},
};

static void tokens_are_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tokens); i++)
		assert_int_equal(
			monitor_token_valid(tokens[i].token, strlen(tokens[i].token)), tokens[i].valid);
}

/* What a leak checker then looks at: everything a monitor may own, owned. */
static void clearing_frees_all_and_leaves_zeros(void **state)
{
	struct monitor m = {.slug = mem_str("shop"), .type = mem_str("heartbeat"), .runbook = mem_str("x")};
	struct monitor zero = {0};

	(void)state;
	m.tags = mem_array(1, sizeof(*m.tags));
	m.tags[m.tag_count++] = mem_str("web");
	m.notify = mem_array(1, sizeof(*m.notify));
	m.notify[m.notify_count++] = (struct notify_rule){.channel = mem_str("ops"), .hours = mem_str("mon")};
	m.heartbeat = MEM_NEW(struct heartbeat_rules);
	m.heartbeat->secrets = mem_array(1, sizeof(char *));
	m.heartbeat->secrets[m.heartbeat->secret_count++] = mem_str("secret");
	m.heartbeat->token = mem_str("token");
	monitor_clear(&m);
	assert_memory_equal(&m, &zero, sizeof(m));
	monitor_clear(&m);
}

static void a_long_cause_is_cut_at_a_characters_end(void **state)
{
	struct result result = {.cause = ""};
	struct text long_one = TEXT_INIT;

	(void)state;
	for (int i = 0; i < 100; i++)
		text_raw(&long_one, "\xe7\x9b\xa3");
	result_cause(&result, "HTTP %d %s", 502, text_str(&long_one));
	assert_true(strlen(result.cause) < CAUSE_MAX);
	assert_true(strlen(result.cause) > CAUSE_MAX - 10);
	assert_true(text_utf8_valid(result.cause, strlen(result.cause)));
	result_cause(&result, "HTTP %d", 500);
	assert_string_equal(result.cause, "HTTP 500");
	text_free(&long_one);
}

static void a_cleared_result_has_no_timings(void **state)
{
	struct result result = {.headers = mem_str("h"), .body = mem_str("b"), .status = 500};

	(void)state;
	result_clear(&result);
	assert_null(result.body);
	assert_int_equal(result.timings.total_us, -1);
	assert_int_equal(result.status, 0);
	assert_string_equal(outcome_name(result.outcome), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_names_can_be_read_back),
		cmocka_unit_test(event_names_can_be_read_back),
		cmocka_unit_test(other_names_are_none),
		cmocka_unit_test(slugs_are_plain),
		cmocka_unit_test(tokens_are_plain),
		cmocka_unit_test(clearing_frees_all_and_leaves_zeros),
		cmocka_unit_test(a_long_cause_is_cut_at_a_characters_end),
		cmocka_unit_test(a_cleared_result_has_no_timings),
	};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
