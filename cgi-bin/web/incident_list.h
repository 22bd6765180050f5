/* SPDX-License-Identifier: ISC */
/*
 * incident_list: incidents as one who asks may see them, for pages, API, feed and status page.
 *
 * Visitors see that, when and how long; and the notes that were made public. Causes, evidence, attempts and
 * deliveries are for those who may see everything.
 */
#ifndef WEB_INCIDENT_LIST_H
#define WEB_INCIDENT_LIST_H

#include "web/view.h"

struct incident_query {
	const struct view_monitor *monitor; /* NULL: of all that the asker may see */
	bool only_open;
	int64_t began_us, before_us; /* that began in [began, before); 0: no limit */
	size_t skip, most; /* paging, newest first */
	bool entries; /* with notes and evidence */
};

struct incident_list {
	struct incident *incidents; /* newest first; owned */
	const struct view_monitor **monitors; /* of each */
	size_t count;
	bool more; /* there are older ones */
};

bool incident_list_read(struct incident_list *list, const struct view *view,
	const struct incident_query *query, struct error *err);
void incident_list_clear(struct incident_list *list);

/* One by its id, with pending requests applied; ERROR_MISSING also when the asker may not know of it. The
   caller clears *incident. */
bool incident_read(const struct view *view, uint32_t id, struct incident *incident,
	const struct view_monitor **monitor, struct error *err);

/* May this asker read this entry? */
bool incident_entry_shown(const struct view *view, const struct incident_entry *entry);

#endif
