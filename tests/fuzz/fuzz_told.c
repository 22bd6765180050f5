/* SPDX-License-Identifier: ISC */
/*
 * What one program tells the other through the inbox, and keeps as JSON in the books: requests of people,
 * sightings, lists of them. The first byte chooses, the rest is the JSON. What is read is written and read
 * again the same.
 */
#include "fuzz.h"
#include "model/request.h"
#include "model/sighting.h"

static void try_request(const char *json, size_t n)
{
	struct person_request request, again;
	struct text once = TEXT_INIT, twice = TEXT_INIT;
	struct error err;

	if (request_decode(json, n, &request, &err)) {
		FUZZ_CHECK(request.kind < REQUEST__COUNT && request_check(&request) == WORD_NONE);
		request_encode(&once, &request);
		FUZZ_CHECK(request_decode(text_str(&once), once.len, &again, &err));
		request_encode(&twice, &again);
		FUZZ_CHECK(strcmp(text_str(&once), text_str(&twice)) == 0);
		request_clear(&again);
		request_clear(&request);
	} else {
		FUZZ_CHECK(*err.text);
	}
	text_free(&once);
	text_free(&twice);
}

static void try_sighting(const char *json, size_t n)
{
	struct sighting sighting, again;
	struct text once = TEXT_INIT, twice = TEXT_INIT, words = TEXT_INIT;
	struct error err;

	if (sighting_decode(json, n, &sighting, &err)) {
		sighting_encode(&once, &sighting);
		FUZZ_CHECK(sighting_decode(text_str(&once), once.len, &again, &err));
		sighting_encode(&twice, &again);
		FUZZ_CHECK(strcmp(text_str(&once), text_str(&twice)) == 0);
		sighting_strange(&words, &sighting);
		sighting_clear(&again);
		sighting_clear(&sighting);
	}
	text_free(&once);
	text_free(&twice);
	text_free(&words);
}

static void try_list(const char *json, size_t n)
{
	struct sighting *list = NULL, *again = NULL;
	struct text once = TEXT_INIT, twice = TEXT_INIT;
	size_t count = 0, count_again = 0;
	struct error err;

	if (sightings_decode(json, n, &list, &count, &err)) {
		sightings_encode(&once, list, count);
		FUZZ_CHECK(sightings_decode(text_str(&once), once.len, &again, &count_again, &err));
		FUZZ_CHECK(count == count_again);
		sightings_encode(&twice, again, count_again);
		FUZZ_CHECK(strcmp(text_str(&once), text_str(&twice)) == 0);
		sightings_free(again, count_again);
		sightings_free(list, count);
	}
	text_free(&once);
	text_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *json, size_t n) = {try_request, try_sighting, try_list};
	uint8_t choice = fuzz_byte(&data, &size);
	char *json = fuzz_string(data, size);

	tries[choice % 3](json, size);
	free(json);
	return 0;
}
