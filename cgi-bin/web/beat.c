/* SPDX-License-Identifier: ISC */
/*
 * Heartbeats, asked for and received. See beat.h.
 *
 * What GET answers is this program's own knowledge (the inbox) against the published rules, so it stays
 * true while no prober runs; only the grace after an outage of our own is the prober's word.
 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sign.h"
#include "model/beat.h"
#include "web/beat_log.h"
#include "web/beat.h"
#include "web/beat_parse.h"
#include "web/workers.h"

#define ROOT_SLUG "default"

/* ---- rules */

/* An unknown heartbeat must cost what a known one costs, or the time of a refusal tells which there are. So
   there is always one that is found (in the place of an unknown one, the last that was known) and one that
   is not. */
static bool read_rules_evenly(struct state_txn *txn, const char *slug, struct heartbeat_rules *rules,
	struct error *err)
{
	static _Thread_local char known[SLUG_MAX + 1];
	static const char nobody[] = "-"; /* no slug */
	struct heartbeat_rules other;
	struct error ignored;
	bool found = state_heartbeat(txn, slug, rules, err);

	memset(&other, 0, sizeof(other));
	if (found && strlen(slug) < sizeof(known))
		memcpy(known, slug, strlen(slug) + 1);
	if (found || err->kind == ERROR_MISSING)
		state_heartbeat(txn, found ? nobody : known, &other, &ignored);
	heartbeat_rules_clear(&other);
	return found;
}

/* Copies the rules of a heartbeat out of a transaction of its own, and since when deadlines count. slug
   NULL: the default one, whose name goes to *name (the caller frees). ERROR_MISSING: no such heartbeat.
   For a beat, which is asked for no grace, that takes as long as any other. */
static bool load_rules(struct web *web, const char *slug, char **name, struct heartbeat_rules *rules,
	int64_t *grace_from_us, struct error *err)
{
	struct state *state = web_state(web, err);
	struct state_txn *txn = state != NULL ? state_begin(state, false, err) : NULL;
	struct pass_info info;
	bool ok;

	memset(rules, 0, sizeof(*rules));
	if (txn == NULL) {
		if (err->kind == ERROR_MISSING)
			err->kind = ERROR_TEMPORARY; /* the whole state is missing, not a heartbeat */
		return false;
	}
	if (slug != NULL)
		*name = mem_str(slug);
	ok = slug != NULL || state_default_heartbeat(txn, name, err);
	if (ok && grace_from_us == NULL)
		ok = read_rules_evenly(txn, *name, rules, err);
	else if (ok)
		ok = state_heartbeat(txn, *name, rules, err);
	if (ok && grace_from_us != NULL) {
		ok = state_pass(txn, &info, err);
		*grace_from_us = ok ? info.grace_from_us : 0;
	}
	state_end(txn);
	return ok;
}

bool beat_is_root(struct web *web, const struct request *req)
{
	struct heartbeat_rules rules;
	struct error err = {ERROR_NONE, ""};
	char *name = NULL;
	bool exists;

	if (req->method != METHOD_POST && request_wants_html(req))
		return false;
	exists = load_rules(web, ROOT_SLUG, &name, &rules, NULL, &err);
	heartbeat_rules_clear(&rules);
	free(name);
	/* Without a state nobody knows: a POST can only be a beat, and is told to come again. */
	return exists || (req->method == METHOD_POST && err.kind != ERROR_MISSING);
}

/* ---- GET */

static void unavailable(struct reply *reply, const struct error *err)
{
	log_limited("beat-503", "beat: %s", err->text);
	reply_unavailable(reply, 60, "the store cannot be used now");
}

static void not_beating(struct reply *reply)
{
	reply->status = 404;
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":false}");
}

/* Seconds with one decimal. */
static void put_tenths(struct text *t, int64_t us)
{
	text_json_seconds(t, us < 0 ? 0 : us - us % (US_PER_S / 10));
}

static void beating(struct reply *reply, const struct beat_age *age)
{
	reply->type = TYPE_JSON;
	text_raw(&reply->body, "{\"ok\":true,\"age\":");
	put_tenths(&reply->body, age->age_us);
	text_raw(&reply->body, ",\"max_age\":");
	text_json_seconds(&reply->body, age->max_age_us);
	text_raw(&reply->body, "}");
}

/* The last values of a heartbeat; *found false when it never beat, also because no inbox exists yet. */
static bool read_last(struct web *web, const char *slug, struct beat_last *last, bool *found,
	struct error *err)
{
	struct inbox *inbox = web_inbox(web, err);

