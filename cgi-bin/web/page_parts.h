/* SPDX-License-Identifier: ISC */
/*
 * page_parts: what several pages show in the same way: a state, a monitor's row, an incident's line.
 */
#ifndef WEB_PAGE_PARTS_H
#define WEB_PAGE_PARTS_H

#include "model/incident.h"
#include "web/page.h"

/* state, state_word */
void page_put_state(struct page *page, struct data *d, enum monitor_state state);
/* "99.98 %": cut, not rounded, so 100 % means all of it; absent when uptime is negative. */
void page_put_percent(struct data *d, const char *name, double uptime);
/* slug, name, state, since, cause, marks, certificate, response, recent. `cause` may be NULL. */
void page_put_monitor(struct page *page, struct data *d, const struct view_monitor *m, const char *cause);
/* id, incident_title, state, look (up when it is over), started, over, length, cause, name, slug, and the
   public notes. */
void page_put_incident(struct page *page, struct data *d, const struct incident *incident,
	const struct view_monitor *m);
/* target: what is looked at, for those who may see addresses; absent otherwise. */
void page_put_target(struct page *page, struct data *d, const struct monitor *monitor);

#endif
