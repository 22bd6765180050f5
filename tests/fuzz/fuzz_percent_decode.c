/* SPDX-License-Identifier: ISC */
/*
 * Percent-decoding. The first byte chooses whether '+' is a blank. Refusing appends nothing; what was
 * decoded never grows, and escaping and decoding it again changes nothing.
 */
#include "base/text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool plus = fuzz_byte(&data, &size) & 1;
	struct text out = TEXT_INIT, coded = TEXT_INIT, again = TEXT_INIT;
	size_t escapes = 0;
	bool ok;

	text_raw(&out, "^");
	ok = text_percent_decode(&out, (const char *)data, size, plus);
	FUZZ_CHECK(out.ptr[0] == '^' && out.ptr[out.len] == '\0');
	for (size_t i = 0; i < size; i++)
		escapes += data[i] == '%';
	if (!ok) {
		FUZZ_CHECK(out.len == 1 && escapes > 0);
	} else {
		FUZZ_CHECK(out.len - 1 + 2 * escapes == size);
		text_urln(&coded, out.ptr + 1, out.len - 1);
		FUZZ_CHECK(text_percent_decode(&again, text_str(&coded), coded.len, !plus));
		FUZZ_CHECK(again.len == out.len - 1 && memcmp(again.ptr, out.ptr + 1, again.len) == 0);
	}
	text_free(&out);
	text_free(&coded);
	text_free(&again);
	return 0;
}
