/* SPDX-License-Identifier: ISC */
/*
 * text: the one string builder, with one verb for each context that text is
 * written into. Choosing the verb is choosing the escaping, so nothing that
 * came from outside is ever written with text_raw().
 *
 *	struct text t = TEXT_INIT;
 *	text_raw(&t, "<b>");
 *	text_html(&t, name);
 *	text_raw(&t, "</b>");
 *	...
 *	text_free(&t);
 *
 * The buffer is always NUL-terminated once anything was appended; text_str()
 * gives "" for an empty one. Strings may hold NUL bytes where a length is
 * given. Growth aborts when memory runs out (mem.h).
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *ptr;  /* NULL until the first append */
	size_t len; /* bytes without the final NUL */
	size_t cap;
};
#define TEXT_INIT {NULL, 0, 0}

void text_free(struct text *t);
void text_clear(struct text *t);          /* keeps the memory */
const char *text_str(const struct text *t); /* never NULL; valid until the next append */
char *text_take(struct text *t);          /* the caller frees; t is empty afterwards */
void text_reserve(struct text *t, size_t more);

/* As it stands: only for our own literals and for what was escaped already. */
void text_raw(struct text *t, const char *s);
void text_rawn(struct text *t, const char *s, size_t n);
void text_char(struct text *t, char c);
/* Raw too: for numbers and our own literals. */
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *t, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

/* HTML text and double- or single-quoted attributes: & < > " ' become entities, CR LF becomes a
   newline, other control characters but tab and newline, and invalid UTF-8, become U+FFFD. */
void text_html(struct text *t, const char *s);
void text_htmln(struct text *t, const char *s, size_t n);
/* XML text and attributes (SVG, Atom): as HTML, less what XML 1.0 forbids. */
void text_xml(struct text *t, const char *s);
/* One URL path segment or query value: all but A-Z a-z 0-9 - . _ ~ as %XX. */
void text_url(struct text *t, const char *s);
void text_urln(struct text *t, const char *s, size_t n);
/* Inside a JSON string, without the quotes; also \u-escapes < > & U+2028 U+2029 so that
   it is safe within HTML, and replaces invalid UTF-8 by U+FFFD. */
void text_json(struct text *t, const char *s);
void text_jsonn(struct text *t, const char *s, size_t n);
/* A whole JSON string with its quotes, or null for NULL. */
void text_json_string(struct text *t, const char *s);
/* A JSON number from microseconds: seconds with up to 6 decimals, no trailing zeros. */
void text_json_seconds(struct text *t, int64_t us);
/* A header value (HTTP or mail): a run of CR, LF and other controls becomes one blank, invalid UTF-8
   becomes U+FFFD. */
void text_header(struct text *t, const char *s);
/* One log line: bytes < 0x20, 0x7f, >= 0x80 and backslash as \xNN, so that nobody can forge
   a line or drive a terminal. */
void text_log(struct text *t, const char *s);
void text_logn(struct text *t, const char *s, size_t n);
/* For a person at a terminal: readable text as it is, in whatever script; what drives a terminal or turns
   the writing around (controls, bidirectional marks) and invalid UTF-8 as \xNN for each byte. */
void text_screen(struct text *t, const char *s);
void text_screenn(struct text *t, const char *s, size_t n);
/* Slack mrkdwn: & < > as entities, nothing else (docs.slack.dev, formatting text). */
void text_slack(struct text *t, const char *s);
/* Prometheus label value: \ " and newline escaped (exposition format 0.0.4), invalid UTF-8 replaced. */
void text_label(struct text *t, const char *s);

/* What a hexadecimal digit of either case is worth; -1: it is none. */
int text_hex_value(char c);
/* How many bytes of s[0..n) to keep so that at most max remain and no UTF-8 character is cut. */
size_t text_utf8_fit(const char *s, size_t n, size_t max);
/* Appends s cut to max bytes as above, with an ellipsis (within max) when it was cut. */
void text_cut(struct text *t, const char *s, size_t max);
bool text_utf8_valid(const char *s, size_t n);

/* Decodes %XX of s[0..n) once into t; false (nothing appended) on a truncated or non-hex
   escape. With plus_is_blank, '+' becomes ' ' (form and query encoding). */
bool text_percent_decode(struct text *t, const char *s, size_t n, bool plus_is_blank);

/* Whole-string number readers: no blanks, no sign unless stated, no trailing bytes. */
bool text_to_u64(const char *s, uint64_t *out);
bool text_to_i64(const char *s, int64_t *out); /* one leading '-' allowed */

/* Edit distance based: the nearest of n names to s, or NULL when none is near enough to be
   a likely typo. For "unknown key" errors. */
const char *text_nearest(const char *s, const char *const *names, size_t n);

#endif
