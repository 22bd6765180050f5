/* SPDX-License-Identifier: ISC */
/* outbox_private: what the planning and the delivering half of the outbox share. */
#ifndef PROBER_OUTBOX_PRIVATE_H
#define PROBER_OUTBOX_PRIVATE_H

#include "prober/notify/outbox.h"

/* Copies of notices, owned. */
struct notices {
	struct notice *at;
	size_t n;
};
void notices_add(struct notices *list, const struct notice *notice);
void notices_clear(struct notices *list);
/* All of an incident that go to this channel, oldest first. */
bool notices_of(struct state_txn *txn, uint32_t incident, const char *channel, struct notices *out,
	struct error *err);

/* An id that is the same whenever the same thing is told, and never for two things. */
void event_id_make(char out[EVENT_ID_MAX], const char *what, const char *channel, int64_t at_us,
	uint64_t ordinal);

/* The first moment at or after at_us that lies within the rule's hours. */
int64_t within_hours(const struct notify_rule *rule, const char *zone_name, int64_t at_us);

/* The rule of a monitor that sent this notice; NULL when there is none any more. Of several for its channel
   the last whose delay had passed. */
const struct notify_rule *rule_of(const struct monitor *monitor, const struct notice *notice);

/* The reminder that follows a delivered (or digested) outage message, or nothing when its rule has none. */
bool reminder_add(struct state_txn *txn, const struct monitor *monitor, const struct notice *told,
	const char *zone_name, int64_t now_us, struct error *err);

/* Takes a waiting notice out: it will not be told, or `instead` tells it. */
bool notice_supersede(struct state_txn *txn, struct notice *notice, const char *why, const char *instead,
	struct error *err);

/* Has this channel been told of it, or will it be, as far as one can know? (Not: its turn never came.) */
bool notice_counts_as_told(const struct notice *notice, int64_t now_us);

/* Has somebody acknowledged it in a request that the pass has not yet acted upon? */
bool outbox_acknowledged(struct state_txn *txn, struct inbox *inbox, const struct incident *incident);

/* ---- when a channel may send: pure */

#define GATHER_US (30 * INT64_C(1000000)) /* further changes within this of a channel's first are gathered */
#define DIGEST_OVER 5                     /* more than so many become one message */

/* What is remembered of a channel, in a note of the state. */
struct gate {
	int64_t opened_us;     /* begin of the newest window */
	int64_t window_us;     /* its length */
	int64_t released_us;   /* what was due by then may go: a window's end let it out */
	int64_t alone;         /* messages that went within the window because they were alone */
	int64_t newest_us;     /* when the newest message began */
	int64_t hour_us;       /* begin of the hour that is counted */
	int64_t count;         /* messages begun in it */
	int64_t not_before_us; /* the service asked to be left alone until then */
};
struct gate_rules {
	int64_t limit;         /* messages an hour, 0 none */
	bool machine;          /* wants each event on its own */
};
void gate_read(struct gate *gate, const char *note);
void gate_print(const struct gate *gate, struct text *note);
/* Puts those of the channel's due notices (oldest first) to the front that may go now, and says how many.
   *wake_us comes down to when the next of the others may. */
size_t gate_ready(const struct gate *gate, struct notices *due, const struct gate_rules *rules, int64_t now_us,
	int64_t *wake_us);
/* Are these that may go now one message? They are when they are many, or when several have been held for
   longer than gathering takes. */
bool gate_gathers(const struct notice *ready, size_t n, int64_t now_us);
/* This one goes now, alone or (the oldest of them) as a digest. */
void gate_pass(struct gate *gate, const struct notice *notice, bool digest, int64_t now_us);
/* Has the hour's limit been reached, so that what waited becomes one message? */
bool gate_was_full(const struct gate *gate, int64_t limit);

#endif
