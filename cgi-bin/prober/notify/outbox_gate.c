/* SPDX-License-Identifier: ISC */
/*
 * outbox_gate: when a channel may send.
 *
 * The first message of a channel goes at once and opens a window of 30 seconds. What falls due in the window
 * is gathered, and let out together at its end; more than five become one digest. A storm goes on for a
 * while, so after a digest the next window is longer: a thousand outages within a minute are three messages.
 * A change that is alone, two seconds after the last message, is no storm and does not wait for the end of
 * the window; three may go so.
 *
 * A limit for each hour holds back what is over it until the hour has passed; then it is one digest too. An
 * attempt that is repeated was let out before and waits for nothing but the wait its service asked for.
 *
 * Pure: the gate, notices and the time go in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "prober/notify/outbox_private.h"

#define HOUR_US (3600 * US_PER_S)
#define AFTER_DIGEST_US (45 * US_PER_S)
#define QUIET_US (2 * US_PER_S)
#define LONE_MAX 3
/* Longer than gathering and the pause between two passes together. */
#define HELD_LONG_US (100 * US_PER_S)

static const char *take(const char *at, int64_t *out)
{
	char *end;

	*out = at ? strtoll(at, &end, 10) : 0;
	return at && *end == ' ' ? end + 1 : NULL;
}

void gate_read(struct gate *gate, const char *note)
{
	note = take(note, &gate->opened_us);
	note = take(note, &gate->window_us);
	note = take(note, &gate->released_us);
	note = take(note, &gate->alone);
	note = take(note, &gate->newest_us);
	note = take(note, &gate->hour_us);
	note = take(note, &gate->count);
	take(note, &gate->not_before_us);
}

void gate_print(const struct gate *gate, struct text *note)
{
	text_printf(note, "%lld %lld %lld %lld %lld %lld %lld %lld", (long long)gate->opened_us,
		(long long)gate->window_us, (long long)gate->released_us, (long long)gate->alone,
		(long long)gate->newest_us, (long long)gate->hour_us, (long long)gate->count, (long long)gate->not_before_us);
}

/* ---- what holds for one notice */

static bool same_hour(const struct gate *gate, int64_t now_us)
{
	return now_us >= gate->hour_us && now_us < gate->hour_us + HOUR_US;
}

/* The end of the window that is open; a window of the future (the clock was stepped back) is none. */
static int64_t window_end(const struct gate *gate, int64_t now_us)
{
	return gate->opened_us > now_us ? 0 : gate->opened_us + gate->window_us;
}

static bool held_long(const struct notice *notice, int64_t now_us)
{
	return !notice->attempts && notice->due_us < now_us - HELD_LONG_US;
}

/* Is it the first of a new window, rather than one that was gathered in the last? */
static bool would_open(const struct gate *gate, const struct notice *notice, int64_t now_us)
{
	int64_t end = window_end(gate, now_us);

	return !notice->attempts && notice->due_us > gate->released_us && now_us >= end && notice->due_us >= end;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t opens_us(const struct gate *gate, const struct notice *notice, const struct gate_rules *rules,
	bool alone, int64_t now_us)
{
	int64_t opens = later(gate->not_before_us, now_us), end = window_end(gate, now_us);

	if (rules->machine || notice->attempts)
		return opens;
	if (rules->limit > 0 && same_hour(gate, now_us) && gate->count >= rules->limit)
		opens = later(opens, gate->hour_us + HOUR_US);
	if (notice->due_us <= gate->released_us || now_us >= end)
		return opens;
	if (alone && gate->alone < LONE_MAX && gate->newest_us + QUIET_US < end)
		end = gate->newest_us + QUIET_US;
	return later(opens, end);
}

/* ---- what holds for all that is due */

static bool is_alone(const struct gate *gate, const struct notices *due)
{
	size_t fresh = 0;

	for (size_t i = 0; i < due->n; i++)
		fresh += !due->at[i].attempts && due->at[i].due_us > gate->released_us;
	return fresh == 1;
}

size_t gate_ready(const struct gate *gate, struct notices *due, const struct gate_rules *rules, int64_t now_us,
	int64_t *wake_us)
{
	bool alone = is_alone(gate, due), opening = false;
	size_t ready = 0;

	for (size_t i = 0; i < due->n; i++) {
		struct notice notice = due->at[i];
		int64_t opens = opens_us(gate, &notice, rules, alone, now_us);

		if (opens <= now_us && !rules->machine && !held_long(&notice, now_us) &&
			would_open(gate, &notice, now_us)) {
			opens = opening ? now_us + GATHER_US : now_us; /* the others are what it gathers */
			opening = true;
		}
		if (opens <= now_us) {
			memmove(&due->at[ready + 1], &due->at[ready], (i - ready) * sizeof(notice));
			due->at[ready++] = notice;
		} else {
			*wake_us = opens < *wake_us ? opens : *wake_us;
		}
	}
	return ready;
}

bool gate_gathers(const struct notice *ready, size_t n, int64_t now_us)
{
	size_t held = 0;

	for (size_t i = 0; i < n; i++)
		held += held_long(&ready[i], now_us);
	return n > DIGEST_OVER || held > 1;
}

void gate_pass(struct gate *gate, const struct notice *notice, bool digest, int64_t now_us)
{
	int64_t end = window_end(gate, now_us);

	if (notice->attempts && !digest)
		return;
	if (!same_hour(gate, now_us)) {
		gate->hour_us = now_us;
		gate->count = 0;
	}
	gate->count++;
	gate->newest_us = now_us;
	if (now_us < end) {
		gate->alone += notice->due_us > gate->released_us;
		return;
	}
	if (notice->due_us <= gate->released_us && !digest)
		return; /* one of several that were let out together */
	if (notice->due_us < end)
		gate->released_us = end - 1;
	gate->opened_us = now_us;
	gate->window_us = digest ? AFTER_DIGEST_US : GATHER_US;
	gate->alone = 0;
}

bool gate_was_full(const struct gate *gate, int64_t limit)
{
	return limit > 0 && gate->count >= limit;
}
