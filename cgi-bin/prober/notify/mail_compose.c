/* SPDX-License-Identifier: ISC */
/*
 * mail_compose: one mail as RFC 5322 and MIME have it: text and simple HTML as alternatives, both base64, so
 * that no line is too long and no dot, From or bare line feed means anything on the way. Every header value
 * is one line, whatever it was made of.
 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/notify/mail.h"

#define BASE64_LINE 76
/* Bytes of text in an encoded word: four characters for three, and 12 around them. */
#define WORD_BYTES 45
#define FIRST_WORD_BYTES 39

char *mail_address(const char *s)
{
	const char *from = strrchr(s, '<'), *to, *at;

	if (from) {
		from++;
		to = strchr(from, '>');
		if (!to || to[1])
			return NULL;
	} else {
		from = s;
		to = s + strlen(s);
	}
	at = memchr(from, '@', (size_t)(to - from));
	if (!at || at == from || at + 1 == to || to - from > 254)
		return NULL;
	for (const char *c = from; c < to; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("<>(),;\\\"[]", *c))
			return NULL;
	return mem_strn(from, (size_t)(to - from));
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			return false;
	return true;
}

/* RFC 2047: encoded words, no character split, one to a line of at most 76 characters; the first shares its
   line with the header's name. */
static void put_encoded(struct text *out, const char *s, const char *eol)
{
	size_t n = strlen(s);

	for (bool first = true; n > 0; first = false) {
		size_t room = first ? FIRST_WORD_BYTES : WORD_BYTES, part = text_utf8_fit(s, n, room);

		if (!part) /* not UTF-8: leave no loop behind */
			part = n < room ? n : room;
		if (!first)
			text_printf(out, "%s ", eol);
		text_raw(out, "=?UTF-8?B?");
		sign_base64(out, s, part);
		text_raw(out, "?=");
		s += part;
		n -= part;
	}
}

/* A header's free text: as it is when it is plain, else encoded. */
static void put_phrase(struct text *out, const char *s, const char *eol)
{
	struct text line = TEXT_INIT;

	text_header(&line, s);
	if (is_ascii(text_str(&line)) && line.len < 200 && !strstr(text_str(&line), "=?"))
		text_raw(out, text_str(&line));
	else
		put_encoded(out, text_str(&line), eol);
	text_free(&line);
}

/* "Name <address>": the name may need encoding, the address is one that mail_address() has passed. */
static void put_mailbox(struct text *out, const char *s, const char *eol)
{
	char *address = mail_address(s);
	size_t n = strcspn(s, "<");

	while (n && (s[n - 1] == ' ' || s[n - 1] == '"'))
		n--;
	if (strchr(s, '<') && n) {
		char *name = mem_strn(s + (*s == '"'), n - (*s == '"'));

		if (is_ascii(name)) {
			text_char(out, '"');
			for (const char *c = name; *c; c++)
				text_printf(out, strchr("\"\\", *c) ? "\\%c" : "%c", *c);
			text_char(out, '"');
		} else {
			put_encoded(out, name, eol);
			text_raw(out, eol);
		}
		text_printf(out, " <%s>", address ? address : "");
		free(name);
	} else {
		text_raw(out, address ? address : "");
	}
	free(address);
}

static void put_id(struct text *out, const char *id, const char *from)
{
	char *address = mail_address(from);

	text_char(out, '<');
	text_header(out, id);
	text_raw(out, address ? strchr(address, '@') : "@localhost");
	text_char(out, '>');
	free(address);
}

static void put_part(struct text *out, const char *type, const struct text *content, const char *eol)
{
	struct text coded = TEXT_INIT;

	text_printf(out, "Content-Type: %s; charset=utf-8%s", type, eol);
	text_printf(out, "Content-Transfer-Encoding: base64%s%s", eol, eol);
	sign_base64(&coded, text_str(content), content->len);
	for (size_t at = 0; at < coded.len; at += BASE64_LINE) {
		text_rawn(out, coded.ptr + at, coded.len - at < BASE64_LINE ? coded.len - at : BASE64_LINE);
		text_raw(out, eol);
	}
	text_free(&coded);
}

/* ---- the two bodies */

static void put_footer(struct text *out, const struct message *m, text_verb put)
{
	words_put(out, put, m->language, WORD_MSG_FOOTER, (const char *const[]){"Upbeat"}, 1);
}

