/* SPDX-License-Identifier: ISC */
/*
 * request: the payload, and one small function for each kind of request.
 */
#include "model/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/mem.h"

static const char *const KIND_NAMES[REQUEST__COUNT] = {
	[REQUEST_ACKNOWLEDGE] = "acknowledge",
	[REQUEST_PAUSE] = "pause",
	[REQUEST_RESUME] = "resume",
	[REQUEST_MAINTENANCE] = "maintenance",
	[REQUEST_NOTE] = "note",
};

const char *request_kind_name(enum request_kind kind)
{
	return (unsigned)kind < REQUEST__COUNT ? KIND_NAMES[kind] : "";
}

bool request_kind_parse(const char *name, enum request_kind *out)
{
	for (unsigned i = 0; i < REQUEST__COUNT; i++) {
		if (strcmp(KIND_NAMES[i], name) == 0) {
			*out = (enum request_kind)i;
			return true;
		}
	}
	return false;
}

void request_clear(struct person_request *request)
{
	free(request->monitor);
	free(request->text);
	*request = (struct person_request){0};
}

/* ---- the payload */

void request_encode(struct text *t, const struct person_request *request)
{
	text_printf(t, "{\"do\":\"%s\",\"monitor\":", request_kind_name(request->kind));
	text_json_string(t, request->monitor);
	if (request->incident != 0)
		text_printf(t, ",\"incident\":%lu", (unsigned long)request->incident);
	if (request->kind == REQUEST_MAINTENANCE) {
		text_raw(t, ",\"for\":");
		text_json_seconds(t, request->for_us);
	}
	if (request->text) {
		text_raw(t, ",\"text\":");
		text_json_string(t, request->text);
	}
	if (request->is_public)
		text_raw(t, ",\"public\":true");
	text_char(t, '}');
}

static char *take_string(const struct json_scan *scan, char *old)
{
	struct text value = TEXT_INIT;
	char *string;

	free(old);
	json_scan_string(scan, &value);
	string = mem_str(text_str(&value)); /* to a NUL inside, where all our strings end */
	text_free(&value);
	return string;
}

struct reading {
	struct person_request *request;
	bool kind_given;
};

/* One reader for each member: false when its value is not of the right kind. The value's token is current. */
static bool read_do(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	char *name;

	if (token != JSON_STRING)
		return false;
	name = take_string(scan, NULL);
	r->kind_given = request_kind_parse(name, &r->request->kind);
	free(name);
	return r->kind_given;
}

static bool read_monitor(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	if (token != JSON_STRING)
		return false;
	r->request->monitor = take_string(scan, r->request->monitor);
	return true;
}

static bool read_incident(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	int64_t id;

	if (token != JSON_NUMBER || !json_scan_i64(scan, &id) || id < 0 || id > UINT32_MAX)
		return false;
	r->request->incident = (uint32_t)id;
	return true;
}

static bool read_for(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	return token == JSON_NUMBER && json_scan_micros(scan, &r->request->for_us);
}

static bool read_text(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	if (token != JSON_STRING)
		return false;
	r->request->text = take_string(scan, r->request->text);
	return true;
}

static bool read_public(const struct json_scan *scan, enum json_token token, struct reading *r)
{
	(void)scan;
	r->request->is_public = token == JSON_TRUE;
	return token == JSON_TRUE || token == JSON_FALSE;
}

static const struct member {
	const char *name;
	bool (*read)(const struct json_scan *scan, enum json_token token, struct reading *r);
} MEMBERS[] = {
	{"do", read_do},
	{"monitor", read_monitor},
	{"incident", read_incident},
	{"for", read_for},
	{"text", read_text},
	{"public", read_public},
};

static const struct member *member_of(const struct json_scan *scan)
{
	for (size_t i = 0; i < COUNT_OF(MEMBERS); i++) {
		if (json_scan_is(scan, MEMBERS[i].name))
			return &MEMBERS[i];
	}
	return NULL;
}

static bool read_members(struct json_scan *scan, struct reading *r, struct error *err)
{
	enum json_token token;

	while ((token = json_scan_next(scan)) == JSON_KEY) {
		const struct member *member = member_of(scan);

		if (!member) {
			if (!json_scan_skip(scan))
				break;
			continue;
		}
		token = json_scan_next(scan);
		if (token == JSON_BAD)
			break;
		if (!member->read(scan, token, r))
			return error_set(err, ERROR_INPUT, "request: bad value of \"%s\"", member->name);
	}
	if (token != JSON_OBJECT_END || json_scan_next(scan) != JSON_DONE)
		return error_set(err, ERROR_INPUT, "request: %s",
			scan->error ? scan->error : "not an object");
	if (!r->kind_given)
		return error_set(err, ERROR_INPUT, "request: \"do\" is missing");
	return true;
}

