/* SPDX-License-Identifier: ISC */
/*
 * request: one request as the rest of the web program sees it, whichever server and mode it came through.
 * With reply.c the only files that know libfcgi. A plain CGI request and a FastCGI one look the same.
 *
 * What each server hands us differs widely; the facts are: PATH_INFO is decoded, merged or absent depending
 * on the server, so the path is taken from REQUEST_URI (uri.h); CONTENT_LENGTH may be unset, "0" or empty; a
 * chunked body may come with or without a length; Authorization may only arrive as REDIRECT_...
 *
 * Request data is only ever read from `env`, never with getenv(): in FastCGI mode the process environment
 * belongs to the process, and the request's parameters are never put into it.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

#define REQUEST_BODY_MAX (64 * 1024)
#define REQUEST_BODY_MS 10000 /* the whole body must be here by then */

/* ---- where bytes come from and go to */

/* FastCGI streams, or stdin and stdout, or (tests) memory. */
struct channel_io {
	/* Waits for bytes until deadline_us (clock_mono_us) and gives up to n of them. 0: end of the body;
	   CHANNEL_GONE, CHANNEL_SLOW. */
	long (*read)(struct channel_io *io, void *out, size_t n, int64_t deadline_us);
	/* Writes all; false: the other side is gone. */
	bool (*write)(struct channel_io *io, const void *bytes, size_t n);
};
#define CHANNEL_GONE (-1)
#define CHANNEL_SLOW (-2)

/* Does the web server start us for one request only? To be asked before anything touches descriptor 0. */
bool channel_is_cgi(void);
/* stdin and stdout of a plain CGI process. */
struct channel_io *channel_cgi(void);

/* Prepares libfcgi; once, before there are threads. It sets signal handlers: set yours afterwards. */
bool channel_start(void);
/* One for each thread of a FastCGI process, which listens on descriptor 0. stop_fd becomes readable, and
   stays so, when it is time to end. NULL when descriptor 0 cannot be waited for. */
struct channel_io *channel_fastcgi(int stop_fd);
enum accepted {
	ACCEPTED,    /* *env is valid until channel_finish() */
	ACCEPT_IDLE, /* nothing came for idle_ms (-1: wait for ever) */
	ACCEPT_END,  /* it is time to end */
};
/* Waits for the next request. */
enum accepted channel_accept(struct channel_io *io, char ***env, int idle_ms);
void channel_finish(struct channel_io *io);
void channel_free(struct channel_io *io);
/* The answer of a thread that finds no memory (mem_on_exhaustion): 503 to the request that it has in hand. */
void channel_apologize(void);

/* ---- a request */

enum method { METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4, METHOD_OTHER = 8 };

struct request {
	struct moment now;      /* when it was accepted */
	enum method method;
	char *path;             /* decoded once, without mount and /staff, "//" merged; begins with "/" */
	char *mount;            /* what our URLs begin with: "" or "/cgi-bin/upbeat.fcgi" */
	bool staff;             /* came below /staff/: links stay there, REMOTE_USER is believed */
	bool staff_bare;        /* was "/staff" itself, which wants its slash */
	const char *person;     /* REMOTE_USER, only below /staff/ and not empty; else NULL */
	const char *query;      /* raw, without "?"; "" when none */
	char **env;             /* "NAME=value", NULL-terminated; not owned */
	const char *bad;        /* NULL, or why the request line cannot be served (a literal): 400 */
	struct channel_io *io;
	struct text body;       /* filled by request_body() */
	bool body_read;
};

/* Fills *req from the parameters of the CGI protocol. `mount` is UPBEAT_MOUNT or NULL, `site_url` the
   configuration's url or NULL, `programs` the names our file goes by: the longest of these, SCRIPT_NAME's
   forms and "" that fits is the mount. */
void request_begin(struct request *req, char **env, struct channel_io *io, const char *mount,
	const char *site_url, const char *const *programs);
void request_end(struct request *req);

/* A CGI variable of these parameters, or NULL; the second also looks for REDIRECT_name, which is what
   Apache makes of it when an address was rewritten. */
const char *env_get(char **env, const char *name);
const char *env_get_redirected(char **env, const char *name);
const char *request_env(const struct request *req, const char *name);
/* A header by its HTTP name ("X-Hub-Signature"), or NULL. */
const char *request_header(const struct request *req, const char *name);
/* true when the Accept header prefers text/html to JSON, as a browser's does. */
bool request_wants_html(const struct request *req);

enum body_status { BODY_OK, BODY_TOO_LARGE, BODY_SHORT, BODY_SLOW, BODY_BAD_LENGTH };
/* Reads the body once, into req->body, up to max bytes. Short: the client vanished. Too large: what came
   was read and dropped, so that the server in front can deliver our answer. */
enum body_status request_body(struct request *req, size_t max);
/* Keeps the first `keep` bytes of a body of any size, and drops the rest. */
enum body_status request_body_prefix(struct request *req, size_t keep);
/* Reads and drops a body that nobody wanted, so that the server in front can deliver our answer. */
void request_discard_body(struct request *req);

/* The first value of a query parameter, decoded; NULL when absent. The caller frees. */
char *request_query(const struct request *req, const char *name);
/* The same for an application/x-www-form-urlencoded body that has been read. */
char *request_form(const struct request *req, const char *name);

#endif
