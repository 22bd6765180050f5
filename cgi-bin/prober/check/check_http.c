/* SPDX-License-Identifier: ISC */
/*
 * check_http: a URL answers, with a good status, and with the headers and JSON values that it should have.
 * All of that is the engine's; there is nothing more to ask.
 */
#include "prober/check/http.h"

#include "base/mem.h"

static void start(struct check *check)
{
	static const struct http_reader nothing_more = {NULL, NULL, NULL};

	check->own = http_start(check, check->options, &nothing_more);
}

static void expire(struct check *check)
{
	http_expire(check->own);
}

static void end(struct check *check)
{
	http_free(check->own);
}

static const struct field fields[] = {HTTP_FIELDS};

const struct check_type check_http = {
	.name = "http",
	.help = "A URL answers with a good status.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct http_options),
	.validate = http_validate,
	.start = start,
	.expire = expire,
	.end = end,
};
