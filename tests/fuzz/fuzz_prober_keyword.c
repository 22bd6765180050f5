/* SPDX-License-Identifier: ISC */
/*
 * Answers of web sites through the keyword matcher. The first byte says whether case counts, the second
 * how long the keyword is, the third into pieces of which length the body is cut. However it is cut, the
 * outcome is the same; where case counts it is that of a plain search.
 */
#include "fuzz.h"
#include "prober/check/keyword.h"

static bool found_in_pieces(
	const char *wanted, bool ignore_case, const uint8_t *body, size_t size, size_t piece)
{
	struct keyword k = {.found = false};
	bool found = false;

	keyword_begin(&k, wanted, ignore_case);
	for (size_t at = 0; at < size && !found; at += piece)
		found = keyword_feed(&k, (const char *)body + at, size - at < piece ? size - at : piece);
	FUZZ_CHECK(found == k.found || size == 0);
	found = k.found;
	keyword_clear(&k);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool ignore_case = fuzz_byte(&data, &size) & 1;
	size_t length = fuzz_byte(&data, &size), piece = (size_t)fuzz_byte(&data, &size) + 1;
	char *wanted;
	bool whole;

	if (length > size)
		length = size;
	wanted = fuzz_string(data, length);
	data += length;
	size -= length;
	if (*wanted) {
		whole = found_in_pieces(wanted, ignore_case, data, size, size + 1);
		FUZZ_CHECK(found_in_pieces(wanted, ignore_case, data, size, piece) == whole);
		FUZZ_CHECK(found_in_pieces(wanted, ignore_case, data, size, 1) == whole);
		if (!ignore_case)
			FUZZ_CHECK(whole == (size > 0 && memmem(data, size, wanted, strlen(wanted)) != NULL));
		else if (size > 0 && memmem(data, size, wanted, strlen(wanted)) != NULL)
			FUZZ_CHECK(whole || !text_utf8_valid((const char *)data, size) ||
				!text_utf8_valid(wanted, strlen(wanted)));
	}
	free(wanted);
	return 0;
}
