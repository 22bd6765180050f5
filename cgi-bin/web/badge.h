/* SPDX-License-Identifier: ISC */
/*
 * badge: GET /badge/SLUG.svg and /badge/SLUG.json (what shields.io's "endpoint" reads), for read-me files and
 * wikis. ?show=state (default), uptime (?span=24h 7d 30d 90d 1y) or response; ?label= instead of the name.
 *
 * The state is told by a sign and a word, not by its colour alone.
 */
#ifndef WEB_BADGE_H
#define WEB_BADGE_H

#include "web/routes.h"

route_handler badge_any;

#endif
