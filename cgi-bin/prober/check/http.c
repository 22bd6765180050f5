/* SPDX-License-Identifier: ISC */
/*
 * http: one look, hop by hop.
 *
 *	hop_begin    parse the URL, resolve its host
 *	hop_send     addresses are there: refuse what a redirect may not lead to
 *	hop_connect  start the transfer to one of them; another one when it cannot be connected to
 *	hop_done     the transfer ended: add its timings; follow, or judge
 *
 * A transfer is cut short on purpose when enough was seen: a redirect that is followed needs no body, the
 * body ends at max_body. libcurl calls that a write error; `cut` tells it from a real one.
 */
#include "prober/check/http_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/secure.h"

#define HEADERS_MAX 65536     /* bytes of all headers of one hop, interim answers too */
#define HEADERS_KEPT 8192
#define LOCATION_MAX 8192
#define RESOLVE_SHARE(ms) ((ms) * 8 / 10) /* so that a mute resolver is told from a slow site */

static void hop_begin(struct http *http);

static struct result *result_of(struct http *http)
{
	return &http->check->result;
}

/* ---- the end of a look */

static void keep_evidence(struct http *http)
{
	struct result *result = result_of(http);

	if (result->outcome == OUTCOME_UP)
		return;
	if (http->headers.len > 0 && !result->headers)
		result->headers = mem_strn(http->headers.ptr, http->headers.len);
	if (http->body.len > 0 && !result->body) {
		result->body = mem_strn(http->body.ptr, http->body.len);
		result->body_len = http->body.len;
	}
}

static void finish(struct http *http, enum outcome outcome)
{
	result_of(http)->outcome = outcome;
	keep_evidence(http);
	check_finish(http->check);
}

static void down(struct http *http, bool definite, const char *cause)
{
	result_of(http)->definite = definite;
	result_cause(result_of(http), "%s", cause);
	finish(http, OUTCOME_DOWN);
}

/* The value of the next header of this name from *line on, which moves behind it; NULL: there is no other. */
static char *next_header(const char **line, const char *name)
{
	size_t n = strlen(name);
	char *value = NULL;

	while (**line && !value) {
		size_t length = strcspn(*line, "\n");

		if (strncasecmp(*line, name, n) == 0 && (*line)[n] == ':') {
			const char *from = *line + n + 1;

			from += strspn(from, " \t");
			value = mem_strn(from, strcspn(from, "\r\n"));
		}
		*line += length + ((*line)[length] == '\n');
	}
	return value;
}

char *http_header(const struct http *http, const char *name)
{
	const char *line = text_str(&http->headers);

	return next_header(&line, name);
}

/* A header may come several times: one of them must hold the text. */
static bool header_holds(const struct http *http, const char *name, const char *text)
{
	const char *line = text_str(&http->headers);
	bool holds = false;
	char *value;

	while (!holds && (value = next_header(&line, name))) {
		holds = strstr(value, text);
		free(value);
	}
	return holds;
}

static bool headers_hold(struct http *http)
{
	const struct map *wanted = &http->options->header;

	for (size_t i = 0; i < wanted->n; i++) {
		char *value;

		if (header_holds(http, wanted->names[i], wanted->values[i]))
			continue;
		value = http_header(http, wanted->names[i]);
		result_cause(result_of(http), value ? "header %.60s is \"%.60s\"" : "header %.60s is missing",
			wanted->names[i], value);
		free(value);
		return false;
	}
	return true;
}

static bool json_holds(struct http *http)
{
	if (!http->options->json)
		return true;
	if (http->cut == CUT_FULL) {
		result_cause(result_of(http), "the JSON answer is longer than max_body");
		return false;
	}
	return http_json_holds(http->options->json, text_str(&http->json), http->json.len, result_of(http));
}

static void judge(struct http *http)
{
	struct result *result = result_of(http);

	if (!http_status_good(http->options->status, result->status)) {
		result->definite = result->status >= 400;
		result_cause(result, "HTTP %d", result->status);
		finish(http, OUTCOME_DOWN);
		return;
	}
	result->outcome = OUTCOME_UP;
	if (!headers_hold(http) || !json_holds(http))
		result->outcome = OUTCOME_DOWN;
	else if (http->reader.judge)
		http->reader.judge(http->reader.arg, http->cut == CUT_FULL);
	finish(http, result->outcome);
}

/* ---- a hop's own things */

static void easy_drop(struct http *http)
{
	loop_transfer_stop(http->transfer);
	http->transfer = NULL;
	http_request_close(http);
}

