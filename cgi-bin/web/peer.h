/* SPDX-License-Identifier: ISC */
/*
 * peer: POST /peer/NAME: another Upbeat tells what it saw and told (model/peer). NAME is what our
 * configuration calls it, and what it calls itself.
 *
 * The message is only kept, for the prober to act on. Refusals in the order of beats: 405, 413, 503
 * (no state), 403 no or wrong signature, or no such peer, for the same time; 400 not a message, not
 * from it or not for us, not newer than its last one, or its clock too far from ours; 503 when it
 * cannot be stored.
 */
#ifndef WEB_PEER_H
#define WEB_PEER_H

#include "web/routes.h"

route_handler peer_take;

#endif
