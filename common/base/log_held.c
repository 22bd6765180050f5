/* SPDX-License-Identifier: ISC */
/*
 * log_held: counting what is held back. See log_held.h.
 *
 * One slot per reason, taken at its first event and kept: reasons are literals, so there are few. The lock
 * guards a few loads only and is not the log's own: ten thousand refusals a second must not wait for a disk.
 */
#include "base/log_held.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

enum { MAX_REASONS = 64 };

#define MINUTE_US (60 * US_PER_S)

static struct held {
	const char *reason;
	bool was_told;
	int64_t told_us;     /* of the last line */
	unsigned long count; /* events since then */
} held[MAX_REASONS];
static size_t used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The reason's slot; all that do not fit share the last one. */
static struct held *find(const char *reason)
{
	for (size_t i = 0; i < used; i++)
		if (held[i].reason == reason || strcmp(held[i].reason, reason) == 0)
			return &held[i];
	if (used == MAX_REASONS)
		return &held[MAX_REASONS - 1];
	held[used] = (struct held){.reason = reason};
	return &held[used++];
}

bool log_held_add(const char *reason, int64_t mono_us, struct log_held_due *due)
{
	struct held *h;
	bool is_due;

	pthread_mutex_lock(&lock);
	h = find(reason);
	h->count++;
	is_due = !h->was_told || mono_us - h->told_us >= MINUTE_US;
	if (is_due) {
		due->count = h->count;
		due->minutes = h->was_told ? (mono_us - h->told_us) / MINUTE_US : 0;
		*h = (struct held){.reason = h->reason, .was_told = true, .told_us = mono_us};
	}
	pthread_mutex_unlock(&lock);
	return is_due;
}

void log_held_put(struct text *t, const struct log_held_due *due)
{
	if (due->count < 2)
		return;
	if (due->minutes < 2)
		text_printf(t, " (%lu times in the last minute)", due->count);
	else
		text_printf(t, " (%lu times in the last %lld minutes)", due->count, (long long)due->minutes);
}

void log_held_flush(void (*tell)(const char *reason, unsigned long count))
{
	struct held rest[MAX_REASONS];
	size_t n;

	pthread_mutex_lock(&lock);
	n = used;
	memcpy(rest, held, sizeof(rest));
	used = 0;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < n; i++)
		if (rest[i].count > 0)
			tell(rest[i].reason, rest[i].count);
}
