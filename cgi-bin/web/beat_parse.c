/* SPDX-License-Identifier: ISC */
/*
 * Signals and bodies of beats. See beat_parse.h.
 */
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"
#include "web/beat_parse.h"

#define DEPTH_MAX 64 /* of what a client sends beside what we read */

void beat_words_free(struct beat_words *words)
{
	text_free(&words->msg);
	text_free(&words->rid);
}

/* ---- job signals */

bool beat_parse_signal(const char *verb, struct beat *beat)
{
	static const struct {
		const char *verb;
		enum beat_kind kind;
	} rows[] = {{"", BEAT_SUCCESS}, {"start", BEAT_START}, {"fail", BEAT_FAIL}, {"log", BEAT_LOG}};
	uint64_t status;
	size_t i;

	memset(beat, 0, sizeof(*beat));
	beat->exit_status = -1;
	beat->length_us = -1;
	for (i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].verb, verb) == 0) {
			beat->kind = rows[i].kind;
			return true;
		}
	if (!text_to_u64(verb, &status) || status > 255)
		return false;
	beat->kind = status == 0 ? BEAT_SUCCESS : BEAT_FAIL;
	beat->exit_status = (int)status;
	return true;
}

/* ---- bodies */

/* One known member of the object; the scanner stands on its value. NULL, or why it is refused. */
static const char *take_member(struct json_scan *s, const char *key, enum json_token token, struct beat *beat,
	struct beat_words *words)
{
	if (strcmp(key, "time") == 0) {
		beat->has_time = token == JSON_NUMBER && json_scan_micros(s, &beat->time_us);
		return beat->has_time ? NULL : "\"time\" must be a number of seconds since 1970";
	}
	if (strcmp(key, "msg") == 0) {
		if (token != JSON_STRING)
			return "\"msg\" must be a string";
		json_scan_string(s, &words->msg);
		beat->msg = text_str(&words->msg);
		return NULL;
	}
	if (strcmp(key, "rid") == 0) {
		if (token != JSON_STRING)
			return "\"rid\" must be a string";
		json_scan_string(s, &words->rid);
		beat->rid = text_str(&words->rid);
		return words->rid.len <= BEAT_RID_MAX ? NULL : "\"rid\" is too long";
	}
	if (strcmp(key, "length") == 0 && token == JSON_NUMBER) {
		if (!json_scan_micros(s, &beat->length_us) || beat->length_us < 0)
			beat->length_us = -1;
	}
	return NULL;
}

const char *beat_parse_body(const struct text *body, struct beat *beat, struct beat_words *words)
{
	struct json_scan s;
	const char *why = NULL;
	enum json_token token;
	struct text key = TEXT_INIT;

	json_scan_init(&s, text_str(body), body->len, 0, DEPTH_MAX);
	token = json_scan_next(&s);
	if (token != JSON_OBJECT)
		why = token == JSON_BAD ? s.error : "the body must be a JSON object";
	while (why == NULL && (token = json_scan_next(&s)) == JSON_KEY) {
		text_clear(&key);
		json_scan_string(&s, &key);
		token = json_scan_next(&s);
		if (token == JSON_BAD)
			break;
		/* A name with a NUL in it is none of ours, whatever C makes of it. */
		if (key.len == strlen(text_str(&key)))
			why = take_member(&s, text_str(&key), token, beat, words);
		if (why == NULL && (token == JSON_OBJECT || token == JSON_ARRAY) && !json_scan_skip(&s))
			token = JSON_BAD;
		if (token == JSON_BAD)
			break;
	}
	if (why == NULL && token == JSON_OBJECT_END)
		token = json_scan_next(&s);
	if (why == NULL && token != JSON_DONE)
		why = s.error != NULL ? s.error : "the body is not as described";
	if (why == NULL && !beat->has_time)
		why = "\"time\" is missing";
	json_scan_free(&s);
	text_free(&key);
	return why;
}
