/* SPDX-License-Identifier: ISC */
/*
 * places: what others saw of our monitors, and what that changes.
 *
 * Their reports wait in the inbox's queue. Each is given to the monitors whose `sources` name it:
 * it is kept beside the monitor (a note of the state, "places/ID"), it is evidence of an incident,
 * and the monitor is looked at at once. It counts where model/quorum says so: a monitor that we
 * find up is treated as failing while enough others find it down, and one that we find down stays
 * suspect while others just found it up; peers (peers.c) count with them, and when most of all see
 * it up again it is. A heartbeat is a statement that we have or do not have: nobody outvotes it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/quorum.h"
#include "prober/pass/pass_private.h"

/* ---- what is kept beside a monitor */

static char *note_name(const struct post *post)
{
	struct text name = TEXT_INIT;

	sightings_note(&name, post->id);
	return text_take(&name);
}

static void load_note(struct pass *pass, const char *name, struct sighting **list, size_t *n)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	char *note = NULL;

	if (txn && state_note_get(txn, name, &note, NULL))
		sightings_decode(note, strlen(note), list, n, NULL);
	state_end(txn);
	free(note);
}

static void load(struct post *post)
{
	char *name;

	if (post->sightings_known)
		return;
	post->sightings_known = true;
	name = note_name(post);
	load_note(post->pass, name, &post->sightings, &post->sighting_count);
	free(name);
}

static void store(struct post *post)
{
	struct text value = TEXT_INIT;
	char *name = note_name(post);

	sightings_encode(&value, post->sightings, post->sighting_count);
	keep_note(post->pass, name, text_str(&value));
	text_free(&value);
	free(name);
}

/* ---- hearing */

void places_collect(struct pass *pass, const struct inbox_entry *entry)
{
	struct sighting sighting;
	struct error err = {0};

	if (!sighting_decode(entry->payload, entry->payload_len, &sighting, &err)) {
		log_warn("a report of %s cannot be read: %s", entry->sender, err.text);
		return;
	}
	sighting.heard_us = entry->at_us;
	pass->heard = mem_grow(pass->heard, pass->heard_count + 1, sizeof(pass->heard[0]));
	pass->heard[pass->heard_count++] = sighting;
}

/* Whom each report is for: pairs of a report's index and a monitor. */
struct letter {
	size_t report;
	uint32_t monitor;
};
struct mailing {
	const struct pass *pass;
	struct letter *at;
	size_t n;
};

static bool address_monitor(void *arg, const struct monitor *monitor)
{
	struct mailing *list = arg;

	for (size_t i = 0; i < list->pass->heard_count; i++) {
		if (!sighting_is_of(&list->pass->heard[i], monitor))
			continue;
		list->at = mem_grow(list->at, list->n + 1, sizeof(list->at[0]));
		list->at[list->n++] = (struct letter){i, monitor->id};
	}
	return true;
}

static int by_report(const void *a, const void *b)
{
	const struct letter *x = a, *y = b;

	return x->report < y->report ? -1 : x->report > y->report;
}

/* A copy: one report may be about several monitors. */
static struct sighting copy_of(const struct sighting *s)
{
	return (struct sighting){mem_str(s->from), mem_str(s->id), mem_str(s->name),
		mem_str(s->url), s->sees, s->unread, mem_str(s->detail), s->told_us, s->heard_us,
		s->peer, s->mute};
}

void places_testify(struct incident *incident, const struct sighting *sighting)
{
	struct incident_entry *entry = incident_add(incident, ENTRY_ATTEMPT, sighting->heard_us);

	if (!entry)
		return;
	entry->outcome = sighting->sees;
	entry->who = mem_str(sighting->from);
	entry->text = mem_str(sighting->detail);
}

void places_testify_all(struct post *post, struct incident *incident, int64_t now_us)
{
	if (post->monitor->source_count)
		load(post);
	for (size_t i = 0; i < post->sighting_count; i++)
		if (quorum_counts(&post->sightings[i], now_us))
			places_testify(incident, &post->sightings[i]);
}

static void hear(struct post *post, const struct sighting *sighting)
{
	struct sighting news = copy_of(sighting);

	load(post);
	if (!sightings_take(&post->sightings, &post->sighting_count, &news)) {
		log_info("%s: %s of %s came late or is one place too many", sighting->from,
			outcome_name(sighting->sees), post->monitor->slug);
		sighting_clear(&news);
		return;
	}
	store(post);
	log_info(
		"%s sees %s %s", sighting->from, post->monitor->slug, outcome_name(sighting->sees));
	keep_sighting(post, sighting);
	if (!post->monitor->heartbeat && post->row.state != STATE_PAUSED)
		post_look(post);
}

