/* SPDX-License-Identifier: ISC */
/*
 * keep: what is to be stored, and the commits.
 *
 * Everything that a look or a decision changes is collected in memory and committed together: at once when
 * something is decided, else within a second; never more than once a second. A decision, its incident and its
 * notices are in one transaction. When a commit fails nothing is lost: what it held is tried again with the
 * next one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define KEPT_WITH_BODY 6 /* attempts of an outage that keep headers and body; later ones keep the cause */

/* ---- collecting */

static void commit_fired(void *arg)
{
	struct pass *pass = arg;

	pass->commit_timer = NULL;
	keep_commit(pass);
	pass_wake(pass);
}

/* Arranges that a commit comes: as soon as allowed for what is urgent, within a second for the rest. */
static void commit_soon(struct pass *pass, bool urgent)
{
	int64_t now = clock_mono_us(), wait_us = urgent ? pass->committed_us + COMMIT_US - now : COMMIT_US;

	if (pass->commit_timer && (pass->urgent || !urgent))
		return;
	pass->urgent = pass->urgent || urgent;
	loop_timer_stop(pass->commit_timer);
	pass->commit_timer =
		loop_after(pass->loop, wait_us > 0 ? wait_us / US_PER_MS + 1 : 0, commit_fired, pass);
}

static void touch(struct post *post, bool urgent)
{
	struct pass *pass = post->pass;

	if (!post->dirty) {
		post->dirty = true;
		post->next_dirty = pass->dirty;
		pass->dirty = post;
	}
	commit_soon(pass, urgent);
}

void keep_row(struct post *post)
{
	post->row_dirty = true;
	touch(post, false);
}

static void row_from_judge(struct post *post)
{
	struct row *row = &post->row;
	const struct judge *judge = &post->judge;

	row->state = (uint8_t)judge->state;
	row->decided = (uint8_t)judge->decided;
	row->marks = (uint8_t)judge->marks;
	row->since_us = judge->since_us;
	row->incident = judge->incident;
}

void keep_judge(struct post *post)
{
	row_from_judge(post);
	post->judge_dirty = true;
	touch(post, false);
}

void keep_tell(struct post *post, const struct verdict *verdict)
{
	struct telling *telling = MEM_NEW(struct telling), **end = &post->tellings;

	while (*end)
		end = &(*end)->next;
	telling->verdict = *verdict;
	*end = telling;
	row_from_judge(post);
	post->judge_dirty = post->row_dirty = true;
	touch(post, verdict->events || verdict->held || verdict->open_incident || verdict->close_incident);
}

void keep_info(struct pass *pass)
{
	pass->info_dirty = true;
	commit_soon(pass, true);
}

void keep_note(struct pass *pass, const char *name, const char *value)
{
	struct kept_note *note = MEM_NEW(struct kept_note), **end = &pass->notes;

	while (*end)
		end = &(*end)->next;
	note->name = mem_str(name);
	note->value = mem_str(value);
	*end = note;
	commit_soon(pass, false);
}

static enum recent recent_of(enum outcome outcome)
{
	return outcome == OUTCOME_UP ? RECENT_UP : outcome == OUTCOME_DOWN ? RECENT_DOWN : RECENT_UNKNOWN;
}

static void add_sample(struct post *post, const struct sample *sample)
{
	struct samples *samples = &post->pass->samples;

	if (samples->n == samples->size) {
		samples->size = samples->size ? samples->size * 2 : 256;
		samples->at = mem_grow(samples->at, samples->size, sizeof(samples->at[0]));
	}
	samples->at[samples->n++] = *sample;
	post->row.recent = post->row.recent << 2 | recent_of(sample->outcome);
	keep_row(post);
}

void keep_unknown(struct post *post, int64_t at_us)
{
	struct sample sample = {.monitor_id = post->id,
		.at_us = at_us,
		.outcome = OUTCOME_UNKNOWN,
		.state = (enum monitor_state)post->row.state,
		.response_us = -1,
		.timings = TIMINGS_NONE};

	sample.maintenance = (post->row.marks & MARK_MAINTENANCE) != 0;
	add_sample(post, &sample);
}

void keep_paused(struct post *post)
{
	keep_unknown(post, pass_now(post->pass));
}

/* The answer to a slot is always kept. What came between slots is kept when it says something else than the
   last one: then the outage begins or ends there, and not at the next slot. */
