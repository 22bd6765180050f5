/* SPDX-License-Identifier: ISC */
/* listing: filter -> sort -> group -> cut. */
#include "web/listing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const sort_names[SORT__COUNT] = {
	[SORT_STATE] = "state",
	[SORT_NAME] = "name",
	[SORT_RESPONSE] = "response",
	[SORT_CONFIGURED] = "configured",
};

const char *listing_sort_name(enum listing_sort sort)
{
	return sort_names[sort];
}

/* ---- what was asked for */

/* A parameter, NULL when absent or empty. */
static char *parameter(const struct request *req, const char *name)
{
	char *value = request_query(req, name);

	if (value && *value)
		return value;
	free(value);
	return NULL;
}

void listing_query_read(struct listing_query *query, const struct request *req)
{
	char *state = parameter(req, "state"), *sort = parameter(req, "sort"), *page = parameter(req, "page");
	uint64_t number;

	memset(query, 0, sizeof(*query));
	query->q = parameter(req, "q");
	query->group = parameter(req, "group");
	query->tag = parameter(req, "tag");
	query->has_state = state && monitor_state_parse(state, &query->state);
	for (int i = 0; sort && i < SORT__COUNT; i++)
		if (strcmp(sort, sort_names[i]) == 0)
			query->sort = (enum listing_sort)i;
	query->page =
		page && text_to_u64(page, &number) && number >= 1 && number < 1000000 ? (size_t)number : 1;
	free(state);
	free(sort);
	free(page);
}

void listing_query_clear(struct listing_query *query)
{
	free(query->q);
	free(query->group);
	free(query->tag);
	memset(query, 0, sizeof(*query));
}

bool listing_query_asks(const struct listing_query *query)
{
	return query->q || query->group || query->tag || query->has_state;
}

static bool has_tag(const struct listed *m, const char *tag)
{
	for (size_t i = 0; i < m->tag_count; i++)
		if (strcmp(m->tags[i], tag) == 0)
			return true;
	return false;
}

static bool mentions(const struct listed *m, const char *q)
{
	if (strcasestr(m->name, q) || strcasestr(m->slug, q) || strcasestr(m->group_name, q))
		return true;
	for (size_t i = 0; i < m->tag_count; i++)
		if (strcasestr(m->tags[i], q))
			return true;
	return false;
}

static bool matches(const struct view_monitor *m, const struct listing_query *query)
{
	return (!query->has_state || m->state == query->state) &&
		(!query->group || strcmp(m->listed->group_name, query->group) == 0) &&
		(!query->tag || has_tag(m->listed, query->tag)) &&
		(!query->q || mentions(m->listed, query->q));
}

/* ---- order */

/* A matching monitor with what it is sorted by. */
struct entry {
	const struct view_monitor *monitor;
	size_t group_rank;
	enum listing_sort sort;
};

static int compare_place(const struct view_monitor *a, const struct view_monitor *b)
{
	return a < b ? -1 : a > b; /* the view is in configuration order */
}

static int compare_rows(enum listing_sort sort, const struct view_monitor *a, const struct view_monitor *b)
{
	int order = 0;

	switch (sort) {
	case SORT_STATE:
		order = view_badness(b->state) - view_badness(a->state);
		break;
	case SORT_NAME:
		order = strcasecmp(a->listed->name, b->listed->name);
		break;
	case SORT_RESPONSE:
		order = (a->response_us < b->response_us) - (a->response_us > b->response_us);
		break;
	default:
		break;
	}
	return order ? order : compare_place(a, b);
}

static int by_group_and_sort(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->group_rank != b->group_rank)
		return a->group_rank < b->group_rank ? -1 : 1;
	return compare_rows(a->sort, a->monitor, b->monitor);
}

struct group_order {
	size_t index;
	int badness;
};

static int by_badness(const void *left, const void *right)
{
	const struct group_order *a = left, *b = right;

	if (a->badness != b->badness)
		return b->badness - a->badness;
	return a->index < b->index ? -1 : 1;
}

/* rank[group]: its place among the groups. When sorted by state, the one with the worst monitor is first. */
static size_t *rank_groups(const struct entry *entries, size_t n, size_t groups, enum listing_sort sort)
{
	struct group_order *order = mem_array(groups + 1, sizeof(*order));
	size_t *rank = mem_array(groups + 1, sizeof(*rank));

	for (size_t i = 0; i < groups; i++)
		order[i].index = i;
	for (size_t i = 0; sort == SORT_STATE && i < n; i++) {
		struct group_order *of = &order[entries[i].monitor->listed->group];
		int badness = view_badness(entries[i].monitor->state);

		of->badness = badness > of->badness ? badness : of->badness;
	}
	qsort(order, groups, sizeof(*order), by_badness);
	for (size_t i = 0; i < groups; i++)
		rank[order[i].index] = i;
	free(order);
	return rank;
}

