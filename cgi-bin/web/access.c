/* SPDX-License-Identifier: ISC */
/*
 * Who may see and do what. See access.h; nothing else decides it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "web/access.h"

/* Every key is compared, whichever matches, so that time tells nothing. Only hashes are stored. */
static const struct api_key *find_key(const struct site *site, const char *sent)
{
	const struct api_key *found = NULL;
	uint8_t hash[SHA256_BYTES];
	size_t i;

	sign_sha256(sent, strlen(sent), hash);
	for (i = 0; i < site->key_count; i++)
		if (sign_equal(site->keys[i].hash, hash, sizeof(hash)))
			found = &site->keys[i];
	return found;
}

/* The key that came with the request, in any of the places where clients put one; the caller frees. */
static char *sent_key(const struct request *req)
{
	const char *header = request_header(req, "X-Api-Key");
	const char *authorization = request_header(req, "Authorization");

	if (header != NULL && *header != '\0')
		return mem_str(header);
	if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0)
		return mem_str(authorization + 7 + strspn(authorization + 7, " "));
	return request_form(req, "api_key");
}

static bool is_operator(const struct site *site, const char *person)
{
	size_t i;

	for (i = 0; i < site->operator_count; i++)
		if (strcmp(site->operators[i], person) == 0)
			return true;
	return site->operator_count == 0;
}

void access_asker(const struct request *req, const struct site *site, struct asker *out)
{
	char *key = NULL;
	const struct api_key *row = NULL;

	memset(out, 0, sizeof(*out));
	out->kind = ASKER_VISITOR;
	out->sees_all = site->anonymous == ANONYMOUS_ALL;
	out->sees_public = site->anonymous != ANONYMOUS_NONE;
	if (req->person != NULL) {
		out->kind = ASKER_PERSON;
		out->name = req->person;
		out->sees_all = out->sees_public = true;
		out->operates = is_operator(site, req->person);
		return;
	}
	key = sent_key(req);
	if (key != NULL)
		row = find_key(site, key);
	free(key);
	if (row != NULL && !row->may_ping && !row->may_hook) { /* a key that stands in an address is no key here */
		out->kind = ASKER_KEY;
		out->name = row->name;
		out->sees_all = out->sees_public = true;
		out->operates = row->may_write;
	}
}

bool access_may(const struct asker *asker, enum may what)
{
	switch (what) {
	case MAY_ANYONE:
		return true;
	case MAY_VIEW:
		return asker->sees_all || asker->sees_public;
	case MAY_OPERATE:
		return asker->operates;
	}
	return false;
}

bool access_sees(const struct asker *asker, const struct monitor *monitor)
{
	return asker->sees_all || (asker->sees_public && monitor->is_public);
}
