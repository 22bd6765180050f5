/* SPDX-License-Identifier: ISC */
/* import: what every kind of import needs: what is lost is noted, a name becomes a slug. See import.h. */
#include "prober/commands/import.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "model/monitor.h"

#define SLUG_MADE_MAX 48
#define SHOWN_MAX 200

void import_lost(struct import *import, const char *format, ...)
{
	struct text line = TEXT_INIT;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&line, format, ap);
	va_end(ap);
	text_raw(&import->lost, "  - ");
	for (const char *s = text_str(&line); *s; s++)
		text_char(&import->lost, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
	text_char(&import->lost, '\n');
	import->lost_count++;
	text_free(&line);
}

char *import_shown(const cJSON *value)
{
	char *printed = cJSON_PrintUnformatted(value), *shown;

	shown = mem_strn(printed ? printed : "", printed ? text_utf8_fit(printed, strlen(printed), SHOWN_MAX) : 0);
	cJSON_free(printed);
	return shown;
}

/* ---- slugs */

static void put_slug(struct text *t, const char *name)
{
	bool dash = false;

	for (; *name && t->len < SLUG_MADE_MAX; name++) {
		if (isalnum((unsigned char)*name)) {
			if (dash && t->len)
				text_char(t, '-');
			dash = false;
			text_char(t, (char)tolower((unsigned char)*name));
		} else {
			dash = true;
		}
	}
}

static bool taken(const struct import *import, const char *slug)
{
	return cJSON_GetObjectItemCaseSensitive(import->monitors, slug) != NULL;
}

char *import_slug(const struct import *import, const char *name, const char *id)
{
	struct text t = TEXT_INIT;
	size_t plain;

	put_slug(&t, name);
	if (!monitor_slug_valid(text_str(&t), t.len)) {
		text_clear(&t);
		text_printf(&t, "m");
		put_slug(&t, id);
	}
	plain = t.len;
	for (unsigned n = 2; taken(import, text_str(&t)); n++) {
		t.len = plain;
		text_printf(&t, "-%u", n);
	}
	return text_take(&t);
}
