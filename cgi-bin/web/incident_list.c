/* SPDX-License-Identifier: ISC */
/* incident_list: reading incidents, newest first, for who asks. */
#include "web/incident_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- lists: first which, then the whole records, so that no read runs inside a scan */

struct choosing {
	const struct view *view;
	const struct incident_query *query;
	struct incident_list *list;
	uint32_t *ids;
	size_t skipped;
};

static bool choose(void *arg, const struct incident *incident)
{
	struct choosing *c = arg;
	struct incident_list *list = c->list;
	const struct view_monitor *m = view_find_id(c->view, incident->monitor_id);

	if (!m)
		return true;
	if (incident->started_us < c->query->began_us)
		return true;
	if (c->query->before_us && incident->started_us >= c->query->before_us)
		return true;
	if (c->skipped < c->query->skip) {
		c->skipped++;
		return true;
	}
	if (list->count == c->query->most) {
		list->more = true;
		return false;
	}
	c->ids[list->count] = incident->id;
	list->monitors[list->count++] = m;
	return true;
}

bool incident_list_read(struct incident_list *list, const struct view *view,
	const struct incident_query *query, struct error *err)
{
	struct choosing choosing = {view, query, list, mem_array(query->most + 1, sizeof(uint32_t)), 0};
	bool ok;

	memset(list, 0, sizeof(*list));
	list->monitors = mem_array(query->most + 1, sizeof(*list->monitors));
	list->incidents = mem_array(query->most + 1, sizeof(*list->incidents));
	ok = state_incident_scan(view->txn, query->monitor ? query->monitor->listed->id : 0, query->only_open,
		true, choose, &choosing, err);
	for (size_t i = 0; ok && i < list->count; i++)
		ok = incident_read(view, choosing.ids[i], &list->incidents[i], &list->monitors[i], err);
	free(choosing.ids);
	if (!ok)
		incident_list_clear(list);
	return ok;
}

void incident_list_clear(struct incident_list *list)
{
	for (size_t i = 0; i < list->count && list->incidents; i++)
		incident_clear(&list->incidents[i]);
	free(list->incidents);
	free(list->monitors);
	memset(list, 0, sizeof(*list));
}

/* ---- one */

static bool apply_requests(
	const struct view *view, const struct view_monitor *m, struct incident *incident, struct error *err)
{
	struct monitor monitor = {0};
	struct judge judge;

	if (!pending_about(&view->pending, m->listed->slug))
		return true;
	if (!state_monitor(view->txn, m->listed->id, &monitor, err))
		return false;
	if (!state_judge(view->txn, m->listed->id, &judge, err)) {
		monitor_clear(&monitor);
		return false;
	}
	pending_apply(&view->pending, &monitor, view->site, &judge, incident, view->now_us);
	monitor_clear(&monitor);
	return true;
}

bool incident_read(const struct view *view, uint32_t id, struct incident *incident,
	const struct view_monitor **monitor, struct error *err)
{
	memset(incident, 0, sizeof(*incident));
	if (!state_incident(view->txn, id, incident, err))
		return false;
	*monitor = view_find_id(view, incident->monitor_id);
	if (!*monitor)
		error_set(err, ERROR_MISSING, "no such incident");
	else if (apply_requests(view, *monitor, incident, err))
		return true;
	incident_clear(incident);
	return false;
}

bool incident_entry_shown(const struct view *view, const struct incident_entry *entry)
{
	return view->asker.sees_all || (entry->kind == ENTRY_NOTE && entry->status == 1);
}