static void plain_body(struct text *out, const struct message *m)
{
	text_raw(out, m->title);
	text_raw(out, "\r\n\r\n");
	for (const char *c = m->text; *c; c++) {
		if (*c == '\n')
			text_char(out, '\r');
		text_char(out, *c);
	}
	text_raw(out, "\r\n\r\n-- \r\n");
	put_footer(out, m, text_raw);
	text_raw(out, "\r\n");
}

static bool is_link(const char *s, size_t n)
{
	return (n > 8 && !memcmp(s, "https://", 8)) || (n > 7 && !memcmp(s, "http://", 7));
}

/* One line of the text; what looks like an address, and is one of ours, becomes a link. */
static void html_line(struct text *out, const char *s, size_t n)
{
	const char *link = memmem(s, n, "http", 4);
	size_t before = link ? (size_t)(link - s) : n;

	text_htmln(out, s, before);
	if (!link)
		return;
	if (is_link(link, n - before)) {
		text_raw(out, "<a href=\"");
		text_htmln(out, link, n - before);
		text_raw(out, "\">");
		text_htmln(out, link, n - before);
		text_raw(out, "</a>");
	} else {
		text_htmln(out, link, n - before);
	}
}

static void html_body(struct text *out, const struct message *m)
{
	text_printf(out, "<!doctype html>\r\n<html lang=\"%s\"><body style=\"font-family:sans-serif\">\r\n",
		language_tag(m->language));
	text_printf(out, "<p style=\"font-size:1.2em;border-left:.4em solid %s;padding-left:.6em\"><b>",
		m->good ? "#2a7d3f" : "#b3261e");
	text_html(out, m->title);
	text_raw(out, "</b></p>\r\n<p>");
	for (const char *line = m->text; *line;) {
		size_t n = strcspn(line, "\n");

		html_line(out, line, n);
		line += n;
		if (*line) {
			text_raw(out, "<br>\r\n");
			line++;
		}
	}
	text_raw(out, "</p>\r\n<p><small>");
	put_footer(out, m, text_html);
	text_raw(out, "</small></p>\r\n</body></html>\r\n");
}

/* ---- the whole */

static void put_headers(struct text *out, const struct message *m, const char *from, const struct strings *to,
	const char *eol, int64_t now_us)
{
	text_raw(out, "Date: ");
	calendar_put_mail_date(out, now_us / US_PER_S);
	text_printf(out, "%sFrom: ", eol);
	put_mailbox(out, from, eol);
	text_printf(out, "%sTo: ", eol);
	for (size_t i = 0; i < to->n; i++) {
		if (i)
			text_printf(out, ",%s ", eol);
		put_mailbox(out, to->at[i], eol);
	}
	text_printf(out, "%sSubject: ", eol);
	put_phrase(out, m->title, eol);
	text_printf(out, "%sMessage-ID: ", eol);
	put_id(out, m->id, from);
	if (strcmp(m->root, m->id)) { /* a mail program shows it below the mail of the outage */
		text_printf(out, "%sIn-Reply-To: ", eol);
		put_id(out, m->root, from);
		text_printf(out, "%sReferences: ", eol);
		put_id(out, m->root, from);
	}
	text_printf(out, "%sAuto-Submitted: auto-generated%sX-Upbeat-Event: %s%sMIME-Version: 1.0%s", eol, eol,
		m->event, eol, eol);
}

void mail_compose(struct text *out, const struct message *m, const char *from, const struct strings *to,
	const char *eol, int64_t now_us)
{
	static const char boundary[] = "=_upbeat-alternative"; /* cannot occur in base64 */
	struct text body = TEXT_INIT;

	put_headers(out, m, from, to, eol, now_us);
	text_printf(out, "Content-Type: multipart/alternative; boundary=\"%s\"%s%s", boundary, eol, eol);
	text_printf(out, "--%s%s", boundary, eol);
	plain_body(&body, m);
	put_part(out, "text/plain", &body, eol);
	text_clear(&body);
	text_printf(out, "--%s%s", boundary, eol);
	html_body(&body, m);
	put_part(out, "text/html", &body, eol);
	text_printf(out, "--%s--%s", boundary, eol);
	text_free(&body);
}
