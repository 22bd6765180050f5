/* SPDX-License-Identifier: ISC */
/*
 * Third parties' webhooks: the first byte chooses the service, the first line is the query, the rest the body.
 * What is understood can be queued and read back unchanged.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "web/hook_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *service = sighting_services[fuzz_byte(&data, &size) % 3];
	const uint8_t *eol = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t query_len = eol ? (size_t)(eol - data) : 0;
	char *query = mem_strn((const char *)data, query_len);
	char *body = mem_strn(eol ? (const char *)eol + 1 : "", eol ? size - query_len - 1 : 0);
	struct hook_input input = {body, strlen(body), query};
	struct text json = TEXT_INIT, again = TEXT_INIT;
	struct sighting seen, read;
	struct error err;
	const char *why = NULL;
	enum hook_result result = hook_parse(service, &input, &seen, &why);

	FUZZ_CHECK(result != HOOK_NO_SERVICE && (result != HOOK_BAD || why));
	FUZZ_CHECK((result == HOOK_TOLD) == (seen.from != NULL));
	if (result == HOOK_TOLD) {
		FUZZ_CHECK(seen.id || seen.name || seen.url);
		sighting_encode(&json, &seen);
		FUZZ_CHECK(sighting_decode(text_str(&json), json.len, &read, &err));
		sighting_encode(&again, &read);
		FUZZ_CHECK(strcmp(text_str(&json), text_str(&again)) == 0);
		sighting_clear(&read);
	}
	sighting_clear(&seen);
	text_free(&json);
	text_free(&again);
	free(query);
	free(body);
	return 0;
}
