/* SPDX-License-Identifier: ISC */
/*
 * outbox_deliver: sends what is due. Each channel is a lane with one message under way at a time, so a
 * channel that hangs delays nobody but itself, and an outage is told before its end.
 *
 * A message's way, each step a quick transaction of its own and none held while a socket is used:
 *
 *	waiting -> marked in flight -> sent -> delivered | waiting for the next attempt | refused | expired
 *
 * A process that dies between the mark and the record leaves a message in flight: the next one sends it
 * again, with the same id. When the record cannot be written (full disk) it is kept and tried again; the
 * message is not sent a second time meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/privates.h"
#include "prober/notify/channel.h"
#include "prober/notify/outbox_metrics.h"
#include "prober/notify/outbox_private.h"
#include "prober/notify/outbox_write.h"

#define STORE_RETRY_US (2 * US_PER_S)

/* One message under way, or finished and not yet recorded. */
struct job {
	struct outbox *outbox;
	struct notice notice;
	struct message message;
	struct delivery *delivery; /* while it is under way */
	struct receipt outcome;    /* when finished */
	bool finished;
};

struct lane {
	char *channel;
	const struct channel_type *type; /* NULL: not configured any more */
	const cJSON *configured;         /* in outbox->privates */
	struct gate gate;
	struct job *job;                 /* NULL: free */
	struct notices due;              /* of this pump */
};

struct outbox {
	struct loop *loop;
	struct state *state;
	struct inbox *inbox;
	char *store;
	struct site site;
	struct privates privates;
	char *fingerprint;               /* of the configuration that the two above are of */
	struct lane *lanes;
	size_t lane_count;
	struct metrics *metrics;
	int64_t next_us, metrics_us;     /* when something, and when metrics are due */
	bool pumping, again, closed;
	struct outbox_others others;
	void (*changed)(void *arg);
	void *changed_arg;
};

struct outbox *outbox_new(struct loop *loop, struct state *state, struct inbox *inbox, const char *store)
{
	struct outbox *outbox = MEM_NEW(struct outbox);

	outbox->loop = loop;
	outbox->state = state;
	outbox->inbox = inbox;
	outbox->store = mem_str(store);
	outbox->metrics = metrics_new(loop, state);
	return outbox;
}

static void job_free(struct job *job)
{
	channel_free(job->delivery);
	receipt_clear(&job->outcome);
	notice_clear(&job->notice);
	message_clear(&job->message);
	free(job);
}

int64_t outbox_next_us(struct outbox *outbox)
{
	return outbox->next_us;
}

size_t outbox_in_flight(const struct outbox *outbox)
{
	size_t n = metrics_in_flight(outbox->metrics);

	/* At the end of a minute a store that cannot be written must not keep the pass: nothing can be marked in
	   flight in such a store either, so no message is sent again and again. */
	for (size_t i = 0; i < outbox->lane_count; i++)
		n += outbox->lanes[i].job && !(outbox->closed && outbox->lanes[i].job->finished);
	return n;
}

void outbox_watch(struct outbox *outbox, void (*changed)(void *arg), void *arg)
{
	outbox->changed = changed;
	outbox->changed_arg = arg;
	metrics_watch(outbox->metrics, changed, arg);
}

void outbox_share(struct outbox *outbox, const struct outbox_others *others)
{
	outbox->others = *others;
}

void outbox_close(struct outbox *outbox)
{
	outbox->closed = true;
}

static void wake_at(struct outbox *outbox, int64_t at_us)
{
	if (at_us < outbox->next_us)
		outbox->next_us = at_us;
}

/* ---- what is configured */

/* Has another configuration been published? Then its site, too. */
static bool look_at_site(struct outbox *outbox, char **fingerprint, struct error *err)
{
	struct state_txn *txn = state_begin(outbox->state, false, err);
	struct site site = {0};
	bool ok = txn && state_fingerprint(txn, fingerprint, err);

	if (ok && outbox->fingerprint && !strcmp(*fingerprint, outbox->fingerprint)) {
		free(*fingerprint);
		*fingerprint = NULL;
	} else if (ok && (ok = state_site(txn, &site, err))) {
		site_clear(&outbox->site);
		outbox->site = site;
	}
	state_end(txn);
	return ok;
}