/* ---- cutting */

static void add_group(struct listing *listing, const struct entry *entry)
{
	struct listing_group *group = &listing->groups[listing->group_count++];

	group->name = entry->monitor->listed->group_name;
	group->first = listing->row_count;
}

static void show(struct listing *listing, const struct entry *entry)
{
	listing->rows[listing->row_count++] = entry->monitor;
	listing->groups[listing->group_count - 1].count++;
}

static bool begins_group(const struct entry *entries, size_t i)
{
	return i == 0 || entries[i].group_rank != entries[i - 1].group_rank;
}

/* All groups; of each what fits, wrong ones only when not all do. */
static void cut_folded(struct listing *listing, const struct entry *entries, size_t n)
{
	bool all = n <= LISTING_ROWS;

	for (size_t i = 0; i < n; i++) {
		bool wrong = view_badness(entries[i].monitor->state) >= view_badness(STATE_SUSPECT);

		if (begins_group(entries, i))
			add_group(listing, &entries[i]);
		if (all || (wrong && listing->row_count < LISTING_ROWS))
			show(listing, &entries[i]);
		else
			listing->groups[listing->group_count - 1].folded++;
		listing->groups[listing->group_count - 1].counts[entries[i].monitor->state]++;
	}
}

static void cut_page(struct listing *listing, const struct entry *entries, size_t n, size_t page)
{
	size_t from, to;

	listing->pages = (n + LISTING_ROWS - 1) / LISTING_ROWS;
	listing->page = page < listing->pages ? page : listing->pages;
	from = (listing->page - 1) * LISTING_ROWS;
	to = from + LISTING_ROWS < n ? from + LISTING_ROWS : n;
	for (size_t i = from; i < to; i++) {
		if (i == from || begins_group(entries, i))
			add_group(listing, &entries[i]);
		show(listing, &entries[i]);
		listing->groups[listing->group_count - 1].counts[entries[i].monitor->state]++;
	}
}

static size_t count_groups(const struct entry *entries, size_t n)
{
	size_t groups = 0;

	for (size_t i = 0; i < n; i++)
		groups += begins_group(entries, i);
	return groups;
}

/* The matching ones in the view's order; the caller frees. */
static struct entry *match_all(const struct view *view, const struct listing_query *query, size_t *n)
{
	struct entry *entries = mem_array(view->count + 1, sizeof(*entries));

	*n = 0;
	for (size_t i = 0; i < view->count; i++)
		if (matches(&view->monitors[i], query))
			entries[(*n)++] = (struct entry){.monitor = &view->monitors[i], .sort = query->sort};
	return entries;
}

void listing_page(struct listing *listing, const struct view *view, const struct listing_query *query,
	size_t page, size_t per_page)
{
	size_t n, from;
	struct entry *entries = match_all(view, query, &n);

	memset(listing, 0, sizeof(*listing));
	if (query->sort != SORT_CONFIGURED)
		qsort(entries, n, sizeof(*entries), by_group_and_sort);
	listing->matching = n;
	listing->page = page;
	listing->pages = (n + per_page - 1) / per_page;
	listing->rows = mem_array(per_page + 1, sizeof(*listing->rows));
	from = page <= listing->pages ? (page - 1) * per_page : n;
	for (size_t i = from; i < n && listing->row_count < per_page; i++)
		listing->rows[listing->row_count++] = entries[i].monitor;
	free(entries);
}

void listing_make(struct listing *listing, const struct view *view, const struct listing_query *query)
{
	size_t n, groups, *rank;
	struct entry *entries = match_all(view, query, &n);

	memset(listing, 0, sizeof(*listing));
	listing->page = listing->pages = 1;
	rank = rank_groups(entries, n, view->catalog->group_count, query->sort);
	for (size_t i = 0; i < n; i++)
		entries[i].group_rank = rank[entries[i].monitor->listed->group];
	qsort(entries, n, sizeof(*entries), by_group_and_sort);
	groups = count_groups(entries, n);
	listing->matching = n;
	listing->rows = mem_array(LISTING_ROWS + 1, sizeof(*listing->rows));
	listing->groups = mem_array(groups + 1, sizeof(*listing->groups));
	if (n > LISTING_ROWS && (groups == 1 || groups > LISTING_GROUPS))
		cut_page(listing, entries, n, query->page);
	else
		cut_folded(listing, entries, n);
	free(rank);
	free(entries);
}

void listing_clear(struct listing *listing)
{
	free(listing->rows);
	free(listing->groups);
	memset(listing, 0, sizeof(*listing));
}
