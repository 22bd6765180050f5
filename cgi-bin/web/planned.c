/* SPDX-License-Identifier: ISC */
/* planned: windows that are active or begin soon. */
#include "web/planned.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "model/window.h"

#define AHEAD_S (14 * INT64_C(86400))

struct planning {
	struct planned *out;
	size_t n;
	const struct zone *zone;
	int64_t now_s;
};

static int by_begin(const void *left, const void *right)
{
	const struct planned *a = left, *b = right;

	return a->from_s < b->from_s ? -1 : a->from_s > b->from_s;
}

static void consider(struct planning *p, const struct view_monitor *monitor, const char *text)
{
	struct window window;
	const char *why;
	int64_t from_s, to_s;

	if (p->n == PLANNED_MAX || !window_parse(text, p->zone, &window, &why))
		return;
	if (!window_next_span(&window, p->now_s, &from_s, &to_s) || from_s > p->now_s + AHEAD_S)
		return;
	p->out[p->n++] = (struct planned){monitor, from_s, to_s};
}

size_t planned_list(const struct view *view, struct planned out[PLANNED_MAX])
{
	const struct site *site = view->site;
	struct planning p = {.out = out, .now_s = view->now_us / US_PER_S};

	p.zone = calendar_zone(site->timezone ? site->timezone : "UTC");
	for (size_t i = 0; i < site->maintenance_count; i++)
		consider(&p, NULL, site->maintenance[i]);
	for (size_t i = 0; i < view->count && p.n < PLANNED_MAX; i++) {
		const struct listed *listed = view->monitors[i].listed;

		for (size_t k = 0; k < listed->maintenance_count; k++)
			consider(&p, &view->monitors[i], listed->maintenance[k]);
	}
	qsort(out, p.n, sizeof(*out), by_begin);
	return p.n;
}
