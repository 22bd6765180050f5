/* SPDX-License-Identifier: ISC */
/*
 * page_incident: GET /i/ID: one outage from the first bad result to recovery, with its evidence, and the
 * answer to "why was I (not) told?".
 */
#include "web/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/csrf.h"
#include "web/incident_list.h"
#include "web/page_parts.h"

/* ---- the sentence of an entry */

/* Sets `field` to a sentence about up to two things; empty ones stand as a dash. */
static void put_sentence(struct page *page, struct data *d, enum word id, const char *a, const char *b)
{
	const char *args[] = {a && *a ? a : "–", b && *b ? b : "–"};
	struct text t = TEXT_INIT;

	words_put(&t, text_raw, page->language, id, args, COUNT_OF(args));
	data_text(d, "text", text_str(&t));
	text_free(&t);
}

static void put_attempt(struct page *page, struct data *d, const struct incident_entry *e)
{
	static const enum word words[OUTCOME__COUNT] = {[OUTCOME_UP] = WORD_ENTRY_ATTEMPT_GOOD,
		[OUTCOME_DOWN] = WORD_ENTRY_ATTEMPT_BAD,
		[OUTCOME_UNKNOWN] = WORD_ENTRY_ATTEMPT_UNKNOWN};

	static const enum word elsewhere[OUTCOME__COUNT] = {[OUTCOME_UP] = WORD_ENTRY_PLACE_UP,
		[OUTCOME_DOWN] = WORD_ENTRY_PLACE_DOWN,
		[OUTCOME_UNKNOWN] = WORD_ENTRY_PLACE_DOWN};
	enum outcome outcome = e->outcome < OUTCOME__COUNT ? e->outcome : OUTCOME_UNKNOWN;

	if (e->who)
		put_sentence(page, d, elsewhere[outcome], e->who, e->text);
	else
		put_sentence(page, d, words[outcome], e->text, NULL);
	data_text(d, "tone",
		e->outcome == OUTCOME_UP           ? "up" :
			e->outcome == OUTCOME_DOWN ? "down" :
						     "unknown");
}

static void put_decided(struct page *page, struct data *d, const struct incident_entry *e)
{
	enum monitor_state state;

	if (!e->text || !monitor_state_parse(e->text, &state))
		state = STATE_UNKNOWN;
	put_sentence(page, d, WORD_ENTRY_DECIDED, word(page->language, word_of_state(state)), NULL);
	data_text(d, "tone", monitor_state_name(state));
}

static void put_held(struct page *page, struct data *d, const struct incident_entry *e)
{
	enum word rule = word_of_held(e->text ? e->text : "");
	const char *why = rule == WORD_NONE ? e->text : word(page->language, rule);

	if (e->who && *e->who)
		put_sentence(page, d, WORD_ENTRY_HELD_CHANNEL, e->who, why);
	else
		put_sentence(page, d, WORD_ENTRY_HELD, why, NULL);
	data_text(d, "tone", "suspect");
}

static void put_queued(struct page *page, struct data *d, const struct incident_entry *e)
{
	enum event_kind event;
	bool known = e->text && event_parse(e->text, &event);

	put_sentence(page, d, WORD_ENTRY_QUEUED, e->who,
		known ? word(page->language, word_of_event(event)) : e->text);
	data_text(d, "tone", "pending");
}

static void put_delivery(struct page *page, struct data *d, const struct incident_entry *e)
{
	static const enum word words[OUTCOME__COUNT] = {[OUTCOME_UP] = WORD_ENTRY_DELIVERED,
		[OUTCOME_DOWN] = WORD_ENTRY_DELIVERY_FAILED,
		[OUTCOME_UNKNOWN] = WORD_ENTRY_DELIVERY_RETRY};

	put_sentence(page, d, e->outcome < OUTCOME__COUNT ? words[e->outcome] : WORD_ENTRY_DELIVERY_RETRY,
		e->who, e->text);
	data_text(d, "tone",
		e->outcome == OUTCOME_UP           ? "up" :
			e->outcome == OUTCOME_DOWN ? "down" :
						     "suspect");
}

static void put_acknowledged(struct page *page, struct data *d, const struct incident_entry *e)
{
	put_sentence(page, d, WORD_ENTRY_ACKNOWLEDGED, e->who, NULL);
	data_text(d, "tone", "pending");
	data_text(d, "said", e->text);
}

static void put_note(struct page *page, struct data *d, const struct incident_entry *e)
{
	/* visitors read what was said, not who of the staff said it */
	if (page->view.asker.sees_all)
		put_sentence(page, d, WORD_ENTRY_NOTE, e->who, NULL);
	else
		data_text(d, "text", word(page->language, WORD_NOTE));
	data_text(d, "tone", "pending");
	data_text(d, "said", e->text);
	if (page->view.asker.sees_all)
		data_text(d, "seen_by",
			word(page->language, e->status == 1 ? WORD_NOTE_PUBLIC : WORD_NOTE_PRIVATE));
}

