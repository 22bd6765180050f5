/* SPDX-License-Identifier: ISC */
/*
 * request: the payload there and back, and what each request does to judge and incident.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/request.h"

#define T0 (INT64_C(1770000000) * US_PER_S)
#define HOUR_US (3600 * US_PER_S)

/* ---- the payload */

static char shop[] = "shop", looking[] = "looking \"into\" it\n<b>";

static const struct person_request requests[] = {
	{.kind = REQUEST_ACKNOWLEDGE, .monitor = shop, .incident = 12, .text = looking},
	{.kind = REQUEST_ACKNOWLEDGE, .monitor = shop},
	{.kind = REQUEST_PAUSE, .monitor = shop},
	{.kind = REQUEST_RESUME, .monitor = shop},
	{.kind = REQUEST_MAINTENANCE, .monitor = shop, .for_us = 2 * HOUR_US},
	{.kind = REQUEST_MAINTENANCE, .monitor = shop, .for_us = 0},
	{.kind = REQUEST_NOTE, .monitor = shop, .incident = UINT32_MAX, .text = looking, .is_public = true},
};

static void what_is_encoded_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		struct text t = TEXT_INIT;
		struct person_request back;
		struct error err;

		request_encode(&t, &requests[i]);
		if (!request_decode(text_str(&t), t.len, &back, &err))
			fail_msg("%s: %s", text_str(&t), err.text);
		assert_int_equal(back.kind, requests[i].kind);
		assert_string_equal(back.monitor, "shop");
		assert_int_equal(back.incident, requests[i].incident);
		assert_int_equal(back.for_us, requests[i].for_us);
		assert_int_equal(back.is_public, requests[i].is_public);
		if (requests[i].text)
			assert_string_equal(back.text, requests[i].text);
		else
			assert_null(back.text);
		request_clear(&back);
		text_free(&t);
	}
}

static const char *const bad[] = {
	"",
	"null",
	"[]",
	"{}",
	"{\"do\":\"pause\"}",
	"{\"do\":\"pause\",\"monitor\":\"No Slug\"}",
	"{\"do\":\"explode\",\"monitor\":\"shop\"}",
	"{\"do\":1,\"monitor\":\"shop\"}",
	"{\"do\":\"pause\",\"monitor\":[\"shop\"]}",
	"{\"do\":\"pause\",\"monitor\":\"shop\"",
	"{\"do\":\"pause\",\"monitor\":\"shop\"} {}",
	"{\"do\":\"pause\",\"do\":\"resume\",\"monitor\":\"shop\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":1}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":1,\"text\":\"\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"text\":\"x\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":-1,\"text\":\"x\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":4294967296,\"text\":\"x\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":1.5,\"text\":\"x\"}",
	"{\"do\":\"note\",\"monitor\":\"shop\",\"incident\":1,\"text\":\"x\",\"public\":1}",
	"{\"do\":\"maintenance\",\"monitor\":\"shop\",\"for\":59}",
	"{\"do\":\"maintenance\",\"monitor\":\"shop\",\"for\":-3600}",
	"{\"do\":\"maintenance\",\"monitor\":\"shop\",\"for\":99999999}",
	"{\"do\":\"maintenance\",\"monitor\":\"shop\",\"for\":1e300}",
	"{\"do\":\"maintenance\",\"monitor\":\"shop\",\"for\":\"2h\"}",
};

static void bad_payloads_are_refused_and_leave_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct person_request out;
		struct error err = {0};

		if (request_decode(bad[i], strlen(bad[i]), &out, &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_null(out.monitor);
		assert_null(out.text);
	}
}

static void unknown_members_are_ignored(void **state)
{
	static const char payload[] =
		"{\"future\":{\"a\":[1]},\"do\":\"pause\",\"monitor\":\"shop\",\"x\":null}";
	struct person_request out;

	(void)state;
	assert_true(request_decode(payload, strlen(payload), &out, NULL));
	assert_int_equal(out.kind, REQUEST_PAUSE);
	request_clear(&out);
}

