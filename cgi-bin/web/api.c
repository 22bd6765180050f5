/* SPDX-License-Identifier: ISC */
/* api: monitors. History is in api_history.c, incidents in api_incident.c, requests in operate.c. */
#include "web/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/quorum.h"
#include "model/report.h"
#include "web/asset.h"
#include "web/listing.h"

#define PER_PAGE 200
#define PER_PAGE_MAX 1000

/* ---- common ground */

static const char *title_of(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 409:
		return "Conflict";
	default:
		return "Service Unavailable";
	}
}

void api_problem(struct reply *reply, int status, const char *format, ...)
{
	struct text detail = TEXT_INIT, *t = &reply->body;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&detail, format, ap);
	va_end(ap);
	reply->status = status;
	reply->type = TYPE_PROBLEM;
	text_clear(t);
	text_printf(t,
		"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":", title_of(status),
		status);
	text_json_string(t, text_str(&detail));
	text_raw(t, "}\n");
	text_free(&detail);
}

void api_missing(struct reply *reply)
{
	api_problem(reply, 404, "There is no such thing here.");
}

bool api_view(struct view *view, struct web *web, struct request *req, struct reply *reply)
{
	struct error err = {0};

	if (view_open(view, web, req, &err))
		return true;
	if (err.kind != ERROR_MISSING)
		log_limited("api: state", "api: %s", err.text);
	api_problem(reply, 503, "%s",
		err.kind == ERROR_MISSING ? "There is no state yet: the prober has not run." :
					    "The store cannot be read now.");
	reply_header(reply, "Retry-After", "60");
	return false;
}

bool api_number(const struct request *req, struct reply *reply, const char *name, int64_t min, int64_t max,
	int64_t *out)
{
	char *value = request_query(req, name);
	int64_t number;
	bool ok = true;

	if (value && *value) {
		ok = text_to_i64(value, &number) && number >= min && number <= max;
		if (ok)
			*out = number;
		else
			api_problem(reply, 400,
				"\"%s\" must be a whole number from %" PRId64 " to %" PRId64 ".", name, min,
				max);
	}
	free(value);
	return ok;
}

void api_put_monitor(struct text *t, const struct view *view, const struct view_monitor *m)
{
	char *cause = view_cause(view, m);

	report_open(t,
		&(const struct report){.slug = m->listed->slug,
			.name = m->listed->name,
			.type = m->listed->type,
			.group = m->listed->group_name,
			.state = m->state,
			.since_us = m->since_us,
			.cause = cause,
			.checked_us = m->checked_us,
			.response_us = m->response_us,
			.incident = m->incident});
	free(cause);
}

static void finish(struct request *req, struct reply *reply)
{
	text_char(&reply->body, '\n');
	reply->type = TYPE_JSON;
	reply->cache_s = 0;
	reply_etag(reply, req, NULL, 0);
}

/* ---- lists of monitors */

static void put_passes(struct text *t, const struct view *view)
{
	text_raw(t, "\"passes\":{\"last\":");
	report_time(t, view->watched_us);
	text_printf(t, ",\"fresh\":%s}",
		view->watching == WATCHING || view->watching == WATCHING_BLIND ? "true" : "false");
}

static void put_config(struct text *t, const struct view *view)
{
	text_printf(t, "\"config\":{\"ok\":%s,\"problems\":[", view->pass.config_ok ? "true" : "false");
	for (size_t i = 0; i < view->problem_count; i++) {
		const struct problem *p = &view->problems[i];

		text_printf(t, "%s{\"file\":", i ? "," : "");
		report_string(t, p->file);
		text_printf(t, ",\"line\":%u,\"column\":%u,\"text\":", p->line, p->column);
		text_json_string(t, p->text);
		text_printf(t, ",\"warning\":%s}", p->warning ? "true" : "false");
	}
	text_raw(t, "]}");
}

/* A state that does not exist is a mistake of the client's, unlike on a page. */
static bool check_query(const struct request *req, struct reply *reply)
{
	char *state = request_query(req, "state");
	enum monitor_state ignored;
	bool ok = !state || !*state || monitor_state_parse(state, &ignored);

	if (!ok)
		api_problem(reply, 400, "\"state\" is none of pending, up, suspect, down, unknown, paused.");
	free(state);
	return ok;
}

/* As a page's query, but pages of a list that nobody sorts stay what they are when states change. */
static void read_query(struct listing_query *query, const struct request *req)
{
	char *sort = request_query(req, "sort");

	listing_query_read(query, req);
	if (!sort)
		query->sort = SORT_CONFIGURED;
	free(sort);
}

