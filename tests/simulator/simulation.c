/* SPDX-License-Identifier: ISC */
/*
 * simulation: a queue of events. Each post has at most one that says when it is due next (an older one is
 * known by its number), and one for the end of the look under way.
 */
#include "simulation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/pass/slots.h"

#define WALL_BEGIN_US (INT64_C(1700000000) * US_PER_S / MINUTE_US * MINUTE_US)
#define WITNESS_TIMEOUT_US SECONDS(5)
#define WITNESS_COUNTS_US SECONDS(3)
#define WITNESS_AGAIN_US SECONDS(10)

enum kind { DUE, LOOKED, WITNESSED, ASK_AGAIN, CLOCK_STEPS };
enum view { SEES, BLIND, BELOW_PARENT, NOT_YET };

struct event {
	int64_t at_us;
	uint64_t order;
	enum kind kind;
	size_t post;
	uint64_t number; /* of DUE: void when the post has a newer one */
	struct seen seen;
	int64_t value;
};

struct post {
	struct judge judge;
	size_t parent;
	int64_t slot_us, step_us; /* wall clock; step 0: none */
	int64_t looked_us;        /* world: when the newest look began that has ended */
	int64_t began_us;
	bool looking, waiting, parked;
	struct result result;     /* the parked one */
	uint64_t number;
	unsigned messages;
	int64_t down_us;          /* world: since when it is down */
};

struct simulation {
	struct world *world;
	struct monitor rules;
	struct post *posts;
	size_t n;
	int64_t now_us, wall_us;  /* wall = now + wall_us */
	struct event *heap;
	size_t heap_n, heap_size;
	uint64_t order;
	/* the minute's pass */
	int64_t minute_us, pass_from_us, busy_until_us;
	/* the witnesses */
	bool asking, online;
	int64_t known_us, blind_since_us, seen_again_us;
	size_t waiting;
	struct counts counts;
};

static int64_t wall(const struct simulation *sim)
{
	return sim->now_us + sim->wall_us;
}

/* ---- the queue */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void push(struct simulation *sim, struct event event)
{
	size_t at = sim->heap_n++;

	if (sim->heap_n > sim->heap_size) {
		sim->heap_size = sim->heap_size ? sim->heap_size * 2 : 256;
		sim->heap = mem_grow(sim->heap, sim->heap_size, sizeof(sim->heap[0]));
	}
	event.order = sim->order++;
	for (; at > 0 && before(&event, &sim->heap[(at - 1) / 2]); at = (at - 1) / 2)
		sim->heap[at] = sim->heap[(at - 1) / 2];
	sim->heap[at] = event;
}

