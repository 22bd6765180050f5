/* SPDX-License-Identifier: ISC */
/*
 * page_dashboard: GET /: how everything is, at a glance. One sentence for the whole, then what is wrong,
 * then the rest, by group.
 */
#include "web/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "web/listing.h"
#include "web/incident_list.h"
#include "web/page_parts.h"
#include "web/planned.h"
#include "web/summary.h"

#define NOTED_MAX 20
#define OPTIONS_MAX 200 /* groups, tags to choose from */
#define NAMED_MAX 4 /* so many of those that are down are named at the top */

/* ---- the whole */

static void put_sentence(struct page *page)
{
	struct data *d = page->data;
	const struct view *v = &page->view;
	struct text t = TEXT_INIT, when = TEXT_INIT;
	const char *arg;

	page_put_time(page, &when, v->watching == WATCHING_BLIND ? v->pass.blind_since_us : v->watched_us);
	arg = text_str(&when);
	if (v->watching == WATCHING_STALE)
		words_put(&t, text_raw, page->language, WORD_NOT_WATCHING_SINCE, &arg, 1);
	else if (v->watching == WATCHING_BLIND)
		words_put(&t, text_raw, page->language, WORD_BLIND_SINCE, &arg, 1);
	else
		view_sentence(v, &t, text_raw, page->language);
	data_text(d, "sentence", text_str(&t));
	data_text(d, "overall", monitor_state_name(view_overall(v)));
	text_free(&t);
	text_free(&when);
}

/* "Checked 12 s ago", or for how long nobody has looked and what to do. */
static void put_freshness(struct page *page)
{
	const struct view *v = &page->view;
	struct text ago = TEXT_INIT;
	int64_t age_us = v->now_us - v->watched_us;
	bool stale = v->watching == WATCHING_STALE;

	words_length(&ago, page->language, age_us > 0 ? age_us / US_PER_S * US_PER_S : 0);
	if (v->watching == WATCHING || v->watching == WATCHING_BLIND)
		page_word(page, page->data, "checked", WORD_CHECKED_AGO, text_str(&ago));
	data_flag(page->data, "stale", stale);
	data_flag(page->data, "never", v->watching == WATCHING_NEVER);
	data_flag(page->data, "may_mend", v->asker.sees_all);
	page_word(page, page->data, "stale_help", WORD_NOT_WATCHING_HELP, text_str(&ago));
	page_time(page, page->data, "watched_iso", "watched_text", v->watched_us);
	data_flag(page->data, "web_failing", v->pass.web_failing && v->asker.sees_all);
	text_free(&ago);
}

/* "(2 down) Example": what a tab shows while another is in front. */
static void put_title(struct page *page)
{
	const struct view *v = &page->view;
	size_t down = v->counts[STATE_DOWN];

	if (down && v->watching == WATCHING)
		data_printf(page->data, "title", "(%zu %s) %s", down, word(page->language, WORD_STATE_DOWN),
			v->site->title ? v->site->title : "Upbeat");
	else
		data_text(page->data, "title", v->site->title ? v->site->title : "Upbeat");
}

/* One number for each state that there is, worst first; each is also a filter. */
static void put_counts(struct page *page, struct data *d, const size_t counts[STATE__COUNT],
	const struct listing_query *query)
{
	static const enum monitor_state order[] = {
		STATE_DOWN, STATE_UNKNOWN, STATE_SUSPECT, STATE_PENDING, STATE_UP, STATE_PAUSED};

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		struct data *item;

		if (!counts[order[i]])
			continue;
		item = data_item(d, "counts");
		page_put_state(page, item, order[i]);
		data_printf(item, "count", "%zu", counts[order[i]]);
		data_flag(item, "chosen", query && query->has_state && query->state == order[i]);
	}
}

