/* SPDX-License-Identifier: ISC */
/*
 * What a reader sends beside the address: Accept-Language, and the values of the cookies. The first line is
 * Accept-Language, the second Cookie, the third a query.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/csrf.h"
#include "web/language.h"
#include "web/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *header(const char *name, const char *value)
{
	struct text t = TEXT_INIT;

	text_raw(&t, name);
	text_char(&t, '=');
	text_raw(&t, value);
	return text_take(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_strn((const char *)data, size), *line[3] = {copy, NULL, NULL}, nonce[33];
	char *env[3] = {NULL};
	struct request req = {.query = ""};
	struct listing_query query;

	for (int i = 1; i < 3 && line[i - 1]; i++) {
		line[i] = strchr(line[i - 1], '\n');
		if (line[i])
			*line[i]++ = '\0';
	}
	env[0] = header("HTTP_ACCEPT_LANGUAGE", line[0]);
	env[1] = header("HTTP_COOKIE", line[1] ? line[1] : "");
	req.env = env;
	req.query = line[2] ? line[2] : "";
	if (page_language(&req, LANGUAGE_EN) >= LANGUAGE__COUNT)
		abort();
	csrf_cookie(&req, nonce);
	if (strlen(nonce) != 0 && strlen(nonce) != 32)
		abort();
	listing_query_read(&query, &req);
	if (query.page < 1 || query.sort >= SORT__COUNT)
		abort();
	listing_query_clear(&query);
	free(env[0]);
	free(env[1]);
	free(copy);
	return 0;
}
