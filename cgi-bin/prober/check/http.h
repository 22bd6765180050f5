/* SPDX-License-Identifier: ISC */
/*
 * http: one HTTP(S) request as a look at a target: the engine of the types http and keyword.
 *
 * It judges the status, the headers and the JSON values that the options ask for; what else a type asks of
 * the body is its struct http_reader.
 *
 * Names are resolved on the loop and handed to libcurl as addresses; redirects are followed here, hop by
 * hop, each resolved the same way, and never from a public address to a private one. What is read is
 * bounded: max_body of the body, and the headers. Nothing compressed is asked for.
 *
 * Files: see http_private.h.
 *
 * The options of a type that uses it begin with struct http_options, and its fields with HTTP_FIELDS.
 */
#ifndef PROBER_HTTP_H
#define PROBER_HTTP_H

#include "prober/check/check.h"
#include "prober/net/headers.h"

struct http_options {
	char *url, *method;
	struct map headers;
	char *body;
	char *status;        /* "200-399", "200,404" */
	int64_t follow;      /* redirects at most */
	char *auth;          /* {"basic":["user","password"]} or {"bearer":"..."}, or NULL */
	int64_t ip;          /* 4, 6, or 0 for any */
	bool verify;
	int64_t max_body;    /* bytes */
	char *json;          /* {"path.to.value": expected}, or NULL */
	struct map header;   /* answer's headers: name -> text that must be in its value */
	struct ints cert_days;
};

extern const char *const http_methods[];
extern const struct field http_auth_fields[2];
bool http_ip_valid(const void *value, struct text *why);
bool http_status_valid(const void *value, struct text *why);
bool http_json_valid(const void *value, struct text *why);
bool http_validate(const void *options, struct text *why);

#define HTTP_AT(member) .offset = offsetof(struct http_options, member)
#define HTTP_FIELDS                                                                                          \
	{.name = "url", .type = FIELD_URL, HTTP_AT(url), .required = true, .help = "What to ask for."},         \
	{.name = "method", .type = FIELD_CHOICE, HTTP_AT(method), .fallback = "GET", .choices = http_methods,   \
		.help = "The request's method."},                                                              \
	{.name = "headers", .type = FIELD_MAP, HTTP_AT(headers), .secret = true, .valid = headers_valid,   \
		.help = "Headers to send beside our own, by name."},                                           \
	{.name = "body", .type = FIELD_STRING, HTTP_AT(body), .secret = true, .help = "The request's body."},   \
	{.name = "status", .type = FIELD_STRING, HTTP_AT(status), .fallback = "200-399",                        \
		.valid = http_status_valid, .help = "Which statuses are good: numbers and ranges."},           \
	{.name = "follow", .type = FIELD_INT, HTTP_AT(follow), .fallback = "5", .min = 0, .max = 20,            \
		.help = "How many redirects are followed; with 0 the redirect itself is the answer."},         \
	{.name = "auth", .type = FIELD_GROUP, HTTP_AT(auth), .secret = true, .inner = http_auth_fields,         \
		.inner_count = 2, .help = "A login: basic with user and password, or a bearer token."},        \
	{.name = "ip", .type = FIELD_INT, HTTP_AT(ip), .valid = http_ip_valid,                                  \
		.help = "Which family of addresses to use: 4 or 6."},                                          \
	{.name = "verify", .type = FIELD_BOOL, HTTP_AT(verify), .fallback = "true",                             \
		.help = "Whether a wrong certificate is down."},                                               \
	{.name = "max_body", .type = FIELD_INT, HTTP_AT(max_body), .fallback = "65536", .min = 1,               \
		.max = 16777216, .help = "How many bytes of the body are read at most."},                      \
	{.name = "json", .type = FIELD_JSON, HTTP_AT(json), .valid = http_json_valid,                           \
		.help = "Values that the JSON answer must hold, by path: {\"status.db\": \"ok\"}."},           \
	{.name = "header", .type = FIELD_MAP, HTTP_AT(header), .valid = headers_valid,                     \
		.help = "Headers that the answer must have, with a text that must be in the value."},          \
	{.name = "cert_days", .type = FIELD_INTS, HTTP_AT(cert_days), .fallback = "[21,7,1]", .min = 1,         \
		.max = 3650, .help = "How many days before its end a certificate is warned of."}

/* Is the status one of the list's? */
bool http_status_good(const char *list, int status);
/* Does a JSON answer hold the expected values? Otherwise sets the cause. */
bool http_json_holds(const char *expected, const char *bytes, size_t n, struct result *result);

struct http;

/* What a type makes of the answer beside its status, headers and JSON values. Both may be NULL. */
struct http_reader {
	/* The next bytes of the final answer's body; false: has seen enough, stop reading. */
	bool (*body)(void *arg, const char *bytes, size_t n);
	/* The answer is complete (or its body was cut at max_body: capped) and all that the options ask of it
	   holds; the result says up: may say otherwise. */
	void (*judge)(void *arg, bool capped);
	void *arg;
};

/* Begins; calls check_finish() when all is known. */
struct http *http_start(struct check *check, const struct http_options *options,
	const struct http_reader *reader);
/* The deadline has passed: says what it was waiting for, keeps the evidence. */
void http_expire(struct http *http);
/* The value of the answer's first header of this name, as a copy that the caller frees; NULL: there is none. */
char *http_header(const struct http *http, const char *name);
void http_free(struct http *http);

#endif