static struct event pop(struct simulation *sim)
{
	struct event top = sim->heap[0], last = sim->heap[--sim->heap_n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < sim->heap_n) {
		child += child + 1 < sim->heap_n && before(&sim->heap[child + 1], &sim->heap[child]);
		if (!before(&sim->heap[child], &last))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	if (sim->heap_n > 0)
		sim->heap[at] = last;
	return top;
}

/* ---- when a post is due */

static void schedule(struct simulation *sim, struct post *post)
{
	int64_t due = post->slot_us;

	if (post->step_us && post->step_us < due)
		due = post->step_us;
	if (post->looking)
		return;
	due -= sim->wall_us;
	push(sim, (struct event){.at_us = due > sim->now_us ? due : sim->now_us, .kind = DUE,
			 .post = (size_t)(post - sim->posts), .number = ++post->number});
}

/* A pass begins with its minute, but not before the last one has let go of what it had in hand. 0: now is fine. */
static int64_t pass_begins(struct simulation *sim)
{
	int64_t minute = slot_before(0, MINUTE_US, wall(sim)) - sim->wall_us;

	if (minute != sim->minute_us) {
		sim->minute_us = minute;
		sim->pass_from_us = minute + SECONDS(0.02);
		if (sim->busy_until_us > sim->pass_from_us)
			sim->pass_from_us = sim->busy_until_us;
	}
	return sim->now_us < sim->pass_from_us ? sim->pass_from_us : 0;
}

/* ---- what is told */

static void note_latency(struct counts *counts, int64_t us)
{
	if (counts->latency_count == counts->latency_size) {
		counts->latency_size = counts->latency_size ? counts->latency_size * 2 : 1024;
		counts->latencies_us = mem_grow(counts->latencies_us, counts->latency_size, sizeof(int64_t));
	}
	counts->latencies_us[counts->latency_count++] = us;
}

/* Compares a message with what happened since the first bad look. */
static void check_truth(struct simulation *sim, struct post *post, int64_t first_bad_us)
{
	struct spells *spells = &sim->world->targets[post - sim->posts];
	bool outage = false, restart = false;

	for (size_t i = 0; i < spells->n && spells->at[i].from_us <= sim->now_us; i++) {
		struct spell *spell = &spells->at[i];

		if (spell->to_us < first_bad_us || spell->reason == BROWN_OUT)
			continue;
		if (spell->reason == RESTART) {
			restart = true;
			continue;
		}
		outage = true;
		if (!spell->told && spell->to_us - spell->from_us >= MINUTES(2))
			note_latency(&sim->counts, sim->now_us - spell->from_us);
		spell->told = true;
	}
	if (!outage && restart)
		sim->counts.restarts_told++;
	else if (!outage)
		sim->counts.false_down++;
}

/* What began while people knew that it is down was no news. */
static void note_known(struct simulation *sim, struct post *post)
{
	struct spells *spells = &sim->world->targets[post - sim->posts];

	for (size_t i = 0; i < spells->n && spells->at[i].from_us <= sim->now_us; i++)
		if (spells->at[i].to_us > post->down_us)
			spells->at[i].told = true;
}

static void tell(struct simulation *sim, struct post *post, const struct verdict *verdict)
{
	static const unsigned kinds[] = {EVENT_DOWN, EVENT_UP, EVENT_FLAPPING, EVENT_UNKNOWN};
	unsigned *sums[] = {&sim->counts.down, &sim->counts.up, &sim->counts.flapping, &sim->counts.unknown};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!(verdict->events & EVENT_BIT(kinds[i])))
			continue;
		(*sums[i])++;
		post->messages++;
		sim->counts.last_told_us = sim->now_us;
	}
	if (verdict->held_because && strcmp(verdict->held_because, "parent") == 0)
		sim->counts.held++;
	if (verdict->changed && verdict->to == STATE_DOWN) {
		post->down_us = verdict->outage_us - sim->wall_us;
		if ((verdict->events | verdict->held) & EVENT_BIT(EVENT_DOWN))
			check_truth(sim, post, post->down_us);
	}
	if (verdict->changed && verdict->from == STATE_DOWN)
		note_known(sim, post);
}

static void apply(struct simulation *sim, struct post *post, const struct verdict *verdict)
{
	if (verdict->open_incident)
		post->judge.incident = 1;
	if (verdict->close_incident)
		post->judge.incident = 0;
	if (verdict->recheck_ms > 0)
		post->step_us = wall(sim) + verdict->recheck_ms * US_PER_MS;
	tell(sim, post, verdict);
}

/* ---- the witnesses */

static void ask_witnesses(struct simulation *sim)
{
	int64_t took;
	bool online;

	if (sim->asking || (sim->known_us && sim->now_us - sim->known_us <= WITNESS_COUNTS_US))
		return;
	sim->asking = true;
	online = world_online(sim->world, sim->now_us, WITNESS_TIMEOUT_US, &took);
	if (sim->now_us + took > sim->busy_until_us)
		sim->busy_until_us = sim->now_us + took;
	push(sim, (struct event){.at_us = sim->now_us + took, .kind = WITNESSED, .value = online});
}

static void witnessed(struct simulation *sim, bool online)
{
	bool was_blind = sim->blind_since_us != 0;

	sim->asking = false;
	sim->online = online;
	sim->known_us = sim->now_us;
	if (!online && !was_blind)
		sim->blind_since_us = sim->now_us;
	if (online && was_blind) {
		sim->blind_since_us = 0;
		sim->seen_again_us = sim->now_us;
		sim->counts.summaries++;
	}
	if (!online)
		push(sim, (struct event){.at_us = sim->now_us + WITNESS_AGAIN_US, .kind = ASK_AGAIN});
}

/* ---- decisions */

static void look_now(struct simulation *sim, struct post *post)
{
	if (post->looking)
		return;
	post->step_us = wall(sim);
	schedule(sim, post);
}

static enum view view_of_parent(struct simulation *sim, struct post *post)
{
	struct post *parent;

