/* SPDX-License-Identifier: ISC */
/*
 * planned: maintenance that the configuration foresees, for the next two weeks: of the whole site and of the
 * monitors that the asker may see, soonest first.
 */
#ifndef WEB_PLANNED_H
#define WEB_PLANNED_H

#include "web/view.h"

#define PLANNED_MAX 20

struct planned {
	const struct view_monitor *monitor; /* NULL: everything */
	int64_t from_s, to_s;               /* to_s may be WINDOW_NEVER */
};

/* Fills out with at most PLANNED_MAX and returns how many there are. */
size_t planned_list(const struct view *view, struct planned out[PLANNED_MAX]);

#endif
