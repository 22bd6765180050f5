/* SPDX-License-Identifier: ISC */
/*
 * notice: what becomes of a message after each attempt to deliver it.
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
#include "model/notice.h"

#define T0 (INT64_C(1770000000) * US_PER_S)
#define S US_PER_S

static struct notice waiting(void)
{
	return (struct notice){.due_us = T0, .expires_us = T0 + NOTICE_LIFE_US, .in_flight = true};
}

static const struct {
	const char *name;
	unsigned attempts;       /* before this one */
	enum delivery_end end;
	int64_t retry_after_s;   /* -1 none */
	uint32_t random;
	enum notice_state state;
	int64_t due_s;           /* from now; of those that wait */
} attempts[] = {
	{"sent", 0, DELIVERY_SENT, -1, 0, NOTICE_DELIVERED, 0},
	{"sent at last", 9, DELIVERY_SENT, -1, 0, NOTICE_DELIVERED, 0},
	{"refused", 0, DELIVERY_REFUSED, -1, 0, NOTICE_REFUSED, 0},
	{"refused with Retry-After is refused", 0, DELIVERY_REFUSED, 60, 0, NOTICE_REFUSED, 0},
	{"first retry after 10 s", 0, DELIVERY_RETRY, -1, 0, NOTICE_WAITING, 10},
	{"or up to half of it later", 0, DELIVERY_RETRY, -1, 1000, NOTICE_WAITING, 15},
	{"second", 1, DELIVERY_RETRY, -1, 0, NOTICE_WAITING, 20},
	{"third", 2, DELIVERY_RETRY, -1, 0, NOTICE_WAITING, 40},
	{"eighth", 7, DELIVERY_RETRY, -1, 0, NOTICE_WAITING, 1280},
	{"from then on 40 minutes", 8, DELIVERY_RETRY, -1, 0, NOTICE_WAITING, 2400},
	{"to an hour", 30, DELIVERY_RETRY, -1, 1000, NOTICE_WAITING, 3600},
	{"a hundredth", 4000000000u, DELIVERY_RETRY, -1, 1000, NOTICE_WAITING, 3600},
	{"Retry-After longer than ours", 0, DELIVERY_RETRY, 120, 0, NOTICE_WAITING, 120},
	{"Retry-After shorter than ours", 3, DELIVERY_RETRY, 1, 0, NOTICE_WAITING, 80},
	{"Retry-After of none", 0, DELIVERY_RETRY, 0, 0, NOTICE_WAITING, 10},
	{"Retry-After beyond its life: tried once more at its end", 0, DELIVERY_RETRY, 1000000, 0,
		NOTICE_WAITING, 86400},
	{"Retry-After of absurd length", 0, DELIVERY_RETRY, INT64_MAX / US_PER_S, 0, NOTICE_WAITING, 86400},
};

static void attempts_end_as_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		struct notice n = waiting();
		int64_t after = attempts[i].retry_after_s;

		n.attempts = attempts[i].attempts;
		notice_attempted(
			&n, attempts[i].end, "answer", after < 0 ? -1 : after * S, attempts[i].random, T0);
		if (n.state != attempts[i].state || n.attempts != attempts[i].attempts + 1 || n.in_flight)
			fail_msg("%s: state %d", attempts[i].name, n.state);
		if (n.state == NOTICE_WAITING && n.due_us != T0 + attempts[i].due_s * S)
			fail_msg("%s: due in %lld us", attempts[i].name, (long long)(n.due_us - T0));
		assert_string_equal(n.answer, "answer");
		notice_clear(&n);
	}
}

static void after_its_life_it_is_expired(void **state)
{
	struct notice n = waiting();

	(void)state;
	notice_attempted(&n, DELIVERY_RETRY, "timeout", -1, 0, T0 + NOTICE_LIFE_US - S);
	assert_int_equal(n.state, NOTICE_WAITING);
	assert_int_equal(n.due_us, n.expires_us);
	notice_attempted(&n, DELIVERY_RETRY, n.answer, -1, 0, n.due_us);
	assert_int_equal(n.state, NOTICE_EXPIRED);
	assert_string_equal(n.answer, "timeout");
	notice_clear(&n);
}

static void a_whole_life_of_failures_is_bounded(void **state)
{
	struct notice n = waiting();
	int64_t now = T0;

	(void)state;
	while (n.state == NOTICE_WAITING) {
		notice_attempted(&n, DELIVERY_RETRY, "500", -1, (uint32_t)now, now);
		assert_true(n.state != NOTICE_WAITING || n.due_us > now);
		now = n.due_us;
	}
	assert_int_equal(n.state, NOTICE_EXPIRED);
	assert_in_range(n.attempts, 25, 50);
	notice_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_end_as_they_should),
		cmocka_unit_test(after_its_life_it_is_expired),
		cmocka_unit_test(a_whole_life_of_failures_is_bounded),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
