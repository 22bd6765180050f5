/* SPDX-License-Identifier: ISC */
/*
 * monitors: "defaults" and "monitors". Each monitor is checked against two sets of rows, those of
 * every monitor and those of its type; where it does not give a key, the default counts. From the checked
 * values the monitor is built that both programs know.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/check/heartbeat.h"
#include "prober/config/reading.h"

/* ---- defaults */

/* Some row of this name that takes the value, or else any row of this name; NULL when no type has it. */
static const struct field *default_row(const cJSON *value)
{
	const struct field *field = fields_find(monitor_rows.fields, monitor_rows.n, value->string),
			   *any = field;

	for (size_t i = 0; check_types[i] && !field; i++) {
		const struct field *row =
			fields_find(check_types[i]->fields, check_types[i]->field_count, value->string);
		struct text why = TEXT_INIT;
		int64_t scratch[8] = {0};

		if (row && field_is_secret(row))
			field = row;
		else if (row && field_read(row, value, scratch, &why)) {
			field_clear(row, scratch);
			field = row;
		}
		any = any ? any : row;
		text_free(&why);
	}
	return field ? field : any;
}

static const char *default_nearest(const char *name)
{
	struct rows rows[65] = {monitor_rows};
	size_t n = 1;

	for (; check_types[n - 1] && n < COUNT_OF(rows); n++)
		rows[n] = (struct rows){check_types[n - 1]->fields, check_types[n - 1]->field_count};
	return rows_nearest(rows, n, name);
}

static void defaults_check(struct reading *r)
{
	cJSON *value;

	r->defaults = cJSON_GetObjectItemCaseSensitive(r->root, "defaults");
	if (!cJSON_IsObject(r->defaults))
		r->defaults = NULL;
	cJSON_ArrayForEach(value, r->defaults) {
		const struct field *field = default_row(value);

		if (field)
			value_check(r, field, value, "defaults");
		else
			unknown_key(r, value, default_nearest(value->string), "defaults");
	}
}

/* ---- one monitor, checked */

/* One being looked at: its node, its type, both sets of rows. */
struct subject {
	const cJSON *node;
	const struct check_type *type;
	struct rows rows[2];
	char *what; /* monitor "shop" */
};

static const cJSON *effective(const struct reading *r, const struct subject *s, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(s->node, name);

	return value ? value : cJSON_GetObjectItemCaseSensitive(r->defaults, name);
}

static const char *check_type_nearest(const char *name)
{
	const char *names[64];
	size_t n = 0;

	for (; n < COUNT_OF(names) && check_types[n]; n++)
		names[n] = check_types[n]->name;
	return text_nearest(name, names, n);
}

