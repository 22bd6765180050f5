/* SPDX-License-Identifier: ISC */
/*
 * peers_hear: what peers told. Their messages wait in the inbox's queue; here they are read and
 * followed: what they see now is looked at here too, and counts (places.c); who was silent and is
 * heard is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/peers_private.h"

#define EVERY_MAX_US (24 * 3600 * US_PER_S) /* longer than that nobody is waited for */
#define PEERS_LOOKED_AT 64
#define ROWS_BYTES_MAX ((size_t)64 << 20) /* of one peer: of a hundred thousand monitors that are all down */

/* ---- hearing */

void peers_collect(struct pass *pass, const struct inbox_entry *entry)
{
	struct peers *peers = pass->peers;
	struct peer_message message;
	struct error err = {0};

	if (!peers || !peer_named(peers, entry->sender))
		return;
	if (!peer_message_decode(entry->payload, entry->payload_len, &message, &err)) {
		log_warn("a message of %s cannot be read: %s", entry->sender, err.text);
		return;
	}
	if (strcmp(message.from, entry->sender) != 0) {
		log_warn("a message of %s calls itself %s's", entry->sender, message.from);
		peer_message_clear(&message);
		return;
	}
	peers->heard = mem_grow(peers->heard, peers->heard_count + 1, sizeof(*peers->heard));
	peers->heard[peers->heard_count++] = (struct peer_heard){message, entry->at_us};
}

static struct post *post_of(struct pass *pass, const char *slug)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	struct monitor monitor = {0};
	struct post *post = NULL;

	if (txn && state_monitor_by_slug(txn, slug, &monitor, NULL))
		post = post_in(pass, monitor.id, txn);
	if (post && !post_read(post, txn, NULL))
		post = NULL;
	state_end(txn);
	monitor_clear(&monitor);
	return post;
}

/* Somebody sees something else than before: so we look, too. */
static void follow(struct peer *peer, const struct peer_row *row)
{
	struct post *post = post_of(peer->pass, row->slug);
	struct sighting seen = {.from = (char *)(uintptr_t)peer->name,
		.sees = row->sees,
		.detail = row->cause,
		.heard_us = peer->head.heard_us};

	if (!post || !peers_count_for(post->monitor, peer->name))
		return;
	if (row->sees != OUTCOME_UNKNOWN)
		keep_sighting(post, &seen);
	if (!post->monitor->heartbeat && !peers_is_one(post) && post->row.state != STATE_PAUSED)
		post_look(post);
}

static size_t bytes_of(const struct peer_table *table)
{
	size_t bytes = 0;

	for (size_t i = 0; i < table->n; i++)
		bytes += strlen(table->at[i].raw);
	return bytes;
}

static void take_rows(struct peer *peer, struct peer_message *message)
{
	struct peer_row *rows = message->rows.at;

	if (message->full)
		peer_table_clear(&peer->rows);
	if (message->rows.n && bytes_of(&peer->rows) > ROWS_BYTES_MAX) {
		log_limited("peer-rows", "peer %s tells of more than can be kept", peer->name);
		peer_table_clear(&message->rows);
	}
	for (size_t i = 0; i < message->rows.n; i++) {
		const struct peer_row *old = peer_table_find(&peer->rows, rows[i].slug);
		bool news = old ? old->sees != rows[i].sees : rows[i].sees == OUTCOME_DOWN;

		if (news)
			follow(peer, &rows[i]);
		peer_table_put(&peer->rows, &rows[i]);
	}
	for (size_t i = 0; i < message->gone_count; i++)
		peer_table_drop(&peer->rows, message->gone[i]);
	if (message->rows.n || message->gone_count || message->full)
		peer->rows_dirty = true;
	message->rows.n = 0; /* each was taken over */
}