void keep_sample(struct post *post, const struct result *result, enum outcome outcome)
{
	struct row *row = &post->row;
	struct sample sample = {.monitor_id = post->id,
		.at_us = result->at_us,
		.outcome = outcome,
		.state = post->judge.state,
		.response_us = -1,
		.timings = result->timings};

	sample.maintenance = (post->judge.marks & MARK_MAINTENANCE) != 0;
	if (outcome == OUTCOME_UP)
		sample.response_us = result->timings.total_us;
	row->checked_us = result->at_us;
	if (sample.response_us > 0)
		row->response_us =
			sample.response_us < UINT32_MAX ? (uint32_t)sample.response_us : UINT32_MAX;
	if (result->certificate_expires_s > 0)
		row->certificate_s_div_60 = (uint32_t)(result->certificate_expires_s / 60);
	if (result->slot_us || (row->recent & 3) != (uint64_t)recent_of(outcome))
		add_sample(post, &sample);
	else if (!post->monitor->heartbeat)
		keep_row(post); /* (a heartbeat that is still fresh at some old deadline is no news) */
}

/* ---- evidence */

/* Evidence is read by people: what is no text in it becomes dots. */
static char *printable(const char *bytes, size_t n)
{
	struct text out = TEXT_INIT;
	size_t cut = 0;
	bool utf8;

	/* It was cut at so many bytes, perhaps within a character. */
	while (cut < 4 && cut < n && !text_utf8_valid(bytes, n - cut))
		cut++;
	utf8 = cut < 4 && cut <= n;
	if (utf8)
		n -= cut;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		bool shown = c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f && (c < 0x80 || utf8));

		if (c != '\r')
			text_char(&out, shown ? (char)c : '.');
	}
	return text_take(&out);
}

void keep_attempt(struct post *post, const struct result *result)
{
	struct incident_entry *entry;
	bool whole;

	if (!post->draft)
		post->draft = MEM_NEW(struct incident);
	entry = incident_add(post->draft, ENTRY_ATTEMPT, result->at_us);
	if (!entry)
		return;
	whole = !post->judge.incident || post->draft->entry_count <= KEPT_WITH_BODY;
	entry->outcome = result->outcome;
	entry->status = result->status;
	entry->length_us = result->timings.total_us;
	entry->timings = result->timings;
	entry->text = result->cause[0] ? mem_str(result->cause) : NULL;
	entry->address = result->address[0] ? mem_str(result->address) : NULL;
	entry->headers =
		whole && result->headers ? printable(result->headers, strlen(result->headers)) : NULL;
	entry->body = whole && result->body ? printable(result->body, result->body_len) : NULL;
	if (post->judge.incident)
		touch(post, false);
}

void keep_sighting(struct post *post, const struct sighting *sighting)
{
	if (!post->judge.incident)
		return;
	if (!post->draft)
		post->draft = MEM_NEW(struct incident);
	places_testify(post->draft, sighting);
	touch(post, false);
}

void keep_forget_attempts(struct post *post)
{
	if (post->draft)
		incident_clear(post->draft);
	free(post->draft);
	post->draft = NULL;
}

static void copy_entry(struct incident *to, const struct incident_entry *from)
{
	struct incident_entry *entry = incident_add(to, from->kind, from->at_us);

	if (!entry)
		return;
	*entry = *from;
	entry->who = mem_str(from->who);
	entry->text = mem_str(from->text);
	entry->address = mem_str(from->address);
	entry->headers = mem_str(from->headers);
	entry->body = mem_str(from->body);
}

void keep_entries(struct post *post, const struct incident *added)
{
	struct aside *aside = MEM_NEW(struct aside), **end = &post->asides;

	while (*end)
		end = &(*end)->next;
	aside->incident.id = added->id;
	aside->incident.acknowledged_us = added->acknowledged_us;
	aside->incident.acknowledged_by = mem_str(added->acknowledged_by);
	for (size_t i = 0; i < added->entry_count; i++)
		copy_entry(&aside->incident, &added->entries[i]);
	*end = aside;
	touch(post, true);
}

/* ---- incidents, in the transaction */

static void add_decided(struct incident *incident, enum monitor_state state, int64_t now_us)
{
	struct incident_entry *entry = incident_add(incident, ENTRY_DECIDED, now_us);

	if (entry)
		entry->text = mem_str(monitor_state_name(state));
}

static void add_attempts(struct incident *incident, const struct post *post)
{
	for (size_t i = 0; post->draft && i < post->draft->entry_count; i++)
		copy_entry(incident, &post->draft->entries[i]);
}

