/* SPDX-License-Identifier: ISC */
/*
 * simulator [--long]: how good the deciding is, in figures: months of a scripted world in seconds, and single
 * stories. Prints what came out beside its goal, and exits 1 when a goal is missed.
 *
 * The two worlds are those that other tools' rules were measured in, and restarts besides: outages of each
 * target once a week, a fifth of them partial, half of the others silent; outages of groups; brown-outs of the
 * path; stray failures; and we ourselves are offline every fourth day. The bad world has ten times the stray
 * failures, weekly restarts, and is offline daily.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "simulation.h"

static const struct world_rules STANDARD = {
	.targets = 100, .groups_of = 10, .days = 30, .outage_days = 7, .outage_minutes = 4, .outage_sigma = 1.3,
	.partly = 0.2, .silently = 0.5, .groups_a_month = 10, .group_minutes = 10, .restart_days = 30,
	.brown_out_days = 3, .offline_days = 4, .offline_minutes = 2, .stray = 0.0005,
};

static bool missed_a_goal;

static void figure(const char *what, double value, const char *unit, double goal)
{
	bool missed = value > goal;

	printf("  %-52s %10.3f %-3s  goal <= %g%s\n", what, value, unit, goal, missed ? "   MISSED" : "");
	missed_a_goal = missed_a_goal || missed;
}

/* ---- a world of dice */

struct sums {
	double months;
	unsigned false_down, restarts, restarts_told, full, full_missed, partial, partial_missed, unknown;
	int64_t *latencies_us;
	size_t latency_count;
	unsigned long looks;
};

/* Outages of two minutes and more that we could have seen. */
static void count_missed(const struct world *world, struct sums *sums)
{
	for (size_t i = 0; i < world->rules.targets; i++) {
		for (size_t j = 0; j < world->targets[i].n; j++) {
			const struct spell *spell = &world->targets[i].at[j];
			int64_t length = spell->to_us - spell->from_us;
			bool partly = spell->manner == FAILS_PARTLY;

			sums->restarts += spell->reason == RESTART;
			if (spell->reason != OUTAGE || spell->to_us > world->length_us - MINUTES(5) ||
				length - world_offline_us(world, spell->from_us, spell->to_us) < MINUTES(2))
				continue;
			sums->partial += partly;
			sums->full += !partly;
			sums->partial_missed += partly && !spell->told;
			sums->full_missed += !partly && !spell->told;
		}
	}
}

static void add_counts(struct sums *sums, const struct counts *counts)
{
	size_t n = sums->latency_count;

	sums->false_down += counts->false_down;
	sums->restarts_told += counts->restarts_told;
	sums->unknown += counts->unknown;
	sums->looks += counts->looks;
	sums->latencies_us = mem_grow(sums->latencies_us, n + counts->latency_count + 1, sizeof(int64_t));
	memcpy(sums->latencies_us + n, counts->latencies_us, counts->latency_count * sizeof(int64_t));
	sums->latency_count += counts->latency_count;
}

