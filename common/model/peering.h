/* SPDX-License-Identifier: ISC */
/*
 * peering: what follows from what peers say: who is silent, who has a vote, whose turn it is to
 * tell people, and how one outage is called by all who see it. Pure: names, rows and the time go
 * in.
 *
 * Calls: peering_silent, peering_view, peering_vote, peering_turn, peering_episode, peering_event_id.
 */
#ifndef MODEL_PEERING_H
#define MODEL_PEERING_H

#include "model/peer.h"

#define PEER_EVERY_US (60 * INT64_C(1000000)) /* of one that did not say */
#define PEER_MISSES 3         /* silent for so many of its intervals: something is wrong */
#define PEER_GONE_PATIENCES 4 /* after so many times its patience it is not us */
#define PEER_OLD_LOOK_US (5 * 60 * INT64_C(1000000)) /* an "up" from longer ago is no vote */

/* What is known of a peer itself, from its newest message. */
struct peer_head {
	int64_t heard_us; /* by our clock; 0 never */
	int64_t time_us;  /* by its own */
	int64_t every_us;
	int64_t awake_us; /* by our clock: from when on we can hear it, after we were down
			     ourselves; 0 always could */
	bool offline;
	bool whole; /* nothing of what it told is missing here */
	bool more;  /* the rest of what it tells is under way: only then can anything be missing */
};
/* As a JSON object, to be kept. */
void peer_head_encode(struct text *t, const struct peer_head *head);
bool peer_head_decode(const char *json, size_t n, struct peer_head *out, struct error *err);

/* How long it may be silent: some of its intervals, and what a message may take. */
int64_t peering_patience_us(const struct peer_head *head);
/* since_us: from when on anything can be heard at all. One that never wrote is silent too. */
bool peering_silent(const struct peer_head *head, int64_t since_us, int64_t now_us);

/* We begin to listen after a time in which no pass of ours ran: who could not be heard is given
   time, but not again and again while it stays silent. */
void peering_wake(struct peer_head *head, int64_t gap_us, int64_t now_us);

/* Our clock was set: times from before say nothing about how long ago they were. */
void peering_stepped(struct peer_head *head, int64_t now_us);

/* What it last saw of a monitor, to be shown; OUTCOME_UNKNOWN: nobody can say whether that is so still. */
enum outcome peering_view(
	const struct peer_head *head, const struct peer_row *row, int64_t since_us, int64_t now_us);
/* The same as a vote; OUTCOME_UNKNOWN: it has none. */
enum outcome peering_vote(
	const struct peer_head *head, const struct peer_row *row, int64_t since_us, int64_t now_us);

/* Have all of them fallen silent together, a short while ago, and has nothing at all answered us
   since (good_us: the newest time that something did)? Then it may be us who are cut off. A peer
   that is only late counts as silent here: they do not fall silent in the same instant. */
bool peering_all_gone(const struct peer_head *heads, size_t n, int64_t good_us, int64_t now_us);

/* The same before it is known that they are silent: has none of them been heard, and nothing answered, since a
   look was impossible? Then more is impossible than that look. */
bool peering_none_since(
	const struct peer_head *heads, size_t n, int64_t good_us, int64_t since_us, int64_t now_us);

/* How many of these come before us when people are to be told: the order of names. */
size_t peering_turn(const char *me, const char *const *others, size_t n);

/* The number of an outage that begins here and now. `own` is the number of our newest one, others
   what the peers say of this monitor. An outage that a peer has already numbered, and that we have
   not been through, is the same one. */
uint64_t peering_episode(uint64_t own, const struct peer_row *const *others, size_t n);

/* The id of a message about that outage, the same wherever it is told. `ordinal` counts messages of
   this kind to this channel within the outage. */
void peering_event_id(char out[EVENT_ID_MAX], const char *slug, uint64_t episode, const char *event,
	const char *channel, uint64_t ordinal);

#endif
