/* SPDX-License-Identifier: ISC */
/* sighting: one table of members, which writing, reading and freeing walk. */
#include "model/sighting.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"

#define TOLD_AHEAD_MAX_US (86400 * INT64_C(1000000))

const char *const sighting_services[] = {"uptimerobot", "statuscake", "pingdom", NULL};

bool sighting_service(const char *name)
{
	for (size_t i = 0; sighting_services[i]; i++)
		if (strcmp(sighting_services[i], name) == 0)
			return true;
	return false;
}

/* ---- members */

static const struct words {
	const char *name;
	size_t at; /* of a char * */
} WORDS[] = {
	{"from", offsetof(struct sighting, from)},
	{"id", offsetof(struct sighting, id)},
	{"name", offsetof(struct sighting, name)},
	{"url", offsetof(struct sighting, url)},
	{"detail", offsetof(struct sighting, detail)},
};
static const struct time_member {
	const char *name;
	size_t at; /* of an int64_t, microseconds */
} TIMES[] = {
	{"told", offsetof(struct sighting, told_us)},
	{"heard", offsetof(struct sighting, heard_us)},
};

static char **words_of(const struct sighting *s, size_t i)
{
	return (char **)(void *)((char *)(uintptr_t)s + WORDS[i].at);
}

static int64_t *time_of(const struct sighting *s, size_t i)
{
	return (int64_t *)(void *)((char *)(uintptr_t)s + TIMES[i].at);
}

void sighting_clear(struct sighting *sighting)
{
	for (size_t i = 0; i < COUNT_OF(WORDS); i++)
		free(*words_of(sighting, i));
	*sighting = (struct sighting){0};
}

void sightings_free(struct sighting *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sighting_clear(&list[i]);
	free(list);
}

/* ---- writing */

void sighting_encode(struct text *t, const struct sighting *sighting)
{
	text_printf(t, "{\"sees\":\"%s\"", sighting->unread ? "nothing" : outcome_name(sighting->sees));
	for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
		const char *value = *words_of(sighting, i);

		if (!value)
			continue;
		text_printf(t, ",\"%s\":", WORDS[i].name);
		text_json_string(t, value);
	}
	for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
		if (!*time_of(sighting, i))
			continue;
		text_printf(t, ",\"%s\":", TIMES[i].name);
		text_json_seconds(t, *time_of(sighting, i));
	}
	text_char(t, '}');
}

void sightings_encode(struct text *t, const struct sighting *list, size_t n)
{
	text_char(t, '[');
	for (size_t i = 0; i < n; i++) {
		text_raw(t, i ? "," : "");
		sighting_encode(t, &list[i]);
	}
	text_char(t, ']');
}

/* ---- reading */

static bool read_words(const struct json_scan *scan, enum json_token token, char **out)
{
	struct text value = TEXT_INIT;

	if (token != JSON_STRING)
		return false;
	json_scan_string(scan, &value);
	free(*out);
	*out = mem_strn(text_str(&value),
		text_utf8_fit(text_str(&value), strlen(text_str(&value)), SIGHTING_WORDS_MAX));
	text_free(&value);
	return true;
}

static bool read_sees(const struct json_scan *scan, enum json_token token, struct sighting *out)
{
	if (token != JSON_STRING)
		return false;
	out->unread = json_scan_is(scan, "nothing");
	out->sees = json_scan_is(scan, "up")     ? OUTCOME_UP
		    : json_scan_is(scan, "down") ? OUTCOME_DOWN
						 : OUTCOME_UNKNOWN;
	return out->unread || out->sees != OUTCOME_UNKNOWN;
}

/* The value of the current key; false when it is not of the right kind, or bad. */
static bool read_member(struct json_scan *scan, struct sighting *out)
{
	bool sees = json_scan_is(scan, "sees");
	char **words = NULL;
	int64_t *time = NULL;
	enum json_token token;

	for (size_t i = 0; i < COUNT_OF(WORDS); i++)
		if (json_scan_is(scan, WORDS[i].name))
			words = words_of(out, i);
	for (size_t i = 0; i < COUNT_OF(TIMES); i++)
		if (json_scan_is(scan, TIMES[i].name))
			time = time_of(out, i);
	if (!sees && !words && !time)
		return json_scan_skip(scan);
	token = json_scan_next(scan);
	if (words)
		return read_words(scan, token, words);
	if (time)
		return token == JSON_NUMBER && json_scan_micros(scan, time);
	return read_sees(scan, token, out);
}

/* An object whose JSON_OBJECT was just read. */
static bool read_object(struct json_scan *scan, struct sighting *out, struct error *err)
{
	enum json_token token;

	while ((token = json_scan_next(scan)) == JSON_KEY)
		if (!read_member(scan, out))
			return error_set(err, ERROR_INPUT, "sighting: %s",
				scan->error ? scan->error : "a wrong kind of value");
	if (token != JSON_OBJECT_END)
		return error_set(err, ERROR_INPUT, "sighting: %s",
			scan->error ? scan->error : "not an object");
	if (!out->from || (out->sees == OUTCOME_UNKNOWN && !out->unread))
		return error_set(err, ERROR_INPUT, "sighting: \"from\" or \"sees\" is missing");
	return true;
}

