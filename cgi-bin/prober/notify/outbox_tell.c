/* SPDX-License-Identifier: ISC */
/*
 * outbox_tell: who is told of a verdict. Only planning: everything here happens in the transaction of the
 * decision, and nothing is sent.
 *
 * An alert goes to each notify entry that asks for its event: at once, after the entry's delay, or when the
 * entry's hours begin. A recovery goes to exactly those channels whose alert went out, or is about to: an
 * alert that waits because its channel is in trouble is taken out, and the recovery tells both.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/peering.h"
#include "model/window.h"
#include "prober/notify/outbox_private.h"

#define ALERTS (EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_UNKNOWN) | EVENT_BIT(EVENT_FLAPPING))

/* ---- small things that both halves use */

void notices_add(struct notices *list, const struct notice *notice)
{
	list->at = mem_grow(list->at, list->n + 1, sizeof(*list->at));
	list->at[list->n++] = notice_copy(notice);
}

void notices_clear(struct notices *list)
{
	for (size_t i = 0; i < list->n; i++)
		notice_clear(&list->at[i]);
	free(list->at);
	*list = (struct notices){NULL, 0};
}

struct siblings {
	const char *channel;
	struct notices *out;
};

static bool keep_sibling(void *arg, const struct notice *notice)
{
	struct siblings *s = arg;

	if (!strcmp(notice->channel, s->channel))
		notices_add(s->out, notice);
	return true;
}

bool notices_of(struct state_txn *txn, uint32_t incident, const char *channel, struct notices *out,
	struct error *err)
{
	struct siblings s = {channel, out};

	if (!incident)
		return true;
	if (!state_notice_scan(txn, incident, keep_sibling, &s, err))
		return false;
	for (size_t i = 0; i < out->n / 2; i++) { /* it gives the newest first */
		struct notice swap = out->at[i];

		out->at[i] = out->at[out->n - 1 - i];
		out->at[out->n - 1 - i] = swap;
	}
	return true;
}

void event_id_make(char out[EVENT_ID_MAX], const char *what, const char *channel, int64_t at_us,
	uint64_t ordinal)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "%s\n%s\n%lld\n%llu", what, channel, (long long)at_us, (unsigned long long)ordinal);
	notice_event_id(out, &t);
	text_free(&t);
}

int64_t within_hours(const struct notify_rule *rule, const char *zone_name, int64_t at_us)
{
	const struct zone *zone = calendar_zone(zone_name ? zone_name : "UTC");
	int64_t at_s = at_us / US_PER_S, from_s, to_s;
	struct window window;
	const char *why;

	if (!rule || !rule->hours || !window_parse(rule->hours, zone, &window, &why))
		return at_us;
	if (window_active(&window, at_s) || !window_next_span(&window, at_s, &from_s, &to_s))
		return at_us;
	return from_s * US_PER_S;
}

const struct notify_rule *rule_of(const struct monitor *monitor, const struct notice *notice)
{
	const struct notify_rule *found = NULL;

	for (size_t i = 0; i < monitor->notify_count; i++) {
		const struct notify_rule *rule = &monitor->notify[i];
		bool its_turn = notice->repeat ? rule->repeat_ms > 0 :
			notice->at_us + rule->after_ms * US_PER_MS <= notice->due_us;

		if (!strcmp(rule->channel, notice->channel) && rule->events & EVENT_BIT(notice->event) && its_turn)
			found = rule;
	}
	return found;
}

bool notice_supersede(struct state_txn *txn, struct notice *notice, const char *why, const char *instead,
	struct error *err)
{
	notice->state = NOTICE_SUPERSEDED;
	notice->in_flight = false;
	free(notice->answer);
	free(notice->instead);
	notice->answer = mem_str(why);
	notice->instead = mem_str(instead);
	return state_notice_put(txn, notice, err);
}

bool notice_counts_as_told(const struct notice *notice, int64_t now_us)
{
	if (!(EVENT_BIT(notice->event) & ALERTS))
		return false;
	if (notice->state == NOTICE_SUPERSEDED)
		return notice->instead != NULL;
	return notice->state != NOTICE_WAITING || notice->in_flight || notice->attempts || notice->due_us <= now_us;
}