static void a_long_text_is_refused(void **state)
{
	struct person_request r = {.kind = REQUEST_NOTE, .monitor = shop, .incident = 1};
	char text[REQUEST_TEXT_MAX + 2];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[REQUEST_TEXT_MAX] = '\0';
	r.text = text;
	assert_int_equal(request_check(&r), WORD_NONE);
	text[REQUEST_TEXT_MAX] = 'x';
	text[REQUEST_TEXT_MAX + 1] = '\0';
	assert_int_equal(request_check(&r), WORD_REQUEST_TOO_LONG);
}

/* ---- applying */

struct fixture {
	struct judge judge;
	struct incident incident;
	struct request_target target;
};

static struct judge down_judge(void)
{
	return (struct judge){.state = STATE_DOWN, .decided = STATE_DOWN, .known = STATE_DOWN, .incident = 12,
		.told = TOLD_DOWN, .since_us = T0 - HOUR_US};
}

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.judge = down_judge(), .incident = {.id = 12}};
	f->target = (struct request_target){.judge = &f->judge, .incident = &f->incident};
}

static struct request_effect ask(struct fixture *f, struct person_request request)
{
	request.monitor = shop;
	return request_apply(&request, "jo", T0, &f->target, T0 + US_PER_S);
}

static void acknowledging_marks_and_is_remembered(void **state)
{
	struct fixture f;
	struct request_effect effect;

	(void)state;
	fixture_init(&f);
	effect = ask(
		&f, (struct person_request){.kind = REQUEST_ACKNOWLEDGE, .incident = 12, .text = looking});
	assert_int_equal(effect.refused, WORD_NONE);
	assert_true(effect.incident_changed);
	assert_true(effect.verdict.dirty);
	assert_true(f.judge.marks & MARK_ACKNOWLEDGED);
	assert_int_equal(f.incident.acknowledged_us, T0);
	assert_string_equal(f.incident.acknowledged_by, "jo");
	assert_int_equal(f.incident.entries[0].kind, ENTRY_ACKNOWLEDGED);
	assert_string_equal(f.incident.entries[0].text, looking);
	effect = ask(&f, (struct person_request){.kind = REQUEST_ACKNOWLEDGE});
	assert_int_equal(effect.refused, WORD_NONE);
	assert_false(effect.incident_changed);
	incident_clear(&f.incident);
}

static void only_the_open_incident_can_be_acknowledged(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(
		ask(&f, (struct person_request){.kind = REQUEST_ACKNOWLEDGE, .incident = 11}).refused,
		WORD_REQUEST_INCIDENT_OVER);
	f.judge = (struct judge){.state = STATE_UP, .decided = STATE_UP};
	assert_int_equal(ask(&f, (struct person_request){.kind = REQUEST_ACKNOWLEDGE}).refused,
		WORD_REQUEST_INCIDENT_OVER);
	assert_false(f.judge.marks & MARK_ACKNOWLEDGED);
	assert_int_equal(f.incident.entry_count, 0);
}

static void pausing_and_resuming(void **state)
{
	struct fixture f;
	struct request_effect effect;

	(void)state;
	fixture_init(&f);
	effect = ask(&f, (struct person_request){.kind = REQUEST_PAUSE});
	assert_int_equal(effect.refused, WORD_NONE);
	assert_int_equal(effect.verdict.to, STATE_PAUSED);
	assert_true(effect.verdict.close_incident);
	assert_true(f.judge.paused_by_hand);
	effect = ask(&f, (struct person_request){.kind = REQUEST_RESUME});
	assert_int_equal(effect.verdict.to, STATE_PENDING);
	assert_false(f.judge.paused_by_hand);
}

static void what_the_configuration_paused_stays_so(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.target.paused_by_config = true;
	f.judge = (struct judge){.state = STATE_PAUSED, .decided = STATE_PAUSED, .paused_by_hand = true};
	assert_int_equal(ask(&f, (struct person_request){.kind = REQUEST_RESUME}).refused,
		WORD_REQUEST_PAUSED_BY_CONFIG);
	assert_int_equal(f.judge.state, STATE_PAUSED);
	assert_false(f.judge.paused_by_hand);
}

