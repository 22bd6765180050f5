/* SPDX-License-Identifier: ISC */
/*
 * asset: the designers' files (cgi-bin/web/html/), compiled in by html/embed.c as rows sorted by name.
 *
 * The hash is of the content. It stands in the URLs of files that browsers fetch, so that such a file may
 * be cached for ever and a changed one has another address.
 */
#ifndef WEB_ASSET_H
#define WEB_ASSET_H

#include <stddef.h>

struct asset {
	const char *name;  /* "style.css" */
	const char *bytes; /* len bytes and a NUL that is not counted */
	size_t len;
	const char *hash;  /* 16 hex digits */
};

extern const struct asset assets[];
extern const size_t asset_count;

/* NULL when there is none of that name. */
const struct asset *asset_find(const char *name);

#endif