bool reminder_add(struct state_txn *txn, const struct monitor *monitor, const struct notice *told,
	const char *zone_name, int64_t now_us, struct error *err)
{
	const struct notify_rule *rule = rule_of(monitor, told);
	struct notice reminder;
	bool ok;

	if (!rule || !rule->repeat_ms || !(EVENT_BIT(told->event) & ALERTS) || told->event == EVENT_FLAPPING)
		return true;
	reminder = notice_copy(told);
	free(reminder.answer);
	free(reminder.thread);
	free(reminder.instead);
	reminder.answer = reminder.thread = reminder.instead = NULL;
	reminder.state = NOTICE_WAITING;
	reminder.attempts = 0;
	reminder.in_flight = false;
	reminder.repeat = true;
	reminder.due_us = within_hours(rule, zone_name, now_us + rule->repeat_ms * US_PER_MS);
	reminder.at_us = reminder.due_us;
	reminder.expires_us = reminder.due_us + NOTICE_LIFE_US;
	event_id_make(reminder.event_id, told->event_id, told->channel, reminder.due_us, 1);
	ok = state_notice_add(txn, &reminder, err);
	notice_clear(&reminder);
	return ok;
}

/* ---- planning */

struct plan {
	struct state_txn *txn;
	const struct monitor *monitor;
	const struct verdict *verdict;
	struct judge judge;
	struct site site;
	struct incident *incident; /* or NULL */
	int64_t now_us;
	uint64_t ordinal;          /* tells the notices of one decision apart */
	struct error *err;
};

static void note_entry(struct plan *p, enum incident_entry_kind kind, const char *channel, const char *text)
{
	struct incident_entry *entry = p->incident ? incident_add(p->incident, kind, p->now_us) : NULL;

	if (entry) {
		entry->who = mem_str(channel);
		entry->text = mem_str(text);
	}
}

/* How slow it is, as people say it. */
static void put_response(struct plan *p, struct text *t)
{
	struct row row;

	if (state_row(p->txn, p->monitor->id, &row, NULL) && row.response_us)
		words_response(t, p->site.language, row.response_us);
}

/* What there is to say of this event, whoever is told. */
static void fill_event(struct plan *p, struct notice *n, enum event_kind event)
{
	const struct verdict *v = p->verdict;
	int64_t outage_us = v->outage_us ? v->outage_us : p->now_us;
	const char *cause = p->judge.cause;
	struct text slow = TEXT_INIT;

	n->event = event;
	n->now = p->judge.decided;
	n->previous = v->from != v->to ? v->from : event == EVENT_UP ? STATE_DOWN : STATE_UP;
	n->since_us = outage_us;
	switch (event) {
	case EVENT_UP:
		n->since_us = p->incident ? p->incident->started_us : v->outage_us;
		n->ended_us = p->judge.since_us ? p->judge.since_us : p->now_us;
		cause = p->incident && p->incident->cause ? p->incident->cause : cause;
		if (p->incident && v->from == v->to)
			n->previous = p->incident->state;
		break;
	case EVENT_SLOW:
		n->since_us = p->now_us;
		n->ended_us = p->judge.marks & MARK_SLOW ? 0 : p->now_us;
		put_response(p, &slow);
		cause = text_str(&slow);
		break;
	case EVENT_MAINTENANCE:
		n->since_us = p->now_us;
		n->ended_us = p->judge.marks & MARK_MAINTENANCE ? 0 : p->now_us;
		cause = "";
		break;
	case EVENT_CERTIFICATE:
		n->since_us = 0;
		n->ended_us = p->judge.certificates[0].expires_s * US_PER_S;
		cause = "";
		break;
	default:
		break;
	}
	n->cause = *cause ? mem_str(cause) : NULL;
	text_free(&slow);
}

/* How many messages of this kind have gone to this channel within the outage. */
static uint64_t told_before(struct plan *p, const struct notice *n)
{
	struct notices earlier = {NULL, 0};
	uint64_t count = 0;

	notices_of(p->txn, n->incident, n->channel, &earlier, NULL);
	for (size_t i = 0; i < earlier.n; i++)
		count += earlier.at[i].event == n->event && !earlier.at[i].repeat;
	notices_clear(&earlier);
	return count;
}

/* Where others tell the same people, it is called the same by all of them, and told when it is our turn. */
static void name_event(struct plan *p, struct notice *n)
{
	const char *slug = p->monitor->slug, *event = event_name(n->event);
	uint64_t episode = p->incident ? p->incident->episode : 0;
	bool shared = true;

	if (n->event == EVENT_CERTIFICATE && p->verdict->episode)
		peering_event_id(n->event_id, slug, (uint64_t)p->judge.certificates[0].expires_s, event, n->channel,
			(uint64_t)p->judge.certificates[0].days);
	else if (p->incident && episode && n->event != EVENT_SLOW && n->event != EVENT_MAINTENANCE)
		peering_event_id(n->event_id, slug, episode, event, n->channel, told_before(p, n));
	else
		shared = false;
	if (shared)
		n->due_us += p->verdict->turn_us;
	else
		event_id_make(n->event_id, slug, n->channel, p->now_us, (uint64_t)n->event << 32 | p->ordinal);
	n->expires_us = n->due_us + NOTICE_LIFE_US;
	p->ordinal++;
}

