/* SPDX-License-Identifier: ISC */
/*
 * page_monitor: GET /m/SLUG: everything about one monitor: how it is, how it was, who is told, and what a
 * person may do about it.
 */
#include "web/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/chart.h"
#include "web/csrf.h"
#include "web/history.h"
#include "web/incident_list.h"
#include "web/page.h"
#include "web/page_beat.h"
#include "web/page_parts.h"

#define INCIDENTS_SHOWN 10
#define CHECKS_SHOWN 20
#define CALENDAR_DAYS 90

/* What the page is about. */
struct subject {
	struct page *page;
	const struct view_monitor *m;
	struct monitor monitor;
	struct judge judge;
	int64_t now_s, hold_s;
};

/* ---- uptime figures */

static void put_percent(struct data *d, const char *name, const struct rollup *sum)
{
	page_put_percent(d, name, series_uptime(sum));
}

static bool put_uptimes(struct subject *s, struct error *err)
{
	static const struct {
		int64_t days;
		enum word word;
	} lengths[] = {
		{1, WORD_UPTIME_24H}, {30, WORD_UPTIME_30D}, {90, WORD_UPTIME_90D}, {365, WORD_UPTIME_1Y}};

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct data *item = data_item(s->page->data, "uptimes");
		struct rollup sum;

		if (!history_sum(s->page->view.txn, s->m->listed->id,
			    s->now_s - lengths[i].days * HISTORY_DAY_S, s->now_s, s->hold_s, true, &sum, err))
			return false;
		data_text(item, "span", word(s->page->language, lengths[i].word));
		put_percent(item, "percent", &sum);
	}
	return true;
}

/* ---- chart */

static const struct span {
	const char *name;
	int64_t length_s, step_s;
	enum word word;
} spans[] = {
	{"1h", HISTORY_HOUR_S, 60, WORD_SPAN_1H},
	{"24h", HISTORY_DAY_S, 720, WORD_SPAN_24H},
	{"7d", 7 * HISTORY_DAY_S, HISTORY_HOUR_S, WORD_SPAN_7D},
	{"30d", 30 * HISTORY_DAY_S, 4 * HISTORY_HOUR_S, WORD_SPAN_30D},
	{"90d", 90 * HISTORY_DAY_S, HISTORY_DAY_S, WORD_SPAN_90D},
	{"1y", 365 * HISTORY_DAY_S, HISTORY_DAY_S, WORD_SPAN_1Y},
};
#define SPAN_DEFAULT 1

static const struct span *chosen_span(const struct request *req)
{
	char *asked = request_query(req, "span");
	const struct span *span = &spans[SPAN_DEFAULT];

	for (size_t i = 0; asked && i < COUNT_OF(spans); i++)
		if (strcmp(asked, spans[i].name) == 0)
			span = &spans[i];
	free(asked);
	return span;
}

static void put_span_links(struct subject *s, const struct span *chosen)
{
	for (size_t i = 0; i < COUNT_OF(spans); i++) {
		struct data *item = data_item(s->page->data, "spans");

		data_text(item, "span", spans[i].name);
		data_text(item, "text", word(s->page->language, spans[i].word));
		data_flag(item, "chosen", &spans[i] == chosen);
	}
}

static void put_response(struct subject *s, struct data *d, const char *name, int64_t us)
{
	struct text t = TEXT_INIT;

	if (us > 0)
		words_response(&t, s->page->language, us);
	data_text(d, name, text_str(&t));
	text_free(&t);
}

/* The same values as a table: what the picture shows, for those who do not see it. */
static void put_table(struct subject *s, const struct rollup *points, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		const struct rollup *p = &points[i];
		struct data *item;

		if (p->count == 0 && p->up_s + p->down_s + p->unknown_s == 0)
			continue;
		item = data_item(s->page->data, "points");
		page_time(s->page, item, "iso", "time", p->from_s * US_PER_S);
		put_response(s, item, "median", p->count ? p->p50_us : 0);
		put_response(s, item, "p95", p->count ? p->p95_us : 0);
		put_percent(item, "percent", p);
	}
}

