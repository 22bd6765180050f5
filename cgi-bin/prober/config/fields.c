/* SPDX-License-Identifier: ISC */
/*
 * fields: objects against rows. Whatever a row promises is held here, for monitors, channels and the
 * top alike: unknown keys with the nearest valid name, missing ones, types and ranges, inner rows, secrets,
 * and http:// where it is spoken over a network.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/config/reading.h"

/* Room for whatever a row keeps. */
union scratch {
	char *string;
	struct strings strings;
	struct map map;
	struct ints ints;
	int64_t number;
	bool truth;
};

static void warn_plain_http(struct reading *r, const cJSON *value, const char *prefix)
{
	if (cJSON_IsString(value) && strncasecmp(value->valuestring, "http://", 7) == 0 &&
		!address_names_loopback(value->valuestring + 7))
		warning_at(r, value, AT_VALUE, "%shttp:// to another host can be read and changed on the way",
			prefix);
}

/* ---- values with inner rows */

static void inner_named(struct reading *r, const struct field *field, const cJSON *value, const char *what)
{
	const struct rows rows = {field->inner, field->inner_count};
	const cJSON *item;

	cJSON_ArrayForEach(item, value) {
		struct text name = TEXT_INIT;

		text_printf(
			&name, "%s%s\"%s\" in \"%s\"", what, *what ? ": " : "", item->string, field->name);
		if (cJSON_IsObject(item))
			object_check(r, item, NULL, &rows, 1, text_str(&name));
		else
			mistake_at(r, item, AT_VALUE, "%s must be an object: {...}", text_str(&name));
		text_free(&name);
	}
}

static void inner_entries(struct reading *r, const struct field *field, const cJSON *value, const char *what)
{
	const struct rows rows = {field->inner, field->inner_count};
	struct text name = TEXT_INIT;

	text_printf(&name, "%s%s\"%s\"", what, *what ? ": " : "", field->name);
	for (const cJSON *item = field_entry(value, NULL); item; item = field_entry(value, item)) {
		if (cJSON_IsObject(item))
			object_check(r, item, NULL, &rows, 1, text_str(&name));
		else if (!cJSON_IsString(item) || !item->valuestring[0])
			mistake_at(r, item, AT_VALUE, "%s: each entry must be a string or an object",
				text_str(&name));
	}
	text_free(&name);
}

static void inner_group(struct reading *r, const struct field *field, const cJSON *value, const char *what)
{
	const struct rows rows = {field->inner, field->inner_count};
	struct text name = TEXT_INIT;

	text_printf(&name, "%s%s\"%s\"", what, *what ? ": " : "", field->name);
	object_check(r, value, NULL, &rows, 1, text_str(&name));
	text_free(&name);
}

static void inner_check(struct reading *r, const struct field *field, const cJSON *value, const char *what)
{
	if (!field->inner)
		return;
	if (field->type == FIELD_NAMED)
		inner_named(r, field, value, what);
	else if (field->type == FIELD_ENTRIES)
		inner_entries(r, field, value, what);
	else
		inner_group(r, field, value, what);
}

/* ---- one value */

static bool value_read(struct reading *r, const struct field *field, const cJSON *value, const char *prefix)
{
	union scratch scratch;
	struct text why = TEXT_INIT;
	bool good;

	memset(&scratch, 0, sizeof(scratch));
	if (field->type >= FIELD_GROUP && !field->valid)
		good = field_fits(field, value, &why); /* 10,000 monitors need not be printed for this */
	else if ((good = field_read(field, value, &scratch, &why)))
		field_clear(field, &scratch);
	if (!good)
		mistake_at(r, value, AT_VALUE, "%s%s", prefix, text_str(&why));
	text_free(&why);
	return good;
}

bool value_check(struct reading *r, const struct field *field, cJSON *value, const char *what)
{
	struct text prefix = TEXT_INIT;
	struct place *place = place_of(r, value);
	size_t before = r->error_count;
	bool resolved;

	text_printf(&prefix, "%s%s\"%s\" ", what, *what ? ": " : "", field->name);
	resolved = !field_is_secret(field) || secret_resolve(r, field, value, text_str(&prefix));
	if (resolved && value_read(r, field, value, text_str(&prefix))) {
		if (field->type == FIELD_URL)
			warn_plain_http(r, value, text_str(&prefix));
		inner_check(r, field, value, what);
	}
	text_free(&prefix);
	if (place && r->error_count != before)
		place->failed = true;
	return r->error_count == before;
}

/* ---- a whole object */

static const struct field *rows_find(const struct rows *rows, size_t row_sets, const char *name)
{
	for (size_t i = 0; i < row_sets; i++) {
		const struct field *field = fields_find(rows[i].fields, rows[i].n, name);

		if (field)
			return field;
	}
	return NULL;
}

const char *rows_nearest(const struct rows *rows, size_t row_sets, const char *name)
{
	const char **names;
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < row_sets; i++)
		n += rows[i].n;
	names = mem_array(n + 1, sizeof(names[0]));
	n = 0;
	for (size_t i = 0; i < row_sets; i++)
		for (size_t j = 0; j < rows[i].n; j++)
			names[n++] = rows[i].fields[j].name;
	nearest = text_nearest(name, names, n);
	free(names);
	return nearest;
}

void unknown_key(struct reading *r, const cJSON *item, const char *nearest, const char *what)
{
	mistake_at(r, item, AT_KEY, "%s%sunknown key \"%s\"%s%s%s", what, *what ? ": " : "", item->string,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static void check_required(struct reading *r, const cJSON *object, const cJSON *others,
	const struct rows *rows, const char *what)
{
	for (size_t i = 0; i < rows->n; i++) {
		const char *name = rows->fields[i].name;

		if (rows->fields[i].required && !cJSON_GetObjectItemCaseSensitive(object, name) &&
			!cJSON_GetObjectItemCaseSensitive(others, name))
			mistake_at(r, object, AT_KEY, "%s%s\"%s\" is missing", what, *what ? ": " : "", name);
	}
}

/* A default is checked against the row of each type that it is used with; what is wrong with it in any case
   was said when the defaults were checked. */
static void check_others(struct reading *r, const cJSON *object, const cJSON *others, const struct rows *rows,
	const char *what)
{
	cJSON *value;

	cJSON_ArrayForEach(value, others) {
		const struct field *field = fields_find(rows->fields, rows->n, value->string);
		const struct place *place = place_of(r, value);

		if (field && place && !place->failed &&
			!cJSON_GetObjectItemCaseSensitive(object, value->string))
			value_check(r, field, value, what);
	}
}

void object_check(struct reading *r, const cJSON *object, const cJSON *others, const struct rows *rows,
	size_t row_sets, const char *what)
{
	cJSON *item;

	cJSON_ArrayForEach(item, object) {
		const struct field *field = rows_find(rows, row_sets, item->string);

		if (field)
			value_check(r, field, item, what);
		else
			unknown_key(r, item, rows_nearest(rows, row_sets, item->string), what);
	}
	for (size_t i = 0; i < row_sets; i++)
		check_required(r, object, others, &rows[i], what);
	for (size_t i = 0; i < row_sets && others; i++)
		check_others(r, object, others, &rows[i], what);
}
