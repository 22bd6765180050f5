/* SPDX-License-Identifier: ISC */
/*
 * hours: when a channel may be used: "mon-fri 09:00-18:00", "sat,sun", "22:00-06:00", several of them with
 * ";" between. Days are English names of three letters; without days it is every day, without times the
 * whole day. A time range that ends before it begins runs past midnight, and belongs to the day it began.
 */
#ifndef MODEL_HOURS_H
#define MODEL_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"

#define HOURS_MAX 16 /* windows in one text */

struct hours {
	struct hours_window {
		unsigned days;           /* bit 0 Sunday .. bit 6 Saturday */
		int from_min, until_min; /* minutes of the day; until above 1440 runs past midnight */
	} windows[HOURS_MAX];
	unsigned count;
};

/* On false *why is a literal that says what is wrong. */
bool hours_parse(const char *s, struct hours *out, const char **why);
/* The first moment at or after unix_s that lies within, in the zone's time; -1 when none within 8 days. */
int64_t hours_next(const struct hours *hours, const struct zone *zone, int64_t unix_s);

#endif
