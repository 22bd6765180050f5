/* SPDX-License-Identifier: ISC */
/* peer: signature -> what it is -> is it news -> the inbox's queue. */
#include "web/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sign.h"
#include "model/peer.h"
#include "store/peer_book.h"
#include "web/books.h"
#include "web/workers.h"

/* What the state says of who writes; owned. */
struct sender {
	char *me;
	char *secret;      /* NULL: there is no such peer */
	int64_t newest_us; /* by its clock, of what the prober has read; 0 none */
	uint64_t seen;
};

static void sender_clear(struct sender *sender)
{
	if (sender->secret)
		sign_wipe(sender->secret, strlen(sender->secret));
	free(sender->secret);
	free(sender->me);
}

/* false: the state cannot be read. */
static bool sender_read(struct web *web, const char *name, struct sender *out, struct error *err)
{
	struct state *state = web_state(web, err);
	struct state_txn *txn = state ? state_begin(state, false, err) : NULL;
	struct site site = {0};
	struct peer_head head = {0};
	bool ok = txn && state_site(txn, &site, err) && state_inbox_seen(txn, &out->seen, err);

	if (ok) {
		peer_head_read(txn, name, &head);
		out->newest_us = head.time_us;
		out->me = mem_str(site.me);
	}
	for (size_t i = 0; ok && i < site.peer_count; i++)
		if (strcmp(site.peer_keys[i].name, name) == 0)
			out->secret = mem_str(site.peer_keys[i].secret);
	state_end(txn);
	site_clear(&site);
	return ok;
}

/* An unknown peer costs what a known one costs. */
static bool signed_rightly(const struct request *req, const struct sender *sender)
{
	struct sign_headers headers = {NULL, request_header(req, "X-Hub-Signature-256")};
	struct signature signature;
	struct secret secret = {
		(const uint8_t *)sender->secret, sender->secret ? strlen(sender->secret) : 0};

	return sign_parse_headers(&headers, &signature) &&
	       sign_verify(&signature, true, &secret, sender->secret ? 1 : 0, text_str(&req->body),
		       req->body.len);
}

/* ---- is it news? */

struct newest {
	const char *name;
	char *payload;
};

static bool keep_newest(void *arg, const struct inbox_entry *entry)
{
	struct newest *newest = arg;

	if (strcmp(entry->sender, newest->name) == 0) {
		free(newest->payload);
		newest->payload = mem_strn(entry->payload, entry->payload_len);
	}
	return true;
}

/* When, by its own clock, did it write what still waits for the prober? 0: nothing waits. */
static int64_t waiting_us(struct inbox *inbox, const char *name, uint64_t seen)
{
	struct newest newest = {name, NULL};
	struct peer_message message = {.from = NULL};
	int64_t time_us = 0;

	inbox_queue_scan(inbox, INBOX_PEER, seen, keep_newest, &newest, NULL);
	if (newest.payload &&
		peer_message_decode(newest.payload, strlen(newest.payload), &message, NULL))
		time_us = message.time_us;
	peer_message_clear(&message);
	free(newest.payload);
	return time_us;
}

/* Both clocks are named, so that whoever reads it sees which one is wrong. */
static bool refuse_time(int64_t time_us, int64_t newest_us, int64_t now_us, struct text *why)
{
	int64_t apart_us = time_us > now_us ? time_us - now_us : now_us - time_us;

	if (time_us > newest_us && apart_us <= PEER_WINDOW_US)
		return false;
	text_raw(why, "time ");
	calendar_put_clock(why, time_us);
	if (time_us <= newest_us) {
		text_raw(why, " is not newer than that of the last message, ");
		calendar_put_clock(why, newest_us);
		text_raw(why, "; our clock is ");
	} else {
		text_raw(why, " is not within ");
		calendar_put_duration(why, PEER_WINDOW_US / US_PER_MS);
		text_raw(why, " of our clock, ");
	}
	calendar_put_clock(why, now_us);
	return true;
}

