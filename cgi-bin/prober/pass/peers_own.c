/* SPDX-License-Identifier: ISC */
/*
 * peers_own: what we ourselves see, decide and tell, as the rows that peers_send.c writes to peers.
 * A look goes in as our own eyes saw it, before anybody's vote; a decision gets the number that the
 * outage has with all who see it, and waits for our turn to tell; a message that a service has
 * accepted is noted, so that nobody else need send it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/pass/peers_private.h"

#define DIGEST_LOOKED_AT 5000 /* notices, newest first, among which those of a digest are */

/* ---- our own rows */

bool peers_is_one(const struct post *post)
{
	return strcmp(post->monitor->type, "peer") == 0;
}

/* "places" says that nobody but us looks at it: then nobody is told of it either. */
bool peers_only_ours(const struct peers *peers, const struct monitor *monitor)
{
	return monitor->place_count == 1 && strcmp(monitor->places[0], peers->me) == 0;
}

bool peers_count_for(const struct monitor *monitor, const char *peer)
{
	for (size_t i = 0; i < monitor->place_count; i++)
		if (strcmp(monitor->places[i], peer) == 0)
			return true;
	return monitor->place_count == 0;
}

/* Their row of this monitor; NULL: they do not look at it. */
static const struct peer_row *row_of(const struct peer *peer, const struct post *post)
{
	return peers_count_for(post->monitor, peer->name)
		       ? peer_table_find(&peer->rows, post->monitor->slug)
		       : NULL;
}

int64_t peers_since_us(const struct pass *pass)
{
	return pass->info.grace_from_us;
}

/* Does anybody find it down? Then it matters how new each look is. */
static bool contested(const struct post *post, enum outcome ours)
{
	struct peers *peers = post->pass->peers;
	int64_t now = pass_now(post->pass);
	bool down = ours == OUTCOME_DOWN;

	for (size_t i = 0; i < peers->n; i++) {
		const struct peer_row *row = row_of(&peers->at[i], post);

		down = down || (row && peering_vote(&peers->at[i].head, row,
					       peers_since_us(post->pass), now) == OUTCOME_DOWN);
	}
	return down;
}

static void seal(struct pass *pass, struct peer_row *row)
{
	if (!peer_row_seal(row))
		return;
	pass->peers->own_dirty = true;
	peers_changed(pass->peers);
}

/* An answer, and from out there: what is on this very host answers also when that is cut off. */
static bool is_from_elsewhere(const struct pass *pass, const struct result *result)
{
	return (result->outcome == OUTCOME_UP || result->status > 0) &&
	       (pass->peers->at_home || !address_names_loopback(result->address));
}

void peers_saw(struct post *post, const struct result *result)
{
	struct pass *pass = post->pass;
	bool measured = !post->monitor->heartbeat && pass->peers && !peers_is_one(post);
	struct peer_row *row;

	if (measured && is_from_elsewhere(pass, result))
		peers_answered(pass, result->at_us);
	if (!pass->peers || peers_only_ours(pass->peers, post->monitor) ||
		(result->lagged && result->outcome == OUTCOME_DOWN))
		return;
	row = peer_table_make(&pass->peers->own, post->monitor->slug);
	row->sees = result->outcome;
	row->state = post->judge.decided;
	row->acknowledged = (post->judge.marks & MARK_ACKNOWLEDGED) != 0;
	row->every_us = post->monitor->interval_ms * US_PER_MS;
	row->looked_us = measured && contested(post, result->outcome) ? result->at_us : 0;
	free(row->cause);
	row->cause =
		result->outcome != OUTCOME_UP && result->cause[0] ? mem_str(result->cause) : NULL;
	seal(pass, row);
}

bool peers_share(const struct post *post)
{
	const struct peers *peers = post->pass->peers;

	for (size_t i = 0; peers && i < peers->n; i++)
		if (row_of(&peers->at[i], post))
			return true;
	return false;
}

/* Those who look at it too: their rows, and the names of those that could tell people of it now. */
struct company {
	const struct peer_row **rows;
	const char **names;
	size_t n, able;
};

