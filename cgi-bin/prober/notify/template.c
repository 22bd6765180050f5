/* SPDX-License-Identifier: ISC */
/*
 * template: one walk over the text. Literal runs are copied, {{tags}} are looked up, filtered and escaped.
 * Sections are kept on a small stack; inside one that is not shown, tags are still checked, so that a mistake
 * is found when the configuration is read and not when the first alert is sent.
 */
#include "prober/notify/template.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 32
#define DEPTH_MAX 8

struct walk {
	struct text *out;
	enum template_context context;
	const struct template_source *source;
	struct error *err;
	char open[DEPTH_MAX][NAME_MAX_LEN + 1]; /* names of the sections we are in */
	bool shown[DEPTH_MAX + 1];              /* [depth]: is text at this depth written? */
	unsigned depth;
};

/* A tag's inside, taken apart: kind is 0 for a value, or one of # ^ / */
struct tag {
	char kind;
	char name[NAME_MAX_LEN + 1];
	char filter[NAME_MAX_LEN + 1]; /* "" none */
	uint64_t limit;                /* of the filter, 0 none */
};

static bool bad(struct walk *w, const char *what, const char *at, size_t n)
{
	return error_set(w->err, ERROR_INPUT, "%s: {{%.*s}}", what, (int)(n > 40 ? 40 : n), at);
}

/* Copies the word [a-z0-9_]+ at *s, up to end. */
static bool take_word(const char **s, const char *end, char out[NAME_MAX_LEN + 1])
{
	size_t n = 0;

	while (*s < end && ((**s >= 'a' && **s <= 'z') || (**s >= '0' && **s <= '9') || **s == '_')) {
		if (n == NAME_MAX_LEN)
			return false;
		out[n++] = *(*s)++;
	}
	out[n] = 0;
	return n > 0;
}

static bool take_limit(const char **s, const char *end, uint64_t *out)
{
	char digits[10] = "";
	size_t n = 0;

	if (*s < end && **s == ':')
		for ((*s)++; *s < end && **s >= '0' && **s <= '9' && n < sizeof(digits) - 1; (*s)++)
			digits[n++] = **s;
	return n > 0 && text_to_u64(digits, out);
}

static bool tag_parse(struct walk *w, const char *s, size_t n, struct tag *tag)
{
	const char *at = s, *end = s + n;

	*tag = (struct tag){0};
	if (at < end && strchr("#^/", *at))
		tag->kind = *at++;
	if (!take_word(&at, end, tag->name))
		return bad(w, "not a field's name", s, n);
	if (at < end && *at == '|' && !tag->kind) {
		at++;
		if (!take_word(&at, end, tag->filter))
			return bad(w, "not a filter's name", s, n);
		if (at < end && !take_limit(&at, end, &tag->limit))
			return bad(w, "not a limit", s, n);
	}
	return at == end || bad(w, "cannot be read", s, n);
}

static void put_escaped(struct text *out, enum template_context context, const char *s)
{
	static void (*const verbs[])(struct text *, const char *) = {
		[TEMPLATE_PLAIN] = text_raw,
		[TEMPLATE_URL] = text_url,
		[TEMPLATE_HEADER] = text_header,
		[TEMPLATE_JSON] = text_json,
		[TEMPLATE_XML] = text_xml,
	};

	verbs[context](out, s);
}

/* Slack's entities, stopping before the limit so that no entity is cut. */
static void put_slack(struct text *out, const char *s, size_t max)
{
	for (size_t n = strlen(s), step; n > 0; s += step, n -= step) {
		size_t before = out->len;
		struct text one = TEXT_INIT;

		step = 1;
		while (step < n && ((unsigned char)s[step] & 0xc0) == 0x80)
			step++;
		text_rawn(&one, s, step);
		text_slack(out, text_str(&one));
		text_free(&one);
		if (max && out->len > max) {
			out->len = before;
			out->ptr[before] = 0;
			return;
		}
	}
}

/* Percent-encoded but for colons, which a path may have, and which tokens do have. */
static void put_path(struct text *out, const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ":");

		text_urln(out, s, n);
		if (!s[n])
			return;
		text_char(out, ':');
		s += n + 1;
	}
}