	*last = (struct beat_last)BEAT_LAST_INIT;
	*found = false;
	if (inbox == NULL)
		return err->kind == ERROR_MISSING;
	return inbox_beat_read(inbox, slug, last, found, err);
}

static void get(struct web *web, struct request *req, const char *slug, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct heartbeat_rules rules;
	struct beat_last last = BEAT_LAST_INIT;
	int64_t grace_from_us = 0;
	char *name = NULL;
	bool found;

	if (!load_rules(web, slug, &name, &rules, &grace_from_us, &err)) {
		if (err.kind == ERROR_MISSING)
			not_beating(reply);
		else
			unavailable(reply, &err);
	} else if (!read_last(web, name, &last, &found, &err)) {
		unavailable(reply, &err);
	} else {
		struct beat_age age = {.freshness = FRESH_NEVER};

		if (found)
			age = beat_age(&rules, &last, &req->now, grace_from_us);
		if (age.answers_200)
			beating(reply, &age);
		else
			not_beating(reply);
	}
	beat_last_clear(&last);
	heartbeat_rules_clear(&rules);
	free(name);
}

void beat_get(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	get(web, req, match->name, reply);
}

void beat_get_default(struct web *web, struct request *req, const struct route_match *match,
	struct reply *reply)
{
	(void)match;
	get(web, req, NULL, reply);
}

void beat_get_root(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	(void)match;
	get(web, req, ROOT_SLUG, reply);
}

/* ---- POST */

/* Does the signature hold under a secret of the heartbeat? With no such heartbeat a key that nobody has
   is tried, for the same time. */
static bool signed_rightly(const struct request *req, const struct heartbeat_rules *rules)
{
	struct sign_headers headers = {
		request_header(req, "X-Hub-Signature"), request_header(req, "X-Hub-Signature-256")};
	struct signature signature;
	struct secret secrets[16];
	size_t i, n = rules->secret_count < COUNT_OF(secrets) ? rules->secret_count : COUNT_OF(secrets);

	if (!sign_parse_headers(&headers, &signature))
		return false;
	for (i = 0; i < n; i++) {
		secrets[i].bytes = (const uint8_t *)rules->secrets[i];
		secrets[i].len = strlen(rules->secrets[i]);
	}
	return sign_verify(&signature, rules->sha256_only, secrets, n, text_str(&req->body), req->body.len);
}

/* What the body could not be, when it did not come whole. */
static void bad_body(struct reply *reply, enum body_status body, const char *slug)
{
	int status = body == BODY_TOO_LARGE ? 413 : body == BODY_SLOW ? 408 : 400;
	struct text why = TEXT_INIT;

	if (body == BODY_TOO_LARGE)
		text_printf(&why, "the body is over %d bytes", REQUEST_BODY_MAX);
	else if (body == BODY_SLOW)
		text_printf(&why, "the body did not come within %d s", REQUEST_BODY_MS / 1000);
	else if (body == BODY_BAD_LENGTH)
		text_raw(&why, "Content-Length is not a number");
	else
		text_raw(&why, "the body is shorter than Content-Length says");
	log_limited("beat-bytes", "beat of \"%s\" refused: %s", slug != NULL ? slug : "", why.ptr);
	reply_error_json(reply, status, "%s", why.ptr);
	text_free(&why);
}

/* Names both clocks, so that whoever reads it sees which one is wrong. */
static void put_refusal(struct text *t, enum beat_verdict verdict, const struct heartbeat_rules *rules,
	const struct beat *beat, int64_t last_time_us, int64_t now_us)
{
	text_raw(t, "time ");
	calendar_put_clock(t, beat->time_us);
	if (verdict == BEAT_NOT_NEWER) {
		text_raw(t, " is not newer than that of the last beat, ");
		calendar_put_clock(t, last_time_us);
		text_raw(t, "; our clock is ");
	} else {
		text_raw(t, " is not within ");
		calendar_put_duration(t, rules->window_ms);
		text_raw(t, " of our clock, ");
	}
	calendar_put_clock(t, now_us);
}

/* At most one refused beat a second is kept for each heartbeat (and process), so that replaying a
   captured one does not become a way to make us write. */
static bool may_keep(const char *slug, int64_t now_us)
{
	static uint32_t last_s[64];
	uint32_t now_s = (uint32_t)(now_us / US_PER_S), hash = 2166136261u;

	for (; *slug != '\0'; slug++)
		hash = (hash ^ (uint8_t)*slug) * 16777619u;
	return __atomic_exchange_n(&last_s[hash % COUNT_OF(last_s)], now_s, __ATOMIC_RELAXED) != now_s;
}

