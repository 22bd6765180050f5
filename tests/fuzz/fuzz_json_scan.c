/* SPDX-License-Identifier: ISC */
/*
 * The JSON tokenizer. The first byte chooses comments (1) and the depth. Tokens must lie in order within
 * the text, brackets must match, a string must decode to UTF-8 that escapes and decodes to itself again,
 * and numbers must be read the same by all readers.
 */
#include "base/json_scan.h"
#include "fuzz.h"

static void check_string(const struct json_scan *s)
{
	struct text decoded = TEXT_INIT, again = TEXT_INIT, coded = TEXT_INIT;
	struct json_scan inner;

	json_scan_string(s, &decoded);
	FUZZ_CHECK(text_utf8_valid(text_str(&decoded), decoded.len));
	FUZZ_CHECK(decoded.len <= s->end - s->start - 2);
	if (strlen(text_str(&decoded)) == decoded.len)
		FUZZ_CHECK(json_scan_is(s, text_str(&decoded)));
	text_char(&coded, '"');
	text_jsonn(&coded, text_str(&decoded), decoded.len);
	text_char(&coded, '"');
	json_scan_init(&inner, coded.ptr, coded.len, 0, 0);
	FUZZ_CHECK(json_scan_next(&inner) == JSON_STRING);
	json_scan_string(&inner, &again);
	FUZZ_CHECK(again.len == decoded.len);
	FUZZ_CHECK(again.len == 0 || memcmp(again.ptr, decoded.ptr, again.len) == 0);
	FUZZ_CHECK(json_scan_next(&inner) == JSON_DONE);
	json_scan_free(&inner);
	text_free(&decoded);
	text_free(&again);
	text_free(&coded);
}

static void check_number(const struct json_scan *s)
{
	int64_t micros, whole;
	double value = json_scan_double(s);

	if (json_scan_micros(s, &micros))
		FUZZ_CHECK(value * 1e6 - (double)micros < 1.0 + 1e4 && (double)micros - value * 1e6 < 1.0 + 1e4);
	if (json_scan_i64(s, &whole))
		FUZZ_CHECK((double)whole == value);
}

static void check_token(const struct json_scan *s, enum json_token token, int *open)
{
	if (token == JSON_KEY || token == JSON_STRING)
		check_string(s);
	else if (token == JSON_NUMBER)
		check_number(s);
	*open += token == JSON_OBJECT || token == JSON_ARRAY;
	*open -= token == JSON_OBJECT_END || token == JSON_ARRAY_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = fuzz_byte(&data, &size);
	unsigned depth = choice >> 1, line, column;
	enum json_token token;
	struct json_scan s;
	size_t last_end = 0;
	int open = 0;

	json_scan_init(&s, (const char *)data, size, choice & 1 ? JSON_COMMENTS : 0, depth);
	while ((token = json_scan_next(&s)) > JSON_DONE) {
		FUZZ_CHECK(s.start >= last_end && s.end > s.start && s.end <= size);
		last_end = s.end;
		check_token(&s, token, &open);
		FUZZ_CHECK(open >= 0 && open <= (int)depth);
		if (choice == 0xff && token == JSON_KEY && !json_scan_skip(&s))
			break;
		if (choice == 0xff && token == JSON_KEY)
			last_end = s.end;
	}
	json_scan_position(&s, s.start, &line, &column);
	FUZZ_CHECK(line >= 1 && column >= 1 && line + column <= size + 2);
	if (token == JSON_DONE)
		FUZZ_CHECK(open == 0 && !s.error);
	else
		FUZZ_CHECK(s.error && json_scan_next(&s) == JSON_BAD);
	json_scan_free(&s);
	return 0;
}