static int by_size(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

static double percentile(struct sums *sums, double share)
{
	qsort(sums->latencies_us, sums->latency_count, sizeof(int64_t), by_size);
	return sums->latency_count ? (double)sums->latencies_us[(size_t)(share * (double)(sums->latency_count - 1))] / 1e6 : INFINITY;
}

static void live_through(const char *name, const struct world_rules *rules, unsigned seeds, double goal_false)
{
	struct sums sums = {0};

	for (unsigned seed = 1; seed <= seeds; seed++) {
		struct world world;
		struct simulation *sim;

		world_make(&world, rules, seed);
		sim = simulation_new(&world, NULL);
		simulation_run(sim, world.length_us);
		count_missed(&world, &sums);
		add_counts(&sums, simulation_counts(sim));
		sums.months += rules->days / 30 * (double)rules->targets;
		simulation_free(sim);
		world_free(&world);
	}
	printf("%s world: %.0f monitor-months, %lu looks, %u full outages, %u partial, %u restarts\n", name, sums.months,
		sums.looks, sums.full, sums.partial, sums.restarts);
	figure("false alarms per monitor-month", sums.false_down / sums.months, "", goal_false);
	figure("restarts of 6-12 s that were told, of a hundred", 100.0 * sums.restarts_told / fmax(sums.restarts, 1), "%", 2);
	figure("full outages of 2 min and more missed", sums.full_missed, "", 0);
	figure("partial ones missed, of a hundred", 100.0 * sums.partial_missed / fmax(sums.partial, 1), "%", 12);
	figure("told as unknown, though it was us", sums.unknown, "", 0);
	figure("from the outage to the message, median", percentile(&sums, 0.5), "s", 65);
	figure("from the outage to the message, 95 of a hundred", percentile(&sums, 0.95), "s", 135);
	free(sums.latencies_us);
}

/* ---- stories: worlds made by hand */

static void begin(struct world *world, size_t targets)
{
	struct world_rules rules = {.targets = targets, .days = 1};

	world_make(world, &rules, 1);
}

static void own_outage(void)
{
	unsigned down = 0, summaries = 0, fewest = 9, runs = 0;

	for (int64_t minutes = 1; minutes <= 12; minutes++) {
		for (int64_t second = 0; second < 60; second += 7) {
			struct world world;
			struct simulation *sim;

			begin(&world, 100);
			world_add(&world.offline, MINUTES(10) + SECONDS(second), SECONDS(40) + MINUTES(minutes) + SECONDS(second / 3),
				LOSES_PACKETS, BROWN_OUT);
			sim = simulation_new(&world, NULL);
			simulation_run(sim, MINUTES(40));
			down += simulation_counts(sim)->down;
			if (simulation_counts(sim)->summaries > summaries)
				summaries = simulation_counts(sim)->summaries;
			if (simulation_counts(sim)->summaries < fewest)
				fewest = simulation_counts(sim)->summaries;
			for (size_t i = 0; i < 100; i++)
				if (simulation_state(sim, i) != STATE_UP)
					down++;
			runs++;
			simulation_free(sim);
			world_free(&world);
		}
	}
	printf("we are offline, 100 monitors, %u lengths and moments\n", runs);
	figure("monitors told as down, or not up afterwards, in all", down, "", 0);
	figure("summaries, most", summaries, "", 1);
	figure("runs without a summary", fewest == 0, "", 0);
}

static void parent(void)
{
	unsigned most = 0, missed = 0;
	double latest = 0;

	for (int64_t second = 0; second < 60; second++) {
		struct world world;
		struct simulation *sim;

		begin(&world, 51);
		for (size_t i = 0; i < 51; i++)
			world_add(&world.targets[i], MINUTES(10) + SECONDS(second), MINUTES(10), second % 2 ? FAILS_AT_ONCE : FAILS_SILENTLY,
				OUTAGE);
		sim = simulation_new(&world, NULL);
		simulation_hang_on_first(sim);
		simulation_run(sim, MINUTES(18));
		if (simulation_counts(sim)->down > most)
			most = simulation_counts(sim)->down;
		latest = fmax(latest, (double)(simulation_counts(sim)->last_told_us - MINUTES(10) - SECONDS(second)) / 1e6);
		missed += simulation_messages(sim, 0) != 1;
		simulation_run(sim, MINUTES(40));
		missed += simulation_counts(sim)->up != 1;
		simulation_free(sim);
		world_free(&world);
	}
	printf("a parent with 50 children fails, at each second of a minute\n");
	figure("messages, most", most, "", 1);
	figure("parents that were not told, or whose end was not", missed, "", 0);
	figure("to the message, longest", latest, "s", 135);
}

/* Down for 60 to 150 s, long enough to be decided, then up for 45 to 135 s, for half an hour. */
static void make_flapping(struct spells *spells, unsigned run)
{
	for (unsigned at = 600, step = 0; at < 600 + 1800; step++) {
		unsigned down = 60 + (run * 37 + step * 61) % 91, up = 45 + (run * 53 + step * 29) % 91;

		world_add(spells, SECONDS(at + run % 60), SECONDS(down), run % 3 ? FAILS_AT_ONCE : FAILS_SILENTLY, OUTAGE);
		at += down + up;
	}
}

static void flapping(void)
{
	const unsigned runs = 500;
	unsigned most = 0, all = 0, stuck = 0;

	for (unsigned run = 0; run < runs; run++) {
		struct world world;
		struct simulation *sim;

		begin(&world, 1);
		make_flapping(&world.targets[0], run);
		sim = simulation_new(&world, NULL);
		simulation_run(sim, MINUTES(70));
		all += simulation_messages(sim, 0);
		if (simulation_messages(sim, 0) > most)
			most = simulation_messages(sim, 0);
		stuck += simulation_state(sim, 0) != STATE_UP;
		simulation_free(sim);
		world_free(&world);
	}
	printf("30 minutes of flapping, %u times\n", runs);
	figure("messages, most", most, "", 6);
	figure("messages, mean", (double)all / runs, "", 6);
	figure("not up an hour later", stuck, "", 0);
}

/* The wall clock jumps before, during and after an outage. */
static void clock_jumps(void)
{
	static const double jumps[] = {86400, -86400, 3600, -3600, 40, -40, 2};
	unsigned false_down = 0, lost = 0, unended = 0;
	double latest = 0;

	for (size_t jump = 0; jump < COUNT_OF(jumps); jump++) {
		for (int64_t at = 0; at < 600; at += 13) {
			struct world world;
			struct simulation *sim;
			const struct counts *counts;

			begin(&world, 5);
			world_add(&world.targets[2], MINUTES(13), MINUTES(5), at % 2 ? FAILS_AT_ONCE : FAILS_SILENTLY, OUTAGE);
			sim = simulation_new(&world, NULL);
			simulation_step_clock(sim, MINUTES(10) + SECONDS(at), SECONDS(jumps[jump]));
			simulation_run(sim, MINUTES(30));
			counts = simulation_counts(sim);
			false_down += counts->false_down + (counts->down > 1 ? counts->down - 1 : 0);
			lost += simulation_messages(sim, 2) == 0;
			unended += counts->up != 1;
			if (counts->latency_count > 0)
				latest = fmax(latest, (double)counts->latencies_us[0] / 1e6);
			simulation_free(sim);
			world_free(&world);
		}
	}
	printf("the clock jumps by up to a day either way, around an outage of 5 min\n");
	figure("false alarms, or told twice", false_down, "", 0);
	figure("outages that were not told", lost, "", 0);
	figure("ends that were not told", unended, "", 0);
	figure("from the outage to the message, longest", latest, "s", 195);
}

static void all_at_once(void)
{
	struct world world;
	struct simulation *sim;

	begin(&world, 1000);
	for (size_t i = 0; i < 1000; i++)
		world_add(&world.targets[i], MINUTES(10) - SECONDS(1), MINUTES(10), FAILS_SILENTLY, OUTAGE);
	sim = simulation_new(&world, NULL);
	simulation_run(sim, MINUTES(19));
	printf("1,000 monitors time out together\n");
	figure("not told", 1000 - simulation_counts(sim)->down, "", 0);
	figure("from the pass's start to the last message", (double)(simulation_counts(sim)->last_told_us - MINUTES(10)) / 1e6, "s",
		60);
	simulation_free(sim);
	world_free(&world);
}

int main(int argc, char **argv)
{
	bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
	struct world_rules standard = STANDARD, bad;

	standard.days = is_long ? 180 : 20;
	bad = standard;
	bad.stray = 0.005;
	bad.offline_days = 1;
	bad.restart_days = 7;
	live_through("standard", &standard, is_long ? 3 : 1, 0.01);
	live_through("bad", &bad, is_long ? 3 : 1, 0.1);
	own_outage();
	parent();
	flapping();
	clock_jumps();
	all_at_once();
	return missed_a_goal ? 1 : 0;
}