static void put_problems(struct page *page)
{
	const struct view *v = &page->view;
	size_t errors = 0;

	for (size_t i = 0; i < v->problem_count; i++) {
		const struct problem *problem = &v->problems[i];
		struct data *item = data_item(page->data, "problems");

		errors += !problem->warning;
		data_text(item, "text", problem->text);
		if (problem->line)
			data_printf(item, "place", "%s:%u:%u", problem->file ? problem->file : "",
				problem->line, problem->column);
		else
			data_text(item, "place", problem->file);
	}
	if (errors)
		page_word_count(page, page->data, "problems_sentence",
			words_count(errors, WORD_CONFIG_PROBLEMS_ONE, WORD_CONFIG_PROBLEMS), errors);
	else
		page_word_count(page, page->data, "problems_sentence",
			words_count(v->problem_count, WORD_CONFIG_WARNINGS_ONE, WORD_CONFIG_WARNINGS),
			v->problem_count);
	data_flag(page->data, "problems_wrong", errors > 0);
	data_flag(page->data, "problems_any", v->problem_count > 0);
}

/* The first few that are down, by name, under the sentence. */
static void put_worst(struct page *page)
{
	const struct view *v = &page->view;
	size_t named = 0;

	for (size_t i = 0; i < v->count && v->watching == WATCHING; i++) {
		struct data *item;

		if (v->monitors[i].state != STATE_DOWN)
			continue;
		if (named == NAMED_MAX) {
			data_flag(page->data, "worst_more", true);
			return;
		}
		data_flag(page->data, "worst_any", true);
		item = data_item(page->data, "worst");
		data_text(item, "slug", v->monitors[i].listed->slug);
		data_text(item, "name", v->monitors[i].listed->name);
		data_flag(item, "further", named++ > 0);
	}
}

/* Open incidents that somebody wrote a public note on: what visitors come to read. */
static void put_notes(struct page *page)
{
	struct incident_query query = {.only_open = true, .most = NOTED_MAX, .entries = true};
	struct incident_list list;
	struct error err = {0};
	bool any = false;

	if (!incident_list_read(&list, &page->view, &query, &err)) {
		log_limited("dashboard: incidents", "dashboard: %s", err.text);
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct incident *incident = &list.incidents[i];
		size_t notes = 0;

		for (size_t k = 0; k < incident->entry_count; k++)
			notes += incident->entries[k].kind == ENTRY_NOTE && incident->entries[k].status == 1;
		if (notes)
			page_put_incident(
				page, data_item(page->data, "incidents"), incident, list.monitors[i]);
		any = any || notes;
	}
	data_flag(page->data, "noted", any);
	incident_list_clear(&list);
}

static void put_planned(struct page *page)
{
	struct planned planned[PLANNED_MAX];
	size_t n = planned_list(&page->view, planned);

	data_flag(page->data, "planned_any", n > 0);
	for (size_t i = 0; i < n; i++) {
		struct data *item = data_item(page->data, "planned");
		const struct view_monitor *m = planned[i].monitor;

		data_text(item, "slug", m ? m->listed->slug : NULL);
		data_text(item, "name", m ? m->listed->name : word(page->language, WORD_MONITORS));
		page_time(page, item, "from_iso", "from_text", planned[i].from_s * US_PER_S);
		data_flag(item, "ends", planned[i].to_s < INT64_MAX / US_PER_S);
		page_time(page, item, "to_iso", "to_text",
			planned[i].to_s < INT64_MAX / US_PER_S ? planned[i].to_s * US_PER_S : 0);
	}
}

/* ---- rows */

/* "10000,9998,,..." in hundredths of a percent, oldest day first; nothing where nobody saw anything. The
   script reads it to tell the day under the pointer. */
static void put_day_values(struct text *t, const struct summary *past)
{
	text_raw(t, " tabindex=\"0\" data-days=\"");
	for (int i = 0; i < SUMMARY_DAYS; i++) {
		text_raw(t, i ? "," : "");
		if (past->day_uptime[i] >= 0)
			text_printf(t, "%d", (int)(past->day_uptime[i] * 10000));
	}
	text_char(t, '"');
}

