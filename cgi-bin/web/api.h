/* SPDX-License-Identifier: ISC */
/*
 * api: JSON for programs, /api/v1/... The objects of monitors are those of `upbeat-prober status --json`.
 *
 * Answers carry an ETag. Errors are application/problem+json (RFC 9457). What the asker may not see is
 * answered like what does not exist. The description for programs is /openapi.json.
 */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/routes.h"
#include "web/view.h"

route_handler api_monitors; /* GET /api/v1/monitors */
route_handler api_monitor; /* GET /api/v1/monitors/SLUG */
route_handler api_history; /* GET /api/v1/monitors/SLUG/history */
route_handler api_uptime; /* GET /api/v1/monitors/SLUG/uptime */
route_handler api_incidents; /* GET /api/v1/incidents */
route_handler api_incident; /* GET /api/v1/incidents/ID */
route_handler api_openapi; /* GET /openapi.json */

/* ---- for the files of the API, and of other systems' APIs */

/* A problem document as the whole reply. */
void api_problem(struct reply *reply, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The one answer for what is not there or not to be known. */
void api_missing(struct reply *reply);
/* view_open() for a JSON answer: false when the reply says why not (503). */
bool api_view(struct view *view, struct web *web, struct request *req, struct reply *reply);
/* A whole number from the query within [min, max]; *out is left alone when it is absent. false: the reply
   is the problem. */
bool api_number(const struct request *req, struct reply *reply, const char *name, int64_t min, int64_t max,
	int64_t *out);
/* The object of a monitor without its closing brace. */
void api_put_monitor(struct text *t, const struct view *view, const struct view_monitor *monitor);

#endif
