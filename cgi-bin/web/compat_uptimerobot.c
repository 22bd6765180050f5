/* SPDX-License-Identifier: ISC */
/* compat_uptimerobot: their parameters, their codes, their types of values (ratios are strings). */
#include "web/compat_uptimerobot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/history.h"
#include "web/incident_list.h"
#include "web/target.h"

#define FORM_MAX (16 * 1024)
#define LIMIT 50 /* theirs */
#define LOGS_MAX 50
#define RATIOS_MAX 32
#define ALL_TIME_DAYS 365

/* ---- what is asked */

struct asked {
	struct request *req;
	char *monitors, *types, *statuses, *search, *ratios;
	int64_t offset, limit, logs_limit, response_limit;
	bool logs, response_times, response_average, all_time, ssl, alert_contacts;
};

static bool flag(const struct request *req, const char *name)
{
	char *value = request_form(req, name);
	bool on = value && strcmp(value, "1") == 0;

	free(value);
	return on;
}

/* A number of the form within [0, max]; `otherwise` when it is absent or none. */
static int64_t number(const struct request *req, const char *name, int64_t max, int64_t otherwise)
{
	char *value = request_form(req, name);
	uint64_t n;

	if (value && text_to_u64(value, &n) && n <= INT64_MAX)
		otherwise = (int64_t)n < max ? (int64_t)n : max;
	free(value);
	return otherwise;
}

static void read_form(struct asked *asked, struct request *req)
{
	*asked = (struct asked){.req = req,
		.monitors = request_form(req, "monitors"),
		.types = request_form(req, "types"),
		.statuses = request_form(req, "statuses"),
		.search = request_form(req, "search"),
		.ratios = request_form(req, "custom_uptime_ratios"),
		.offset = number(req, "offset", INT32_MAX, 0),
		.limit = number(req, "limit", LIMIT, LIMIT),
		.logs_limit = number(req, "logs_limit", LOGS_MAX, LOGS_MAX),
		.response_limit = number(req, "response_times_limit", 1000, 24),
		.logs = flag(req, "logs"),
		.response_times = flag(req, "response_times"),
		.response_average = flag(req, "response_times_average"),
		.all_time = flag(req, "all_time_uptime_ratio"),
		.ssl = flag(req, "ssl"),
		.alert_contacts = flag(req, "alert_contacts")};
}

static void free_form(struct asked *asked)
{
	free(asked->monitors);
	free(asked->types);
	free(asked->statuses);
	free(asked->search);
	free(asked->ratios);
}

/* Is the number one of "1-7-30"? An absent or empty list has everything. */
static bool in_list(const char *list, uint64_t wanted)
{
	if (!list || !*list)
		return true;
	for (const char *at = list; *at;) {
		char part[24];
		size_t n = strcspn(at, "-");
		uint64_t value;

		if (n < sizeof(part)) {
			memcpy(part, at, n);
			part[n] = '\0';
			if (text_to_u64(part, &value) && value == wanted)
				return true;
		}
		at += n + (at[n] == '-');
	}
	return false;
}

/* ---- their codes */

static int type_code(const struct view_monitor *m)
{
	static const struct {
		const char *type;
		int code;
	} rows[] = {{"http", 1}, {"keyword", 2}, {"ping", 3}, {"port", 4}, {"heartbeat", 5}};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(m->listed->type, rows[i].type) == 0)
			return rows[i].code;
	return strcmp(m->listed->type, "tls") == 0 ? 4 : 1;
}

static int status_code(enum monitor_state state)
{
	static const int codes[STATE__COUNT] = {[STATE_PENDING] = 1,
		[STATE_UP] = 2,
		[STATE_SUSPECT] = 8,
		[STATE_DOWN] = 9,
		[STATE_UNKNOWN] = 1,
		[STATE_PAUSED] = 0};

	return codes[state];
}

static bool matches(const struct asked *asked, const struct view_monitor *m)
{
	if (asked->search && *asked->search && !strcasestr(m->listed->name, asked->search))
		return false;
	return in_list(asked->monitors, m->listed->id) && in_list(asked->types, (uint64_t)type_code(m)) &&
		in_list(asked->statuses, (uint64_t)status_code(m->state));
}

/* ---- one monitor */

struct answer {
	struct text *t;
	const struct view *view;
	const struct asked *asked;
	struct error *err;
};

/* A figure there must be, and where nothing was seen yet it is what the monitor is now: 0 would be read as an
   outage of all that time. */