/* Uptime, 90 days and 24 hours. A store that cannot be read now leaves the row without them. */
static void put_past(struct page *page, struct data *d, const struct view_monitor *m)
{
	struct text t = TEXT_INIT, values = TEXT_INIT;
	struct summary_now now = {page->view.now_us / US_PER_S, m->since_us / US_PER_S, m->state,
		(m->marks & MARK_MAINTENANCE) != 0};
	struct summary past;
	struct error err = {0};

	if (!summary_read(page->view.txn, m->listed->id, &now, &past, &err)) {
		log_limited("dashboard: summary", "dashboard: %s", err.text);
		past.uptime_24h = past.uptime_30d = past.uptime_1y = -1;
	}
	page_put_percent(d, "uptime_24h", past.uptime_24h);
	page_put_percent(d, "uptime_30d", past.uptime_30d);
	page_put_percent(d, "uptime_1y", past.uptime_1y);
	put_day_values(&values, &past);
	chart_cells(&t, past.days, SUMMARY_DAYS, word(page->language, WORD_HISTORY_90D), text_str(&values));
	data_markup(d, "days", &t);
	chart_spark(&t, past.hours_us, SUMMARY_HOURS);
	data_markup(d, "spark", &t);
	text_free(&values);
	text_free(&t);
}

static void put_row(struct page *page, struct data *d, const struct view_monitor *m)
{
	char *cause = view_cause(&page->view, m);

	page_put_monitor(page, d, m, cause);
	put_past(page, d, m);
	free(cause);
}

static void put_group(struct page *page, const struct listing *listing, const struct listing_group *group)
{
	struct data *d = data_item(page->data, "groups");

	data_text(d, "group", *group->name ? group->name : word(page->language, WORD_NO_GROUP));
	data_text(d, "group_name", group->name);
	data_flag(d, "headed", listing->group_count > 1 || *group->name);
	put_counts(page, d, group->counts, NULL);
	data_flag(d, "folded", group->folded > 0);
	page_word_count(page, d, "folded_text", WORD_SHOW_MORE, group->folded);
	for (size_t i = 0; i < group->count; i++)
		put_row(page, data_item(d, "rows"), listing->rows[group->first + i]);
}

/* ---- finding */

static void put_option(struct data *d, const char *list, const char *value, const char *text, bool chosen)
{
	struct data *item = data_item(d, list);

	data_text(item, "value", value);
	data_text(item, "text", text);
	data_flag(item, "chosen", chosen);
}

/* The groups and tags of the monitors that are shown: names of others may tell what is not to be known. */
static void put_group_options(struct page *page, const struct listing_query *query)
{
	const struct view *v = &page->view;
	bool *seen = mem_array(v->catalog->group_count + 1, sizeof(*seen));
	size_t n = 0;

	for (size_t i = 0; i < v->count && n < OPTIONS_MAX; i++) {
		const struct listed *listed = v->monitors[i].listed;

		if (seen[listed->group] || !*listed->group_name)
			continue;
		seen[listed->group] = true;
		n++;
		put_option(page->data, "group_options", listed->group_name, listed->group_name,
			query->group && strcmp(query->group, listed->group_name) == 0);
	}
	data_flag(page->data, "grouped", n > 1 || query->group);
	free(seen);
}

static bool is_among(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

static void put_tag_options(struct page *page, const struct listing_query *query)
{
	const char *tags[OPTIONS_MAX];
	const struct view *v = &page->view;
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++) {
		const struct listed *listed = v->monitors[i].listed;

		for (size_t k = 0; k < listed->tag_count && n < OPTIONS_MAX; k++)
			if (!is_among(tags, n, listed->tags[k]))
				tags[n++] = listed->tags[k];
	}
	for (size_t i = 0; i < n; i++)
		put_option(page->data, "tag_options", tags[i], tags[i],
			query->tag && strcmp(query->tag, tags[i]) == 0);
	data_flag(page->data, "tagged", n > 0);
}

