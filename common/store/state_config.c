/* SPDX-License-Identifier: ISC */
/*
 * state_config: the configuration as the prober published it.
 *
 * A slug gets its id once; everything that is history hangs on the id. The indexes hold what is configured
 * now, and publishing writes only what differs: a file in which one monitor was changed dirties a few
 * pages. What is no longer configured keeps its record, so that old incidents have a name, but no secrets.
 */
#include "store/state_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sign.h"

/* ---- lists of records for an index ------------------------------------------------------------------- */

struct entries {
	struct book_entry *list;
	size_t n, room;
};

/* Takes the bytes over. */
static void entries_add(struct entries *e, const struct key *k, void *bytes, size_t n)
{
	if (e->n == e->room) {
		e->room = e->room ? 2 * e->room : 64;
		e->list = mem_grow(e->list, e->room, sizeof(*e->list));
	}
	e->list[e->n++] = (struct book_entry){.key = *k, .bytes = bytes, .n = n};
}

static void entries_add_id(struct entries *e, const struct key *k, uint32_t id)
{
	struct key value = key_u32(id);

	entries_add(e, k, mem_dup(value.bytes, value.n), value.n);
}

static void entries_free(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		sign_wipe(e->list[i].bytes, e->list[i].n);
		free(e->list[i].bytes);
	}
	free(e->list);
}

static struct key key_token(const char *token)
{
	uint8_t hash[SHA256_BYTES];
	struct key k = {.n = 0};

	sign_sha256(token, strlen(token), hash);
	key_add_bytes(&k, hash, sizeof(hash));
	return k;
}

/* ---- publishing -------------------------------------------------------------------------------------- */

/* Gives each monitor the id of its slug. */
static bool give_ids(struct state_txn *txn, const struct publication *publication, struct error *err)
{
	struct counters counters;

	if (!state_counters(txn, &counters, err))
		return false;
	for (size_t i = 0; i < publication->monitor_count; i++) {
		struct monitor *monitor = &publication->monitors[i];
		struct key k = key_name(monitor->slug), value;
		struct error why;

		if (state_get_id(txn, TABLE_IDS, &k, &monitor->id, &why))
			continue;
		if (why.kind != ERROR_MISSING) {
			if (err)
				*err = why;
			return false;
		}
		monitor->id = ++counters.monitor;
		value = key_u32(monitor->id);
		if (!book_put(&txn->book, TABLE_IDS, &k, value.bytes, value.n, err))
			return false;
	}
	return state_counters_put(txn, &counters, err);
}

static bool put_monitors(struct state_txn *txn, const struct publication *publication, struct error *err)
{
	for (size_t i = 0; i < publication->monitor_count; i++) {
		const struct monitor *monitor = &publication->monitors[i];
		struct key k = key_u32(monitor->id);

		if (!state_put(txn, TABLE_MONITORS, &k, &SHAPE_MONITOR, monitor, err))
			return false;
	}
	return true;
}

static void add_heartbeat(struct entries *rules, const struct monitor *monitor)
{
	struct key k = key_name(monitor->slug);
	struct pack p;

	record_pack(&p, &SHAPE_HEARTBEAT, monitor->heartbeat);
	entries_add(rules, &k, mem_dup(p.out.ptr, p.out.len), p.out.len);
	sign_wipe(p.out.ptr, p.out.len);
	pack_free(&p);
}

static bool put_indexes(struct state_txn *txn, const struct publication *publication, struct error *err)
{
	struct entries slugs = {0}, order = {0}, rules = {0}, tokens = {0};
	bool ok;

	for (size_t i = 0; i < publication->monitor_count; i++) {
		const struct monitor *monitor = &publication->monitors[i];
		struct key slug = key_name(monitor->slug), place = key_u32((uint32_t)i), token;

		entries_add_id(&slugs, &slug, monitor->id);
		entries_add_id(&order, &place, monitor->id);
		if (monitor->heartbeat)
			add_heartbeat(&rules, monitor);
		if (monitor->heartbeat && monitor->heartbeat->token) {
			token = key_token(monitor->heartbeat->token);
			entries_add_id(&tokens, &token, monitor->id);
		}
	}
	ok = book_replace(&txn->book, TABLE_SLUGS, slugs.list, slugs.n, err) &&
		book_replace(&txn->book, TABLE_ORDER, order.list, order.n, err) &&
		book_replace(&txn->book, TABLE_HEARTBEATS, rules.list, rules.n, err) &&
		book_replace(&txn->book, TABLE_TOKENS, tokens.list, tokens.n, err);
	entries_free(&slugs);
	entries_free(&order);
	entries_free(&rules);
	entries_free(&tokens);
	return ok;
}