static void hop_drop(struct http *http)
{
	loop_resolve_stop(http->resolve);
	http->resolve = NULL;
	easy_drop(http);
	curl_free(http->host);
	curl_free(http->port);
	http->host = http->port = NULL;
	free(http->location);
	http->location = NULL;
	text_clear(&http->headers);
	text_clear(&http->body);
	text_clear(&http->json);
	http->read_enough = http->too_long = false;
	http->header_bytes = http->body_bytes = 0;
	http->socket_error = 0;
	http->cut = CUT_NONE;
}

/* ---- what comes in */

static bool is_redirect(const struct http *http)
{
	int status = http->check->result.status;

	return http->options->follow > 0 && http->location &&
		(status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* A status line begins a new block: the last answer counts, not interim ones. */
static void header_status(struct http *http)
{
	long status = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	result_of(http)->status = (int)status;
	text_clear(&http->headers);
	free(http->location);
	http->location = NULL;
}

static void header_location(struct http *http, const char *line, size_t n)
{
	size_t from = strlen("location:");

	if (n <= from || strncasecmp(line, "location:", from) != 0 || http->location)
		return;
	http->too_long = n > LOCATION_MAX;
	if (http->too_long)
		n = from;
	while (from < n && (line[from] == ' ' || line[from] == '\t'))
		from++;
	while (n > from && (unsigned char)line[n - 1] <= ' ')
		n--;
	http->location = mem_strn(line + from, n - from);
}

size_t http_header_came(char *line, size_t size, size_t count, void *arg)
{
	struct http *http = arg;
	size_t n = size * count;

	http->phase = PHASE_ANSWER;
	http->header_bytes += n;
	if (http->header_bytes > HEADERS_MAX) {
		http->cut = CUT_HEADERS;
		return 0;
	}
	if (n >= 5 && strncmp(line, "HTTP/", 5) == 0)
		header_status(http);
	header_location(http, line, n);
	if (http->headers.len + n <= HEADERS_KEPT)
		text_rawn(&http->headers, line, n);
	return n;
}

static void keep_body(struct http *http, const char *bytes, size_t n)
{
	size_t room = BODY_KEPT_MAX - http->body.len;

	text_rawn(&http->body, bytes, n < room ? n : room);
}

size_t http_body_came(char *bytes, size_t size, size_t count, void *arg)
{
	struct http *http = arg;
	size_t n = size * count, room = (size_t)http->options->max_body - http->body_bytes;

	if (is_redirect(http)) {
		http->cut = CUT_REDIRECT;
		return 0;
	}
	if (n > room)
		n = room;
	http->body_bytes += n;
	keep_body(http, bytes, n);
	if (http->options->json)
		text_rawn(&http->json, bytes, n);
	if (http->reader.body && !http->read_enough)
		http->read_enough = !http->reader.body(http->reader.arg, bytes, n);
	if (http->read_enough && !http->options->json)
		http->cut = CUT_ENOUGH;
	else if (n < size * count)
		http->cut = CUT_FULL;
	return http->cut == CUT_NONE ? n : 0;
}

/* ---- what a transfer came to */

static int64_t since(CURL *easy, CURLINFO what, int64_t from_us)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, what, &us);
	return us > 0 ? us - from_us : -1;
}

static void add(int64_t *sum, int64_t us)
{
	if (us >= 0)
		*sum = (*sum > 0 ? *sum : 0) + us;
}

/* libcurl's times are cumulative from the start; each phase of all hops is summed up on its own. */
static void add_timings(struct http *http)
{
	struct timings *sum = &result_of(http)->timings;
	int64_t connected = since(http->easy, CURLINFO_CONNECT_TIME_T, 0);
	int64_t secured = since(http->easy, CURLINFO_APPCONNECT_TIME_T, 0);
	int64_t first = since(http->easy, CURLINFO_STARTTRANSFER_TIME_T, 0);
	int64_t ready = secured >= 0 ? secured : connected;

	add(&sum->connect_us, connected);
	if (connected >= 0 && secured >= connected)
		add(&sum->tls_us, secured - connected);
	if (ready >= 0 && first >= ready)
		add(&sum->first_byte_us, first - ready);
}

static void note_peer(struct http *http)
{
	struct result *result = result_of(http);
	char *ip = NULL;

	curl_easy_getinfo(http->easy, CURLINFO_PRIMARY_IP, &ip);
	if (ip && ip[0] && strlen(ip) < sizeof(result->address))
		memcpy(result->address, ip, strlen(ip) + 1);
	if (http->certificate.expires_s > 0)
		result->certificate_expires_s = http->certificate.expires_s;
}

static bool is_web(const char *scheme)
{
	return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
}

