/* SPDX-License-Identifier: ISC */
/*
 * tend: what a monitor needs beside being looked at. Called before each look, and when a maintenance window
 * begins or ends, or a person asked for something.
 */
#include <stdlib.h>

#include "model/window.h"
#include "prober/pass/pass_private.h"

static void sooner(int64_t *at_us, int64_t other_us)
{
	if (*at_us == 0 || other_us < *at_us)
		*at_us = other_us;
}

/* Is one of these windows active? Also notes when that changes next. */
static bool any_active(struct post *post, char *const *windows, size_t n, const struct zone *zone)
{
	int64_t now_s = pass_now(post->pass) / US_PER_S, next_s;
	bool active = false;

	for (size_t i = 0; i < n; i++) {
		struct window window;
		const char *why;

		if (!window_parse(windows[i], zone, &window, &why))
			continue;
		active = active || window_active(&window, now_s);
		next_s = window_next_change(&window, now_s);
		if (next_s != WINDOW_NEVER)
			sooner(&post->tend_us, next_s * US_PER_S);
	}
	return active;
}

bool tend_window_active(struct post *post)
{
	const struct site *site = pass_site(post->pass);
	const struct zone *zone = calendar_zone(site->timezone ? site->timezone : "UTC");
	const struct monitor *monitor = post->monitor;
	bool own = any_active(post, monitor->maintenance, monitor->maintenance_count, zone);

	return any_active(post, site->maintenance, site->maintenance_count, zone) || own;
}

static void tend_maintenance(struct post *post)
{
	struct judge *judge = &post->judge;
	bool active = tend_window_active(post);
	int64_t now = pass_now(post->pass);
	struct verdict verdict;

	if (judge->maintenance_until_us > now)
		sooner(&post->tend_us, judge->maintenance_until_us);
	verdict = judge_maintenance(judge, judge_maintenance_due(judge, active, now), now);
	decide_apply(post, &verdict);
}

/* Paused by configuration or by a person: it is looked at no more until that changes. */
static bool tend_pause(struct post *post)
{
	bool paused = post->monitor->paused || post->judge.paused_by_hand;
	struct verdict verdict = judge_pause(&post->judge, paused, pass_now(post->pass));

	if (verdict.changed || verdict.dirty)
		decide_apply(post, &verdict);
	if (paused) {
		post->slot_us = INT64_MAX;
		post->step_us = 0;
		post->ladder = false;
	} else if (post->slot_us == INT64_MAX) {
		post->slot_us = 0;
	}
	return paused;
}

static void tend_flapping(struct post *post)
{
	struct verdict verdict;

	if (!(post->judge.marks & MARK_FLAPPING))
		return;
	verdict = judge_calm(&post->judge, pass_now(post->pass));
	decide_apply(post, &verdict);
}

/* Down, and nobody was told because of its parent: told when the parent has been well for as long as this one
   needs to be looked at anew. */
static void tend_owed(struct post *post)
{
	int64_t now = pass_now(post->pass);
	struct verdict verdict;

	if (post->judge.decided != STATE_DOWN || post->judge.told != TOLD_NOTHING ||
		post->monitor->depends_count == 0 ||
		(post->judge.marks & (MARK_MAINTENANCE | MARK_FLAPPING)) || views_parent_down(post))
		return;
	for (size_t i = 0; i < post->parent_count; i++)
		if (now - post->parents[i]->row.since_us < post_interval(post) ||
			post->row.checked_us < post->parents[i]->row.since_us)
			return;
	verdict = judge_owed(&post->judge, now);
	decide_apply(post, &verdict);
}

bool tend(struct post *post)
{
	post->tend_us = 0;
	if (tend_pause(post))
		return false;
	tend_maintenance(post);
	tend_flapping(post);
	tend_owed(post);
	return true;
}
