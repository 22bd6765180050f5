/* SPDX-License-Identifier: ISC */
/*
 * operate: what people and keys may ask for: acknowledge, pause, resume, maintenance, a note. It is queued in
 * the inbox with who asked; pages show it at once, the prober acts on it before its next message.
 *
 * POST only. People come through /staff/ and bring a token of the form (csrf.h); programs bring a key that
 * may write. One function checks and applies it beforehand, so what cannot be done is said at once.
 */
#ifndef WEB_OPERATE_H
#define WEB_OPERATE_H

#include "web/routes.h"

route_handler operate_form; /* POST /m/SLUG/VERB: a form; answers with a redirection to the page */
route_handler operate_api;  /* POST /api/v1/monitors/SLUG/VERB: JSON or a form; answers with JSON, 202 */

#endif
