/* SPDX-License-Identifier: ISC */
/*
 * state_incident: incidents. What is short (when, whose, how it ended) is one record, so that lists are
 * cheap; each entry of its story is another, because entries carry evidence of several KiB and are only
 * ever appended: storing an incident again writes what is new.
 */
#include "store/state_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct key key_entry(uint32_t incident, uint32_t number)
{
	struct key k = key_u32(incident);

	key_add_u32(&k, number);
	return k;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static bool put_entries(struct state_txn *txn, const struct incident *incident, struct error *err)
{
	for (size_t i = 0; i < incident->entry_count; i++) {
		struct key k = key_entry(incident->id, (uint32_t)i);

		if (!state_put(txn, TABLE_ENTRIES, &k, &SHAPE_ENTRY, &incident->entries[i], err))
			return false;
	}
	return true;
}

static bool put_indexes(struct state_txn *txn, const struct incident *incident, struct error *err)
{
	struct key open = key_u32(incident->id), by_monitor = key_u32(incident->monitor_id);

	key_add_u32(&by_monitor, incident->id);
	if (!book_put_changed(&txn->book, TABLE_BY_MONITOR, &by_monitor, "", 0, err))
		return false;
	if (incident->ended_us)
		return book_delete(&txn->book, TABLE_OPEN, &open, err);
	return book_put_changed(&txn->book, TABLE_OPEN, &open, "", 0, err);
}

bool state_incident_put(struct state_txn *txn, const struct incident *incident, struct error *err)
{
	struct key k = key_u32(incident->id);

	return state_put(txn, TABLE_INCIDENTS, &k, &SHAPE_INCIDENT, incident, err) &&
		put_entries(txn, incident, err) && put_indexes(txn, incident, err);
}

bool state_incident_new(struct state_txn *txn, struct incident *incident, struct error *err)
{
	struct counters counters;

	if (!state_counters(txn, &counters, err))
		return false;
	incident->id = ++counters.incident;
	return state_counters_put(txn, &counters, err) && state_incident_put(txn, incident, err);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static void append_entry(struct incident *incident, const struct incident_entry *entry)
{
	size_t n = incident->entry_count;

	if (!(n & (n - 1)))
		incident->entries = mem_grow(incident->entries, n ? 2 * n : 1, sizeof(*entry));
	incident->entries[n] = *entry;
	incident->entry_count++;
}

static bool get_entries(struct state_txn *txn, struct incident *incident, struct error *err)
{
	struct key first = key_u32(incident->id);
	struct walk w;
	bool ok = true;

	for (bool on = walk_from(&w, &txn->book, TABLE_ENTRIES, &first); on && ok && walk_within(&w, &first);
		on = walk_next(&w)) {
		struct incident_entry entry;

		ok = record_unpack(w.value.mv_data, w.value.mv_size, &SHAPE_ENTRY, &entry, err);
		if (ok)
			append_entry(incident, &entry);
	}
	return walk_end(&w, ok ? err : NULL) && ok;
}

static bool get_incident(
	struct state_txn *txn, uint32_t id, bool brief, struct incident *out, struct error *err)
{
	struct key k = key_u32(id);

	if (!state_get(txn, TABLE_INCIDENTS, &k, &SHAPE_INCIDENT, out, err))
		return false;
	if (brief || get_entries(txn, out, err))
		return true;
	incident_clear(out);
	return false;
}

bool state_incident(struct state_txn *txn, uint32_t id, struct incident *out, struct error *err)
{
	return get_incident(txn, id, false, out, err);
}

struct scan {
	enum state_table table; /* the index that is walked */
	struct key prefix;      /* of its keys; then comes the incident's id */
	uint32_t monitor_id;    /* when the index is not by monitor: only this one's, 0 all */
	bool only_open, brief;
};

/* The shortest index that has all of them. */
static struct scan plan_scan(uint32_t monitor_id, bool only_open, bool brief)
{
	struct scan scan = {.only_open = only_open, .brief = brief};

	if (only_open) {
		scan.table = TABLE_OPEN;
		scan.monitor_id = monitor_id;
	} else if (monitor_id) {
		scan.table = TABLE_BY_MONITOR;
		scan.prefix = key_u32(monitor_id);
	} else {
		scan.table = TABLE_INCIDENTS;
	}
	return scan;
}

static bool begin_newest(struct walk *w, struct state_txn *txn, const struct scan *scan)
{
	struct key beyond = scan->prefix;

	if (!scan->prefix.n)
		return walk_last(w, &txn->book, scan->table);
	key_add_u32(&beyond, UINT32_MAX);
	return walk_before(w, &txn->book, scan->table, &beyond) && walk_within(w, &scan->prefix);
}

static bool show(struct state_txn *txn, const struct scan *scan, uint32_t id,
	bool (*each)(void *arg, const struct incident *incident), void *arg, bool *go_on, struct error *err)
{
	struct incident incident;

	if (!get_incident(txn, id, scan->brief, &incident, err))
		return false;
	if (!scan->monitor_id || scan->monitor_id == incident.monitor_id)
		*go_on = each(arg, &incident);
	incident_clear(&incident);
	return true;
}

bool state_incident_scan(struct state_txn *txn, uint32_t monitor_id, bool only_open, bool brief,
	bool (*each)(void *arg, const struct incident *incident), void *arg, struct error *err)
{
	struct scan scan = plan_scan(monitor_id, only_open, brief);
	struct walk w;
	bool ok = true, go_on = true;

	for (bool on = begin_newest(&w, txn, &scan); on && ok && go_on;
		on = walk_back(&w) && walk_within(&w, &scan.prefix))
		ok = show(txn, &scan, key_read_u32(&w.key, scan.prefix.n), each, arg, &go_on, err);
	return walk_end(&w, ok ? err : NULL) && ok;
}