/* ---- taking it */

static void unavailable(struct reply *reply, const struct error *err)
{
	log_limited("peer-503", "peer: %s", err->text);
	reply_unavailable(reply, 60, "it cannot be stored now");
}

/* With the time of its newest message: whose clock was set back can go on from there. */
static void refuse(struct reply *reply, const char *why, int64_t newest_us)
{
	reply->status = 400;
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":false,\"error\":");
	text_json_string(&reply->body, why);
	text_raw(&reply->body, ",\"newest\":");
	text_json_seconds(&reply->body, newest_us);
	text_char(&reply->body, '}');
}

static void store(struct web *web, struct request *req, const char *name,
	const struct sender *sender, int64_t time_us, struct reply *reply)
{
	struct error err = {0};
	struct inbox *inbox = web_inbox_writable(web, &err);
	struct text why = TEXT_INIT;
	int64_t newest_us;
	uint64_t id;
	bool ok;

	if (!inbox) {
		unavailable(reply, &err);
		return;
	}
	newest_us = waiting_us(inbox, name, sender->seen);
	if (newest_us < sender->newest_us)
		newest_us = sender->newest_us;
	if (refuse_time(time_us, newest_us, req->now.wall_us, &why)) {
		log_limited("peer-400", "peer %s refused: %s", name, text_str(&why));
		refuse(reply, text_str(&why), newest_us);
		text_free(&why);
		return;
	}
	workers_wait_begin();
	ok = inbox_queue_put(inbox, INBOX_PEER, name, text_str(&req->body), req->body.len,
		&req->now, sender->seen, &id, &err);
	workers_wait_end();
	if (!ok) {
		unavailable(reply, &err);
		return;
	}
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":true,\"time\":");
	text_json_seconds(&reply->body, req->now.wall_us);
	text_char(&reply->body, '}');
}

/* NULL, or why it is none for us. */
static const char *not_ours(
	const struct peer_message *message, const char *name, const struct sender *sender)
{
	if (strcmp(message->from, name) != 0)
		return "it does not call itself (\"me\") what this one calls it (\"peers\")";
	if (!sender->me || strcmp(message->to, sender->me) != 0)
		return "it calls this one (\"peers\") something else than \"me\" says here";
	return NULL;
}

static void read_and_store(struct web *web, struct request *req, const char *name,
	const struct sender *sender, struct reply *reply)
{
	struct peer_message message;
	struct error err = {0};
	const char *why;

	if (!peer_message_decode(text_str(&req->body), req->body.len, &message, &err)) {
		log_limited("peer-400", "peer %s: a message cannot be read: %s", name, err.text);
		reply_error_json(reply, 400, "%s", err.text);
		return;
	}
	why = not_ours(&message, name, sender);
	if (why) {
		log_limited("peer-400", "peer %s: %s", name, why);
		reply_error_json(reply, 400, "%s", why);
	} else {
		store(web, req, name, sender, message.time_us, reply);
	}
	peer_message_clear(&message);
}

void peer_take(
	struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	enum body_status body = request_body(req, PEER_MESSAGE_MAX);
	struct sender sender = {.me = NULL};
	struct error err = {0};

	if (body == BODY_TOO_LARGE) {
		reply_error_json(reply, 413, "the body is over %d bytes", PEER_MESSAGE_MAX);
	} else if (!sender_read(web, match->name, &sender, &err)) {
		log_limited("peer-503", "peer: %s", err.text);
		reply_unavailable(reply, 60, "the store cannot be used now");
	} else if (body != BODY_OK) {
		reply_error_json(reply, 400, "the body did not arrive whole");
	} else if (!signed_rightly(req, &sender)) {
		log_limited("peer-403", "peer: no or wrong signature, or no such peer");
		reply_error_json(reply, 403, "no or wrong signature, or no such peer");
	} else {
		read_and_store(web, req, match->name, &sender, reply);
	}
	sender_clear(&sender);
}
