/* SPDX-License-Identifier: ISC */
/*
 * check_http: a URL answers, with a good status, and with the headers and JSON values that it should have.
 */
#include "prober/check/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct http_look {
	struct http *http;
	struct check *check;
	struct text json; /* the body, when values in it are asked for */
};

static const struct http_options *options_of(const struct http_look *look)
{
	return look->check->options;
}

static bool body(void *arg, const char *bytes, size_t n)
{
	struct http_look *look = arg;

	if (options_of(look)->json)
		text_rawn(&look->json, bytes, n);
	return true;
}

/* The value of a header line "Name: value" in headers, as a copy that the caller frees; NULL when absent. */
static char *header_value(const char *headers, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = headers; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		return mem_strn(line, strcspn(line, "\r\n"));
	}
	return NULL;
}

static bool headers_hold(struct http_look *look)
{
	const struct map *wanted = &options_of(look)->header;
	struct result *result = &look->check->result;

	for (size_t i = 0; i < wanted->n; i++) {
		char *value = header_value(http_headers(look->http), wanted->names[i]);
		bool good = value && strstr(value, wanted->values[i]);

		if (!good)
			result_cause(result, value ? "header %.60s is \"%.60s\"" : "header %.60s is missing",
				wanted->names[i], value);
		free(value);
		if (!good)
			return false;
	}
	return true;
}

static void judge(void *arg, bool capped)
{
	struct http_look *look = arg;
	struct result *result = &look->check->result;
	const char *json = options_of(look)->json;

	if (!headers_hold(look))
		result->outcome = OUTCOME_DOWN;
	else if (json && capped) {
		result_cause(result, "the JSON answer is longer than max_body");
		result->outcome = OUTCOME_DOWN;
	} else if (json && !http_json_holds(json, text_str(&look->json), look->json.len, result))
		result->outcome = OUTCOME_DOWN;
}

static void start(struct check *check)
{
	struct http_look *look = MEM_NEW(struct http_look);
	struct http_reader reader = {body, judge, look};

	look->check = check;
	check->own = look;
	look->http = http_start(check, check->options, &reader);
}

static void expire(struct check *check)
{
	http_expire(((struct http_look *)check->own)->http);
}

static void end(struct check *check)
{
	struct http_look *look = check->own;

	http_free(look->http);
	text_free(&look->json);
	free(look);
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
