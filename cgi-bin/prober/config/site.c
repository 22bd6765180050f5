/* SPDX-License-Identifier: ISC */
/*
 * site: everything at the top of upbeat.json but the monitors: who may see what, channels, keys,
 * peers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define API_KEY_SHORT 16 /* bytes; below this a key can be guessed */

static const cJSON *top(const struct reading *r, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(r->root, name);
}

/* ---- channels */

static const char *channel_type_nearest(const char *name)
{
	const char *names[64];
	size_t n = 0;

	for (; n < COUNT_OF(names) && channel_types[n]; n++)
		names[n] = channel_types[n]->name;
	return text_nearest(name, names, n);
}

static void say_no_type(struct reading *r, const cJSON *type, const char *nearest, const char *what)
{
	mistake_at(r, type, AT_VALUE, "%s: there is no type \"%s\"%s%s%s", what, type->valuestring,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* All its fields together, when each of them is right. */
static void channel_validate(
	struct reading *r, const cJSON *node, const struct channel_type *type, const char *what)
{
	void *options = mem_alloc(type->options_size);
	struct text why = TEXT_INIT;
	struct error err;

	if (!fields_load(type->fields, type->field_count, node, options, &err))
		mistake_at(r, node, AT_KEY, "%s: %s", what, err.text);
	else if (type->validate && !type->validate(options, &why))
		mistake_at(r, node, AT_KEY, "%s: %s", what, text_str(&why));
	fields_clear(type->fields, type->field_count, options);
	free(options);
	text_free(&why);
}

static void channel_check(struct reading *r, const cJSON *node, const char *what)
{
	const cJSON *type_node = cJSON_GetObjectItemCaseSensitive(node, "type");
	const char *name = cJSON_GetStringValue(type_node);
	const struct channel_type *type = name ? channel_type_by_name(name) : NULL;
	struct rows rows[2] = {channel_rows};
	size_t before = r->error_count;

	if (name && !type)
		say_no_type(r, type_node, channel_type_nearest(name), what);
	if (!type) {
		if (!name)
			mistake_at(r, type_node ? type_node : node, type_node ? AT_VALUE : AT_KEY,
				"%s: \"type\" must say what kind of channel it is", what);
		return;
	}
	rows[1] = (struct rows){type->fields, type->field_count};
	object_check(r, node, NULL, rows, 2, what);
	if (r->error_count == before)
		channel_validate(r, node, type, what);
}

static bool plain_name(const char *s)
{
	return *s && strlen(s) <= 64 && text_utf8_valid(s, strlen(s)) && !strpbrk(s, "\r\n\t\"\\");
}

static void channels_check(struct reading *r)
{
	const cJSON *channels = top(r, "channels"), *node;

	if (!cJSON_IsObject(channels))
		return;
	cJSON_ArrayForEach(node, channels) {
		struct text what = TEXT_INIT;

		text_printf(&what, "channel \"%s\"", node->string);
		if (!plain_name(node->string))
			mistake_at(r, node, AT_KEY, "%s: a name has 1 to 64 bytes, without quotes",
				text_str(&what));
		if (cJSON_IsObject(node))
			channel_check(r, node, text_str(&what));
		else
			mistake_at(r, node, AT_VALUE, "%s must be an object: {...}", text_str(&what));
		text_free(&what);
	}
	r->channels = named_index(channels, &r->channel_count);
}

void channel_must_exist(struct reading *r, const cJSON *node, const char *name)
{
	const char *nearest;

	if (r->incomplete || named_find(r->channels, r->channel_count, name))
		return;
	nearest = named_nearest(r, r->channels, r->channel_count, name);
	mistake_at(r, node, AT_VALUE, "there is no channel \"%s\"%s%s%s", name,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* ---- keys */

/* It stands in an address. */
static void check_hook_key(struct reading *r, const cJSON *node, const cJSON *value, const char *key)
{
	const char *may = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, "may"));

	if (may && strcmp(may, "hook") == 0 && !monitor_token_valid(key, strlen(key)))
		mistake_at(r, value, AT_VALUE,
			"the key \"%s\" stands in an address: it must have 8 to 64 of A-Z a-z 0-9 _ -", node->string);
}

static void api_keys_check(struct reading *r)
{
	const cJSON *keys = top(r, "api_keys"), *node, *other;

	cJSON_ArrayForEach(node, keys) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(node, "key");
		const char *key = cJSON_GetStringValue(value);

		if (!key)
			continue;
		if (strlen(key) < API_KEY_SHORT)
			warning_at(r, value, AT_VALUE,
				"the key \"%s\" is shorter than %d characters: it can be guessed",
				node->string, API_KEY_SHORT);
		check_hook_key(r, node, value, key);
		for (other = keys->child; other != node; other = other->next) {
			const char *before =
				cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(other, "key"));

			if (before && strcmp(before, key) == 0)
				mistake_at(r, value, AT_VALUE, "the keys \"%s\" and \"%s\" are the same",
					other->string, node->string);
		}
	}
}

