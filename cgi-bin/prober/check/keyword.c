/* SPDX-License-Identifier: ISC */
/*
 * keyword: each piece is searched together with the last bytes before it, one fewer than the keyword has.
 */
#include "prober/check/keyword.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>

/* ---- lower case */

/* How many bytes a character takes that begins with this one; 1 also for what begins none. */
static size_t character_length(unsigned char first)
{
	return first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

static unsigned long decode(const char *s, size_t n)
{
	unsigned long c = (unsigned char)s[0] & (n == 1 ? 0xffu : 0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fu);
	return c;
}

static void put_character(struct text *t, unsigned long c)
{
	if (c < 0x80) {
		text_char(t, (char)c);
		return;
	}
	if (c >= 0x10000) {
		text_char(t, (char)(0xf0 | c >> 18));
		text_char(t, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		text_char(t, (char)(0xe0 | c >> 12));
	}
	if (c >= 0x800)
		text_char(t, (char)(0x80 | (c >> 6 & 0x3f)));
	else
		text_char(t, (char)(0xc0 | c >> 6));
	text_char(t, (char)(0x80 | (c & 0x3f)));
}

/* The C locale that knows all of Unicode; where there is none, only ASCII has cases. */
static locale_t unicode(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale;
}

static unsigned long lower(unsigned long c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
	return unicode() ? (unsigned long)towlower_l((wint_t)c, unicode()) : c;
}

/* Appends s in lower case; what may be the beginning of a character is left over, and its length returned. */
static size_t put_lower(struct text *t, const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t length = character_length((unsigned char)s[at]);

		if (length > n - at)
			return n - at;
		if (length > 1 && !text_utf8_valid(s + at, length))
			length = 1;
		if (length == 1 && (unsigned char)s[at] >= 0x80)
			text_char(t, s[at]);
		else
			put_character(t, lower(decode(s + at, length)));
		at += length;
	}
	return 0;
}

/* ---- searching */

static bool search(struct keyword *k, const char *bytes, size_t n)
{
	size_t keep = k->wanted.len - 1, have;
	struct text kept = TEXT_INIT;

	text_rawn(&k->tail, bytes, n);
	have = k->tail.len;
	k->found = memmem(text_str(&k->tail), have, k->wanted.ptr, k->wanted.len);
	if (k->found || have <= keep)
		return k->found;
	text_rawn(&kept, k->tail.ptr + have - keep, keep);
	text_clear(&k->tail);
	text_rawn(&k->tail, text_str(&kept), kept.len);
	text_free(&kept);
	return false;
}

static bool search_lower(struct keyword *k, const char *bytes, size_t n)
{
	struct text folded = TEXT_INIT, left = TEXT_INIT;
	size_t rest;
	bool found;

	text_rawn(&k->cut, bytes, n);
	rest = put_lower(&folded, text_str(&k->cut), k->cut.len);
	text_rawn(&left, text_str(&k->cut) + k->cut.len - rest, rest);
	text_free(&k->cut);
	k->cut = left;
	found = search(k, text_str(&folded), folded.len);
	text_free(&folded);
	return found;
}

void keyword_begin(struct keyword *k, const char *wanted, bool ignore_case)
{
	size_t n = strlen(wanted), rest = 0;

	*k = (struct keyword){.ignore_case = ignore_case};
	if (ignore_case)
		rest = put_lower(&k->wanted, wanted, n);
	else
		text_rawn(&k->wanted, wanted, n);
	text_rawn(&k->wanted, wanted + n - rest, rest);
	k->found = k->wanted.len == 0;
}

bool keyword_feed(struct keyword *k, const char *bytes, size_t n)
{
	if (k->found)
		return true;
	return k->ignore_case ? search_lower(k, bytes, n) : search(k, bytes, n);
}

void keyword_clear(struct keyword *k)
{
	text_free(&k->wanted);
	text_free(&k->tail);
	text_free(&k->cut);
}
