/* SPDX-License-Identifier: ISC */
/*
 * simulation: the prober's rules at work in a world. The judge is the real one, and so are the slots; around
 * them stands what the pass does with them, in small: it looks when something is due, within the minutes that
 * cron gives it, lets a decision wait for the parents and the witnesses, and tells.
 *
 * Time is that of the world; the judge is given the wall clock, which the world may step.
 */
#ifndef TESTS_SIMULATION_H
#define TESTS_SIMULATION_H

#include "model/judge.h"
#include "world.h"

#define NO_PARENT SIZE_MAX

/* What people heard, and how that compares with what happened. */
struct counts {
	unsigned down, up, flapping, unknown, summaries;
	unsigned false_down;         /* nothing was wrong */
	unsigned restarts_told;      /* only a restart was wrong */
	unsigned held;               /* by a parent */
	int64_t *latencies_us;       /* of outages: from their beginning to the message */
	size_t latency_count, latency_size;
	int64_t last_told_us;
	unsigned long looks;
};

struct simulation;

/* monitors = the world's targets, all with these rules (the default ones when NULL). */
struct simulation *simulation_new(struct world *world, const struct monitor *rules);
void simulation_free(struct simulation *sim);
/* Every target but the first hangs on the first. */
void simulation_hang_on_first(struct simulation *sim);
void simulation_step_clock(struct simulation *sim, int64_t at_us, int64_t by_us);
void simulation_run(struct simulation *sim, int64_t until_us);

const struct counts *simulation_counts(const struct simulation *sim);
/* Messages about one target, of all kinds. */
unsigned simulation_messages(const struct simulation *sim, size_t target);
enum monitor_state simulation_state(const struct simulation *sim, size_t target);
/* The rules that design and configuration give by default: 1m, 10 s, 5s 5s 10s 10s, 3, 2, 10s. */
void simulation_default_rules(struct monitor *rules);

#endif
