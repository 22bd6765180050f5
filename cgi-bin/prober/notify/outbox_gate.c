/* SPDX-License-Identifier: ISC */
/*
 * outbox_gate: when a channel may send. The first message of a channel goes at once and opens its gate; what
 * falls due within the next 30 seconds waits and then goes together, as one digest when it is many. A limit
 * for each hour works the same way. An attempt that is repeated was let out before and waits for neither.
 *
 * Pure: the gate, a notice and the time go in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "prober/notify/outbox_private.h"

#define HOUR_US (3600 * US_PER_S)
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
	note = take(note, &gate->hour_us);
	note = take(note, &gate->count);
	take(note, &gate->not_before_us);
}

void gate_print(const struct gate *gate, struct text *note)
{
	text_printf(note, "%lld %lld %lld %lld", (long long)gate->opened_us, (long long)gate->hour_us,
		(long long)gate->count, (long long)gate->not_before_us);
}

static bool same_hour(const struct gate *gate, int64_t now_us)
{
	return now_us >= gate->hour_us && now_us < gate->hour_us + HOUR_US;
}

int64_t gate_opens_us(const struct gate *gate, const struct notice *notice, int64_t limit, bool machine,
	int64_t now_us)
{
	int64_t opens = gate->not_before_us > now_us ? gate->not_before_us : now_us;
	bool gathering = gate->opened_us <= now_us && now_us < gate->opened_us + GATHER_US;

	if (machine || notice->attempts)
		return opens;
	if (limit > 0 && same_hour(gate, now_us) && gate->count >= limit && gate->hour_us + HOUR_US > opens)
		opens = gate->hour_us + HOUR_US;
	if (gathering && notice->due_us > gate->opened_us && gate->opened_us + GATHER_US > opens)
		opens = gate->opened_us + GATHER_US;
	return opens;
}

void gate_pass(struct gate *gate, const struct notice *notice, int64_t now_us)
{
	if (notice->attempts)
		return;
	if (notice->due_us > gate->opened_us || gate->opened_us > now_us)
		gate->opened_us = now_us;
	if (!same_hour(gate, now_us)) {
		gate->hour_us = now_us;
		gate->count = 0;
	}
	gate->count++;
}

bool gate_was_full(const struct gate *gate, int64_t limit)
{
	return limit > 0 && gate->count >= limit;
}

bool gate_gathers(const struct notices *ready, int64_t now_us)
{
	size_t held = 0;

	for (size_t i = 0; i < ready->n; i++)
		held += !ready->at[i].attempts && ready->at[i].due_us < now_us - HELD_LONG_US;
	return ready->n > DIGEST_OVER || held > 1;
}
