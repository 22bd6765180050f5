/* SPDX-License-Identifier: ISC */
/*
 * engine: sends the channels that are rows of data; its two halves serve channels that take several requests
 * (statuspage) or that only share the way of connecting (mail).
 */
#ifndef PROBER_ENGINE_H
#define PROBER_ENGINE_H

#include <curl/curl.h>

#include "prober/notify/channel.h"
#include "prober/notify/template.h"

/* send and end of every type that has only a row. */
void engine_send(struct delivery *delivery);
void engine_end(struct delivery *delivery);

/* One request as it goes out: a row with its templates expanded. */
struct http_request {
	char *method, *url, *basic; /* basic may be NULL */
	struct curl_slist *headers;
	struct text body;
};
bool http_request_build(struct http_request *request, const struct http_row *row,
	const struct channel_type *type, const void *options, const struct message *message, int64_t now_us,
	struct error *err);
void http_request_clear(struct http_request *request);

/* One exchange on the loop: resolve, connect, send, read up to EXCHANGE_ANSWER_MAX bytes. */
#define EXCHANGE_ANSWER_MAX 65536
struct exchange {
	struct loop *loop;
	int64_t deadline_us;       /* monotonic */
	CURL *easy;                /* set up by the caller, all but what exchange_start() sets */
	char *url;
	struct text answer;        /* body */
	char *retry_after;         /* header, or NULL */
	struct text line;          /* the newest header line: of SMTP the server's last reply */
	int status;
	const char *problem;       /* NULL: there was an answer; else why not */
	CURLcode code;
	struct loop_resolve *resolve;
	struct loop_transfer *transfer;
	struct loop_timer *timer;
	struct curl_slist *pinned;
	char error[CURL_ERROR_SIZE];
	void (*done)(void *arg);
	void *arg;
};
/* A fresh easy handle with what holds for every delivery: no redirects, no proxy, TLS verified. NULL when
   libcurl cannot make one. */
CURL *exchange_easy(void);
/* Takes the handle and the URL over. done is called once, never from within. */
void exchange_start(struct exchange *exchange);
/* Stops and releases what it owns. */
void exchange_clear(struct exchange *exchange);
/* Sets an easy handle up for a request; the request must outlive the exchange. */
void exchange_request(struct exchange *exchange, const struct http_request *request);

/* The fields templates can name: those of the message, of the channel's options, and of the request. */
struct field_source {
	const struct channel_type *type;
	const void *options;
	const struct message *message;
	const struct text *body; /* for signatures over it; NULL while it is being made */
	int64_t now_us;
};
bool field_value(const void *arg, const char *name, struct text *value);
/* For a template of the configuration: does it expand, whatever the message? */
bool channel_template_check(const char *text, const char *content_type, struct text *why);

#endif
