/* SPDX-License-Identifier: ISC */
/*
 * listing: which monitors a list shows, in which order, and where it is cut: filter, sort, fold, page. Made
 * for the dashboard; the API pages through the same.
 *
 * At most LISTING_ROWS are shown at a time. When more match, each group shows what is wrong in it and says
 * how many more there are; one group alone (or very many groups) is shown page by page.
 */
#ifndef WEB_LISTING_H
#define WEB_LISTING_H

#include "web/view.h"

#define LISTING_ROWS 200
#define LISTING_GROUPS 100 /* more groups than this are not folded but paged */

enum listing_sort { SORT_STATE = 0, SORT_NAME, SORT_RESPONSE, SORT_CONFIGURED, SORT__COUNT };
const char *listing_sort_name(enum listing_sort sort); /* "state" "name" "response" "configured" */

/* What was asked for; strings are owned, NULL: not asked. */
struct listing_query {
	char *q; /* part of name, slug, group or a tag, in any case */
	char *group, *tag;
	bool has_state;
	enum monitor_state state;
	enum listing_sort sort;
	size_t page; /* from 1 */
};
/* From ?q= group= tag= state= sort= page=; what is not understood is as if not asked. */
void listing_query_read(struct listing_query *query, const struct request *req);
void listing_query_clear(struct listing_query *query);
bool listing_query_asks(const struct listing_query *query); /* is anything filtered out by it */

/* A run of rows of one group. */
struct listing_group {
	const char *name; /* "" when none */
	size_t first, count; /* shown rows: indexes into rows */
	size_t folded; /* matching ones that are not shown */
	size_t counts[STATE__COUNT]; /* of all matching ones */
};

struct listing {
	const struct view_monitor **rows; /* shown ones */
	size_t row_count;
	struct listing_group *groups; /* those with matching monitors, in the order of the list */
	size_t group_count;
	size_t matching;
	size_t page, pages; /* 1 of 1 when not paged */
};

void listing_make(struct listing *listing, const struct view *view, const struct listing_query *query);
/* The same without groups and folding: page `page` (from 1) of per_page rows, in the order asked for. A page
   beyond the last has no rows. */
void listing_page(struct listing *listing, const struct view *view, const struct listing_query *query,
	size_t page, size_t per_page);
void listing_clear(struct listing *listing);

#endif
