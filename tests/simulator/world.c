/* SPDX-License-Identifier: ISC */
/* world: made by dice, the same for the same seed. */
#include "world.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define ANSWER_US 80000

static const int64_t TRIES_US[] = {0, SECONDS(1), SECONDS(3), SECONDS(7)};

/* ---- dice */

static uint64_t roll(struct world *world)
{
	world->random ^= world->random >> 12;
	world->random ^= world->random << 25;
	world->random ^= world->random >> 27;
	return world->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* At least 0, less than 1. */
static double chance(struct world *world)
{
	return (double)(roll(world) >> 11) / 9007199254740992.0;
}

static double between(struct world *world, double from, double to)
{
	return from + (to - from) * chance(world);
}

static double exponential(struct world *world, double mean)
{
	return -mean * log(1 - chance(world));
}

static double lognormal(struct world *world, double median, double sigma)
{
	double radius = sqrt(-2 * log(1 - chance(world)));

	return median * exp(sigma * radius * cos(6.283185307179586 * chance(world)));
}

/* ---- making */

void world_add(struct spells *spells, int64_t from_us, int64_t length_us, enum manner manner, enum reason reason)
{
	if (spells->n == spells->size) {
		spells->size = spells->size ? spells->size * 2 : 16;
		spells->at = mem_grow(spells->at, spells->size, sizeof(spells->at[0]));
	}
	spells->at[spells->n++] = (struct spell){from_us, from_us + length_us, manner, reason, false};
}

static int earlier(const void *a, const void *b)
{
	const struct spell *one = a, *other = b;

	return (one->from_us > other->from_us) - (one->from_us < other->from_us);
}

void world_sort(struct spells *spells)
{
	if (spells->n > 0)
		qsort(spells->at, spells->n, sizeof(spells->at[0]), earlier);
}

static enum manner outage_manner(struct world *world)
{
	if (chance(world) < world->rules.partly)
		return FAILS_PARTLY;
	return chance(world) < world->rules.silently ? FAILS_SILENTLY : FAILS_AT_ONCE;
}

static void make_target(struct world *world, struct spells *spells)
{
	const struct world_rules *rules = &world->rules;

	for (double day = exponential(world, rules->outage_days); day < rules->days;
		day += exponential(world, rules->outage_days))
		world_add(spells, DAYS(day), MINUTES(lognormal(world, rules->outage_minutes, rules->outage_sigma)),
			outage_manner(world), OUTAGE);
	for (double day = exponential(world, rules->restart_days); day < rules->days;
		day += exponential(world, rules->restart_days))
		world_add(spells, DAYS(day), SECONDS(between(world, 6, 12)), FAILS_AT_ONCE, RESTART);
	for (double day = exponential(world, rules->brown_out_days); day < rules->days;
		day += exponential(world, rules->brown_out_days))
		world_add(spells, DAYS(day), SECONDS(between(world, 2, 25)), LOSES_PACKETS, BROWN_OUT);
}

static void make_groups(struct world *world)
{
	const struct world_rules *rules = &world->rules;
	double every = 30 / rules->groups_a_month;

	for (double day = exponential(world, every); day < rules->days; day += exponential(world, every)) {
		size_t first = roll(world) % (rules->targets - rules->groups_of + 1);
		enum manner manner = chance(world) < rules->silently ? FAILS_SILENTLY : FAILS_AT_ONCE;

		for (size_t i = 0; i < rules->groups_of; i++)
			world_add(&world->targets[first + i], DAYS(day), MINUTES(rules->group_minutes), manner, OUTAGE);
	}
}

void world_make(struct world *world, const struct world_rules *rules, uint64_t seed)
{
	*world = (struct world){.rules = *rules, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
		.length_us = DAYS(rules->days)};
	world->targets = mem_array(rules->targets, sizeof(world->targets[0]));
	for (int i = 0; i < 16; i++)
		roll(world);
	if (rules->outage_days > 0)
		for (size_t i = 0; i < rules->targets; i++)
			make_target(world, &world->targets[i]);
	if (rules->groups_a_month > 0)
		make_groups(world);
	for (double day = exponential(world, rules->offline_days); rules->offline_days > 0 && day < rules->days;
		day += exponential(world, rules->offline_days))
		world_add(&world->offline, DAYS(day), MINUTES(exponential(world, rules->offline_minutes)), LOSES_PACKETS,
			BROWN_OUT);
	for (size_t i = 0; i < rules->targets; i++)
		world_sort(&world->targets[i]);
}

void world_free(struct world *world)
{
	for (size_t i = 0; i < world->rules.targets; i++)
		free(world->targets[i].at);
	free(world->targets);
	free(world->offline.at);
}

/* ---- looking */

/* Is this spell one that can come to an end before `now`? Then it is asked for no more. */
static void forget_old(struct spells *spells, int64_t now_us)
{
	while (spells->first < spells->n && spells->at[spells->first].to_us < now_us - MINUTES(5))
		spells->first++;
}

static const struct spell *spell_at(const struct spells *spells, int64_t at_us, bool of_path)
{
	for (size_t i = spells->first; i < spells->n && spells->at[i].from_us <= at_us; i++)
		if (at_us < spells->at[i].to_us && (spells->at[i].manner == LOSES_PACKETS) == of_path)
			return &spells->at[i];
	return NULL;
}

static struct seen answer(struct world *world, const struct spell *spell, int64_t waited_us)
{
	bool definite = chance(world) < 0.5;

	if (spell && spell->manner == FAILS_AT_ONCE)
		return (struct seen){OUTCOME_DOWN, true, waited_us + ANSWER_US};
	if (spell && spell->manner == FAILS_PARTLY && chance(world) < 0.6)
		return (struct seen){OUTCOME_DOWN, definite, definite ? waited_us + ANSWER_US : LOOK_TIMEOUT_US};
	if (world->rules.stray > 0 && chance(world) < world->rules.stray)
		return (struct seen){OUTCOME_DOWN, definite, definite ? waited_us + ANSWER_US : LOOK_TIMEOUT_US};
	return (struct seen){OUTCOME_UP, false, waited_us + ANSWER_US};
}

struct seen world_look(struct world *world, size_t target, int64_t now_us)
{
	struct spells *own = &world->targets[target];

	forget_old(own, now_us);
	forget_old(&world->offline, now_us);
	for (size_t i = 0; i < COUNT_OF(TRIES_US); i++) {
		int64_t at = now_us + TRIES_US[i];
		const struct spell *spell;

		if (spell_at(&world->offline, at, true) || spell_at(own, at, true))
			continue;
		spell = spell_at(own, at, false);
		if (!spell || spell->manner != FAILS_SILENTLY)
			return answer(world, spell, TRIES_US[i]);
	}
	return (struct seen){OUTCOME_DOWN, false, LOOK_TIMEOUT_US};
}

bool world_online(struct world *world, int64_t now_us, int64_t timeout_us, int64_t *took_us)
{
	forget_old(&world->offline, now_us);
	for (size_t i = 0; i < COUNT_OF(TRIES_US) && TRIES_US[i] < timeout_us; i++) {
		if (spell_at(&world->offline, now_us + TRIES_US[i], true))
			continue;
		*took_us = TRIES_US[i] + ANSWER_US;
		return true;
	}
	*took_us = timeout_us;
	return false;
}

int64_t world_offline_us(const struct world *world, int64_t from_us, int64_t to_us)
{
	int64_t sum = 0;

	for (size_t i = 0; i < world->offline.n; i++) {
		const struct spell *spell = &world->offline.at[i];
		int64_t from = spell->from_us > from_us ? spell->from_us : from_us;
		int64_t to = spell->to_us < to_us ? spell->to_us : to_us;

		sum += to > from ? to - from : 0;
	}
	return sum;
}
