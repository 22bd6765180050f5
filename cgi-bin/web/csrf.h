/* SPDX-License-Identifier: ISC */
/*
 * csrf: proof that a form was sent by the person who was shown it, and not by another site in their name.
 *
 * A page for somebody who may act sets a cookie with a random number (SameSite=Strict) and writes into its
 * forms an HMAC of that number and the person's name, keyed by what only this store knows. Besides, the
 * Origin (else the Referer) that browsers send must be ours. Nothing is stored.
 */
#ifndef WEB_CSRF_H
#define WEB_CSRF_H

#include "web/reply.h"
#include "web/request.h"
#include "web/view.h"

/* The token for forms of this person, appended; sets the cookie when the request brought none. */
void csrf_token(struct text *t, const struct view *view, const struct request *req, struct reply *reply);
/* What the token depends on that the request carries, for an ETag: "" when there is no cookie. */
const char *csrf_cookie(const struct request *req, char out[33]);
/* Is the token good, and does the request come from our own pages? */
bool csrf_good(const struct view *view, const struct request *req, const char *token);

#endif
