/* SPDX-License-Identifier: ISC */
/*
 * state_audit: what must hold between the records of the state.
 *
 *	I3	every state change has its outbox rows: who was told of an incident has a notice of it, and
 *		each that its story says was queued is there
 *	I4	none of them vanished: numbers have no holes, what waits stands in the order of due times and
 *		nothing else does, what was superseded names a message that is there
 *	I5	an alert has its evidence: no "down" was queued for an incident without a bad look
 *	I6	hours and days are sums: up, down and unknown fill no more than their time, and a day is its hours
 *
 * Old notices are forgotten (state_forget), so what they would prove is asked of the younger ones only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/audit_private.h"
#include "store/state_private.h"

#define CERTAIN_US (89 * 24 * 3600 * US_PER_S) /* notices as young as this are never forgotten */
#define ALL_TIME_S (INT64_C(1) << 36)

struct telling {
	uint32_t incident;
	enum event_kind event;
	bool repeat;
	uint64_t channel; /* a hash of its name */
	char event_id[EVENT_ID_MAX];
};

struct look {
	struct audit *a;
	struct state_txn *txn;
	struct counters counters;
	struct row *rows;
	size_t row_count;
	int64_t certain_us;    /* what is younger has all its notices */
	struct telling *told;  /* all notices, by incident */
	size_t told_count;
	uint64_t last_notice;  /* the number before this one, 0 none yet or too old to tell */
	uint64_t wait_count;
	uint64_t queued;       /* of the incident being looked at */
};

static struct key key_of(const MDB_val *bytes)
{
	struct key k = {.n = 0};

	key_add_bytes(&k, bytes->mv_data, bytes->mv_size);
	return k;
}

/* Equal names have equal hashes; that others may, too, makes the audit miss something, once in 2^64. */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; name && *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/* ---- the configuration ------------------------------------------------------------------------------- */

static void look_at_slug(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;
	struct key slug = key_of(key), id = key_of(value);
	uint32_t n = key_read_u32(value, 0), known = 0;

	if (!state_get_id(l->txn, TABLE_IDS, &slug, &known, NULL) || known != n)
		audit_torn(l->a, "slug %.*s has another id than it was given", (int)slug.n, (char *)slug.bytes);
	if (!audit_has(&l->txn->book, TABLE_MONITORS, &id))
		audit_torn(l->a, "monitor %u is configured and has no record", n);
	if (n >= l->row_count || !(l->rows[n].flags & ROW_CONFIGURED))
		audit_torn(l->a, "monitor %u is configured, and its row says it is not", n);
}

static void look_at_id(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;

	if (key_read_u32(value, 0) > l->counters.monitor)
		audit_torn(l->a, "slug %.*s has id %u, beyond the last one given, %u", (int)key->mv_size,
			(const char *)key->mv_data, key_read_u32(value, 0), l->counters.monitor);
}

/* Of the order of the configuration, and of tokens: the value is the id of a monitor that is configured. */
static void look_at_reference(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;
	uint32_t id = key_read_u32(value, 0);

	(void)key;
	if (id >= l->row_count || !(l->rows[id].flags & ROW_CONFIGURED))
		audit_torn(l->a, "an index names monitor %u, which is not configured", id);
}

static void look_at_heartbeat(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;
	struct key slug = key_of(key);

	(void)value;
	if (!audit_has(&l->txn->book, TABLE_SLUGS, &slug))
		audit_torn(l->a, "%.*s may beat and is not configured", (int)slug.n, (char *)slug.bytes);
}

static void look_at_configuration(struct look *l)
{
	struct book_txn *t = &l->txn->book;
	uint64_t configured = 0;

	for (size_t id = 0; id < l->row_count; id++)
		configured += (l->rows[id].flags & ROW_CONFIGURED) != 0;
	audit_each(t, l->a, TABLE_IDS, look_at_id, l);
	audit_each(t, l->a, TABLE_SLUGS, look_at_slug, l);
	audit_each(t, l->a, TABLE_ORDER, look_at_reference, l);
	audit_each(t, l->a, TABLE_TOKENS, look_at_reference, l);
	audit_each(t, l->a, TABLE_HEARTBEATS, look_at_heartbeat, l);
	l->a->monitors = audit_count(t, TABLE_SLUGS);
	if (l->a->monitors != configured || audit_count(t, TABLE_ORDER) != configured)
		audit_torn(l->a, "%llu monitors are configured, %llu in order, %llu by their rows",
			(unsigned long long)l->a->monitors,
			(unsigned long long)audit_count(t, TABLE_ORDER), (unsigned long long)configured);
}

/* ---- states ------------------------------------------------------------------------------------------ */