/* Reads site and secrets anew when another configuration was published. */
static bool refresh(struct outbox *outbox, struct error *err)
{
	char *fingerprint = NULL;

	if (!look_at_site(outbox, &fingerprint, err)) {
		free(fingerprint);
		return false;
	}
	if (!fingerprint)
		return true;
	privates_free(&outbox->privates);
	outbox->privates = (struct privates){NULL};
	free(outbox->fingerprint);
	outbox->fingerprint = NULL;
	if (!privates_read(outbox->state, outbox->store, &outbox->privates, err)) {
		free(fingerprint);
		return false;
	}
	outbox->fingerprint = fingerprint;
	return true;
}

static struct lane *lane_of(struct outbox *outbox, const char *channel)
{
	struct lane *lane;

	for (size_t i = 0; i < outbox->lane_count; i++)
		if (!strcmp(outbox->lanes[i].channel, channel))
			return &outbox->lanes[i];
	outbox->lanes = mem_grow(outbox->lanes, outbox->lane_count + 1, sizeof(*outbox->lanes));
	lane = &outbox->lanes[outbox->lane_count++];
	*lane = (struct lane){.channel = mem_str(channel)};
	return lane;
}

static void lane_load(struct outbox *outbox, struct state_txn *txn, struct lane *lane)
{
	const cJSON *channels = cJSON_GetObjectItemCaseSensitive(outbox->privates.json, "channels");

	lane->configured = cJSON_GetObjectItemCaseSensitive(channels, lane->channel);
	lane->type = lane->configured ? channel_type_of(lane->configured) : NULL;
	gate_load(txn, lane->channel, &lane->gate);
}

/* ---- what is due */

struct collection {
	struct outbox *outbox;
	int64_t now_us;
};

/* What is due goes to its lane; the first that is not says when to look again. */
static bool collect(void *arg, const struct notice *notice)
{
	struct collection *c = arg;
	struct lane *lane;

	if (notice->due_us > c->now_us) {
		wake_at(c->outbox, notice->due_us);
		return false;
	}
	lane = lane_of(c->outbox, notice->channel);
	if (!lane->job)
		notices_add(&lane->due, notice);
	return true;
}

/* Leaves in lane->due only what may go now. */
static void keep_ready(struct outbox *outbox, struct lane *lane, int64_t now_us)
{
	struct gate_rules rules = {lane->configured ? channel_limit(lane->configured) : 0,
		!lane->type || lane->type->machine};
	size_t ready = gate_ready(&lane->gate, &lane->due, &rules, now_us, &outbox->next_us);

	while (lane->due.n > ready)
		notice_clear(&lane->due.at[--lane->due.n]);
}

static bool anything_due(struct outbox *outbox, int64_t now_us, bool *any, struct error *err)
{
	struct state_txn *txn = state_begin(outbox->state, false, err);

	if (!txn)
		return false;
	wake_at(outbox, state_notice_next(txn));
	*any = outbox->next_us <= now_us;
	state_end(txn);
	return true;
}

static bool collect_due(struct outbox *outbox, int64_t now_us, bool *any, struct error *err)
{
	struct collection c = {outbox, now_us};
	struct state_txn *txn = state_begin(outbox->state, false, err);
	bool ok;

	if (!txn)
		return false;
	*any = false;
	outbox->next_us = INT64_MAX;
	ok = state_notice_due(txn, INT64_MAX, collect, &c, err);
	for (size_t i = 0; i < outbox->lane_count; i++) {
		struct lane *lane = &outbox->lanes[i];

		if (!lane->due.n)
			continue;
		lane_load(outbox, txn, lane);
		keep_ready(outbox, lane, now_us);
		if (!ok)
			notices_clear(&lane->due);
		*any = *any || lane->due.n;
	}
	state_end(txn);
	return ok;
}

/* ---- recording */

