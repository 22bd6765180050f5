/* SPDX-License-Identifier: ISC */
/*
 * template: text with {{tags}} -> a flat row of nodes -> a page. Sections know the index of their end, so
 * that repeating or skipping one is a jump and nothing is searched for while a page is made.
 */
#include "web/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/data.h"

#define NESTING_MAX 16
#define WORD_ARGS_MAX 4

enum node_kind {
	NODE_TEXT,
	NODE_FIELD,
	NODE_URL,
	NODE_RAW,
	NODE_WORD,
	NODE_SECTION,
	NODE_UNLESS,
	NODE_END,
	NODE_INCLUDE
};

struct node {
	enum node_kind kind;
	const char *name; /* of a field, section or template; the text of NODE_TEXT */
	size_t len; /* bytes of NODE_TEXT */
	size_t end; /* sections: index of their NODE_END */
	enum word word;
	const char *args[WORD_ARGS_MAX]; /* fields that a sentence shows */
	size_t arg_count;
};

struct template
{
	struct node *nodes;
	size_t count;
	char *pool; /* what all names and texts point into */
};

/* ---- compiling */

struct compiler {
	struct template *tpl;
	const char *from, *at, *to; /* source: begin, next byte, end */
	char *fill; /* next free byte of the pool */
	bool line_begins; /* nothing but tabs and tags since the last newline */
	size_t open[NESTING_MAX]; /* nodes of sections not yet closed */
	size_t depth;
	struct error *err;
};

static bool fail(struct compiler *c, const char *what, const char *name)
{
	unsigned line = 1;

	for (const char *p = c->from; p < c->at; p++)
		line += *p == '\n';
	return error_set(c->err, ERROR_INPUT, "line %u: %s \"%s\"", line, what, name);
}

static struct node *add_node(struct compiler *c, enum node_kind kind)
{
	struct template *tpl = c->tpl;
	struct node *node;

	if ((tpl->count & (tpl->count + 1)) == 0) /* 0, 1, 3, 7 ...: full, double it */
		tpl->nodes = mem_grow(tpl->nodes, tpl->count * 2 + 2, sizeof(*tpl->nodes));
	node = &tpl->nodes[tpl->count++];
	memset(node, 0, sizeof(*node));
	node->kind = kind;
	return node;
}

/* Copies text into the pool, less the tabs that begin its lines. */
static void compile_text(struct compiler *c, const char *end)
{
	const char *start = c->fill;
	struct node *node;

	for (; c->at < end; c->at++) {
		if (c->line_begins && *c->at == '\t')
			continue;
		c->line_begins = *c->at == '\n';
		*c->fill++ = *c->at;
	}
	if (c->fill == start)
		return;
	node = add_node(c, NODE_TEXT);
	node->name = start;
	node->len = (size_t)(c->fill - start);
}

/* The next blank-separated part of a tag, NUL-terminated in place; NULL at its end. */
static char *next_part(char **at)
{
	char *part = *at + strspn(*at, " \t\n");
	char *end = part + strcspn(part, " \t\n");

	if (end == part)
		return NULL;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return part;
}

static bool compile_word(struct compiler *c, const char *name, char *rest)
{
	static const char *const names[] = {
#define WORD(id, en, zh) #id,
#include "model/words.def"
#undef WORD
	};
	struct node *node;
	size_t id = 0;

	while (id < COUNT_OF(names) && strcmp(names[id], name) != 0)
		id++;
	if (id == COUNT_OF(names))
		return fail(c, "no such sentence", name);
	node = add_node(c, NODE_WORD);
	node->word = (enum word)id;
	for (char *arg; (arg = next_part(&rest)); node->args[node->arg_count++] = arg)
		if (node->arg_count == WORD_ARGS_MAX)
			return fail(c, "too many fields for", name);
	return true;
}

static bool compile_section(struct compiler *c, enum node_kind kind, const char *name)
{
	if (c->depth == NESTING_MAX)
		return fail(c, "too deeply nested", name);
	c->open[c->depth++] = c->tpl->count;
	add_node(c, kind)->name = name;
	return true;
}

static bool compile_end(struct compiler *c, const char *name)
{
	if (c->depth == 0 || strcmp(c->tpl->nodes[c->open[c->depth - 1]].name, name) != 0)
		return fail(c, "closes what is not open", name);
	c->tpl->nodes[c->open[--c->depth]].end = c->tpl->count;
	add_node(c, NODE_END);
	return true;
}

static bool is_upper(char ch)
{
	return ch >= 'A' && ch <= 'Z';
}

/* {{field}}, {{url field}}, {{raw field}}, {{WORD field...}} */
static bool compile_value(struct compiler *c, char *tag)
{
	char *rest = tag, *name = next_part(&rest);
	enum node_kind kind = NODE_FIELD;

	if (name && is_upper(name[0]))
		return compile_word(c, name, rest);
	if (name && strcmp(name, "url") == 0)
		kind = NODE_URL;
	else if (name && strcmp(name, "raw") == 0)
		kind = NODE_RAW;
	if (kind != NODE_FIELD)
		name = next_part(&rest);
	if (!name || next_part(&rest))
		return fail(c, "not a tag", name ? name : "");
	add_node(c, kind)->name = name;
	return true;
}

static bool compile_tag(struct compiler *c, char *tag)
{
	char sigil = tag[0], *rest = tag + 1, *name;

	if (sigil == '!')
		return true;
	if (!sigil || !strchr("#^/>", sigil))
		return compile_value(c, tag);
	name = next_part(&rest);
	if (!name || next_part(&rest))
		return fail(c, "not a tag", tag);
	switch (sigil) {
	case '#':
		return compile_section(c, NODE_SECTION, name);
	case '^':
		return compile_section(c, NODE_UNLESS, name);
	case '/':
		return compile_end(c, name);
	default:
		add_node(c, NODE_INCLUDE)->name = name;
		return true;
	}
}

