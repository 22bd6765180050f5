/* SPDX-License-Identifier: ISC */
/* Addresses: up to six lines are what a server says of one request; the last is a query and an Accept. */
#include "base/mem.h"
#include "web/uri.h"
#include "fuzz.h"

static void check_split(char *const field[6])
{
	static const char *const programs[] = {"upbeat.fcgi", NULL};
	struct uri_facts facts = {field[0], field[1], field[2], field[3], field[4], programs};
	struct uri uri;

	uri_split(&facts, &uri);
	FUZZ_CHECK(uri.path[0] == '/' && strstr(uri.path, "//") == NULL && strstr(uri.mount, "//") == NULL);
	FUZZ_CHECK(uri.mount[0] == '\0' || (uri.mount[0] == '/' && uri.mount[strlen(uri.mount) - 1] != '/'));
	FUZZ_CHECK(uri.bad != NULL || strstr(uri.path, "/../") == NULL);
	FUZZ_CHECK(uri.bad != NULL || !uri.staff ||
		   (field[0] != NULL && strstr(field[0], "/staff/") != NULL));
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
