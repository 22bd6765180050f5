/* SPDX-License-Identifier: ISC */
/*
 * data: how the fields of a page are kept, for template.c, which shows them. Programs use template.h.
 */
#ifndef WEB_DATA_H
#define WEB_DATA_H

#include "web/template.h"

struct data_field {
	const char *name;
	const char *text;         /* "" when absent, a flag or a list */
	size_t len;
	bool on;                  /* a flag that is on, or a text that is not empty */
	bool markup;              /* may go out as it stands */
	bool is_list;
	struct data *first, *last; /* items of a list */
	struct data_field *next;
};

struct data {
	struct arena *arena;      /* the root's; everything is in it */
	struct data *parent;      /* where names are looked for next */
	struct data *next;        /* following item of the same list */
	struct data_field *fields; /* newest first */
};

/* The field of that name here or further out, or NULL. */
const struct data_field *data_find(const struct data *d, const char *name);

#endif
