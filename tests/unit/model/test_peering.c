/* SPDX-License-Identifier: ISC */
/* peering: silence, votes, turns, and names of outages that nobody has to agree on first. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/peering.h"

#define NOW (INT64_C(1777600000) * US_PER_S)
#define S US_PER_S

static void a_peer_is_silent_after_three_of_its_intervals_and_what_a_message_takes(void **unused)
{
	static const struct {
		int64_t every_us, heard_ago_us, awake_ago_us, since_ago_us;
		bool silent;
	} rows[] = {
		{60 * S, 0, 0, 0, false},
		{60 * S, 184 * S, 0, 0, false},
		{60 * S, 186 * S, 0, 0, true},
		{1 * S, 8 * S, 0, 0, false},
		{1 * S, 9 * S, 0, 0, true},
		{0, 184 * S, 0, 0, false},          /* one that did not say how often */
		{60 * S, 999 * S, 10 * S, 0, false}, /* we were down ourselves */
		{60 * S, 999 * S, 0, 10 * S, false},
		{60 * S, -100 * S, 0, 0, false},     /* our clock was stepped back */
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct peer_head head = {.heard_us = NOW - rows[i].heard_ago_us, .every_us = rows[i].every_us,
			.awake_us = rows[i].awake_ago_us ? NOW - rows[i].awake_ago_us : 0};
		int64_t since_us = rows[i].since_ago_us ? NOW - rows[i].since_ago_us : 0;

		assert_int_equal(peering_silent(&head, since_us, NOW), rows[i].silent);
	}
	assert_true(peering_silent(&(struct peer_head){0}, NOW, NOW));
}

static void waking_up_gives_time_once(void **unused)
{
	struct peer_head head = {.heard_us = NOW - 500 * S, .every_us = 60 * S};

	(void)unused;
	peering_wake(&head, 100 * S, NOW); /* no longer than passes are apart anyway */
	assert_true(peering_silent(&head, 0, NOW));
	peering_wake(&head, 400 * S, NOW);
	assert_false(peering_silent(&head, 0, NOW));
	peering_wake(&head, 400 * S, NOW + 400 * S);
	assert_true(peering_silent(&head, 0, NOW + 400 * S));
	head.heard_us = NOW + 410 * S;
	peering_wake(&head, 400 * S, NOW + 900 * S);
	assert_false(peering_silent(&head, 0, NOW + 900 * S));
}

