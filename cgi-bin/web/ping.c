/* SPDX-License-Identifier: ISC */
/*
 * The clients of healthchecks.io and Uptime Kuma. See ping.h. Their answers are part of what these clients
 * rely on, so they are given byte for byte, and not in our own form.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sign.h"
#include "model/beat.h"
#include "web/beat_log.h"
#include "web/beat_parse.h"
#include "web/ping.h"
#include "web/workers.h"

#define KUMA_PING_MAX_MS 1e11

/* ---- whose heartbeat it is */

/* By the heartbeat's own token. ERROR_MISSING: nobody's. */
static bool find_by_token(struct web *web, const char *token, struct monitor *out, struct error *err)
{
	struct state *state = web_state(web, err);
	struct state_txn *txn;
	bool ok;

	memset(out, 0, sizeof(*out));
	if (!monitor_token_valid(token, strlen(token)))
		return error_set(err, ERROR_MISSING, "not a token");
	txn = state != NULL ? state_begin(state, false, err) : NULL;
	ok = txn != NULL && state_monitor_by_token(txn, token, out, err);
	state_end(txn);
	if (ok && out->heartbeat == NULL)
		return error_set(err, ERROR_MISSING, "not a heartbeat");
	return ok;
}

static bool key_may_ping(const struct site *site, const char *key)
{
	uint8_t hash[SHA256_BYTES];
	bool may = false;
	size_t i;

	sign_sha256(key, strlen(key), hash);
	for (i = 0; i < site->key_count; i++)
		if (sign_equal(site->keys[i].hash, hash, sizeof(hash)))
			may = site->keys[i].may_write || site->keys[i].may_ping;
	return may;
}

static bool token_is(const struct monitor *monitor, const char *token)
{
	const char *own = monitor->heartbeat->token;

	return own != NULL && strlen(own) == strlen(token) && sign_equal(own, token, strlen(own));
}

/* By its slug, with a key that may ping. ERROR_MISSING for a wrong key too. */
static bool find_by_slug(struct web *web, const char *key, const char *slug, struct monitor *out,
	struct error *err)
{
	struct state *state = web_state(web, err);
	struct state_txn *txn = state != NULL ? state_begin(state, false, err) : NULL;
	struct site site;
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(&site, 0, sizeof(site));
	ok = txn != NULL && state_site(txn, &site, err) && state_monitor_by_slug(txn, slug, out, err);
	state_end(txn);
	if (ok && (out->heartbeat == NULL || (!token_is(out, key) && !key_may_ping(&site, key))))
		ok = error_set(err, ERROR_MISSING, "not a heartbeat, or not a key for it");
	site_clear(&site);
	return ok;
}

/* true when stored; else the answer is set. */
static bool store(struct web *web, const struct request *req, const struct monitor *monitor,
	const struct beat *beat, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct inbox *inbox = web_inbox_writable(web, &err);
	enum beat_verdict verdict;
	int64_t last_time_us;
	struct text log = TEXT_INIT;
	bool logged = beat_log_put(&log, beat), stored = false;

	if (inbox != NULL) {
		workers_wait_begin();
		stored = inbox_beat_store_logged(inbox, monitor->slug, monitor->heartbeat, beat, &req->now,
			logged ? log.ptr : NULL, log.len, &verdict, &last_time_us, &err);
		workers_wait_end();
	}
	text_free(&log);
	if (stored)
		return true;
	log_limited("beat-503", "beat: %s", err.text);
	reply_unavailable(reply, 60, "the store cannot be used now");
	return false;
}

/* ---- healthchecks.io */

static void healthchecks_answer(struct reply *reply, int status, const char *words)
{
	reply_text(reply, status, words);
	if (status != 200)
		return;
	reply_header(reply, "Access-Control-Allow-Origin", "*");
	text_printf(&reply->headers, "Ping-Body-Limit: %d\r\n", BEAT_MSG_MAX);
}