void site_check(struct reading *r)
{
	object_check(r, r->root, NULL, &top_rows, 1, "");
	channels_check(r);
	api_keys_check(r);
	windows_check(r, top(r, "maintenance"));
}

/* ---- what is published of it */

static void build_keys(struct site *site, const cJSON *keys)
{
	const cJSON *node;

	site->keys = mem_array((size_t)cJSON_GetArraySize(keys) + 1, sizeof(site->keys[0]));
	cJSON_ArrayForEach(node, keys) {
		struct api_key *key = &site->keys[site->key_count++];
		struct api_key_options options = {0};

		fields_load(api_key_rows.fields, api_key_rows.n, node, &options, NULL);
		key->name = mem_str(node->string);
		key->may_write = strcmp(options.may, "write") == 0;
		key->may_ping = strcmp(options.may, "ping") == 0;
		key->may_hook = strcmp(options.may, "hook") == 0;
		sign_sha256(options.key, strlen(options.key), key->hash);
		fields_clear(api_key_rows.fields, api_key_rows.n, &options);
	}
}

static void build_peers(struct site *site, const cJSON *peers)
{
	const cJSON *node;

	site->peer_keys = mem_array((size_t)cJSON_GetArraySize(peers) + 1, sizeof(site->peer_keys[0]));
	cJSON_ArrayForEach(node, peers) {
		struct peer_options options = {0};

		fields_load(peer_rows.fields, peer_rows.n, node, &options, NULL);
		site->peer_keys[site->peer_count++] =
			(struct peer_key){mem_str(node->string), options.url, options.secret};
	}
}

static void build_channels(struct site *site, const cJSON *channels)
{
	const cJSON *node;

	site->channels = mem_array((size_t)cJSON_GetArraySize(channels) + 1, sizeof(site->channels[0]));
	cJSON_ArrayForEach(node, channels)
		site->channels[site->channel_count++] = (struct channel_label){
			.name = mem_str(node->string),
			.type = mem_str(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, "type"))),
		};
}

static void build_retention(struct site *site, const cJSON *retention)
{
	struct retention_options options = {0};

	fields_load(retention_rows.fields, retention_rows.n, retention, &options, NULL);
	site->retain_samples_s = options.samples_ms / 1000;
	site->retain_timings_s = options.timings_ms / 1000;
	site->retain_hours_s = options.hours_ms / 1000;
}

static enum anonymous anonymous_of(const char *name)
{
	if (strcmp(name, "all") == 0)
		return ANONYMOUS_ALL;
	return strcmp(name, "none") == 0 ? ANONYMOUS_NONE : ANONYMOUS_PUBLIC;
}

static void build_plain(struct site *site, const cJSON *top_object)
{
	struct top_options options = {0};

	fields_load(top_rows.fields, top_rows.n, top_object, &options, NULL);
	site->title = mem_str(options.title);
	site->url = mem_str(options.url);
	site->logo = mem_str(options.logo);
	site->me = mem_str(options.me);
	site->language = language_parse(options.language);
	site->timezone = mem_str(options.timezone);
	site->anonymous = anonymous_of(options.anonymous);
	site->operators = options.operators.at;
	site->operator_count = options.operators.n;
	options.operators = (struct strings){NULL, 0};
	fields_clear(top_rows.fields, top_rows.n, &options);
}

/* What the prober itself needs of the top: everything but the large sections, with the defaults filled in. */
static cJSON *private_top(const struct reading *r)
{
	cJSON *out = cJSON_CreateObject();

	for (size_t i = 0; i < top_rows.n; i++) {
		const struct field *field = &top_rows.fields[i];
		const cJSON *value = top(r, field->name);

		if (field->type == FIELD_NAMED && !field->inner)
			continue;
		if (strcmp(field->name, "defaults") == 0)
			continue;
		if (value)
			cJSON_AddItemToObject(out, field->name, cJSON_Duplicate(value, 1));
		else if (field->fallback)
			cJSON_AddItemToObject(out, field->name, field_fallback(field));
	}
	return out;
}

void site_build(struct reading *r)
{
	struct site *site = &r->config->publication.site;
	cJSON *plain = private_top(r);

	build_plain(site, plain);
	build_keys(site, top(r, "api_keys"));
	build_peers(site, top(r, "peers"));
	build_channels(site, top(r, "channels"));
	build_retention(site, top(r, "retention"));
	site->maintenance = windows_build(top(r, "maintenance"), &site->maintenance_count);
	site->monitors = r->config->publication.monitor_count;
	cJSON_AddItemToObject(r->config->privates, "channels",
		top(r, "channels") ? cJSON_Duplicate(top(r, "channels"), 1) : cJSON_CreateObject());
	cJSON_AddItemToObject(r->config->privates, "top", plain);
}