bool request_decode(const char *payload, size_t n, struct person_request *out, struct error *err)
{
	struct reading reading = {.request = out};
	struct json_scan scan;
	enum word wrong;
	bool ok;

	*out = (struct person_request){0};
	json_scan_init(&scan, payload, n, 0, 8);
	ok = json_scan_next(&scan) == JSON_OBJECT ?
		read_members(&scan, &reading, err) :
		error_set(err, ERROR_INPUT, "request: %s", scan.error ? scan.error : "not an object");
	json_scan_free(&scan);
	wrong = ok ? request_check(out) : WORD_NONE;
	if (wrong != WORD_NONE)
		ok = error_set(err, ERROR_INPUT, "request: %s", word(LANGUAGE_EN, wrong));
	if (!ok)
		request_clear(out);
	return ok;
}

enum word request_check(const struct person_request *request)
{
	size_t length = request->text ? strlen(request->text) : 0;

	if (!request->monitor || !monitor_slug_valid(request->monitor, strlen(request->monitor)))
		return WORD_REQUEST_NO_MONITOR;
	if (length > REQUEST_TEXT_MAX)
		return WORD_REQUEST_TOO_LONG;
	if (request->kind == REQUEST_NOTE && length == 0)
		return WORD_REQUEST_NO_TEXT;
	if (request->kind == REQUEST_NOTE && request->incident == 0)
		return WORD_REQUEST_NO_INCIDENT;
	if (request->kind == REQUEST_MAINTENANCE && request->for_us != 0 &&
		(request->for_us < REQUEST_FOR_MIN_US || request->for_us > REQUEST_FOR_MAX_US))
		return WORD_REQUEST_BAD_LENGTH;
	return WORD_NONE;
}

/* ---- applying */

struct applying {
	const struct person_request *request;
	const char *who;
	int64_t asked_us, now_us;
	const struct request_target *target;
	struct request_effect *effect;
};

/* Adds what a person did to the incident's list. */
static void add_entry(const struct applying *a, enum incident_entry_kind kind)
{
	struct incident_entry *entry;

	if (!a->target->incident)
		return;
	entry = incident_add(a->target->incident, kind, a->asked_us);
	a->effect->incident_changed = true;
	if (!entry)
		return;
	entry->who = mem_str(a->who);
	entry->text = mem_str(a->request->text ? a->request->text : "");
	entry->status = a->request->is_public;
}

static enum word apply_acknowledge(const struct applying *a)
{
	struct judge *judge = a->target->judge;
	struct incident *incident = a->target->incident;

	if (judge->incident == 0 || (a->request->incident != 0 && a->request->incident != judge->incident))
		return WORD_REQUEST_INCIDENT_OVER;
	if (judge->marks & MARK_ACKNOWLEDGED)
		return WORD_NONE;
	judge->marks |= MARK_ACKNOWLEDGED;
	a->effect->verdict.dirty = true;
	if (incident) {
		incident->acknowledged_us = a->asked_us;
		free(incident->acknowledged_by);
		incident->acknowledged_by = mem_str(a->who);
	}
	add_entry(a, ENTRY_ACKNOWLEDGED);
	return WORD_NONE;
}

static enum word apply_pause(const struct applying *a)
{
	a->target->judge->paused_by_hand = true;
	a->effect->verdict = judge_pause(a->target->judge, true, a->now_us);
	a->effect->verdict.dirty = true;
	return WORD_NONE;
}

static enum word apply_resume(const struct applying *a)
{
	a->target->judge->paused_by_hand = false;
	a->effect->verdict.dirty = true;
	if (a->target->paused_by_config)
		return WORD_REQUEST_PAUSED_BY_CONFIG;
	a->effect->verdict = judge_pause(a->target->judge, false, a->now_us);
	a->effect->verdict.dirty = true;
	return WORD_NONE;
}

static enum word apply_maintenance(const struct applying *a)
{
	struct judge *judge = a->target->judge;
	bool ends = a->request->for_us == 0, due;

	judge->maintenance_until_us = ends ? 0 : a->asked_us + a->request->for_us;
	due = judge_maintenance_due(judge, a->target->window_active, a->now_us);
	a->effect->verdict = judge_maintenance(judge, due, a->now_us);
	a->effect->verdict.dirty = true;
	return ends && due ? WORD_REQUEST_WINDOW_ACTIVE : WORD_NONE;
}

static enum word apply_note(const struct applying *a)
{
	if (a->target->incident && a->target->incident->id != a->request->incident)
		return WORD_REQUEST_NO_INCIDENT;
	add_entry(a, ENTRY_NOTE);
	return WORD_NONE;
}

struct request_effect request_apply(const struct person_request *request, const char *who, int64_t asked_us,
	const struct request_target *target, int64_t now_us)
{
	static enum word (*const APPLY[REQUEST__COUNT])(const struct applying *) = {
		[REQUEST_ACKNOWLEDGE] = apply_acknowledge,
		[REQUEST_PAUSE] = apply_pause,
		[REQUEST_RESUME] = apply_resume,
		[REQUEST_MAINTENANCE] = apply_maintenance,
		[REQUEST_NOTE] = apply_note,
	};
	struct request_effect effect = {.refused = WORD_NONE,
		.verdict = {.from = target->judge->decided, .to = target->judge->decided}};
	struct applying applying = {request, who, asked_us, now_us, target, &effect};

	effect.refused = request_check(request);
	if (effect.refused == WORD_NONE)
		effect.refused = APPLY[request->kind](&applying);
	return effect;
}
