/* SPDX-License-Identifier: ISC */
/*
 * http_request: one hop's request: a libcurl handle with all that it needs.
 *
 *	http_request_open   takes a handle, sets what is this look's own
 *	http_request_close  gives it back
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/version.h"
#include "prober/check/address.h"
#include "prober/check/http_private.h"

#define USER_AGENT "Upbeat/" UPBEAT_VERSION " (uptime monitor)"
#define SPARE_MAX 64      /* handles that are kept: as many as are busy at a time */
#define BUFFER_BYTES 8192L /* for what comes in, of each transfer */

/* ---- what libcurl asks for */

static CURLcode tls_context(CURL *easy, void *context, void *arg)
{
	struct http *http = arg;

	(void)easy;
	certificate_observe(context, &http->certificate, http->options->verify);
	return CURLE_OK;
}

/* libcurl tells of a socket that cannot be made as if the other side had refused. */
static curl_socket_t socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	http->socket = fd;
	http->socket_error = fd < 0 ? errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ---- handles

   A handle is 5 kB with sixty settings, and the next look's is the same but for a few: those that made plain
   GETs are used again. One that was given anything else (a login, a body, another method) is not, so nothing
   of one monitor can reach another. */

static CURL *spare[SPARE_MAX];
static size_t spare_count;

/* What is the same for all looks. */
static void set_constants(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* else the environment is asked for each connection */
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_header_came);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_body_came);
	/* With a CApath libcurl would parse the bundle anew for each connection, 20 ms each. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, tls_context);
}

static CURL *handle_take(void)
{
	CURL *easy;

	if (spare_count > 0)
		return spare[--spare_count];
	easy = curl_easy_init();
	if (easy)
		set_constants(easy);
	return easy;
}

/* Nothing of the look may be left behind: its memory goes with it. */
static void handle_give(CURL *easy, bool special)
{
	if (special || spare_count == SPARE_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
	curl_easy_setopt(easy, CURLOPT_URL, NULL); /* what libcurl had made of it */
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
	spare[spare_count++] = easy;
}

/* ---- one look's own settings: each is set anew every time */

static void set_transport(struct http *http)
{
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_CURLU, http->url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	/* The check's own deadline comes first; this one is for what libcurl does in its last moments. */
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)check_left_ms(http->check) + 100);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
}

static void set_tls(struct http *http)
{
	CURL *easy = http->easy;

	if (http->check->world->ca_bundle)
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->check->world->ca_bundle);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, http->options->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, http->options->verify ? 2L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http);
}

static void set_auth(struct http *http)
{
	cJSON *auth = http->options->auth ? cJSON_Parse(http->options->auth) : NULL;
	const cJSON *basic = cJSON_GetObjectItemCaseSensitive(auth, "basic");
	const cJSON *bearer = cJSON_GetObjectItemCaseSensitive(auth, "bearer");

	if (cJSON_IsString(bearer)) {
		curl_easy_setopt(http->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(http->easy, CURLOPT_XOAUTH2_BEARER, bearer->valuestring);
	} else if (cJSON_GetArraySize(basic) == 2) {
		curl_easy_setopt(http->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(http->easy, CURLOPT_USERNAME, cJSON_GetStringValue(cJSON_GetArrayItem(basic, 0)));
		curl_easy_setopt(http->easy, CURLOPT_PASSWORD, cJSON_GetStringValue(cJSON_GetArrayItem(basic, 1)));
	}
	http->special = http->special || auth;
	cJSON_Delete(auth);
}

static bool is_credential(const char *name)
{
	return strcasecmp(name, "authorization") == 0 || strcasecmp(name, "cookie") == 0 ||
		strcasestr(name, "token") || strcasestr(name, "key") || strcasecmp(name, "host") == 0;
}

static void add_header(struct http *http, const char *line)
{
	http->headers_out = curl_slist_append(http->headers_out, line);
}

static void set_headers(struct http *http)
{
	const struct map *own = &http->options->headers;
	struct text line = TEXT_INIT;
	bool agent = false;

	for (size_t i = 0; i < own->n; i++) {
		if (http->foreign && is_credential(own->names[i]))
			continue;
		agent = agent || strcasecmp(own->names[i], "user-agent") == 0;
		text_clear(&line);
		text_header(&line, own->names[i]);
		text_raw(&line, own->values[i][0] ? ": " : ";");
		text_header(&line, own->values[i]);
		add_header(http, text_str(&line));
	}
	if (!agent)
		add_header(http, "User-Agent: " USER_AGENT);
	if (http->special)
		add_header(http, "Expect:");
	text_free(&line);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers_out);
}

static void set_request(struct http *http)
{
	const char *method = http->options->method, *body = http->options->body;

	http->special = strcmp(method, "GET") != 0;
	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(http->easy, CURLOPT_NOBODY, 1L);
	} else if (strcmp(method, "GET") != 0 && !http->plain_get) {
		bool empty = !body && method[0] != 'P'; /* POST, PUT and PATCH say how long their nothing is */

		if (!empty) {
			curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body ? body : "");
			curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body ? body : ""));
		}
		curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, method);
	}
	if (!http->foreign)
		set_auth(http);
	set_headers(http);
}

/* Hands one address to libcurl: it connects there and still speaks to the host by its name. (With
   CURLOPT_RESOLVE each host would stay in its cache, all of which it walks through after each transfer.) */
static void set_address(struct http *http)
{
	const union address *at = &http->addresses.at[http->tried];
	size_t left = http->addresses.n - http->tried;
	int64_t left_ms = check_left_ms(http->check);
	char address[64];
	bool v6 = at->any.sa_family == AF_INET6;

	address_print(at, address, sizeof(address));
	if (strcmp(address, http->host) != 0) {
		struct text to = TEXT_INIT;

		text_printf(&to, "::%s%s%s:", v6 ? "[" : "", address, v6 ? "]" : "");
		http->pinned = curl_slist_append(NULL, text_str(&to));
		text_free(&to);
	}
	curl_easy_setopt(http->easy, CURLOPT_CONNECT_TO, http->pinned);
	/* Another one is waiting: a dead address must not use up its time. */
	curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS,
		left > 1 ? (long)(left_ms / (2 * (int64_t)left)) : 0L);
	memcpy(http->check->result.address, address, strlen(address) + 1);
}

/* ---- the calls */

bool http_request_open(struct http *http)
{
	http->easy = handle_take();
	if (!http->easy)
		return false;
	set_transport(http);
	set_tls(http);
	set_request(http);
	set_address(http);
	return true;
}

void http_request_close(struct http *http)
{
	if (http->easy)
		handle_give(http->easy, http->special);
	http->easy = NULL;
	curl_slist_free_all(http->pinned);
	curl_slist_free_all(http->headers_out);
	http->pinned = http->headers_out = NULL;
}
