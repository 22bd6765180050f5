/* SPDX-License-Identifier: ISC */
/*
 * cross: what concerns several monitors at once: dependencies that exist and go round in no circle,
 * secrets and tokens that belong to one heartbeat only, witnesses. Works on what was written, so that a
 * monitor which has another mistake is looked at all the same: all is told in one run.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define CIRCLES_MAX 100 /* mistakes, after which circles are not written out any more */

struct crossing {
	struct reading *r;
	const cJSON **nodes; /* what stands below "monitors", in its order */
	struct named *all;   /* their names, sorted; index is into nodes */
	size_t count;
};

/* A monitor's own value of a key, or the default that it uses; NULL: neither. */
static const cJSON *effective(const struct crossing *c, size_t i, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(c->nodes[i], key);

	return value ? value : cJSON_GetObjectItemCaseSensitive(c->r->defaults, key);
}

/* The string or strings that a monitor has for a key, one after the other: NULL after the last. A value that is wrong in
   itself was told of, and holds none. */
static const cJSON *next_string(const struct crossing *c, size_t i, const char *key, const cJSON *previous)
{
	const cJSON *value = effective(c, i, key), *entry = value ? field_entry(value, previous) : NULL;
	const struct place *place = value ? place_of(c->r, value) : NULL;

	if (place && place->failed)
		return NULL;
	while (entry && !cJSON_IsString(entry))
		entry = field_entry(value, entry);
	return entry;
}

/* ---- dependencies */

