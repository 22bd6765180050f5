/* SPDX-License-Identifier: ISC */
/*
 * compat_uptimerobot: POST /v2/getMonitors as UptimeRobot's API v2 answers, so that clients written for it
 * work with another base address: api_key in the form, format=json, logs, response_times,
 * custom_uptime_ratios, all_time_uptime_ratio, search, monitors, types, statuses, offset, limit.
 *
 * Errors are theirs too: 200 with {"stat":"fail","error":{...}}.
 */
#ifndef WEB_COMPAT_UPTIMEROBOT_H
#define WEB_COMPAT_UPTIMEROBOT_H

#include "web/routes.h"

route_handler uptimerobot_get_monitors; /* POST /v2/getMonitors */

#endif