static void put_search(struct page *page, const struct listing_query *query)
{
	static const enum word sort_words[SORT__COUNT] = {[SORT_STATE] = WORD_SORT_STATE,
		[SORT_NAME] = WORD_SORT_NAME,
		[SORT_RESPONSE] = WORD_SORT_RESPONSE,
		[SORT_CONFIGURED] = WORD_SORT_CONFIGURED};
	struct data *d = page->data;

	data_flag(d, "searchable", page->view.count > 1);
	data_text(d, "q", query->q);
	data_text(d, "state_asked", query->has_state ? monitor_state_name(query->state) : NULL);
	data_flag(d, "asked", listing_query_asks(query));
	data_printf(d, "total", "%zu", page->view.count);
	for (int i = 0; i < SORT__COUNT; i++)
		put_option(d, "sorts", i == SORT_STATE ? "" : listing_sort_name((enum listing_sort)i),
			word(page->language, sort_words[i]), query->sort == (enum listing_sort)i);
	put_group_options(page, query);
	put_tag_options(page, query);
}

/* The query without its page, to be continued with "&page=". */
static void put_paging(struct page *page, const struct listing *listing, const struct listing_query *query)
{
	struct data *d = page->data;
	struct text t = TEXT_INIT;
	char at[24], of[24];
	const char *args[] = {at, of};

	data_flag(d, "paged", listing->pages > 1);
	if (listing->pages <= 1)
		return;
	snprintf(at, sizeof(at), "%zu", listing->page);
	snprintf(of, sizeof(of), "%zu", listing->pages);
	words_put(&t, text_raw, page->language, WORD_PAGE_OF, args, 2);
	data_text(d, "page_text", text_str(&t));
	data_text(d, "group_wanted", query->group);
	data_text(d, "sort_wanted", listing_sort_name(query->sort));
	if (listing->page > 1)
		data_printf(d, "page_before", "%zu", listing->page - 1);
	if (listing->page < listing->pages)
		data_printf(d, "page_after", "%zu", listing->page + 1);
	text_free(&t);
}

/* What the script says of a day, with {1} and {2} for it to fill in. */
static void put_patterns(struct page *page)
{
	struct civil utc;

	calendar_civil(calendar_zone("UTC"), page->view.now_us / US_PER_S, &utc);
	data_printf(page->data, "today", "%04d-%02d-%02d", utc.year, utc.month, utc.day);
	data_text(page->data, "day_pattern", word(page->language, WORD_DAY_UPTIME));
	data_text(page->data, "no_day_pattern", word(page->language, WORD_DAY_NO_DATA));
}

void page_dashboard(
	struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct page page;
	struct listing_query query;
	struct listing listing;

	(void)match;
	if (!page_begin(&page, web, req, reply) || page_end_unchanged(&page) || page_end_kept(&page))
		return;
	listing_query_read(&query, req);
	listing_make(&listing, &page.view, &query);
	data_flag(page.data, "refresh", true);
	put_patterns(&page);
	data_text(page.data, "config_file", "upbeat.json");
	put_title(&page);
	put_sentence(&page);
	put_freshness(&page);
	put_worst(&page);
	put_counts(&page, page.data, page.view.counts, &query);
	put_problems(&page);
	put_notes(&page);
	put_planned(&page);
	put_search(&page, &query);
	put_paging(&page, &listing, &query);
	data_flag(page.data, "nothing_found", page.view.count > 0 && listing.matching == 0);
	data_flag(page.data, "no_monitors", page.view.count == 0 && page.view.asker.sees_all);
	for (size_t i = 0; i < listing.group_count; i++)
		put_group(&page, &listing, &listing.groups[i]);
	listing_clear(&listing);
	listing_query_clear(&query);
	page_end(&page, "dashboard.html");
}
