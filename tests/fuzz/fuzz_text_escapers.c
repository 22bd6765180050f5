/* SPDX-License-Identifier: ISC */
/*
 * Every escaping verb of base/text.h. For each: no byte that means something in its context is left, and
 * where nothing had to be replaced, undoing it gives back what came in. Then cutting: never in a
 * character.
 */
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/text.h"
#include "fuzz.h"

static const struct {
	const char *entity;
	char c;
} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};

/* Markup back to text; it must be made of known entities and harmless bytes only. */
static void undo_markup(const struct text *markup, const char *forbidden, struct text *plain)
{
	const char *at = text_str(markup), *end = at + markup->len;

	while (at < end) {
		size_t i = 0;

		FUZZ_CHECK(*at && !strchr(forbidden, *at));
		if (*at != '&') {
			text_char(plain, *at++);
			continue;
		}
		while (i < COUNT_OF(entities) && strncmp(at, entities[i].entity, strlen(entities[i].entity)) != 0)
			i++;
		FUZZ_CHECK(i < COUNT_OF(entities));
		text_char(plain, entities[i].c);
		at += strlen(entities[i].entity);
	}
}

/* Markup replaces nothing but bad UTF-8, noncharacters and control characters (C1 too: they begin with C2). */
static bool is_clean(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == 0x7f || c == 0xc2 || c == 0xef || (c < 0x20 && c != '\t' && c != '\n'))
			return false;
	}
	return text_utf8_valid(s, n);
}

static void check_same(const struct text *t, const char *s, size_t n)
{
	FUZZ_CHECK(t->len == n && (n == 0 || memcmp(t->ptr, s, n) == 0));
}

static void check_html(const char *s, size_t n)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_htmln(&out, s, n);
	FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len));
	undo_markup(&out, "<>\"'\r\a\x7f\x1b", &back);
	if (is_clean(s, n))
		check_same(&back, s, n);
	text_free(&out);
	text_free(&back);
}

static void check_xml(const char *s)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_xml(&out, s);
	FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len));
	undo_markup(&out, "<>\"'\r\a\x01\x0b\x7f\x1b", &back);
	FUZZ_CHECK(!strstr(text_str(&out), "\xef\xbf\xbe") && !strstr(text_str(&out), "\xef\xbf\xbf"));
	if (is_clean(s, strlen(s)))
		check_same(&back, s, strlen(s));
	text_free(&out);
	text_free(&back);
}

static void check_url(const char *s, size_t n)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_urln(&out, s, n);
	FUZZ_CHECK(strspn(text_str(&out),
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") == out.len);
	FUZZ_CHECK(text_percent_decode(&back, text_str(&out), out.len, true));
	check_same(&back, s, n);
	text_free(&out);
	text_free(&back);
}

static void check_json(const char *s, size_t n)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;
	struct json_scan scan;

	text_char(&out, '"');
	text_jsonn(&out, s, n);
	text_char(&out, '"');
	FUZZ_CHECK(!strpbrk(out.ptr, "<>&") && strlen(out.ptr) == out.len);
	FUZZ_CHECK(!strstr(out.ptr, "\xe2\x80\xa8") && !strstr(out.ptr, "\xe2\x80\xa9"));
	json_scan_init(&scan, out.ptr, out.len, 0, 0);
	FUZZ_CHECK(json_scan_next(&scan) == JSON_STRING);
	json_scan_string(&scan, &back);
	FUZZ_CHECK(json_scan_next(&scan) == JSON_DONE);
	if (text_utf8_valid(s, n))
		check_same(&back, s, n);
	json_scan_free(&scan);
	text_free(&out);
	text_free(&back);
}

static void check_header(const char *s)
{
	struct text out = TEXT_INIT;

	text_header(&out, s);
	FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len));
	for (size_t i = 0; i < out.len; i++)
		FUZZ_CHECK((unsigned char)out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
	text_free(&out);
}

static void check_screen(const char *s, size_t n)
{
	struct text out = TEXT_INIT;

	text_screenn(&out, s, n);
	FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len));
	for (size_t i = 0; i < out.len; i++)
		FUZZ_CHECK((unsigned char)out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
	text_free(&out);
}

static void check_log(const char *s, size_t n)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_logn(&out, s, n);
	for (size_t i = 0; i < out.len; i++) {
		FUZZ_CHECK(out.ptr[i] >= 0x20 && out.ptr[i] < 0x7f);
		if (out.ptr[i] != '\\') {
			text_char(&back, out.ptr[i]);
			continue;
		}
		FUZZ_CHECK(out.len - i >= 4 && out.ptr[i + 1] == 'x');
		out.ptr[i + 1] = '%';
		FUZZ_CHECK(text_percent_decode(&back, out.ptr + i + 1, 3, false));
		i += 3;
	}
	check_same(&back, s, n);
	text_free(&out);
	text_free(&back);
}

static void check_slack(const char *s)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_slack(&out, s);
	undo_markup(&out, "<>", &back);
	check_same(&back, s, strlen(s));
	text_free(&out);
	text_free(&back);
}

static void check_label(const char *s)
{
	struct text out = TEXT_INIT, back = TEXT_INIT;

	text_label(&out, s);
	FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len));
	for (size_t i = 0; i < out.len; i++) {
		FUZZ_CHECK(out.ptr[i] != '\n' && out.ptr[i] != '"');
		if (out.ptr[i] == '\\') {
			i++;
			FUZZ_CHECK(out.ptr[i] == '\\' || out.ptr[i] == '"' || out.ptr[i] == 'n');
			text_char(&back, out.ptr[i] == 'n' ? '\n' : out.ptr[i]);
		} else {
			text_char(&back, out.ptr[i]);
		}
	}
	if (text_utf8_valid(s, strlen(s)))
		check_same(&back, s, strlen(s));
	text_free(&out);
	text_free(&back);
}

static void check_cut(const char *s, size_t max)
{
	size_t n = strlen(s), fit = text_utf8_fit(s, n, max);
	struct text out = TEXT_INIT;

	text_cut(&out, s, max);
	FUZZ_CHECK(out.len <= max && fit <= max && fit <= n);
	FUZZ_CHECK(n <= max ? fit == n : max - fit < 4);
	if (text_utf8_valid(s, n))
		FUZZ_CHECK(text_utf8_valid(text_str(&out), out.len) && text_utf8_valid(s, fit));
	text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max = fuzz_byte(&data, &size);
	char *s = fuzz_string(data, size), *bytes = mem_dup(data, size);

	check_html(bytes, size);
	check_url(bytes, size);
	check_json(bytes, size);
	check_screen(bytes, size);
	check_log(bytes, size);
	check_xml(s);
	check_header(s);
	check_slack(s);
	check_label(s);
	check_cut(s, max);
	free(s);
	free(bytes);
	return 0;
}
