/* SPDX-License-Identifier: ISC */
/*
 * schema: the rows as a JSON schema, for editors that complete and check while one types.
 *
 * It cannot know what only upbeat-prober knows (that a channel exists, that nothing goes round in circles),
 * and it asks for no key of a monitor, because any of them may stand in "defaults".
 */
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define DURATION "{\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"}"

static void put_object(struct text *t, const struct rows *rows, bool required);

/* ---- one value */

static void put_limits(struct text *t, const struct field *field)
{
	if (field->min < 0 || field->min > 0 || field->max > 0)
		text_printf(t, ",\"minimum\":%lld", (long long)field->min);
	if (field->max > field->min)
		text_printf(t, ",\"maximum\":%lld", (long long)field->max);
}

static void put_int(struct text *t, const struct field *field)
{
	text_raw(t, "\"type\":\"integer\"");
	put_limits(t, field);
}

static void put_ints(struct text *t, const struct field *field)
{
	text_raw(t, "\"anyOf\":[{");
	put_int(t, field);
	text_raw(t, "},{\"type\":\"array\",\"items\":{");
	put_int(t, field);
	text_raw(t, "}}]");
}

static void put_choice(struct text *t, const struct field *field)
{
	text_raw(t, "\"enum\":[");
	for (size_t i = 0; field->choices[i]; i++) {
		text_raw(t, i ? "," : "");
		text_json_string(t, field->choices[i]);
	}
	text_char(t, ']');
}

static void put_url(struct text *t, const struct field *field)
{
	text_raw(t, "\"type\":\"string\"");
	if (!field_is_secret(field))
		text_raw(t, ",\"pattern\":\"^[Hh][Tt][Tt][Pp][Ss]?://\"");
}

static struct rows inner(const struct field *field)
{
	return (struct rows){field->inner, field->inner_count};
}

static void put_group(struct text *t, const struct field *field)
{
	struct rows rows = inner(field);

	put_object(t, &rows, true);
}

static void put_named(struct text *t, const struct field *field)
{
	text_raw(t, "\"type\":\"object\",\"additionalProperties\":{");
	put_group(t, field);
	text_char(t, '}');
}

static void put_entries(struct text *t, const struct field *field)
{
	text_raw(t, "\"anyOf\":[{\"type\":\"string\"},{");
	put_group(t, field);
	text_raw(t, "},{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{");
	put_group(t, field);
	text_raw(t, "}]}}]");
}