/* Keeps a refused but rightly signed beat for display: a clock stepped back must be diagnosable. */
static void keep_refused(struct inbox *inbox, const char *slug, const struct beat *beat, const char *why,
	const struct moment *now)
{
	struct error err = {ERROR_NONE, ""};
	struct text payload = TEXT_INIT;
	uint64_t id;

	if (!may_keep(slug, now->wall_us))
		return;
	text_printf(&payload, "{\"kind\":\"%s\",\"time\":", beat_kind_name(beat->kind));
	text_json_seconds(&payload, beat->time_us);
	text_raw(&payload, ",\"error\":");
	text_json_string(&payload, why);
	text_raw(&payload, "}");
	if (!inbox_queue_put(inbox, INBOX_REFUSED_BEAT, slug, payload.ptr, payload.len, now, 0, &id, &err))
		log_limited("refused-beat", "a refused beat of \"%s\" could not be kept: %s", slug, err.text);
	text_free(&payload);
}

/* The last step: the beat's own verdict is decided inside the transaction that stores it. */
static void commit(struct web *web, struct request *req, const char *slug,
	const struct heartbeat_rules *rules, const struct beat *beat, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct inbox *inbox = web_inbox_writable(web, &err);
	enum beat_verdict verdict = BEAT_OK;
	int64_t last_time_us = 0;
	struct text why = TEXT_INIT, log = TEXT_INIT;
	bool logged = beat_log_put(&log, beat), stored = false;

	if (inbox != NULL) {
		workers_wait_begin();
		stored = inbox_beat_store_logged(inbox, slug, rules, beat, &req->now, logged ? log.ptr : NULL,
			log.len, &verdict, &last_time_us, &err);
		workers_wait_end();
	}
	text_free(&log);
	if (!stored) {
		unavailable(reply, &err);
		return;
	}
	if (verdict == BEAT_OK) {
		reply->type = TYPE_JSON;
		text_raw(&reply->body, "{\"ok\":true}");
		return;
	}
	put_refusal(&why, verdict, rules, beat, last_time_us, req->now.wall_us);
	log_limited("beat-400", "beat of \"%s\" refused: %s", slug, why.ptr);
	keep_refused(inbox, slug, beat, why.ptr, &req->now);
	reply_error_json(reply, 400, "%s", why.ptr);
	text_free(&why);
}

/* A beat whose body is here. slug NULL: the default heartbeat. */
static void receive(struct web *web, struct request *req, const char *slug, struct beat *beat,
	enum body_status body, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct heartbeat_rules rules;
	struct beat_words words = {TEXT_INIT, TEXT_INIT};
	char *name = NULL;
	const char *why;

	if (!load_rules(web, slug, &name, &rules, NULL, &err) && err.kind != ERROR_MISSING) {
		unavailable(reply, &err);
	} else if (body != BODY_OK) {
		bad_body(reply, body, slug);
	} else if (!signed_rightly(req, &rules)) {
		log_limited("signature", "beat of \"%s\": no or wrong signature, or no such heartbeat",
			slug != NULL ? slug : "");
		reply_error_json(reply, 403, "no or wrong signature, or no such heartbeat");
	} else if ((why = beat_parse_body(&req->body, beat, &words)) != NULL) {
		log_limited("beat-body", "beat of \"%s\" refused: %s", name, why);
		reply_error_json(reply, 400, "%s", why);
	} else {
		commit(web, req, name, &rules, beat, reply);
	}
	beat_words_free(&words);
	heartbeat_rules_clear(&rules);
	free(name);
}

static void take_beat(struct web *web, struct request *req, const char *slug, const char *verb,
	struct reply *reply)
{
	enum body_status body;
	struct beat beat;

	if (!beat_parse_signal(verb, &beat)) {
		reply_error_json(reply, 404, "not found");
		return;
	}
	body = request_body(req, REQUEST_BODY_MAX);
	if (body == BODY_TOO_LARGE)
		bad_body(reply, body, slug);
	else
		receive(web, req, slug, &beat, body, reply);
}

void beat_post(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	take_beat(web, req, match->name, match->verb, reply);
}

void beat_post_default(struct web *web, struct request *req, const struct route_match *match,
	struct reply *reply)
{
	(void)match;
	take_beat(web, req, NULL, "", reply);
}

void beat_post_root(struct web *web, struct request *req, const struct route_match *match,
	struct reply *reply)
{
	(void)match;
	take_beat(web, req, ROOT_SLUG, "", reply);
}
