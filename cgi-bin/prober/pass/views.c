/* SPDX-License-Identifier: ISC */
/*
 * views: parents first, then ourselves, then the crowd.
 *
 * A parent that is down explains its children. One that has not been looked at since the child failed is
 * looked at now, and one that is suspect is waited for. Only then are the witnesses asked. Where there are
 * none, ten or more unrelated monitors that fail together, and more than half of all, are held back for two
 * passes: that is more likely our own network than theirs.
 */
#include "prober/pass/views.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define MASS_LEAST 10
#define MASS_PASSES 2
#define MASS_OVER_PASSES 5 /* after so many, a crowd that fails is another one */
#define JUST_DOWN_US (2 * MINUTE_US)

/* ---- parents */

/* The post of a slug; NULL when there is no such monitor. */
static struct post *post_by_slug(struct pass *pass, const char *slug)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	struct monitor monitor = {0};
	struct post *post = NULL;

	if (txn && state_monitor_by_slug(txn, slug, &monitor, NULL))
		post = post_in(pass, monitor.id, txn);
	state_end(txn);
	monitor_clear(&monitor);
	return post;
}

static void find_parents(struct post *post)
{
	if (post->parents)
		return;
	post->parents = mem_array(post->monitor->depends_count + 1, sizeof(post->parents[0]));
	for (size_t i = 0; i < post->monitor->depends_count; i++) {
		struct post *parent = post_by_slug(post->pass, post->monitor->depends_on[i]);

		if (parent && parent != post)
			post->parents[post->parent_count++] = parent;
	}
}

bool views_parent_down(struct post *post)
{
	find_parents(post);
	for (size_t i = 0; i < post->parent_count; i++)
		if (post->parents[i]->row.decided == STATE_DOWN ||
			post->parents[i]->row.state == STATE_SUSPECT)
			return true;
	return false;
}

/* Looked at since the child began to fail? */
static bool is_fresh(const struct post *parent, const struct post *child)
{
	return parent->row.checked_us >= child->judge.first_bad_us;
}

static bool is_askable(const struct post *parent)
{
	return parent->row.state != STATE_PAUSED && !(parent->row.flags & ROW_HEARTBEAT);
}

static void ask_parents(struct post *post)
{
	find_parents(post);
	for (size_t i = 0; i < post->parent_count; i++)
		if (is_askable(post->parents[i]) && !is_fresh(post->parents[i], post))
			post_now(post->parents[i]);
}

void views_suspect(struct post *post)
{
	if (post->monitor->depends_count > 0)
		ask_parents(post);
	witness_ask(post->pass);
}

static enum view view_of_parents(struct post *post)
{
	enum view view = VIEW_IS_CLEAR;

	find_parents(post);
	for (size_t i = 0; i < post->parent_count; i++) {
		const struct post *parent = post->parents[i];

		if (parent->row.decided == STATE_DOWN)
			return VIEW_PARENT_DOWN;
		if (parent->row.state == STATE_SUSPECT || parent->waiting ||
			(is_askable(parent) && !is_fresh(parent, post)))
			view = VIEW_PENDING;
	}
	return view;
}

/* ---- the crowd */

static bool is_mass(const struct pass *pass, size_t n)
{
	return n >= MASS_LEAST && n * 2 > pass->configured;
}

/* On its way down, or just called so: those that are quick to fail belong to the crowd, too. */
static bool is_failing(const struct post *post, int64_t now_us)
{
	if (post->row.decided == STATE_DOWN)
		return post->row.since_us > now_us - JUST_DOWN_US;
	return post->row.state == STATE_SUSPECT;
}

/* How many of the monitors that we look at are failing now and were not down before? */
static size_t count_failing(struct pass *pass)
{
	int64_t now = clock_mono_us();
	size_t n = 0;

	/* Of thousands that fail it need not be known to a millisecond how many they are. */
	if (pass->failing_as_of == pass->info.checked + 1 ||
		(now - pass->failing_us < 100 * US_PER_MS && is_mass(pass, pass->failing)))
		return pass->failing;
	for (size_t id = 1; id < pass->post_count; id++) {
		struct post *post = pass->posts[id];

		if (post && !(post->row.flags & ROW_HEARTBEAT) && is_failing(post, pass_now(pass)) &&
			!(post->monitor && views_parent_down(post)))
			n++;
	}
	pass->failing_us = now;
	pass->failing_as_of = pass->info.checked + 1;
	pass->failing = n;
	return n;
}

