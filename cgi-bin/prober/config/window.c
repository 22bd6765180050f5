/* SPDX-License-Identifier: ISC */
/*
 * window: "maintenance" entries. Each is a text as model/window reads it, or an object that says the
 * same in pieces; what is published is always the text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/window.h"
#include "prober/config/reading.h"

/* The ways of saying it in pieces: which keys, and what comes before each in the text. */
static const struct {
	const char *first, *second;
	const char *before_first, *before_second;
} shapes[] = {
	{"from", "to", "", " to "},
	{"from", "for", "", " for "},
	{"cron", "for", "cron ", " for "},
	{"days", "hours", "", " "},
	{"hours", NULL, "", ""},
	{"when", NULL, "", ""},
};

static const char *piece(const cJSON *object, const char *key)
{
	return key ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)) : NULL;
}

/* The first shape that is complete, else the first that is begun: then window_parse() says what is missing. */
static int find_shape(const cJSON *object)
{
	int begun = -1;

	for (int i = 0; i < (int)COUNT_OF(shapes); i++) {
		if (!piece(object, shapes[i].first))
			continue;
		if (!shapes[i].second || piece(object, shapes[i].second))
			return i;
		if (begun < 0)
			begun = i;
	}
	return begun;
}

static void put_object(const cJSON *object, struct text *out)
{
	const char *zone = piece(object, "timezone"), *second;
	int i = find_shape(object);

	if (i < 0)
		return;
	text_raw(out, shapes[i].before_first);
	text_raw(out, piece(object, shapes[i].first));
	second = piece(object, shapes[i].second);
	if (second)
		text_printf(out, "%s%s", shapes[i].before_second, second);
	if (zone)
		text_printf(out, " in %s", zone);
}

static void put_entry(const cJSON *entry, struct text *out)
{
	if (cJSON_IsString(entry))
		text_raw(out, entry->valuestring);
	else
		put_object(entry, out);
}

void windows_check(struct reading *r, const cJSON *value)
{
	const cJSON *entry = NULL;

	while (value && (entry = field_entry(value, entry))) {
		const struct place *place = place_of(r, entry);
		struct text text = TEXT_INIT;
		struct window window;
		const char *why;

		put_entry(entry, &text);
		if (place && !place->failed && (cJSON_IsString(entry) || cJSON_IsObject(entry)) &&
			!window_parse(text_str(&text), NULL, &window, &why))
			mistake_at(r, entry, AT_VALUE, "this is no maintenance window: %s", why);
		text_free(&text);
	}
}

char **windows_build(const cJSON *value, size_t *n)
{
	const cJSON *entry = NULL;
	char **out = NULL;

	*n = 0;
	while (value && (entry = field_entry(value, entry))) {
		struct text text = TEXT_INIT;

		put_entry(entry, &text);
		out = mem_grow(out, *n + 1, sizeof(out[0]));
		out[(*n)++] = text_take(&text);
	}
	return out;
}
