/* SPDX-License-Identifier: ISC */
/* sighting: one table of members, which writing, reading and freeing walk. */
#include "model/sighting.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"

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
	text_printf(t, "{\"sees\":\"%s\"", outcome_name(sighting->sees));
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

static bool read_sees(const struct json_scan *scan, enum json_token token, enum outcome *out)
{
	*out = json_scan_is(scan, "up") ? OUTCOME_UP : OUTCOME_DOWN;
	return token == JSON_STRING && (json_scan_is(scan, "up") || json_scan_is(scan, "down"));
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
	return read_sees(scan, token, &out->sees);
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
	if (!out->from || out->sees == OUTCOME_UNKNOWN)
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
	for (size_t i = 0; i < monitor->source_count; i++) {
		const struct monitor_source *source = &monitor->sources[i];

		if (strcmp(source->from, sighting->from) == 0 &&
			(is_called(sighting->name, source->name) ||
				is_called(sighting->id, source->name) ||
				is_called(sighting->url, source->name)))
			return true;
	}
	return false;
}

bool sightings_take(struct sighting **list, size_t *n, struct sighting *news)
{
	size_t i = 0;

	while (i < *n && strcmp((*list)[i].from, news->from) != 0)
		i++;
	if (i == SIGHTINGS_MAX)
		return false;
	if (i < *n && news->told_us && news->told_us < (*list)[i].told_us)
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

void sightings_note(struct text *t, uint32_t monitor_id)
{
	text_printf(t, "places/%u", monitor_id);
}