/* Moves to where the redirect points, relative to the hop before; false when that is nowhere that we go. */
static bool follow_url(struct http *http, const char **why)
{
	char *scheme = NULL, *host = NULL, *port = NULL;

	if (http->too_long)
		*why = "redirected to a URL that is too long";
	else if (!http->location[0])
		*why = "redirected to nowhere";
	else if (curl_url_set(http->url, CURLUPART_URL, http->location, 0) != CURLUE_OK ||
		curl_url_get(http->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		*why = "redirected to what is not a URL";
	else if (!is_web(scheme))
		*why = "redirected to something other than http or https";
	else if (curl_url_get(http->url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(http->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		*why = "redirected to what is not a URL";
	else if (strcasecmp(host, http->host) != 0 || strcmp(port, http->port) != 0)
		http->foreign = true;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return !*why;
}

static void follow(struct http *http)
{
	int status = result_of(http)->status;
	union address peer;
	const char *why = NULL;

	if (++http->hops > http->options->follow) {
		result_cause(result_of(http), "more than %lld redirect%s", (long long)http->options->follow,
			http->options->follow == 1 ? "" : "s");
		finish(http, OUTCOME_DOWN);
		return;
	}
	http->from_public = address_parse(result_of(http)->address, &peer) && !address_private(&peer);
	if (!follow_url(http, &why)) {
		down(http, false, why);
		return;
	}
	/* What browsers do: only 307 and 308 keep a POST a POST. */
	http->plain_get = http->plain_get || (status < 307 && strcmp(http->options->method, "HEAD") != 0);
	hop_drop(http);
	hop_begin(http);
}

static void cause_certificate(struct http *http)
{
	struct result *result = result_of(http);

	result->definite = true;
	if (!certificate_cause(&http->certificate, result, result->at_us / US_PER_S))
		result_cause(result, "certificate is for another host name");
	finish(http, OUTCOME_DOWN);
}

static void cause_connect(struct http *http)
{
	long error = http->socket_error;

	if (!error)
		curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &error);
	address_cause(result_of(http), error ? (int)error : ECONNREFUSED, &http->addresses.at[http->tried]);
	finish(http, result_of(http)->outcome);
}

/* What libcurl's other errors mean. */
static const struct meaning {
	CURLcode code;
	const char *text;
	enum outcome outcome;
} MEANINGS[] = {
	{CURLE_GOT_NOTHING, "closed the connection without an answer", OUTCOME_DOWN},
	{CURLE_RECV_ERROR, "connection reset", OUTCOME_DOWN},
	{CURLE_SEND_ERROR, "connection reset", OUTCOME_DOWN},
	{CURLE_PARTIAL_FILE, "the answer was cut off", OUTCOME_DOWN},
	{CURLE_UNSUPPORTED_PROTOCOL, "not an HTTP answer", OUTCOME_DOWN},
	{CURLE_WEIRD_SERVER_REPLY, "not a proper HTTP answer", OUTCOME_DOWN},
	{CURLE_BAD_CONTENT_ENCODING, "the answer is garbled", OUTCOME_DOWN},
	{CURLE_OPERATION_TIMEDOUT, "timed out", OUTCOME_DOWN},
	{CURLE_SSL_CACERT_BADFILE, "we have no usable list of certificate authorities", OUTCOME_UNKNOWN},
	{CURLE_OUT_OF_MEMORY, "we are out of memory", OUTCOME_UNKNOWN},
	{CURLE_FAILED_INIT, "libcurl cannot be used here", OUTCOME_UNKNOWN},
};

/* libcurl calls a chunk without a right length an error of receiving, too; only its words tell it from one. */
static bool bad_chunk(const struct http *http, CURLcode code)
{
	return code == CURLE_RECV_ERROR && strstr(http->error, "chunk");
}

static void cause_code(struct http *http, CURLcode code)
{
	struct result *result = result_of(http);

	if (bad_chunk(http, code))
		code = CURLE_WEIRD_SERVER_REPLY;
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++) {
		if (MEANINGS[i].code != code)
			continue;
		result_cause(result, "%s", MEANINGS[i].text);
		finish(http, MEANINGS[i].outcome);
		return;
	}
	if (code == CURLE_SSL_CONNECT_ERROR)
		secure_cause_words(http->error, result);
	else
		result_cause(result, "%s", http->error[0] ? http->error : curl_easy_strerror(code));
	finish(http, OUTCOME_DOWN);
}

static void hop_connect(struct http *http);

/* Has the host another address, and did this one not even answer to a connection? */
static bool try_next(struct http *http, CURLcode code)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(http->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if ((code != CURLE_COULDNT_CONNECT && code != CURLE_OPERATION_TIMEDOUT) || connected > 0 ||
		http->tried + 1 >= http->addresses.n)
		return false;
	http->tried++;
	easy_drop(http);
	hop_connect(http);
	return true;
}

static void hop_done(void *arg, CURLcode code)
{
	struct http *http = arg;
	bool cut = code == CURLE_WRITE_ERROR && http->cut != CUT_NONE;

	http->transfer = NULL;
	if (try_next(http, code))
		return;
	add_timings(http);
	note_peer(http);
	/* libcurl has room for 100 kB of one header line, and calls that "out of memory". */
	if (code == CURLE_OUT_OF_MEMORY && http->phase == PHASE_ANSWER)
		http->cut = CUT_HEADERS;
	if (http->cut == CUT_HEADERS)
		down(http, false, "headers without end");
	else if ((code == CURLE_OK || cut) && is_redirect(http))
		follow(http);
	else if (code == CURLE_OK || cut)
		judge(http);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		cause_certificate(http);
	else if (code == CURLE_COULDNT_CONNECT)
		cause_connect(http);
	else
		cause_code(http, code);
}

/* ---- beginning a hop */

static bool leads_inside(const struct http *http)
{
	for (size_t i = 0; i < http->addresses.n; i++)
		if (address_private(&http->addresses.at[i]))
			return true;
	return false;
}

static void hop_connect(struct http *http)
{
	http->socket = -1;
	if (!http_request_open(http)) {
		result_cause(result_of(http), "libcurl cannot be used here");
		finish(http, OUTCOME_UNKNOWN);
		return;
	}
	http->transfer = loop_transfer(http->check->loop, http->easy, hop_done, http);
}

static void hop_send(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct http *http = arg;
	struct result *result = result_of(http);

	http->resolve = NULL;
	http->addresses = *addresses;
	add(&result->timings.dns_us, addresses->took_us);
	if (addresses->n == 0) {
		result_cause(result, "%s", why);
		finish(http, ours ? OUTCOME_UNKNOWN : OUTCOME_DOWN);
		return;
	}
	if (http->from_public && leads_inside(http)) {
		down(http, false, "redirected from a public to a private address");
		return;
	}
	http->phase = PHASE_CONNECT;
	http->tried = 0;
	hop_connect(http);
}

static void hop_begin(struct http *http)
{
	int64_t ip = http->options->ip;
	char *scheme = NULL;
	bool blind;

	if (curl_url_get(http->url, CURLUPART_HOST, &http->host, 0) != CURLUE_OK ||
		curl_url_get(http->url, CURLUPART_PORT, &http->port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
		curl_url_get(http->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		down(http, false, "not a URL");
		return;
	}
	http->secure = strcasecmp(scheme, "https") == 0;
	blind = http->secure && http->options->verify && !http->check->world->ca_bundle;
	curl_free(scheme);
	if (blind) {
		result_cause(result_of(http), "we have no list of certificate authorities");
		finish(http, OUTCOME_UNKNOWN);
		return;
	}
	http->phase = PHASE_RESOLVE;
	http->resolve = loop_resolve(http->check->loop, http->host,
		ip == 4 ? AF_INET : ip == 6 ? AF_INET6 : AF_UNSPEC,
		RESOLVE_SHARE(check_left_ms(http->check)), hop_send, http);
}

struct http *http_start(struct check *check, const struct http_options *options,
	const struct http_reader *reader)
{
	struct http *http = MEM_NEW(struct http);

	http->check = check;
	http->options = options;
	http->reader = *reader;
	http->url = curl_url();
	if (curl_url_set(http->url, CURLUPART_URL, options->url, 0) == CURLUE_OK)
		hop_begin(http);
	else
		down(http, false, "not a URL");
	return http;
}

/* libcurl has no time of connecting before TLS stands, too. */
static bool connected(const struct http *http)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	return http->easy && getpeername(http->socket, (struct sockaddr *)&peer, &n) == 0;
}

/* What a look that is given no more time was doing. */
static const char *doing(const struct http *http)
{
	if (http->phase == PHASE_RESOLVE)
		return "looking up the name";
	if (http->phase == PHASE_ANSWER)
		return "reading the answer";
	if (!connected(http))
		return "connecting";
	if (http->secure && since(http->easy, CURLINFO_APPCONNECT_TIME_T, 0) < 0)
		return "in the TLS handshake";
	return "waiting for the answer";
}

void http_expire(struct http *http)
{
	struct result *result = result_of(http);
	struct text cause = TEXT_INIT;

	text_printf(&cause, "%s %s", result->cause, doing(http));
	result_cause(result, "%s", text_str(&cause));
	text_free(&cause);
	if (http->easy) {
		add_timings(http);
		note_peer(http);
	}
	keep_evidence(http);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	hop_drop(http);
	text_free(&http->headers);
	text_free(&http->body);
	text_free(&http->json);
	curl_url_cleanup(http->url);
	free(http);
}
