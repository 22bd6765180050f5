/* SPDX-License-Identifier: ISC */
/*
 * beat: admitting, applying and ageing of heartbeats.
 *
 * A run is the time between a start and what finished it. As healthchecks.io does it: when both carry the
 * same run id (or none) they belong together and the run's length is known; a failure, or a success
 * without id, ends whatever run there is; a success of another run leaves it running.
 */
#include "model/beat.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const KIND_NAMES[BEAT__COUNT] = {
	[BEAT_SUCCESS] = "success",
	[BEAT_START] = "start",
	[BEAT_FAIL] = "fail",
	[BEAT_LOG] = "log",
};

const char *beat_kind_name(enum beat_kind kind)
{
	return (unsigned)kind < BEAT__COUNT ? KIND_NAMES[kind] : "log";
}

void beat_last_clear(struct beat_last *last)
{
	free(last->msg);
	free(last->rid);
	*last = (struct beat_last)BEAT_LAST_INIT;
}

static bool is_set(const struct moment *moment)
{
	return moment->wall_us != 0;
}

/* ---- admitting */

static bool within_window(int64_t time_us, int64_t now_us, int64_t window_ms)
{
	int64_t distance;

	/* A client may send any number: what does not even fit is far away. */
	if (__builtin_sub_overflow(time_us, now_us, &distance))
		return false;
	return distance <= window_ms * US_PER_MS && distance >= -window_ms * US_PER_MS;
}

enum beat_verdict beat_admit(const struct heartbeat_rules *rules, const struct beat_last *last,
	const struct beat *beat, const struct moment *now)
{
	if (!beat->has_time)
		return BEAT_OK;
	if (!within_window(beat->time_us, now->wall_us, rules->window_ms))
		return BEAT_OUTSIDE_WINDOW;
	/* What lies beyond the window was admitted by a clock of ours that was stepped back since. To go by it
	   would refuse every beat until then. */
	if (last && beat->time_us <= last->last_time_us &&
		within_window(last->last_time_us, now->wall_us, rules->window_ms))
		return BEAT_NOT_NEWER;
	return BEAT_OK;
}

/* ---- applying */

/* Microseconds from one moment to a later one, on the clock that can be trusted for it. */
static int64_t moment_between(const struct moment *from, const struct moment *to)
{
	if (from->boot_id != 0 && from->boot_id == to->boot_id)
		return to->boot_us - from->boot_us;
	return to->wall_us - from->wall_us;
}

static char *copy_cut(const char *s, size_t max)
{
	return mem_strn(s, text_utf8_fit(s, strlen(s), max));
}

