/* SPDX-License-Identifier: ISC */
/*
 * routes: which handler answers what. A row states method, path and who may; the dispatcher enforces it, so
 * a handler starts at its subject.
 *
 * Adding a page: one row in routes.c, one function in the file of its subject.
 */
#ifndef WEB_ROUTES_H
#define WEB_ROUTES_H

#include "store/inbox.h"
#include "store/state.h"
#include "web/access.h"
#include "web/reply.h"
#include "web/request.h"

/* What a process has open, and what a handler is given beside the request. The books are opened on first
   use and kept; NULL with `err` filled when they cannot be. Thread-safe. A handler that runs at all has a
   state that could be opened (but see before_state); an inbox may be missing: then nothing beat yet. */
struct web;
struct inbox *web_inbox(struct web *web, struct error *err);          /* for reading; never makes one */
struct inbox *web_inbox_writable(struct web *web, struct error *err); /* makes it where there is none */
struct state *web_state(struct web *web, struct error *err);

#define ROUTE_PART_MAX 128

/* The variable parts of a path, in order. */
struct route_match {
	const char *name; /* SLUG, TOKEN, ID...: decoded, NUL-terminated, at most 128 bytes; "" when none */
	const char *verb; /* what follows it ("start", "fail", "3", a slug after a ping key); "" when none */
	const char *rest; /* a third part ("/ping/KEY/SLUG/fail"); "" when none */
};

typedef void route_handler(struct web *web, struct request *req, const struct route_match *match,
	struct reply *reply);

struct route {
	unsigned methods;    /* METHOD_... that it takes; others get 405 with Allow */
	const char *path;    /* "/beat/{}", "/beat/{}/{}", "/m/{}", "/metrics": {} is one non-empty segment */
	enum may needs;      /* checked before the handler runs */
	route_handler *handler;
	/* NULL, or: does this row apply to this request at all? When not, the search goes on. */
	bool (*applies)(struct web *web, const struct request *req);
	/* The handler answers for itself when there is no state (an order of refusals to keep). */
	bool before_state;
};

/* Finds and runs the row for this request, or answers 400, 404, 405; 503 while there is no state. */
void routes_dispatch(struct web *web, struct request *req, struct reply *reply);

#endif
