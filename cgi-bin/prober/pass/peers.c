/* SPDX-License-Identifier: ISC */
/*
 * peers: other Upbeats, from the begin of a pass to its end: what the state keeps of them and of
 * what they know of us is read at its begin, and written with its commits. peers_own.c fills in
 * what we see and tell, peers_hear.c what they do, and peers_send.c writes to them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/pass/peers_private.h"

#define KEEP_GOOD_US \
	(5 * US_PER_S) /* how exactly the newest good look is remembered across passes */
#define NOTE_GOOD "peers/good"

/* ---- beginning and end */

struct peer *peer_named(struct peers *peers, const char *name)
{
	for (size_t i = 0; i < peers->n; i++)
		if (strcmp(peers->at[i].name, name) == 0)
			return &peers->at[i];
	return NULL;
}

static bool head_of(void *arg, const char *name, struct peer_head *head)
{
	struct pass *pass = arg;
	struct peer *peer = peer_named(pass->peers, name);

	if (peer)
		*head = peer->head;
	return peer && peer->head.heard_us;
}

static void load_note(struct state_txn *txn, const char *name, struct peer_table *out)
{
	char *note = NULL;

	if (state_note_get(txn, name, &note, NULL))
		peer_table_decode(note, strlen(note), out, NULL);
	free(note);
}

/* {"slug":"hash",...} as lines. */
static void load_sent(struct state_txn *txn, struct peer *peer)
{
	struct text name = TEXT_INIT;
	char *note = NULL, *line, *rest;

	peer_note_name(&name, peer->name, PEER_NOTE_SENT);
	peer->full = !state_note_get(txn, text_str(&name), &note, NULL);
	for (line = peer->full ? NULL : strtok_r(note, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		peer_table_make(&peer->sent, blank + 1)->hash = strtoull(line, NULL, 16);
	}
	free(note);
	text_free(&name);
}

static bool is_at_home(const char *url)
{
	const char *host = strstr(url, "://");

	return host && address_names_loopback(host + 3);
}

static void load_peer(
	struct pass *pass, struct state_txn *txn, struct peer *peer, const struct peer_key *key)
{
	int64_t awake_us;

	*peer = (struct peer){.pass = pass,
		.name = key->name,
		.url = key->url,
		.secret = key->secret,
		.changed = true};
	pass->peers->at_home = pass->peers->at_home || is_at_home(key->url);
	peer_head_read(txn, peer->name, &peer->head);
	awake_us = peer->head.awake_us;
	if (pass->stepped)
		peering_stepped(&peer->head, pass->info.started_us);
	peering_wake(
		&peer->head, pass->info.started_us - pass->info.progress_us, pass->info.started_us);
	peer->head_dirty = peer->head.awake_us != awake_us;
	peer_rows_read(txn, peer->name, &peer->rows);
	load_sent(txn, peer);
}

/* Rows of what is no longer configured, or nobody else's any more. */
static void drop_removed(struct peers *peers, struct state_txn *txn)
{
	for (size_t i = peers->own.n; i-- > 0;) {
		struct monitor monitor = {0};

		if (!state_monitor_by_slug(txn, peers->own.at[i].slug, &monitor, NULL) ||
			peers_only_ours(peers, &monitor)) {
			peer_table_drop(&peers->own, peers->own.at[i].slug);
			peers->own_dirty = true;
		}
		monitor_clear(&monitor);
	}
}

static int64_t option_us(struct pass *pass, const char *name, int64_t otherwise_us)
{
	const char *text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(pass_privates(pass, "top"), name));
	int64_t ms;

	return text && calendar_parse_duration(text, &ms) ? ms * US_PER_MS : otherwise_us;
}

static void load_all(struct pass *pass, struct state_txn *txn)
{
	struct peers *peers = pass->peers;
	char *good = NULL;

	load_note(txn, PEER_NOTE_OWN, &peers->own);
	for (size_t i = 0; i < peers->n; i++)
		load_peer(pass, txn, &peers->at[i], &pass->site.peer_keys[i]);
	if (pass->reconsider || pass->last_died) /* which may have been the one that should have */
		drop_removed(peers, txn);
	if (state_note_get(txn, NOTE_GOOD, &good, NULL))
		text_to_i64(good, &peers->good_us);
	peers->good_kept_us = peers->good_us;
	free(good);
}