/* A new incident, with what is known of it so far. */
static bool incident_open(struct state_txn *txn, struct post *post, const struct verdict *verdict,
	struct incident *out, int64_t now_us, struct error *err)
{
	out->monitor_id = post->id;
	out->monitor = mem_str(post->monitor->slug);
	out->state = verdict->to;
	out->started_us = verdict->outage_us ? verdict->outage_us : now_us;
	out->decided_us = now_us;
	out->cause = mem_str(post->judge.cause);
	out->episode = verdict->episode;
	add_attempts(out, post);
	places_testify_all(post, out, now_us);
	peers_testify(post, out);
	if (!state_incident_new(txn, out, err))
		return false;
	post->judge.incident = out->id;
	return true;
}

static bool incident_load(struct state_txn *txn, struct post *post, struct incident *out, struct error *err)
{
	if (!state_incident(txn, post->judge.incident, out, err))
		return false;
	add_attempts(out, post);
	return true;
}

static bool was_down(const struct incident *incident)
{
	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *e = &incident->entries[i];

		if (e->kind == ENTRY_DECIDED && e->text && strcmp(e->text, monitor_state_name(STATE_DOWN)) == 0)
			return true;
	}
	return false;
}

static void incident_close(
	struct post *post, const struct verdict *verdict, struct incident *incident, int64_t now_us)
{
	incident->ended_us = verdict->to == STATE_UP && post->judge.since_us > incident->started_us
				     ? post->judge.since_us
				     : now_us;
	if (was_down(incident)) /* an outage, though its end could not be seen for a while */
		incident->state = STATE_DOWN;
	post->judge.incident = 0;
}

/* One verdict: the incident that it opens, goes on in or ends, and whom it is told to. */
static bool write_telling(struct state_txn *txn, struct post *post, const struct verdict *verdict,
	int64_t now_us, struct error *err)
{
	struct incident incident = {0};
	bool open = verdict->open_incident, has = open || post->judge.incident, ok = true;

	if (has)
		ok = open ? incident_open(txn, post, verdict, &incident, now_us, err)
			  : incident_load(txn, post, &incident, err);
	if (ok && has && verdict->changed) {
		add_decided(&incident, verdict->to, now_us);
		if (verdict->to == STATE_DOWN || verdict->to == STATE_UNKNOWN)
			incident.state = verdict->to;
	}
	ok = ok && state_judge_put(txn, post->id, &post->judge, err) &&
	     outbox_tell(txn, post->monitor, verdict, has ? &incident : NULL, now_us, err);
	if (ok && has) {
		if (verdict->close_incident)
			incident_close(post, verdict, &incident, now_us);
		ok = state_incident_put(txn, &incident, err);
	}
	incident_clear(&incident);
	return ok;
}

/* Attempts of an incident that goes on without a verdict. */
static bool write_attempts(struct state_txn *txn, struct post *post, struct error *err)
{
	struct incident incident = {0};
	bool ok = incident_load(txn, post, &incident, err) && state_incident_put(txn, &incident, err);

	incident_clear(&incident);
	return ok;
}

/* ---- the commit */

/* What people said, to the incident that they meant. One that is gone by now takes nothing. */
static bool write_aside(struct state_txn *txn, const struct aside *aside, struct error *err)
{
	struct incident incident = {0};
	bool ok = true;

	if (state_incident(txn, aside->incident.id, &incident, err)) {
		for (size_t i = 0; i < aside->incident.entry_count; i++)
			copy_entry(&incident, &aside->incident.entries[i]);
		if (aside->incident.acknowledged_us) {
			incident.acknowledged_us = aside->incident.acknowledged_us;
			free(incident.acknowledged_by);
			incident.acknowledged_by = mem_str(aside->incident.acknowledged_by);
		}
		ok = state_incident_put(txn, &incident, err);
	}
	incident_clear(&incident);
	return ok;
}

/* ---- the commit */

static bool write_post(struct state_txn *txn, struct post *post, int64_t now_us, struct error *err)
{
	bool told = false;

	for (const struct aside *aside = post->asides; aside; aside = aside->next)
		if (!write_aside(txn, aside, err))
			return false;
	if (post->tellings && !state_rows_put(txn, &post->id, &post->row, 1, err))
		return false; /* messages quote it */
	for (const struct telling *telling = post->tellings; telling; telling = telling->next) {
		told = told || telling->verdict.open_incident || post->judge.incident;
		if (!write_telling(txn, post, &telling->verdict, now_us, err))
			return false;
	}
	if (!told && post->draft && post->judge.incident && !write_attempts(txn, post, err))
		return false;
	if (post->monitor)
		row_from_judge(post);
	return !post->judge_dirty || state_judge_put(txn, post->id, &post->judge, err);
}

