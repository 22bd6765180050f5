/* SPDX-License-Identifier: ISC */
/*
 * decide: from what a look showed to what is told.
 *
 * The judge weighs each result. When the evidence suffices it wants to know how we see: that takes time, so
 * the post joins those that wait, and decide_waiting() is called whenever an answer may have come. A look
 * that was impossible and would be decided on ("unknown") waits in the same way: when it is us who are
 * offline, that is no news of the monitor.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/pass/pass_private.h"

/* ---- verdicts */

void decide_apply(struct post *post, const struct verdict *verdict)
{
	if (verdict->dirty)
		keep_judge(post);
	if (verdict->recheck_ms > 0) {
		post->step_us = pass_now(post->pass) + verdict->recheck_ms * US_PER_MS;
		post->ladder = true;
	}
	if (verdict->changed || verdict->events || verdict->held || verdict->open_incident ||
		verdict->close_incident) {
		struct verdict shared = *verdict;

		peers_decided(post, &shared);
		keep_tell(post, &shared);
	}
	if (verdict->changed && verdict->to == STATE_PAUSED)
		keep_paused(post);
}

static void wait_for_view(struct post *post)
{
	if (post->waiting)
		return;
	post->waiting = true;
	post->next_waiting = post->pass->waiting;
	post->pass->waiting = post;
	views_ask(post);
}

/* ---- results */

/* A heartbeat is armed by its first beat, a peer by its first message; before it there is nothing to judge. */
static bool is_unarmed(const struct post *post)
{
	return (post->monitor->heartbeat || peers_is_one(post)) && post->judge.decided == STATE_PENDING;
}

/* Would the judge, now that one more look was impossible, tell people of it? */
static bool would_tell_unknown(const struct post *post)
{
	const struct judge *judge = &post->judge;

	return judge->unseen + 1 >= post->monitor->confirm &&
	       (judge->decided != STATE_UNKNOWN || judge->incident == 0);
}

/* Evidence is kept from the first bad look on, and let go when it came to nothing. While an incident lasts
   what is looked at to decide is added too, and of the rest only what is new: the samples have it. */
static void keep_evidence(struct post *post, const struct result *result, bool news)
{
	const struct judge *judge = &post->judge;

	if (judge->incident ? news || judge->tries > 0 : judge->tries > 0 || judge->decided == STATE_DOWN || judge->unseen > 0)
		keep_attempt(post, result);
	else if (!judge->incident && judge->tries == 0 && judge->decided == STATE_UP)
		keep_forget_attempts(post);
}

static void weigh(struct post *post, const struct result *result)
{
	bool news = result->outcome == OUTCOME_UP || strcmp(post->judge.cause, result->cause) != 0;
	struct verdict verdict = judge_result(&post->judge, post->monitor, result, pass_now(post->pass));

	keep_evidence(post, result, news);
	decide_apply(post, &verdict);
	if (verdict.ready)
		wait_for_view(post);
	else if (post->judge.tries == 1)
		views_suspect(post);
}

/* We are the reason why it could not be looked at. */
static void be_blind(struct post *post)
{
	struct verdict verdict = judge_blind(&post->judge, pass_now(post->pass));

	decide_apply(post, &verdict);
}

/* Takes the result's evidence along. */
static void park(struct post *post, struct result *result)
{
	post->parked = mem_dup(result, sizeof(*result));
	result->headers = result->body = NULL;
	wait_for_view(post);
}

/* The one thing that can hide heartbeats and peers is our own web side, or its book. */
static void weigh_unknown(struct post *post, const struct result *result)
{
	if (is_unarmed(post))
		return;
	if (post->monitor->heartbeat || peers_is_one(post))
		be_blind(post);
	else
		weigh(post, result);
}

static void weigh_certificate(struct post *post, const struct result *result)
{
	cJSON *list = check_option(post->monitor, "cert_days");
	const cJSON *item;
	int days[16];
	size_t n = 0;
	struct verdict verdict;

	cJSON_ArrayForEach(item, list) if (cJSON_IsNumber(item) && n < COUNT_OF(days)) days[n++] =
		item->valueint;
	cJSON_Delete(list);
	verdict =
		judge_certificate(&post->judge, result->certificate_expires_s, days, n, pass_now(post->pass));
	decide_apply(post, &verdict);
}

