/* SPDX-License-Identifier: ISC */
/*
 * template: texts with {{fields}}, each value escaped for the place it is written into. Channels that are one
 * HTTP request are described with these, and so is the `http` channel of the configuration.
 *
 *	{{name}}              the field's value, escaped for the context
 *	{{name|cut:250}}      its first 250 bytes, whole characters only, with an ellipsis
 *	{{name|slack:3000}}   with & < > as entities, at most 3000 bytes of them
 *	{{name|path}}         in a URL: colons stay as they are
 *	{{name|html}}         with HTML's special characters as entities
 *	{{payload|json}}      JSON as it stands; only for the field `payload`
 *	{{#name}} ... {{/name}}   only when the field is not empty
 *	{{^name}} ... {{/name}}   only when it is
 *
 * Nothing but {{ is special. In a URL a {{name}} at the very beginning is taken as it stands: it is the
 * service's address from the configuration.
 */
#ifndef PROBER_TEMPLATE_H
#define PROBER_TEMPLATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

enum template_context {
	TEMPLATE_PLAIN,  /* as it stands: a text/plain body */
	TEMPLATE_URL,    /* percent-encoded; form bodies too */
	TEMPLATE_HEADER, /* one line: control characters become blanks */
	TEMPLATE_JSON,   /* inside a JSON string */
	TEMPLATE_XML,
};

/* Where values come from: appends the named field's value to *value; false when there is no such field. */
struct template_source {
	bool (*value)(const void *arg, const char *name, struct text *value);
	const void *arg;
};

/* Appends the expanded text; false with err on a mistake in the template (out may hold a part of it). */
bool template_expand(struct text *out, const char *text, enum template_context context,
	const struct template_source *source, struct error *err);
/* What a body of this Content-Type is. */
enum template_context template_context_of(const char *content_type);

#endif