static double ratio(const struct rollup *sum, enum monitor_state state)
{
	double uptime = series_uptime(sum);

	if (uptime < 0)
		uptime = state == STATE_UP || state == STATE_SUSPECT ? 1 : 0;
	return uptime;
}

static bool put_ratio(struct answer *a, const struct view_monitor *m, int64_t days)
{
	int64_t now_s = a->view->now_us / US_PER_S;
	struct rollup sum;

	if (!history_sum(a->view->txn, m->listed->id, now_s - days * HISTORY_DAY_S, now_s,
		    history_hold_s(m->listed->interval_ms, a->view->pass.cadence_us), true, &sum, a->err))
		return false;
	text_printf(a->t, "%.3f", ratio(&sum, m->state) * 100);
	return true;
}

/* "7-30" -> "100.000-99.950" */
static bool put_ratios(struct answer *a, const struct view_monitor *m)
{
	const char *at = a->asked->ratios;
	bool ok = true;

	text_raw(a->t, ",\"custom_uptime_ratio\":\"");
	for (int i = 0; ok && *at && i < RATIOS_MAX; i++) {
		size_t n = strcspn(at, "-");
		char part[8] = "";
		uint64_t days;

		memcpy(part, at, n < sizeof(part) ? n : 0);
		if (!text_to_u64(part, &days) || days < 1 || days > 3660)
			days = 1;
		text_raw(a->t, i ? "-" : "");
		ok = put_ratio(a, m, (int64_t)days);
		at += n + (at[n] == '-');
	}
	text_char(a->t, '"');
	return ok;
}

static void put_log(
	struct answer *a, bool first, int type, int64_t from_us, int64_t to_us, const char *detail)
{
	text_printf(a->t,
		"%s{\"id\":%" PRId64 ",\"type\":%d,\"datetime\":%" PRId64 ",\"duration\":%" PRId64
		",\"reason\":{\"code\":\"%s\",\"detail\":",
		first ? "" : ",", from_us / US_PER_S, type, from_us / US_PER_S, (to_us - from_us) / US_PER_S,
		type == 1 ? "333333" : "200");
	text_json_string(a->t, detail);
	text_raw(a->t, "}}");
}

/* Down and up again in turn, newest first. */
static bool put_logs(struct answer *a, const struct view_monitor *m)
{
	struct incident_query query = {.monitor = m, .most = LOGS_MAX};
	struct incident_list list;
	int64_t later_us = a->view->now_us, left = a->asked->logs_limit;

	if (!incident_list_read(&list, a->view, &query, a->err))
		return false;
	text_raw(a->t, ",\"logs\":[");
	for (size_t i = 0; i < list.count && left > 0; i++) {
		const struct incident *incident = &list.incidents[i];
		int64_t ended_us = incident->ended_us ? incident->ended_us : a->view->now_us;

		if (incident->ended_us) {
			put_log(a, left-- == a->asked->logs_limit, 2, ended_us, later_us, "OK");
			if (left == 0)
				break;
		}
		put_log(a, left-- == a->asked->logs_limit, 1, incident->started_us, ended_us,
			a->view->asker.sees_all && incident->cause ? incident->cause : "down");
		later_us = incident->started_us;
	}
	text_char(a->t, ']');
	incident_list_clear(&list);
	return true;
}

static bool put_response_times(struct answer *a, const struct view_monitor *m)
{
	/* Up to the end of this second: what was just measured is in it. */
	int64_t to_s = a->view->now_us / US_PER_S + 1, left = a->asked->response_limit;
	struct rollup *points, sum = {0};
	bool first = true;
	size_t n;

	if (!history_points(a->view->txn, m->listed->id, to_s - HISTORY_DAY_S, to_s, HISTORY_HOUR_S,
		    history_hold_s(m->listed->interval_ms, a->view->pass.cadence_us), &points, &n, a->err))
		return false;
	text_raw(a->t, ",\"response_times\":[");
	for (size_t i = n; i-- > 0 && left > 0;) {
		if (!points[i].count)
			continue;
		series_merge(&sum, &points[i]);
		text_printf(a->t, "%s{\"datetime\":%" PRId64 ",\"value\":%u}", first ? "" : ",",
			points[i].from_s, points[i].mean_us / 1000);
		first = false;
		left--;
	}
	text_printf(a->t, "],\"average_response_time\":\"%.3f\"", sum.mean_us / 1000.0);
	free(points);
	return true;
}

