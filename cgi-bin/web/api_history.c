/* SPDX-License-Identifier: ISC */
/* api: a monitor over time: /api/v1/monitors/SLUG/history and .../uptime. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/report.h"
#include "web/api.h"
#include "web/history.h"

#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

/* What is asked: a monitor and a span. */
struct span {
	struct view view;
	const struct view_monitor *monitor;
	int64_t from_s, to_s, hold_s;
};

/* false: the reply says why, and nothing is open. */
static bool span_open(struct span *span, struct web *web, struct request *req,
	const struct route_match *match, struct reply *reply)
{
	int64_t now_s = req->now.wall_us / US_PER_S;

	span->to_s = now_s;
	span->from_s = -1;
	if (!api_number(req, reply, "to", 0, TIME_MAX, &span->to_s))
		return false;
	span->to_s = span->to_s < now_s ? span->to_s : now_s;
	if (!api_number(req, reply, "from", 0, TIME_MAX, &span->from_s))
		return false;
	if (span->from_s < 0)
		span->from_s = span->to_s > HISTORY_DAY_S ? span->to_s - HISTORY_DAY_S : 0;
	if (span->from_s >= span->to_s) {
		api_problem(reply, 400, "\"from\" must be before \"to\", and in the past.");
		return false;
	}
	if (!api_view(&span->view, web, req, reply))
		return false;
	span->monitor = view_find(&span->view, match->name);
	if (!span->monitor) {
		api_missing(reply);
		view_close(&span->view);
		return false;
	}
	span->hold_s = history_hold_s(span->monitor->listed->interval_ms, span->view.pass.cadence_us);
	return true;
}

static void span_fail(struct reply *reply, const struct error *err)
{
	log_limited("api: history", "history: %s", err->text);
	api_problem(reply, 503, "The store cannot be read now.");
	reply_header(reply, "Retry-After", "60");
}

static void put_seconds(struct text *t, const struct rollup *r)
{
	double uptime = series_uptime(r);

	text_printf(t, "\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"uptime\":", r->from_s, r->to_s);
	if (uptime < 0)
		text_raw(t, "null");
	else
		text_printf(t, "%.6f", uptime);
	text_printf(t, ",\"up_s\":%" PRId64 ",\"down_s\":%" PRId64 ",\"unknown_s\":%" PRId64, r->up_s,
		r->down_s, r->unknown_s);
}

static void put_response(struct text *t, const struct rollup *r)
{
	const struct {
		const char *name;
		uint32_t us;
	} rows[] = {{"min_ms", r->min_us}, {"mean_ms", r->mean_us}, {"p50_ms", r->p50_us},
		{"p95_ms", r->p95_us}, {"max_ms", r->max_us}};

	text_printf(t, ",\"count\":%u", r->count);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_printf(t, ",\"%s\":", rows[i].name);
		report_ms(t, r->count ? rows[i].us : 0);
	}
}

static void finish(struct request *req, struct reply *reply)
{
	reply->type = TYPE_JSON;
	reply->cache_s = 0;
	reply_etag(reply, req, NULL, 0);
}

/* "hour", "day", or a number of seconds; 0 when it is none of these. */
static int64_t resolution(const char *value, int64_t span_s)
{
	int64_t step;

	if (!value || !*value)
		return span_s <= 6 * HISTORY_HOUR_S  ? 60 :
			span_s <= 14 * HISTORY_DAY_S ? HISTORY_HOUR_S :
						       HISTORY_DAY_S;
	if (strcmp(value, "hour") == 0)
		return HISTORY_HOUR_S;
	if (strcmp(value, "day") == 0)
		return HISTORY_DAY_S;
	return text_to_i64(value, &step) && step >= 10 && step <= 366 * HISTORY_DAY_S ? step : 0;
}

static bool put_points(struct span *span, int64_t step, struct text *t, struct error *err)
{
	struct rollup *points;
	size_t n;

	if (step < HISTORY_HOUR_S && span->to_s - span->from_s > 2 * HISTORY_DAY_S)
		step = HISTORY_HOUR_S; /* so many samples are not read for one answer */
	if (!history_points(span->view.txn, span->monitor->listed->id, span->from_s, span->to_s, step,
		    span->hold_s, &points, &n, err))
		return false;
	text_raw(t, "{\"monitor\":");
	text_json_string(t, span->monitor->listed->slug);
	text_printf(
		t, ",\"resolution\":%" PRId64 ",\"points\":[", n ? points[0].to_s - points[0].from_s : step);
	for (size_t i = 0; i < n; i++) {
		text_raw(t, i ? ",{" : "{");
		put_seconds(t, &points[i]);
		put_response(t, &points[i]);
		text_char(t, '}');
	}
	text_raw(t, "]}\n");
	free(points);
	return true;
}

void api_history(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {0};
	struct span span;
	char *asked;
	int64_t step;

	if (!span_open(&span, web, req, match, reply))
		return;
	asked = request_query(req, "resolution");
	step = resolution(asked, span.to_s - span.from_s);
	free(asked);
	if (step == 0)
		api_problem(
			reply, 400, "\"resolution\" is \"hour\", \"day\" or a number of seconds from 10.");
	else if (put_points(&span, step, &reply->body, &err))
		finish(req, reply);
	else
		span_fail(reply, &err);
	view_close(&span.view);
}

void api_uptime(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {0};
	struct rollup sum;
	struct span span;

	if (!span_open(&span, web, req, match, reply))
		return;
	if (history_sum(span.view.txn, span.monitor->listed->id, span.from_s, span.to_s, span.hold_s, true,
		    &sum, &err)) {
		sum.from_s = span.from_s;
		sum.to_s = span.to_s;
		text_raw(&reply->body, "{\"monitor\":");
		text_json_string(&reply->body, span.monitor->listed->slug);
		text_char(&reply->body, ',');
		put_seconds(&reply->body, &sum);
		put_response(&reply->body, &sum);
		text_raw(&reply->body, "}\n");
		finish(req, reply);
	} else {
		span_fail(reply, &err);
	}
	view_close(&span.view);
}