static void who_cannot_see_has_no_vote(void **unused)
{
	static const struct {
		const char *why;
		struct peer_head head;
		struct peer_row row;
		enum outcome vote, view;
	} rows[] = {
		{"sees it up", {.heard_us = NOW}, {.sees = OUTCOME_UP, .state = STATE_UP, .every_us = 60 * S}, OUTCOME_UP, OUTCOME_UP},
		{"sees it down", {.heard_us = NOW}, {.sees = OUTCOME_DOWN, .state = STATE_UP}, OUTCOME_DOWN, OUTCOME_DOWN},
		{"others say down, it does not", {.heard_us = NOW}, {.sees = OUTCOME_UP, .state = STATE_DOWN}, OUTCOME_UP, OUTCOME_UP},
		{"could not look", {.heard_us = NOW}, {.sees = OUTCOME_UNKNOWN, .state = STATE_UP}, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
		{"is offline", {.heard_us = NOW, .offline = true}, {.sees = OUTCOME_DOWN}, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
		{"was late, and saw it up", {.heard_us = NOW - 100 * S, .every_us = 60 * S}, {.sees = OUTCOME_UP},
			OUTCOME_UNKNOWN, OUTCOME_UP},
		{"was late, and saw it down", {.heard_us = NOW - 100 * S, .every_us = 60 * S}, {.sees = OUTCOME_DOWN},
			OUTCOME_DOWN, OUTCOME_DOWN},
		{"is silent", {.heard_us = NOW - 999 * S}, {.sees = OUTCOME_DOWN}, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
		{"has paused it", {.heard_us = NOW}, {.sees = OUTCOME_UP, .state = STATE_PAUSED}, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN},
		{"looked long ago", {.heard_us = NOW, .time_us = NOW},
			{.sees = OUTCOME_UP, .state = STATE_UP, .every_us = 3600 * S}, OUTCOME_UNKNOWN, OUTCOME_UP},
		{"looks rarely, but did just now", {.heard_us = NOW, .time_us = NOW + 120 * S},
			{.sees = OUTCOME_UP, .state = STATE_UP, .every_us = 3600 * S, .looked_us = NOW + 100 * S},
			OUTCOME_UP, OUTCOME_UP},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (peering_vote(&rows[i].head, &rows[i].row, 0, NOW) != rows[i].vote)
			fail_msg("one that %s", rows[i].why);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (peering_view(&rows[i].head, &rows[i].row, 0, NOW) != rows[i].view)
			fail_msg("what one saw that %s", rows[i].why);
}

static void when_all_fall_silent_at_once_it_may_be_us(void **unused)
{
	struct peer_head heads[] = {
		{.heard_us = NOW - 100 * S, .every_us = 60 * S}, {.heard_us = NOW - 120 * S, .every_us = 60 * S}};

	(void)unused;
	assert_true(peering_all_gone(heads, 2, NOW - 90 * S, NOW));
	assert_false(peering_all_gone(heads, 2, NOW - 10 * S, NOW)); /* something answers: it is not us */
	assert_false(peering_all_gone(heads, 2, NOW - 90 * S, NOW + 3600 * S)); /* nor is it after an hour */
	heads[1].heard_us = NOW - 20 * S;
	assert_false(peering_all_gone(heads, 2, 0, NOW)); /* one is there */
	assert_false(peering_all_gone(&(struct peer_head){0}, 1, 0, NOW)); /* never was */
}

static void a_look_that_is_impossible_is_no_news_while_nothing_is_heard_either(void **unused)
{
	struct peer_head heads[] = {
		{.heard_us = NOW - 40 * S, .every_us = 60 * S}, {.heard_us = NOW - 30 * S, .every_us = 60 * S}};

	(void)unused;
	assert_true(peering_none_since(heads, 2, NOW - 25 * S, NOW - 20 * S, NOW));
	assert_false(peering_none_since(heads, 2, NOW - 15 * S, NOW - 20 * S, NOW)); /* something answers */
	assert_false(peering_none_since(heads, 2, 0, NOW - 35 * S, NOW));            /* one was heard since */
	assert_false(peering_none_since(heads, 2, 0, NOW + 3600 * S, NOW + 3600 * S)); /* they are gone for long */
	assert_false(peering_none_since(&(struct peer_head){0}, 1, 0, NOW, NOW));      /* never was */
}

static void the_order_of_names_says_who_tells(void **unused)
{
	const char *others[] = {"amsterdam", "taipei", "berlin"};

	(void)unused;
	assert_int_equal(peering_turn("aachen", others, 3), 0);
	assert_int_equal(peering_turn("bern", others, 3), 2);
	assert_int_equal(peering_turn("zagreb", others, 3), 3);
	assert_int_equal(peering_turn("zagreb", others, 0), 0);
}

static void an_outage_has_one_number_wherever_it_is_seen(void **unused)
{
	static const struct {
		const char *what;
		uint64_t own;
		struct peer_row others[2];
		size_t n;
		uint64_t episode;
	} rows[] = {
		{"the first of all", 0, {{.slug = NULL}}, 0, 1},
		{"nobody else has it yet", 7, {{.episode = 7}, {.episode = 7}}, 2, 8},
		{"somebody has it already", 7, {{.episode = 7}, {.episode = 8, .open = true}}, 2, 8},
		{"others have been through more", 2, {{.episode = 9}, {.episode = 4}}, 2, 10},
		{"we have been through that one", 8, {{.episode = 8, .open = true}}, 1, 9},
		{"alone in a split", 7, {{.episode = 7}}, 1, 8},
		{"two are open: the newest", 3, {{.episode = 4, .open = true}, {.episode = 5, .open = true}}, 2, 5},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct peer_row *others[] = {&rows[i].others[0], &rows[i].others[1]};

		if (peering_episode(rows[i].own, others, rows[i].n) != rows[i].episode)
			fail_msg("%s", rows[i].what);
	}
}

static void event_ids_follow_from_what_all_know(void **unused)
{
	char one[EVENT_ID_MAX], other[EVENT_ID_MAX];

	(void)unused;
	peering_event_id(one, "shop", 8, "down", "ops", 0);
	peering_event_id(other, "shop", 8, "down", "ops", 0);
	assert_string_equal(one, other);
	assert_true(strncmp(one, "upbeat-", 7) == 0 && !strpbrk(one, ". "));
	peering_event_id(other, "shop", 9, "down", "ops", 0);
	assert_string_not_equal(one, other);
	peering_event_id(other, "shop", 8, "down", "ops", 1);
	assert_string_not_equal(one, other);
	peering_event_id(other, "shop", 8, "up", "ops", 0);
	assert_string_not_equal(one, other);
	peering_event_id(other, "shop", 8, "down", "mail", 0);
	assert_string_not_equal(one, other);
}

static void what_is_kept_of_a_peer_comes_back(void **unused)
{
	struct peer_head head = {NOW, NOW + 1, 60 * S, NOW - 5, true, true, true}, back;
	struct text t = TEXT_INIT;

	(void)unused;
	peer_head_encode(&t, &head);
	assert_true(peer_head_decode(t.ptr, t.len, &back, NULL));
	assert_true(back.heard_us == head.heard_us && back.time_us == head.time_us && back.every_us == head.every_us);
	assert_true(back.awake_us == head.awake_us && back.offline && back.whole && back.more);
	text_free(&t);
	assert_true(peer_head_decode("{\"new\":[1],\"heard\":1.5}", 23, &back, NULL));
	assert_int_equal(back.heard_us, 1500000);
	assert_false(peer_head_decode("{\"heard\":\"x\"}", 13, &back, NULL));
	assert_false(peer_head_decode("[]", 2, &back, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_is_silent_after_three_of_its_intervals_and_what_a_message_takes),
		cmocka_unit_test(waking_up_gives_time_once),
		cmocka_unit_test(who_cannot_see_has_no_vote),
		cmocka_unit_test(when_all_fall_silent_at_once_it_may_be_us),
		cmocka_unit_test(a_look_that_is_impossible_is_no_news_while_nothing_is_heard_either),
		cmocka_unit_test(the_order_of_names_says_who_tells),
		cmocka_unit_test(an_outage_has_one_number_wherever_it_is_seen),
		cmocka_unit_test(event_ids_follow_from_what_all_know),
		cmocka_unit_test(what_is_kept_of_a_peer_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
