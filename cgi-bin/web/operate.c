/* SPDX-License-Identifier: ISC */
/* operate: a POST -> a checked request -> the inbox's queue. */
#include "web/operate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/csrf.h"
#include "web/page.h"

#define BODY_MAX (16 * 1024)

/* What came of it. */
enum outcome_kind { MISSING, DONE, BAD_BODY, STALE_FORM, NOT_ALLOWED, REFUSED, NOT_STORED };
struct asked {
	enum outcome_kind kind;
	enum word refused; /* REFUSED: the sentence that says why */
	uint64_t id; /* DONE: in the queue */
	struct error err; /* BAD_BODY, NOT_STORED */
};

/* ---- reading what is asked */

static bool is_json(const struct request *req)
{
	const char *type = request_env(req, "CONTENT_TYPE");

	return type && strncmp(type, "application/json", 16) == 0;
}

/* "7200" (seconds) or "2h"; false when it is neither. */
static bool read_length(const char *s, int64_t *us)
{
	int64_t number;

	if (text_to_i64(s, &number) && number >= 0 && number <= REQUEST_FOR_MAX_US / US_PER_S) {
		*us = number * US_PER_S;
		return true;
	}
	if (!calendar_parse_duration(s, &number) || number > REQUEST_FOR_MAX_US / US_PER_MS)
		return false;
	*us = number * US_PER_MS;
	return true;
}

static char *form_text(const struct request *req)
{
	char *text = request_form(req, "text");

	if (text && *text)
		return text;
	free(text);
	return NULL;
}

static bool read_form(const struct request *req, struct person_request *out, struct error *err)
{
	char *length = request_form(req, "for"), *incident = request_form(req, "incident");
	char *is_public = request_form(req, "public");
	uint64_t id = 0;
	bool ok = true;

	if (length && *length && !read_length(length, &out->for_us))
		ok = error_set(err, ERROR_INPUT, "\"for\" must be a length of time: 7200 (seconds) or 2h");
	if (incident && *incident && (!text_to_u64(incident, &id) || id > UINT32_MAX))
		ok = error_set(err, ERROR_INPUT, "\"incident\" must be the number of an incident");
	out->incident = (uint32_t)id;
	out->is_public = is_public && strcmp(is_public, "0") != 0 && *is_public;
	out->text = form_text(req);
	free(length);
	free(incident);
	free(is_public);
	return ok;
}

/* A JSON body has the members of a queued request; "do" and "monitor" are in the address. They are put before
   the others, so a body that names them again is refused as one with doubled keys. */
static bool read_json(const struct request *req, const char *slug, enum request_kind kind,
	struct person_request *out, struct error *err)
{
	const char *body = text_str(&req->body), *rest;
	struct text payload = TEXT_INIT;
	bool ok;

	body += strspn(body, " \t\r\n");
	if (*body != '{' || strlen(text_str(&req->body)) != req->body.len)
		return error_set(err, ERROR_INPUT, "the body must be a JSON object");
	rest = body + 1 + strspn(body + 1, " \t\r\n");
	text_printf(&payload, "{\"do\":\"%s\",\"monitor\":", request_kind_name(kind));
	text_json_string(&payload, slug);
	text_raw(&payload, *rest == '}' ? "" : ",");
	text_raw(&payload, rest);
	ok = request_decode(payload.ptr, payload.len, out, err);
	text_free(&payload);
	return ok;
}

static bool read_asked(const struct request *req, const char *slug, enum request_kind kind,
	struct person_request *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (is_json(req) && req->body.len)
		return read_json(req, slug, kind, out, err);
	out->kind = kind;
	out->monitor = mem_str(slug);
	return read_form(req, out, err);
}

/* ---- checking it against what is */

/* Tries it on copies. WORD_NONE: it can be done. */
static enum word try_it(const struct view *view, const struct view_monitor *m,
	const struct person_request *request, struct error *err)
{
	struct monitor monitor = {0};
	struct incident incident = {0};
	struct judge judge;
	struct request_target target = {.judge = &judge};
	enum word refused = WORD_UNAVAILABLE_HELP;

	if (!view_details(view, m, &monitor, &judge, NULL, err))
		return refused;
	if (request->incident &&
		(!state_incident(view->txn, request->incident, &incident, err) ||
			incident.monitor_id != m->listed->id)) {
		refused = WORD_REQUEST_NO_INCIDENT;
	} else {
		target.incident = incident.id ? &incident : NULL;
		target.paused_by_config = monitor.paused;
		refused =
			request_apply(request, view->asker.name, view->now_us, &target, view->now_us).refused;
	}
	incident_clear(&incident);
	monitor_clear(&monitor);
	return refused;
}

static void enqueue(struct web *web, const struct view *view, const struct request *req,
	const struct person_request *request, struct asked *asked)
{
	struct inbox *inbox = web_inbox_writable(web, &asked->err);
	struct text payload = TEXT_INIT;
	uint64_t seen = 0;

	asked->kind = NOT_STORED;
	request_encode(&payload, request);
	if (inbox && state_inbox_seen(view->txn, &seen, &asked->err) &&
		inbox_queue_put(inbox, INBOX_REQUEST, view->asker.name, payload.ptr, payload.len, &req->now,
			seen, &asked->id, &asked->err))
		asked->kind = DONE;
	else
		log_limited("operate", "a request could not be stored: %s", asked->err.text);
	text_free(&payload);
}