static bool find_type(struct reading *r, struct subject *s)
{
	const cJSON *node = effective(r, s, "type");
	const char *name = cJSON_GetStringValue(node), *nearest;

	s->type = name ? check_type_by_name(name) : NULL;
	if (s->type)
		return true;
	if (!name) {
		mistake_at(r, node ? node : s->node, node ? AT_VALUE : AT_KEY,
			"%s: \"type\" must say what kind of monitor it is", s->what);
		return false;
	}
	nearest = check_type_nearest(name);
	mistake_at(r, node, AT_VALUE, "%s: there is no type \"%s\"%s%s%s", s->what, name,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	return false;
}

/* Without its type, what is common to all can be checked still. */
static void check_common(struct reading *r, const struct subject *s)
{
	cJSON *value;

	cJSON_ArrayForEach(value, s->node) {
		const struct field *field = fields_find(monitor_rows.fields, monitor_rows.n, value->string);

		if (field && strcmp(field->name, "type") != 0)
			value_check(r, field, value, s->what);
	}
}

static void check_notify(struct reading *r, const struct subject *s)
{
	const cJSON *notify = effective(r, s, "notify"), *entry = NULL;

	while (notify && (entry = field_entry(notify, entry))) {
		const cJSON *channel =
			cJSON_IsObject(entry) ? cJSON_GetObjectItemCaseSensitive(entry, "channel") : entry;

		if (cJSON_IsString(channel) && channel->valuestring[0])
			channel_must_exist(r, channel, channel->valuestring);
	}
}

static void check_confirm(struct reading *r, const struct subject *s, const struct monitor_options *o)
{
	const cJSON *at = effective(r, s, "confirm_waits") ? effective(r, s, "confirm_waits")
			  : effective(r, s, "confirm")     ? effective(r, s, "confirm")
							   : s->node;

	if (o->confirm_waits_ms.n > CONFIRM_WAITS_MAX)
		mistake_at(r, at, AT_VALUE, "%s: there can be at most %d \"confirm_waits\"", s->what,
			CONFIRM_WAITS_MAX);
	else if (o->confirm > (int64_t)o->confirm_waits_ms.n + 1)
		mistake_at(r, at, AT_VALUE,
			"%s: %lld bad results (\"confirm\") need at least %lld \"confirm_waits\"", s->what,
			(long long)o->confirm, (long long)o->confirm - 1);
}

/* ---- built */

static char **take_strings(struct strings *list, size_t *n)
{
	char **at = list->at;

	*n = list->n;
	*list = (struct strings){NULL, 0};
	return at;
}

static unsigned events_of(const struct strings *names)
{
	unsigned events = 0;
	enum event_kind kind;

	for (size_t i = 0; i < names->n; i++)
		if (event_parse(names->at[i], &kind))
			events |= EVENT_BIT(kind);
	return names->n ? events : EVENTS_DEFAULT;
}

static void build_notify(struct monitor *m, const cJSON *notify)
{
	const cJSON *entry = NULL;

	while (notify && (entry = field_entry(notify, entry))) {
		struct notify_options o = {0};

		if (cJSON_IsObject(entry))
			fields_load(notify_rows.fields, notify_rows.n, entry, &o, NULL);
		else
			o.channel = mem_str(entry->valuestring);
		m->notify = mem_grow(m->notify, m->notify_count + 1, sizeof(m->notify[0]));
		m->notify[m->notify_count++] = (struct notify_rule){
			.channel = mem_str(o.channel),
			.after_ms = o.after_ms,
			.repeat_ms = o.repeat_ms,
			.events = events_of(&o.events),
			.hours = mem_str(o.hours),
		};
		fields_clear(notify_rows.fields, notify_rows.n, &o);
	}
}

static void add_source(struct monitor *m, const char *from, const cJSON *name)
{
	struct text called = TEXT_INIT;

	if (cJSON_IsNumber(name))
		text_printf(&called, "%.0f", name->valuedouble);
	else
		text_raw(&called, name->valuestring);
	m->sources = mem_grow(m->sources, m->source_count + 1, sizeof(m->sources[0]));
	m->sources[m->source_count++] = (struct monitor_source){mem_str(from), text_take(&called)};
}

static void build_sources(struct monitor *m, const cJSON *sources)
{
	const cJSON *node, *name;

	cJSON_ArrayForEach(node, sources) {
		if (!cJSON_IsArray(node))
			add_source(m, node->string, node);
		cJSON_ArrayForEach(name, node)
			add_source(m, node->string, name);
	}
}

/* "places": [] */
static void only_here(const struct reading *r, struct monitor *m)
{
	const char *me = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->root, "me"));

	free(m->places);
	m->places = mem_array(1, sizeof(m->places[0]));
	m->places[m->place_count++] = mem_str(me ? me : "");
}

static void build_common(
	struct reading *r, const struct subject *s, struct monitor_options *o, struct monitor *m)
{
	m->slug = mem_str(s->node->string);
	m->type = mem_str(s->type->name);
	m->name = mem_str(o->name && *o->name ? o->name : m->slug);
	m->group = mem_str(o->group);
	m->tags = take_strings(&o->tags, &m->tag_count);
	m->is_public = o->is_public;
	m->paused = o->paused;
	m->interval_ms = o->interval_ms;
	m->timeout_ms = o->timeout_ms;
	m->confirm = (unsigned)o->confirm;
	for (size_t i = 0; i < o->confirm_waits_ms.n && i < CONFIRM_WAITS_MAX; i++)
		m->confirm_waits_ms[m->confirm_wait_count++] = o->confirm_waits_ms.at[i];
	m->recover = (unsigned)o->recover;
	m->recover_wait_ms = o->recover_wait_ms;
	m->slow_ms = o->slow_ms;
	m->depends_on = take_strings(&o->depends_on, &m->depends_count);
	m->runbook = mem_str(o->runbook);
	m->quorum = o->quorum;
	m->places = take_strings(&o->places, &m->place_count);
	if (m->place_count == 0 && effective(r, s, "places"))
		only_here(r, m);
	build_sources(m, effective(r, s, "sources"));
	build_notify(m, effective(r, s, "notify"));
	m->maintenance = windows_build(effective(r, s, "maintenance"), &m->maintenance_count);
}

/* The one type whose rules the web program applies itself, so they are published as what they are. */
static struct heartbeat_rules *build_heartbeat(const struct reading *r, const void *options)
{
	struct heartbeat_rules *rules = MEM_NEW(struct heartbeat_rules);
	const char *zone = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->root, "timezone"));

	heartbeat_rules_make(options, zone ? zone : "UTC", rules);
	return rules;
}