static void log_outcome(const struct job *job)
{
	const struct receipt *o = &job->outcome;
	static const char *const what[] = {
		[DELIVERY_SENT] = "told",
		[DELIVERY_RETRY] = "could not be told, will be tried again",
		[DELIVERY_REFUSED] = "refused",
	};

	log_info("notify: %s: %s of %s %s%s%s", job->notice.channel, event_name(job->notice.event),
		job->notice.monitor ? job->notice.monitor : "several", what[o->end], o->answer[0] ? ": " : "",
		o->answer);
}

static bool record(struct outbox *outbox, struct lane *lane, struct error *err)
{
	struct job *job = lane->job;
	struct state_txn *txn = state_begin(outbox->state, true, err);

	if (!txn)
		return false;
	if (!outbox_record(txn, job->notice.id, &job->outcome, &job->message, &outbox->site, clock_wall_us(), err)) {
		state_end(txn);
		return false;
	}
	if (outbox->others.told && job->outcome.end == DELIVERY_SENT)
		outbox->others.told(outbox->others.arg, txn, &job->notice);
	return state_commit(txn, err);
}

/* Records what is finished; what cannot be stays with its lane. */
static void record_all(struct outbox *outbox, int64_t now_us)
{
	for (size_t i = 0; i < outbox->lane_count; i++) {
		struct lane *lane = &outbox->lanes[i];
		struct error err = {0};

		if (!lane->job || !lane->job->finished)
			continue;
		if (!record(outbox, lane, &err)) {
			log_limited("notify: record", "notify: what became of a message cannot be stored: %s",
				err.text);
			wake_at(outbox, now_us + STORE_RETRY_US);
			continue;
		}
		job_free(lane->job);
		lane->job = NULL;
	}
}

static void job_finish(struct job *job, const struct receipt *outcome)
{
	job->outcome = *outcome;
	job->finished = true;
	log_outcome(job);
}

static void delivered(struct delivery *d, void *arg)
{
	struct job *job = arg;
	struct outbox *outbox = job->outbox; /* the job may be gone after the pump */
	struct receipt outcome = {d->end, d->status, d->retry_after_us, clock_mono_us() - d->started_us,
		mem_str(d->answer), mem_str(d->thread)};

	job_finish(job, &outcome);
	outbox_pump(outbox);
	if (outbox->changed)
		outbox->changed(outbox->changed_arg);
}

/* ---- sending */

static void send_job(struct outbox *outbox, struct lane *lane)
{
	struct job *job = lane->job;
	struct error err = {0};

	job->outbox = outbox;
	job->delivery = channel_send(outbox->loop, lane->channel, lane->configured, &job->message, delivered, job,
		&err);
	if (!job->delivery) {
		/* What was checked when it was read should load: the private file is of another version. */
		struct receipt outcome = {DELIVERY_RETRY, 0, -1, 0, mem_str(err.text), NULL};

		job_finish(job, &outcome);
		wake_at(outbox, clock_wall_us());
	}
}

/* Chooses what this lane sends, and marks it in flight. */
static bool choose(struct outbox *outbox, struct lane *lane, struct choice *choice)
{
	struct gate gate = lane->gate; /* as it is stored: this may have to be done again */
	struct job *job = MEM_NEW(struct job);
	bool ok;

	choice->type = lane->type;
	choice->configured = lane->configured;
	ok = outbox_start(choice, &lane->due, &gate, &job->notice, &job->message);
	if (ok && choice->chosen) {
		lane->job = job;
	} else {
		outbox->again = outbox->again || (ok && choice->changed);
		job_free(job);
	}
	return ok;
}

