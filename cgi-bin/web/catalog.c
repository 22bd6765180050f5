/* SPDX-License-Identifier: ISC */
/*
 * catalog: reading the published monitors once for each publication. The newest catalog is kept in this file;
 * it is the same publication when book, generation and fingerprint are.
 */
#include "web/catalog.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct {
	pthread_mutex_t lock;
	struct catalog *newest;
	const struct state *of; /* which book it was read from */
} kept = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL};

static void catalog_free(struct catalog *catalog)
{
	listed_free(catalog->listing, catalog->count);
	free(catalog->monitors);
	free(catalog->groups);
	free(catalog->by_id);
	free(catalog->fingerprint);
	site_clear(&catalog->site);
	free(catalog);
}

static void release_locked(struct catalog *catalog)
{
	if (catalog && --catalog->holders == 0)
		catalog_free(catalog);
}

/* The rows of the listing with what is found out about them here; strings stay the listing's. */
static void take_listing(struct catalog *catalog)
{
	catalog->monitors = mem_array(catalog->count + 1, sizeof(*catalog->monitors));
	for (size_t i = 0; i < catalog->count; i++) {
		const struct listed_monitor *m = &catalog->listing[i];

		catalog->monitors[i] = (struct listed){.id = m->id, .slug = m->slug, .name = m->name,
			.type = m->type, .group_name = m->group ? m->group : "", .tags = m->tags,
			.tag_count = m->tag_count, .is_public = m->is_public, .maintenance = m->maintenance,
			.maintenance_count = m->maintenance_count, .interval_ms = m->interval_ms};
	}
}

static int by_group_and_place(const void *a, const void *b)
{
	const struct listed *const *m = a, *const *n = b;
	int order = strcmp((*m)->group_name, (*n)->group_name);

	return order ? order : *m < *n ? -1 : *m > *n;
}

/* Numbers the groups in order of first appearance. Sorting brings the members of each together, first one
   first; `first[i]` then says that monitor i begins a group. */
static void number_groups(struct catalog *catalog)
{
	size_t n = catalog->count;
	struct listed **sorted = mem_array(n + 1, sizeof(*sorted));
	const struct listed **first = mem_array(n + 1, sizeof(*first));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &catalog->monitors[i];
	qsort(sorted, n, sizeof(*sorted), by_group_and_place);
	for (size_t i = 0, head = 0; i < n; i++) {
		if (strcmp(sorted[i]->group_name, sorted[head]->group_name) != 0)
			head = i;
		first[sorted[i] - catalog->monitors] = sorted[head];
	}
	catalog->groups = mem_array(n + 1, sizeof(*catalog->groups));
	for (size_t i = 0; i < n; i++) {
		struct listed *m = &catalog->monitors[i];

		if (first[i] == m) {
			m->group = catalog->group_count;
			catalog->groups[catalog->group_count++] = m->group_name;
		} else {
			m->group = first[i]->group;
		}
	}
	free(sorted);
	free(first);
}

static void index_ids(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (catalog->monitors[i].id > catalog->max_id)
			catalog->max_id = catalog->monitors[i].id;
	catalog->by_id = mem_array((size_t)catalog->max_id + 1, sizeof(*catalog->by_id));
	for (size_t i = 0; i < catalog->count; i++)
		catalog->by_id[catalog->monitors[i].id] = &catalog->monitors[i];
}

/* Takes over site and fingerprint. */
static struct catalog *read_all(
	struct state_txn *txn, struct site *site, char *fingerprint, struct error *err)
{
	struct catalog *catalog = MEM_NEW(struct catalog);

	catalog->site = *site;
	catalog->fingerprint = fingerprint;
	catalog->holders = 1;
	if (state_listing(txn, &catalog->listing, &catalog->count, err)) {
		take_listing(catalog);
		number_groups(catalog);
		index_ids(catalog);
		return catalog;
	}
	catalog_free(catalog);
	return NULL;
}

static bool is_same(const struct catalog *catalog, const struct site *site, const char *fingerprint)
{
	return catalog->site.generation == site->generation && strcmp(catalog->fingerprint, fingerprint) == 0;
}

const struct catalog *catalog_get(const struct state *state, struct state_txn *txn, struct error *err)
{
	struct site site = {0};
	char *fingerprint = NULL;
	struct catalog *catalog = NULL;

	if (!state_site(txn, &site, err))
		return NULL;
	if (!state_fingerprint(txn, &fingerprint, err)) {
		site_clear(&site);
		return NULL;
	}
	pthread_mutex_lock(&kept.lock);
	if (kept.newest && kept.of == state && is_same(kept.newest, &site, fingerprint)) {
		catalog = kept.newest;
		catalog->holders++;
	}
	pthread_mutex_unlock(&kept.lock);
	if (catalog) {
		site_clear(&site);
		free(fingerprint);
		return catalog;
	}
	catalog = read_all(txn, &site, fingerprint, err);
	if (!catalog)
		return NULL;
	pthread_mutex_lock(&kept.lock);
	release_locked(kept.newest);
	kept.newest = catalog;
	kept.of = state;
	catalog->holders++;
	pthread_mutex_unlock(&kept.lock);
	return catalog;
}

void catalog_release(const struct catalog *catalog)
{
	pthread_mutex_lock(&kept.lock);
	release_locked((struct catalog *)(uintptr_t)catalog);
	pthread_mutex_unlock(&kept.lock);
}

const struct listed *catalog_by_id(const struct catalog *catalog, uint32_t id)
{
	return id <= catalog->max_id ? catalog->by_id[id] : NULL;
}
