/* SPDX-License-Identifier: ISC */
/*
 * peers: other Upbeats. What they told waits in the inbox's queue; here it is read, kept, and followed: their
 * views count (places.c), what they told to people is not told again (the outbox asks), and who is silent is
 * found by the monitor that watches it. And here is kept what we ourselves see, decide and tell, as the
 * rows that peers_send.c writes to them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/peers_private.h"

#define KEEP_GOOD_US (5 * US_PER_S)  /* how exactly the newest good look is remembered across passes */
#define PEERS_LOOKED_AT 64
#define EVERY_MAX_US (24 * 3600 * US_PER_S) /* longer than that nobody is waited for */
#define NOTE_GOOD "peers/good"
#define DIGEST_LOOKED_AT 5000        /* notices, newest first, among which those of a digest are */

/* ---- beginning and end */

static struct peer *peer_named(struct peers *peers, const char *name)
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
	for (line = peer->full ? NULL : strtok_r(note, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		peer_table_make(&peer->sent, blank + 1)->hash = strtoull(line, NULL, 16);
	}
	free(note);
	text_free(&name);
}

static void load_peer(struct pass *pass, struct state_txn *txn, struct peer *peer, const struct peer_key *key)
{
	int64_t awake_us;

	*peer = (struct peer){.pass = pass, .name = key->name, .url = key->url, .secret = key->secret, .changed = true};
	peer_head_read(txn, peer->name, &peer->head);
	awake_us = peer->head.awake_us;
	if (pass->stepped)
		peering_stepped(&peer->head, pass->info.started_us);
	peering_wake(&peer->head, pass->info.started_us - pass->info.progress_us, pass->info.started_us);
	peer->head_dirty = peer->head.awake_us != awake_us;
	peer_rows_read(txn, peer->name, &peer->rows);
	load_sent(txn, peer);
}

/* Rows of what is no longer configured. */
static void drop_removed(struct peers *peers, struct state_txn *txn)
{
	for (size_t i = peers->own.n; i-- > 0;) {
		struct monitor monitor = {0};

		if (!state_monitor_by_slug(txn, peers->own.at[i].slug, &monitor, NULL)) {
			peer_table_drop(&peers->own, peers->own.at[i].slug);
			peers->own_dirty = true;
		}
		monitor_clear(&monitor);
	}
}

static int64_t option_us(struct pass *pass, const char *name, int64_t otherwise_us)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pass_privates(pass, "top"), name));
	int64_t ms;

	return text && calendar_parse_duration(text, &ms) ? ms * US_PER_MS : otherwise_us;
}

static const char *told_by(void *arg, const struct notice *notice);
static bool acknowledged(void *arg, const struct notice *notice);
static void told(void *arg, struct state_txn *txn, const struct notice *notice);

static void load_all(struct pass *pass, struct state_txn *txn)
{
	struct peers *peers = pass->peers;
	char *good = NULL;

	load_note(txn, PEER_NOTE_OWN, &peers->own);
	for (size_t i = 0; i < peers->n; i++)
		load_peer(pass, txn, &peers->at[i], &pass->site.peers[i]);
	if (pass->reconsider)
		drop_removed(peers, txn);
	if (state_note_get(txn, NOTE_GOOD, &good, NULL))
		text_to_i64(good, &peers->good_us);
	peers->good_kept_us = peers->good_us;
	free(good);
}