/* A monitor taken out of the configuration keeps its record, without what signs for it. */
static bool strip_secrets(struct state_txn *txn, uint32_t id, struct error *err)
{
	struct key k = key_u32(id);
	struct monitor monitor;
	bool ok;

	if (!state_get(txn, TABLE_MONITORS, &k, &SHAPE_MONITOR, &monitor, err))
		return false;
	if (monitor.heartbeat)
		heartbeat_rules_clear(monitor.heartbeat);
	free(monitor.heartbeat);
	monitor.heartbeat = NULL;
	ok = state_put(txn, TABLE_MONITORS, &k, &SHAPE_MONITOR, &monitor, err);
	monitor_clear(&monitor);
	return ok;
}

/* What was configured and now is not: unlisted, and never due again. */
static bool unlist_others(
	struct state_txn *txn, struct row *rows, size_t n, const bool *listed, struct error *err)
{
	for (size_t id = 1; id < n; id++) {
		if (!(rows[id].flags & ROW_CONFIGURED) || listed[id])
			continue;
		rows[id].flags &= (uint8_t)~ROW_CONFIGURED;
		if (!strip_secrets(txn, (uint32_t)id, err))
			return false;
	}
	return true;
}

/* A row of one that is listed again is due at once, as a new one is. */
static void list_row(struct row *row, const struct monitor *monitor)
{
	if (!(row->flags & ROW_CONFIGURED))
		row->next_due_us = 0;
	row->flags |= ROW_CONFIGURED;
	if (monitor->heartbeat)
		row->flags |= ROW_HEARTBEAT;
	else
		row->flags &= (uint8_t)~ROW_HEARTBEAT;
}

static bool put_all_rows(struct state_txn *txn, const struct row *rows, size_t n, struct error *err)
{
	uint32_t *ids = mem_array(n, sizeof(*ids));
	bool ok;

	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)i;
	ok = state_rows_put(txn, ids, rows, n, err);
	free(ids);
	return ok;
}

static bool put_rows(struct state_txn *txn, const struct publication *publication, struct error *err)
{
	struct row *rows;
	bool *listed, ok;
	size_t n;

	if (!state_rows(txn, &rows, &n, err))
		return false;
	listed = mem_array(n, sizeof(*listed));
	for (size_t i = 0; i < publication->monitor_count; i++) {
		const struct monitor *monitor = &publication->monitors[i];

		listed[monitor->id] = true;
		list_row(&rows[monitor->id], monitor);
	}
	ok = unlist_others(txn, rows, n, listed, err) && put_all_rows(txn, rows, n, err);
	free(listed);
	free(rows);
	return ok;
}

/* The only heartbeat, or the one called "default"; NULL when neither is. */
static const char *default_of(const struct publication *publication)
{
	const char *only = NULL;
	size_t heartbeats = 0;

	for (size_t i = 0; i < publication->monitor_count; i++) {
		const struct monitor *monitor = &publication->monitors[i];

		if (!monitor->heartbeat)
			continue;
		if (!strcmp(monitor->slug, "default"))
			return monitor->slug;
		only = monitor->slug;
		heartbeats++;
	}
	return heartbeats == 1 ? only : NULL;
}

static bool put_site(struct state_txn *txn, struct publication *publication, struct error *err)
{
	struct key site = key_name("site"), fingerprint = key_name("fingerprint"), name = key_name("default");
	struct site old;

	if (!state_get_or_empty(txn, TABLE_META, &site, &SHAPE_SITE, &old, err))
		return false;
	publication->site.generation = old.generation + 1;
	publication->site.monitors = publication->monitor_count;
	site_clear(&old);
	return state_put(txn, TABLE_META, &site, &SHAPE_SITE, &publication->site, err) &&
		state_put_text(txn, TABLE_META, &fingerprint, publication->fingerprint, err) &&
		state_put_text(txn, TABLE_META, &name, default_of(publication), err);
}

/* One record with what lists show; its strings are those of the publication. */
static bool put_listing(struct state_txn *txn, const struct publication *publication, struct error *err)
{
	struct key k = key_name("listing");
	struct listing listing = {.count = publication->monitor_count};
	bool ok;

	listing.monitors = mem_array(listing.count + 1, sizeof(*listing.monitors));
	for (size_t i = 0; i < listing.count; i++) {
		const struct monitor *m = &publication->monitors[i];

		listing.monitors[i] = (struct listed_monitor){.id = m->id, .slug = m->slug, .type = m->type,
			.name = m->name, .group = m->group, .tags = m->tags, .tag_count = m->tag_count,
			.is_public = m->is_public, .interval_ms = m->interval_ms, .maintenance = m->maintenance,
			.maintenance_count = m->maintenance_count};
	}
	ok = state_put(txn, TABLE_META, &k, &SHAPE_LISTING, &listing, err);
	free(listing.monitors);
	return ok;
}

bool state_publish(struct state_txn *txn, struct publication *publication, struct error *err)
{
	return give_ids(txn, publication, err) && put_indexes(txn, publication, err) &&
		put_monitors(txn, publication, err) && put_rows(txn, publication, err) &&
		put_listing(txn, publication, err) && put_site(txn, publication, err);
}

/* ---- reading it -------------------------------------------------------------------------------------- */

