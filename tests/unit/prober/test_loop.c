/* SPDX-License-Identifier: ISC */
/* loop: timers in order, watches that stop each other, who is busy, names from files and literals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/net/loop.h"

static int make_loop(void **state)
{
	*state = loop_new(NULL);
	return *state ? 0 : -1;
}

static int free_loop(void **state)
{
	loop_free(*state);
	return 0;
}

/* ---- timers */

struct mark {
	struct text *trace;
	char letter;
	struct loop *loop;
	struct loop_timer *victim;
};

static void write_mark(void *arg)
{
	struct mark *mark = arg;

	text_char(mark->trace, mark->letter);
	loop_timer_stop(mark->victim);
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
	struct text trace = TEXT_INIT;
	struct mark marks[] = {{&trace, 'c', *state, NULL}, {&trace, 'a', *state, NULL},
		{&trace, 'b', *state, NULL}, {&trace, 'd', *state, NULL}};
	const int64_t delays[] = {30, 1, 10, 30};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		loop_after(*state, delays[i], write_mark, &marks[i]);
	loop_run(*state, INT64_MAX);
	assert_string_equal(text_str(&trace), "abcd");
	text_free(&trace);
}

static void a_timer_may_stop_another_that_is_due_too(void **state)
{
	struct text trace = TEXT_INIT;
	struct mark b = {&trace, 'b', *state, NULL},
		    a = {&trace, 'a', *state, loop_after(*state, 1, write_mark, &b)};

	loop_after(*state, 0, write_mark, &a);
	loop_run(*state, INT64_MAX);
	assert_string_equal(text_str(&trace), "a");
	text_free(&trace);
}

static void many_timers_started_and_stopped_leave_those_that_stay_in_order(void **state)
{
	struct text trace = TEXT_INIT;
	struct mark kept[10];
	struct loop_timer *gone[200];

	for (size_t i = 0; i < COUNT_OF(gone); i++)
		gone[i] = loop_after(*state, (int64_t)(i * 7919 % 50), write_mark, NULL);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		kept[i] = (struct mark){&trace, (char)('0' + i), *state, NULL};
		loop_after(*state, (int64_t)i * 3, write_mark, &kept[i]);
	}
	for (size_t i = 0; i < COUNT_OF(gone); i++)
		loop_timer_stop(gone[i * 37 % COUNT_OF(gone)]);
	loop_run(*state, INT64_MAX);
	assert_string_equal(text_str(&trace), "0123456789");
	text_free(&trace);
}