/* Three labels below the chart: its begin, middle and end. */
static void put_x_axis(struct subject *s, const struct rollup *points, size_t n)
{
	const int64_t at_s[] = {points[0].from_s, points[n / 2].from_s, points[n - 1].to_s};

	for (size_t i = 0; i < COUNT_OF(at_s); i++) {
		int64_t shown_s = at_s[i] < s->now_s ? at_s[i] : s->now_s;

		page_time(s->page, data_item(s->page->data, "ticks"), "iso", "time", shown_s * US_PER_S);
	}
}

static bool put_chart(struct subject *s, struct error *err)
{
	const struct span *span = chosen_span(s->page->req);
	const char *arg = word(s->page->language, span->word);
	struct text t = TEXT_INIT, label = TEXT_INIT;
	struct rollup *points;
	int64_t top_us;
	size_t n;

	put_span_links(s, span);
	if (!history_points(s->page->view.txn, s->m->listed->id, s->now_s - span->length_s, s->now_s,
		    span->step_s, s->hold_s, &points, &n, err))
		return false;
	words_put(&label, text_raw, s->page->language, WORD_CHART_TITLE, &arg, 1);
	data_text(s->page->data, "chart_title", text_str(&label));
	top_us = chart_top_us(points, n);
	data_flag(s->page->data, "charted", top_us > 0);
	chart_response(&t, points, n, top_us, text_str(&label));
	data_markup(s->page->data, "chart", &t);
	put_response(s, s->page->data, "top", top_us);
	put_response(s, s->page->data, "half", top_us / 2);
	put_x_axis(s, points, n);
	put_table(s, points, n);
	text_free(&label);
	text_free(&t);
	free(points);
	return true;
}

/* ---- calendar: a bar of days, and what each day was */

static void put_day(struct subject *s, const struct rollup *day)
{
	struct data *item = data_item(s->page->data, "days");
	struct civil civil;

	calendar_civil(s->page->zone, day->from_s + HISTORY_DAY_S / 2, &civil);
	data_printf(item, "day", "%04d-%02d-%02d", civil.year, civil.month, civil.day);
	put_percent(item, "percent", day);
	data_text(item, "down_for", NULL);
	if (day->down_s)
		page_length(s->page, item, "down_for", day->down_s * US_PER_S);
}

static bool put_calendar(struct subject *s, struct error *err)
{
	enum chart_cell cells[CALENDAR_DAYS + 2];
	struct text t = TEXT_INIT;
	struct rollup *days;
	size_t n, first;

	if (!history_points(s->page->view.txn, s->m->listed->id, s->now_s - CALENDAR_DAYS * HISTORY_DAY_S,
		    s->now_s, HISTORY_DAY_S, s->hold_s, &days, &n, err))
		return false;
	first = n > CALENDAR_DAYS ? n - CALENDAR_DAYS : 0;
	for (size_t i = first; i < n; i++)
		cells[i - first] = chart_cell_of(&days[i]);
	for (size_t i = n; i-- > first;)
		if (chart_cell_of(&days[i]) != CELL_NONE)
			put_day(s, &days[i]);
	chart_cells(&t, cells, n - first, word(s->page->language, WORD_HISTORY_90D), NULL);
	data_markup(s->page->data, "calendar", &t);
	text_free(&t);
	free(days);
	return true;
}

/* ---- recent checks */

static bool take_newest(void *arg, const struct sample *sample)
{
	struct sample *ring = arg;

	memmove(ring + 1, ring, (CHECKS_SHOWN - 1) * sizeof(*ring));
	ring[0] = *sample;
	return true;
}

static void put_check(struct subject *s, const struct sample *sample)
{
	static const enum monitor_state states[OUTCOME__COUNT] = {
		[OUTCOME_UP] = STATE_UP, [OUTCOME_DOWN] = STATE_DOWN, [OUTCOME_UNKNOWN] = STATE_UNKNOWN};
	struct data *item = data_item(s->page->data, "checks");
	const struct timings *parts = &sample->timings;

	page_time(s->page, item, "iso", "time", sample->at_us);
	page_put_state(
		s->page, item, sample->outcome < OUTCOME__COUNT ? states[sample->outcome] : STATE_UNKNOWN);
	put_response(s, item, "dns", parts->dns_us);
	put_response(s, item, "connect", parts->connect_us);
	put_response(s, item, "tls", parts->tls_us);
	put_response(s, item, "first_byte", parts->first_byte_us);
	put_response(s, item, "total", sample->response_us > 0 ? sample->response_us : parts->total_us);
}