/* Chooses for lanes [from, to), commits, and sends. */
static bool start_lanes(struct outbox *outbox, size_t from, size_t to, int64_t now_us, struct error *err)
{
	struct state_txn *txn = state_begin(outbox->state, true, err);
	struct choice start = {.txn = txn, .inbox = outbox->inbox, .site = &outbox->site,
		.others = &outbox->others, .now_us = now_us, .err = err};
	bool ok = txn != NULL;

	for (size_t i = from; ok && i < to; i++)
		if (outbox->lanes[i].due.n)
			ok = choose(outbox, &outbox->lanes[i], &start);
	if (ok)
		ok = state_commit(txn, err);
	else
		state_end(txn);
	for (size_t i = from; i < to; i++) {
		struct lane *lane = &outbox->lanes[i];

		if (!lane->due.n || !lane->job)
			continue;
		if (ok) {
			send_job(outbox, lane);
		} else {
			job_free(lane->job);
			lane->job = NULL;
		}
	}
	return ok;
}

/* All lanes in one commit; when that cannot be, each on its own, so that one bad record stops one channel. */
static bool start_ready(struct outbox *outbox, int64_t now_us, struct error *err)
{
	size_t n = outbox->lane_count;
	bool together = start_lanes(outbox, 0, n, now_us, err), ok = true;

	for (size_t i = 0; !together && i < n; i++)
		if (outbox->lanes[i].due.n)
			ok = start_lanes(outbox, i, i + 1, now_us, err) && ok;
	for (size_t i = 0; i < n; i++)
		notices_clear(&outbox->lanes[i].due);
	return ok;
}

/* Most sites have no such channel: they pay for one small record, once a pass. */
static bool takes_metrics(struct outbox *outbox, bool *wanted, struct error *err)
{
	struct state_txn *txn = state_begin(outbox->state, false, err);
	struct site site = {0};
	bool ok = txn && state_site(txn, &site, err);

	*wanted = ok && metrics_wanted(&site);
	if (txn && !ok && err->kind == ERROR_MISSING) /* nothing published yet */
		ok = true;
	site_clear(&site);
	state_end(txn);
	return ok;
}

/* Response times are sent when a minute has passed since the last ones of this process. */
static bool pump_metrics(struct outbox *outbox, int64_t now_us, struct error *err)
{
	const cJSON *channels;
	bool wanted;

	if (outbox->metrics_us > now_us) {
		wake_at(outbox, outbox->metrics_us);
		return true;
	}
	outbox->metrics_us = INT64_MAX;
	if (!takes_metrics(outbox, &wanted, err))
		return false;
	if (!wanted)
		return true;
	if (!refresh(outbox, err))
		return false;
	channels = cJSON_GetObjectItemCaseSensitive(outbox->privates.json, "channels");
	outbox->metrics_us = metrics_pump(outbox->metrics, channels, now_us);
	wake_at(outbox, outbox->metrics_us);
	return true;
}

static void pump_once(struct outbox *outbox, int64_t now_us)
{
	struct error err = {0};
	bool any = false, ok;

	outbox->next_us = INT64_MAX;
	record_all(outbox, now_us);
	if (outbox->closed)
		return;
	ok = anything_due(outbox, now_us, &any, &err);
	if (ok && any)
		ok = refresh(outbox, &err) && collect_due(outbox, now_us, &any, &err);
	if (ok && any)
		ok = start_ready(outbox, now_us, &err);
	if (ok)
		ok = pump_metrics(outbox, now_us, &err);
	if (ok)
		return;
	log_limited("notify: store", "notify: nothing can be sent now: %s", err.text);
	outbox->next_us = now_us + STORE_RETRY_US;
}

void outbox_pump(struct outbox *outbox)
{
	if (outbox->pumping) { /* a delivery ended within one that started */
		outbox->again = true;
		return;
	}
	outbox->pumping = true;
	do {
		outbox->again = false;
		pump_once(outbox, clock_wall_us());
	} while (outbox->again);
	outbox->pumping = false;
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	record_all(outbox, clock_wall_us());
	for (size_t i = 0; i < outbox->lane_count; i++) {
		if (outbox->lanes[i].job)
			job_free(outbox->lanes[i].job);
		notices_clear(&outbox->lanes[i].due);
		free(outbox->lanes[i].channel);
	}
	free(outbox->lanes);
	metrics_free(outbox->metrics);
	site_clear(&outbox->site);
	privates_free(&outbox->privates);
	free(outbox->fingerprint);
	free(outbox->store);
	free(outbox);
}
