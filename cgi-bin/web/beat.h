/* SPDX-License-Identifier: ISC */
/*
 * beat: heartbeats. GET asks whether a program still beats; a signed POST is a beat.
 *
 * Order of refusals, fixed: 405, 413, 503 (no store), 403, 400, then the commit (503). Nothing of a body is
 * parsed before its signature holds, and an unknown slug costs what a known one costs. 200 is sent after
 * the commit is on disk.
 */
#ifndef WEB_BEAT_H
#define WEB_BEAT_H

#include "web/routes.h"

route_handler beat_get;          /* GET /beat/SLUG */
route_handler beat_post;         /* POST /beat/SLUG[/start|fail|log|<exit status>] */
route_handler beat_get_default;  /* /beat: the only heartbeat, or the one called "default" */
route_handler beat_post_default;
route_handler beat_get_root;     /* /: the one called "default" */
route_handler beat_post_root;
/* Is "/" for a heartbeat: one called "default" exists, and this is a beat or a question of a program? */
bool beat_is_root(struct web *web, const struct request *req);

#endif