static const char *find_pair(const char *from, const char *to, char ch)
{
	for (; to - from >= 2; from++)
		if (from[0] == ch && from[1] == ch)
			return from;
	return NULL;
}

/* A line with nothing on it but a tag that shows nothing itself leaves no empty line. */
static void end_tag(struct compiler *c, char sigil)
{
	if (!sigil || !strchr("#^/!>", sigil))
		c->line_begins = false;
	else if (c->line_begins && c->at < c->to && *c->at == '\n')
		c->at++;
}

static bool compile(struct compiler *c)
{
	for (;;) {
		const char *open = find_pair(c->at, c->to, '{'), *close;
		char *tag = NULL;

		compile_text(c, open ? open : c->to);
		if (!open)
			break;
		close = find_pair(open + 2, c->to, '}');
		if (!close)
			return fail(c, "never closed:", "{{");
		tag = c->fill;
		memcpy(tag, open + 2, (size_t)(close - open - 2));
		c->fill += close - open - 2;
		*c->fill++ = '\0';
		if (!compile_tag(c, tag))
			return false;
		c->at = close + 2;
		end_tag(c, open[2]);
	}
	if (c->depth)
		return fail(c, "never closed:", c->tpl->nodes[c->open[c->depth - 1]].name);
	return true;
}

struct template *template_compile(const char *bytes, size_t len, struct error *err)
{
	struct compiler c = {.from = bytes, .at = bytes, .to = bytes + len, .line_begins = true, .err = err};

	if (memchr(bytes, '\0', len)) {
		error_set(err, ERROR_INPUT, "holds a NUL byte");
		return NULL;
	}
	c.tpl = MEM_NEW(struct template);
	c.tpl->pool = mem_alloc(len + 1); /* enough: "{{x}}" leaves 4 bytes for x's NUL */
	c.fill = c.tpl->pool;
	if (compile(&c))
		return c.tpl;
	template_free(c.tpl);
	return NULL;
}

void template_free(struct template *tpl)
{
	if (!tpl)
		return;
	free(tpl->nodes);
	free(tpl->pool);
	free(tpl);
}

/* ---- rendering */

struct render {
	const struct template *tpl;
	template_finder *find;
	enum language language;
	struct text *out;
	const char *missing;
	unsigned depth; /* of templates within templates: one that includes itself ends */
};

static void render_range(struct render *r, size_t from, size_t to, const struct data *data);

static const struct data_field *field_or_empty(struct render *r, const struct data *data, const char *name)
{
	static const struct data_field empty = {.text = ""};
	const struct data_field *field = data_find(data, name);

	if (field)
		return field;
	if (!r->missing)
		r->missing = name;
	return &empty;
}

static void render_word(struct render *r, const struct node *node, const struct data *data)
{
	const char *args[WORD_ARGS_MAX];

	for (size_t i = 0; i < node->arg_count; i++)
		args[i] = field_or_empty(r, data, node->args[i])->text;
	words_put(r->out, text_html, r->language, node->word, args, node->arg_count);
}

static void render_include(struct render *r, const struct node *node, const struct data *data)
{
	const struct template *outer = r->tpl, *inner = r->find ? r->find(node->name) : NULL;

	if (!inner || r->depth == NESTING_MAX) {
		r->missing = node->name;
		return;
	}
	r->tpl = inner;
	r->depth++;
	render_range(r, 0, inner->count, data);
	r->depth--;
	r->tpl = outer;
}

static void render_section(struct render *r, size_t at, const struct data *data)
{
	const struct node *node = &r->tpl->nodes[at];
	const struct data_field *field = data_find(data, node->name);

	if (field && field->is_list)
		for (const struct data *item = field->first; item; item = item->next)
			render_range(r, at + 1, node->end, item);
	else if (field && field->on)
		render_range(r, at + 1, node->end, data);
}

static bool is_off(const struct data *data, const char *name)
{
	const struct data_field *field = data_find(data, name);

	return !field || (!field->on && !field->first);
}

static void render_value(struct render *r, const struct node *node, const struct data *data)
{
	const struct data_field *field = field_or_empty(r, data, node->name);

	if (node->kind == NODE_URL)
		text_urln(r->out, field->text, field->len);
	else if (node->kind == NODE_RAW && field->markup)
		text_rawn(r->out, field->text, field->len);
	else
		text_htmln(r->out, field->text, field->len);
}

static void render_range(struct render *r, size_t from, size_t to, const struct data *data)
{
	for (size_t at = from; at < to; at++) {
		const struct node *node = &r->tpl->nodes[at];

		switch (node->kind) {
		case NODE_TEXT:
			text_rawn(r->out, node->name, node->len);
			break;
		case NODE_FIELD:
		case NODE_URL:
		case NODE_RAW:
			render_value(r, node, data);
			break;
		case NODE_WORD:
			render_word(r, node, data);
			break;
		case NODE_INCLUDE:
			render_include(r, node, data);
			break;
		case NODE_SECTION:
			render_section(r, at, data);
			at = node->end;
			break;
		case NODE_UNLESS:
			if (!is_off(data, node->name))
				at = node->end;
			break;
		case NODE_END:
			break;
		}
	}
}

const char *template_render(const struct template *tpl, template_finder *find, enum language language,
	const struct data *data, struct text *out)
{
	struct render r = {.tpl = tpl, .find = find, .language = language, .out = out};

	render_range(&r, 0, tpl->count, data);
	return r.missing;
}
