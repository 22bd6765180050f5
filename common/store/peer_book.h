/* SPDX-License-Identifier: ISC */
/*
 * peer_book: what the state keeps of peers, in notes: of each its newest message's head and all of
 * its rows, and our own rows as they are told to all of them. Written by the prober's pass; read by
 * everybody who shows it.
 */
#ifndef STORE_PEER_BOOK_H
#define STORE_PEER_BOOK_H

#include "model/peering.h"
#include "model/sighting.h"
#include "store/state.h"

enum peer_note {
	PEER_NOTE_HEAD, /* struct peer_head */
	PEER_NOTE_ROWS, /* struct peer_table */
	PEER_NOTE_SENT, /* what it has acknowledged of our rows */
};
/* Appends the note's name. */
void peer_note_name(struct text *t, const char *peer, enum peer_note which);
#define PEER_NOTE_OWN "peers/own"

/* false: it never wrote (or cannot be read): *out is zero then. */
bool peer_head_read(struct state_txn *txn, const char *peer, struct peer_head *out);
bool peer_rows_read(struct state_txn *txn, const char *peer, struct peer_table *out);

/* Appends to a list of sightings (model/sighting) what each peer sees of this monitor, for display
   and counting: without a vote it is mute. A monitor's `places` say who counts. */
void peer_sightings(struct state_txn *txn, const struct site *site, const struct monitor *monitor,
	int64_t since_us, int64_t now_us, struct sighting **list, size_t *n);
/* The same for one peer whose head and rows are at hand; false: it does not look at this monitor.
   *out is owned by the caller. */
bool peer_sighting(const char *peer, const struct peer_head *head, const struct peer_table *rows,
	const struct monitor *monitor, int64_t since_us, int64_t now_us, struct sighting *out);

#endif
