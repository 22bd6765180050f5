/* SPDX-License-Identifier: ISC */
/*
 * page_static: GET /static/HASH/NAME: style sheet, script, icons. With the right hash it may be kept for
 * ever; with another one (a page of an older version asks) the present file is given, to be asked for again.
 */
#include "web/pages.h"

#include <string.h>

#include "base/mem.h"
#include "web/asset.h"

#define YEAR_S 31536000

/* Only what browsers fetch: templates are compiled in too, but are nobody's business. */
static const struct {
	const char *ending, *type;
} types[] = {
	{".css", TYPE_CSS},
	{".js", TYPE_JS},
	{".svg", TYPE_SVG},
};

static const char *type_of(const char *name)
{
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < COUNT_OF(types); i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

void page_static(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	const struct asset *asset = asset_find(match->verb);
	const char *type = type_of(match->verb);

	(void)web;
	if (!asset || !type) {
		reply_text(reply, 404, "There is no such file.\n");
		return;
	}
	reply->is_public = true;
	reply->cache_s = strcmp(match->name, asset->hash) == 0 ? YEAR_S : 0;
	if (reply_etag(reply, req, asset->hash, strlen(asset->hash)))
		return;
	reply->type = type;
	text_rawn(&reply->body, asset->bytes, asset->len);
}