/* What is looked at; for what has no address, and for those who may not see it, its slug. */
static bool put_url(struct answer *a, const struct view_monitor *m)
{
	struct monitor monitor = {0};
	char *target;

	if (!state_monitor(a->view->txn, m->listed->id, &monitor, a->err))
		return false;
	target = a->view->asker.sees_all ? target_of(&monitor) : NULL;
	text_raw(a->t, ",\"url\":");
	text_json_string(a->t, target ? target : m->listed->slug);
	free(target);
	monitor_clear(&monitor);
	return true;
}

static bool put_monitor(struct answer *a, const struct view_monitor *m)
{
	text_printf(a->t, "{\"id\":%u,\"friendly_name\":", m->listed->id);
	text_json_string(a->t, m->listed->name);
	if (!put_url(a, m))
		return false;
	text_printf(a->t,
		",\"type\":%d,\"sub_type\":\"\",\"keyword_type\":null,\"keyword_case_type\":null,\"keyword_"
		"value\":\"\","
		"\"http_username\":\"\",\"http_password\":\"\",\"port\":\"\",\"interval\":%" PRId64
		",\"timeout\":30,\"status\":%d,"
		"\"create_datetime\":%" PRId64,
		type_code(m), m->listed->interval_ms / 1000, status_code(m->state), m->since_us / US_PER_S);
	if (a->asked->ratios && *a->asked->ratios && !put_ratios(a, m))
		return false;
	if (a->asked->all_time) {
		text_raw(a->t, ",\"all_time_uptime_ratio\":\"");
		if (!put_ratio(a, m, ALL_TIME_DAYS))
			return false;
		text_char(a->t, '"');
	}
	if (a->asked->alert_contacts)
		text_raw(a->t, ",\"alert_contacts\":[]");
	if (a->asked->ssl && m->certificate_s)
		text_printf(a->t, ",\"ssl\":{\"brand\":\"\",\"product\":null,\"expires\":%" PRId64 "}",
			m->certificate_s);
	if (a->asked->logs && !put_logs(a, m))
		return false;
	if ((a->asked->response_times || a->asked->response_average) && !put_response_times(a, m))
		return false;
	text_char(a->t, '}');
	return true;
}

/* ---- the answer */

static bool put_monitors(struct answer *a)
{
	struct text *t = a->t, rows = TEXT_INIT;
	int64_t total = 0, shown = 0;
	bool ok = true;

	/* cppcheck-suppress autoVariables ; taken back below */
	a->t = &rows;
	for (size_t i = 0; ok && i < a->view->count; i++) {
		if (!matches(a->asked, &a->view->monitors[i]))
			continue;
		if (total++ < a->asked->offset || shown == a->asked->limit)
			continue;
		text_raw(&rows, shown++ ? "," : "");
		ok = put_monitor(a, &a->view->monitors[i]);
	}
	text_printf(t,
		"{\"stat\":\"ok\",\"pagination\":{\"offset\":%" PRId64 ",\"limit\":%" PRId64
		",\"total\":%" PRId64 "},\"monitors\":[",
		a->asked->offset, a->asked->limit, total);
	text_rawn(t, text_str(&rows), rows.len);
	text_raw(t, "]}\n");
	text_free(&rows);
	a->t = t;
	return ok;
}

static void fail(struct reply *reply, const char *parameter, const char *message)
{
	reply->type = TYPE_JSON;
	text_clear(&reply->body);
	text_printf(&reply->body,
		"{\"stat\":\"fail\",\"error\":{\"type\":\"invalid_parameter\",\"parameter_name\":\"%s\","
		"\"passed_value\":\"\",\"message\":\"%s\"}}\n",
		parameter, message);
}

void uptimerobot_get_monitors(
	struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {0};
	struct asked asked;
	struct view view;
	struct answer answer = {&reply->body, &view, &asked, &err};

	(void)match;
	if (request_body(req, FORM_MAX) != BODY_OK) {
		fail(reply, "api_key", "The form could not be read.");
		return;
	}
	if (!api_view(&view, web, req, reply))
		return;
	if (view.asker.kind == ASKER_VISITOR) {
		fail(reply, "api_key", "api_key is invalid.");
		view_close(&view);
		return;
	}
	read_form(&asked, req);
	reply->type = TYPE_JSON;
	if (!put_monitors(&answer)) {
		text_clear(&reply->body);
		reply_unavailable(reply, 60, "the store cannot be read now");
	}
	free_form(&asked);
	view_close(&view);
}