/* What third parties and peers saw last. */
static void put_places(struct subject *s)
{
	static const enum monitor_state states[OUTCOME__COUNT] = {
		[OUTCOME_UP] = STATE_UP, [OUTCOME_DOWN] = STATE_DOWN, [OUTCOME_UNKNOWN] = STATE_UNKNOWN};
	struct sighting *list = NULL;
	size_t n = 0;

	if (s->page->view.asker.sees_all)
		view_places(&s->page->view, s->m, &s->monitor, &list, &n);
	for (size_t i = 0; i < n; i++) {
		struct data *item = data_item(s->page->data, "places");

		page_time(s->page, item, "iso", "time", list[i].heard_us);
		page_put_state(s->page, item, states[list[i].sees]);
		data_text(item, "from", list[i].from);
		data_text(item, "detail", list[i].detail);
	}
	data_flag(s->page->data, "places_any", n > 0);
	sightings_free(list, n);
}

static bool put_checks(struct subject *s, struct error *err)
{
	struct sample ring[CHECKS_SHOWN + 1] = {{0}};
	int64_t back_us = (s->hold_s > 600 ? s->hold_s * 4 : 1800) * US_PER_S, now_us = s->now_s * US_PER_S;

	if (!s->page->view.asker.sees_all)
		return true;
	if (!state_sample_scan(s->page->view.txn, s->m->listed->id, now_us - back_us, now_us + US_PER_S,
		    take_newest, ring, err))
		return false;
	for (size_t i = 0; i < CHECKS_SHOWN && ring[i].at_us; i++)
		put_check(s, &ring[i]);
	data_flag(s->page->data, "checked_any", ring[0].at_us != 0);
	put_places(s);
	return true;
}

/* ---- incidents */

static bool put_incidents(struct subject *s, struct error *err)
{
	struct incident_query query = {.monitor = s->m, .most = INCIDENTS_SHOWN};
	struct incident_list list;

	if (!incident_list_read(&list, &s->page->view, &query, err))
		return false;
	for (size_t i = 0; i < list.count; i++)
		page_put_incident(s->page, data_item(s->page->data, "incidents"), &list.incidents[i], s->m);
	data_flag(s->page->data, "incidents_any", list.count > 0);
	incident_list_clear(&list);
	return true;
}

/* ---- who is told */

static void put_notify(struct subject *s, const struct notify_rule *rule)
{
	struct data *item = data_item(s->page->data, "told");
	struct text t = TEXT_INIT;

	data_text(item, "channel", rule->channel);
	calendar_put_duration(&t, rule->after_ms);
	page_word(s->page, item, "when", rule->after_ms ? WORD_TOLD_AFTER : WORD_TOLD_AT_ONCE, text_str(&t));
	text_clear(&t);
	calendar_put_duration(&t, rule->repeat_ms);
	data_text(item, "repeat", NULL);
	if (rule->repeat_ms)
		page_word(s->page, item, "repeat", WORD_TOLD_REPEAT, text_str(&t));
	data_text(item, "hours", NULL);
	if (rule->hours)
		page_word(s->page, item, "hours", WORD_TOLD_HOURS, rule->hours);
	text_free(&t);
}

/* ---- the head, and what a person may do */

static void put_certificate(struct subject *s)
{
	struct text t = TEXT_INIT;

	data_text(s->page->data, "certificate_until", NULL);
	if (!s->m->certificate_s)
		return;
	page_put_time(s->page, &t, s->m->certificate_s * US_PER_S);
	page_word(s->page, s->page->data, "certificate_until", WORD_CERTIFICATE_EXPIRES, text_str(&t));
	text_free(&t);
}

