/* SPDX-License-Identifier: ISC */
/*
 * engine: one message as one HTTP request. A row of data is expanded into a request, the request goes
 * out as an exchange on the loop, and the answer is judged by answer.c.
 *
 * An exchange never follows a redirect, uses no proxy (whatever the environment says), verifies TLS, and has
 * one deadline for all of it. Names are resolved by the loop and handed to libcurl as addresses.
 */
#include "prober/notify/engine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/net/ca_bundle.h"
#include "prober/notify/answer.h"

/* ---- a request */

static bool expand(char **out, const char *template, enum template_context context,
	const struct field_source *source, struct error *err)
{
	const struct template_source from = {field_value, source};
	struct text t = TEXT_INIT;

	if (!template_expand(&t, template, context, &from, err)) {
		text_free(&t);
		return false;
	}
	*out = mem_str(text_str(&t));
	text_free(&t);
	return true;
}

static void add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more)
		*list = more;
}

/* "Name: value", unless there is no value. */
static bool put_header(struct http_request *request, const char *template, const struct field_source *source,
	struct error *err)
{
	char *line;
	const char *value;

	if (!expand(&line, template, TEMPLATE_HEADER, source, err))
		return false;
	value = strchr(line, ':');
	if (value && value[1 + strspn(value + 1, " ")])
		add_header(&request->headers, line);
	free(line);
	return true;
}

static bool put_headers(struct http_request *request, const struct http_row *row,
	const struct field_source *source, struct error *err)
{
	for (size_t i = 0; row->headers && row->headers[i]; i++)
		if (!put_header(request, row->headers[i], source, err))
			return false;
	for (size_t i = 0; row->more && i < row->more->n; i++) {
		struct text line = TEXT_INIT;
		bool ok;

		if (!strcasecmp(row->more->names[i], "Content-Type"))
			continue; /* is row->type */
		text_header(&line, row->more->names[i]);
		text_raw(&line, ": ");
		text_raw(&line, row->more->values[i]);
		ok = put_header(request, text_str(&line), source, err);
		text_free(&line);
		if (!ok)
			return false;
	}
	add_header(&request->headers, "Expect:"); /* no 100-continue: it costs a second where it is not known */
	return true;
}

bool http_request_build(struct http_request *request, const struct http_row *row,
	const struct channel_type *type, const void *options, const struct message *message, int64_t now_us,
	struct error *err)
{
	struct field_source source = {type, options, message, NULL, now_us};
	const struct template_source from = {field_value, &source};

	*request = (struct http_request){.method = mem_str(row->method ? row->method : "POST")};
	if (!expand(&request->url, row->url, TEMPLATE_URL, &source, err))
		return false;
	if (row->basic && !expand(&request->basic, row->basic, TEMPLATE_PLAIN, &source, err))
		return false;
	if (row->body && !template_expand(&request->body, row->body, template_context_of(row->type), &from, err))
		return false;
	source.body = &request->body; /* from here on it can be signed */
	if (row->type) {
		struct text line = TEXT_INIT;

		text_printf(&line, "Content-Type: %s", row->type);
		add_header(&request->headers, text_str(&line));
		text_free(&line);
	}
	return put_headers(request, row, &source, err);
}

void http_request_clear(struct http_request *request)
{
	free(request->method);
	free(request->url);
	free(request->basic);
	curl_slist_free_all(request->headers);
	text_free(&request->body);
	*request = (struct http_request){0};
}

/* ---- an exchange */

CURL *exchange_easy(void)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		return NULL;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* With a directory of certificates libcurl reads the whole store anew for each handle. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (ca_bundle())
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_bundle());
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Upbeat");
	return easy;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct exchange *exchange = arg;
	size_t have = exchange->answer.len, room = have < EXCHANGE_ANSWER_MAX ? EXCHANGE_ANSWER_MAX - have : 0;

	text_rawn(&exchange->answer, bytes, size * n < room ? size * n : room);
	return size * n; /* the rest is read and dropped: what matters stands at the beginning */
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct exchange *exchange = arg;
	size_t len = size * n, at = sizeof(name) - 1;

	if (len > 2 && len < 1000 && strncmp(bytes, "221", 3)) { /* SMTP's good-bye says nothing */
		text_clear(&exchange->line);
		text_rawn(&exchange->line, bytes, len);
	}
	if (len > at && len < 200 && !strncasecmp(bytes, name, at)) {
		while (at < len && (bytes[at] == ' ' || bytes[at] == '\t'))
			at++;
		while (len > at && strchr(" \t\r\n", bytes[len - 1]))
			len--;
		free(exchange->retry_after);
		exchange->retry_after = mem_strn(bytes + at, len - at);
	}
	return size * n;
}

static void finish(struct exchange *exchange, const char *problem)
{
	exchange->problem = problem;
	exchange->done(exchange->arg);
}

static void transferred(void *arg, CURLcode code)
{
	struct exchange *exchange = arg;
	long status = 0;

	exchange->transfer = NULL;
	exchange->code = code;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	exchange->status = (int)status;
	if (code == CURLE_OK)
		finish(exchange, NULL);
	else
		finish(exchange, exchange->error[0] ? exchange->error : curl_easy_strerror(code));
}

static void put_address(struct text *t, const union address *address)
{
	char shown[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, shown,
			sizeof(shown));
		text_printf(t, "[%s]", shown);
	} else {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, shown,
			sizeof(shown));
		text_raw(t, shown);
	}
}

/* Host (without brackets) and port as libcurl itself reads them from the URL. */
static bool url_place(const char *url, char **host, char **port)
{
	CURLU *parts = curl_url();
	bool ok = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
		!curl_url_get(parts, CURLUPART_HOST, host, 0) &&
		!curl_url_get(parts, CURLUPART_PORT, port, CURLU_DEFAULT_PORT);
	size_t n;

	curl_url_cleanup(parts);
	if (ok && **host == '[' && (n = strlen(*host)) > 2) {
		memmove(*host, *host + 1, n - 2);
		(*host)[n - 2] = 0;
	}
	return ok;
}