void peers_begin(struct pass *pass)
{
	const struct site *site = pass_site(pass);
	const struct outbox_others others = {peers_told_by, peers_acknowledged, peers_told, pass};
	struct error err = {0};
	struct state_txn *txn;
	struct peers *peers;

	if (site->peer_count == 0 || !site->me)
		return;
	txn = state_begin(pass->state, false, &err);
	if (!txn) {
		log_warn("peers are left out of this pass: %s", err.text);
		return;
	}
	peers = pass->peers = MEM_NEW(struct peers);
	peers->me = site->me;
	peers->n = site->peer_count;
	peers->at = mem_array(peers->n, sizeof(*peers->at));
	peers->every_us = option_us(pass, "peer_every", PEER_EVERY_US);
	peers->wait_us = option_us(pass, "peer_wait", PEER_EVERY_US);
	load_all(pass, txn);
	state_end(txn);
	peers_all_gone(pass); /* the pass before this one may have ended so */
	pass->world.peer_head = head_of;
	pass->world.peer_arg = pass;
	outbox_share(pass->outbox, &others);
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	for (size_t i = 0; i < peers->n; i++) {
		peer_table_clear(&peers->at[i].rows);
		peer_table_clear(&peers->at[i].sent);
		peer_letter_clear(&peers->at[i].letter);
	}
	for (size_t i = 0; i < peers->heard_count; i++)
		peer_message_clear(&peers->heard[i].message);
	free(peers->heard);
	peer_table_clear(&peers->own);
	free(peers->at);
	free(peers);
}

/* ---- keeping */

/* Where notes of one peer go: into the commit's transaction. */
struct saving {
	struct state_txn *txn;
	const char *peer;
	struct error *err;
};

/* Stores what was printed into `value`, and frees that. */
static bool save(const struct saving *to, enum peer_note which, struct text *value)
{
	struct text name = TEXT_INIT;
	bool ok;

	peer_note_name(&name, to->peer, which);
	ok = state_note_put(to->txn, text_str(&name), text_str(value), to->err);
	text_free(&name);
	text_free(value);
	return ok;
}

static bool save_peer(const struct peer *peer, struct state_txn *txn, struct error *err)
{
	const struct saving to = {txn, peer->name, err};
	struct text head = TEXT_INIT, rows = TEXT_INIT, sent = TEXT_INIT;
	bool ok = true;

	if (peer->head_dirty) {
		peer_head_encode(&head, &peer->head);
		ok = save(&to, PEER_NOTE_HEAD, &head);
	}
	if (ok && peer->rows_dirty) {
		peer_table_encode(&rows, &peer->rows);
		ok = save(&to, PEER_NOTE_ROWS, &rows);
	}
	if (ok && peer->sent_dirty) {
		for (size_t i = 0; i < peer->sent.n; i++)
			text_printf(&sent, "%016llx %s\n",
				(unsigned long long)peer->sent.at[i].hash, peer->sent.at[i].slug);
		ok = save(&to, PEER_NOTE_SENT, &sent);
	}
	return ok;
}

static bool save_own(const struct peers *peers, struct state_txn *txn, struct error *err)
{
	struct text own = TEXT_INIT, good = TEXT_INIT;
	bool ok = true;

	if (peers->own_dirty) {
		peer_table_encode(&own, &peers->own);
		ok = state_note_put(txn, PEER_NOTE_OWN, text_str(&own), err);
	}
	if (ok && peers->good_us - peers->good_kept_us > KEEP_GOOD_US) {
		text_printf(&good, "%lld", (long long)peers->good_us);
		ok = state_note_put(txn, NOTE_GOOD, text_str(&good), err);
	}
	text_free(&own);
	text_free(&good);
	return ok;
}

bool peers_save(struct pass *pass, struct state_txn *txn, struct error *err)
{
	const struct peers *peers = pass->peers;
	bool ok = !peers || save_own(peers, txn, err);

	for (size_t i = 0; ok && peers && i < peers->n; i++)
		ok = save_peer(&peers->at[i], txn, err);
	return ok;
}

void peers_saved(struct pass *pass)
{
	struct peers *peers = pass->peers;

	for (size_t i = 0; peers && i < peers->n; i++)
		peers->at[i].head_dirty = peers->at[i].rows_dirty = peers->at[i].sent_dirty = false;
	if (!peers)
		return;
	peers->own_dirty = false;
	if (peers->good_us - peers->good_kept_us > KEEP_GOOD_US)
		peers->good_kept_us = peers->good_us;
}
