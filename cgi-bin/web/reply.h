/* SPDX-License-Identifier: ISC */
/*
 * reply: status, headers and body, gathered first and sent in one piece, after every transaction is over.
 *
 * Every reply carries the same safe headers (content type with charset, nosniff, no-referrer, CSP for HTML,
 * Cache-Control). A value that goes into a header is written with text_header(). HEAD gets the same head.
 */
#ifndef WEB_REPLY_H
#define WEB_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "web/request.h"

struct reply {
	int status;            /* 200 unless set */
	const char *type;      /* a literal of reply.h's TYPE_..., NULL: no body */
	struct text headers;   /* further ones, each "Name: value\r\n" */
	struct text body;
	int cache_s;           /* max-age; 0: no-cache; -1: no-store */
	bool is_public;        /* may a shared cache keep it */
};

#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json; charset=utf-8"
#define TYPE_PROBLEM "application/problem+json; charset=utf-8"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_SVG "image/svg+xml; charset=utf-8"
#define TYPE_CSS "text/css; charset=utf-8"
#define TYPE_JS "text/javascript; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_ATOM "application/atom+xml; charset=utf-8"

void reply_begin(struct reply *reply);
void reply_end(struct reply *reply);
/* Adds a header; name is a literal, the value is escaped for its context. */
void reply_header(struct reply *reply, const char *name, const char *value);
/* Sets status and a short body: {"ok":false,"error":"..."} as JSON. */
void reply_error_json(struct reply *reply, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same as one line of text. */
void reply_text(struct reply *reply, int status, const char *line);
/* 503 with Retry-After. */
void reply_unavailable(struct reply *reply, int retry_after_s, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* ETag of the body (or of `seed`), and 304 when the request already has it. true: it was 304. */
bool reply_etag(struct reply *reply, const struct request *req, const void *seed, size_t seed_len);
/* Writes it to the web server. A client that went away is not an error. */
void reply_send(struct reply *reply, struct request *req);

#endif
