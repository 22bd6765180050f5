/* SPDX-License-Identifier: ISC */
/*
 * world: what really goes on, from a seed: which target fails when and how, and when we ourselves are offline.
 * All times are microseconds from the world's beginning.
 *
 * A look is a connection that is tried again after 1, 3 and 7 s when packets are lost, as TCP does, and given up
 * after 10 s.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/result.h"

#define SECONDS(n) ((int64_t)((n) * 1e6))
#define MINUTES(n) SECONDS((n) * 60.0)
#define DAYS(n) SECONDS((n) * 86400.0)
#define LOOK_TIMEOUT_US SECONDS(10)

/* How a target fails. */
enum manner {
	FAILS_AT_ONCE,  /* refuses, or answers 502: definite */
	FAILS_SILENTLY, /* says nothing: each look ends in its timeout */
	FAILS_PARTLY,   /* 60 % of the looks fail, in either manner */
	LOSES_PACKETS,  /* not the target: the path to it */
};
/* Why; what is expected of people's messages depends on it. */
enum reason {
	OUTAGE,         /* to be told */
	RESTART,        /* 6 to 12 s: better not told */
	BROWN_OUT,      /* 2 to 25 s of the path: not to be told */
};

struct spell {
	int64_t from_us, to_us;
	enum manner manner;
	enum reason reason;
	bool told;      /* the simulation's note: somebody heard of it */
};

struct spells {
	struct spell *at; /* in the order of from_us */
	size_t n, size;
	size_t first;     /* those before are over; times are asked for in rising order */
};

struct world_rules {
	size_t targets, groups_of;
	double days;
	double outage_days;       /* between two of one target */
	double outage_minutes, outage_sigma; /* median and shape of their lengths */
	double partly, silently;  /* shares of them */
	double groups_a_month, group_minutes;
	double restart_days, brown_out_days;
	double offline_days, offline_minutes; /* between two of our own, and their mean length */
	double stray;             /* share of looks that fail for no reason */
};

struct world {
	struct world_rules rules;
	uint64_t random;
	struct spells *targets;
	struct spells offline;
	int64_t length_us;
};

void world_make(struct world *world, const struct world_rules *rules, uint64_t seed);
void world_free(struct world *world);
/* Also for worlds made by hand, which begin with nothing happening. */
void world_add(struct spells *spells, int64_t from_us, int64_t length_us, enum manner manner, enum reason reason);
void world_sort(struct spells *spells);

struct seen {
	enum outcome outcome;
	bool definite;
	int64_t took_us;
};
/* What a look at a target that begins now comes to. */
struct seen world_look(struct world *world, size_t target, int64_t now_us);
/* Does anything outside answer us within the time, asked now? *took_us is how long that took to know. */
bool world_online(struct world *world, int64_t now_us, int64_t timeout_us, int64_t *took_us);
/* How much of a span we were offline. */
int64_t world_offline_us(const struct world *world, int64_t from_us, int64_t to_us);

#endif