static void look_at_judge(struct look *l, uint32_t id)
{
	const struct row *row = &l->rows[id];
	struct incident incident;
	struct judge judge;

	if (!state_judge(l->txn, id, &judge, NULL))
		return; /* was said */
	if (row->state != judge.state || row->decided != judge.decided || row->incident != judge.incident)
		audit_torn(l->a, "I3: monitor %u: its row (%s, incident %u) is not what was decided (%s, incident %u)",
			id, monitor_state_name(row->state), row->incident, monitor_state_name(judge.state),
			judge.incident);
	if (judge.decided == STATE_DOWN && !judge.incident)
		audit_broken(l->a, "I3: monitor %u is down without an incident", id);
	if (!judge.incident)
		return;
	if (!state_incident(l->txn, judge.incident, &incident, NULL)) {
		audit_broken(l->a, "I3: monitor %u is in incident %u, which is not there", id, judge.incident);
		return;
	}
	if (incident.ended_us || incident.monitor_id != id)
		audit_broken(l->a, "I3: monitor %u is in incident %u, which %s", id, judge.incident,
			incident.ended_us ? "is over" : "is another's");
	incident_clear(&incident);
}

/* ---- notices ----------------------------------------------------------------------------------------- */

static bool take_notice(void *arg, const struct notice *n)
{
	struct look *l = arg;
	struct telling *told;

	l->told = mem_grow(l->told, l->told_count + 1, sizeof(*l->told));
	told = &l->told[l->told_count++];
	*told = (struct telling){.incident = n->incident, .event = n->event, .repeat = n->repeat,
		.channel = name_hash(n->channel)};
	memcpy(told->event_id, n->event_id, sizeof(told->event_id));
	return true;
}

static int by_incident(const void *a, const void *b)
{
	const struct telling *x = a, *y = b;

	return (x->incident > y->incident) - (x->incident < y->incident);
}

static bool event_is_there(const struct look *l, const char *id)
{
	for (size_t i = 0; i < l->told_count; i++)
		if (!strcmp(l->told[i].event_id, id))
			return true;
	return false;
}

static bool waits_in_order(struct look *l, const struct notice *n)
{
	struct key due = key_u64(state_time(n->due_us));

	key_add_u64(&due, n->id);
	return audit_has(&l->txn->book, TABLE_DUE, &due);
}

static void look_at_numbers(struct look *l, const struct notice *n)
{
	if (l->last_notice && n->id != l->last_notice + 1)
		audit_broken(l->a, "I4: the notices between %llu and %llu vanished",
			(unsigned long long)l->last_notice, (unsigned long long)n->id);
	l->last_notice = n->at_us > l->certain_us ? n->id : 0;
	if (n->id > l->counters.notice)
		audit_broken(l->a, "I4: notice %llu is beyond the last number given, %llu",
			(unsigned long long)n->id, (unsigned long long)l->counters.notice);
}

static void look_at_notice(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;
	struct notice n;
	struct key by_incident, incident;
	unsigned long long id = key_read_u64(key, 0);
	bool waits;

	if (!record_unpack(value->mv_data, value->mv_size, &SHAPE_NOTICE, &n, NULL))
		return;
	waits = n.state == NOTICE_WAITING;
	by_incident = incident = key_u32(n.incident);
	key_add_u64(&by_incident, n.id);
	look_at_numbers(l, &n);
	if (n.id != id || !*n.event_id || !n.channel)
		audit_torn(l->a, "I4: notice %llu has another number, no id or no channel", id);
	if (n.state > NOTICE_SUPERSEDED || n.event >= EVENT__COUNT)
		audit_broken(l->a, "I4: notice %llu is in no known state", id);
	if (waits != waits_in_order(l, &n))
		audit_broken(l->a, "I4: notice %llu %s", id,
			waits ? "waits, and nobody will look at it" : "waits no more, and is still due");
	if (!audit_has(&l->txn->book, TABLE_BY_INCIDENT, &by_incident))
		audit_torn(l->a, "I4: notice %llu is not found by its incident", id);
	if (n.incident && !audit_has(&l->txn->book, TABLE_INCIDENTS, &incident))
		audit_broken(l->a, "I4: notice %llu tells of incident %u, which is not there", id, n.incident);
	if (n.state == NOTICE_DELIVERED && !n.attempts)
		audit_broken(l->a, "I4: notice %llu was delivered without an attempt", id);
	if (n.instead && n.at_us > l->certain_us && !event_is_there(l, n.instead))
		audit_broken(l->a, "I4: notice %llu is told by %s, which is not there", id, n.instead);
	l->wait_count += waits;
	notice_clear(&n);
}