static void put_monitors(struct text *t, const struct view *view, const struct listing *listing)
{
	text_raw(t, "\"monitors\":[");
	for (size_t i = 0; i < listing->row_count; i++) {
		text_raw(t, i ? "," : "");
		api_put_monitor(t, view, listing->rows[i]);
		text_char(t, '}');
	}
	text_char(t, ']');
}

void api_monitors(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	int64_t page = 1, per_page = PER_PAGE;
	struct listing_query query;
	struct listing listing;
	struct text *t = &reply->body;
	struct view view;

	(void)match;
	if (!check_query(req, reply) || !api_number(req, reply, "page", 1, 1000000, &page) ||
		!api_number(req, reply, "per_page", 1, PER_PAGE_MAX, &per_page) ||
		!api_view(&view, web, req, reply))
		return;
	read_query(&query, req);
	listing_page(&listing, &view, &query, (size_t)page, (size_t)per_page);
	text_char(t, '{');
	put_passes(t, &view);
	if (view.asker.sees_all) {
		text_char(t, ',');
		put_config(t, &view);
	}
	text_printf(t, ",\"total\":%zu,\"page\":%" PRId64 ",\"per_page\":%" PRId64 ",", listing.matching,
		page, per_page);
	put_monitors(t, &view, &listing);
	text_char(t, '}');
	listing_clear(&listing);
	listing_query_clear(&query);
	view_close(&view);
	finish(req, reply);
}

/* ---- one monitor */

static void put_marks(struct text *t, unsigned marks)
{
	static const struct {
		unsigned mark;
		const char *name;
	} names[] = {{MARK_MAINTENANCE, "maintenance"}, {MARK_FLAPPING, "flapping"}, {MARK_SLOW, "slow"},
		{MARK_CERTIFICATE, "certificate"}, {MARK_ACKNOWLEDGED, "acknowledged"}};
	const char *between = "";

	text_raw(t, ",\"marks\":[");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(marks & names[i].mark))
			continue;
		text_printf(t, "%s\"%s\"", between, names[i].name);
		between = ",";
	}
	text_char(t, ']');
}

static void put_more(struct text *t, const struct view_monitor *m)
{
	text_raw(t, ",\"tags\":[");
	for (size_t i = 0; i < m->listed->tag_count; i++) {
		text_raw(t, i ? "," : "");
		text_json_string(t, m->listed->tags[i]);
	}
	text_printf(t, "],\"public\":%s,\"interval\":", m->listed->is_public ? "true" : "false");
	text_json_seconds(t, m->listed->interval_ms * US_PER_MS);
	put_marks(t, m->marks);
	text_raw(t, ",\"certificate_expires\":");
	report_number(t, (uint64_t)m->certificate_s);
}

/* What other places saw last, for those who may see errors. */
static void put_places(struct text *t, const struct view *view, const struct view_monitor *m)
{
	struct sighting *list = NULL;
	struct monitor monitor = {0};
	size_t n = 0;

	if (!view->asker.sees_all)
		return;
	if (state_monitor(view->txn, m->listed->id, &monitor, NULL))
		view_places(view, m, &monitor, &list, &n);
	monitor_clear(&monitor);
	text_raw(t, ",\"places\":[");
	for (size_t i = 0; i < n; i++) {
		text_raw(t, i ? ",{\"name\":" : "{\"name\":");
		text_json_string(t, list[i].from);
		text_printf(t, ",\"sees\":\"%s\",\"at\":", outcome_name(list[i].sees));
		report_time(t, list[i].heard_us);
		text_printf(t, ",\"counts\":%s,\"cause\":", quorum_counts(&list[i], view->now_us) ? "true" : "false");
		report_string(t, list[i].detail);
		text_char(t, '}');
	}
	text_char(t, ']');
	sightings_free(list, n);
}

void api_monitor(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	const struct view_monitor *m;
	struct view view;

	if (!api_view(&view, web, req, reply))
		return;
	m = view_find(&view, match->name);
	if (m) {
		api_put_monitor(&reply->body, &view, m);
		put_more(&reply->body, m);
		put_places(&reply->body, &view, m);
		text_char(&reply->body, '}');
		finish(req, reply);
	} else {
		api_missing(reply);
	}
	view_close(&view);
}

/* ---- the description */

void api_openapi(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	const struct asset *asset = asset_find("openapi.json");

	(void)web;
	(void)match;
	reply->type = TYPE_JSON;
	reply->cache_s = 0;
	reply->is_public = true;
	text_rawn(&reply->body, asset->bytes, asset->len);
	reply_etag(reply, req, asset->hash, strlen(asset->hash));
}
