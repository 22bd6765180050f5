/* SPDX-License-Identifier: ISC */
/*
 * man: the rows as the tables of upbeat.json(5), in mdoc. `upbeat-prober config --man` prints what
 * stands between the marks in docs/upbeat.json.5; a test compares the two.
 */
#include <string.h>

#include "base/calendar.h"
#include "prober/config/reading.h"

#define LINE 78

static bool sentence_ends(const char *s)
{
	return s[0] == '.' && s[1] == ' ';
}

/* One word of a text line; a backslash is "\e", and a control character must not begin a line. */
static void put_word(struct text *t, const char *s, size_t n, bool fresh)
{
	if (fresh && (*s == '.' || *s == '\''))
		text_raw(t, "\\&");
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\')
			text_raw(t, "\\e");
		else if (s[i] == '-')
			text_raw(t, "\\-");
		else
			text_char(t, s[i]);
	}
}

/* Text lines of mdoc, not too long, each sentence beginning on a new one. */
static void put_prose(struct text *t, const char *s)
{
	size_t column = 0;

	while (*s) {
		size_t n = strcspn(s, " ");

		if (column && column + 1 + n > LINE) {
			text_char(t, '\n');
			column = 0;
		} else if (column) {
			text_char(t, ' ');
		}
		put_word(t, s, n, column == 0);
		column += n + 1;
		s += n;
		if (*s && sentence_ends(s - 1)) {
			text_char(t, '\n');
			column = 0;
		}
		s += strspn(s, " ");
	}
	text_char(t, '\n');
}

static const char *const kind_names[FIELD__COUNT] = {
	[FIELD_STRING] = "string",
	[FIELD_SECRET] = "secret",
	[FIELD_BOOL] = "true or false",
	[FIELD_INT] = "number",
	[FIELD_DURATION] = "duration",
	[FIELD_CHOICE] = "word",
	[FIELD_URL] = "URL",
	[FIELD_STRINGS] = "strings",
	[FIELD_SECRETS] = "secrets",
	[FIELD_INTS] = "numbers",
	[FIELD_DURATIONS] = "durations",
	[FIELD_MAP] = "object of strings",
	[FIELD_JSON] = "value",
	[FIELD_GROUP] = "object",
	[FIELD_NAMED] = "objects by name",
	[FIELD_ENTRIES] = "list",
};

static void put_limit(struct text *t, const struct field *field, double limit)
{
	if (field->type == FIELD_DURATION || field->type == FIELD_DURATIONS)
		calendar_put_duration(t, (int64_t)limit);
	else
		text_printf(t, "%lld", (long long)limit);
}

/* "One of: all public none." "From 1s to 30d." "Default: 1m." */
static void put_facts(struct text *t, const struct field *field)
{
	if (field->choices) {
		text_raw(t, "One of");
		for (size_t i = 0; field->choices[i]; i++)
			text_printf(t, "%s \"%s\"", i ? "," : "", field->choices[i]);
		text_raw(t, ".\n");
	}
	if (field->max > field->min && field->type != FIELD_STRINGS) {
		text_raw(t, "From ");
		put_limit(t, field, field->min);
		text_raw(t, " to ");
		put_limit(t, field, field->max);
		text_raw(t, ".\n");
	}
	if (field->fallback && *field->fallback) {
		text_raw(t, "Default: ");
		put_prose(t, field->fallback);
	}
}

static void put_rows(struct text *t, const struct rows *rows)
{
	if (!rows->n)
		return;
	text_raw(t, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < rows->n; i++) {
		const struct field *field = &rows->fields[i];

		text_printf(t, ".It Cm %s Pq %s%s%s\n", field->name, kind_names[field->type],
			field->secret ? ", secret" : "", field->required ? ", required" : "");
		put_prose(t, field->help ? field->help : "");
		put_facts(t, field);
		if (field->inner) {
			const struct rows inner = {field->inner, field->inner_count};

			put_rows(t, &inner);
		}
	}
	text_raw(t, ".El\n");
}

static void put_section(struct text *t, const char *title, const char *help, const struct rows *rows)
{
	text_printf(t, ".Ss %s\n", title);
	if (help)
		put_prose(t, help);
	put_rows(t, rows);
}

static void put_type(struct text *t, const char *what, const char *name, const char *help,
	const struct field *fields, size_t n)
{
	const struct rows rows = {fields, n};
	struct text title = TEXT_INIT;

	text_printf(&title, "%s of type %s", what, name);
	put_section(t, text_str(&title), help, &rows);
	text_free(&title);
}

void config_print_man(struct text *out)
{
	put_section(out, "Top level", NULL, &top_rows);
	put_section(out, "Every monitor", NULL, &monitor_rows);
	for (size_t i = 0; check_types[i]; i++)
		put_type(out, "Monitors", check_types[i]->name, check_types[i]->help, check_types[i]->fields,
			check_types[i]->field_count);
	for (size_t i = 0; channel_types[i]; i++)
		put_type(out, "Channels", channel_types[i]->name, channel_types[i]->help,
			channel_types[i]->fields, channel_types[i]->field_count);
}