static void connect_to(struct exchange *exchange)
{
	int64_t left_ms = (exchange->deadline_us - clock_mono_us()) / US_PER_MS;

	if (left_ms < 1) {
		finish(exchange, "timed out");
		return;
	}
	curl_easy_setopt(exchange->easy, CURLOPT_URL, exchange->url);
	curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(exchange->easy, CURLOPT_ERRORBUFFER, exchange->error);
	curl_easy_setopt(exchange->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(exchange->easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(exchange->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(exchange->easy, CURLOPT_HEADERDATA, exchange);
	exchange->transfer = loop_transfer(exchange->loop, exchange->easy, transferred, exchange);
}

static void resolved(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct exchange *exchange = arg;
	struct text pin = TEXT_INIT;
	char *host = NULL, *port = NULL;

	(void)ours; /* either way it is tried again later */
	exchange->resolve = NULL;
	if (!addresses->n) {
		finish(exchange, why);
		return;
	}
	/* An IPv6 address as host needs no pin, and libcurl reads none for it. */
	if (url_place(exchange->url, &host, &port) && !strchr(host, ':')) {
		text_printf(&pin, "%s:%s:", host, port);
		for (size_t i = 0; i < addresses->n; i++) {
			text_raw(&pin, i ? "," : "");
			put_address(&pin, &addresses->at[i]);
		}
		exchange->pinned = curl_slist_append(NULL, text_str(&pin));
		curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, exchange->pinned);
	}
	curl_free(host);
	curl_free(port);
	text_free(&pin);
	connect_to(exchange);
}

static void not_a_url(void *arg)
{
	struct exchange *exchange = arg;

	exchange->timer = NULL;
	finish(exchange, "not a URL that can be used");
}

void exchange_start(struct exchange *exchange)
{
	char *host = NULL, *port = NULL;

	if (exchange->easy && url_place(exchange->url, &host, &port))
		exchange->resolve = loop_resolve(exchange->loop, host, AF_UNSPEC,
			(exchange->deadline_us - clock_mono_us()) / US_PER_MS, resolved, exchange);
	else
		exchange->timer = loop_after(exchange->loop, 0, not_a_url, exchange);
	curl_free(host);
	curl_free(port);
}

void exchange_request(struct exchange *exchange, const struct http_request *request)
{
	CURL *easy = exchange->easy = exchange_easy();

	exchange->url = mem_str(request->url);
	if (!easy)
		return;
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (request->body.len || strcmp(request->method, "GET")) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text_str(&request->body));
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	if (request->basic && *request->basic) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERPWD, request->basic);
	}
}

void exchange_clear(struct exchange *exchange)
{
	if (exchange->resolve)
		loop_resolve_stop(exchange->resolve);
	if (exchange->transfer)
		loop_transfer_stop(exchange->transfer);
	if (exchange->timer)
		loop_timer_stop(exchange->timer);
	curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->pinned);
	text_free(&exchange->answer);
	text_free(&exchange->line);
	free(exchange->retry_after);
	free(exchange->url);
	*exchange = (struct exchange){0};
}

/* ---- one message, one request */

struct attempt {
	struct http_row row;
	struct http_request request;
	struct exchange exchange;
	struct loop_timer *failed;
};

static void answered(void *arg)
{
	struct delivery *delivery = arg;
	struct attempt *attempt = delivery->own;
	struct exchange *exchange = &attempt->exchange;
	struct answer answer = {exchange->status, text_str(&exchange->answer), exchange->retry_after};

	if (exchange->problem) {
		channel_outcome(delivery, DELIVERY_RETRY, 0, exchange->problem);
	} else {
		channel_outcome(delivery, answer_end(&attempt->row, &answer), answer.status, answer.body);
		delivery->retry_after_us = answer_wait_us(&attempt->row, &answer, clock_wall_us());
		if (delivery->end == DELIVERY_SENT && attempt->row.thread)
			delivery->thread = answer_path(answer.body, attempt->row.thread);
	}
	channel_finish(delivery);
}

static void not_built(void *arg)
{
	struct delivery *delivery = arg;
	struct attempt *attempt = delivery->own;

	attempt->failed = NULL;
	channel_finish(delivery);
}

void engine_send(struct delivery *delivery)
{
	struct attempt *attempt = delivery->own = MEM_NEW(struct attempt);
	struct error err = {0};

	if (delivery->type->http)
		attempt->row = *delivery->type->http;
	if (delivery->type->row)
		delivery->type->row(delivery->options, delivery->message, &attempt->row);
	if (!http_request_build(&attempt->request, &attempt->row, delivery->type, delivery->options,
			delivery->message, clock_wall_us(), &err)) {
		channel_outcome(delivery, DELIVERY_REFUSED, 0, err.text);
		attempt->failed = loop_after(delivery->loop, 0, not_built, delivery);
		return;
	}
	attempt->exchange.loop = delivery->loop;
	attempt->exchange.deadline_us = delivery->started_us + DELIVERY_TIMEOUT_MS * US_PER_MS;
	attempt->exchange.done = answered;
	attempt->exchange.arg = delivery;
	exchange_request(&attempt->exchange, &attempt->request);
	exchange_start(&attempt->exchange);
}

void engine_end(struct delivery *delivery)
{
	struct attempt *attempt = delivery->own;

	if (attempt->failed)
		loop_timer_stop(attempt->failed);
	exchange_clear(&attempt->exchange);
	http_request_clear(&attempt->request);
	free(attempt);
}
