/* SPDX-License-Identifier: ISC */
/*
 * json_scan: a strict RFC 8259 tokenizer that knows where it is. See json_scan.h.
 *
 * json_scan_next() skips blanks (and comments), takes the comma or colon that must stand there, then one
 * token. What may come next is the state `expect`; the stack holds the open brackets. Values of strings and
 * numbers are decoded only when asked for (json_value.c, json_string.c); names of members are kept in a set
 * (json_keys.c).
 */
#include "base/json_scan.h"

#include <string.h>

#include "base/json_private.h"
#include "base/mem.h"

enum expect {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* after [ */
	EXPECT_KEY_OR_END,   /* after { */
	EXPECT_COLON,
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING, /* after the one value */
	EXPECT_FAILED,
};

static enum json_token fail(struct json_scan *s, size_t where, const char *why)
{
	s->start = where;
	s->end = where;
	s->error = why;
	s->expect = EXPECT_FAILED;
	return JSON_BAD;
}

void json_scan_init(struct json_scan *s, const char *text, size_t len, unsigned flags, unsigned max_depth)
{
	*s = (struct json_scan){
		.text = text,
		.len = len,
		.flags = flags,
		.max_depth = max_depth < JSON_MAX_DEPTH ? max_depth : JSON_MAX_DEPTH,
		.expect = EXPECT_VALUE,
	};
	if ((flags & JSON_COMMENTS) && json_has_bom(text, len))
		s->at = JSON_BOM_BYTES;
}

void json_scan_free(struct json_scan *s)
{
	json_keys_free(s->keys);
	s->keys = NULL;
}

/* ---- between tokens ---------------------------------------------------------------------------------- */

static bool looking_at(const struct json_scan *s, const char *what)
{
	size_t n = strlen(what);

	return s->len - s->at >= n && memcmp(s->text + s->at, what, n) == 0;
}

static void skip_blanks(struct json_scan *s)
{
	while (s->at < s->len && memchr(" \t\n\r", s->text[s->at], 4))
		s->at++;
}

static void skip_line(struct json_scan *s)
{
	const char *newline = memchr(s->text + s->at, '\n', s->len - s->at);

	s->at = newline ? (size_t)(newline - s->text) : s->len;
}

static bool skip_block(struct json_scan *s)
{
	size_t start = s->at;

	for (s->at += 2; s->at < s->len; s->at++) {
		if (looking_at(s, "*/")) {
			s->at += 2;
			return true;
		}
	}
	fail(s, start, "this comment is not closed");
	return false;
}

static bool skip_space(struct json_scan *s)
{
	for (skip_blanks(s); s->flags & JSON_COMMENTS; skip_blanks(s)) {
		if (looking_at(s, "//"))
			skip_line(s);
		else if (!looking_at(s, "/*"))
			break;
		else if (!skip_block(s))
			return false;
	}
	return true;
}

/* ---- strings ----------------------------------------------------------------------------------------- */

/* What follows the backslash at s->at; steps over the whole escape. */
static const char *check_escape(struct json_scan *s)
{
	const char *at = s->text + s->at;
	size_t left = s->len - s->at;
	int unit, low;

	if (left < 2 || !memchr("\"\\/bfnrtu", at[1], 9))
		return "this escape is not one of JSON's";
	if (at[1] != 'u') {
		s->at += 2;
		return NULL;
	}
	unit = json_hex4(at + 2, left - 2);
	if (unit < 0)
		return "\\u needs four hex digits";
	s->at += 6;
	if (unit < 0xd800 || unit > 0xdfff)
		return NULL;
	low = unit < 0xdc00 && left >= 8 && at[6] == '\\' && at[7] == 'u' ? json_hex4(at + 8, left - 8) : -1;
	if (low < 0xdc00 || low > 0xdfff) {
		s->at -= 6;
		return "half of a surrogate pair stands alone";
	}
	s->at += 6;
	return NULL;
}

/* Bytes from 0x80 on: whole characters lie within one run of them. */
static const char *check_high(struct json_scan *s)
{
	size_t start = s->at;

	while (s->at < s->len && (unsigned char)s->text[s->at] >= 0x80)
		s->at++;
	if (text_utf8_valid(s->text + start, s->at - start))
		return NULL;
	s->at = start;
	return "this is not valid UTF-8";
}

/* From the opening quote to after the closing one. */
static bool scan_string(struct json_scan *s)
{
	const char *wrong = NULL;

	s->start = s->at++;
	while (s->at < s->len && !wrong) {
		unsigned char c = (unsigned char)s->text[s->at];

		if (c == '"') {
			s->end = ++s->at;
			return true;
		}
		if (c == '\\')
			wrong = check_escape(s);
		else if (c >= 0x80)
			wrong = check_high(s);
		else if (c < 0x20)
			wrong = "a control character must be escaped in a string";
		else
			s->at++;
	}
	if (wrong)
		fail(s, s->at, wrong);
	else
		fail(s, s->start, "this string is not closed");
	return false;
}

/* ---- values ------------------------------------------------------------------------------------------ */

static size_t skip_digits(struct json_scan *s)
{
	size_t start = s->at;

	while (s->at < s->len && s->text[s->at] >= '0' && s->text[s->at] <= '9')
		s->at++;
	return s->at - start;
}

static bool skip_one_of(struct json_scan *s, const char *set)
{
	if (s->at >= s->len || !s->text[s->at] || !strchr(set, s->text[s->at]))
		return false;
	s->at++;
	return true;
}

static enum json_token scan_number(struct json_scan *s)
{
	size_t first;

