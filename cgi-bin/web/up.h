/* SPDX-License-Identifier: ISC */
/*
 * up: answers for load balancers and for third parties that watch us. 200 only where we know that all is
 * well; whatever we do not know, for any reason, is 503.
 */
#ifndef WEB_UP_H
#define WEB_UP_H

#include "web/routes.h"

route_handler up_all;     /* GET /up: every monitor that the asker may see */
route_handler up_one;     /* GET /up/SLUG */
route_handler up_healthz; /* GET /healthz: passes are fresh, and both books answer */

#endif