static bool same_run(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void run_start(struct beat_last *last, const struct beat *beat, const struct moment *now)
{
	last->started = *now;
	free(last->rid);
	last->rid = beat->rid ? copy_cut(beat->rid, BEAT_RID_MAX) : NULL;
}

static void run_finish(struct beat_last *last, const struct beat *beat, const struct moment *now)
{
	char *rid = beat->rid ? copy_cut(beat->rid, BEAT_RID_MAX) : NULL;
	bool ours = is_set(&last->started) && same_run(last->rid, rid);
	int64_t measured = ours ? moment_between(&last->started, now) : -1;

	last->exit_status = beat->exit_status;
	last->run_us = beat->length_us >= 0 ? beat->length_us : measured >= 0 ? measured : -1;
	if (ours || beat->kind == BEAT_FAIL || !rid) {
		last->started = (struct moment){0};
		free(last->rid);
		last->rid = NULL;
	}
	free(rid);
}

void beat_apply(struct beat_last *last, const struct beat *beat, const struct moment *now)
{
	switch (beat->kind) {
	case BEAT_SUCCESS:
		last->success = *now;
		last->failed = (struct moment){0};
		run_finish(last, beat, now);
		break;
	case BEAT_FAIL:
		last->failed = *now;
		run_finish(last, beat, now);
		break;
	case BEAT_START:
		run_start(last, beat, now);
		break;
	case BEAT_LOG:
	default:
		break;
	}
	if (beat->has_time)
		last->last_time_us = beat->time_us;
	last->count++;
	last->any = *now;
	last->kind = beat->kind;
	if (beat->msg) {
		free(last->msg);
		last->msg = copy_cut(beat->msg, BEAT_MSG_MAX);
	}
}

/* ---- ageing */

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The scheduled time that the beat after one at from_us (wall clock, us) is awaited at; in us, or
   INT64_MAX when the expression names no time within years. A schedule that cannot be read (the
   configuration was checked before it was published) is due at once: loud rather than silent. */
static int64_t schedule_next(const struct heartbeat_rules *rules, int64_t from_us)
{
	const struct zone *zone = calendar_zone(rules->timezone ? rules->timezone : "UTC");
	int64_t from_s = from_us / US_PER_S, next_s;
	const char *why;
	struct cron cron;

	if (!calendar_parse_cron(rules->schedule, &cron, &why))
		return from_us;
	if (!zone)
		zone = calendar_zone("UTC");
	next_s = calendar_cron_next(&cron, zone, from_s);
	if (next_s >= 0 && next_s - from_s <= SCHEDULE_EARLY_S)
		next_s = calendar_cron_next(&cron, zone, next_s);
	return next_s < 0 ? INT64_MAX : next_s * US_PER_S;
}

/* How long after when it was due, or after our own outage, we wait. */
static int64_t patience_us(const struct heartbeat_rules *rules)
{
	return (rules->schedule ? rules->grace_ms : rules->max_age_ms) * US_PER_MS;
}

/* Wall clock of the deadline after a success at success_us (wall clock). */
static int64_t deadline_after(const struct heartbeat_rules *rules, int64_t success_us, int64_t grace_from_us)
{
	int64_t from_us = rules->schedule ? schedule_next(rules, success_us) : success_us;

	if (from_us == INT64_MAX)
		return INT64_MAX;
	return later_of(from_us, grace_from_us) + patience_us(rules);
}

/* Fills in until when the run that goes on may take; true when it has taken longer. */
static bool run_overdue(const struct heartbeat_rules *rules, const struct beat_last *last,
	const struct moment *now, int64_t grace_from_us, struct beat_age *age)
{
	int64_t running, may_us = rules->grace_ms > 0 ? rules->grace_ms * US_PER_MS : patience_us(rules);

	if (!is_set(&last->started))
		return false;
	running = moment_between(&last->started, now);
	age->run_deadline_us = later_of(now->wall_us - running, grace_from_us) + may_us;
	if (running < 0 && grace_from_us) /* as in success_late() */
		age->run_deadline_us = grace_from_us + may_us;
	else if (running < 0)
		return true;
	return now->wall_us > age->run_deadline_us;
}

/* Fills age, max_age and deadline from the newest success; true when it is too old. */
static bool success_late(const struct heartbeat_rules *rules, const struct moment *success,
	const struct moment *now, int64_t grace_from_us, struct beat_age *age)
{
	/* The success in terms of today's wall clock, so that a stepped clock moves both alike. */
	int64_t success_us;

	age->age_us = moment_between(success, now);
	success_us = now->wall_us - age->age_us;
	age->deadline_us = deadline_after(rules, success_us, grace_from_us);
	age->max_age_us = rules->schedule ? age->deadline_us - success_us : rules->max_age_ms * US_PER_MS;
	if (age->age_us < 0) {
		age->age_us = 0;
		if (!grace_from_us)
			return true;
		/* Our clock was set back while we were away: nobody knows how old it is. */
		age->deadline_us = deadline_after(rules, grace_from_us, grace_from_us);
	}
	return now->wall_us > age->deadline_us;
}

struct beat_age beat_age(const struct heartbeat_rules *rules, const struct beat_last *last,
	const struct moment *now, int64_t grace_from_us)
{
	struct beat_age age = {.freshness = FRESH_NEVER, .age_us = -1, .max_age_us = patience_us(rules)};
	bool late = true;

	if (grace_from_us > now->wall_us)
		grace_from_us = 0; /* our clock was stepped back: it would excuse everybody until then */
	if (is_set(&last->success)) {
		late = success_late(rules, &last->success, now, grace_from_us, &age);
		age.freshness = late ? FRESH_LATE : FRESH;
	}
	if (run_overdue(rules, last, now, grace_from_us, &age))
		age.freshness = FRESH_UNFINISHED;
	if (is_set(&last->failed))
		age.freshness = FRESH_FAILED;
	age.answers_200 = !late && !is_set(&last->failed);
	return age;
}
