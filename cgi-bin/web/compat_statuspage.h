/* SPDX-License-Identifier: ISC */
/*
 * compat_statuspage: /api/v2/summary.json, status.json, components.json, incidents.json, as status pages of
 * statuspage.io answer, so that what reads those can read us. Only by GET, and by the same access as a page.
 *
 * Their words have no "unknown": it is told as degraded, never as operational.
 */
#ifndef WEB_COMPAT_STATUSPAGE_H
#define WEB_COMPAT_STATUSPAGE_H

#include "web/routes.h"

route_handler statuspage_any; /* GET /api/v2/NAME */

#endif