/* For each kind either words that are the same for all its rows, or a function. */
static const struct {
	const char *text;
	void (*put)(struct text *t, const struct field *field);
} kinds[FIELD__COUNT] = {
	[FIELD_STRING] = {"\"type\":\"string\"", NULL},
	[FIELD_SECRET] = {"\"type\":\"string\"", NULL},
	[FIELD_BOOL] = {"\"type\":\"boolean\"", NULL},
	[FIELD_INT] = {NULL, put_int},
	[FIELD_DURATION] = {"\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"", NULL},
	[FIELD_CHOICE] = {NULL, put_choice},
	[FIELD_URL] = {NULL, put_url},
	[FIELD_STRINGS] = {"\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}", NULL},
	[FIELD_SECRETS] = {"\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}", NULL},
	[FIELD_INTS] = {NULL, put_ints},
	[FIELD_DURATIONS] = {"\"anyOf\":[" DURATION ",{\"type\":\"array\",\"items\":" DURATION "}]", NULL},
	[FIELD_MAP] = {"\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}", NULL},
	[FIELD_JSON] = {"\"type\":[\"object\",\"array\",\"string\",\"number\",\"boolean\"]", NULL},
	[FIELD_GROUP] = {NULL, put_group},
	[FIELD_NAMED] = {NULL, put_named},
	[FIELD_ENTRIES] = {NULL, put_entries},
};

static void put_default(struct text *t, const struct field *field)
{
	cJSON *value = field_fallback(field);
	char *printed = cJSON_PrintUnformatted(value);

	text_printf(t, ",\"default\":%s", printed ? printed : "null");
	cJSON_free(printed);
	cJSON_Delete(value);
}

static void put_value(struct text *t, const struct field *field)
{
	text_char(t, '{');
	if (kinds[field->type].put)
		kinds[field->type].put(t, field);
	else
		text_raw(t, kinds[field->type].text);
	if (field->fallback)
		put_default(t, field);
	if (field->help) {
		text_raw(t, ",\"description\":");
		text_json_string(t, field->help);
	}
	text_char(t, '}');
}

/* ---- objects */

static void put_properties(struct text *t, const struct rows *rows, bool *first)
{
	for (size_t i = 0; i < rows->n; i++) {
		text_raw(t, *first ? "" : ",");
		*first = false;
		text_json_string(t, rows->fields[i].name);
		text_char(t, ':');
		put_value(t, &rows->fields[i]);
	}
}

static void put_required(struct text *t, const struct rows *rows)
{
	bool first = true;

	for (size_t i = 0; i < rows->n; i++) {
		if (!rows->fields[i].required)
			continue;
		text_raw(t, first ? ",\"required\":[" : ",");
		text_json_string(t, rows->fields[i].name);
		first = false;
	}
	if (!first)
		text_char(t, ']');
}

static void put_object(struct text *t, const struct rows *rows, bool required)
{
	bool first = true;

	text_raw(t, "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	put_properties(t, rows, &first);
	text_char(t, '}');
	if (required)
		put_required(t, rows);
}

/* A monitor or channel of one type: its "type" is that word, its keys are those of all and its own. Keys of
   all are told once and referred to. */
static void put_variant(struct text *t, const char *type, const char *help, const struct rows *common,
	const char *common_at, const struct rows *own)
{
	bool first = false;

	text_raw(t, "{\"type\":\"object\",\"additionalProperties\":false,\"description\":");
	text_json_string(t, help);
	text_raw(t, ",\"properties\":{\"type\":{\"const\":");
	text_json_string(t, type);
	text_char(t, '}');
	for (size_t i = 0; i < common->n; i++)
		if (strcmp(common->fields[i].name, "type") != 0)
			text_printf(t, ",\"%s\":{\"$ref\":\"#/$defs/%s/properties/%s\"}",
				common->fields[i].name, common_at, common->fields[i].name);
	put_properties(t, own, &first);
	text_raw(t, "}}");
}

static void put_monitor_types(struct text *t)
{
	text_raw(t, "\"monitor\":{\"anyOf\":[");
	for (size_t i = 0; check_types[i]; i++) {
		const struct rows own = {check_types[i]->fields, check_types[i]->field_count};

		text_raw(t, i ? "," : "");
		put_variant(
			t, check_types[i]->name, check_types[i]->help, &monitor_rows, "any-monitor", &own);
	}
	text_raw(t, "]},\"any-monitor\":{");
	put_object(t, &monitor_rows, false);
	text_char(t, '}');
}

static void put_channel_types(struct text *t)
{
	text_raw(t, "\"channel\":{\"anyOf\":[");
	for (size_t i = 0; channel_types[i]; i++) {
		const struct rows own = {channel_types[i]->fields, channel_types[i]->field_count};

		text_raw(t, i ? "," : "");
		put_variant(t, channel_types[i]->name, channel_types[i]->help, &channel_rows, "any-channel",
			&own);
	}
	text_raw(t, "]}");
}

/* ---- the whole */

/* Sections of the top whose rows depend on "type". */
static const struct {
	const char *name, *schema;
} sections[] = {
	{"channels", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/channel\"}}"},
	{"monitors", "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z0-9][a-z0-9._-]{0,63}$\"},"
		     "\"additionalProperties\":{\"$ref\":\"#/$defs/monitor\"}}"},
	{"defaults", "{\"type\":\"object\"}"},
};

static const char *section_schema(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(sections); i++)
		if (strcmp(sections[i].name, name) == 0)
			return sections[i].schema;
	return NULL;
}

static void put_top(struct text *t)
{
	for (size_t i = 0; i < top_rows.n; i++) {
		const char *schema = section_schema(top_rows.fields[i].name);

		text_raw(t, i ? "," : "");
		text_json_string(t, top_rows.fields[i].name);
		text_char(t, ':');
		if (schema)
			text_raw(t, schema);
		else
			put_value(t, &top_rows.fields[i]);
	}
}

void config_print_schema(struct text *out)
{
	struct text t = TEXT_INIT;
	cJSON *tree;
	char *printed;

	text_raw(&t,
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"upbeat.json\","
		"\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	put_top(&t);
	text_raw(&t, "},\"$defs\":{");
	put_monitor_types(&t);
	text_char(&t, ',');
	put_channel_types(&t);
	text_raw(&t, "}}");
	tree = cJSON_ParseWithLength(text_str(&t), t.len);
	printed = cJSON_Print(tree);
	text_raw(out, printed ? printed : text_str(&t));
	text_char(out, '\n');
	cJSON_free(printed);
	cJSON_Delete(tree);
	text_free(&t);
}
