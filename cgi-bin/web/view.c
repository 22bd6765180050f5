/* SPDX-License-Identifier: ISC */
/*
 * view: both books -> what may be shown. The one place where staleness is turned into "unknown".
 */
#include "web/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/fresh.h"
#include "store/peer_book.h"

/* ---- how the watching is */

/* When the newest sign of life came, by our clock. While the clock was not stepped that is the time in the
   record, to the microsecond, so that what is made of it stays the same from one request to the next. */
static int64_t watched_at(const struct pass_info *pass, int64_t age_us, const struct moment *now)
{
	int64_t newest = pass->started_us;

	newest = pass->progress_us > newest ? pass->progress_us : newest;
	newest = pass->finished_us > newest ? pass->finished_us : newest;
	if (age_us == INT64_MAX || llabs(now->wall_us - age_us - newest) < US_PER_S)
		return newest;
	return now->wall_us - age_us;
}

static void judge_watching(struct view *view, const struct moment *now)
{
	const struct pass_info *pass = &view->pass;
	int64_t age_us = fresh_age_us(pass, now);

	if (age_us < 0)
		view->watching = WATCHING_NEVER;
	else if (!fresh_enough(pass, now))
		view->watching = WATCHING_STALE;
	else
		view->watching = pass->blind_since_us ? WATCHING_BLIND : WATCHING;
	if (age_us >= 0)
		view->watched_us = watched_at(pass, age_us, now);
}

/* ---- monitors */

static void take_row(struct view *view, const struct listed *listed, const struct row *row)
{
	view->monitors[view->count++] = (struct view_monitor){.listed = listed,
		.state = (enum monitor_state)row->state,
		.marks = row->marks,
		.since_us = row->since_us,
		.checked_us = row->checked_us,
		.response_us = row->response_us,
		.recent = row->recent,
		.incident = row->incident,
		.certificate_s = (int64_t)row->certificate_s_div_60 * 60};
}

/* What nobody has looked at for too long is not known. Pausing is no observation, it stays true. */
static void make_honest(struct view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		struct view_monitor *m = &view->monitors[i];

		if (m->state >= STATE__COUNT)
			m->state = STATE_UNKNOWN;
		if (view->watching == WATCHING_STALE && m->state != STATE_PAUSED) {
			m->state = STATE_UNKNOWN;
			m->since_us = view->watched_us;
			m->marks &= MARK_MAINTENANCE | MARK_ACKNOWLEDGED;
		}
		view->counts[m->state]++;
	}
}

static bool may_see(const struct asker *asker, const struct listed *listed)
{
	return access_sees(asker, &(const struct monitor){.is_public = listed->is_public});
}

static bool load_monitors(struct view *view, struct error *err)
{
	static const struct row never_judged;
	const struct catalog *catalog = view->catalog;
	struct row *rows = NULL;
	size_t n = 0;

	if (!state_rows(view->txn, &rows, &n, err))
		return false;
	view->monitors = mem_array(catalog->count + 1, sizeof(*view->monitors));
	for (size_t i = 0; i < catalog->count; i++) {
		const struct listed *listed = &catalog->monitors[i];

		if (may_see(&view->asker, listed))
			take_row(view, listed, listed->id < n ? &rows[listed->id] : &never_judged);
	}
	free(rows);
	return true;
}

/* ---- what was asked for and is not dealt with yet */

bool view_details(const struct view *view, const struct view_monitor *of, struct monitor *monitor,
	struct judge *judge, struct incident *open, struct error *err)
{
	if (!state_monitor(view->txn, of->listed->id, monitor, err))
		return false;
	if (!state_judge(view->txn, of->listed->id, judge, err) ||
		(open && judge->incident && !state_incident(view->txn, judge->incident, open, err))) {
		monitor_clear(monitor);
		return false;
	}
	pending_apply(
		&view->pending, monitor, view->site, judge, open && open->id ? open : NULL, view->now_us);
	return true;
}

static bool apply_pending(struct view *view, struct error *err)
{
	for (size_t i = 0; view->pending.count && i < view->count; i++) {
		struct view_monitor *m = &view->monitors[i];
		struct monitor monitor = {0};
		struct judge judge;

		if (!pending_about(&view->pending, m->listed->slug))
			continue;
		if (!view_details(view, m, &monitor, &judge, NULL, err))
			return false;
		m->marks = judge.marks;
		m->incident = judge.incident;
		if (m->state != judge.state) {
			m->state = judge.state;
			m->since_us = judge.since_us;
		}
		monitor_clear(&monitor);
	}
	return true;
}

/* What third parties told in vain is for people to mend, as a mistake in the configuration is. */
static void load_strangers(struct view *view)
{
	struct sighting *list = NULL;
	struct text words = TEXT_INIT;
	char *note = NULL;
	size_t n = 0;

	if (state_note_get(view->txn, SIGHTINGS_STRANGE_NOTE, &note, NULL))
		sightings_decode(note, strlen(note), &list, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		if (list[i].heard_us < view->now_us - SIGHTINGS_STRANGE_US)
			continue;
		text_clear(&words);
		sighting_strange(&words, &list[i]);
		view->problems = mem_grow(view->problems, view->problem_count + 1, sizeof(view->problems[0]));
		view->problems[view->problem_count++] =
			(struct problem){.text = mem_str(text_str(&words)), .warning = true};
	}
	sightings_free(list, n);
	text_free(&words);
	free(note);
}