static void hear_one(struct peer *peer, struct peer_message *message, int64_t at_us)
{
	struct pass *pass = peer->pass;
	struct text slug = TEXT_INIT;
	bool was_silent = peering_silent(&peer->head, peers_since_us(pass), pass_now(pass));

	if (message->time_us <= peer->head.time_us) {
		log_info("peer %s: a message that is not newer than the last one is not heard",
			peer->name);
		return;
	}
	peer->head.heard_us = at_us;
	peer->head.time_us = message->time_us;
	peer->head.every_us = message->every_us < EVERY_MAX_US ? message->every_us : EVERY_MAX_US;
	peer->head.offline = message->offline;
	take_rows(peer, message);
	peer->head.more = message->more;
	if (!message->more)
		peer->head.whole = peer_table_digest(&peer->rows) == message->digest;
	peer->head_dirty = true;
	if (message->again) {
		peer->full = peer->changed = true;
	} else if (!message->more && !peer->head.whole) {
		log_info("peer %s: something it told is missing here: it is asked for everything",
			peer->name);
		peer->changed = true;
	}
	if (was_silent) {
		struct post *post;

		log_info("peer %s is heard", peer->name);
		text_printf(&slug, "peer.%s", peer->name);
		post = post_of(pass, text_str(&slug));
		if (post && post->row.state != STATE_PAUSED)
			post_look(post);
	}
	text_free(&slug);
}

void peers_hear(struct pass *pass)
{
	struct peers *peers = pass->peers;

	for (size_t i = 0; peers && i < peers->heard_count; i++) {
		struct peer_message *message = &peers->heard[i].message;

		hear_one(peer_named(peers, message->from), message, peers->heard[i].at_us);
		peer_message_clear(message);
	}
	if (peers)
		peers->heard_count = 0;
}

/* ---- what follows */

void peers_sightings(struct post *post, struct sighting **list, size_t *n)
{
	struct pass *pass = post->pass;
	struct peers *peers = pass->peers;

	for (size_t i = 0; peers && i < peers->n; i++) {
		struct peer *peer = &peers->at[i];

		*list = mem_grow(*list, *n + 1, sizeof(**list));
		if (peer_sighting(peer->name, &peer->head, &peer->rows, post->monitor,
			    peers_since_us(pass), pass_now(pass), &(*list)[*n]))
			(*n)++;
	}
}

void peers_testify(struct post *post, struct incident *incident)
{
	struct sighting *list = NULL;
	size_t n = 0;

	peers_sightings(post, &list, &n);
	for (size_t i = 0; i < n; i++)
		if (list[i].sees != OUTCOME_UNKNOWN && !list[i].mute)
			places_testify(incident, &list[i]);
	sightings_free(list, n);
}

static size_t heads_of(const struct peers *peers, struct peer_head heads[PEERS_LOOKED_AT])
{
	size_t n = 0;

	for (size_t i = 0; peers && i < peers->n && n < PEERS_LOOKED_AT; i++)
		heads[n++] = peers->at[i].head;
	return n;
}

bool peers_none_since(struct pass *pass, int64_t since_us)
{
	struct peer_head heads[PEERS_LOOKED_AT];
	size_t n = heads_of(pass->peers, heads);

	return n > 0 && peering_none_since(heads, n, pass->peers->good_us, since_us, pass_now(pass));
}

bool peers_all_gone(struct pass *pass)
{
	struct peers *peers = pass->peers;
	struct peer_head heads[PEERS_LOOKED_AT];
	size_t n = heads_of(peers, heads);

	if (n == 0 || !peering_all_gone(heads, n, peers->good_us, pass_now(pass)))
		return false;
	peers->cut_off = true;
	return true;
}

/* Those that we heard until we were cut off get time to be heard again; who was silent before is silent still. */
static void listen_anew(struct peers *peers, int64_t now_us)
{
	int64_t newest_us = 0;

	for (size_t i = 0; i < peers->n; i++)
		if (peers->at[i].head.heard_us > newest_us)
			newest_us = peers->at[i].head.heard_us;
	for (size_t i = 0; i < peers->n; i++) {
		struct peer *peer = &peers->at[i];

		if (peering_silent(&peer->head, 0, newest_us))
			continue;
		peer->head.awake_us = now_us;
		peer->head_dirty = true;
	}
}

void peers_answered(struct pass *pass, int64_t at_us)
{
	struct peers *peers = pass->peers;

	if (peers->cut_off)
		listen_anew(peers, at_us);
	peers->cut_off = false;
	peers->good_us = at_us;
}
