/* SPDX-License-Identifier: ISC */
/*
 * ping: heartbeats from the clients of other systems, unchanged. A token in the address is all the proof
 * that they give, so a ping carries no time and cannot be told from its repetition.
 *
 *	/ping/TOKEN[/start|fail|log|<exit status>]     healthchecks.io, by the heartbeat's token
 *	/ping/KEY/SLUG[/...]                           the same by name; KEY is an API key that may write or
 *	                                               ping, or the heartbeat's own token
 *	/api/push/TOKEN?status=&msg=&ping=             Uptime Kuma
 */
#ifndef WEB_PING_H
#define WEB_PING_H

#include "web/routes.h"

route_handler ping_healthchecks;
route_handler ping_kuma;

#endif
