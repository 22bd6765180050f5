/* SPDX-License-Identifier: ISC */
/*
 * log_held: what log_limited() holds back, counted by reason; time is a parameter.
 */
#ifndef BASE_LOG_HELD_H
#define BASE_LOG_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* What a line that is due has to tell. */
struct log_held_due {
	unsigned long count; /* events since the last line, with this one */
	int64_t minutes;     /* since the last line; 0 for the first */
};

/* Counts an event (reason is a literal); true when its line is due: the first, and a minute after the last. */
bool log_held_add(const char *reason, int64_t mono_us, struct log_held_due *due);
/* Appends " (31 times in the last minute)" when there was more than the one event. */
void log_held_put(struct text *t, const struct log_held_due *due);
/* Hands over every reason with events untold, and forgets them all. */
void log_held_flush(void (*tell)(const char *reason, unsigned long count));

#endif