static void put_facts(struct subject *s)
{
	struct data *d = s->page->data;
	struct text t = TEXT_INIT;
	char *cause = view_cause(&s->page->view, s->m);

	page_put_monitor(s->page, d, s->m, cause);
	data_text(d, "type", s->m->listed->type);
	words_length(&t, s->page->language, s->m->listed->interval_ms * US_PER_MS);
	page_word(s->page, d, "interval", WORD_EVERY, text_str(&t));
	data_flag(d, "is_beat", s->monitor.heartbeat != NULL);
	data_flag(d, "sees_all", s->page->view.asker.sees_all);
	data_text(d, "runbook", s->page->view.asker.sees_all ? s->monitor.runbook : NULL);
	data_flag(d, "runbook_link",
		s->monitor.runbook &&
			(strncmp(s->monitor.runbook, "https://", 8) == 0 ||
				strncmp(s->monitor.runbook, "http://", 7) == 0));
	page_put_target(s->page, d, &s->monitor);
	put_certificate(s);
	for (size_t i = 0; i < s->m->listed->tag_count; i++)
		data_text(data_item(d, "tags"), "tag", s->m->listed->tags[i]);
	data_printf(d, "title", "%s · %s", s->m->listed->name,
		s->page->view.site->title ? s->page->view.site->title : "");
	text_free(&t);
	free(cause);
}

static void put_actions(struct subject *s)
{
	static const char *const lengths[] = {"30m", "2h", "8h", "1d"};
	struct data *d = s->page->data;
	struct text token = TEXT_INIT;

	data_flag(d, "operates", s->page->view.asker.operates && s->page->view.asker.kind == ASKER_PERSON);
	if (!s->page->view.asker.operates || s->page->view.asker.kind != ASKER_PERSON)
		return;
	csrf_token(&token, &s->page->view, s->page->req, s->page->reply);
	data_text(d, "csrf", text_str(&token));
	data_flag(d, "may_acknowledge", s->m->incident && !(s->m->marks & MARK_ACKNOWLEDGED));
	data_flag(d, "may_resume", s->m->state == STATE_PAUSED);
	data_flag(d, "in_maintenance", s->m->marks & MARK_MAINTENANCE);
	data_printf(d, "open_incident", "%u", s->m->incident);
	data_flag(d, "may_note", s->m->incident != 0);
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		data_text(data_item(d, "lengths"), "length", lengths[i]);
	text_free(&token);
}

static bool put_all(struct subject *s, struct web *web, struct error *err)
{
	put_facts(s);
	put_actions(s);
	if (!put_uptimes(s, err) || !put_calendar(s, err) || !put_checks(s, err) || !put_incidents(s, err))
		return false;
	if (s->monitor.heartbeat)
		page_put_beats(s->page, web, &s->monitor);
	else if (!put_chart(s, err))
		return false;
	data_flag(s->page->data, "told_any", s->monitor.notify_count > 0);
	for (size_t i = 0; s->page->view.asker.sees_all && i < s->monitor.notify_count; i++)
		put_notify(s, &s->monitor.notify[i]);
	return true;
}

void page_monitor(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct subject s = {.now_s = req->now.wall_us / US_PER_S};
	struct error err = {0};
	struct page page;
	bool ok;

	if (!page_begin(&page, web, req, reply))
		return;
	s.page = &page;
	s.m = view_find(&page.view, match->name);
	if (!s.m) {
		page_end_missing(&page);
		return;
	}
	/* beats arrive without any change of the state that a validator could see */
	if (strcmp(s.m->listed->type, "heartbeat") != 0 && page_end_unchanged(&page))
		return;
	s.hold_s = history_hold_s(s.m->listed->interval_ms, page.view.pass.cadence_us);
	data_flag(page.data, "refresh", true);
	ok = view_details(&page.view, s.m, &s.monitor, &s.judge, NULL, &err) && put_all(&s, web, &err);
	monitor_clear(&s.monitor);
	if (ok)
		page_end(&page, "monitor.html");
	else
		page_end_unavailable(&page, &err);
}
