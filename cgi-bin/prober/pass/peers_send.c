/* SPDX-License-Identifier: ISC */
/*
 * peers_send: writing to peers. Each hears from us at least every so often, and soon after
 * something has changed; what it acknowledged is not told again, and a digest lets it notice what
 * it has missed. One message is under way to each at a time, for PEER_TAKES_US at most, and no pass
 * waits for it at its minute's end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/peers_private.h"

#define SOON_US (300 * US_PER_MS) /* changes that come together go together */
#define AGAIN_US (5 * US_PER_S)   /* after a failure */
#define FAILURES_MAX 2            /* then it is left alone until it is due anyway */
#define HEAD_ROOM 2048            /* of a message, for all but its rows */

void peer_letter_clear(struct peer_letter *letter)
{
	exchange_clear(&letter->exchange);
	http_request_clear(&letter->request);
	peer_message_clear(&letter->message);
	letter->busy = false;
}

void peers_changed(struct peers *peers)
{
	for (size_t i = 0; i < peers->n; i++)
		peers->at[i].changed = true;
}

/* ---- what to write */

/* A pass of cron's comes once a minute or less often; within a pass we can write more often than
 * that. */
static int64_t promised_us(const struct peer *peer)
{
	const struct pass *pass = peer->pass;
	int64_t every_us = pass->peers->every_us;

	if (every_us >= MINUTE_US && pass->info.cadence_us > every_us)
		every_us = pass->info.cadence_us;
	return peer->took_us > every_us ? peer->took_us : every_us;
}

/* Rows that it has not acknowledged, as many as there is room for: slug and hash into the message,
   bytes into the text. */
static void put_rows(const struct peer *peer, struct peer_message *message, struct text *rows)
{
	const struct peer_table *own = &peer->pass->peers->own;

	for (size_t i = 0; i < own->n; i++) {
		const struct peer_row *row = &own->at[i];
		const struct peer_row *known =
			peer->full ? NULL : peer_table_find(&peer->sent, row->slug);

		if (known && known->hash == row->hash)
			continue;
		if (rows->len + strlen(row->raw) + HEAD_ROOM > PEER_MESSAGE_MAX) {
			message->more = true;
			break;
		}
		text_raw(rows, rows->len > 1 ? "," : "");
		text_raw(rows, row->raw);
		peer_table_make(&message->rows, row->slug)->hash = row->hash;
	}
}

/* What the rows have left of the message. */
static void put_gone(const struct peer *peer, struct peer_message *message, size_t room)
{
	const struct peer_table *own = &peer->pass->peers->own;

	for (size_t i = 0; !peer->full && i < peer->sent.n; i++) {
		size_t takes = strlen(peer->sent.at[i].slug) + 3;

		if (peer_table_find(own, peer->sent.at[i].slug))
			continue;
		if (takes > room) {
			message->more = true;
			break;
		}
		room -= takes;
		message->gone =
			mem_grow(message->gone, message->gone_count + 1, sizeof(*message->gone));
		message->gone[message->gone_count++] = mem_str(peer->sent.at[i].slug);
	}
}

/* The message as it goes out. Its rows are put in as the bytes that they were sealed with. */
static void write_message(const struct peer *peer, struct peer_message *message, struct text *body)
{
	struct peers *peers = peer->pass->peers;
	struct peer_table sent;
	struct text rows = TEXT_INIT;

	*message = (struct peer_message){.from = mem_str(peers->me),
		.to = mem_str(peer->name),
		.time_us = pass_now(peer->pass),
		.every_us = promised_us(peer),
		.offline = peer->pass->info.blind_since_us != 0,
		.again = peer->head.heard_us && !peer->head.whole && !peer->head.more,
		.full = peer->full,
		.digest = peer_table_digest(&peers->own)};
	if (message->time_us <= peer->newest_us)
		message->time_us = peer->newest_us + 1;
	put_rows(peer, message, &rows);
	put_gone(peer, message, PEER_MESSAGE_MAX - HEAD_ROOM / 2 - rows.len);
	sent = message->rows; /* has no bytes: they are ready */
	message->rows = (struct peer_table){NULL, 0};
	peer_message_encode_with(body, message, text_str(&rows));
	message->rows = sent;
	text_free(&rows);
}

static void make_request(const struct peer *peer, struct http_request *request)
{
	struct text line = TEXT_INIT, url = TEXT_INIT;
	uint8_t mac[SHA256_BYTES];
	size_t n = strlen(peer->url);

	sign_hmac_sha256(peer->secret, strlen(peer->secret), text_str(&request->body),
		request->body.len, mac);
	text_raw(&line, "X-Hub-Signature-256: sha256=");
	sign_hex(&line, mac, sizeof(mac));
	request->headers = curl_slist_append(NULL, text_str(&line));
	request->headers = curl_slist_append(request->headers, "Content-Type: application/json");
	request->headers = curl_slist_append(request->headers, "Expect:");
	text_rawn(&url, peer->url, n > 0 && peer->url[n - 1] == '/' ? n - 1 : n);
	text_raw(&url, "/peer/");
	text_url(&url, peer->pass->peers->me);
	request->method = mem_str("POST");
	request->url = text_take(&url);
	text_free(&line);
}

