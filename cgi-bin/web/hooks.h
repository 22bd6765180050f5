/* SPDX-License-Identifier: ISC */
/*
 * hooks: /hook/uptimerobot/TOKEN, /hook/statuscake/TOKEN, /hook/pingdom/TOKEN: third parties tell
 * what they saw. The token is a key of `api_keys` that may "hook"; which monitor is meant is the
 * prober's to find, by the `sources` of each.
 *
 * Answers: 200 taken; 200 too when it is about none of our monitors, or cannot be understood (then with
 * "ok": false and why), for these services repeat what is refused and in the end switch the webhook off:
 * people are shown it instead. 400 only for a body that did not arrive whole; 404 no such service or
 * token; 413; 503 to be sent again.
 */
#ifndef WEB_HOOKS_H
#define WEB_HOOKS_H

#include "web/routes.h"

route_handler hooks_take;

#endif
