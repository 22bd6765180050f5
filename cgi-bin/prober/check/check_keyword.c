/* SPDX-License-Identifier: ISC */
/*
 * check_keyword: a URL's answer holds a text, or must not hold it. Everything else is as for http, whose
 * engine it uses; reading stops as soon as the text was seen.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "prober/check/http.h"
#include "prober/check/keyword.h"

struct keyword_options {
	struct http_options http; /* first: the engine's keys are offsets into it */
	char *keyword;
	bool absent, ignore_case;
};

struct keyword_look {
	struct check *check;
	struct http *http;
	struct keyword search;
};

static const struct keyword_options *options_of(const struct keyword_look *look)
{
	return look->check->options;
}

static bool body(void *arg, const char *bytes, size_t n)
{
	struct keyword_look *look = arg;

	return !keyword_feed(&look->search, bytes, n);
}

/* "64 KiB", "100 bytes" */
static void put_size(struct text *t, int64_t bytes)
{
	if (bytes % 1024 == 0)
		text_printf(t, "%lld KiB", (long long)(bytes / 1024));
	else
		text_printf(t, "%lld byte%s", (long long)bytes, bytes == 1 ? "" : "s");
}

/* What is compressed does not show what it holds: nobody can say that the text is not there. */
static bool cannot_tell(const struct keyword_look *look)
{
	char *encoding = http_header(look->http, "content-encoding");
	bool compressed = encoding && encoding[0] && strcasecmp(encoding, "identity") != 0;

	if (compressed)
		result_cause(&look->check->result, "the answer came compressed (%.20s), the keyword may be in it", encoding);
	free(encoding);
	return compressed;
}

/* "not in the first 64 KiB" */
static void put_missing(struct keyword_look *look, bool capped, struct text *t)
{
	char *encoding = http_header(look->http, "content-encoding");

	text_raw(t, "not in the ");
	if (capped) {
		text_raw(t, "first ");
		put_size(t, options_of(look)->http.max_body);
	} else {
		text_raw(t, "answer");
	}
	if (encoding && encoding[0])
		text_printf(t, ", which came compressed (%.20s)", encoding);
	free(encoding);
}

static void judge(void *arg, bool capped)
{
	struct keyword_look *look = arg;
	const struct keyword_options *options = options_of(look);
	struct text cause = TEXT_INIT;

	if (!look->search.found && options->absent && cannot_tell(look))
		look->check->result.outcome = OUTCOME_UNKNOWN;
	if (look->search.found != options->absent)
		return;
	text_raw(&cause, "keyword \"");
	text_cut(&cause, options->keyword, 60);
	text_raw(&cause, "\" is ");
	if (options->absent)
		text_raw(&cause, "in the answer");
	else
		put_missing(look, capped, &cause);
	look->check->result.outcome = OUTCOME_DOWN;
	result_cause(&look->check->result, "%s", text_str(&cause));
	text_free(&cause);
}

static void start(struct check *check)
{
	struct keyword_look *look = MEM_NEW(struct keyword_look);
	struct http_reader reader = {body, judge, look};

	check->own = look;
	look->check = check;
	keyword_begin(&look->search, options_of(look)->keyword, options_of(look)->ignore_case);
	look->http = http_start(check, &options_of(look)->http, &reader);
}

static void expire(struct check *check)
{
	http_expire(((struct keyword_look *)check->own)->http);
}

static void end(struct check *check)
{
	struct keyword_look *look = check->own;

	http_free(look->http);
	keyword_clear(&look->search);
	free(look);
}

static bool validate(const void *value, struct text *why)
{
	const struct keyword_options *options = value;

	if (strcmp(options->http.method, "HEAD") == 0) {
		text_raw(why, "an answer to HEAD has no body to look into for the keyword");
		return false;
	}
	return http_validate(&options->http, why);
}

static const struct field fields[] = {
	HTTP_FIELDS,
	{.name = "keyword", .type = FIELD_STRING, .offset = offsetof(struct keyword_options, keyword), .required = true,
		.help = "The text that the answer's body must hold."},
	{.name = "absent", .type = FIELD_BOOL, .offset = offsetof(struct keyword_options, absent), .fallback = "false",
		.help = "With true the text must not be there."},
	{.name = "ignore_case", .type = FIELD_BOOL, .offset = offsetof(struct keyword_options, ignore_case),
		.fallback = "false", .help = "Whether capital and small letters are the same."},
};

const struct check_type check_keyword = {
	.name = "keyword",
	.help = "A URL's answer holds a text.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct keyword_options),
	.validate = validate,
	.start = start,
	.expire = expire,
	.end = end,
};
