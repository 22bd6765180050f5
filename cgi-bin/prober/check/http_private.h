/* SPDX-License-Identifier: ISC */
/*
 * http_private: what the files of the HTTP engine share; nobody else includes it.
 *
 *	http.c          a look, hop by hop, and what it shows
 *	http_request.c  one hop's request: a libcurl handle with all that it needs
 *	http_options.c  the keys and what they mean
 */
#ifndef PROBER_HTTP_PRIVATE_H
#define PROBER_HTTP_PRIVATE_H

#include "prober/check/certificate.h"
#include "prober/check/http.h"

enum phase { PHASE_RESOLVE, PHASE_CONNECT, PHASE_ANSWER };
enum cut { CUT_NONE, CUT_REDIRECT, CUT_ENOUGH, CUT_FULL, CUT_HEADERS };

struct http {
	struct check *check;
	const struct http_options *options;
	struct http_reader reader;
	enum phase phase;
	/* the hop */
	CURLU *url;
	char *host, *port;
	struct loop_resolve *resolve;
	struct loop_transfer *transfer;
	CURL *easy;
	bool special;        /* the handle was given more than a plain GET needs */
	struct curl_slist *pinned, *headers_out;
	bool secure;         /* https */
	struct addresses addresses;
	size_t tried;        /* of them */
	char error[CURL_ERROR_SIZE];
	int socket;          /* libcurl's, which closes it; -1: none was made yet */
	int socket_error;    /* errno of a socket that could not be made */
	struct certificate certificate;
	/* what came */
	struct text headers;
	size_t header_bytes, body_bytes;
	char *location;
	bool too_long;       /* it is; what is kept of it is empty */
	struct text body;
	struct text json;    /* the whole body, when values in it are asked for */
	bool read_enough;    /* the reader wants no more */
	enum cut cut;
	/* over all hops */
	int64_t hops;
	bool from_public;    /* the hop before was to a public address */
	bool foreign;        /* a redirect led to another host: no secrets any more */
	bool plain_get;      /* a redirect made it a GET without body */
};

/* Gives http->easy, ready to be transferred to addresses.at[tried]; false: libcurl has none. */
bool http_request_open(struct http *http);
/* Ends it; its transfer must have ended or been stopped. Nothing when there is none. */
void http_request_close(struct http *http);

/* What libcurl calls when something comes; arg is the struct http. */
size_t http_header_came(char *line, size_t size, size_t count, void *arg);
size_t http_body_came(char *bytes, size_t size, size_t count, void *arg);

#endif
