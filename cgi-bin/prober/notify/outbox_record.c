/* SPDX-License-Identifier: ISC */
/*
 * outbox_record: what became of an attempt: the notice, the incident's log, the reminder that follows, and
 * another channel when this one failed for good. One transaction, the caller's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/notify/outbox_write.h"

void receipt_clear(struct receipt *outcome)
{
	free(outcome->answer);
	free(outcome->thread);
	*outcome = (struct receipt){.answer = NULL};
}

struct record {
	struct state_txn *txn;
	struct notice notice;
	struct incident incident;
	struct monitor monitor;
	bool has_incident, has_monitor;
	const struct receipt *outcome;
	const struct message *message;
	const struct site *site;
	int64_t now_us;
	struct error *err;
};

static bool log_attempt(struct record *r)
{
	static const enum outcome shown[] = {
		[DELIVERY_SENT] = OUTCOME_UP,
		[DELIVERY_RETRY] = OUTCOME_UNKNOWN,
		[DELIVERY_REFUSED] = OUTCOME_DOWN,
	};
	struct incident_entry *entry;

	if (!r->has_incident)
		return true;
	entry = incident_add(&r->incident, ENTRY_DELIVERY, r->now_us);
	if (entry) {
		entry->who = mem_str(r->notice.channel);
		entry->text = mem_str(r->outcome->answer);
		entry->outcome = r->notice.state == NOTICE_EXPIRED ? OUTCOME_DOWN : shown[r->outcome->end];
		entry->status = r->outcome->status;
		entry->length_us = r->outcome->took_us;
	}
	return state_incident_put(r->txn, &r->incident, r->err);
}

/* ---- another channel */

static bool told_elsewhere(const struct record *r)
{
	for (size_t i = 0; r->has_incident && i < r->incident.told_count; i++)
		if (strcmp(r->incident.told[i], r->notice.channel))
			return true;
	return false;
}

/* Another channel that this monitor names, else any other that there is. */
static const char *another(const struct record *r)
{
	const char *failed = r->notice.channel;

	for (size_t i = 0; r->has_monitor && i < r->monitor.notify_count; i++)
		if (strcmp(r->monitor.notify[i].channel, failed))
			return r->monitor.notify[i].channel;
	for (size_t i = 0; i < r->site->channel_count; i++)
		if (strcmp(r->site->channels[i].name, failed))
			return r->site->channels[i].name;
	return NULL;
}

/* The message goes through another channel, once: what was sent that way is not sent on. An expired one
   always does; a refused one when nobody else was told. */
static bool send_on(struct record *r)
{
	bool failed = r->notice.state == NOTICE_EXPIRED ||
		(r->notice.state == NOTICE_REFUSED && r->notice.event != EVENT_UP && !told_elsewhere(r));
	const char *channel = failed && !r->notice.repeat ? another(r) : NULL;
	struct notice on = {.event = r->notice.event, .repeat = true, .at_us = r->now_us, .due_us = r->now_us,
		.expires_us = r->now_us + NOTICE_LIFE_US};
	struct text body = TEXT_INIT;
	bool ok;

	if (!channel)
		return true;
	text_raw(&body, r->message->title);
	text_char(&body, '\n');
	words_put(&body, text_raw, r->site->language, WORD_MSG_OTHER_CHANNEL,
		(const char *const[]){r->notice.channel, channel}, 2);
	text_char(&body, '\n');
	text_raw(&body, r->message->text);
	on.body = text_take(&body);
	on.channel = mem_str(channel);
	on.monitor = mem_str(r->notice.monitor);
	on.now = r->notice.now;
	on.previous = r->notice.previous;
	on.since_us = r->notice.since_us;
	event_id_make(on.event_id, r->notice.event_id, channel, 0, 2);
	ok = state_notice_add(r->txn, &on, r->err);
	notice_clear(&on);
	return ok;
}

/* ---- the call */

static bool remember_wait(struct record *r)
{
	struct gate gate;

	if (r->outcome->end != DELIVERY_RETRY || r->outcome->retry_after_us <= 0)
		return true;
	gate_load(r->txn, r->notice.channel, &gate);
	gate.not_before_us = r->now_us + r->outcome->retry_after_us;
	return gate_store(r->txn, r->notice.channel, &gate, r->err);
}

static bool remind(struct record *r)
{
	bool open = r->has_incident && !r->incident.ended_us && !r->incident.acknowledged_us;

	if (r->notice.state != NOTICE_DELIVERED || !r->has_monitor || !open)
		return true;
	return reminder_add(r->txn, &r->monitor, &r->notice, r->site->timezone, r->now_us, r->err);
}

static bool apply(struct record *r)
{
	uint32_t random;

	sign_random(&random, sizeof(random));
	notice_attempted(&r->notice, r->outcome->end, r->outcome->answer, r->outcome->retry_after_us, random,
		r->now_us);
	if (r->outcome->thread) {
		free(r->notice.thread);
		r->notice.thread = mem_str(r->outcome->thread);
	}
	return state_notice_put(r->txn, &r->notice, r->err) && log_attempt(r) && remember_wait(r) && remind(r) &&
		send_on(r);
}

bool outbox_record(struct state_txn *txn, uint64_t notice_id, const struct receipt *outcome,
	const struct message *message, const struct site *site, int64_t now_us, struct error *err)
{
	struct record r = {.txn = txn, .outcome = outcome, .message = message, .site = site, .now_us = now_us,
		.err = err};
	bool ok = state_notice(txn, notice_id, &r.notice, err);

	if (ok && r.notice.incident)
		r.has_incident = state_incident(txn, r.notice.incident, &r.incident, NULL);
	if (ok && r.notice.monitor_id)
		r.has_monitor = state_monitor(txn, r.notice.monitor_id, &r.monitor, NULL);
	ok = ok && apply(&r);
	notice_clear(&r.notice);
	incident_clear(&r.incident);
	monitor_clear(&r.monitor);
	return ok;
}
