/* SPDX-License-Identifier: ISC */
/*
 * json_string: what the bytes between two quotes say: escapes decoded; and the byte order mark that some
 * editors put before a text. The tokenizer, its values and its set of names stand on it.
 */
#include "base/json_private.h"

#include <string.h>

bool json_has_bom(const char *text, size_t len)
{
	return len >= JSON_BOM_BYTES && memcmp(text, "\xef\xbb\xbf", JSON_BOM_BYTES) == 0;
}

int json_hex4(const char *s, size_t n)
{
	int value = 0;

	if (n < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = text_hex_value(s[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static void put_utf8(struct text *out, uint32_t code)
{
	if (code < 0x80) {
		text_char(out, (char)code);
	} else if (code < 0x800) {
		text_char(out, (char)(0xc0 | code >> 6));
		text_char(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		text_char(out, (char)(0xe0 | code >> 12));
		text_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		text_char(out, (char)(0x80 | (code & 0x3f)));
	} else {
		text_char(out, (char)(0xf0 | code >> 18));
		text_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		text_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		text_char(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* The escape at at[0] == '\\'; gives how many bytes it took. */
static size_t put_escape(struct text *out, const char *at)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	uint32_t code;

	if (at[1] != 'u') {
		text_char(out, meant[strchr(letters, at[1]) - letters]);
		return 2;
	}
	code = (uint32_t)json_hex4(at + 2, 4);
	if (code < 0xd800 || code > 0xdfff) {
		put_utf8(out, code);
		return 6;
	}
	put_utf8(out, 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)json_hex4(at + 8, 4) - 0xdc00));
	return 12;
}

void json_decode(const char *text, size_t start, size_t end, struct text *out)
{
	const char *at = text + start + 1, *stop = text + end - 1;

	text_reserve(out, (size_t)(stop - at));
	while (at < stop) {
		const char *backslash = memchr(at, '\\', (size_t)(stop - at));

		text_rawn(out, at, (size_t)((backslash ? backslash : stop) - at));
		if (!backslash)
			return;
		at = backslash + put_escape(out, backslash);
	}
}