static void look_at_outbox(struct look *l)
{
	struct book_txn *t = &l->txn->book;

	state_notice_scan(l->txn, 0, take_notice, l, NULL);
	if (l->told_count)
		qsort(l->told, l->told_count, sizeof(*l->told), by_incident);
	audit_each(t, l->a, TABLE_NOTICES, look_at_notice, l);
	l->a->notices = audit_count(t, TABLE_NOTICES);
	l->a->waiting = l->wait_count;
	if (audit_count(t, TABLE_DUE) != l->wait_count || audit_count(t, TABLE_BY_INCIDENT) != l->a->notices)
		audit_torn(l->a, "I4: of %llu notices %llu wait; %llu are due, %llu are found by incident",
			(unsigned long long)l->a->notices, (unsigned long long)l->wait_count,
			(unsigned long long)audit_count(t, TABLE_DUE),
			(unsigned long long)audit_count(t, TABLE_BY_INCIDENT));
	if (l->last_notice && l->last_notice != l->counters.notice)
		audit_broken(l->a, "I4: the notices after %llu vanished; %llu were written",
			(unsigned long long)l->last_notice, (unsigned long long)l->counters.notice);
}

/* ---- incidents --------------------------------------------------------------------------------------- */

static size_t notices_for(const struct look *l, uint32_t incident, const char *channel, int event)
{
	uint64_t hash = name_hash(channel);
	size_t n = 0, low = 0, high = l->told_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (l->told[middle].incident < incident)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < l->told_count && l->told[i].incident == incident; i++)
		n += l->told[i].channel == hash && !l->told[i].repeat &&
			(event < 0 || l->told[i].event == (enum event_kind)event);
	return n;
}

/* Queued entries say the same more than once when an event recurs: each has its own notice. */
static void look_at_queued(struct look *l, const struct incident *incident)
{
	bool alarm = false, bad = false;

	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *entry = &incident->entries[i];
		enum event_kind event;
		size_t said = 0;

		bad = bad || (entry->kind == ENTRY_ATTEMPT && entry->outcome == OUTCOME_DOWN);
		if (entry->kind != ENTRY_QUEUED || !entry->text || !event_parse(entry->text, &event))
			continue;
		alarm = alarm || event == EVENT_DOWN;
		for (size_t j = 0; j <= i; j++) {
			const struct incident_entry *other = &incident->entries[j];

			said += other->kind == ENTRY_QUEUED && other->text && other->who && entry->who &&
				!strcmp(other->text, entry->text) && !strcmp(other->who, entry->who);
		}
		if (notices_for(l, incident->id, entry->who, (int)event) < said)
			audit_broken(l->a, "I3: incident %u: \"%s\" for channel %s was queued and is not there",
				incident->id, entry->text, entry->who);
	}
	if (alarm && !bad && !incident->entries_dropped)
		audit_broken(l->a, "I5: incident %u was told as down without one bad look", incident->id);
}

static bool look_at_incident(void *arg, const struct incident *incident)
{
	struct look *l = arg;
	struct key open = key_u32(incident->id), by_monitor = key_u32(incident->monitor_id);
	bool is_open = audit_has(&l->txn->book, TABLE_OPEN, &open);

	key_add_u32(&by_monitor, incident->id);
	l->a->incidents++;
	l->a->open += !incident->ended_us;
	if (is_open != !incident->ended_us)
		audit_torn(l->a, "incident %u is %s, its index says otherwise", incident->id,
			incident->ended_us ? "over" : "open");
	if (!audit_has(&l->txn->book, TABLE_BY_MONITOR, &by_monitor))
		audit_torn(l->a, "incident %u is not found by its monitor", incident->id);
	if (incident->id > l->counters.incident)
		audit_torn(l->a, "incident %u is beyond the last number given, %u", incident->id,
			l->counters.incident);
	if (incident->ended_us && incident->ended_us < incident->started_us)
		audit_broken(l->a, "I6: incident %u ended before it began", incident->id);
	if (!incident->ended_us && incident->monitor_id < l->row_count &&
		l->rows[incident->monitor_id].incident != incident->id)
		audit_broken(l->a, "I3: incident %u lasts, and monitor %u is not in it", incident->id,
			incident->monitor_id);
	if (incident->decided_us <= l->certain_us)
		return true;
	for (size_t i = 0; i < incident->told_count; i++)
		if (!notices_for(l, incident->id, incident->told[i], -1))
			audit_broken(l->a, "I3: incident %u: channel %s was told, and there is no notice",
				incident->id, incident->told[i]);
	look_at_queued(l, incident);
	return true;
}

static void look_at_entry(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct look *l = arg;
	struct key k = key_u32(key_read_u32(key, 0));

	(void)value;
	if (!audit_has(&l->txn->book, TABLE_INCIDENTS, &k))
		audit_torn(l->a, "an entry is of incident %u, which is not there", key_read_u32(key, 0));
}