	s->start = s->at;
	skip_one_of(s, "-");
	first = s->at;
	if (!skip_digits(s))
		return fail(s, s->at, "a digit is missing here");
	if (s->text[first] == '0' && s->at - first > 1)
		return fail(s, first, "a number cannot begin with 0");
	if (skip_one_of(s, ".") && !skip_digits(s))
		return fail(s, s->at, "a digit is missing after the point");
	if (skip_one_of(s, "eE")) {
		skip_one_of(s, "+-");
		if (!skip_digits(s))
			return fail(s, s->at, "a digit is missing in the exponent");
	}
	s->end = s->at;
	return JSON_NUMBER;
}

static enum json_token scan_word(struct json_scan *s)
{
	static const struct {
		const char *word;
		enum json_token token;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (!looking_at(s, words[i].word))
			continue;
		s->start = s->at;
		s->end = s->at += strlen(words[i].word);
		return words[i].token;
	}
	return fail(s, s->at, "a value is missing here");
}

static enum json_token open_bracket(struct json_scan *s, char bracket)
{
	if (s->depth == s->max_depth)
		return fail(s, s->at, "this is nested too deeply");
	s->start = s->at++;
	s->end = s->at;
	s->stack[s->depth++] = bracket;
	if (bracket == '[') {
		s->expect = EXPECT_VALUE_OR_END;
		return JSON_ARRAY;
	}
	if (!s->keys)
		s->keys = json_keys_new();
	json_keys_open(s->keys, s->depth);
	s->expect = EXPECT_KEY_OR_END;
	return JSON_OBJECT;
}

static enum json_token close_bracket(struct json_scan *s)
{
	bool is_array = s->stack[s->depth - 1] == '[';

	s->start = s->at++;
	s->end = s->at;
	s->depth--;
	s->expect = s->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
	return is_array ? JSON_ARRAY_END : JSON_OBJECT_END;
}

static enum json_token scan_value(struct json_scan *s)
{
	char c = s->text[s->at];
	enum json_token token;

	if (c == '{' || c == '[')
		return open_bracket(s, c);
	if (c == '"')
		token = scan_string(s) ? JSON_STRING : JSON_BAD;
	else if (c == '-' || (c >= '0' && c <= '9'))
		token = scan_number(s);
	else
		token = scan_word(s);
	if (token != JSON_BAD)
		s->expect = s->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
	return token;
}

static enum json_token scan_key(struct json_scan *s)
{
	if (s->text[s->at] != '"')
		return fail(s, s->at, "a name in double quotes is missing here");
	if (!scan_string(s))
		return JSON_BAD;
	s->doubled = !json_keys_add(s->keys, s->depth, s->text, s->start, s->end);
	if (s->doubled && !(s->flags & JSON_DOUBLES))
		return fail(s, s->start, "this name stands twice in the same object");
	s->expect = EXPECT_COLON;
	return JSON_KEY;
}

/* ---- the state machine ------------------------------------------------------------------------------- */

static bool at_closing(const struct json_scan *s)
{
	char closing = s->depth == 0 ? '\0' : s->stack[s->depth - 1] == '[' ? ']' : '}';

	return closing && s->text[s->at] == closing;
}

/* The byte at s->at must be the mark; steps over it and the blanks behind. false: it failed. */
static bool take_mark(struct json_scan *s, char mark, const char *missing)
{
	if (s->text[s->at] != mark) {
		fail(s, s->at, missing);
		return false;
	}
	s->at++;
	if (!skip_space(s))
		return false;
	if (s->at < s->len)
		return true;
	fail(s, s->at, "the text ends here, in the middle");
	return false;
}

/* In a container after a value: the end, or a comma and what must follow it. */
static enum json_token scan_after_value(struct json_scan *s)
{
	bool in_array = s->stack[s->depth - 1] == '[';

	if (at_closing(s))
		return close_bracket(s);
	if (!take_mark(s, ',', in_array ? "a comma or ] is missing here" : "a comma or } is missing here"))
		return JSON_BAD;
	if (at_closing(s))
		return fail(s, s->at, "a comma must not stand before the end");
	return in_array ? scan_value(s) : scan_key(s);
}

static enum json_token scan_next(struct json_scan *s)
{
	if (s->expect == EXPECT_FAILED || !skip_space(s))
		return JSON_BAD;
	if (s->at == s->len) {
		s->start = s->end = s->at;
		if (s->expect == EXPECT_NOTHING)
			return JSON_DONE;
		return fail(s, s->at, "the text ends here, in the middle");
	}
	switch ((enum expect)s->expect) {
	case EXPECT_NOTHING:
		return fail(s, s->at, "something follows after the end");
	case EXPECT_COMMA_OR_END:
		return scan_after_value(s);
	case EXPECT_KEY_OR_END:
		return at_closing(s) ? close_bracket(s) : scan_key(s);
	case EXPECT_VALUE_OR_END:
		return at_closing(s) ? close_bracket(s) : scan_value(s);
	case EXPECT_COLON:
		return take_mark(s, ':', "a colon is missing here") ? scan_value(s) : JSON_BAD;
	case EXPECT_VALUE:
	case EXPECT_FAILED:
		break;
	}
	return scan_value(s);
}

enum json_token json_scan_next(struct json_scan *s)
{
	enum json_token token = scan_next(s);

	s->last = (int)token;
	return token;
}

bool json_scan_skip(struct json_scan *s)
{
	enum json_token token = (enum json_token)s->last;
	unsigned outside;

	if (token == JSON_KEY)
		token = json_scan_next(s);
	if (token != JSON_OBJECT && token != JSON_ARRAY)
		return token != JSON_BAD;
	for (outside = s->depth - 1; s->depth > outside && token != JSON_BAD;)
		token = json_scan_next(s);
	return token != JSON_BAD;
}
