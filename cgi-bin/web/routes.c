/* SPDX-License-Identifier: ISC */
/*
 * The table of routes, and the dispatcher that enforces what its rows state. See routes.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/badge.h"
#include "web/beat.h"
#include "web/books.h"
#include "web/compat_statuspage.h"
#include "web/compat_uptimerobot.h"
#include "web/feed.h"
#include "web/hooks.h"
#include "web/metrics.h"
#include "web/operate.h"
#include "web/page.h"
#include "web/pages.h"
#include "web/peer.h"
#include "web/ping.h"
#include "web/routes.h"
#include "web/up.h"

#define GET (METHOD_GET | METHOD_HEAD)
#define POST METHOD_POST

static const struct route routes[] = {
	/* Heartbeats: the handlers keep an order of refusals of their own. */
	{GET, "/beat", MAY_ANYONE, beat_get_default, NULL, false},
	{POST, "/beat", MAY_ANYONE, beat_post_default, NULL, true},
	{GET, "/beat/{}", MAY_ANYONE, beat_get, NULL, false},
	{POST, "/beat/{}", MAY_ANYONE, beat_post, NULL, true},
	{POST, "/beat/{}/{}", MAY_ANYONE, beat_post, NULL, true},
	/* The clients of other systems: their token is their proof. */
	{GET | POST, "/ping/{}", MAY_ANYONE, ping_healthchecks, NULL, false},
	{GET | POST, "/ping/{}/{}", MAY_ANYONE, ping_healthchecks, NULL, false},
	{GET | POST, "/ping/{}/{}/{}", MAY_ANYONE, ping_healthchecks, NULL, false},
	{GET | POST, "/api/push/{}", MAY_ANYONE, ping_kuma, NULL, false},
	/* Third parties that look at the same things. Some accounts can only GET. */
	{GET | POST, "/hook/{}/{}", MAY_ANYONE, hooks_take, NULL, false},
	{POST, "/peer/{}", MAY_ANYONE, peer_take, NULL, true},
	/* For those who watch us, or route by us. */
	{GET, "/up", MAY_ANYONE, up_all, NULL, false},
	{GET, "/up/{}", MAY_ANYONE, up_one, NULL, false},
	{GET, "/healthz", MAY_ANYONE, up_healthz, NULL, false},
	/* The original Monitor Server's address, when a heartbeat is called "default". */
	{GET, "/", MAY_ANYONE, beat_get_root, beat_is_root, false},
	{POST, "/", MAY_ANYONE, beat_post_root, beat_is_root, true},
	/* What people look at. */
	{GET, "/", MAY_VIEW, page_dashboard, NULL, false},
	{GET, "/m/{}", MAY_VIEW, page_monitor, NULL, false},
	{GET, "/history", MAY_VIEW, page_history, NULL, false},
	{GET, "/i/{}", MAY_VIEW, page_incident, NULL, false},
	{GET, "/static/{}/{}", MAY_ANYONE, page_static, NULL, true},
	{POST, "/m/{}/{}", MAY_OPERATE, operate_form, NULL, false},
	/* What programs look at. */
	{GET, "/api/v1/monitors", MAY_VIEW, api_monitors, NULL, false},
	{GET, "/api/v1/monitors/{}", MAY_VIEW, api_monitor, NULL, false},
	{GET, "/api/v1/monitors/{}/history", MAY_VIEW, api_history, NULL, false},
	{GET, "/api/v1/monitors/{}/uptime", MAY_VIEW, api_uptime, NULL, false},
	{POST, "/api/v1/monitors/{}/{}", MAY_OPERATE, operate_api, NULL, false},
	{GET, "/openapi.json", MAY_ANYONE, api_openapi, NULL, true},
	{GET, "/metrics", MAY_VIEW, metrics_page, NULL, false},
	{GET, "/badge/{}", MAY_VIEW, badge_any, NULL, false},
	{GET, "/feed.atom", MAY_VIEW, feed_atom, NULL, false},
	{GET, "/api/v2/{}", MAY_VIEW, statuspage_any, NULL, false},
	{POST, "/v2/getMonitors", MAY_ANYONE, uptimerobot_get_monitors, NULL, false},
	{GET, "/api/v1/incidents", MAY_VIEW, api_incidents, NULL, false},
	{GET, "/api/v1/incidents/{}", MAY_VIEW, api_incident, NULL, false},
};

/* ---- matching */

struct parts {
	char text[3][ROUTE_PART_MAX + 1];
	size_t count;
};