static void look_at_incidents(struct look *l)
{
	struct book_txn *t = &l->txn->book;

	state_incident_scan(l->txn, 0, false, false, look_at_incident, l, NULL);
	audit_each(t, l->a, TABLE_ENTRIES, look_at_entry, l);
	if (audit_count(t, TABLE_OPEN) != l->a->open || audit_count(t, TABLE_BY_MONITOR) != l->a->incidents ||
		l->counters.incident != l->a->incidents)
		audit_torn(l->a, "I3: of %llu incidents %llu last; %llu are open, %llu by monitor, %u were numbered",
			(unsigned long long)l->a->incidents, (unsigned long long)l->a->open,
			(unsigned long long)audit_count(t, TABLE_OPEN),
			(unsigned long long)audit_count(t, TABLE_BY_MONITOR), l->counters.incident);
}

/* ---- hours and days ---------------------------------------------------------------------------------- */

struct figures {
	struct look *look;
	uint32_t id;
	struct rollup hours; /* of the day being looked at */
	unsigned hour_count;
};

static bool is_sum(const struct rollup *r, int64_t length_s)
{
	int64_t seen;

	if (r->up_s < 0 || r->down_s < 0 || r->unknown_s < 0 || r->to_s - r->from_s > length_s ||
		r->up_s > length_s || r->down_s > length_s || r->unknown_s > length_s)
		return false;
	seen = r->up_s + r->down_s + r->unknown_s;
	return seen <= r->to_s - r->from_s &&
		(!r->count || (r->min_us <= r->p50_us && r->p50_us <= r->max_us && r->p95_us <= r->max_us));
}

static bool look_at_hour(void *arg, const struct rollup *r)
{
	struct figures *f = arg;

	f->look->a->rollups++;
	if (!is_sum(r, 3600))
		audit_broken(f->look->a, "I6: monitor %u, hour %lld: up, down and unknown are no sum", f->id,
			(long long)r->from_s);
	return true;
}

static bool add_hour(void *arg, const struct rollup *r)
{
	struct figures *f = arg;

	f->hours.up_s += r->up_s;
	f->hours.down_s += r->down_s;
	f->hours.unknown_s += r->unknown_s;
	f->hour_count++;
	return true;
}

/* Hours are forgotten before days: of a day that has lost some of them nothing can be said. */
static bool look_at_day(void *arg, const struct rollup *r)
{
	struct figures *f = arg;

	f->look->a->rollups++;
	if (!is_sum(r, 24 * 3600))
		audit_broken(f->look->a, "I6: monitor %u, day %lld: up, down and unknown are no sum", f->id,
			(long long)r->from_s);
	f->hours = (struct rollup){0};
	f->hour_count = 0;
	state_rollup_scan(f->look->txn, ROLLUP_HOUR, f->id, r->from_s, r->from_s + 24 * 3600, add_hour, f, NULL);
	if (f->hour_count == 24 && (f->hours.up_s != r->up_s || f->hours.down_s != r->down_s ||
		f->hours.unknown_s != r->unknown_s))
		audit_broken(f->look->a, "I6: monitor %u, day %lld is not the sum of its hours", f->id,
			(long long)r->from_s);
	return true;
}

static void look_at_figures(struct look *l, uint32_t id)
{
	struct figures f = {.look = l, .id = id};

	state_rollup_scan(l->txn, ROLLUP_HOUR, id, 0, ALL_TIME_S, look_at_hour, &f, NULL);
	state_rollup_scan(l->txn, ROLLUP_DAY, id, 0, ALL_TIME_S, look_at_day, &f, NULL);
}

/* ---- the call ---------------------------------------------------------------------------------------- */

static bool look_begin(struct look *l)
{
	struct pass_info pass;
	struct error err;

	if (state_counters(l->txn, &l->counters, &err) && state_rows(l->txn, &l->rows, &l->row_count, &err) &&
		state_pass(l->txn, &pass, &err)) {
		l->certain_us = pass.started_us - CERTAIN_US;
		return true;
	}
	audit_broken(l->a, "%s", err.text);
	return false;
}

bool state_audit(struct state *state, struct audit *audit, struct error *err)
{
	struct look look = {.a = audit, .txn = state_begin(state, false, err)};

	*audit = (struct audit){.say = audit->say, .arg = audit->arg};
	if (!look.txn)
		return false;
	if (audit_records(&look.txn->book, audit) && look_begin(&look)) {
		look_at_configuration(&look);
		look_at_outbox(&look);
		look_at_incidents(&look);
		for (uint32_t id = 1; id < look.row_count; id++) {
			if (look.rows[id].flags & ROW_CONFIGURED)
				look_at_judge(&look, id);
			look_at_figures(&look, id);
		}
	}
	free(look.rows);
	free(look.told);
	state_end(look.txn);
	return true;
}
