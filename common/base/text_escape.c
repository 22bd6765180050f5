/* SPDX-License-Identifier: ISC */
/*
 * text_escape: the verbs of text.h that write into a context: HTML, XML, URLs, JSON, headers, logs, Slack,
 * Prometheus labels; and what belongs to them, UTF-8 and percent-decoding.
 *
 * Each verb copies runs of harmless bytes at once and looks only at the others. What is harmless is a row
 * of the table below, so that the common case costs one load and one test for each byte.
 */
#include "base/text.h"

#include <string.h>

#include "base/mem.h"

/* ---- UTF-8 ------------------------------------------------------------------------------------------ */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_trail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* What the first byte of a character says: its length and the range of the second byte (which rules out
   overlong forms, surrogates and what is above U+10FFFF). Length 0: no character starts like this. */
struct lead {
	unsigned char length, second_min, second_max;
};

static struct lead lead_of(unsigned char c)
{
	if (c < 0x80)
		return (struct lead){1, 0, 0};
	if (c < 0xc2 || c > 0xf4)
		return (struct lead){0, 0, 0};
	if (c < 0xe0)
		return (struct lead){2, 0x80, 0xbf};
	if (c < 0xf0)
		return (struct lead){3, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf};
	return (struct lead){4, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf};
}

struct character {
	uint32_t code; /* U+FFFD for a bad one, so that nobody takes its bits for those of another */
	size_t length; /* bytes it took; of a bad one: the maximal part that could have begun one (Unicode 3.9) */
	bool valid;
};

static struct character character_at(const char *s, size_t n)
{
	unsigned char first = (unsigned char)s[0];
	struct lead lead = lead_of(first);
	struct character ch = {first, 1, true}, bad = {0xfffd, 1, false};

	if (lead.length < 2)
		return lead.length ? ch : bad;
	ch.code = first & (0x7fu >> lead.length);
	for (; ch.length < lead.length; ch.length++) {
		unsigned char c = ch.length < n ? (unsigned char)s[ch.length] : 0;
		bool fits = ch.length == 1 ? c >= lead.second_min && c <= lead.second_max : is_trail(c);

		if (!fits) {
			bad.length = ch.length;
			return bad;
		}
		ch.code = ch.code << 6 | (c & 0x3f);
	}
	return ch;
}

bool text_utf8_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct character ch;

		if ((unsigned char)s[i] < 0x80) {
			i++;
			continue;
		}
		ch = character_at(s + i, n - i);
		if (!ch.valid)
			return false;
		i += ch.length;
	}
	return true;
}

size_t text_utf8_fit(const char *s, size_t n, size_t max)
{
	size_t start = max;

	if (n <= max)
		return n;
	/* s[max] is the first byte to go: when it continues a character, that one must go from its start. */
	while (start > 0 && max - start < 3 && is_trail((unsigned char)s[start]))
		start--;
	return lead_of((unsigned char)s[start]).length > max - start ? start : max;
}

void text_cut(struct text *t, const char *s, size_t max)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t n = strlen(s), mark = sizeof(ellipsis) - 1;

	if (n <= max) {
		text_rawn(t, s, n);
	} else if (max < mark) {
		text_rawn(t, s, text_utf8_fit(s, n, max));
	} else {
		text_rawn(t, s, text_utf8_fit(s, n, max - mark));
		text_raw(t, ellipsis);
	}
}

/* ---- which bytes need a look in which context ------------------------------------------------------- */

enum {
	IN_HTML = 1 << 0,
	IN_URL = 1 << 1,
	IN_JSON = 1 << 2,
	IN_HEADER = 1 << 3,
	IN_LOG = 1 << 4,
	IN_SLACK = 1 << 5,
	IN_LABEL = 1 << 6,
	IN_ALL_BUT_SLACK = IN_HTML | IN_URL | IN_JSON | IN_HEADER | IN_LOG | IN_LABEL,
	IN_CONTROL = IN_HTML | IN_URL | IN_JSON | IN_HEADER | IN_LOG,
};

