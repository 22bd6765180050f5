/* SPDX-License-Identifier: ISC */
/*
 * Replies, gathered and sent in one piece. See reply.h.
 *
 * "Status:" comes first and never an HTTP line: every server understands that. Each header that we did not
 * write ourselves goes through text_header(), so no value can begin a second one.
 */
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/sign.h"
#include "web/reply.h"

void reply_begin(struct reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->status = 200;
	reply->cache_s = -1;
}

void reply_end(struct reply *reply)
{
	text_free(&reply->headers);
	text_free(&reply->body);
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
	text_raw(&reply->headers, name);
	text_raw(&reply->headers, ": ");
	text_header(&reply->headers, value);
	text_raw(&reply->headers, "\r\n");
}

static void error_json(struct reply *reply, int status, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void error_json(struct reply *reply, int status, const char *format, va_list ap)
{
	struct text words = TEXT_INIT;

	text_vprintf(&words, format, ap);
	reply->status = status;
	reply->type = TYPE_JSON;
	text_clear(&reply->body);
	text_raw(&reply->body, "{\"ok\":false,\"error\":\"");
	text_json(&reply->body, text_str(&words));
	text_raw(&reply->body, "\"}");
	text_free(&words);
}

void reply_error_json(struct reply *reply, int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_json(reply, status, format, ap);
	va_end(ap);
}

void reply_text(struct reply *reply, int status, const char *line)
{
	reply->status = status;
	reply->type = TYPE_TEXT;
	text_clear(&reply->body);
	text_raw(&reply->body, line);
}

void reply_unavailable(struct reply *reply, int retry_after_s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_json(reply, 503, format, ap);
	va_end(ap);
	text_printf(&reply->headers, "Retry-After: %d\r\n", retry_after_s);
}

/* ---- validators */

/* true when one of the tags of If-None-Match is ours; weak and strong compare alike (RFC 9110 13.1.2). */
static bool etag_listed(const char *list, const char *tag)
{
	const char *at = strstr(list, tag);

	return strcmp(list, "*") == 0 || at != NULL;
}

bool reply_etag(struct reply *reply, const struct request *req, const void *seed, size_t seed_len)
{
	uint8_t hash[SHA256_BYTES];
	struct text tag = TEXT_INIT;
	const char *known = request_header(req, "If-None-Match");
	bool same;

	if (seed != NULL)
		sign_sha256(seed, seed_len, hash);
	else
		sign_sha256(text_str(&reply->body), reply->body.len, hash);
	text_char(&tag, '"');
	sign_hex(&tag, hash, 12);
	text_char(&tag, '"');
	reply_header(reply, "ETag", tag.ptr);
	same = known != NULL && reply->status == 200 && etag_listed(known, tag.ptr);
	text_free(&tag);
	if (same) {
		reply->status = 304;
		reply->type = NULL;
		text_clear(&reply->body);
	}
	return same;
}

/* ---- sending */

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *words;
	} rows[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{303, "See Other"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].status == status)
			return rows[i].words;
	return "Unknown";
}

static void put_cache(struct text *head, const struct reply *reply)
{
	if (reply->cache_s < 0)
		text_raw(head, "Cache-Control: no-store\r\n");
	else if (reply->cache_s == 0)
		text_raw(head, "Cache-Control: no-cache\r\n");
	else
		text_printf(head, "Cache-Control: %s, max-age=%d\r\n",
			reply->is_public ? "public" : "private", reply->cache_s);
}

/* Of every reply, so without printf. */
static void put_number(struct text *t, size_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	text_rawn(t, digits + at, sizeof(digits) - at);
}

/* A page loads what is ours, sends forms to us, and stands in nobody's frame. */
static const char page_policy[] = "Content-Security-Policy: default-src 'none'; style-src 'self'; "
				  "script-src 'self'; img-src 'self' data:; connect-src 'self'; "
				  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"
				  "X-Frame-Options: DENY\r\n";

static void put_head(struct text *head, const struct reply *reply)
{
	text_reserve(head, 512 + reply->headers.len + reply->body.len);
	text_raw(head, "Status: ");
	put_number(head, (size_t)reply->status);
	text_char(head, ' ');
	text_raw(head, reason(reply->status));
	text_raw(head, "\r\n");
	if (reply->type != NULL) {
		text_raw(head, "Content-Type: ");
		text_raw(head, reply->type);
		text_raw(head, "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
		if (strcmp(reply->type, TYPE_HTML) == 0)
			text_raw(head, page_policy);
	}
	put_cache(head, reply);
	if (reply->headers.len > 0)
		text_rawn(head, reply->headers.ptr, reply->headers.len);
	if (reply->type != NULL) {
		text_raw(head, "Content-Length: ");
		put_number(head, reply->body.len);
		text_raw(head, "\r\n");
	}
	text_raw(head, "\r\n");
}

void reply_send(struct reply *reply, struct request *req)
{
	struct text out = TEXT_INIT;

	put_head(&out, reply);
	if (req->method != METHOD_HEAD && reply->type != NULL && reply->body.len > 0)
		text_rawn(&out, reply->body.ptr, reply->body.len);
	req->io->write(req->io, out.ptr, out.len);
	text_free(&out);
}
