/* SPDX-License-Identifier: ISC */
/* Addresses: up to six lines are what a server says of one request; the last is a query and an Accept. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_split(char *const field[6])
{
	static const char *const programs[] = {"upbeat.fcgi", NULL};
	struct uri_facts facts = {field[0], field[1], field[2], field[3], field[4], programs};
	struct uri uri;

	uri_split(&facts, &uri);
	if (uri.path[0] != '/' || strstr(uri.path, "//") != NULL || strstr(uri.mount, "//") != NULL)
		abort();
	if (uri.mount[0] != '\0' && (uri.mount[0] != '/' || uri.mount[strlen(uri.mount) - 1] == '/'))
		abort();
	if (uri.bad == NULL && (strstr(uri.path, "/../") != NULL || (uri.staff && strchr(field[0] ? field[0] : "", 's') == NULL)))
		abort();
	uri_clear(&uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_strn((const char *)data, size), *field[6] = {NULL}, *at = copy, *value;
	size_t i;

	for (i = 0; i < 6 && at != NULL; i++) {
		field[i] = at;
		at = strchr(at, '\n');
		if (at != NULL)
			*at++ = '\0';
	}
	check_split(field);
	if (field[5] != NULL) {
		uri_accepts_html(field[5]);
		value = uri_query(field[5], strlen(field[5]), "rid");
		free(value);
	}
	free(copy);
	return 0;
}