/* Does `path` have the pattern's form? Its variable parts go to *parts. */
static bool matches(const char *pattern, const char *path, struct parts *parts)
{
	parts->count = 0;
	while (*pattern != '\0') {
		size_t n;

		if (strncmp(pattern, "{}", 2) != 0) {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		n = strcspn(path, "/");
		if (n == 0 || n > ROUTE_PART_MAX || parts->count == COUNT_OF(parts->text))
			return false;
		memcpy(parts->text[parts->count], path, n);
		parts->text[parts->count++][n] = '\0';
		pattern += 2;
		path += n;
	}
	return *path == '\0' || (path[0] == '/' && path[1] == '\0'); /* one final slash is forgiven */
}

/* The row for this request; else NULL, and *allowed has the methods that this path would take. */
static const struct route *find(struct web *web, const struct request *req, struct parts *parts,
	unsigned *allowed)
{
	size_t i;

	*allowed = 0;
	for (i = 0; i < COUNT_OF(routes); i++) {
		const struct route *route = &routes[i];

		if (!matches(route->path, req->path, parts))
			continue;
		if (route->applies != NULL && !route->applies(web, req))
			continue;
		if (route->methods & req->method)
			return route;
		*allowed |= route->methods;
	}
	return NULL;
}

/* ---- answers of the dispatcher itself */

static void not_allowed(struct reply *reply, unsigned allowed)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{METHOD_GET, "GET"}, {METHOD_HEAD, "HEAD"}, {METHOD_POST, "POST"}};
	struct text list = TEXT_INIT;
	size_t i;

	for (i = 0; i < COUNT_OF(names); i++)
		if (allowed & names[i].bit)
			text_printf(&list, "%s%s", list.len > 0 ? ", " : "", names[i].name);
	reply_error_json(reply, 405, "this address takes %s", text_str(&list));
	reply_header(reply, "Allow", text_str(&list));
	text_free(&list);
}

/* Nothing can be said without a state. What is still to be done is said to whoever comes. */
static void no_state(struct web *web, struct request *req, struct reply *reply, const struct error *err)
{
	bool missing = err->kind == ERROR_MISSING;

	log_limited("no-state", "no state at %s: %s", web_directory(web), err->text);
	if (req->method != METHOD_POST && request_wants_html(req)) {
		page_unavailable(req, reply, err);
		return;
	}
	if (missing)
		reply_unavailable(reply, 60,
			"there is no state yet; the prober has to run: add this line to the "
			"crontab: * * * * * upbeat-prober -c /etc/upbeat/upbeat.json");
	else
		reply_unavailable(reply, 60, "the state cannot be read; why is in the log");
}

/* ---- dispatch */

/* true when they may; else the answer is set. */
static bool check_access(struct web *web, struct request *req, enum may needs, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct site site;
	struct asker asker;
	struct state *state = web_state(web, &err);
	struct state_txn *txn;
	bool may = false, sees = false;

	if (needs == MAY_ANYONE || state == NULL)
		return true; /* such rows answer for themselves, and show nothing */
	memset(&site, 0, sizeof(site));
	txn = state_begin(state, false, &err);
	if (txn == NULL || !state_site(txn, &site, &err)) {
		state_end(txn);
		no_state(web, req, reply, &err);
		return false;
	}
	state_end(txn);
	access_asker(req, &site, &asker);
	may = access_may(&asker, needs);
	sees = access_may(&asker, MAY_VIEW);
	site_clear(&site);
	if (!may && sees)
		reply_error_json(reply, 403,
			"this takes somebody who may act: come through /staff/ or send a key");
	else if (!may)
		page_not_found(req, reply);
	return may;
}

void routes_dispatch(struct web *web, struct request *req, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct parts parts;
	unsigned allowed;
	const struct route *route;
	bool have_state = web_state(web, &err) != NULL;

	if (req->bad != NULL) {
		reply_error_json(reply, 400, "%s", req->bad);
		return;
	}
	route = find(web, req, &parts, &allowed);
	if (route == NULL && allowed != 0)
		not_allowed(reply, allowed);
	else if (!have_state && (route == NULL || !route->before_state))
		no_state(web, req, reply, &err);
	else if (req->staff_bare) {
		reply_text(reply, 301, "");
		reply_header(reply, "Location", "staff/");
	} else if (route == NULL)
		page_not_found(req, reply);
	else if (check_access(web, req, route->needs, reply)) {
		struct route_match match = {
			parts.count > 0 ? parts.text[0] : "",
			parts.count > 1 ? parts.text[1] : "",
			parts.count > 2 ? parts.text[2] : "",
		};

		route->handler(web, req, &match, reply);
	}
}
