/* SPDX-License-Identifier: ISC */
/* compat_statuspage: each document is a row of the sections that it has. */
#include "web/compat_statuspage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/feed.h"
#include "web/incident_list.h"
#include "web/planned.h"

#define INCIDENTS_MAX 50

struct document {
	struct text *t;
	const struct view *view;
	const struct incident_list *open, *all; /* read when a section needs them */
	char *address;
};

/* ---- pieces */

static void put_time(struct text *t, const char *name, int64_t us)
{
	text_printf(t, ",\"%s\":", name);
	if (us == 0) {
		text_raw(t, "null");
		return;
	}
	text_char(t, '"');
	calendar_put_iso(t, us / US_PER_S);
	text_char(t, '"');
}

static void put_string(struct text *t, const char *name, const char *value)
{
	text_printf(t, ",\"%s\":", name);
	text_json_string(t, value);
}

static const char *component_status(const struct view_monitor *m)
{
	static const char *const words[STATE__COUNT] = {
		[STATE_PENDING] = "degraded_performance",
		[STATE_UP] = "operational",
		[STATE_SUSPECT] = "operational",
		[STATE_DOWN] = "major_outage",
		[STATE_UNKNOWN] = "degraded_performance",
		[STATE_PAUSED] = "under_maintenance",
	};

	return m->marks & MARK_MAINTENANCE ? "under_maintenance" : words[m->state];
}

static void put_component(struct document *d, const struct view_monitor *m, size_t position)
{
	text_raw(d->t, "{\"id\":");
	text_json_string(d->t, m->listed->slug);
	put_string(d->t, "name", m->listed->name);
	put_string(d->t, "status", component_status(m));
	put_time(d->t, "created_at", m->since_us);
	put_time(d->t, "updated_at", m->checked_us ? m->checked_us : m->since_us);
	text_printf(d->t,
		",\"position\":%zu,\"description\":null,\"showcase\":false,\"start_date\":null,\"group_id\":"
		"null,"
		"\"page_id\":\"upbeat\",\"group\":false,\"only_show_if_degraded\":false}",
		position);
}

static void put_update(struct document *d, const struct incident *incident, size_t number, const char *status,
	const char *body, int64_t us)
{
	text_printf(d->t,
		"%s{\"id\":\"%u-%zu\",\"incident_id\":\"%u\",\"status\":\"%s\",\"body\":", number ? "," : "",
		incident->id, number, incident->id, status);
	text_json_string(d->t, body);
	put_time(d->t, "created_at", us);
	put_time(d->t, "updated_at", us);
	put_time(d->t, "display_at", us);
	text_raw(d->t, ",\"affected_components\":[]}");
}

/* Newest first, as theirs are: the end, notes, the begin. */
static void put_updates(struct document *d, const struct view_monitor *m, const struct incident *incident)
{
	struct text sentence = TEXT_INIT;
	const char *name = m->listed->name;
	size_t n = 0;

	text_raw(d->t, ",\"incident_updates\":[");
	if (incident->ended_us)
		put_update(
			d, incident, n++, "resolved", "This incident has been resolved.", incident->ended_us);
	for (size_t i = incident->entry_count; i-- > 0;) {
		const struct incident_entry *e = &incident->entries[i];

		if (e->kind == ENTRY_NOTE && e->status == 1 && e->text)
			put_update(d, incident, n++, "identified", e->text, e->at_us);
	}
	words_put(&sentence, text_raw, LANGUAGE_EN,
		incident->state == STATE_UNKNOWN ? WORD_INCIDENT_TITLE_UNKNOWN : WORD_FEED_BEGAN, &name, 1);
	put_update(d, incident, n, "investigating", text_str(&sentence), incident->decided_us);
	text_char(d->t, ']');
	text_free(&sentence);
}

static void put_incident(struct document *d, const struct view_monitor *m, const struct incident *incident)
{
	struct text name = TEXT_INIT;
	const char *arg = m->listed->name;
	int64_t updated_us = incident->ended_us ? incident->ended_us : incident->decided_us;

	words_put(&name, text_raw, LANGUAGE_EN, WORD_FEED_BEGAN, &arg, 1);
	text_printf(d->t, "{\"id\":\"%u\"", incident->id);
	put_string(d->t, "name", text_str(&name));
	put_string(d->t, "status",
		incident->ended_us                ? "resolved" :
			incident->acknowledged_us ? "identified" :
						    "investigating");
	put_time(d->t, "created_at", incident->started_us);
	put_time(d->t, "updated_at", updated_us);
	put_time(d->t, "started_at", incident->started_us);
	text_raw(d->t, ",\"monitoring_at\":null");
	put_time(d->t, "resolved_at", incident->ended_us);
	put_string(d->t, "impact", incident->state == STATE_DOWN ? "major" : "minor");
	text_clear(&name);
	text_printf(&name, "%s/i/%u", d->address, incident->id);
	put_string(d->t, "shortlink", text_str(&name));
	text_raw(d->t, ",\"page_id\":\"upbeat\"");
	put_updates(d, m, incident);
	text_raw(d->t, ",\"components\":[");
	put_component(d, m, 1);
	text_raw(d->t, "]}");
	text_free(&name);
}

/* ---- sections */

static void put_page(struct document *d)
{
	text_raw(d->t, "\"page\":{\"id\":\"upbeat\"");
	put_string(d->t, "name", d->view->site->title ? d->view->site->title : "Upbeat");
	put_string(d->t, "url", d->address);
	put_string(d->t, "time_zone", d->view->site->timezone ? d->view->site->timezone : "UTC");
	put_time(d->t, "updated_at", d->view->watched_us);
	text_char(d->t, '}');
}