static void restart(void *arg)
{
	struct mark *mark = arg;

	text_char(mark->trace, mark->letter);
	loop_after(mark->loop, 0, restart, mark);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void a_timer_that_restarts_itself_does_not_starve_others(void **state)
{
	struct text trace = TEXT_INIT;
	struct mark mark = {&trace, 'x', *state, NULL};

	loop_after(*state, 0, restart, &mark);
	loop_after(*state, 5, stop, *state);
	loop_run(*state, clock_mono_us() + US_PER_S);
	assert_true(trace.len > 1);
	text_free(&trace);
}

static void it_runs_no_longer_than_asked_and_ends_when_nothing_is_left(void **state)
{
	int64_t begun = clock_mono_us();
	struct loop_timer *timer = loop_after(*state, 10000, stop, *state);

	loop_run(*state, begun + 20 * US_PER_MS);
	assert_in_range(clock_mono_us() - begun, 19 * US_PER_MS, 5 * US_PER_S);
	loop_timer_stop(timer);
	begun = clock_mono_us();
	loop_run(*state, INT64_MAX);
	assert_true(clock_mono_us() - begun < 5 * US_PER_S);
}

static void sleep_long(void *arg)
{
	const struct timespec pause = {0, 250 * 1000000};

	(void)arg;
	nanosleep(&pause, NULL);
}

static void a_turn_that_takes_long_counts_as_a_stall(void **state)
{
	assert_int_equal(loop_stalled_us(*state), 0);
	loop_after(*state, 0, sleep_long, NULL);
	loop_after(*state, 1, stop, *state);
	loop_run(*state, INT64_MAX);
	assert_true(loop_stalled_us(*state) > 200 * US_PER_MS);
}

/* ---- watches */

struct pair {
	struct loop_watch *watches[2];
	unsigned calls;
};

static void stop_both(void *arg, unsigned events)
{
	struct pair *pair = arg;

	assert_true(events & LOOP_READ);
	pair->calls++;
	loop_unwatch(pair->watches[0]);
	loop_unwatch(pair->watches[1]);
	pair->watches[0] = pair->watches[1] = NULL;
}

static void a_watch_may_stop_another_whose_event_came_in_the_same_turn(void **state)
{
	struct pair pair = {{NULL, NULL}, 0};
	int pipes[2][2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
		pair.watches[i] = loop_watch(*state, pipes[i][0], LOOP_READ, stop_both, &pair);
	}
	loop_run(*state, INT64_MAX);
	assert_int_equal(pair.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void count_ready(void *arg, unsigned events)
{
	(void)events;
	(*(unsigned *)arg)++;
}

static void a_watch_is_busy_for_20_ms_after_its_event(void **state)
{
	unsigned calls = 0;
	int pipes[2];
	struct loop_watch *watch;

	assert_int_equal(pipe(pipes), 0);
	watch = loop_watch(*state, pipes[0], LOOP_READ, count_ready, &calls);
	assert_int_equal(loop_active(*state), 1);
	loop_run(*state, clock_mono_us() + 40 * US_PER_MS);
	assert_int_equal(loop_active(*state), 0);
	assert_int_equal(calls, 0);
	loop_unwatch(watch);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- names */

struct answer {
	unsigned calls;
	struct addresses addresses;
	const char *why;
	bool ours;
};

static void note_answer(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct answer *answer = arg;

	answer->calls++;
	answer->addresses = *addresses;
	answer->why = why;
	answer->ours = ours;
}

static void literal_addresses_need_nobody_to_be_asked(void **state)
{
	static const struct {
		const char *host;
		int family, got;
	} rows[] = {
		{"192.0.2.1", AF_UNSPEC, AF_INET},
		{"2001:db8::1", AF_UNSPEC, AF_INET6},
		{"[2001:db8::1]", AF_INET6, AF_INET6},
		{"192.0.2.1", AF_INET6, 0},
		{"::1", AF_INET, 0},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct answer answer = {0};

		loop_resolve(*state, rows[i].host, rows[i].family, 1000, note_answer, &answer);
		assert_int_equal(answer.calls, 0); /* never from within the call */
		loop_run(*state, INT64_MAX);
		assert_int_equal(answer.calls, 1);
		assert_int_equal(answer.addresses.n, rows[i].got ? 1 : 0);
		if (rows[i].got)
			assert_int_equal(answer.addresses.at[0].any.sa_family, rows[i].got);
		else
			assert_non_null(answer.why);
	}
}

static void localhost_comes_from_the_hosts_file(void **state)
{
	struct answer answer = {0};
	char text[INET6_ADDRSTRLEN] = "";

	loop_resolve(*state, "localhost", AF_INET, 2000, note_answer, &answer);
	loop_run(*state, clock_mono_us() + 3 * US_PER_S);
	assert_int_equal(answer.calls, 1);
	assert_true(answer.addresses.n >= 1);
	inet_ntop(AF_INET, &((struct sockaddr_in *)&answer.addresses.at[0])->sin_addr, text, sizeof(text));
	assert_string_equal(text, "127.0.0.1");
}

static void a_resolve_that_is_stopped_never_answers(void **state)
{
	struct answer answer = {0};

	loop_resolve_stop(loop_resolve(*state, "nothing.invalid", AF_UNSPEC, 50, note_answer, &answer));
	loop_resolve_stop(loop_resolve(*state, "192.0.2.1", AF_UNSPEC, 50, note_answer, &answer));
	loop_run(*state, clock_mono_us() + 100 * US_PER_MS);
	assert_int_equal(answer.calls, 0);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, make_loop, free_loop)
	const struct CMUnitTest tests[] = {
		ROW(timers_fire_in_the_order_of_their_times),
		ROW(a_timer_may_stop_another_that_is_due_too),
		ROW(many_timers_started_and_stopped_leave_those_that_stay_in_order),
		ROW(a_timer_that_restarts_itself_does_not_starve_others),
		ROW(it_runs_no_longer_than_asked_and_ends_when_nothing_is_left),
		ROW(a_turn_that_takes_long_counts_as_a_stall),
		ROW(a_watch_may_stop_another_whose_event_came_in_the_same_turn),
		ROW(a_watch_is_busy_for_20_ms_after_its_event),
		ROW(literal_addresses_need_nobody_to_be_asked),
		ROW(localhost_comes_from_the_hosts_file),
		ROW(a_resolve_that_is_stopped_never_answers),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