static bool load(struct view *view, struct web *web, const struct request *req, struct error *err)
{
	view->catalog = catalog_get(web_state(web, err), view->txn, err);
	if (!view->catalog)
		return false;
	view->site = &view->catalog->site;
	access_asker(req, view->site, &view->asker);
	if (!state_pass(view->txn, &view->pass, err))
		return false;
	judge_watching(view, &req->now);
	if (view->asker.sees_all && !state_problems(view->txn, &view->problems, &view->problem_count, err))
		return false;
	if (view->asker.sees_all)
		load_strangers(view);
	pending_load(&view->pending, web, view->txn);
	if (!load_monitors(view, err) || !apply_pending(view, err))
		return false;
	make_honest(view);
	return true;
}

bool view_open(struct view *view, struct web *web, const struct request *req, struct error *err)
{
	struct state *state = web_state(web, err);

	memset(view, 0, sizeof(*view));
	view->now_us = req->now.wall_us;
	if (!state)
		return false;
	view->txn = state_begin(state, false, err);
	if (!view->txn)
		return false;
	if (load(view, web, req, err))
		return true;
	view_close(view);
	return false;
}

void view_close(struct view *view)
{
	state_end(view->txn);
	if (view->catalog)
		catalog_release(view->catalog);
	for (size_t i = 0; i < view->problem_count; i++)
		problem_clear(&view->problems[i]);
	free(view->problems);
	pending_clear(&view->pending);
	free(view->monitors);
	memset(view, 0, sizeof(*view));
}

const struct view_monitor *view_find(const struct view *view, const char *slug)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->monitors[i].listed->slug, slug) == 0)
			return &view->monitors[i];
	return NULL;
}

/* Shown monitors are in the catalog's order: the row of one is found by where its listing stands. */
static int by_listing(const void *listed, const void *row)
{
	const struct listed *a = listed, *b = ((const struct view_monitor *)row)->listed;

	return a < b ? -1 : a > b;
}

const struct view_monitor *view_find_id(const struct view *view, uint32_t id)
{
	const struct listed *listed = catalog_by_id(view->catalog, id);

	return listed ? bsearch(listed, view->monitors, view->count, sizeof(*view->monitors), by_listing) :
			NULL;
}

char *view_cause(const struct view *view, const struct view_monitor *m)
{
	struct judge judge;

	if (!view->asker.sees_all || view->watching == WATCHING_STALE)
		return NULL;
	if (m->state != STATE_DOWN && m->state != STATE_SUSPECT && m->state != STATE_UNKNOWN)
		return NULL;
	if (!state_judge(view->txn, m->listed->id, &judge, NULL) || !judge.cause[0])
		return NULL;
	return mem_str(judge.cause);
}

/* ---- the whole in one sentence */

void view_places(const struct view *view, const struct view_monitor *of, const struct monitor *monitor,
	struct sighting **list, size_t *n)
{
	struct text name = TEXT_INIT;
	char *note = NULL;

	*list = NULL;
	*n = 0;
	sightings_note(&name, of->listed->id);
	if (state_note_get(view->txn, text_str(&name), &note, NULL))
		sightings_decode(note, strlen(note), list, n, NULL);
	peer_sightings(view->txn, view->site, monitor, view->pass.grace_from_us, view->now_us, list, n);
	free(note);
	text_free(&name);
}

int view_badness(enum monitor_state state)
{
	static const int badness[STATE__COUNT] = {[STATE_DOWN] = 5,
		[STATE_UNKNOWN] = 4,
		[STATE_SUSPECT] = 3,
		[STATE_PENDING] = 2,
		[STATE_PAUSED] = 1,
		[STATE_UP] = 0};

	return state < STATE__COUNT ? badness[state] : 0;
}

enum monitor_state view_overall(const struct view *view)
{
	static const enum monitor_state worst_first[] = {
		STATE_DOWN, STATE_UNKNOWN, STATE_SUSPECT, STATE_UP, STATE_PENDING, STATE_PAUSED};

	if (view->watching != WATCHING)
		return view->watching == WATCHING_NEVER ? STATE_PENDING : STATE_UNKNOWN;
	for (size_t i = 0; i < COUNT_OF(worst_first); i++)
		if (view->counts[worst_first[i]])
			return worst_first[i];
	return STATE_PENDING;
}

/* The sentence for `n` of all monitors, where there is one for "all of them" and one for a single one. */
static enum word pick(
	size_t n, size_t all, enum word some_one, enum word some, enum word all_one, enum word all_many)
{
	if (n == all)
		return words_count(all, all_one, all_many);
	return words_count(n, some_one, some);
}

static enum word sentence(const struct view *view, size_t *n)
{
	*n = view->counts[STATE_DOWN];
	if (*n)
		return pick(*n, view->count, WORD_SOME_DOWN_ONE, WORD_SOME_DOWN, WORD_ALL_DOWN_ONE,
			WORD_ALL_DOWN);
	*n = view->counts[STATE_UNKNOWN];
	if (*n)
		return *n == view->count ? WORD_ALL_UNKNOWN : WORD_SOME_UNKNOWN;
	*n = view->counts[STATE_SUSPECT];
	if (*n)
		return words_count(*n, WORD_SOME_SUSPECT_ONE, WORD_SOME_SUSPECT);
	*n = view->counts[STATE_UP];
	if (*n)
		return words_count(*n, WORD_ALL_UP_ONE, WORD_ALL_UP);
	return view->counts[STATE_PENDING] ? WORD_ALL_PENDING : WORD_ALL_PAUSED;
}

void view_sentence(const struct view *view, struct text *t, text_verb put, enum language language)
{
	char some[24], all[24];
	const char *args[] = {some, all};
	size_t n = 0;
	enum word word = view->count ? sentence(view, &n) : WORD_NO_MONITORS;

	if (view->watching == WATCHING_NEVER)
		word = WORD_NOT_WATCHING_YET;
	snprintf(some, sizeof(some), "%zu", n);
	snprintf(all, sizeof(all), "%zu", view->count);
	words_put(t, put, language, word, args, COUNT_OF(args));
}