/* How many are being looked at, or about to be, and have shown nothing since this one began to fail? */
static size_t count_open(struct pass *pass, int64_t since_us)
{
	size_t n = 0;

	if (pass->opened_as_of == pass->info.checked + 1)
		return pass->opened;
	for (size_t id = 1; id < pass->post_count; id++) {
		const struct post *post = pass->posts[id];

		n += post && (post->check || post->place == PLACE_READY) && !(post->row.flags & ROW_HEARTBEAT) &&
			post->row.checked_us < since_us && !is_failing(post, pass_now(pass));
	}
	pass->opened_as_of = pass->info.checked + 1;
	pass->opened = n;
	return n;
}

static void mass_remember(struct pass *pass, uint64_t since_pass)
{
	struct text value = TEXT_INIT;

	pass->mass_since = since_pass;
	text_printf(&value, "%llu", (unsigned long long)since_pass);
	keep_note(pass, "mass", text_str(&value));
	text_free(&value);
}

/* In which pass did they begin to fail together? 0: not at all so far. */
static uint64_t mass_since(struct pass *pass)
{
	struct state_txn *txn;
	char *value = NULL;

	if (!pass->mass_known) {
		txn = state_begin(pass->state, false, NULL);
		if (!txn || !state_note_get(txn, "mass", &value, NULL) ||
			!text_to_u64(value, &pass->mass_since))
			pass->mass_since = 0;
		state_end(txn);
		free(value);
		pass->mass_known = true;
	}
	return pass->mass_since;
}

static enum view view_of_crowd(const struct post *post)
{
	struct pass *pass = post->pass;
	size_t failing = count_failing(pass);
	uint64_t since = mass_since(pass), now = pass->info.passes + 1;

	/* A quick ladder must not outrun the others' first looks. */
	if (!is_mass(pass, failing) && !pass->over && is_mass(pass, failing + pass->open) &&
		is_mass(pass, failing + count_open(pass, post->judge.first_bad_us)))
		return VIEW_PENDING;
	if (!is_mass(pass, failing)) {
		if (since != 0 && failing < MASS_LEAST)
			mass_remember(pass, 0);
		return VIEW_IS_CLEAR;
	}
	if (since == 0 || since > now || now - since >= MASS_OVER_PASSES) {
		log_warn("%zu of %zu monitors fail together: waiting to see whether it is us", failing,
			pass->configured);
		since = now;
		mass_remember(pass, now);
	}
	return now - since < MASS_PASSES ? VIEW_IS_MASS : VIEW_IS_CLEAR;
}

/* ---- the calls */

void views_ask(struct post *post)
{
	if (!post->parked)
		ask_parents(post);
}

/* By our web side: while that fails nothing can be. */
static bool is_heard(const struct post *post)
{
	return post->monitor->heartbeat || peers_is_one(post);
}

/* A look that could not be made: by what this machine lacks, or has it lost its network a moment ago? What was
   unknown already has waited; what was never looked at has nothing to lose. */
static bool is_all_that_is_impossible(struct post *post)
{
	const struct judge *judge = &post->judge;
	int64_t since_us = judge->decided == STATE_UNKNOWN ? judge->since_us : judge->first_bad_us;

	if (!post->parked || post->parked->outcome != OUTCOME_UNKNOWN || judge->decided == STATE_PENDING)
		return false;
	if (judge->decided != STATE_UNKNOWN && judge->unseen == 0)
		since_us = post->parked->at_us;
	return peers_none_since(post->pass, since_us);
}

static enum view view_of_us(struct post *post)
{
	struct pass *pass = post->pass;
	enum view view = post->parked ? VIEW_IS_CLEAR : view_of_parents(post);

	if (view != VIEW_IS_CLEAR)
		return view;
	if (is_heard(post) && selfcheck_busy(pass))
		return VIEW_PENDING;
	if (is_heard(post) && pass->world.web_failing)
		return VIEW_IS_BLIND;
	witness_ask(pass);
	switch (witness_sight(pass)) {
	case SIGHT_CLEAR:
		return VIEW_IS_CLEAR;
	case SIGHT_BLIND:
		return VIEW_IS_BLIND;
	case SIGHT_NO_WITNESS:
		return peers_all_gone(pass) || is_all_that_is_impossible(post) ? VIEW_IS_BLIND : view_of_crowd(post);
	case SIGHT_NOT_KNOWN:
	default:
		return VIEW_PENDING;
	}
}

enum view views_of(struct post *post)
{
	enum view view = view_of_us(post);

	return view == VIEW_IS_CLEAR && !post->parked && !places_agree(post) ? VIEW_IS_OUTVOTED : view;
}