static const unsigned char special[256] = {
	[0x00 ... 0x09] = IN_CONTROL,
	['\n'] = IN_CONTROL | IN_LABEL,
	[0x0b ... 0x1f] = IN_CONTROL,
	[' '] = IN_URL,
	['!'] = IN_URL,
	['"'] = IN_URL | IN_HTML | IN_JSON | IN_LABEL,
	['#' ... '%'] = IN_URL,
	['&'] = IN_URL | IN_HTML | IN_JSON | IN_SLACK,
	['\''] = IN_URL | IN_HTML,
	['(' ... ','] = IN_URL,
	['/'] = IN_URL,
	[':' ... ';'] = IN_URL,
	['<'] = IN_URL | IN_HTML | IN_JSON | IN_SLACK,
	['='] = IN_URL,
	['>'] = IN_URL | IN_HTML | IN_JSON | IN_SLACK,
	['?' ... '@'] = IN_URL,
	['['] = IN_URL,
	['\\'] = IN_URL | IN_JSON | IN_LOG | IN_LABEL,
	[']' ... '^'] = IN_URL,
	['`'] = IN_URL,
	['{' ... '}'] = IN_URL,
	[0x7f] = IN_CONTROL,
	[0x80 ... 0xff] = IN_ALL_BUT_SLACK,
};

/* Appends the run of bytes from s[0] that are harmless in the context and gives its length. */
static size_t plain_run(struct text *t, const char *s, size_t n, unsigned context)
{
	size_t i = 0;

	while (i < n && !(special[(unsigned char)s[i]] & context))
		i++;
	text_rawn(t, s, i);
	return i;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static void put_hex_byte(struct text *t, const char *before, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	text_raw(t, before);
	text_char(t, digits[c >> 4]);
	text_char(t, digits[c & 15]);
}

/* ---- HTML and XML ------------------------------------------------------------------------------------ */

static const char *entity_of(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;"; /* &apos; is not known to HTML 4 readers */
	default:
		return NULL;
	}
}

/* The one below is used for both: noncharacters are allowed in HTML but help nobody, and XML 1.0 forbids
   two of them. */
static void put_markup(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct character ch;
		const char *entity;

		i += plain_run(t, s + i, n - i, IN_HTML);
		if (i == n)
			return;
		ch = character_at(s + i, n - i);
		entity = entity_of(ch.code);
		if (entity)
			text_raw(t, entity);
		else if (ch.code == '\r' && i + 1 < n && s[i + 1] == '\n')
			; /* the newline alone is kept of a CR LF */
		else if (ch.code == '\t' || ch.code == '\n')
			text_rawn(t, s + i, 1);
		else if (!ch.valid || is_control(ch.code) || ch.code == 0xfffe || ch.code == 0xffff)
			text_raw(t, REPLACEMENT);
		else
			text_rawn(t, s + i, ch.length);
		i += ch.length;
	}
}

void text_htmln(struct text *t, const char *s, size_t n)
{
	put_markup(t, s, n);
}

void text_html(struct text *t, const char *s)
{
	put_markup(t, s, strlen(s));
}

void text_xml(struct text *t, const char *s)
{
	put_markup(t, s, strlen(s));
}

/* ---- URLs -------------------------------------------------------------------------------------------- */

void text_urln(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		i += plain_run(t, s + i, n - i, IN_URL);
		if (i < n)
			put_hex_byte(t, "%", (unsigned char)s[i]);
	}
}

void text_url(struct text *t, const char *s)
{
	text_urln(t, s, strlen(s));
}

