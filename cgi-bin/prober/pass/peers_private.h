/* SPDX-License-Identifier: ISC */
/* peers_private: what hearing peers and writing to them share. */
#ifndef PROBER_PEERS_PRIVATE_H
#define PROBER_PEERS_PRIVATE_H

#include "model/peering.h"
#include "prober/notify/engine.h"
#include "prober/pass/pass_private.h"
#include "store/peer_book.h"

/* A message under way. */
struct peer_letter {
	struct http_request request;
	struct exchange exchange;
	struct peer_message message; /* as it was sent; its rows have slug and hash only */
	bool busy;
	int64_t started_us; /* monotonic */
};

struct peer {
	struct pass *pass;
	const char *name, *url, *secret; /* of pass->site */
	/* what it told */
	struct peer_head head;
	struct peer_table rows;
	bool head_dirty, rows_dirty;
	/* what we tell it */
	struct peer_table sent; /* slug and hash of what it has acknowledged */
	bool sent_dirty;
	bool full;         /* it has to be told everything */
	bool changed;      /* there is something that it has not acknowledged */
	int64_t due_us;    /* wall clock, when to write to it next */
	int64_t took_us;   /* the newest exchange */
	int64_t newest_us; /* time of the newest message that it may have of us */
	unsigned failures; /* in a row, in this pass */
	struct peer_letter letter;
};

struct peers {
	const char *me;
	struct peer *at;
	size_t n;
	struct peer_table own; /* our rows */
	bool own_dirty;
	int64_t every_us, wait_us;
	int64_t good_us; /* wall clock: newest look or message of ours that something answered */
	int64_t good_kept_us;
	bool at_home; /* one of them is on this very host: so is our network */
	bool cut_off; /* all have fallen silent, and nothing has answered us since */
	struct peer_heard *heard; /* read, and not yet acted on */
	size_t heard_count;
};

struct peer_heard {
	struct peer_message message;
	int64_t at_us;
};

struct peer *peer_named(struct peers *peers, const char *name); /* or NULL */
/* Is this peer one of the monitor's places? */
bool peers_count_for(const struct monitor *monitor, const char *peer);
bool peers_only_ours(const struct peers *peers, const struct monitor *monitor);
int64_t peers_since_us(const struct pass *pass); /* from when on anything can be heard */
/* What the outbox asks and says (notify/outbox.h); arg is the pass. */
const char *peers_told_by(void *arg, const struct notice *notice);
bool peers_acknowledged(void *arg, const struct notice *notice);
void peers_told(void *arg, struct state_txn *txn, const struct notice *notice);
/* A look or a message of ours had an answer: we are not cut off, or no longer. */
void peers_answered(struct pass *pass, int64_t at_us);
/* Something of ours is new: it is written soon. */
void peers_changed(struct peers *peers);
void peer_letter_clear(struct peer_letter *letter);

#endif