/* What is no monitor's: people find it in the log, on the dashboard and in `doctor`. */
static void keep_stranger(struct pass *pass, const struct sighting *sighting)
{
	struct sighting stranger = copy_of(sighting);
	struct text words = TEXT_INIT;

	sighting_strange(&words, sighting);
	if (!pass->strangers_known)
		load_note(pass, SIGHTINGS_STRANGE_NOTE, &pass->strangers, &pass->stranger_count);
	pass->strangers_known = true;
	if (sightings_strange_take(&pass->strangers, &pass->stranger_count, &stranger))
		log_warn("%s", text_str(&words));
	else
		log_limited("places", "%s", text_str(&words));
	text_clear(&words);
	sightings_encode(&words, pass->strangers, pass->stranger_count);
	keep_note(pass, SIGHTINGS_STRANGE_NOTE, text_str(&words));
	text_free(&words);
}

static void keep_strangers(struct pass *pass, const struct mailing *list)
{
	for (size_t i = 0; i < pass->heard_count; i++) {
		bool known = false;

		for (size_t j = 0; j < list->n; j++)
			known = known || list->at[j].report == i;
		if (!known)
			keep_stranger(pass, &pass->heard[i]);
	}
}

/* In the order in which they came: the newest of a place is to stand. */
void places_hear(struct pass *pass)
{
	struct mailing list = {.pass = pass};
	struct state_txn *txn = pass->heard_count ? state_begin(pass->state, false, NULL) : NULL;

	if (txn) {
		state_monitor_scan(txn, address_monitor, &list, NULL);
		if (list.n)
			qsort(list.at, list.n, sizeof(list.at[0]), by_report);
		for (size_t i = 0; i < list.n; i++) {
			struct post *post = post_in(pass, list.at[i].monitor, txn);

			if (post && post_read(post, txn, NULL))
				hear(post, &pass->heard[list.at[i].report]);
		}
		state_end(txn);
		keep_strangers(pass, &list);
	}
	free(list.at);
	sightings_free(pass->heard, pass->heard_count);
	pass->heard = NULL;
	pass->heard_count = 0;
}

/* ---- counting */

static bool have_votes(const struct post *post)
{
	return (post->monitor->source_count > 0 || peers_share(post)) && !post->monitor->heartbeat &&
	       !peers_is_one(post);
}

/* Third parties and peers together. *why, when there is one, is copied into the cause. */
static struct quorum count(struct post *post, enum outcome ours, struct text *why)
{
	struct sighting *list = NULL;
	size_t n = 0;
	struct quorum q;

	load(post);
	list = mem_array(post->sighting_count + 1, sizeof(*list));
	for (size_t i = 0; i < post->sighting_count; i++)
		list[n++] = copy_of(&post->sightings[i]);
	peers_sightings(post, &list, &n);
	q = quorum_of(ours, list, n, post->monitor->quorum, pass_now(post->pass));
	if (q.why && why)
		text_printf(why, "%s: %s", q.why->from, q.why->detail ? q.why->detail : "down");
	q.why = NULL;
	sightings_free(list, n);
	return q;
}

/* Most of us see it up again: that we do not is a matter of our own way to it. */
static void be_outvoted(struct post *post, struct result *result)
{
	struct quorum q = count(post, OUTCOME_DOWN, NULL);

	if (q.is_down || q.seeing < 2)
		return;
	result->outcome = OUTCOME_UP;
	result->timings = (struct timings)TIMINGS_NONE;
}

void places_weigh(struct post *post, struct result *result)
{
	struct text why = TEXT_INIT;

	if (!have_votes(post))
		return;
	if (result->outcome == OUTCOME_UP && count(post, OUTCOME_UP, &why).is_down) {
		result->outcome = OUTCOME_DOWN;
		result_cause(result, "%s", text_str(&why));
	} else if (result->outcome == OUTCOME_DOWN && post->judge.decided == STATE_DOWN && peers_share(post)) {
		be_outvoted(post, result);
	}
	text_free(&why);
}

bool places_agree(struct post *post)
{
	return !have_votes(post) || count(post, OUTCOME_DOWN, NULL).is_down;
}