static const char *indicator(const struct view *view)
{
	if (view->counts[STATE_DOWN] && view->counts[STATE_DOWN] == view->count)
		return "critical";
	if (view->counts[STATE_DOWN])
		return "major";
	if (view->watching != WATCHING || view->counts[STATE_UNKNOWN] || view->counts[STATE_PENDING])
		return "minor";
	return "none";
}

static void put_status(struct document *d)
{
	struct text sentence = TEXT_INIT;

	view_sentence(d->view, &sentence, text_raw, LANGUAGE_EN);
	text_printf(d->t, ",\"status\":{\"indicator\":\"%s\"", indicator(d->view));
	put_string(d->t, "description",
		strcmp(indicator(d->view), "none") == 0 ? "All Systems Operational" : text_str(&sentence));
	text_char(d->t, '}');
	text_free(&sentence);
}

static void put_components(struct document *d)
{
	text_raw(d->t, ",\"components\":[");
	for (size_t i = 0; i < d->view->count; i++) {
		text_raw(d->t, i ? "," : "");
		put_component(d, &d->view->monitors[i], i + 1);
	}
	text_char(d->t, ']');
}

static void put_list(struct document *d, const struct incident_list *list)
{
	text_raw(d->t, ",\"incidents\":[");
	for (size_t i = 0; i < list->count; i++) {
		text_raw(d->t, i ? "," : "");
		put_incident(d, list->monitors[i], &list->incidents[i]);
	}
	text_char(d->t, ']');
}

static void put_planned_one(struct document *d, const struct planned *p, size_t number)
{
	bool begun = p->from_s * US_PER_S <= d->view->now_us;
	int64_t from_us = p->from_s * US_PER_S,
		to_us = p->to_s < INT64_MAX / US_PER_S ? p->to_s * US_PER_S : 0;

	text_printf(d->t, "%s{\"id\":\"m%" PRId64 "-%zu\"", number ? "," : "", p->from_s, number);
	put_string(d->t, "name", word(LANGUAGE_EN, WORD_PLANNED_MAINTENANCE));
	put_string(d->t, "status", begun ? "in_progress" : "scheduled");
	put_time(d->t, "created_at", from_us);
	put_time(d->t, "updated_at", from_us);
	put_time(d->t, "scheduled_for", from_us);
	put_time(d->t, "scheduled_until", to_us);
	text_raw(d->t,
		",\"monitoring_at\":null,\"resolved_at\":null,\"impact\":\"maintenance\",\"page_id\":"
		"\"upbeat\","
		"\"incident_updates\":[],\"components\":[");
	if (p->monitor)
		put_component(d, p->monitor, 1);
	text_raw(d->t, "]}");
}

static void put_planned(struct document *d)
{
	struct planned planned[PLANNED_MAX];
	size_t n = planned_list(d->view, planned);

	text_raw(d->t, ",\"scheduled_maintenances\":[");
	for (size_t i = 0; i < n; i++)
		put_planned_one(d, &planned[i], i);
	text_char(d->t, ']');
}

static void put_open(struct document *d)
{
	put_list(d, d->open);
	put_planned(d);
}

static void put_all(struct document *d)
{
	put_list(d, d->all);
}

typedef void section(struct document *d);
static const struct {
	const char *name;
	section *sections[5];
	bool open, all;
} documents[] = {
	{"summary.json", {put_page, put_components, put_open, put_status}, true, false},
	{"status.json", {put_page, put_status}, false, false},
	{"components.json", {put_page, put_components}, false, false},
	{"incidents.json", {put_page, put_all}, false, true},
};

static bool read_list(
	struct incident_list *list, const struct view *view, bool wanted, bool only_open, struct error *err)
{
	struct incident_query query = {.only_open = only_open, .most = INCIDENTS_MAX, .entries = true};

	return !wanted || incident_list_read(list, view, &query, err);
}

static bool put_document(struct document *d, size_t which, struct error *err)
{
	struct incident_list open = {0}, all = {0};
	bool ok = read_list(&open, d->view, documents[which].open, true, err) &&
		read_list(&all, d->view, documents[which].all, false, err);

	/* cppcheck-suppress autoVariables ; taken back below */
	d->open = &open;
	/* cppcheck-suppress autoVariables */
	d->all = &all;
	text_char(d->t, '{');
	for (size_t i = 0; ok && documents[which].sections[i]; i++)
		documents[which].sections[i](d);
	text_raw(d->t, "}\n");
	d->open = d->all = NULL;
	incident_list_clear(&open);
	incident_list_clear(&all);
	return ok;
}

void statuspage_any(
	struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct view view;
	struct document d = {.t = &reply->body, .view = &view};
	struct error err = {0};
	size_t which = 0;

	while (which < COUNT_OF(documents) && strcmp(documents[which].name, match->name) != 0)
		which++;
	if (which == COUNT_OF(documents)) {
		api_missing(reply);
		return;
	}
	if (!api_view(&view, web, req, reply))
		return;
	d.address = feed_address(&view, req);
	if (put_document(&d, which, &err)) {
		reply->type = TYPE_JSON;
		reply->cache_s = 0;
		reply_header(
			reply, "Access-Control-Allow-Origin", "*"); /* as theirs: pages elsewhere read it */
		reply_etag(reply, req, NULL, 0);
	} else {
		reply_unavailable(reply, 60, "the store cannot be read now");
	}
	free(d.address);
	view_close(&view);
}
