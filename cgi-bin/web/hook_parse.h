/* SPDX-License-Identifier: ISC */
/*
 * hook_parse: what UptimeRobot, StatusCake and Pingdom say, from the bytes that say it. Pure.
 *
 * Their webhooks come as a JSON object, as a form, or with everything in the query, whatever the
 * account's owner chose, in names of members that people wrote by hand (so their case does not
 * matter), and sometimes in Latin-1; one table says what each service calls the few things that we want to
 * know.
 */
#ifndef WEB_HOOK_PARSE_H
#define WEB_HOOK_PARSE_H

#include <stddef.h>

#include "model/sighting.h"

struct hook_input {
	const char *body; /* len bytes */
	size_t len;
	const char *query; /* without "?" */
};

enum hook_result {
	HOOK_TOLD,    /* *out says what was seen */
	HOOK_NOTHING, /* nothing about up or down: a certificate, a check that was paused */
	HOOK_BAD,     /* *why says what is wrong with it (a literal) */
	HOOK_NO_SERVICE,
};

/* The caller clears *out, which is empty unless HOOK_TOLD. */
enum hook_result hook_parse(const char *name, const struct hook_input *input,
	struct sighting *out, const char **why);

#endif
