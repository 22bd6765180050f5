/* SPDX-License-Identifier: ISC */
/*
 * outbox_start: what a channel sends next, within one transaction. Of what is ready it takes the oldest, or
 * makes one digest of them; what has lost its point meanwhile is taken out; what is sent is marked in flight.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/outbox_write.h"

#define DIGEST_ROWS 60

static char *gate_name(const char *channel)
{
	struct text name = TEXT_INIT;

	text_printf(&name, "channel/%s", channel);
	return text_take(&name);
}

void gate_load(struct state_txn *txn, const char *channel, struct gate *gate)
{
	char *name = gate_name(channel), *note = NULL;

	*gate = (struct gate){0};
	if (state_note_get(txn, name, &note, NULL))
		gate_read(gate, note);
	free(note);
	free(name);
}

bool gate_store(struct state_txn *txn, const char *channel, const struct gate *gate, struct error *err)
{
	char *name = gate_name(channel);
	struct text note = TEXT_INIT;
	bool ok;

	gate_print(gate, &note);
	ok = state_note_put(txn, name, text_str(&note), err);
	text_free(&note);
	free(name);
	return ok;
}

/* ---- what one notice belongs to */

struct place {
	struct monitor monitor;
	struct incident incident;
	struct notices siblings; /* of its incident and channel */
	bool has_monitor, has_incident;
};

static void place_clear(struct place *place)
{
	monitor_clear(&place->monitor);
	incident_clear(&place->incident);
	notices_clear(&place->siblings);
}

static bool place_load(struct choice *s, const struct notice *n, struct place *place)
{
	*place = (struct place){.has_monitor = false};
	if (n->monitor_id)
		place->has_monitor = state_monitor(s->txn, n->monitor_id, &place->monitor, NULL);
	if (!n->incident)
		return true;
	place->has_incident = state_incident(s->txn, n->incident, &place->incident, NULL);
	return notices_of(s->txn, n->incident, n->channel, &place->siblings, s->err);
}

static bool is_alert(const struct notice *n)
{
	return n->event == EVENT_DOWN || n->event == EVENT_UNKNOWN || n->event == EVENT_FLAPPING;
}

/* A reminder or an escalation: it asks, at the last moment, whether somebody has taken it in hand. */
static bool comes_later(const struct notice *n)
{
	return is_alert(n) && !n->attempts && (n->repeat || n->due_us > n->at_us);
}

/* Another of those who tell the same people has told it. */
static bool told_elsewhere(const struct choice *s, const struct notice *n)
{
	return s->others && s->others->told_by && !n->in_flight && s->others->told_by(s->others->arg, n);
}

/* Why it need not be told any more; NULL: it must. */
static const char *pointless(struct choice *s, const struct notice *n, const struct place *place)
{
	if (told_elsewhere(s, n))
		return "peer";
	if (!place->has_incident || !comes_later(n))
		return NULL;
	if (place->incident.ended_us)
		return "after";
	if (place->incident.acknowledged_us || outbox_acknowledged(s->txn, s->inbox, &place->incident) ||
		(s->others && s->others->acknowledged && s->others->acknowledged(s->others->arg, n)))
		return "acknowledged";
	return NULL;
}

static bool drop(struct choice *s, struct notice *n, struct place *place, const char *why)
{
	struct incident_entry *entry;

	bool told = strcmp(why, "peer") == 0; /* then they will hear of the end, too */

	s->changed = true;
	if (!notice_supersede(s->txn, n, why, told ? n->event_id : NULL, s->err))
		return false;
	if (n->repeat || !place->has_incident)
		return true;
	entry = incident_add(&place->incident, ENTRY_HELD, s->now_us);
	if (entry) {
		entry->who = mem_str(n->channel);
		entry->text = mem_str(why);
	}
	return state_incident_put(s->txn, &place->incident, s->err);
}

/* ---- one message for many */

struct digest {
	struct text rows;
	size_t count, down, up, shown;
	enum language language;
};

static void digest_add(struct digest *d, const struct notice *n, const struct place *place)
{
	d->count++;
	d->down += n->event == EVENT_DOWN;
	d->up += n->event == EVENT_UP;
	if (d->shown == DIGEST_ROWS)
		return;
	d->shown++;
	text_char(&d->rows, '\n');
	if (n->body)
		text_rawn(&d->rows, n->body, strcspn(n->body, "\n"));
	else
		message_digest_row(&d->rows, d->language, n, place->has_monitor ? place->monitor.name : n->monitor);
}

