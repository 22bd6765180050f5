/* SPDX-License-Identifier: ISC */
/*
 * config_cross: what concerns several monitors at once: dependencies that exist and go round in no circle,
 * secrets and tokens that belong to one heartbeat only, witnesses. Works on the monitors that are right in
 * themselves, and on the names of all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/config_reading.h"

struct crossing {
	struct reading *r;
	const cJSON *const *nodes; /* of publication.monitors */
	const struct monitor *monitors;
	size_t count;
	struct named *all; /* every name below "monitors", right or wrong */
	size_t all_count;
	struct named *good; /* those of `monitors`; index is into it */
};

/* The node of a monitor's own key or of the default that it uses. */
static const cJSON *key_node(const struct crossing *c, size_t i, const char *key)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(c->nodes[i], key);

	if (!node)
		node = cJSON_GetObjectItemCaseSensitive(c->r->defaults, key);
	return node ? node : c->nodes[i];
}

/* ---- dependencies */

static void check_parents(struct crossing *c, size_t i)
{
	const struct monitor *m = &c->monitors[i];

	for (size_t j = 0; j < m->depends_count; j++) {
		const char *parent = m->depends_on[j], *nearest;
		const cJSON *list = key_node(c, i, "depends_on");
		const cJSON *node = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, (int)j) : list;

		if (strcmp(parent, m->slug) == 0)
			mistake_at(c->r, node, AT_VALUE, "monitor \"%s\" depends on itself", m->slug);
		if (named_find(c->all, c->all_count, parent))
			continue;
		nearest = named_nearest(c->all, c->all_count, parent);
		mistake_at(c->r, node, AT_VALUE,
			"monitor \"%s\" depends on \"%s\", which does not exist%s%s%s", m->slug, parent,
			nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	}
}

/* One monitor on the path that is being walked. */
struct step {
	size_t monitor, next; /* which of its parents is walked next */
};

static void say_circle(struct crossing *c, const struct step *path, size_t length, size_t back)
{
	struct text text = TEXT_INIT;
	size_t from = length - 1;

	while (path[from].monitor != back)
		from--;
	for (size_t i = from; i < length; i++)
		text_printf(&text, "%s -> ", c->monitors[path[i].monitor].slug);
	text_raw(&text, c->monitors[back].slug);
	if (length - from > 1) /* on itself: said already */
		mistake_at(c->r, key_node(c, path[length - 1].monitor, "depends_on"), AT_VALUE,
			"monitors depend on each other in a circle: %s", text_str(&text));
	text_free(&text);
}

enum { UNSEEN, ON_PATH, CLEARED };

/* Walks upwards from one monitor, without recursion: a chain may be as long as there are monitors. */
static void walk_up(struct crossing *c, size_t start, unsigned char *marks, struct step *path)
{
	size_t length = 1;

	path[0] = (struct step){start, 0};
	marks[start] = ON_PATH;
	while (length) {
		struct step *step = &path[length - 1];
		const struct monitor *m = &c->monitors[step->monitor];
		const struct named *parent;

		if (step->next == m->depends_count) {
			marks[step->monitor] = CLEARED;
			length--;
			continue;
		}
		parent = named_find(c->good, c->count, m->depends_on[step->next++]);
		if (!parent || marks[parent->index] == CLEARED)
			continue;
		if (marks[parent->index] == ON_PATH) {
			say_circle(c, path, length, parent->index);
			continue;
		}
		marks[parent->index] = ON_PATH;
		path[length++] = (struct step){parent->index, 0};
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
			mistake_at(c->r, key_node(c, later, key), AT_VALUE,
				"monitors \"%s\" and \"%s\" have the same %s",
				c->monitors[one < other ? one : other].slug, c->monitors[later].slug, text);
	}
	free(g->at);
}

static void check_heartbeats(struct crossing *c)
{
	struct gathered secrets = {NULL, 0}, tokens = {NULL, 0};

	for (size_t i = 0; i < c->count; i++) {
		const struct heartbeat_rules *rules = c->monitors[i].heartbeat;

		for (size_t j = 0; rules && j < rules->secret_count; j++)
			gather(&secrets, rules->secrets[j], i);
		if (rules && rules->token)
			gather(&tokens, rules->token, i);
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
	} else if (!host_and_port(s) && !named_find(c->all, c->all_count, s)) {
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

void cross_check(struct reading *r, const cJSON *const *nodes)
{
	const struct publication *publication = &r->config->publication;
	struct crossing c = {r, nodes, publication->monitors, publication->monitor_count, NULL, 0, NULL};
	const cJSON *monitors = cJSON_GetObjectItemCaseSensitive(r->root, "monitors");

	c.all = named_index(cJSON_IsObject(monitors) ? monitors : NULL, &c.all_count);
	c.good = mem_array(c.count + 1, sizeof(c.good[0]));
	for (size_t i = 0; i < c.count; i++)
		c.good[i] = (struct named){.name = c.monitors[i].slug, .index = i};
	named_sort(c.good, c.count);
	check_dependencies(&c);
	check_heartbeats(&c);
	check_witnesses(&c);
	free(c.all);
	free(c.good);
}