/* ---- what became of it */

/* It has these rows now. */
static void acknowledged(struct peer *peer)
{
	struct peer_message *message = &peer->letter.message;

	if (message->full)
		peer_table_clear(&peer->sent);
	for (size_t i = 0; i < message->rows.n; i++)
		peer_table_make(&peer->sent, message->rows.at[i].slug)->hash =
			message->rows.at[i].hash;
	for (size_t i = 0; i < message->gone_count; i++)
		peer_table_drop(&peer->sent, message->gone[i]);
	if (message->full || message->rows.n || message->gone_count)
		peer->sent_dirty = true;
	if (message->full)
		peer->full = false;
	peer->changed = peer->changed || message->more;
}

/* Said once in a pass, not with each try. */
static void failed(struct peer *peer)
{
	const struct exchange *exchange = &peer->letter.exchange;

	if (peer->failures == 0 && exchange->problem)
		log_warn("peer %s cannot be written to: %s", peer->name, exchange->problem);
	else if (peer->failures == 0)
		log_warn("peer %s refused a message: %d %.200s", peer->name, exchange->status,
			text_str(&exchange->answer));
	peer->failures++;
	peer->changed = true;
}

/* Our clock was set back: what it has of us is from later, and it says from when. */
static bool known_newest(const struct exchange *exchange, int64_t *newest_us)
{
	struct json_scan scan;
	bool found = false;

	if (exchange->problem || exchange->status != 400)
		return false;
	json_scan_init(&scan, text_str(&exchange->answer), exchange->answer.len, 0, 4);
	if (json_scan_next(&scan) == JSON_OBJECT)
		while (!found && json_scan_next(&scan) == JSON_KEY) {
			found = json_scan_is(&scan, "newest");
			if (!found && !json_scan_skip(&scan))
				break;
		}
	found = found && json_scan_next(&scan) == JSON_NUMBER && json_scan_micros(&scan, newest_us);
	json_scan_free(&scan);
	return found;
}

static void answered(void *arg)
{
	struct peer *peer = arg;
	struct pass *pass = peer->pass;
	int64_t now = pass_now(pass), newest_us = peer->letter.message.time_us;
	bool ok = !peer->letter.exchange.problem && peer->letter.exchange.status == 200;

	peer->took_us = clock_mono_us() - peer->letter.started_us;
	if (ok) {
		peer->failures = 0;
		peers_answered(pass, now); /* though it may say nothing itself: its passes have stopped */
		acknowledged(peer);
	} else {
		failed(peer);
	}
	peer->due_us = now + pass->peers->every_us;
	if (!ok && known_newest(&peer->letter.exchange, &newest_us) && newest_us > peer->newest_us)
		peer->due_us = now;
	peer->newest_us = newest_us;
	peer_letter_clear(&peer->letter);
	if (!ok && peer->failures <= FAILURES_MAX && peer->due_us > now + AGAIN_US)
		peer->due_us = now + AGAIN_US;
	pass_wake(pass);
}

/* ---- when */

/* Wall clock. */
static int64_t due_of(const struct peer *peer, int64_t now_us)
{
	if (peer->letter.busy)
		return INT64_MAX;
	if (peer->changed && peer->failures == 0 && peer->due_us > now_us + SOON_US)
		return now_us + SOON_US;
	return peer->due_us;
}

static void write_to(struct peer *peer)
{
	struct peer_letter *letter = &peer->letter;
	struct pass *pass = peer->pass;

	peer->changed = false;
	write_message(peer, &letter->message, &letter->request.body);
	make_request(peer, &letter->request);
	letter->busy = true;
	letter->started_us = clock_mono_us();
	letter->exchange = (struct exchange){.loop = pass->loop,
		.deadline_us = letter->started_us + PEER_TAKES_US,
		.done = answered,
		.arg = peer};
	exchange_request(&letter->exchange, &letter->request);
	exchange_start(&letter->exchange);
}

void peers_send(struct pass *pass)
{
	struct peers *peers = pass->peers;
	int64_t now = pass_now(pass);

	for (size_t i = 0; peers && !pass->over && i < peers->n; i++) {
		struct peer *peer = &peers->at[i];

		/* What changed goes soon, and together with what changes meanwhile. */
		if (peer->changed && peer->failures == 0 && !peer->letter.busy &&
			peer->due_us > now + SOON_US)
			peer->due_us = now + SOON_US;
		if (!peer->letter.busy && peer->due_us <= now)
			write_to(peer);
	}
}

int64_t peers_next_due(struct pass *pass)
{
	int64_t due = INT64_MAX, now = pass_now(pass);

	for (size_t i = 0; pass->peers && i < pass->peers->n; i++) {
		int64_t its = due_of(&pass->peers->at[i], now);

		due = its < due ? its : due;
	}
	return due;
}

bool peers_busy(const struct pass *pass)
{
	for (size_t i = 0; pass->peers && i < pass->peers->n; i++)
		if (pass->peers->at[i].letter.busy)
			return true;
	return false;
}