static void put_counted(struct text *t, enum language language, enum word id, size_t a, size_t b, size_t c)
{
	struct text one = TEXT_INIT, two = TEXT_INIT, three = TEXT_INIT;

	text_printf(&one, "%zu", a);
	text_printf(&two, "%zu", b);
	text_printf(&three, "%zu", c);
	words_put(t, text_raw, language, id,
		(const char *const[]){text_str(&one), text_str(&two), text_str(&three)}, 3);
	text_free(&one);
	text_free(&two);
	text_free(&three);
}

static char *digest_body(struct digest *d, bool full, int64_t limit)
{
	struct text body = TEXT_INIT;

	if (d->down == d->count)
		put_counted(&body, d->language, words_count(d->count, WORD_MSG_GROUP_DOWN_ONE, WORD_MSG_GROUP_DOWN),
			d->count, 0, 0);
	else if (d->up == d->count)
		put_counted(&body, d->language, words_count(d->count, WORD_MSG_GROUP_UP_ONE, WORD_MSG_GROUP_UP),
			d->count, 0, 0);
	else
		put_counted(&body, d->language, WORD_MSG_DIGEST, d->count, d->down, d->up);
	if (full) {
		text_char(&body, '\n');
		put_counted(&body, d->language, WORD_MSG_DIGEST_CAP, (size_t)limit, 0, 0);
	}
	text_raw(&body, text_str(&d->rows));
	if (d->count > d->shown) {
		text_char(&body, '\n');
		put_counted(&body, d->language, WORD_MSG_DIGEST_MORE, d->count - d->shown, 0, 0);
	}
	text_free(&d->rows);
	return text_take(&body);
}

/* Puts one notice into the digest, or takes it out when it has lost its point. */
static bool digest_take(struct choice *s, struct digest *d, struct notice *n, const char *digest_id)
{
	struct place place = {.has_monitor = false};
	const char *why;
	bool ok = true;

	if (comes_later(n) || told_elsewhere(s, n)) /* an incident is large, and of a thousand others it is not needed */
		ok = place_load(s, n, &place);
	else
		place.has_monitor = n->monitor_id && state_monitor(s->txn, n->monitor_id, &place.monitor, NULL);
	why = ok ? pointless(s, n, &place) : NULL;
	if (ok && why) {
		ok = drop(s, n, &place, why);
	} else if (ok) {
		digest_add(d, n, &place);
		ok = notice_supersede(s->txn, n, "storm", digest_id, s->err);
		if (ok && is_alert(n) && place.has_monitor)
			ok = reminder_add(s->txn, &place.monitor, n, s->site->timezone, s->now_us, s->err);
	}
	place_clear(&place);
	return ok;
}

static bool make_digest(struct choice *s, struct notices *ready, bool full, struct notice *out)
{
	const struct notice *first = &ready->at[0];
	struct digest d = {.rows = TEXT_INIT, .language = channel_language(s->configured, s->site->language)};

	*out = (struct notice){.event = EVENT_DIGEST, .channel = mem_str(first->channel), .at_us = s->now_us,
		.due_us = s->now_us, .expires_us = s->now_us + NOTICE_LIFE_US};
	event_id_make(out->event_id, "digest", first->channel, s->now_us, first->id);
	for (size_t i = 0; i < ready->n; i++)
		if (!digest_take(s, &d, &ready->at[i], out->event_id)) {
			text_free(&d.rows);
			return false;
		}
	if (!d.count) {
		notice_clear(out);
		return true;
	}
	out->body = digest_body(&d, full, channel_limit(s->configured));
	out->in_flight = true;
	s->chosen = true;
	return state_notice_add(s->txn, out, s->err);
}

/* ---- one message for one notice */

/* The recovery tells of alerts that are still waiting: their channel was in trouble. */
static bool take_over(struct choice *s, const struct notice *up, struct notices *siblings)
{
	for (size_t i = 0; i < siblings->n; i++) {
		struct notice *n = &siblings->at[i];

		if (!is_alert(n) || n->state != NOTICE_WAITING || n->id >= up->id)
			continue;
		if (!notice_supersede(s->txn, n, NULL, n->repeat ? NULL : up->event_id, s->err))
			return false;
	}
	return true;
}

