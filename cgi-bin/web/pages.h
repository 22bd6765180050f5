/* SPDX-License-Identifier: ISC */
/*
 * pages: the handlers of what people open in a browser. Each is in the file named after it.
 */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include "web/routes.h"

route_handler page_dashboard; /* page_dashboard.c: GET / */
route_handler page_monitor;   /* page_monitor.c: GET /m/SLUG */
route_handler page_incident;  /* page_incident.c: GET /i/ID */
route_handler page_history;   /* page_history.c: GET /history */
route_handler page_static;    /* page_static.c: GET /static/HASH/NAME */

#endif
