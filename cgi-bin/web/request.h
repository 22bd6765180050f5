/* SPDX-License-Identifier: ISC */
/*
 * request: one request as the rest of the web program sees it, whichever server and mode it came through.
 * With reply.c the only files that know libfcgi. A plain CGI request and a FastCGI one look the same.
 *
 * What each server hands us differs widely; the facts are: PATH_INFO is decoded, merged or absent depending
 * on the server, so the path is taken from REQUEST_URI; CONTENT_LENGTH may be unset, "0" or empty; a
 * chunked body may come with or without a length; Authorization may only arrive as REDIRECT_...
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/text.h"

#define REQUEST_BODY_MAX (64 * 1024)
#define REQUEST_BODY_MS 10000 /* the whole body must be here by then */

enum method { METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4, METHOD_OTHER = 8 };

struct channel_io; /* where bytes come from and go to: FastCGI streams, or stdin and stdout */

struct request {
	struct moment now;      /* when it was accepted */
	enum method method;
	char *path;             /* decoded once, without mount and /staff, "//" merged; begins with "/" */
	char *mount;            /* what URLs we write begin with: "" or "/cgi-bin/upbeat.fcgi" (no final slash) */
	bool staff;             /* came below /staff/: links stay there, REMOTE_USER is believed */
	const char *person;     /* REMOTE_USER, only below /staff/ and not empty; else NULL */
	char *query;            /* raw, without "?"; "" when none */
	char **env;             /* "NAME=value", NULL-terminated; not owned */
	const char *bad;        /* NULL, or why the request line cannot be served (a literal): 400 */
	struct channel_io *io;
	struct text body;       /* filled by request_body() */
	bool body_read;
};

/* Fills *req from the parameters of the CGI protocol. `mount` is UPBEAT_MOUNT or NULL, `site_url` the
   configuration's url or NULL: the longest of these, SCRIPT_NAME's forms and "" that fits is the mount. */
void request_begin(struct request *req, char **env, struct channel_io *io, const char *mount,
	const char *site_url);
void request_end(struct request *req);

/* A CGI variable, or NULL. */
const char *request_env(const struct request *req, const char *name);
/* A header by its HTTP name ("X-Hub-Signature"), or NULL. */
const char *request_header(const struct request *req, const char *name);
/* true when the Accept header prefers text/html to JSON, as a browser's does. */
bool request_wants_html(const struct request *req);

enum body_status { BODY_OK, BODY_TOO_LARGE, BODY_SHORT, BODY_SLOW, BODY_BAD_LENGTH };
/* Reads the body once, into req->body, up to max bytes. Short: the client vanished. */
enum body_status request_body(struct request *req, size_t max);

/* The first value of a query parameter, decoded; NULL when absent. The caller frees. */
char *request_query(const struct request *req, const char *name);
/* The same for an application/x-www-form-urlencoded body that has been read. */
char *request_form(const struct request *req, const char *name);

#endif
