/* SPDX-License-Identifier: ISC */
/*
 * drive: one request through the whole web program, without a web server: parameters in, reply out.
 *
 *	struct reply reply;
 *	drive(&reply, dir, "GET", "/m/shop", "Accept: text/html\nX-Api-Key: ...", NULL);
 *	...
 *	reply_end(&reply);
 */
#ifndef TESTS_WEB_DRIVE_H
#define TESTS_WEB_DRIVE_H

#include "web/reply.h"

/* Headers are lines "Name: value"; "REMOTE_USER: x" and "CONTENT_TYPE: x" set those variables. now_us is what
   the clock shows. */
void drive_at(struct reply *reply, const char *dir, int64_t now_us, const char *method, const char *uri,
	const char *headers, const char *body);
/* The same at the present time. */
void drive(struct reply *reply, const char *dir, const char *method, const char *uri, const char *headers,
	const char *body);

#endif