/* What must not be published, for the pass: privates_read(). */
static void keep_secrets(struct reading *r, const struct subject *s, cJSON *monitors)
{
	cJSON *secrets = NULL;

	for (size_t i = 0; i < s->type->field_count; i++) {
		const struct field *field = &s->type->fields[i];
		const cJSON *value = field_is_secret(field) ? effective(r, s, field->name) : NULL;

		if (!value)
			continue;
		if (!secrets)
			secrets = cJSON_CreateObject();
		cJSON_AddItemToObject(secrets, field->name, cJSON_Duplicate(value, 1));
	}
	if (secrets)
		cJSON_AddItemToObject(monitors, s->node->string, secrets);
}

static bool build_type(struct reading *r, const struct subject *s, struct monitor *m)
{
	const struct check_type *type = s->type;
	void *options = mem_alloc(type->options_size);
	struct text text = TEXT_INIT;
	struct error err;
	bool good = fields_load_both(type->fields, type->field_count, s->node, r->defaults, options, &err);

	if (!good)
		mistake_at(r, s->node, AT_KEY, "%s: %s", s->what, err.text);
	else if (type->validate && !type->validate(options, &text)) {
		mistake_at(r, s->node, AT_KEY, "%s: %s", s->what, text_str(&text));
		good = false;
	}
	if (good) {
		fields_print(type->fields, type->field_count, options, &text);
		m->options = text_take(&text);
		if (type->passive)
			m->heartbeat = build_heartbeat(r, options);
		else
			keep_secrets(r, s, cJSON_GetObjectItemCaseSensitive(r->config->privates, "monitors"));
	}
	fields_clear(type->fields, type->field_count, options);
	free(options);
	text_free(&text);
	return good;
}

/* Are the values of these rows there and right, those that are the defaults' too? What is not was told. */
static bool rows_good(const struct reading *r, const struct subject *s, const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		const cJSON *value = effective(r, s, rows->fields[i].name);
		const struct place *place = value ? place_of(r, value) : NULL;

		if (value ? place && place->failed : rows->fields[i].required)
			return false;
	}
	return true;
}

/* Loads the checked values. Each half looks at what belongs together in it even when the other has a
   mistake, so that all is told in one run. */
static bool monitor_build(struct reading *r, const struct subject *s, struct monitor *m)
{
	struct monitor_options o = {0};
	size_t before = r->error_count;
	bool common = rows_good(r, s, &s->rows[0]) &&
		      fields_load_both(monitor_rows.fields, monitor_rows.n, s->node, r->defaults, &o, NULL);

	if (common) {
		check_confirm(r, s, &o);
		build_common(r, s, &o, m);
		fields_clear(monitor_rows.fields, monitor_rows.n, &o);
	}
	return rows_good(r, s, &s->rows[1]) && build_type(r, s, m) && common && r->error_count == before;
}

/* ---- all of them */

static bool monitor_check(struct reading *r, struct subject *s, struct monitor *m)
{
	size_t before = r->error_count;

	if (!monitor_slug_valid(s->node->string, strlen(s->node->string)))
		mistake_at(r, s->node, AT_KEY,
			"%s: a slug has 1 to 64 of a-z 0-9 . _ -, begins with a letter or "
			"digit, and is not start, fail or log",
			s->what);
	if (!cJSON_IsObject(s->node)) {
		mistake_at(r, s->node, AT_VALUE, "%s must be an object: {...}", s->what);
		return false;
	}
	check_notify(r, s);
	windows_check(r, effective(r, s, "maintenance"));
	if (find_type(r, s)) {
		s->rows[0] = monitor_rows;
		s->rows[1] = (struct rows){s->type->fields, s->type->field_count};
		object_check(r, s->node, r->defaults, s->rows, 2, s->what);
		return monitor_build(r, s, m) && r->error_count == before;
	}
	check_common(r, s);
	return false;
}

void monitors_check(struct reading *r)
{
	const cJSON *monitors = cJSON_GetObjectItemCaseSensitive(r->root, "monitors"), *node;
	struct publication *publication = &r->config->publication;
	size_t n = cJSON_IsObject(monitors) ? (size_t)cJSON_GetArraySize(monitors) : 0;

	defaults_check(r);
	publication->monitors = mem_array(n + 1, sizeof(publication->monitors[0]));
	cJSON_AddObjectToObject(r->config->privates, "monitors");
	for (node = n ? monitors->child : NULL; node; node = node->next) {
		struct text what = TEXT_INIT;
		struct subject subject = {.node = node};
		struct monitor *m = &publication->monitors[publication->monitor_count];

		text_printf(&what, "monitor \"%s\"", node->string);
		subject.what = text_take(&what);
		if (monitor_check(r, &subject, m)) {
			m->place = publication->monitor_count++;
		} else {
			monitor_clear(m);
			memset(m, 0, sizeof(*m));
		}
		free(subject.what);
	}
	cross_check(r);
}
