/* SPDX-License-Identifier: ISC */
/*
 * language: which of our languages a reader gets: ?lang= (remembered in a cookie that says nothing else),
 * that cookie, Accept-Language by its weights, else the site's own.
 */
#ifndef WEB_LANGUAGE_H
#define WEB_LANGUAGE_H

#include "model/words.h"
#include "web/reply.h"
#include "web/request.h"

enum language page_language(const struct request *req, enum language otherwise);
/* After ?lang=: sets the cookie. */
void page_remember_language(const struct request *req, struct reply *reply);
/* The best of ours for the value of an Accept-Language header. */
enum language language_accepted(const char *header, enum language otherwise);

#endif
