/* SPDX-License-Identifier: ISC */
/*
 * Templates and what they show: the first line is the value of a field, the rest a template. Whatever both
 * are, markup of the value never comes out: only the template's own does.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct template *itself;

static const struct template *find(const char *name)
{
	return strcmp(name, "itself") == 0 ? itself : NULL;
}

static struct data *make_data(const char *value)
{
	struct data *d = data_new();
	struct text markup = TEXT_INIT;

	data_text(d, "value", value);
	data_flag(d, "yes", true);
	text_raw(&markup, "<i>");
	data_markup(d, "markup", &markup);
	text_free(&markup);
	for (int i = 0; i < 3; i++)
		data_text(data_item(d, "rows"), "value", value);
	return d;
}

/* Every '<' of the page must be the template's own or the marked piece's: with the value's taken out of the
   template and no markup shown there are none. */
static void check_escaped(const struct text *page, const char *source)
{
	if (!strchr(source, '<') && !strstr(source, "markup") && memchr(text_str(page), '<', page->len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_strn((const char *)data, size), *source = strchr(copy, '\n');
	struct text page = TEXT_INIT;
	struct template *tpl;
	struct data *d;

	if (source)
		*source++ = '\0';
	else
		source = copy + strlen(copy);
	d = make_data(copy);
	tpl = template_compile(source, strlen(source), NULL);
	if (tpl && strlen(source) < 512) { /* includes multiply: bounded by depth, but slow when long */
		itself = strstr(source, "itself") && strstr(strstr(source, "itself") + 1, "itself") ? NULL : tpl;
		if (!(strstr(source, "{{#rows}}") && itself && strstr(source, "itself")))
			template_render(tpl, find, LANGUAGE_ZH_TW, d, &page);
		check_escaped(&page, source);
	}
	template_free(tpl);
	data_free(d);
	text_free(&page);
	free(copy);
	return 0;
}