static void check_parents(struct crossing *c, size_t i)
{
	const cJSON *parent = NULL;
	const char *slug = c->nodes[i]->string;

	while ((parent = next_string(c, i, "depends_on", parent))) {
		const char *name = parent->valuestring, *nearest;

		if (strcmp(name, slug) == 0)
			mistake_at(c->r, parent, AT_VALUE, "monitor \"%s\" depends on itself", slug);
		if (c->r->incomplete || named_find(c->all, c->count, name))
			continue;
		nearest = named_nearest(c->r, c->all, c->count, name);
		mistake_at(c->r, parent, AT_VALUE,
			"monitor \"%s\" depends on \"%s\", which does not exist%s%s%s", slug, name,
			nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	}
}

/* One monitor on the path that is being walked. */
struct step {
	size_t monitor;
	const cJSON *parent; /* which of its parents is being walked */
};

static void say_circle(struct crossing *c, const struct step *path, size_t length, size_t back)
{
	struct text text = TEXT_INIT;
	size_t from = length - 1;

	if (c->r->error_count > CIRCLES_MAX)
		return;
	while (path[from].monitor != back)
		from--;
	for (size_t i = from; i < length; i++)
		text_printf(&text, "%s -> ", c->nodes[path[i].monitor]->string);
	text_raw(&text, c->nodes[back]->string);
	if (length - from > 1) /* on itself: said already */
		mistake_at(c->r, effective(c, path[length - 1].monitor, "depends_on"), AT_VALUE,
			"monitors depend on each other in a circle: %s", text_str(&text));
	text_free(&text);
}

enum { UNSEEN, ON_PATH, CLEARED };

/* Walks upwards from one monitor, without recursion: a chain may be as long as there are monitors. */
static void walk_up(struct crossing *c, size_t start, unsigned char *marks, struct step *path)
{
	size_t length = 1;

	path[0] = (struct step){start, NULL};
	marks[start] = ON_PATH;
	while (length) {
		struct step *step = &path[length - 1];
		const struct named *parent;

		step->parent = next_string(c, step->monitor, "depends_on", step->parent);
		if (!step->parent) {
			marks[step->monitor] = CLEARED;
			length--;
			continue;
		}
		parent = named_find(c->all, c->count, step->parent->valuestring);
		if (!parent || marks[parent->index] == CLEARED)
			continue;
		if (marks[parent->index] == ON_PATH) {
			say_circle(c, path, length, parent->index);
			continue;
		}
		marks[parent->index] = ON_PATH;
		path[length++] = (struct step){parent->index, NULL};
	}
}

static void check_dependencies(struct crossing *c)
{
	unsigned char *marks = mem_array(c->count + 1, 1);
	struct step *path = mem_array(c->count + 1, sizeof(path[0]));

	for (size_t i = 0; i < c->count; i++)
		check_parents(c, i);
	for (size_t i = 0; i < c->count; i++)
		if (marks[i] == UNSEEN)
			walk_up(c, i, marks, path);
	free(marks);
	free(path);
}

/* ---- what must be unique */

/* Gathers (value, monitor) pairs, sorts them, and complains where neighbours are equal. */
struct gathered {
	struct named *at;
	size_t n;
};

static void gather(struct gathered *g, const char *value, size_t monitor)
{
	g->at = mem_grow(g->at, g->n + 1, sizeof(g->at[0]));
	g->at[g->n++] = (struct named){.name = value, .index = monitor};
}

static void check_unique(struct crossing *c, struct gathered *g, const char *key, const char *text)
{
	if (g->n)
		named_sort(g->at, g->n);
	for (size_t i = 1; i < g->n; i++) {
		size_t one = g->at[i - 1].index, other = g->at[i].index, later = one > other ? one : other;

		if (strcmp(g->at[i - 1].name, g->at[i].name) == 0 && one != other)
			mistake_at(c->r, effective(c, later, key), AT_VALUE,
				"monitors \"%s\" and \"%s\" have the same %s",
				c->nodes[one < other ? one : other]->string, c->nodes[later]->string, text);
	}
	free(g->at);
}

static bool is_heartbeat(const struct crossing *c, size_t i)
{
	const char *type = cJSON_GetStringValue(effective(c, i, "type"));
	const struct check_type *row = type ? check_type_by_name(type) : NULL;

	return row && row->passive;
}

static void check_heartbeats(struct crossing *c)
{
	struct gathered secrets = {NULL, 0}, tokens = {NULL, 0};

	for (size_t i = 0; i < c->count; i++) {
		const cJSON *value = NULL;

		while (is_heartbeat(c, i) && (value = next_string(c, i, "secret", value)))
			gather(&secrets, value->valuestring, i);
		if (is_heartbeat(c, i) && (value = next_string(c, i, "token", NULL)))
			gather(&tokens, value->valuestring, i);
	}
	check_unique(c, &secrets, "secret", "secret: one could beat in the name of the other");
	check_unique(c, &tokens, "token", "token");
}

/* ---- witnesses */

static bool host_and_port(const char *s)
{
	struct text url = TEXT_INIT, why = TEXT_INIT;
	const char *colon = strrchr(s, ':');
	bool good;

	text_printf(&url, "http://%s", s);
	good = colon && colon[1] && !strpbrk(s, "/?#") && field_url_valid(text_str(&url), &why);
	text_free(&why);
	text_free(&url);
	return good;
}

static void check_witness(struct crossing *c, const cJSON *node)
{
	const char *s = node->valuestring;
	struct text why = TEXT_INIT;

	if (strstr(s, "://")) {
		if (!field_url_valid(s, &why))
			mistake_at(c->r, node, AT_VALUE, "this witness %s", text_str(&why));
	} else if (!host_and_port(s) && !named_find(c->all, c->count, s)) {
		mistake_at(
			c->r, node, AT_VALUE, "a witness must be a URL, host:port or the slug of a monitor");
	}
	text_free(&why);
}

static void check_witnesses(struct crossing *c)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(c->r->root, "witnesses"), *entry = NULL;

	while (list && (entry = field_entry(list, entry)))
		if (cJSON_IsString(entry) && entry->valuestring[0])
			check_witness(c, entry);
}

void cross_check(struct reading *r)
{
	const cJSON *monitors = cJSON_GetObjectItemCaseSensitive(r->root, "monitors"), *node;
	struct crossing c = {.r = r};

	if (!cJSON_IsObject(monitors))
		monitors = NULL;
	c.all = named_index(monitors, &c.count);
	c.nodes = mem_array(c.count + 1, sizeof(c.nodes[0]));
	c.count = 0;
	cJSON_ArrayForEach(node, monitors)
		c.nodes[c.count++] = node;
	check_dependencies(&c);
	check_heartbeats(&c);
	check_witnesses(&c);
	free(c.all);
	free(c.nodes);
}