static struct company company_of(const struct post *post)
{
	struct peers *peers = post->pass->peers;
	struct company c = {mem_array(peers->n, sizeof(c.rows[0])),
		mem_array(peers->n, sizeof(c.names[0])), 0, 0};
	int64_t now = pass_now(post->pass);

	for (size_t i = 0; i < peers->n; i++) {
		const struct peer *peer = &peers->at[i];
		const struct peer_row *row = row_of(peer, post);

		if (!row)
			continue;
		c.rows[c.n++] = row;
		if (!peering_silent(&peer->head, peers_since_us(post->pass), now) &&
			!peer->head.offline && row->state != STATE_PAUSED)
			c.names[c.able++] = peer->name;
	}
	return c;
}

void peers_asked(struct post *post)
{
	struct peers *peers = post->pass->peers;
	struct peer_row *row = peers ? peer_table_find(&peers->own, post->monitor->slug) : NULL;

	if (!row)
		return;
	row->acknowledged = (post->judge.marks & MARK_ACKNOWLEDGED) != 0;
	seal(post->pass, row);
}

void peers_decided(struct post *post, struct verdict *verdict)
{
	struct pass *pass = post->pass;
	struct peer_row *row;
	struct company c;

	if (!pass->peers || peers_only_ours(pass->peers, post->monitor))
		return;
	row = peer_table_make(&pass->peers->own, post->monitor->slug);
	c = company_of(post);
	row->state = post->judge.decided;
	if (verdict->open_incident) {
		row->episode = peering_episode(row->episode, c.rows, c.n);
		row->open = true;
		while (row->told_count > 0) {
			free(row->told[--row->told_count].event);
			free(row->told[row->told_count].channel);
		}
	}
	if (verdict->close_incident)
		row->open = false;
	if (c.n > 0) {
		verdict->episode = row->episode ? row->episode : 1;
		verdict->turn_us = (int64_t)peering_turn(pass->peers->me, c.names, c.able) *
				   pass->peers->wait_us;
	}
	seal(pass, row);
	free(c.rows);
	free(c.names);
}

/* ---- what was told to people */

const char *peers_told_by(void *arg, const struct notice *notice)
{
	struct pass *pass = arg;

	for (size_t i = 0; notice->monitor && i < pass->peers->n; i++) {
		const struct peer_row *row =
			peer_table_find(&pass->peers->at[i].rows, notice->monitor);

		if (row && peer_row_told(row, notice->event_id))
			return pass->peers->at[i].name;
	}
	return NULL;
}

bool peers_acknowledged(void *arg, const struct notice *notice)
{
	const struct pass *pass = arg;
	const struct peer_row *own =
		notice->monitor ? peer_table_find(&pass->peers->own, notice->monitor) : NULL;

	for (size_t i = 0; own && i < pass->peers->n; i++) {
		const struct peer_row *row =
			peer_table_find(&pass->peers->at[i].rows, notice->monitor);

		if (row && row->open && row->acknowledged && row->episode == own->episode)
			return true;
	}
	return false;
}

static void note_told(struct pass *pass, const struct notice *notice)
{
	struct peer_row *row =
		notice->monitor ? peer_table_find(&pass->peers->own, notice->monitor) : NULL;

	if (!row)
		return;
	peer_row_tell(row, notice->event_id, event_name(notice->event), notice->channel);
	seal(pass, row);
}

struct gathered {
	struct pass *pass;
	const char *digest;
	size_t looked_at;
};

static bool note_gathered(void *arg, const struct notice *notice)
{
	struct gathered *g = arg;

	if (notice->instead && strcmp(notice->instead, g->digest) == 0)
		note_told(g->pass, notice);
	return ++g->looked_at < DIGEST_LOOKED_AT;
}

void peers_told(void *arg, struct state_txn *txn, const struct notice *notice)
{
	struct gathered g = {arg, notice->event_id, 0};

	if (notice->event == EVENT_DIGEST)
		state_notice_scan(txn, 0, note_gathered, &g, NULL);
	else if (!notice->repeat)
		note_told(arg, notice);
	keep_info(arg);
}