bool state_site(struct state_txn *txn, struct site *out, struct error *err)
{
	struct key k = key_name("site");

	return state_get(txn, TABLE_META, &k, &SHAPE_SITE, out, err);
}

bool state_fingerprint(struct state_txn *txn, char **out, struct error *err)
{
	struct key k = key_name("fingerprint");

	return state_get_text(txn, TABLE_META, &k, out, err);
}

bool state_problems_put(struct state_txn *txn, const struct problem *problems, size_t n, struct error *err)
{
	struct key k = key_name("problems");
	union {
		const struct problem *in;
		struct problem *out;
	} u = {.in = problems};
	struct problem_list list = {u.out, n};

	return state_put(txn, TABLE_META, &k, &SHAPE_PROBLEMS, &list, err);
}

bool state_problems(struct state_txn *txn, struct problem **out, size_t *n, struct error *err)
{
	struct key k = key_name("problems");
	struct problem_list list;

	if (!state_get_or_empty(txn, TABLE_META, &k, &SHAPE_PROBLEMS, &list, err))
		return false;
	*out = list.problems;
	*n = list.count;
	return true;
}

bool state_monitor(struct state_txn *txn, uint32_t id, struct monitor *out, struct error *err)
{
	struct key k = key_u32(id);

	return state_get(txn, TABLE_MONITORS, &k, &SHAPE_MONITOR, out, err);
}

/* A book of before there was a listing: from the monitors themselves. */
static bool list_one(void *arg, const struct monitor *m)
{
	struct listing *listing = arg;
	struct listed_monitor *out;

	listing->monitors = mem_grow(listing->monitors, listing->count + 1, sizeof(*out));
	out = &listing->monitors[listing->count++];
	*out = (struct listed_monitor){.id = m->id, .slug = mem_str(m->slug), .type = mem_str(m->type),
		.name = mem_str(m->name), .group = mem_str(m->group), .is_public = m->is_public,
		.interval_ms = m->interval_ms, .tags = mem_array(m->tag_count + 1, sizeof(char *)),
		.tag_count = m->tag_count, .maintenance = mem_array(m->maintenance_count + 1, sizeof(char *)),
		.maintenance_count = m->maintenance_count};
	for (size_t i = 0; i < m->tag_count; i++)
		out->tags[i] = mem_str(m->tags[i]);
	for (size_t i = 0; i < m->maintenance_count; i++)
		out->maintenance[i] = mem_str(m->maintenance[i]);
	return true;
}

bool state_listing(struct state_txn *txn, struct listed_monitor **out, size_t *n, struct error *err)
{
	struct key k = key_name("listing");
	struct listing listing = {0};
	struct error why;
	bool ok = state_get(txn, TABLE_META, &k, &SHAPE_LISTING, &listing, &why);

	if (!ok && why.kind == ERROR_MISSING) {
		listing = (struct listing){0};
		ok = state_monitor_scan(txn, list_one, &listing, &why);
		if (!ok)
			listed_free(listing.monitors, listing.count);
	}
	if (!ok) {
		if (err)
			*err = why;
		return false;
	}
	*out = listing.monitors;
	*n = listing.count;
	return true;
}

void listed_free(struct listed_monitor *list, size_t n)
{
	struct listing listing = {list, n};

	record_clear(&SHAPE_LISTING, &listing);
}

static bool monitor_by(struct state_txn *txn, enum state_table index, const struct key *k,
	struct monitor *out, struct error *err)
{
	uint32_t id;

	return state_get_id(txn, index, k, &id, err) && state_monitor(txn, id, out, err);
}

bool state_monitor_by_slug(struct state_txn *txn, const char *slug, struct monitor *out, struct error *err)
{
	struct key k = key_name(slug);

	return monitor_by(txn, TABLE_SLUGS, &k, out, err);
}

bool state_monitor_by_token(struct state_txn *txn, const char *token, struct monitor *out, struct error *err)
{
	struct key k = key_token(token);

	return monitor_by(txn, TABLE_TOKENS, &k, out, err);
}

bool state_default_heartbeat(struct state_txn *txn, char **slug, struct error *err)
{
	struct key k = key_name("default");

	return state_get_text(txn, TABLE_META, &k, slug, err);
}

bool state_heartbeat(struct state_txn *txn, const char *slug, struct heartbeat_rules *out, struct error *err)
{
	struct key k = key_name(slug);

	return state_get(txn, TABLE_HEARTBEATS, &k, &SHAPE_HEARTBEAT, out, err);
}

bool state_monitor_scan(struct state_txn *txn, bool (*each)(void *arg, const struct monitor *monitor),
	void *arg, struct error *err)
{
	struct walk w;
	bool ok = true, go_on = true;

	for (bool on = walk_first(&w, &txn->book, TABLE_ORDER); on && ok && go_on; on = walk_next(&w)) {
		struct monitor monitor;

		ok = state_monitor(txn, key_read_u32(&w.value, 0), &monitor, err);
		if (!ok)
			continue;
		go_on = each(arg, &monitor);
		monitor_clear(&monitor);
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}
