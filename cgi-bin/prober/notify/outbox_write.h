/* SPDX-License-Identifier: ISC */
/*
 * outbox_write: the two writing steps of a delivery, each within the caller's transaction: choosing and
 * marking what a channel sends next, and recording what became of it.
 */
#ifndef PROBER_OUTBOX_WRITE_H
#define PROBER_OUTBOX_WRITE_H

#include <cjson/cJSON.h>

#include "prober/notify/channel.h"
#include "prober/notify/outbox_private.h"

/* The gate of a channel, kept in a note of the state. */
void gate_load(struct state_txn *txn, const char *channel, struct gate *gate);
bool gate_store(struct state_txn *txn, const char *channel, const struct gate *gate, struct error *err);

struct choice {
	struct state_txn *txn;
	struct inbox *inbox;       /* NULL: nobody can have acknowledged meanwhile */
	const struct site *site;
	const struct channel_type *type; /* NULL: no longer configured */
	const cJSON *configured;
	const struct outbox_others *others;
	int64_t now_us;
	struct error *err;
	/* out */
	bool chosen;               /* notice and message are filled in, and marked in flight */
	bool changed;              /* something was taken out: look again */
};
/* ready: what this channel may send now, by due time. */
bool outbox_start(struct choice *choice, struct notices *ready, struct gate *gate, struct notice *notice,
	struct message *message);

struct receipt {
	enum delivery_end end;
	int status;
	int64_t retry_after_us;    /* -1 none */
	int64_t took_us;
	char *answer, *thread;     /* owned; thread may be NULL */
};
void receipt_clear(struct receipt *outcome);
bool outbox_record(struct state_txn *txn, uint64_t notice_id, const struct receipt *outcome,
	const struct message *message, const struct site *site, int64_t now_us, struct error *err);

#endif