static bool queue(struct plan *p, enum event_kind event, const char *channel, int64_t due_us,
	char id[EVENT_ID_MAX])
{
	struct notice n = {.at_us = p->now_us, .due_us = due_us, .expires_us = due_us + NOTICE_LIFE_US,
		.monitor_id = p->monitor->id, .incident = p->incident ? p->incident->id : 0};
	bool ok;

	fill_event(p, &n, event);
	n.channel = mem_str(channel);
	n.monitor = mem_str(p->monitor->slug);
	name_event(p, &n);
	if (id)
		memcpy(id, n.event_id, EVENT_ID_MAX);
	ok = state_notice_add(p->txn, &n, p->err);
	notice_clear(&n);
	if (ok)
		note_entry(p, ENTRY_QUEUED, channel, event_name(event));
	return ok;
}

/* The same channel may stand in a list twice, as an escalation; the same entry twice says nothing more. */
static bool said_before(const struct monitor *m, size_t i, enum event_kind event)
{
	const struct notify_rule *rule = &m->notify[i];

	for (size_t j = 0; j < i; j++) {
		const struct notify_rule *other = &m->notify[j];

		if (!strcmp(other->channel, rule->channel) && other->after_ms == rule->after_ms &&
			other->events & EVENT_BIT(event) &&
			!strcmp(other->hours ? other->hours : "", rule->hours ? rule->hours : ""))
			return true;
	}
	return false;
}

/* One alert to everybody who asks for its kind. */
static bool tell_alert(struct plan *p, enum event_kind event)
{
	const struct monitor *m = p->monitor;

	for (size_t i = 0; i < m->notify_count; i++) {
		const struct notify_rule *rule = &m->notify[i];
		int64_t due_us = p->now_us + (EVENT_BIT(event) & ALERTS ? rule->after_ms * US_PER_MS : 0);

		if (said_before(m, i, event))
			continue;
		if (!(rule->events & EVENT_BIT(event))) {
			note_entry(p, ENTRY_HELD, rule->channel, "events");
			continue;
		}
		due_us = within_hours(rule, p->site.timezone, due_us);
		if (!queue(p, event, rule->channel, due_us, NULL))
			return false;
		if (due_us > p->now_us + rule->after_ms * US_PER_MS)
			note_entry(p, ENTRY_HELD, rule->channel, "hours");
		if (p->incident && EVENT_BIT(event) & ALERTS)
			incident_tell(p->incident, rule->channel);
	}
	return true;
}

/* ---- recovery */

/* The channel's alerts are over: those whose turn never came are dropped; those in trouble are told by the
   recovery, and when there will be none they stay, to be told late on their own. */
static bool end_alerts(struct plan *p, struct notices *alerts, const char *recovery_id)
{
	for (size_t i = 0; i < alerts->n; i++) {
		struct notice *n = &alerts->at[i];
		bool told = notice_counts_as_told(n, p->now_us) && !n->repeat;

		if (n->state != NOTICE_WAITING || n->in_flight || (told && !recovery_id))
			continue;
		if (!told && !n->repeat)
			note_entry(p, ENTRY_HELD, n->channel, "after");
		if (!notice_supersede(p->txn, n, NULL, told ? recovery_id : NULL, p->err))
			return false;
	}
	return true;
}

static bool rule_wants_up(const struct monitor *m, const char *channel, const struct notify_rule **rule)
{
	bool named = false;

	*rule = NULL;
	for (size_t i = 0; i < m->notify_count; i++) {
		if (strcmp(m->notify[i].channel, channel))
			continue;
		named = true;
		if (m->notify[i].events & EVENT_BIT(EVENT_UP)) {
			*rule = &m->notify[i];
			return true;
		}
	}
	return !named; /* taken out of the configuration since: it was told, and so it is told of the end */
}

static bool recover_channel(struct plan *p, const char *channel)
{
	struct notices alerts = {NULL, 0};
	const struct notify_rule *rule;
	char id[EVENT_ID_MAX] = "";
	bool told = false, wanted = rule_wants_up(p->monitor, channel, &rule), ok;

	ok = notices_of(p->txn, p->incident->id, channel, &alerts, p->err); /* before its own is added */
	for (size_t i = 0; i < alerts.n; i++)
		told = told || notice_counts_as_told(&alerts.at[i], p->now_us);
	if (ok && told && wanted)
		ok = queue(p, EVENT_UP, channel, within_hours(rule, p->site.timezone, p->now_us), id);
	else if (ok && told)
		note_entry(p, ENTRY_HELD, channel, "events");
	if (ok)
		ok = end_alerts(p, &alerts, id[0] ? id : NULL);
	notices_clear(&alerts);
	return ok;
}