static void take(struct post *post, struct result *result)
{
	bool ignored = result->lagged && result->outcome == OUTCOME_DOWN;

	if (result->outcome == OUTCOME_UNKNOWN)
		weigh_unknown(post, result);
	else
		weigh(post, result);
	if (result->certificate_expires_s > 0 && result->outcome == OUTCOME_UP)
		weigh_certificate(post, result);
	keep_sample(post, result, ignored ? OUTCOME_UNKNOWN : result->outcome);
}

void decide_result(struct post *post, struct result *result)
{
	bool impossible, blind;

	peers_saw(post, result);
	places_weigh(post, result);
	impossible = result->outcome == OUTCOME_UNKNOWN && !post->monitor->heartbeat && !peers_is_one(post) &&
		     would_tell_unknown(post);
	blind = result->outcome == OUTCOME_DOWN && post->pass->info.blind_since_us;
	post->pass->info.failed += result->outcome == OUTCOME_DOWN;
	if (impossible || blind)
		park(post, result);
	else
		take(post, result);
}

/* ---- those that wait */

/* What its parents explain is not told of it now; judge_owed() tells it when they no longer do. */
static void hold_for_parent(struct post *post, struct verdict *verdict)
{
	const unsigned alerts = EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_FLAPPING);
	unsigned held = verdict->events & alerts;

	if (!held)
		return;
	verdict->events &= ~held;
	verdict->held |= held;
	verdict->held_because = "parent";
	judge_untold(&post->judge, held);
	verdict->dirty = true;
}

/* A look from when we did not see is no evidence. */
static void void_look(struct post *post, const struct result *result)
{
	/* What was never decided goes up its ladder all the same: at its end stands that it is unknown. */
	if (post->judge.decided == STATE_PENDING && result->outcome == OUTCOME_DOWN)
		weigh(post, result);
	else
		be_blind(post);
	keep_sample(post, result, OUTCOME_UNKNOWN);
}

static void decide_parked(struct post *post, enum view view)
{
	struct result *result = post->parked;
	bool sees = view == VIEW_IS_CLEAR || view == VIEW_PARENT_DOWN;

	post->parked = NULL;
	if (sees && result->at_us >= post->pass->seen_again_us) {
		take(post, result);
	} else {
		void_look(post, result);
		if (sees) { /* by now: so it is looked at anew */
			post->step_us = pass_now(post->pass);
			post->ladder = true;
		}
	}
	result_clear(result);
	free(result);
}

static void decide_ready(struct post *post, enum view view)
{
	static const enum judge_view views[] = {
		[VIEW_IS_CLEAR] = VIEW_CLEAR,
		[VIEW_PARENT_DOWN] = VIEW_CLEAR,
		[VIEW_IS_BLIND] = VIEW_BLIND,
		[VIEW_IS_MASS] = VIEW_HELD,
		[VIEW_IS_OUTVOTED] = VIEW_OUTVOTED,
	};
	struct verdict verdict = judge_decide(&post->judge, post->monitor, views[view], pass_now(post->pass));

	if (view == VIEW_PARENT_DOWN)
		hold_for_parent(post, &verdict);
	decide_apply(post, &verdict);
}

void decide_waiting(struct pass *pass)
{
	struct post *post = pass->waiting, *next;

	pass->waiting = NULL;
	for (; post; post = next) {
		enum view view = views_of(post);

		next = post->next_waiting;
		if (view == VIEW_PENDING) {
			post->next_waiting = pass->waiting;
			pass->waiting = post;
			continue;
		}
		post->waiting = false;
		if (post->parked)
			decide_parked(post, view);
		else
			decide_ready(post, view);
		post_schedule(post);
	}
}

void decide_forget(struct pass *pass)
{
	while (pass->waiting) {
		struct post *post = pass->waiting;

		pass->waiting = post->next_waiting;
		post->waiting = false;
		if (post->parked) {
			be_blind(post);
			keep_sample(post, post->parked, OUTCOME_UNKNOWN);
			result_clear(post->parked);
			free(post->parked);
			post->parked = NULL;
		}
		/* The next pass looks at once, and then decides. */
		post->step_us = pass_now(pass);
		post->ladder = true;
		post_schedule(post);
		keep_row(post);
	}
}
