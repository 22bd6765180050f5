/* SPDX-License-Identifier: ISC */
/*
 * template: pages are files that a designer can edit (html/ *.html), filled with data at run time.
 *
 *	{{name}}                the field, escaped for HTML text and quoted attributes
 *	{{url name}}            the field as one URL path segment or query value
 *	{{raw name}}            the field as it stands, if the program gave it as markup; else escaped too
 *	{{WORD}} {{WORD a b}}   a sentence of model/words.def in the reader's language; fields for {1} {2}
 *	{{#name}}...{{/name}}   for each item of a list, with the item's fields before the outer ones;
 *	                        or once, when the field is a flag that is on or a text that is not empty
 *	{{^name}}...{{/name}}   when it is absent, off or empty
 *	{{>name.html}}          another template in its place, with the same fields
 *	{{! remark }}
 *
 * Tabs at the beginning of a line are dropped, and lines that hold nothing but tags of structure. Raw output
 * takes two keys, one turned in the program and one in the template, so neither side alone can let through
 * what came from outside.
 *
 * Calls: data_new, data_text, data_markup, data_flag, data_item, data_free to say what there is;
 * template_compile, template_render, template_free to show it.
 */
#ifndef WEB_TEMPLATE_H
#define WEB_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "model/words.h"

/* ---- what there is to show: fields by name, and lists of such */

struct data;

struct data *data_new(void);
void data_free(struct data *root); /* with everything in it */
/* Names are literals; values are copied. Giving a name again replaces nothing: the newest is found. */
void data_text(struct data *d, const char *name, const char *value); /* NULL: absent */
void data_printf(struct data *d, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What is HTML already. Empties `markup`, which stays the caller's to free. */
void data_markup(struct data *d, const char *name, struct text *markup);
void data_flag(struct data *d, const char *name, bool on);
/* A further item of the list; it belongs to d. */
struct data *data_item(struct data *d, const char *list);

/* ---- how to show it */

struct template; /* compiled; immutable, so threads may share it */

/* Gives the template of that name for {{>name}}, or NULL. */
typedef const struct template *template_finder(const char *name);

/* NULL with err ("line 12: ...") when the text is not a template. It keeps no pointer to `bytes`. */
struct template *template_compile(const char *bytes, size_t len, struct error *err);
void template_free(struct template *tpl);
/* Appends the page to out. `find` may be NULL when there are no {{>...}}. Returns the name of a {{name}} that
   the data does not have (which shows as nothing; tests want none), or NULL when all were there. */
const char *template_render(const struct template *tpl, template_finder *find, enum language language,
	const struct data *data, struct text *out);

#endif
