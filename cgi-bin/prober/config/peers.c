/* SPDX-License-Identifier: ISC */
/*
 * peers: other Upbeats, as upbeat.json names them. Each is watched like anything else, by a monitor
 * "peer.NAME" of the type "peer": where the file has none, it is put there, with what "defaults"
 * says. Without a "notify" there it tells whomever any monitor tells.
 */
#include <string.h>

#include "base/mem.h"
#include "model/sighting.h"
#include "prober/config/reading.h"

#define SECRET_SHORT 16 /* bytes; below this a secret can be guessed */

static const cJSON *top(const struct reading *r, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(r->root, name);
}

/* ---- names and secrets */

static void check_name(struct reading *r, const cJSON *node, const char *me)
{
	const char *name = node->string;

	if (!monitor_slug_valid(name, strlen(name)) || strlen(name) > SLUG_MAX - 5)
		mistake_at(
			r, node, AT_KEY, "the name of a peer must be like a slug: a-z 0-9 . _ -");
	else if (sighting_service(name))
		mistake_at(
			r, node, AT_KEY, "a peer cannot be called \"%s\": that is a service", name);
	else if (me && strcmp(name, me) == 0)
		mistake_at(
			r, node, AT_KEY, "\"%s\" is this one (\"me\"): peers are the others", name);
}

static void check_secret(struct reading *r, const cJSON *node)
{
	const cJSON *secret = cJSON_GetObjectItemCaseSensitive(node, "secret");
	const char *value = cJSON_GetStringValue(secret);

	if (value && strlen(value) < SECRET_SHORT)
		warning_at(r, secret, AT_VALUE,
			"the secret of \"%s\" is shorter than %d characters: it can be guessed",
			node->string, SECRET_SHORT);
}

static void check_url(struct reading *r, const cJSON *node)
{
	const cJSON *url = cJSON_GetObjectItemCaseSensitive(node, "url");
	const char *value = cJSON_GetStringValue(url);

	if (value && value[strcspn(value, "?#")])
		mistake_at(r, url, AT_VALUE, "\"url\" of \"%s\" must be where its Upbeat is mounted, without ? and #",
			node->string);
}

static void check_me(struct reading *r, const cJSON *peers)
{
	const cJSON *node = top(r, "me");
	const char *me = cJSON_GetStringValue(node);

	if (me && !monitor_slug_valid(me, strlen(me)))
		mistake_at(r, node, AT_VALUE, "\"me\" must be like a slug: a-z 0-9 . _ -");
	else if (!node && cJSON_GetArraySize(peers) > 0)
		mistake_at(r, peers, AT_KEY, "with peers, \"me\" must say what they call this one");
}

/* ---- places of monitors */

static bool place_known(const struct reading *r, const char *name)
{
	const char *me = cJSON_GetStringValue(top(r, "me"));

	return cJSON_GetObjectItemCaseSensitive(top(r, "peers"), name) ||
	       (me && strcmp(me, name) == 0);
}

static void check_places(struct reading *r, const cJSON *object, const char *what)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "places"), *entry = NULL;

	while (list && (entry = field_entry(list, entry)))
		if (cJSON_IsString(entry) && !r->incomplete && !place_known(r, entry->valuestring))
			mistake_at(r, entry, AT_VALUE, "%s: there is no peer \"%s\"", what,
				entry->valuestring);
}

/* More than there are can never find it down together: then it is all who can see. */
static void check_quorum(struct reading *r, const cJSON *node, const char *what)
{
	const cJSON *quorum = cJSON_GetObjectItemCaseSensitive(node, "quorum"), *entry = NULL,
		    *places = cJSON_GetObjectItemCaseSensitive(node, "places");
	int count = 1 + cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(node, "sources"));
	const char *me = cJSON_GetStringValue(top(r, "me"));

	if (!places)
		count += cJSON_GetArraySize(top(r, "peers"));
	while (places && (entry = field_entry(places, entry)))
		count += cJSON_IsString(entry) && !(me && strcmp(me, entry->valuestring) == 0);
	if (cJSON_IsNumber(quorum) && quorum->valuedouble > count && !r->incomplete)
		warning_at(r, quorum, AT_VALUE, "%s: \"quorum\" is more than there are places that look at it (%d)",
			what, count);
}

