/* SPDX-License-Identifier: ISC */
/*
 * site: freeing what site.h describes.
 */
#include "model/site.h"

#include <stdlib.h>
#include <string.h>

#include "model/monitor.h"

static void keys_free(struct api_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(keys[i].name);
	free(keys);
}

static void peer_keys_free(struct peer_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(keys[i].name);
		free(keys[i].url);
		if (keys[i].secret)
			sign_wipe(keys[i].secret, strlen(keys[i].secret));
		free(keys[i].secret);
	}
	free(keys);
}

static void channels_free(struct channel_label *channels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(channels[i].name);
		free(channels[i].type);
	}
	free(channels);
}

void site_clear(struct site *site)
{
	free(site->title);
	free(site->url);
	free(site->logo);
	free(site->timezone);
	free(site->me);
	strings_free(site->operators, site->operator_count);
	keys_free(site->keys, site->key_count);
	peer_keys_free(site->peer_keys, site->peer_count);
	channels_free(site->channels, site->channel_count);
	strings_free(site->maintenance, site->maintenance_count);
	*site = (struct site){0};
}

void problem_clear(struct problem *problem)
{
	free(problem->file);
	free(problem->text);
	*problem = (struct problem){0};
}
