/* SPDX-License-Identifier: ISC */
/*
 * feed: GET /feed.atom: incidents, newest first, as one who asks may see them (RFC 4287).
 */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include "web/routes.h"
#include "web/view.h"

route_handler feed_atom;

/* Where we are, as an absolute address without a final slash: the configured one, else the one that this
   request came to. The caller frees. */
char *feed_address(const struct view *view, const struct request *req);

#endif