/* Which message stands at the root of the thread, and whether the outage was told at all. */
static void find_root(const struct notice *n, const struct notices *siblings, struct message_context *context)
{
	bool taken_over = false;

	for (size_t i = 0; i < siblings->n && !context->root; i++) {
		const struct notice *sibling = &siblings->at[i];

		if (!is_alert(sibling) || sibling->id >= n->id)
			continue;
		if (sibling->state == NOTICE_DELIVERED) {
			context->root = sibling->event_id;
			context->thread = sibling->thread;
		} else if (sibling->instead && strcmp(sibling->instead, n->event_id)) {
			context->root = sibling->instead;
		} else if (sibling->instead) {
			taken_over = true;
		}
	}
	context->late = n->event == EVENT_UP && taken_over && !context->root;
}

#define CHILDREN_NAMED 5

struct children {
	const char *slug;
	uint64_t n;
	struct text names;
};

static bool add_child(void *arg, const struct monitor *monitor)
{
	struct children *c = arg;
	bool ours = false;

	for (size_t i = 0; i < monitor->depends_count; i++)
		ours = ours || !strcmp(monitor->depends_on[i], c->slug);
	if (!ours)
		return true;
	if (c->n < CHILDREN_NAMED)
		text_printf(&c->names, "%s%s", c->n ? ", " : "", monitor->name);
	else if (c->n == CHILDREN_NAMED)
		text_raw(&c->names, ", \xe2\x80\xa6");
	c->n++;
	return true;
}

static void build_message(struct choice *s, struct notice *n, struct place *place, bool again,
	struct message *message)
{
	struct message_context context = {.again = again, .incident = place->has_incident ? &place->incident : NULL};
	struct children children = {.slug = n->monitor, .names = TEXT_INIT};

	if (n->event == EVENT_DOWN && n->monitor && state_monitor_scan(s->txn, add_child, &children, NULL)) {
		context.children = children.n;
		context.children_names = children.n ? text_str(&children.names) : NULL;
	}
	find_root(n, &place->siblings, &context);
	if (is_alert(n) && place->has_incident && place->incident.ended_us) {
		context.late = true;
		n->ended_us = place->incident.ended_us;
	}
	message_build(message, n, place->has_monitor ? &place->monitor : NULL, s->site,
		channel_language(s->configured, s->site->language), &context);
	text_free(&children.names);
}

static bool take_first(struct choice *s, struct notice *n, struct message *message)
{
	struct place place;
	const char *why;
	bool again = n->in_flight, ok = place_load(s, n, &place);

	why = ok ? pointless(s, n, &place) : NULL;
	if (ok && why) {
		ok = drop(s, n, &place, why);
	} else if (ok) {
		if (n->event == EVENT_UP && !s->type->machine)
			ok = take_over(s, n, &place.siblings);
		n->in_flight = true;
		ok = ok && state_notice_put(s->txn, n, s->err);
		build_message(s, n, &place, again, message);
		s->chosen = ok;
	}
	place_clear(&place);
	return ok;
}

/* ---- the call */

static bool refuse_all(struct choice *s, struct notices *ready)
{
	s->changed = true;
	for (size_t i = 0; i < ready->n; i++) {
		notice_attempted(&ready->at[i], DELIVERY_REFUSED, "this channel is no longer configured", -1, 0,
			s->now_us);
		if (!state_notice_put(s->txn, &ready->at[i], s->err))
			return false;
	}
	return true;
}

bool outbox_start(struct choice *s, struct notices *ready, struct gate *gate, struct notice *notice,
	struct message *message)
{
	bool digest = s->type && !s->type->machine && gate_gathers(ready->at, ready->n, s->now_us);
	struct notice oldest = ready->at[0];
	bool full;

	s->chosen = s->changed = false;
	if (!s->type)
		return refuse_all(s, ready);
	full = gate_was_full(gate, channel_limit(s->configured));
	if (digest) {
		if (!make_digest(s, ready, full, notice))
			return false;
		if (s->chosen)
			message_build(message, notice, NULL, s->site,
				channel_language(s->configured, s->site->language), NULL);
	} else {
		*notice = notice_copy(&ready->at[0]);
		if (!take_first(s, notice, message))
			return false;
	}
	if (!s->chosen)
		return true;
	gate_pass(gate, &oldest, digest, s->now_us);
	return gate_store(s->txn, notice->channel, gate, s->err);
}
