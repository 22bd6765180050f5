/* SPDX-License-Identifier: ISC */
/*
 * page_history: GET /history?month=2026-05: the incidents that began in a month, newest first, with their
 * public notes.
 */
#include "web/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/incident_list.h"
#include "web/page_parts.h"

#define INCIDENTS_MAX 200
#define YEAR_MIN 1971
#define YEAR_MAX 2999

struct month {
	int year, month; /* from 1 */
};

static int digits(const char *s, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

/* ?month=2026-05; this month when it is not one. */
static struct month asked_month(const struct page *page)
{
	char *asked = request_query(page->req, "month");
	struct month month = {0, 0};
	struct civil now;

	if (asked && strlen(asked) == 7 && asked[4] == '-')
		month = (struct month){digits(asked, 4), digits(asked + 5, 2)};
	free(asked);
	if (month.year >= YEAR_MIN && month.year <= YEAR_MAX && month.month >= 1 && month.month <= 12)
		return month;
	calendar_civil(page->zone, page->view.now_us / US_PER_S, &now);
	return (struct month){now.year, now.month};
}

static struct month step(struct month m, int by)
{
	int months = m.year * 12 + m.month - 1 + by;

	return (struct month){months / 12, months % 12 + 1};
}

static int64_t begin_us(const struct page *page, struct month m)
{
	struct civil first = {.year = m.year, .month = m.month, .day = 1};

	return calendar_unix(page->zone, &first) * US_PER_S;
}

static void put_month(struct data *d, const char *name, struct month m)
{
	data_printf(d, name, "%04d-%02d", m.year, m.month);
}

void page_history(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct incident_query query = {.most = INCIDENTS_MAX, .entries = true};
	struct incident_list list;
	struct error err = {0};
	struct month month;
	struct page page;
	char name[16];

	(void)match;
	if (!page_begin(&page, web, req, reply) || page_end_unchanged(&page))
		return;
	month = asked_month(&page);
	query.began_us = begin_us(&page, month);
	query.before_us = begin_us(&page, step(month, 1));
	if (!incident_list_read(&list, &page.view, &query, &err)) {
		page_end_unavailable(&page, &err);
		return;
	}
	snprintf(name, sizeof(name), "%04d-%02d", month.year, month.month);
	page_word(&page, page.data, "heading", WORD_HISTORY_OF, name);
	put_month(page.data, "older", step(month, -1));
	put_month(page.data, "newer", step(month, 1));
	data_flag(page.data, "has_newer", query.before_us <= page.view.now_us);
	data_flag(page.data, "incidents_any", list.count > 0);
	for (size_t i = 0; i < list.count; i++)
		page_put_incident(
			&page, data_item(page.data, "incidents"), &list.incidents[i], list.monitors[i]);
	incident_list_clear(&list);
	page_end(&page, "history.html");
}