int text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at s[0] == '%' stands for, or -1. */
static int percent_byte(const char *s, size_t n)
{
	int high = n > 2 ? text_hex_value(s[1]) : -1, low = n > 2 ? text_hex_value(s[2]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool text_percent_decode(struct text *t, const char *s, size_t n, bool plus_is_blank)
{
	size_t before = t->len;

	text_reserve(t, n);
	for (size_t i = 0; i < n; i++) {
		int byte = (unsigned char)s[i];

		if (s[i] == '%') {
			byte = percent_byte(s + i, n - i);
			i += 2;
		} else if (s[i] == '+' && plus_is_blank) {
			byte = ' ';
		}
		if (byte < 0) {
			t->len = before;
			t->ptr[before] = '\0';
			return false;
		}
		t->ptr[t->len++] = (char)byte;
	}
	t->ptr[t->len] = '\0';
	return true;
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

/* The letter after the backslash where JSON has a short form, else 0. */
static char json_letter(uint32_t code)
{
	switch (code) {
	case '"':
	case '\\':
		return (char)code;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

void text_jsonn(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct character ch;

		i += plain_run(t, s + i, n - i, IN_JSON);
		if (i == n)
			return;
		ch = character_at(s + i, n - i);
		if (!ch.valid) {
			text_raw(t, REPLACEMENT);
		} else if (json_letter(ch.code)) {
			text_char(t, '\\');
			text_char(t, json_letter(ch.code));
		} else if (ch.code < 0xa0 || ch.code == 0x2028 || ch.code == 0x2029) {
			text_printf(t, "\\u%04x", (unsigned)ch.code);
		} else {
			text_rawn(t, s + i, ch.length);
		}
		i += ch.length;
	}
}

void text_json(struct text *t, const char *s)
{
	text_jsonn(t, s, strlen(s));
}

void text_json_string(struct text *t, const char *s)
{
	if (!s) {
		text_raw(t, "null");
		return;
	}
	text_char(t, '"');
	text_json(t, s);
	text_char(t, '"');
}

void text_json_seconds(struct text *t, int64_t us)
{
	uint64_t magnitude = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
	uint64_t fraction = magnitude % 1000000;
	int digits = 6;

	text_printf(t, "%s%llu", us < 0 ? "-" : "", (unsigned long long)(magnitude / 1000000));
	if (!fraction)
		return;
	for (; fraction % 10 == 0; digits--)
		fraction /= 10;
	text_printf(t, ".%0*llu", digits, (unsigned long long)fraction);
}

/* ---- one line of something --------------------------------------------------------------------------- */

void text_header(struct text *t, const char *s)
{
	size_t n = strlen(s);
	bool in_gap = false;

	for (size_t i = 0; i < n;) {
		size_t run = plain_run(t, s + i, n - i, IN_HEADER);
		struct character ch;
		bool breaks;

		i += run;
		if (i == n)
			return;
		ch = character_at(s + i, n - i);
		breaks = ch.valid && (is_control(ch.code) || ch.code == 0x2028 || ch.code == 0x2029);
		if (!breaks)
			text_rawn(t, ch.valid ? s + i : REPLACEMENT, ch.valid ? ch.length : 3);
		else if (!in_gap || run)
			text_char(t, ' ');
		in_gap = breaks;
		i += ch.length;
	}
}

void text_logn(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		i += plain_run(t, s + i, n - i, IN_LOG);
		if (i < n)
			put_hex_byte(t, "\\x", (unsigned char)s[i]);
	}
}

void text_log(struct text *t, const char *s)
{
	text_logn(t, s, strlen(s));
}

static bool is_readable(const struct character *ch)
{
	static const struct {
		uint32_t from, to;
	} marks[] = {
		{0x00, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (ch->code >= marks[i].from && ch->code <= marks[i].to)
			return false;
	return ch->valid;
}

void text_screenn(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct character ch = character_at(s + i, n - i);

		if (is_readable(&ch))
			text_rawn(t, s + i, ch.length);
		else
			for (size_t j = 0; j < ch.length; j++)
				put_hex_byte(t, "\\x", (unsigned char)s[i + j]);
		i += ch.length;
	}
}

void text_screen(struct text *t, const char *s)
{
	text_screenn(t, s, strlen(s));
}

/* ---- other people's formats -------------------------------------------------------------------------- */

void text_slack(struct text *t, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		i += plain_run(t, s + i, n - i, IN_SLACK);
		if (i < n)
			text_raw(t, entity_of((unsigned char)s[i]));
	}
}

void text_label(struct text *t, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		struct character ch;

		i += plain_run(t, s + i, n - i, IN_LABEL);
		if (i == n)
			return;
		ch = character_at(s + i, n - i);
		if (!ch.valid) {
			text_raw(t, REPLACEMENT); /* one bad byte would make the whole page unreadable */
		} else if (ch.code < 0x80) {
			text_char(t, '\\');
			text_char(t, ch.code == '\n' ? 'n' : (char)ch.code);
		} else {
			text_rawn(t, s + i, ch.length);
		}
		i += ch.length;
	}
}
