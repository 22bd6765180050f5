/* SPDX-License-Identifier: ISC */
/* headers: see headers.h. */
#include "prober/net/headers.h"

#include <ctype.h>
#include <string.h>

#include "prober/field.h"

bool headers_valid(const void *value, struct text *why)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";
	const struct map *map = value;

	for (size_t i = 0; i < map->n; i++) {
		const char *name = map->names[i];
		bool good = name[0] != '\0';

		for (const char *c = name; *c; c++)
			good = good && (isalnum((unsigned char)*c) || strchr(extra, *c));
		for (const char *c = map->values[i]; *c; c++)
			good = good && ((unsigned char)*c >= ' ' || *c == '\t') && *c != 0x7f;
		if (!good) {
			text_raw(why, "must hold header names and values that can be sent");
			return false;
		}
	}
	return true;
}
