/* SPDX-License-Identifier: ISC */
/*
 * hooks: /hook/uptimerobot/TOKEN, /hook/statuscake/TOKEN, /hook/pingdom/TOKEN: third parties tell
 * what they saw. The token is a key of `api_keys` that may "hook"; which monitor is meant is the
 * prober's to find, by the `sources` of each.
 *
 * Answers: 200 taken, also of what is about none of our monitors, for these services hold back or
 * switch off a webhook that is refused; 400 no such message; 404 no such service or token; 413; 503
 * to be sent again.
 */
#ifndef WEB_HOOKS_H
#define WEB_HOOKS_H

#include "web/routes.h"

route_handler hooks_take;

#endif