static bool is_number(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

/* A UUID in any of its spellings -> lower case with hyphens. */
static bool take_run_id(const char *s, struct text *out)
{
	static const char groups[] = {8, 4, 4, 4, 12};
	size_t g, i;

	for (g = 0; g < sizeof(groups); g++) {
		if (g > 0) {
			text_char(out, '-');
			if (*s == '-')
				s++;
		}
		for (i = 0; i < (size_t)groups[g]; i++, s++) {
			if (*s == '\0' || strchr("0123456789abcdefABCDEF", *s) == NULL)
				return false;
			text_char(out, *s >= 'A' && *s <= 'F' ? (char)(*s + 32) : *s);
		}
	}
	return *s == '\0';
}

/* Finds the heartbeat, and what of the address is left to say what happened. */
static bool healthchecks_find(struct web *web, const struct route_match *match, struct monitor *monitor,
	const char **verb, struct error *err)
{
	struct beat beat;

	*verb = match->verb;
	if (*match->rest == '\0' && (beat_parse_signal(match->verb, &beat) || is_number(match->verb))) {
		if (find_by_token(web, match->name, monitor, err))
			return true;
		if (err->kind != ERROR_MISSING || *match->verb == '\0')
			return false;
	}
	*verb = match->rest;
	monitor_clear(monitor);
	return find_by_slug(web, match->name, match->verb, monitor, err);
}

/* A ping that was found to be for this heartbeat. */
static void healthchecks_take(struct web *web, struct request *req, const struct monitor *monitor,
	const char *verb, struct reply *reply)
{
	struct beat beat;
	struct text rid = TEXT_INIT;
	char *given = request_query(req, "rid");

	if (!beat_parse_signal(verb, &beat)) {
		healthchecks_answer(reply, is_number(verb) ? 400 : 404,
			is_number(verb) ? "invalid url format" : "not found");
	} else if (given != NULL && !take_run_id(given, &rid)) {
		healthchecks_answer(reply, 400, "invalid uuid format");
	} else {
		/* What came of a body is the message, however it ended: no ping is refused for it. */
		if (req->method == METHOD_POST)
			request_body_prefix(req, BEAT_MSG_MAX);
		beat.msg = req->body.len > 0 ? text_str(&req->body) : NULL;
		beat.rid = given != NULL ? text_str(&rid) : NULL;
		if (store(web, req, monitor, &beat, reply))
			healthchecks_answer(reply, 200, "OK");
	}
	free(given);
	text_free(&rid);
}

void ping_healthchecks(struct web *web, struct request *req, const struct route_match *match,
	struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct monitor monitor;
	const char *verb;

	memset(&monitor, 0, sizeof(monitor));
	if (healthchecks_find(web, match, &monitor, &verb, &err)) {
		healthchecks_take(web, req, &monitor, verb, reply);
	} else if (err.kind == ERROR_MISSING) {
		log_limited("ping", "ping: no such token, or no such key and heartbeat");
		healthchecks_answer(reply, 404, "not found");
	} else {
		log_limited("beat-503", "ping: %s", err.text);
		reply_unavailable(reply, 60, "the store cannot be used now");
	}
	monitor_clear(&monitor);
}

/* ---- Uptime Kuma */

static void kuma_refuse(struct reply *reply, const char *why)
{
	reply->status = 404;
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":false,\"msg\":\"");
	text_json(&reply->body, why);
	text_raw(&reply->body, "\"}");
}

/* ping=<milliseconds>: what is no number counts as not given, as it does there. */
static bool take_kuma_ping(const char *s, int64_t *length_us)
{
	char *end;
	double ms;

	*length_us = -1;
	if (s == NULL || *s == '\0' || strspn(s, "+-.0123456789eE") != strlen(s))
		return true;
	ms = strtod(s, &end);
	if (end == s)
		return true;
	if (!(ms >= 0 && ms <= KUMA_PING_MAX_MS))
		return false;
	*length_us = (int64_t)(ms * 1000);
	return true;
}

static void kuma_take(struct web *web, struct request *req, const struct monitor *monitor,
	struct reply *reply)
{
	char *status = request_query(req, "status"), *msg = request_query(req, "msg"),
	     *ping = request_query(req, "ping");
	struct beat beat;

	beat_parse_signal(status == NULL || *status == '\0' || strcmp(status, "up") == 0 ? "" : "fail",
		&beat);
	beat.msg = msg != NULL && *msg != '\0' ? msg : "OK";
	if (!take_kuma_ping(ping, &beat.length_us)) {
		kuma_refuse(reply, "Invalid ping value. Must be between 0 and 100000000000 ms.");
	} else if (store(web, req, monitor, &beat, reply)) {
		reply->type = TYPE_JSON;
		text_raw(&reply->body, "{\"ok\":true}");
	}
	free(status);
	free(msg);
	free(ping);
}

void ping_kuma(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct monitor monitor;

	if (find_by_token(web, match->name, &monitor, &err) && !monitor.paused) {
		kuma_take(web, req, &monitor, reply);
	} else if (err.kind == ERROR_MISSING || monitor.paused) {
		log_limited("push", "push: no such token");
		kuma_refuse(reply, "Monitor not found or not active.");
	} else {
		log_limited("beat-503", "push: %s", err.text);
		reply_unavailable(reply, 60, "the store cannot be used now");
	}
	monitor_clear(&monitor);
}
