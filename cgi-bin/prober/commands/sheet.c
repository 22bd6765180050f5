/* SPDX-License-Identifier: ISC */
/*
 * sheet: one record at a time into a line; in CSV the names of the first record become the head.
 */
#include "prober/commands/sheet.h"

#include <string.h>

void sheet_begin(struct sheet *s, const char *kind)
{
	text_clear(&s->line);
	s->first = true;
	if (s->csv)
		return;
	text_raw(&s->line, "{\"kind\":");
	text_json_string(&s->line, kind);
	s->first = false;
}

static void put_csv(struct text *t, const char *value)
{
	if (strchr("=+-@\t\r", *value) && *value)
		text_char(t, '\''); /* or a spreadsheet would compute it */
	if (!strpbrk(value, ",\"\r\n")) {
		text_raw(t, value);
		return;
	}
	text_char(t, '"');
	for (; *value; value++) {
		if (*value == '"')
			text_char(t, '"');
		text_char(t, *value);
	}
	text_char(t, '"');
}

/* Opens a column: a comma in CSV, a name in JSON. */
static void column(struct sheet *s, const char *name)
{
	if (!s->first)
		text_char(&s->line, ',');
	if (s->csv && !s->headed) {
		text_raw(&s->head, s->first ? "" : ",");
		text_raw(&s->head, name);
	}
	s->first = false;
	if (s->csv)
		return;
	text_json_string(&s->line, name);
	text_char(&s->line, ':');
}

static void none(struct sheet *s)
{
	if (!s->csv)
		text_raw(&s->line, "null");
}

void sheet_text(struct sheet *s, const char *name, const char *value)
{
	column(s, name);
	if (!value)
		none(s);
	else if (s->csv)
		put_csv(&s->line, value);
	else
		text_json_string(&s->line, value);
}

void sheet_number(struct sheet *s, const char *name, int64_t value)
{
	column(s, name);
	text_printf(&s->line, "%lld", (long long)value);
}

void sheet_seconds(struct sheet *s, const char *name, int64_t us)
{
	column(s, name);
	if (us)
		text_json_seconds(&s->line, us);
	else
		none(s);
}

void sheet_ms(struct sheet *s, const char *name, int64_t us)
{
	column(s, name);
	if (us >= 0)
		text_json_seconds(&s->line, us * 1000); /* a thousandth of a millisecond: the same digits */
	else
		none(s);
}

void sheet_share(struct sheet *s, const char *name, double share)
{
	column(s, name);
	if (share >= 0)
		text_printf(&s->line, "%.6f", share);
	else
		none(s);
}

void sheet_end(struct sheet *s)
{
	if (s->csv && !s->headed) {
		text_rawn(s->out, s->head.ptr, s->head.len);
		text_raw(s->out, "\r\n");
	}
	s->headed = true;
	text_rawn(s->out, s->line.ptr, s->line.len);
	text_raw(s->out, s->csv ? "\r\n" : "}\n");
}

void sheet_free(struct sheet *s)
{
	text_free(&s->head);
	text_free(&s->line);
}