static void (*const put_by_kind[ENTRY__COUNT])(
	struct page *, struct data *, const struct incident_entry *) = {
	[ENTRY_ATTEMPT] = put_attempt,
	[ENTRY_DECIDED] = put_decided,
	[ENTRY_HELD] = put_held,
	[ENTRY_QUEUED] = put_queued,
	[ENTRY_DELIVERY] = put_delivery,
	[ENTRY_ACKNOWLEDGED] = put_acknowledged,
	[ENTRY_NOTE] = put_note,
};

/* ---- evidence */

static void put_timings(struct page *page, struct data *d, const struct timings *timings)
{
	const struct {
		enum word word;
		int64_t us;
	} parts[] = {{WORD_TIMING_DNS, timings->dns_us}, {WORD_TIMING_CONNECT, timings->connect_us},
		{WORD_TIMING_TLS, timings->tls_us}, {WORD_TIMING_FIRST_BYTE, timings->first_byte_us},
		{WORD_TIMING_TOTAL, timings->total_us}};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct text t = TEXT_INIT;
		struct data *item;

		if (parts[i].us <= 0)
			continue;
		item = data_item(d, "timings");
		words_response(&t, page->language, parts[i].us);
		data_text(item, "part", word(page->language, parts[i].word));
		data_text(item, "length", text_str(&t));
		text_free(&t);
	}
}

static void put_evidence(struct page *page, struct data *d, const struct incident_entry *e)
{
	data_flag(d, "evidence",
		e->kind == ENTRY_ATTEMPT && (e->address || e->headers || e->body || e->status));
	data_text(d, "address", e->address);
	data_text(d, "headers", e->headers);
	data_text(d, "body", e->body);
	data_text(d, "status", NULL);
	if (e->status > 0)
		data_printf(d, "status", "%d", e->status);
	put_timings(page, d, &e->timings);
}

/* Times in a time line are told to the second. */
static void put_moment(struct page *page, struct data *d, int64_t us)
{
	struct text t = TEXT_INIT;

	calendar_put_iso(&t, us / US_PER_S);
	data_text(d, "iso", text_str(&t));
	text_clear(&t);
	calendar_put_local(&t, page->zone, us / US_PER_S);
	data_text(d, "time", text_str(&t));
	text_free(&t);
}

static void put_entry(struct page *page, const struct incident_entry *e)
{
	struct data *d = data_item(page->data, "entries");

	put_moment(page, d, e->at_us);
	data_text(d, "said", NULL);
	data_text(d, "seen_by", NULL);
	if (e->kind < ENTRY__COUNT)
		put_by_kind[e->kind](page, d, e);
	put_evidence(page, d, e);
}

/* ---- page */

static void put_form(struct page *page, const struct incident *incident)
{
	struct data *d = page->data;
	struct text token = TEXT_INIT;
	bool operates = page->view.asker.operates && page->view.asker.kind == ASKER_PERSON;

	data_flag(d, "operates", operates);
	if (!operates)
		return;
	csrf_token(&token, &page->view, page->req, page->reply);
	data_text(d, "csrf", text_str(&token));
	data_flag(d, "may_acknowledge", !incident->ended_us && !incident->acknowledged_us);
	text_free(&token);
}

static void put_all(struct page *page, const struct incident *incident, const struct view_monitor *m)
{
	struct data *d = page->data;

	page_put_incident(page, d, incident, m);
	data_text(d, "overall", incident->ended_us ? "up" : monitor_state_name(incident->state));
	data_flag(d, "refresh", !incident->ended_us);
	data_flag(d, "sees_all", page->view.asker.sees_all);
	data_printf(
		d, "title", "%s · %s", m->listed->name, page->view.site->title ? page->view.site->title : "");
	for (size_t i = 0; i < incident->entry_count; i++)
		if (incident_entry_shown(&page->view, &incident->entries[i]))
			put_entry(page, &incident->entries[i]);
	data_text(d, "dropped", NULL);
	if (incident->entries_dropped && page->view.asker.sees_all)
		page_word_count(page, d, "dropped", WORD_ENTRIES_DROPPED, (size_t)incident->entries_dropped);
	page_time(page, d, "ended_iso", "ended_text", incident->ended_us);
	put_form(page, incident);
}

void page_incident(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	const struct view_monitor *m;
	struct incident incident;
	struct error err = {ERROR_MISSING, ""};
	struct page page;
	uint64_t id;

	if (!page_begin(&page, web, req, reply))
		return;
	if (text_to_u64(match->name, &id) && id <= UINT32_MAX &&
		incident_read(&page.view, (uint32_t)id, &incident, &m, &err)) {
		put_all(&page, &incident, m);
		incident_clear(&incident);
		page_end(&page, "incident.html");
	} else if (err.kind == ERROR_MISSING) {
		page_end_missing(&page);
	} else {
		page_end_unavailable(&page, &err);
	}
}