static bool filter(struct walk *w, const struct tag *tag, struct text *value, bool *as_it_stands)
{
	struct text out = TEXT_INIT;

	*as_it_stands = false;
	if (!tag->filter[0])
		return true;
	if (!strcmp(tag->filter, "json") && !strcmp(tag->name, "payload")) {
		*as_it_stands = true;
		return true;
	}
	if (!strcmp(tag->filter, "path")) {
		put_path(&out, text_str(value));
		*as_it_stands = true;
	} else if (!strcmp(tag->filter, "cut") && tag->limit) {
		text_cut(&out, text_str(value), tag->limit);
	} else if (!strcmp(tag->filter, "slack")) {
		put_slack(&out, text_str(value), tag->limit);
	} else if (!strcmp(tag->filter, "html")) {
		text_html(&out, text_str(value));
	} else {
		return error_set(w->err, ERROR_INPUT, "unknown filter: {{%s|%s}}", tag->name, tag->filter);
	}
	text_free(value);
	*value = out;
	return true;
}

static bool section(struct walk *w, const struct tag *tag, bool empty)
{
	if (tag->kind == '/') {
		if (!w->depth || strcmp(w->open[w->depth - 1], tag->name))
			return error_set(w->err, ERROR_INPUT, "{{/%s}} closes nothing", tag->name);
		w->depth--;
		return true;
	}
	if (w->depth == DEPTH_MAX)
		return error_set(w->err, ERROR_INPUT, "sections nest deeper than %d", DEPTH_MAX);
	memcpy(w->open[w->depth], tag->name, sizeof(tag->name));
	w->shown[w->depth + 1] = w->shown[w->depth] && (tag->kind == '#') == !empty;
	w->depth++;
	return true;
}

static bool tag_expand(struct walk *w, const char *s, size_t n, bool first)
{
	struct text value = TEXT_INIT;
	struct tag tag;
	bool raw, ok;

	if (!tag_parse(w, s, n, &tag))
		return false;
	if (!w->source->value(w->source->arg, tag.name, &value)) {
		text_free(&value);
		return bad(w, "unknown field", s, n);
	}
	if (tag.kind) {
		ok = section(w, &tag, value.len == 0);
	} else {
		ok = filter(w, &tag, &value, &raw);
		if (ok && w->shown[w->depth])
			put_escaped(w->out, raw || (first && w->context == TEMPLATE_URL) ? TEMPLATE_PLAIN :
				w->context, text_str(&value));
	}
	text_free(&value);
	return ok;
}

bool template_expand(struct text *out, const char *text, enum template_context context,
	const struct template_source *source, struct error *err)
{
	struct walk w = {.out = out, .context = context, .source = source, .err = err, .shown = {true}};
	const char *at = text;

	for (;;) {
		const char *open = strstr(at, "{{"), *close;

		if (w.shown[w.depth])
			text_rawn(out, at, open ? (size_t)(open - at) : strlen(at));
		if (!open)
			break;
		close = strstr(open + 2, "}}");
		if (!close)
			return error_set(err, ERROR_INPUT, "{{ without }}");
		if (!tag_expand(&w, open + 2, (size_t)(close - open - 2), open == text))
			return false;
		at = close + 2;
	}
	if (w.depth)
		return error_set(err, ERROR_INPUT, "{{#%s}} is not closed", w.open[w.depth - 1]);
	return true;
}

enum template_context template_context_of(const char *content_type)
{
	static const struct {
		const char *type;
		enum template_context context;
	} rows[] = {
		{"application/json", TEMPLATE_JSON},
		{"application/x-www-form-urlencoded", TEMPLATE_URL},
		{"application/xml", TEMPLATE_XML},
		{"text/xml", TEMPLATE_XML},
		{"text/html", TEMPLATE_XML},
	};

	for (size_t i = 0; content_type && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strncasecmp(content_type, rows[i].type, strlen(rows[i].type)))
			return rows[i].context;
	return TEMPLATE_PLAIN;
}