static void check_monitor(struct reading *r, const cJSON *node)
{
	const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, "type"));
	const cJSON *peer = cJSON_GetObjectItemCaseSensitive(node, "peer");
	struct text what = TEXT_INIT;

	text_printf(&what, "monitor \"%s\"", node->string);
	check_places(r, node, text_str(&what));
	check_quorum(r, node, text_str(&what));
	if (type && strcmp(type, "peer") == 0 && cJSON_IsString(peer) && !r->incomplete &&
		!cJSON_GetObjectItemCaseSensitive(top(r, "peers"), peer->valuestring))
		mistake_at(r, peer, AT_VALUE, "%s: there is no peer \"%s\"", text_str(&what),
			peer->valuestring);
	text_free(&what);
}

/* ---- the monitors that watch them */

static void add_channel(cJSON *list, const cJSON *entry)
{
	const cJSON *known, *named = cJSON_IsObject(entry)
					     ? cJSON_GetObjectItemCaseSensitive(entry, "channel")
					     : entry;
	const char *name = cJSON_GetStringValue(named);

	if (!name)
		return;
	cJSON_ArrayForEach(known, list) if (strcmp(known->valuestring, name) == 0) return;
	cJSON_AddItemToArray(list, cJSON_CreateString(name));
}

/* Every channel that a monitor names. */
static cJSON *all_told(const cJSON *monitors)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *monitor;

	cJSON_ArrayForEach(monitor, monitors)
	{
		const cJSON *notify = cJSON_GetObjectItemCaseSensitive(monitor, "notify"),
			    *entry = NULL;

		while (notify && (entry = field_entry(notify, entry)))
			add_channel(list, entry);
	}
	return list;
}

static bool is_watched(const cJSON *monitors, const char *peer)
{
	const cJSON *monitor;

	cJSON_ArrayForEach(monitor, monitors)
	{
		const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(monitor, "type")),
			   *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(monitor, "peer"));

		if (type && name && strcmp(type, "peer") == 0 && strcmp(name, peer) == 0)
			return true;
	}
	return false;
}

static void add_monitor(struct reading *r, cJSON *monitors, const char *peer)
{
	struct text slug = TEXT_INIT, name = TEXT_INIT;
	const cJSON *every = top(r, "peer_every");
	cJSON *node;

	if (is_watched(monitors, peer))
		return;
	text_printf(&slug, "peer.%s", peer);
	text_printf(&name, "Upbeat %s", peer);
	node = cJSON_GetObjectItemCaseSensitive(monitors, text_str(&slug));
	if (node) {
		mistake_at(r, node, AT_KEY, "monitor \"%s\" must be of the type \"peer\" (\"peer\": \"%s\"), or be called"
			" something else", node->string, peer);
	} else {
		node = cJSON_CreateObject();
		cJSON_AddStringToObject(node, "type", "peer");
		cJSON_AddStringToObject(node, "peer", peer);
		cJSON_AddStringToObject(node, "name", text_str(&name));
		cJSON_AddStringToObject(node, "group", "Upbeat");
		cJSON_AddBoolToObject(node, "public", false);
		cJSON_AddItemToObject(node, "interval",
			every ? cJSON_Duplicate(every, 1) : cJSON_CreateString("1m"));
		cJSON_AddNumberToObject(node, "confirm", 1);
		cJSON_AddItemToObject(node, "confirm_waits", cJSON_CreateArray());
		cJSON_AddNumberToObject(node, "recover", 1);
		cJSON_AddItemToObject(node, "depends_on", cJSON_CreateArray());
		if (!cJSON_GetObjectItemCaseSensitive(top(r, "defaults"), "notify"))
			cJSON_AddItemToObject(node, "notify", all_told(monitors));
		cJSON_AddItemToObject(monitors, text_str(&slug), node);
	}
	text_free(&slug);
	text_free(&name);
}

void peers_check(struct reading *r)
{
	const cJSON *peers = top(r, "peers"), *node;
	const char *me = cJSON_GetStringValue(top(r, "me"));
	cJSON *monitors = cJSON_GetObjectItemCaseSensitive(r->root, "monitors");

	if (!cJSON_IsObject(peers))
		peers = NULL;
	check_me(r, peers);
	cJSON_ArrayForEach(node, peers)
	{
		check_name(r, node, me);
		check_secret(r, node);
		check_url(r, node);
	}
	check_places(r, top(r, "defaults"), "defaults");
	cJSON_ArrayForEach(node, monitors) if (cJSON_IsObject(node)) check_monitor(r, node);
	if (!monitors && peers)
		monitors = cJSON_AddObjectToObject(r->root, "monitors");
	if (!cJSON_IsObject(monitors) || r->error_count)
		return;
	cJSON_ArrayForEach(node, peers) add_monitor(r, monitors, node->string);
}