/* People prove that it was their own form; a key is proof in itself. */
static bool is_meant(const struct view *view, const struct request *req)
{
	const char *header = request_header(req, "X-Csrf-Token");
	char *field;
	bool good;

	if (view->asker.kind == ASKER_KEY)
		return true;
	field = header ? mem_str(header) : request_form(req, "csrf");
	good = csrf_good(view, req, field);
	free(field);
	return good;
}

static void ask(struct web *web, const struct view *view, struct request *req,
	const struct route_match *match, struct asked *asked, uint32_t *incident)
{
	const struct view_monitor *m = view_find(view, match->name);
	struct person_request request = {0};
	enum request_kind kind;

	if (!view->asker.operates || !view->asker.name)
		asked->kind = NOT_ALLOWED;
	else if (!is_meant(view, req))
		asked->kind = STALE_FORM;
	else if (!m || !request_kind_parse(match->verb, &kind))
		asked->kind = MISSING;
	else if (!read_asked(req, match->name, kind, &request, &asked->err))
		asked->kind = BAD_BODY;
	else if ((asked->refused = try_it(view, m, &request, &asked->err)) != WORD_NONE)
		asked->kind = REFUSED;
	else
		enqueue(web, view, req, &request, asked);
	*incident = request.kind == REQUEST_NOTE ? request.incident : 0;
	request_clear(&request);
}

static bool read_body(struct request *req, struct reply *reply)
{
	switch (request_body(req, BODY_MAX)) {
	case BODY_OK:
		return true;
	case BODY_TOO_LARGE:
		reply_error_json(reply, 413, "the body is over %d bytes", BODY_MAX);
		return false;
	default:
		reply_error_json(reply, 400, "the body did not arrive whole");
		return false;
	}
}

/* ---- answers */

void operate_api(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct asked asked = {0};
	struct view view;
	uint32_t incident;

	if (!read_body(req, reply) || !api_view(&view, web, req, reply))
		return;
	ask(web, &view, req, match, &asked, &incident);
	view_close(&view);
	switch (asked.kind) {
	case DONE:
		reply->status = 202;
		reply->type = TYPE_JSON;
		text_printf(&reply->body, "{\"ok\":true,\"id\":%" PRIu64 "}\n", asked.id);
		break;
	case BAD_BODY:
		api_problem(reply, 400, "%s", asked.err.text);
		break;
	case STALE_FORM:
		api_problem(reply, 403, "%s", word(LANGUAGE_EN, WORD_REQUEST_STALE));
		break;
	case NOT_ALLOWED:
		api_problem(reply, 403, "%s", word(LANGUAGE_EN, WORD_REQUEST_REFUSED));
		break;
	case MISSING:
		api_missing(reply);
		break;
	case REFUSED:
		api_problem(reply, 409, "%s", word(LANGUAGE_EN, asked.refused));
		break;
	case NOT_STORED:
		api_problem(reply, 503, "It could not be stored now.");
		reply_header(reply, "Retry-After", "60");
		break;
	}
}

/* Back to the page that it is about; nothing of the address comes from the request but a checked slug. */
static void redirect(struct request *req, struct reply *reply, const char *slug, uint32_t incident)
{
	struct text location = TEXT_INIT;
	char *base = page_base(req);

	text_raw(&location, base);
	if (incident)
		text_printf(&location, "/i/%u", incident);
	else
		text_printf(&location, "/m/%s", slug);
	reply->status = 303;
	reply->type = NULL;
	reply_header(reply, "Location", text_str(&location));
	text_free(&location);
	free(base);
}

void operate_form(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct asked asked = {0};
	struct error err = {0};
	struct view view;
	uint32_t incident;

	if (!read_body(req, reply))
		return;
	if (!view_open(&view, web, req, &err)) {
		page_plain(req, reply, 503, WORD_UNAVAILABLE, WORD_UNAVAILABLE_HELP);
		return;
	}
	ask(web, &view, req, match, &asked, &incident);
	view_close(&view);
	switch (asked.kind) {
	case DONE:
		redirect(req, reply, match->name, incident);
		break;
	case BAD_BODY:
		page_plain(req, reply, 400, WORD_BAD_REQUEST, WORD_REQUEST_BAD_LENGTH);
		break;
	case STALE_FORM:
		page_plain(req, reply, 403, WORD_FORBIDDEN, WORD_REQUEST_STALE);
		break;
	case NOT_ALLOWED:
		page_plain(req, reply, 403, WORD_FORBIDDEN, WORD_REQUEST_REFUSED);
		break;
	case MISSING:
		page_plain(req, reply, 404, WORD_NOT_FOUND, WORD_NOT_FOUND_HELP);
		break;
	case REFUSED:
		page_plain(req, reply, 409, WORD_FORBIDDEN, asked.refused);
		break;
	case NOT_STORED:
		page_plain(req, reply, 503, WORD_UNAVAILABLE, WORD_UNAVAILABLE_HELP);
		break;
	}
}
