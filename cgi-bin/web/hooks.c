/* SPDX-License-Identifier: ISC */
/* hooks: token -> what it says -> the inbox's queue. */
#include "web/hooks.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sign.h"
#include "web/books.h"
#include "web/hook_parse.h"
#include "web/workers.h"

#define UNREAD_SHOWN_MAX 120 /* bytes of a message that nobody understands */

static bool key_may_hook(const struct site *site, const char *key)
{
	uint8_t hash[SHA256_BYTES];
	bool may = false;

	sign_sha256(key, strlen(key), hash);
	for (size_t i = 0; i < site->key_count; i++)
		if (sign_equal(site->keys[i].hash, hash, sizeof(hash)))
			may = site->keys[i].may_hook;
	return may;
}

/* false: the state cannot be read. */
static bool check_token(
	struct web *web, const char *token, bool *may, uint64_t *seen, struct error *err)
{
	struct state *state = web_state(web, err);
	struct state_txn *txn = state ? state_begin(state, false, err) : NULL;
	struct site site = {0};
	bool ok = txn && state_site(txn, &site, err) && state_inbox_seen(txn, seen, err);

	state_end(txn);
	*may = ok && key_may_hook(&site, token);
	site_clear(&site);
	return ok;
}

static bool enqueue(struct web *web, const struct request *req, const struct sighting *sighting,
	uint64_t seen, struct error *err)
{
	struct inbox *inbox = web_inbox_writable(web, err);
	struct text payload = TEXT_INIT;
	uint64_t id;
	bool ok = false;

	sighting_encode(&payload, sighting);
	if (inbox) {
		workers_wait_begin();
		ok = inbox_queue_put(inbox, INBOX_HOOK, sighting->from, payload.ptr, payload.len,
			&req->now, seen, &id, err);
		workers_wait_end();
	}
	text_free(&payload);
	return ok;
}

static void ok(struct reply *reply)
{
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":true}");
}

/* Whoever sent this would send the same again, and some day nothing more, if it were refused: it is
   taken, and the prober shows it to people. */
static void put_aside(struct web *web, const struct request *req, const char *service, const char *why,
	uint64_t seen, struct reply *reply)
{
	const char *begins = req->body.len ? text_str(&req->body) : req->query;
	size_t n = strlen(begins);
	struct sighting unread = {.from = mem_str(service), .unread = true, .detail = mem_str(why)};
	struct error err = {0};

	log_limited("hook", "hook: a message of %s cannot be understood: %s", service, why);
	if (text_utf8_valid(begins, n))
		unread.name = mem_strn(begins, text_utf8_fit(begins, n, UNREAD_SHOWN_MAX));
	if (!enqueue(web, req, &unread, seen, &err))
		log_limited("hook-503", "hook: %s", err.text);
	sighting_clear(&unread);
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":false,\"error\":");
	text_json_string(&reply->body, why);
	text_char(&reply->body, '}');
}

/* The token was right. */
static void take(struct web *web, const struct request *req, const char *service, uint64_t seen,
	struct reply *reply)
{
	struct hook_input input = {text_str(&req->body), req->body.len, req->query};
	struct sighting sighting;
	struct error err = {0};
	const char *why = "";

	switch (hook_parse(service, &input, &sighting, &why)) {
	case HOOK_TOLD:
		if (enqueue(web, req, &sighting, seen, &err)) {
			ok(reply);
		} else {
			log_limited("hook-503", "hook: %s", err.text);
			reply_unavailable(reply, 60, "it cannot be stored now");
		}
		break;
	case HOOK_NOTHING:
		ok(reply);
		break;
	case HOOK_BAD:
		put_aside(web, req, service, why, seen, reply);
		break;
	case HOOK_NO_SERVICE:
		reply_error_json(reply, 404, "there is no such service here");
		break;
	}
	sighting_clear(&sighting);
}

void hooks_take(
	struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {0};
	enum body_status body = request_body(req, REQUEST_BODY_MAX);
	uint64_t seen = 0;
	bool may;

	if (body == BODY_TOO_LARGE) {
		reply_error_json(reply, 413, "the body is over %d bytes", REQUEST_BODY_MAX);
	} else if (!check_token(web, match->verb, &may, &seen, &err)) {
		log_limited("hook-503", "hook: %s", err.text);
		reply_unavailable(reply, 60, "the store cannot be used now");
	} else if (!may) {
		log_limited("hook-404", "hook: no such token");
		reply_error_json(reply, 404, "not found");
	} else if (body != BODY_OK) {
		reply_error_json(reply, 400, "the body did not arrive whole");
	} else if (req->method == METHOD_HEAD && sighting_service(match->name)) {
		ok(reply); /* somebody looks whether there is such an address */
	} else {
		take(web, req, match->name, seen, reply);
	}
}