static bool tell_recovery(struct plan *p)
{
	if (!p->incident)
		return tell_alert(p, EVENT_UP);
	for (size_t i = 0; i < p->incident->told_count; i++)
		if (!recover_channel(p, p->incident->told[i]))
			return false;
	return true;
}

/* ---- the calls */

static bool plan_load(struct plan *p)
{
	if (!state_site(p->txn, &p->site, p->err))
		return false;
	return state_judge(p->txn, p->monitor->id, &p->judge, p->err);
}

static void note_held(struct plan *p)
{
	for (unsigned event = 0; event < EVENT__COUNT; event++)
		if (p->verdict->held & EVENT_BIT(event))
			note_entry(p, ENTRY_HELD, NULL, p->verdict->held_because);
}

bool outbox_tell(struct state_txn *txn, const struct monitor *monitor, const struct verdict *verdict,
	struct incident *incident, int64_t now_us, struct error *err)
{
	struct plan plan = {.txn = txn, .monitor = monitor, .verdict = verdict, .incident = incident,
		.now_us = now_us, .err = err};
	bool ok;

	if (!verdict->events && !verdict->held)
		return true;
	ok = plan_load(&plan);
	if (ok)
		note_held(&plan);
	for (unsigned event = 0; ok && event < EVENT__COUNT; event++) {
		if (!(verdict->events & EVENT_BIT(event)))
			continue;
		ok = event == EVENT_UP ? tell_recovery(&plan) : tell_alert(&plan, (enum event_kind)event);
	}
	site_clear(&plan.site);
	return ok;
}

/* ---- what concerns no single monitor */

struct names {
	char **at;
	size_t n;
};

static void names_add(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->at[i], name))
			return;
	names->at = mem_grow(names->at, names->n + 1, sizeof(*names->at));
	names->at[names->n++] = mem_str(name);
}

static bool collect_channels(void *arg, const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->notify_count; i++)
		names_add(arg, monitor->notify[i].channel);
	return true;
}

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
}

static bool queue_body(struct state_txn *txn, enum event_kind event, const char *key, const char *body,
	const char *channel, int64_t now_us, struct error *err)
{
	struct notice n = {.event = event, .channel = mem_str(channel), .body = mem_str(body), .at_us = now_us,
		.due_us = now_us, .expires_us = now_us + NOTICE_LIFE_US};
	bool ok;

	event_id_make(n.event_id, key, channel, 0, 0);
	ok = state_notice_add(txn, &n, err);
	notice_clear(&n);
	return ok;
}

/* Has this key been told of already? Remembers it. */
static bool first_time(struct state_txn *txn, const char *key, int64_t now_us, bool *first, struct error *err)
{
	struct text name = TEXT_INIT, value = TEXT_INIT;
	char *known = NULL;
	bool ok = true;

	text_printf(&name, "told/%s", key);
	*first = !state_note_get(txn, text_str(&name), &known, NULL);
	if (*first) {
		text_printf(&value, "%lld", (long long)now_us);
		ok = state_note_put(txn, text_str(&name), text_str(&value), err);
	}
	free(known);
	text_free(&name);
	text_free(&value);
	return ok;
}

bool outbox_channels(struct state_txn *txn, char ***channels, size_t *n, struct error *err)
{
	struct names names = {NULL, 0};
	bool ok = state_monitor_scan(txn, collect_channels, &names, err);

	if (!ok)
		names_clear(&names);
	*channels = ok ? names.at : NULL;
	*n = ok ? names.n : 0;
	return ok;
}

bool outbox_tell_all(struct state_txn *txn, enum event_kind event, const char *key, const char *title,
	const char *body, char **channels, size_t channel_count, int64_t now_us, struct error *err)
{
	struct names names = {NULL, 0};
	struct text text = TEXT_INIT;
	bool first, ok = first_time(txn, key, now_us, &first, err);

	if (ok && first && !channels)
		ok = state_monitor_scan(txn, collect_channels, &names, err);
	for (size_t i = 0; i < channel_count; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no channels, no count */
		names_add(&names, channels[i]);
	text_raw(&text, title);
	if (body && *body) {
		text_char(&text, '\n');
		text_raw(&text, body);
	}
	for (size_t i = 0; ok && first && i < names.n; i++)
		ok = queue_body(txn, event, key, text_str(&text), names.at[i], now_us, err);
	names_clear(&names);
	text_free(&text);
	return ok;
}
