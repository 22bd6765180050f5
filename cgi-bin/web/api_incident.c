/* SPDX-License-Identifier: ISC */
/* api: incidents: /api/v1/incidents and /api/v1/incidents/ID. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/report.h"
#include "web/api.h"
#include "web/incident_list.h"

#define PER_PAGE 50
#define PER_PAGE_MAX 200

static void put_entries(struct text *t, const struct view *view, const struct incident *incident)
{
	const char *between = "";

	text_raw(t, ",\"entries\":[");
	for (size_t i = 0; i < incident->entry_count; i++) {
		if (!incident_entry_shown(view, &incident->entries[i]))
			continue;
		text_raw(t, between);
		report_entry(t, &incident->entries[i], view->asker.sees_all);
		between = ",";
	}
	text_char(t, ']');
}

static void put_incident(struct text *t, const struct view *view, const struct view_monitor *m,
	const struct incident *incident, bool entries)
{
	report_incident_open(t, incident, m->listed->slug, m->listed->name, view->asker.sees_all);
	if (entries)
		put_entries(t, view, incident);
	text_char(t, '}');
}

static void fail(struct reply *reply, const struct error *err)
{
	if (err->kind == ERROR_MISSING) {
		api_missing(reply);
		return;
	}
	log_limited("api: incidents", "incidents: %s", err->text);
	api_problem(reply, 503, "The store cannot be read now.");
	reply_header(reply, "Retry-After", "60");
}

static void finish(struct request *req, struct reply *reply)
{
	text_char(&reply->body, '\n');
	reply->type = TYPE_JSON;
	reply->cache_s = 0;
	reply_etag(reply, req, NULL, 0);
}

/* ?monitor=, ?state=open, ?page=, ?per_page=. false: the reply is the problem. */
static bool read_query(struct incident_query *query, const struct request *req, struct reply *reply)
{
	int64_t page = 1, per_page = PER_PAGE;
	char *state = request_query(req, "state");
	bool ok = !state || !*state || strcmp(state, "open") == 0;

	query->only_open = state && *state;
	free(state);
	if (!ok)
		api_problem(reply, 400, "\"state\" may only be \"open\".");
	ok = ok && api_number(req, reply, "page", 1, 1000000, &page) &&
		api_number(req, reply, "per_page", 1, PER_PAGE_MAX, &per_page);
	query->skip = (size_t)((page - 1) * per_page);
	query->most = (size_t)per_page;
	return ok;
}

/* ?monitor=SLUG; false: there is none of that name for this asker. */
static bool find_monitor(struct incident_query *query, const struct view *view, const struct request *req)
{
	char *slug = request_query(req, "monitor");
	bool asked = slug && *slug;

	if (asked)
		query->monitor = view_find(view, slug);
	free(slug);
	return !asked || query->monitor;
}

void api_incidents(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct incident_query query = {0};
	struct incident_list list = {0};
	struct error err = {ERROR_MISSING, ""};
	struct view view;

	(void)match;
	if (!read_query(&query, req, reply) || !api_view(&view, web, req, reply))
		return;
	if (find_monitor(&query, &view, req) && incident_list_read(&list, &view, &query, &err)) {
		text_raw(&reply->body, "{\"incidents\":[");
		for (size_t i = 0; i < list.count; i++) {
			text_raw(&reply->body, i ? "," : "");
			put_incident(&reply->body, &view, list.monitors[i], &list.incidents[i], false);
		}
		text_printf(&reply->body, "],\"more\":%s}", list.more ? "true" : "false");
		finish(req, reply);
	} else {
		fail(reply, &err);
	}
	incident_list_clear(&list);
	view_close(&view);
}

void api_incident(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	const struct view_monitor *m;
	struct error err = {ERROR_MISSING, ""};
	struct incident incident;
	struct view view;
	uint64_t id;

	if (!api_view(&view, web, req, reply))
		return;
	if (text_to_u64(match->name, &id) && id <= UINT32_MAX &&
		incident_read(&view, (uint32_t)id, &incident, &m, &err)) {
		put_incident(&reply->body, &view, m, &incident, true);
		incident_clear(&incident);
		finish(req, reply);
	} else {
		fail(reply, &err);
	}
	view_close(&view);
}
