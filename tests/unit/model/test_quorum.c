/* SPDX-License-Identifier: ISC */
/* Several pairs of eyes: who has a vote, and what they decide together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/quorum.h"

#define MINUTE_US (60 * INT64_C(1000000))
#define NOW_US (1000000 * MINUTE_US)

/* Others, as letters with their age in minutes: "d0" says down now, "u3" said up three minutes ago; "D0" is a
   peer that says down, "M0" one that says so and has no vote. */
struct row {
	const char *name;
	enum outcome ours;
	const char *others;
	int64_t wanted;
	unsigned seeing, down, needed;
	bool is_down;
};

static const struct row rows[] = {
	{"alone we decide", OUTCOME_DOWN, "", 0, 1, 1, 1, true},
	{"alone we see it up", OUTCOME_UP, "", 0, 1, 0, 1, false},
	{"nobody sees", OUTCOME_UNKNOWN, "", 0, 0, 0, 1, false},
	{"nobody sees, though one is wanted", OUTCOME_UNKNOWN, "", 1, 0, 0, 0, false},
	{"two agree", OUTCOME_DOWN, "d0", 0, 2, 2, 2, true},
	{"one of two is not most of them", OUTCOME_DOWN, "u0", 0, 2, 1, 2, false},
	{"nor is the other", OUTCOME_UP, "d0", 0, 2, 1, 2, false},
	{"two others outvote us", OUTCOME_UP, "d0d0", 0, 3, 2, 2, true},
	{"two others outvote us when they see it up", OUTCOME_DOWN, "u0u0", 0, 3, 1, 2, false},
	{"two of four are not most", OUTCOME_DOWN, "d0u0u0", 0, 4, 2, 3, false},
	{"one suffices where it is said so", OUTCOME_UP, "d0", 1, 2, 1, 1, true},
	{"all are wanted", OUTCOME_DOWN, "d0u0", 3, 3, 2, 3, false},
	{"more are wanted than can see", OUTCOME_DOWN, "", 2, 1, 1, 1, true},
	{"a good word grows old", OUTCOME_DOWN, "u4", 0, 2, 1, 2, false},
	{"and no longer counts", OUTCOME_DOWN, "u5", 0, 1, 1, 1, true},
	{"a bad one holds", OUTCOME_UP, "d59d10", 0, 3, 2, 2, true},
	{"for an hour", OUTCOME_UP, "d60d61", 0, 1, 0, 1, false},
	{"though it is the only one that is wanted", OUTCOME_UP, "d60", 1, 1, 0, 1, false},
	{"peers were asked for their votes", OUTCOME_UP, "D99D99", 0, 3, 2, 2, true},
	{"who is mute has none", OUTCOME_UP, "D0M0", 0, 2, 1, 2, false},
	{"we cannot see, others can", OUTCOME_UNKNOWN, "d0d0", 0, 2, 2, 2, true},
};

static size_t read_others(const char *s, struct sighting *out)
{
	size_t n = 0;

	while (*s) {
		int64_t minutes = 0;

		out[n] = (struct sighting){.sees = *s == 'u' ? OUTCOME_UP : OUTCOME_DOWN,
			.peer = *s == 'D' || *s == 'M', .mute = *s == 'M'};
		for (s++; *s >= '0' && *s <= '9'; s++)
			minutes = minutes * 10 + *s - '0';
		out[n++].heard_us = NOW_US - minutes * MINUTE_US;
	}
	return n;
}

static void votes_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct sighting others[8];
		size_t n = read_others(row->others, others);
		struct quorum q = quorum_of(row->ours, others, n, row->wanted, NOW_US);

		if (q.seeing != row->seeing || q.down != row->down || q.needed != row->needed || q.is_down != row->is_down)
			fail_msg("%s: %u see, %u down, %u needed: %d", row->name, q.seeing, q.down, q.needed, q.is_down);
	}
}

static void the_newest_reason_is_given(void **state)
{
	struct sighting others[8];
	size_t n = read_others("d3d1u0d2", others);

	(void)state;
	assert_ptr_equal(quorum_of(OUTCOME_DOWN, others, n, 0, NOW_US).why, &others[1]);
	assert_null(quorum_of(OUTCOME_DOWN, others, 0, 0, NOW_US).why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(votes_are_counted),
		cmocka_unit_test(the_newest_reason_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
