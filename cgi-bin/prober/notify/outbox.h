/* SPDX-License-Identifier: ISC */
/*
 * outbox: no alert is ever lost. outbox_tell() writes one notice for each channel that wants to know, in the
 * transaction of the decision. An outbox object delivers what is due, on the loop, concurrently with checks
 * and with itself, until the service says that it has it; what is not delivered when the process ends, or
 * dies, is continued by the next holder of the lock.
 */
#ifndef PROBER_OUTBOX_H
#define PROBER_OUTBOX_H

#include "model/judge.h"
#include "prober/net/loop.h"
#include "store/inbox.h"
#include "store/state.h"

/* To be called when the monitor's judge was stored in this transaction.
   Queues what this verdict tells, to whom the monitor's notify entries say: at once, after a delay,
   repeated. Recovery goes to exactly those who were told (or are about to be: then a waiting DOWN and its UP
   become one late message). Adds entries to *incident (which the caller stores). */
bool outbox_tell(struct state_txn *txn, const struct monitor *monitor, const struct verdict *verdict,
	struct incident *incident, int64_t now_us, struct error *err);
/* One message that concerns no single monitor (summary after being offline, configuration broken, mass
   failure) to all these channels (NULL: every channel that any monitor's notify names). `key` makes the event
   id, so that the same thing is told once. */
bool outbox_tell_all(struct state_txn *txn, enum event_kind event, const char *key, const char *title,
	const char *body, char **channels, size_t channel_count, int64_t now_us, struct error *err);
/* The names of every channel that any monitor's notify names; the caller frees each and the list. */
bool outbox_channels(struct state_txn *txn, char ***channels, size_t *n, struct error *err);

struct outbox;
struct outbox *outbox_new(struct loop *loop, struct state *state, struct inbox *inbox, const char *store);
/* changed is called from the loop when a delivery has ended: what outbox_next_us() and outbox_in_flight()
   say is another then. */
void outbox_watch(struct outbox *outbox, void (*changed)(void *arg), void *arg);
/* Others who tell the same people. told_by: has one of them told this already (its name), or NULL;
   acknowledged: has somebody taken it in hand there; told: the service has accepted it, in the transaction that
   says so. */
struct outbox_others {
	const char *(*told_by)(void *arg, const struct notice *notice);
	bool (*acknowledged)(void *arg, const struct notice *notice);
	void (*told)(void *arg, struct state_txn *txn, const struct notice *notice);
	void *arg;
};
void outbox_share(struct outbox *outbox, const struct outbox_others *others); /* copies it */
/* Starts what is due and not in flight; cheap when nothing is. Call after commits and when
   outbox_next_us() has come. */
void outbox_pump(struct outbox *outbox);
/* Wall clock at which something will next be due; INT64_MAX when nothing waits. */
int64_t outbox_next_us(struct outbox *outbox);
/* From now on nothing new is started: the minute is over. What is under way is recorded when it ends. */
void outbox_close(struct outbox *outbox);
/* Attempts that are under way. */
size_t outbox_in_flight(const struct outbox *outbox);
void outbox_free(struct outbox *outbox);

#endif
