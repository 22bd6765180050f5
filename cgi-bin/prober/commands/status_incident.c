/* SPDX-License-Identifier: ISC */
/*
 * status_incident: "what happened, and why was I (not) told?": an incident's entries in the order in which they
 * came. One table says how each kind of entry reads. Everything that others wrote (answers, headers, bodies,
 * notes) is printed so that it cannot drive a terminal.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/words.h"
#include "prober/commands/status.h"

#define INCIDENTS_SHOWN 10

static void put_quoted(struct text *out, const char *before, const char *s)
{
	if (!s || !*s)
		return;
	text_raw(out, before);
	text_screen(out, s);
}

/* Several lines, each indented and made harmless. */
static void put_block(struct text *out, const char *s)
{
	while (s && *s) {
		size_t n = strcspn(s, "\r\n");

		if (n) {
			text_raw(out, "\n             | ");
			text_screenn(out, s, n);
		}
		s += n + strspn(s + n, "\r\n");
	}
}

/* ---- the kinds of entries */

static void put_phase(struct text *out, const char *name, int64_t us)
{
	if (us < 0)
		return;
	text_printf(out, " %s ", name);
	words_response(out, LANGUAGE_EN, us);
}

static void put_attempt(struct text *out, const struct incident_entry *e)
{
	text_printf(out, "looked: %s", outcome_name(e->outcome));
	if (e->status)
		text_printf(out, " %d", e->status);
	put_quoted(out, " ", e->text);
	put_quoted(out, " at ", e->address);
	put_phase(out, "DNS", e->timings.dns_us);
	put_phase(out, "connect", e->timings.connect_us);
	put_phase(out, "TLS", e->timings.tls_us);
	put_phase(out, "first byte", e->timings.first_byte_us);
	put_phase(out, "total", e->timings.total_us);
	put_block(out, e->headers);
	put_block(out, e->body);
}

static void put_decided(struct text *out, const struct incident_entry *e)
{
	put_quoted(out, "decided: ", e->text);
}

static void put_held(struct text *out, const struct incident_entry *e)
{
	enum word word_id = word_of_held(e->text ? e->text : "");

	text_raw(out, "not told");
	put_quoted(out, " to ", e->who);
	text_raw(out, ": ");
	if (word_id != WORD_NONE)
		text_raw(out, word(LANGUAGE_EN, word_id));
	else
		text_screen(out, e->text ? e->text : "");
}

static void put_queued(struct text *out, const struct incident_entry *e)
{
	put_quoted(out, "to be told to ", e->who);
	put_quoted(out, ": ", e->text);
}

static void put_delivery(struct text *out, const struct incident_entry *e)
{
	static const char *const ends[] = {[OUTCOME_UP] = "has it",
		[OUTCOME_DOWN] = "refused it",
		[OUTCOME_UNKNOWN] = "could not be told yet"};

	text_screen(out, e->who ? e->who : "?");
	text_printf(out, " %s", ends[(unsigned)e->outcome < OUTCOME__COUNT ? e->outcome : OUTCOME_UNKNOWN]);
	if (e->status)
		text_printf(out, " (%d)", e->status);
	put_phase(out, "in", e->length_us);
	put_quoted(out, ": ", e->text);
}

static void put_acknowledged(struct text *out, const struct incident_entry *e)
{
	put_quoted(out, "acknowledged by ", e->who);
	put_quoted(out, ": ", e->text);
}

static void put_note(struct text *out, const struct incident_entry *e)
{
	put_quoted(out, e->status == 1 ? "public note by " : "note by ", e->who);
	put_quoted(out, ": ", e->text);
}

static void (*const putters[ENTRY__COUNT])(struct text *out, const struct incident_entry *e) = {
	[ENTRY_ATTEMPT] = put_attempt,
	[ENTRY_DECIDED] = put_decided,
	[ENTRY_HELD] = put_held,
	[ENTRY_QUEUED] = put_queued,
	[ENTRY_DELIVERY] = put_delivery,
	[ENTRY_ACKNOWLEDGED] = put_acknowledged,
	[ENTRY_NOTE] = put_note,
};

/* ---- incidents */

static void put_head(struct status *s, const struct incident *incident)
{
	text_printf(s->out, "\nIncident %u: ", incident->id);
	status_put_state(s, incident->state);
	text_raw(s->out, " from ");
	status_put_time(s, incident->started_us);
	if (incident->ended_us) {
		text_raw(s->out, " to ");
		status_put_time(s, incident->ended_us);
	}
	text_raw(s->out, ", ");
	words_length(s->out, LANGUAGE_EN,
		(incident->ended_us ? incident->ended_us : s->now_us) - incident->started_us);
	put_quoted(s->out, ": ", incident->cause);
	text_char(s->out, '\n');
}

static void put_entries(struct status *s, const struct incident *incident)
{
	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *e = &incident->entries[i];

		text_raw(s->out, "  ");
		status_put_time(s, e->at_us);
		text_raw(s->out, "  ");
		if (e->kind < ENTRY__COUNT)
			putters[e->kind](s->out, e);
		text_char(s->out, '\n');
	}
	if (incident->entries_dropped)
		text_printf(s->out, "  (%llu more looks and deliveries are not kept)\n",
			(unsigned long long)incident->entries_dropped);
}

struct newest {
	uint32_t ids[INCIDENTS_SHOWN];
	size_t n;
};

static bool note_id(void *arg, const struct incident *incident)
{
	struct newest *newest = arg;

	newest->ids[newest->n++] = incident->id;
	return newest->n < INCIDENTS_SHOWN;
}

/* ---- as JSON */

static void json_incident(struct text *out, const struct monitor *m, const struct incident *incident)
{
	report_incident_open(out, incident, m->slug, m->name, true);
	text_raw(out, ",\"entries\":[");
	for (size_t i = 0; i < incident->entry_count; i++) {
		text_raw(out, i ? "," : "");
		report_entry(out, &incident->entries[i], true);
	}
	text_raw(out, "]}");
}

bool status_incidents_json(struct status *s, const struct monitor *m, struct error *err)
{
	struct newest newest = {.n = 0};

	if (!state_incident_scan(s->txn, m->id, false, true, note_id, &newest, err))
		return false;
	text_raw(s->out, ",\"incidents\":[");
	for (size_t i = 0; i < newest.n; i++) {
		struct incident incident;

		if (!state_incident(s->txn, newest.ids[i], &incident, err))
			return false;
		text_raw(s->out, i ? "," : "");
		json_incident(s->out, m, &incident);
		incident_clear(&incident);
	}
	text_char(s->out, ']');
	return true;
}

/* ---- for people */

bool status_incidents(struct status *s, uint32_t monitor_id, struct error *err)
{
	struct newest newest = {.n = 0};

	if (!state_incident_scan(s->txn, monitor_id, false, true, note_id, &newest, err))
		return false;
	for (size_t i = 0; i < newest.n; i++) {
		struct incident incident;

		if (!state_incident(s->txn, newest.ids[i], &incident, err))
			return false;
		put_head(s, &incident);
		put_entries(s, &incident);
		incident_clear(&incident);
	}
	if (!newest.n)
		text_raw(s->out, "No incidents.\n");
	return true;
}
