/* SPDX-License-Identifier: ISC */
/* language: the reader's language, from what the request says. */
#include "web/language.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COOKIE "upbeat_lang="

/* Is the tag (up to its end) one that we speak at all? language_parse() calls everything else English. */
static bool speaks(const char *tag, enum language *out)
{
	static const char *const ours[] = {"en", "zh"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strncasecmp(tag, ours[i], 2) == 0 && (tag[2] == '\0' || tag[2] == '-')) {
			*out = language_parse(tag);
			return true;
		}
	}
	return false;
}

/* The weight of "zh-TW;q=0.8" in thousandths, and its tag cut off at the ';'. */
static int weight(char *range)
{
	char *q = strchr(range, ';');
	int value = 0, digits = 0;

	if (!q)
		return 1000;
	*q++ = '\0';
	q += strspn(q, " \t");
	if (strncasecmp(q, "q=", 2) != 0)
		return 1000;
	q += 2;
	if (*q == '1')
		return 1000;
	if (q[0] != '0' || q[1] != '.')
		return 0;
	for (q += 2; *q >= '0' && *q <= '9' && digits < 3; digits++)
		value = value * 10 + (*q++ - '0');
	for (; digits < 3; digits++)
		value *= 10;
	return value;
}

enum language language_accepted(const char *header, enum language otherwise)
{
	enum language best = otherwise, one;
	int best_weight = 0;

	while (header && *header) {
		char range[64];
		size_t n;
		int w;

		header += strspn(header, " \t,");
		n = strcspn(header, ",");
		if (n < sizeof(range)) {
			memcpy(range, header, n);
			range[n] = '\0';
			w = weight(range);
			range[strcspn(range, " \t")] = '\0';
			if (w > best_weight && speaks(range, &one)) {
				best = one;
				best_weight = w;
			}
		}
		header += n;
	}
	return best;
}

static bool from_cookie(const char *cookies, enum language *out)
{
	for (const char *at = cookies; at && *at;) {
		char tag[16];
		size_t n;

		at += strspn(at, " ;");
		n = strcspn(at, ";");
		if (strncmp(at, COOKIE, strlen(COOKIE)) == 0 && n - strlen(COOKIE) < sizeof(tag)) {
			memcpy(tag, at + strlen(COOKIE), n - strlen(COOKIE));
			tag[n - strlen(COOKIE)] = '\0';
			return speaks(tag, out);
		}
		at += n;
	}
	return false;
}

static bool from_query(const struct request *req, enum language *out)
{
	char *lang = request_query(req, "lang");
	bool known = lang && speaks(lang, out);

	free(lang);
	return known;
}

enum language page_language(const struct request *req, enum language otherwise)
{
	enum language language;

	if (from_query(req, &language) || from_cookie(request_header(req, "Cookie"), &language))
		return language;
	return language_accepted(request_header(req, "Accept-Language"), otherwise);
}

void page_remember_language(const struct request *req, struct reply *reply)
{
	struct text t = TEXT_INIT;
	enum language language;

	if (!from_query(req, &language))
		return;
	text_printf(&t, COOKIE "%s; Path=%s/; Max-Age=31536000; SameSite=Lax; HttpOnly",
		language_tag(language), req->mount);
	reply_header(reply, "Set-Cookie", text_str(&t));
	text_free(&t);
}
