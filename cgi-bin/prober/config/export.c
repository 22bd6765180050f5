/* SPDX-License-Identifier: ISC */
/*
 * export: the configuration as one file that may be shown to others: included files merged, and every
 * secret that stands in a file itself replaced by a word. References (file:, env:) stay as they are. What no
 * row knows is taken for a secret.
 */
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define REDACTED "(secret)"

static void redact_object(cJSON *object, const struct rows *rows, size_t row_sets);

static void redact(cJSON *value)
{
	cJSON *child;

	if (cJSON_IsString(value) && strncmp(value->valuestring, "file:", 5) != 0 &&
		strncmp(value->valuestring, "env:", 4) != 0)
		cJSON_SetValuestring(value, REDACTED);
	cJSON_ArrayForEach(child, value)
		redact(child);
}

static void redact_inner(cJSON *value, const struct field *field)
{
	const struct rows rows = {field->inner, field->inner_count};
	cJSON *child;

	if (field->type == FIELD_GROUP || (field->type == FIELD_ENTRIES && cJSON_IsObject(value))) {
		redact_object(value, &rows, 1);
		return;
	}
	cJSON_ArrayForEach(child, value)
		if (cJSON_IsObject(child))
			redact_object(child, &rows, 1);
}

static void redact_object(cJSON *object, const struct rows *rows, size_t row_sets)
{
	cJSON *value;

	cJSON_ArrayForEach(value, object) {
		const struct field *field = NULL;

		for (size_t i = 0; i < row_sets && !field; i++)
			field = fields_find(rows[i].fields, rows[i].n, value->string);
		if (!field || field_is_secret(field))
			redact(value);
		else if (field->inner)
			redact_inner(value, field);
	}
}

static const char *type_of(const cJSON *object, const cJSON *others)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(object, "type");

	if (!type)
		type = cJSON_GetObjectItemCaseSensitive(others, "type");
	return cJSON_IsString(type) ? type->valuestring : "";
}

static void redact_channels(cJSON *channels)
{
	cJSON *node;

	cJSON_ArrayForEach(node, channels) {
		const struct channel_type *type = channel_type_by_name(type_of(node, NULL));
		struct rows rows[2] = {channel_rows, {NULL, 0}};

		if (type)
			rows[1] = (struct rows){type->fields, type->field_count};
		redact_object(node, rows, 2);
	}
}

static void redact_monitors(cJSON *monitors, const cJSON *defaults)
{
	cJSON *node;

	cJSON_ArrayForEach(node, monitors) {
		const struct check_type *type = check_type_by_name(type_of(node, defaults));
		struct rows rows[2] = {monitor_rows, {NULL, 0}};

		if (type)
			rows[1] = (struct rows){type->fields, type->field_count};
		redact_object(node, rows, 2);
	}
}

/* A default is a secret when it is one for any type. */
static bool secret_somewhere(const char *name)
{
	bool known = fields_find(monitor_rows.fields, monitor_rows.n, name) != NULL;

	for (size_t i = 0; check_types[i]; i++) {
		const struct field *field =
			fields_find(check_types[i]->fields, check_types[i]->field_count, name);

		if (field && field_is_secret(field))
			return true;
		known = known || field;
	}
	return !known;
}

static void redact_defaults(cJSON *defaults)
{
	cJSON *value;

	cJSON_ArrayForEach(value, defaults)
		if (secret_somewhere(value->string))
			redact(value);
}

static void redact_top(cJSON *root)
{
	cJSON *defaults = cJSON_GetObjectItemCaseSensitive(root, "defaults"), *value;

	cJSON_ArrayForEach(value, root) {
		const struct field *field = fields_find(top_rows.fields, top_rows.n, value->string);

		if (!field || field_is_secret(field))
			redact(value);
		else if (field->inner)
			redact_inner(value, field);
	}
	redact_channels(cJSON_GetObjectItemCaseSensitive(root, "channels"));
	redact_monitors(cJSON_GetObjectItemCaseSensitive(root, "monitors"), defaults);
	redact_defaults(defaults);
}

void reading_print_shown(struct reading *r, struct text *out)
{
	char *printed;

	redact_top(r->root);
	cJSON_DeleteItemFromObjectCaseSensitive(r->root, "include");
	printed = cJSON_Print(r->root);
	text_raw(out, printed ? printed : "{}");
	text_char(out, '\n');
	cJSON_free(printed);
}