	if (post->parent == NO_PARENT || post->parked)
		return SEES;
	parent = &sim->posts[post->parent];
	if (parent->judge.decided == STATE_DOWN)
		return BELOW_PARENT;
	if (parent->judge.state == STATE_SUSPECT || parent->waiting ||
		parent->looked_us + sim->wall_us < post->judge.first_bad_us)
		return NOT_YET;
	return SEES;
}

static enum view view_of(struct simulation *sim, struct post *post)
{
	enum view view = view_of_parent(sim, post);

	if (view != SEES)
		return view;
	ask_witnesses(sim);
	if (sim->asking)
		return NOT_YET;
	return sim->online ? SEES : BLIND;
}

static void wait_for_view(struct simulation *sim, struct post *post)
{
	if (post->waiting)
		return;
	post->waiting = true;
	sim->waiting++;
}

static void weigh(struct simulation *sim, struct post *post, const struct result *result)
{
	struct verdict verdict = judge_result(&post->judge, &sim->rules, result, wall(sim));

	apply(sim, post, &verdict);
	if (verdict.ready)
		wait_for_view(sim, post);
	if (post->judge.tries == 1)
		ask_witnesses(sim);
	if (post->judge.tries == 1 && post->parent != NO_PARENT &&
		view_of_parent(sim, post) == NOT_YET)
		look_now(sim, &sim->posts[post->parent]);
}

static void decide_parked(struct simulation *sim, struct post *post, enum view view)
{
	struct verdict verdict;

	post->parked = false;
	if (view != BLIND && post->began_us >= sim->seen_again_us) {
		weigh(sim, post, &post->result);
		return;
	}
	verdict = judge_blind(&post->judge, wall(sim));
	apply(sim, post, &verdict);
	if (view != BLIND)
		post->step_us = wall(sim);
}

static void decide_ready(struct simulation *sim, struct post *post, enum view view)
{
	struct verdict verdict = judge_decide(&post->judge, &sim->rules, view == BLIND ? VIEW_BLIND : VIEW_CLEAR, wall(sim));
	unsigned held = verdict.events & (EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_FLAPPING));

	if (view == BELOW_PARENT && held) {
		verdict.events &= ~held;
		verdict.held |= held;
		verdict.held_because = "parent";
		judge_untold(&post->judge, held);
	}
	apply(sim, post, &verdict);
}

static void decide_waiting(struct simulation *sim)
{
	for (size_t i = 0; sim->waiting > 0 && i < sim->n; i++) {
		struct post *post = &sim->posts[i];
		enum view view = post->waiting ? view_of(sim, post) : NOT_YET;

		if (view == NOT_YET)
			continue;
		post->waiting = false;
		sim->waiting--;
		if (post->parked)
			decide_parked(sim, post, view);
		else
			decide_ready(sim, post, view);
		schedule(sim, post);
	}
}

/* ---- looking */

static void tend(struct simulation *sim, struct post *post)
{
	struct verdict verdict;
	const struct post *parent = post->parent == NO_PARENT ? NULL : &sim->posts[post->parent];

	if (post->judge.marks & MARK_FLAPPING) {
		verdict = judge_calm(&post->judge, wall(sim));
		apply(sim, post, &verdict);
	}
	if (!parent || post->judge.decided != STATE_DOWN || post->judge.told != TOLD_NOTHING ||
		parent->judge.decided == STATE_DOWN || parent->judge.state == STATE_SUSPECT ||
		wall(sim) - parent->judge.since_us < sim->rules.interval_ms * US_PER_MS)
		return;
	verdict = judge_owed(&post->judge, wall(sim));
	apply(sim, post, &verdict);
}

static void look(struct simulation *sim, struct post *post)
{
	int64_t begins = pass_begins(sim);
	struct seen seen;

	if (begins) {
		push(sim, (struct event){.at_us = begins, .kind = DUE, .post = (size_t)(post - sim->posts),
				 .number = ++post->number});
		return;
	}
	tend(sim, post);
	if (post->slot_us <= wall(sim))
		post->slot_us = slot_after((uint32_t)(post - sim->posts) + 1, sim->rules.interval_ms * US_PER_MS, wall(sim));
	post->looking = true;
	post->began_us = sim->now_us;
	sim->counts.looks++;
	seen = world_look(sim->world, (size_t)(post - sim->posts), sim->now_us);
	if (sim->now_us + seen.took_us > sim->busy_until_us)
		sim->busy_until_us = sim->now_us + seen.took_us;
	push(sim, (struct event){.at_us = sim->now_us + seen.took_us, .kind = LOOKED,
			 .post = (size_t)(post - sim->posts), .seen = seen, .value = wall(sim)});
}

