/* SPDX-License-Identifier: ISC */
/*
 * look: starting what is due, within what one machine can do at a time, and taking what it showed.
 *
 * At most ACTIVE_MAX looks are busy (an event within the last 20 ms): more of them only wait for our
 * processor and make the times that we report longer than they are. Those that wait for an answer cost a
 * descriptor and nothing else: up to open_max of them.
 *
 * Slots: a look that begins at or after a monitor's next slot answers the newest slot that has come. Slots
 * between, which nobody answered, are stored as unknown, so every slot has exactly one result.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"
#include "prober/check/heartbeat.h"

#define MISSED_MAX 120 /* of one monitor at a time: beyond, the gap itself says that nobody looked */

/* ---- slots */

/* The next slot as its record tells it; 0: at once, and nothing was missed before. */
static int64_t slot_from_row(const struct post *post)
{
	const struct row *row = &post->row;

	if (!row->next_due_us || row->next_due_us == INT64_MAX || !row->checked_us ||
		row->checked_us > pass_now(post->pass) || post->pass->stepped)
		return 0; /* new, paused until now, or the clock was stepped */
	return slot_after(post->id, post_interval(post), row->checked_us);
}

/* Its slots before the one that is answered now become unknown. When cron is coarser than the interval nobody
   could have answered those between passes: then it is the passes that did not come which count. */
static void keep_missed(struct post *post, int64_t now_us)
{
	int64_t rhythm = post_rhythm(post), slot = post->slot_us, until = slot_before(post->id, rhythm, now_us);

	if (rhythm != post_interval(post)) {
		slot = post->row.checked_us + rhythm;
		until = now_us - rhythm / 2;
	}
	for (unsigned n = 0; slot < until && n < MISSED_MAX; n++, slot += rhythm)
		keep_unknown(post, slot);
}

/* Which slot does a look that begins now answer? Those before it were missed. */
static void take_slot(struct post *post, int64_t now_us)
{
	int64_t interval = post_interval(post), newest = slot_before(post->id, interval, now_us);

	post->answering_us = 0;
	if (post->slot_us > now_us)
		return;
	if (post->slot_us)
		keep_missed(post, now_us);
	post->answering_us = newest;
	post->slot_us = slot_after(post->id, interval, now_us);
}

/* ---- what a look showed */

/* When a fresh one is fresh no more; INT64_MAX: never. */
static int64_t fresh_until(const struct beat_age *age)
{
	bool run_ends_first = age->run_deadline_us && age->run_deadline_us < age->deadline_us;

	return run_ends_first ? age->run_deadline_us : age->deadline_us;
}

static void heartbeat_deadline(struct post *post)
{
	struct pass *pass = post->pass;
	struct beat_age age;
	struct moment now;
	int exit_status;

	clock_now(&now);
	if (pass->world.inbox &&
		heartbeat_look(pass->world.inbox, post->monitor, pass->info.grace_from_us, &now, &age,
			&exit_status, NULL) &&
		age.freshness == FRESH && fresh_until(&age) < INT64_MAX)
		post->step_us = fresh_until(&age) + US_PER_MS;
}

static void look_ended(struct post *post, struct result *result)
{
	post->step_us = 0;
	post->ladder = false;
	result->slot_us = post->answering_us;
	if (post->monitor->heartbeat && result->outcome == OUTCOME_UP)
		heartbeat_deadline(post);
	decide_result(post, result);
	post_schedule(post);
}

static void look_done(struct check *check, void *arg)
{
	struct post *post = arg;

	post->check = NULL;
	post->pass->open--;
	post->pass->info.checked++;
	look_ended(post, &check->result);
	pass_wake(post->pass);
}

/* The look could not even begin. */
static void look_impossible(struct post *post, const struct error *err)
{
	struct result result = {.timings = TIMINGS_NONE, .at_us = pass_now(post->pass)};

	log_limited("look", "%s cannot be looked at: %s", post->monitor->slug, err->text);
	result_cause(&result, "%s", err->text);
	look_ended(post, &result);
	result_clear(&result);
}

/* ---- beginning */

static const cJSON *secrets_of(struct post *post)
{
	if (post->monitor->heartbeat)
		return NULL;
	return cJSON_GetObjectItemCaseSensitive(pass_privates(post->pass, "monitors"), post->monitor->slug);
}

static bool look_is_due(const struct post *post, int64_t now_us)
{
	return post->slot_us <= now_us || (post->step_us && post->step_us <= now_us);
}

/* Looks, tends, or both. */
static void post_serve(struct post *post, struct state_txn *txn)
{
	struct pass *pass = post->pass;
	struct error err = {0};

	if (!post_read(post, txn, &err)) {
		log_warn("monitor %u: %s", post->id, err.text);
		return;
	}
	if (!post->started)
		post->slot_us = slot_from_row(post);
	if (!post->started && post->ladder)
		post->step_us = post->row.next_due_us;
	if (!post->started && post->judge.tries > 0)
		evidence_load(post, txn);
	post->started = true;
	if (!tend(post) || !look_is_due(post, pass_now(pass))) {
		post_schedule(post);
		return;
	}
	take_slot(post, pass_now(pass));
	/* That we were away excuses who was not heard meanwhile; of who was down before it is no sign of life. */
	pass->world.grace_from_us = post->judge.known == STATE_DOWN ? 0 : pass->info.grace_from_us;
	post->check =
		check_start(pass->loop, &pass->world, post->monitor, secrets_of(post), look_done, post, &err);
	if (post->check)
		pass->open++;
	else
		look_impossible(post, &err);
}

static int64_t limit_of(const cJSON *limits, const char *name, int64_t otherwise)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(limits, name);

	return cJSON_IsNumber(value) && value->valuedouble >= 1 ? (int64_t)value->valuedouble : otherwise;
}

/* The configuration may ask for less, or more, than our own figures; descriptors bound it in any case. */
static void read_limits(struct pass *pass)
{
	const cJSON *limits = cJSON_GetObjectItemCaseSensitive(pass_privates(pass, "top"), "limits");
	size_t open = (size_t)limit_of(limits, "open", OPEN_MAX);

	pass->active_max = (size_t)limit_of(limits, "active", ACTIVE_MAX);
	if (open < pass->open_max)
		pass->open_max = open;
	pass->limits_known = true;
}

/* How many may be started now. */
static size_t room(const struct pass *pass)
{
	size_t active = loop_active(pass->loop), open = pass->open;

	if (active >= pass->active_max || open >= pass->open_max)
		return 0;
	active = pass->active_max - active;
	open = pass->open_max - open;
	return active < open ? active : open;
}

void looks_start(struct pass *pass)
{
	struct state_txn *txn;
	size_t n;

	posts_ripen(pass);
	if (pass->over || !posts_ready(pass))
		return;
	if (!pass->limits_known)
		read_limits(pass);
	n = room(pass);
	if (n == 0)
		return;
	txn = state_begin(pass->state, false, NULL);
	for (; txn && n > 0 && posts_ready(pass); n--)
		post_serve(posts_take(pass), txn);
	state_end(txn);
}