static int by_id(const void *a, const void *b)
{
	const struct post *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* In the order of ids: neighbours share pages. */
static bool write_rows(struct state_txn *txn, struct post **posts, size_t n, struct error *err)
{
	uint32_t *ids = mem_array(n + 1, sizeof(ids[0]));
	struct row *rows = mem_array(n + 1, sizeof(rows[0]));
	bool ok;

	for (size_t i = 0; i < n; i++) {
		ids[i] = posts[i]->id;
		rows[i] = posts[i]->row;
	}
	ok = n == 0 || state_rows_put(txn, ids, rows, n, err);
	free(ids);
	free(rows);
	return ok;
}

static struct post **dirty_posts(struct pass *pass, size_t *n)
{
	struct post **posts;

	*n = 0;
	for (struct post *post = pass->dirty; post; post = post->next_dirty)
		(*n)++;
	posts = mem_array(*n + 1, sizeof(posts[0]));
	*n = 0;
	for (struct post *post = pass->dirty; post; post = post->next_dirty)
		posts[(*n)++] = post;
	qsort(posts, *n, sizeof(posts[0]), by_id);
	return posts;
}

static bool write_rest(struct pass *pass, struct state_txn *txn, struct error *err)
{
	bool ok = peers_save(pass, txn, err);

	for (const struct kept_note *note = pass->notes; ok && note; note = note->next)
		ok = state_note_put(txn, note->name, note->value, err);
	for (const struct announcement *a = pass->announcements; ok && a; a = a->next)
		ok = announce_write(txn, a, err);
	if (ok && pass->inbox_seen_dirty)
		ok = state_inbox_seen_put(txn, pass->inbox_seen, err);
	return ok && (pass->samples.n == 0 || state_samples_add(txn, pass->samples.at, pass->samples.n, err));
}

static bool write_all(struct pass *pass, struct post **posts, size_t n, struct error *err)
{
	struct state_txn *txn = state_begin(pass->state, true, err);
	int64_t now_us = pass_now(pass);
	bool ok = txn;

	for (size_t i = 0; ok && i < n; i++)
		ok = write_post(txn, posts[i], now_us, err);
	ok = ok && write_rows(txn, posts, n, err) && write_rest(pass, txn, err);
	pass->info.progress_us = now_us;
	ok = ok && state_pass_put(txn, &pass->info, err);
	if (!ok) {
		state_end(txn);
		return false;
	}
	return state_commit(txn, err);
}

static void drop_lists(struct post *post)
{
	while (post->tellings) {
		struct telling *telling = post->tellings;

		post->tellings = telling->next;
		free(telling);
	}
	while (post->asides) {
		struct aside *aside = post->asides;

		post->asides = aside->next;
		incident_clear(&aside->incident);
		free(aside);
	}
}

void keep_forget_post(struct post *post)
{
	drop_lists(post);
	keep_forget_attempts(post);
}

void keep_forget(struct pass *pass)
{
	while (pass->notes) {
		struct kept_note *note = pass->notes;

		pass->notes = note->next;
		free(note->name);
		free(note->value);
		free(note);
	}
	announcements_free(pass);
	pass->samples.n = 0;
	pass->info_dirty = pass->inbox_seen_dirty = false;
}

static void stored(struct post *post)
{
	post->dirty = post->row_dirty = post->judge_dirty = false;
	drop_lists(post);
	/* Of a suspect the evidence is kept until it is decided. */
	if (post->judge.incident || post->judge.tries == 0)
		keep_forget_attempts(post);
	post_rest(post);
}

bool keep_pending(const struct pass *pass)
{
	return pass->dirty || pass->samples.n > 0 || pass->info_dirty || pass->notes;
}

bool keep_commit(struct pass *pass)
{
	struct error err = {0};
	size_t n;
	struct post **posts = dirty_posts(pass, &n);
	uint32_t *incidents = mem_array(n + 1, sizeof(incidents[0]));
	bool ok;

	for (size_t i = 0; i < n; i++)
		incidents[i] = posts[i]->judge.incident;
	ok = write_all(pass, posts, n, &err);
	pass->committed_us = clock_mono_us();
	pass->urgent = false;
	pass->failed = !ok;
	if (ok) {
		pass->dirty = NULL;
		keep_forget(pass);
		peers_saved(pass);
	}
	for (size_t i = 0; i < n; i++) {
		if (ok)
			stored(posts[i]);
		else
			posts[i]->judge.incident = incidents[i];
	}
	free(posts);
	free(incidents);
	if (!ok) {
		pass->failure = err;
		log_limited("keep", "cannot store what was seen: %s", err.text); /* it is tried every second */
		if (!pass->over) /* the end tries once more, and does not wait for what may never come */
			commit_soon(pass, true);
	} else if (pass->outbox) {
		outbox_pump(pass->outbox);
	}
	return ok;
}