bool sighting_decode(const char *json, size_t n, struct sighting *out, struct error *err)
{
	struct json_scan scan;
	bool ok;

	*out = (struct sighting){0};
	json_scan_init(&scan, json, n, 0, 8);
	ok = json_scan_next(&scan) == JSON_OBJECT
		     ? read_object(&scan, out, err)
		     : error_set(err, ERROR_INPUT, "sighting: not an object");
	if (ok && json_scan_next(&scan) != JSON_DONE)
		ok = error_set(err, ERROR_INPUT, "sighting: %s",
			scan.error ? scan.error : "more than one");
	json_scan_free(&scan);
	if (!ok)
		sighting_clear(out);
	return ok;
}

bool sightings_decode(
	const char *json, size_t n, struct sighting **list, size_t *count, struct error *err)
{
	struct json_scan scan;
	enum json_token token;
	bool ok = true;

	*list = mem_array(SIGHTINGS_MAX, sizeof(**list));
	*count = 0;
	json_scan_init(&scan, json, n, 0, 8);
	token = json_scan_next(&scan);
	while (ok && token == JSON_ARRAY && *count < SIGHTINGS_MAX &&
		json_scan_next(&scan) == JSON_OBJECT)
		ok = read_object(&scan, &(*list)[(*count)++], err);
	if (ok && (token != JSON_ARRAY || scan.error || json_scan_next(&scan) != JSON_DONE))
		ok = error_set(err, ERROR_INPUT, "sightings: %s",
			scan.error ? scan.error : "not a list of objects");
	json_scan_free(&scan);
	if (!ok) {
		sightings_free(*list, *count);
		*list = NULL;
		*count = 0;
	}
	return ok;
}

/* ---- whose, and which is newest */

static bool is_called(const char *called, const char *name)
{
	return called && strcmp(called, name) == 0;
}

bool sighting_is_of(const struct sighting *sighting, const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->source_count && !sighting->unread; i++) {
		const struct monitor_source *source = &monitor->sources[i];

		if (strcmp(source->from, sighting->from) == 0 &&
			(is_called(sighting->name, source->name) ||
				is_called(sighting->id, source->name) ||
				is_called(sighting->url, source->name)))
			return true;
	}
	return false;
}

/* By the place's own clock; but a time that was far ahead of ours when it came does not shut it up. */
static bool came_late(const struct sighting *news, const struct sighting *last)
{
	return news->told_us && news->told_us < last->told_us &&
	       last->told_us <= last->heard_us + TOLD_AHEAD_MAX_US;
}

bool sightings_take(struct sighting **list, size_t *n, struct sighting *news)
{
	size_t i = 0;

	while (i < *n && strcmp((*list)[i].from, news->from) != 0)
		i++;
	if (i == SIGHTINGS_MAX)
		return false;
	if (i < *n && came_late(news, &(*list)[i]))
		return false;
	if (i == *n) {
		*list = mem_grow(*list, *n + 1, sizeof(**list));
		(*list)[(*n)++] = (struct sighting){0};
	}
	sighting_clear(&(*list)[i]);
	(*list)[i] = *news;
	*news = (struct sighting){0};
	return true;
}

/* ---- strangers */

static const char *called(const struct sighting *s)
{
	return s->name ? s->name : s->id ? s->id : s->url ? s->url : "";
}

void sighting_strange(struct text *t, const struct sighting *stranger)
{
	if (stranger->unread)
		text_printf(t, "a message of %s cannot be understood: %s: \"%s\"", stranger->from,
			stranger->detail ? stranger->detail : "?", called(stranger));
	else
		text_printf(t, "%s reports \"%s\", which no monitor has among its sources", stranger->from,
			called(stranger));
}

static bool says_the_same(const struct sighting *a, const struct sighting *b)
{
	return strcmp(a->from, b->from) == 0 && a->unread == b->unread && strcmp(called(a), called(b)) == 0;
}

bool sightings_strange_take(struct sighting **list, size_t *n, struct sighting *news)
{
	struct sighting *made = mem_array(SIGHTINGS_STRANGE_MAX, sizeof(*made));
	size_t count = 1;
	bool is_new = true;

	made[0] = *news;
	*news = (struct sighting){0};
	for (size_t i = 0; i < *n; i++) {
		struct sighting *old = &(*list)[i];
		bool same = says_the_same(old, &made[0]);

		is_new = is_new && !same;
		if (count < SIGHTINGS_STRANGE_MAX && !same &&
			old->heard_us > made[0].heard_us - SIGHTINGS_STRANGE_US)
			made[count++] = *old;
		else
			sighting_clear(old);
	}
	free(*list);
	*list = made;
	*n = count;
	return is_new;
}

void sightings_note(struct text *t, uint32_t monitor_id)
{
	text_printf(t, "places/%u", monitor_id);
}