void peers_begin(struct pass *pass)
{
	const struct site *site = pass_site(pass);
	const struct outbox_others others = {told_by, acknowledged, told, pass};
	struct state_txn *txn;
	struct peers *peers;

	if (site->peer_count == 0 || !site->me)
		return;
	txn = state_begin(pass->state, false, NULL);
	if (!txn)
		return;
	peers = pass->peers = MEM_NEW(struct peers);
	peers->me = site->me;
	peers->n = site->peer_count;
	peers->at = mem_array(peers->n, sizeof(*peers->at));
	peers->every_us = option_us(pass, "peer_every", PEER_EVERY_US);
	peers->wait_us = option_us(pass, "peer_wait", PEER_EVERY_US);
	load_all(pass, txn);
	state_end(txn);
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
			text_printf(&sent, "%016llx %s\n", (unsigned long long)peer->sent.at[i].hash,
				peer->sent.at[i].slug);
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

/* ---- our own rows */

bool peers_is_one(const struct post *post)
{
	return strcmp(post->monitor->type, "peer") == 0;
}

/* "places" says that nobody but us looks at it: then nobody is told of it either. */
static bool only_ours(const struct post *post)
{
	const struct monitor *m = post->monitor;

	return m->place_count == 1 && strcmp(m->places[0], post->pass->peers->me) == 0;
}

static bool counts_for(const struct monitor *monitor, const char *peer)
{
	for (size_t i = 0; i < monitor->place_count; i++)
		if (strcmp(monitor->places[i], peer) == 0)
			return true;
	return monitor->place_count == 0;
}

/* Their row of this monitor; NULL: they do not look at it. */
static const struct peer_row *row_of(const struct peer *peer, const struct post *post)
{
	return counts_for(post->monitor, peer->name) ? peer_table_find(&peer->rows, post->monitor->slug) : NULL;
}

static int64_t since_us(const struct pass *pass)
{
	return pass->world.grace_from_us;
}

/* Does anybody find it down? Then it matters how new each look is. */
static bool contested(const struct post *post, enum outcome ours)
{
	struct peers *peers = post->pass->peers;
	int64_t now = pass_now(post->pass);
	bool down = ours == OUTCOME_DOWN;

	for (size_t i = 0; i < peers->n; i++) {
		const struct peer_row *row = row_of(&peers->at[i], post);

		down = down || (row && peering_vote(&peers->at[i].head, row, since_us(post->pass), now) == OUTCOME_DOWN);
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

void peers_saw(struct post *post, const struct result *result)
{
	struct pass *pass = post->pass;
	bool measured = !post->monitor->heartbeat && pass->peers && !peers_is_one(post);
	struct peer_row *row;

	if (!pass->peers || only_ours(post) || (result->lagged && result->outcome == OUTCOME_DOWN))
		return;
	if (measured && (result->outcome == OUTCOME_UP || result->status > 0))
		pass->peers->good_us = result->at_us;
	row = peer_table_make(&pass->peers->own, post->monitor->slug);
	row->sees = result->outcome;
	row->state = post->judge.decided;
	row->acknowledged = (post->judge.marks & MARK_ACKNOWLEDGED) != 0;
	row->every_us = post->monitor->interval_ms * US_PER_MS;
	row->looked_us = measured && contested(post, result->outcome) ? result->at_us : 0;
	free(row->cause);
	row->cause = result->outcome != OUTCOME_UP && result->cause[0] ? mem_str(result->cause) : NULL;
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
	struct company c = {mem_array(peers->n, sizeof(c.rows[0])), mem_array(peers->n, sizeof(c.names[0])), 0, 0};
	int64_t now = pass_now(post->pass);

	for (size_t i = 0; i < peers->n; i++) {
		const struct peer *peer = &peers->at[i];
		const struct peer_row *row = row_of(peer, post);

		if (!row)
			continue;
		c.rows[c.n++] = row;
		if (!peering_silent(&peer->head, since_us(post->pass), now) && !peer->head.offline &&
			row->state != STATE_PAUSED)
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

	if (!pass->peers || only_ours(post))
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
		verdict->turn_us = (int64_t)peering_turn(pass->peers->me, c.names, c.able) * pass->peers->wait_us;
	}
	seal(pass, row);
	free(c.rows);
	free(c.names);
}

/* ---- what was told to people */

static const char *told_by(void *arg, const struct notice *notice)
{
	struct pass *pass = arg;

	for (size_t i = 0; notice->monitor && i < pass->peers->n; i++) {
		const struct peer_row *row = peer_table_find(&pass->peers->at[i].rows, notice->monitor);

		if (row && peer_row_told(row, notice->event_id))
			return pass->peers->at[i].name;
	}
	return NULL;
}

static bool acknowledged(void *arg, const struct notice *notice)
{
	const struct pass *pass = arg;
	const struct peer_row *own = notice->monitor ? peer_table_find(&pass->peers->own, notice->monitor) : NULL;

	for (size_t i = 0; own && i < pass->peers->n; i++) {
		const struct peer_row *row = peer_table_find(&pass->peers->at[i].rows, notice->monitor);

		if (row && row->open && row->acknowledged && row->episode == own->episode)
			return true;
	}
	return false;
}

static void note_told(struct pass *pass, const struct notice *notice)
{
	struct peer_row *row = notice->monitor ? peer_table_find(&pass->peers->own, notice->monitor) : NULL;

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

static void told(void *arg, struct state_txn *txn, const struct notice *notice)
{
	struct gathered g = {arg, notice->event_id, 0};

	if (notice->event == EVENT_DIGEST)
		state_notice_scan(txn, 0, note_gathered, &g, NULL);
	else if (!notice->repeat)
		note_told(arg, notice);
	keep_info(arg);
}

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
	struct sighting seen = {.from = (char *)(uintptr_t)peer->name, .sees = row->sees, .detail = row->cause,
		.heard_us = peer->head.heard_us};

	if (!post || !counts_for(post->monitor, peer->name))
		return;
	if (row->sees != OUTCOME_UNKNOWN)
		keep_sighting(post, &seen);
	if (!post->monitor->heartbeat && !peers_is_one(post) && post->row.state != STATE_PAUSED)
		post_look(post);
}

static void take_rows(struct peer *peer, struct peer_message *message)
{
	struct peer_row *rows = message->rows.at;

	if (message->full)
		peer_table_clear(&peer->rows);
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
	bool was_silent = peering_silent(&peer->head, since_us(pass), pass_now(pass));

	if (message->time_us <= peer->head.time_us) {
		log_info("peer %s: a message that is not newer than the last one is not heard", peer->name);
		return;
	}
	peer->head.heard_us = at_us;
	peer->head.time_us = message->time_us;
	peer->head.every_us = message->every_us < EVERY_MAX_US ? message->every_us : EVERY_MAX_US;
	peer->head.offline = message->offline;
	take_rows(peer, message);
	if (!message->more)
		peer->head.whole = peer_table_digest(&peer->rows) == message->digest;
	peer->head_dirty = true;
	if (message->again) {
		peer->full = peer->changed = true;
	} else if (!message->more && !peer->head.whole) {
		log_info("peer %s: something it told is missing here: it is asked for everything", peer->name);
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
		if (peer_sighting(peer->name, &peer->head, &peer->rows, post->monitor, since_us(pass), pass_now(pass),
			    &(*list)[*n]))
			(*n)++;
	}
}

void peers_testify(struct post *post, struct incident *incident)
{
	struct sighting *list = NULL;
	size_t n = 0;

	peers_sightings(post, &list, &n);
	for (size_t i = 0; i < n; i++)
		if (list[i].sees != OUTCOME_UNKNOWN)
			places_testify(incident, &list[i]);
	sightings_free(list, n);
}

bool peers_all_gone(struct pass *pass)
{
	struct peers *peers = pass->peers;
	struct peer_head heads[PEERS_LOOKED_AT];
	size_t n = 0;

	for (size_t i = 0; peers && i < peers->n && n < COUNT_OF(heads); i++)
		heads[n++] = peers->at[i].head;
	return n > 0 && peering_all_gone(heads, n, peers->good_us, pass_now(pass));
}