static void maintenance_lasts_from_when_it_was_asked_for(void **state)
{
	struct fixture f;
	struct request_effect effect;

	(void)state;
	fixture_init(&f);
	effect = ask(&f, (struct person_request){.kind = REQUEST_MAINTENANCE, .for_us = HOUR_US});
	assert_int_equal(effect.verdict.events, EVENT_BIT(EVENT_MAINTENANCE));
	assert_int_equal(f.judge.maintenance_until_us, T0 + HOUR_US);
	assert_true(judge_maintenance_due(&f.judge, false, T0 + HOUR_US - 1));
	assert_false(judge_maintenance_due(&f.judge, false, T0 + HOUR_US));
	effect = ask(&f, (struct person_request){.kind = REQUEST_MAINTENANCE, .for_us = 0});
	assert_int_equal(effect.refused, WORD_NONE);
	assert_false(f.judge.marks & MARK_MAINTENANCE);
}

static void maintenance_asked_for_too_long_ago_does_not_begin(void **state)
{
	struct fixture f;
	struct person_request request = {.kind = REQUEST_MAINTENANCE, .monitor = shop, .for_us = HOUR_US};
	struct request_effect effect;

	(void)state;
	fixture_init(&f);
	effect = request_apply(&request, "jo", T0 - 2 * HOUR_US, &f.target, T0);
	assert_int_equal(effect.verdict.events, 0);
	assert_false(f.judge.marks & MARK_MAINTENANCE);
}

static void a_window_of_the_configuration_cannot_be_ended(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.target.window_active = true;
	f.judge.marks = MARK_MAINTENANCE;
	assert_int_equal(ask(&f, (struct person_request){.kind = REQUEST_MAINTENANCE}).refused,
		WORD_REQUEST_WINDOW_ACTIVE);
	assert_true(f.judge.marks & MARK_MAINTENANCE);
}

static void notes_are_kept_with_their_incident(void **state)
{
	struct fixture f;
	struct request_effect effect;

	(void)state;
	fixture_init(&f);
	effect = ask(&f, (struct person_request){
				 .kind = REQUEST_NOTE, .incident = 12, .text = looking, .is_public = true});
	assert_true(effect.incident_changed);
	assert_int_equal(f.incident.entries[0].kind, ENTRY_NOTE);
	assert_int_equal(f.incident.entries[0].status, 1);
	assert_string_equal(f.incident.entries[0].who, "jo");
	effect = ask(&f, (struct person_request){.kind = REQUEST_NOTE, .incident = 13, .text = looking});
	assert_int_equal(effect.refused, WORD_REQUEST_NO_INCIDENT);
	assert_int_equal(f.incident.entry_count, 1);
	incident_clear(&f.incident);
}

static void a_list_needs_no_incident(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.target.incident = NULL;
	assert_int_equal(
		ask(&f, (struct person_request){.kind = REQUEST_ACKNOWLEDGE, .incident = 12}).refused,
		WORD_NONE);
	assert_true(f.judge.marks & MARK_ACKNOWLEDGED);
	assert_int_equal(
		ask(&f, (struct person_request){.kind = REQUEST_NOTE, .incident = 12, .text = looking})
			.refused,
		WORD_NONE);
}

static void what_is_out_of_bounds_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(ask(&f, (struct person_request){.kind = REQUEST_MAINTENANCE, .for_us = 1}).refused,
		WORD_REQUEST_BAD_LENGTH);
	assert_int_equal(f.judge.maintenance_until_us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(bad_payloads_are_refused_and_leave_nothing),
		cmocka_unit_test(unknown_members_are_ignored),
		cmocka_unit_test(a_long_text_is_refused),
		cmocka_unit_test(acknowledging_marks_and_is_remembered),
		cmocka_unit_test(only_the_open_incident_can_be_acknowledged),
		cmocka_unit_test(pausing_and_resuming),
		cmocka_unit_test(what_the_configuration_paused_stays_so),
		cmocka_unit_test(maintenance_lasts_from_when_it_was_asked_for),
		cmocka_unit_test(maintenance_asked_for_too_long_ago_does_not_begin),
		cmocka_unit_test(a_window_of_the_configuration_cannot_be_ended),
		cmocka_unit_test(notes_are_kept_with_their_incident),
		cmocka_unit_test(a_list_needs_no_incident),
		cmocka_unit_test(what_is_out_of_bounds_changes_nothing),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