static void looked(struct simulation *sim, struct post *post, const struct event *event)
{
	struct result result = {.timings = TIMINGS_NONE, .at_us = event->value, .outcome = event->seen.outcome,
		.definite = event->seen.definite};

	post->looking = false;
	post->looked_us = post->began_us;
	post->step_us = 0;
	if (result.outcome == OUTCOME_DOWN && sim->blind_since_us) {
		post->result = result;
		post->parked = true;
		wait_for_view(sim, post);
	} else {
		weigh(sim, post, &result);
	}
	schedule(sim, post);
}

/* ---- all of it */

static void clock_steps(struct simulation *sim, int64_t by_us)
{
	sim->wall_us += by_us;
	for (size_t i = 0; i < sim->n; i++) {
		struct post *post = &sim->posts[i];

		post->slot_us = slot_after((uint32_t)i + 1, sim->rules.interval_ms * US_PER_MS, wall(sim));
		if (post->step_us)
			post->step_us += by_us;
		schedule(sim, post);
	}
}

static void handle(struct simulation *sim, const struct event *event)
{
	struct post *post = &sim->posts[event->post];

	switch (event->kind) {
	case DUE:
		if (event->number == post->number && !post->looking)
			look(sim, post);
		break;
	case LOOKED:
		looked(sim, post, event);
		break;
	case WITNESSED:
		witnessed(sim, event->value);
		break;
	case ASK_AGAIN:
		if (sim->blind_since_us)
			ask_witnesses(sim);
		break;
	case CLOCK_STEPS:
		clock_steps(sim, event->value);
		break;
	}
	if (sim->waiting > 0)
		decide_waiting(sim);
}

void simulation_run(struct simulation *sim, int64_t until_us)
{
	while (sim->heap_n > 0 && sim->heap[0].at_us < until_us) {
		struct event event = pop(sim);

		sim->now_us = event.at_us;
		handle(sim, &event);
	}
}

void simulation_step_clock(struct simulation *sim, int64_t at_us, int64_t by_us)
{
	push(sim, (struct event){.at_us = at_us, .kind = CLOCK_STEPS, .value = by_us});
}

void simulation_default_rules(struct monitor *rules)
{
	static const int64_t waits[] = {5000, 5000, 10000, 10000};

	*rules = (struct monitor){.interval_ms = 60000, .timeout_ms = 10000, .confirm = 3, .confirm_wait_count = 4,
		.recover = 2, .recover_wait_ms = 10000};
	memcpy(rules->confirm_waits_ms, waits, sizeof(waits));
}

struct simulation *simulation_new(struct world *world, const struct monitor *rules)
{
	struct simulation *sim = MEM_NEW(struct simulation);

	sim->world = world;
	sim->wall_us = WALL_BEGIN_US;
	sim->minute_us = -1;
	sim->online = true;
	sim->n = world->rules.targets;
	sim->posts = mem_array(sim->n, sizeof(sim->posts[0]));
	if (rules)
		sim->rules = *rules;
	else
		simulation_default_rules(&sim->rules);
	for (size_t i = 0; i < sim->n; i++) {
		sim->posts[i].parent = NO_PARENT;
		sim->posts[i].slot_us = slot_after((uint32_t)i + 1, sim->rules.interval_ms * US_PER_MS, WALL_BEGIN_US);
		schedule(sim, &sim->posts[i]);
	}
	return sim;
}

void simulation_hang_on_first(struct simulation *sim)
{
	for (size_t i = 1; i < sim->n; i++)
		sim->posts[i].parent = 0;
}

void simulation_free(struct simulation *sim)
{
	free(sim->posts);
	free(sim->heap);
	free(sim->counts.latencies_us);
	free(sim);
}

const struct counts *simulation_counts(const struct simulation *sim)
{
	return &sim->counts;
}

unsigned simulation_messages(const struct simulation *sim, size_t target)
{
	return sim->posts[target].messages;
}

enum monitor_state simulation_state(const struct simulation *sim, size_t target)
{
	return sim->posts[target].judge.state;
}
