/* SPDX-License-Identifier: ISC */
/*
 * http: the user's own row of data, for any service we do not know: one request, described in the
 * configuration in the words of template.h, and what its answer must be in those of answer.h.
 */
#include "prober/notify/channel.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "prober/notify/engine.h"

struct http_options {
	struct channel_common common;
	char *url, *method, *body, *success, *secret;
	struct map headers;
};

static bool url_valid(const void *value, struct text *why)
{
	return channel_address_valid(value, why) && channel_template_check(*(char *const *)value, NULL, why);
}

static bool body_valid(const void *value, struct text *why)
{
	return channel_template_check(*(char *const *)value, NULL, why);
}

static bool success_valid(const void *value, struct text *why)
{
	const char *s = *(char *const *)value;

	s += *s == '?';
	if (*s && strchr("=.!", *s) && s[1])
		return true;
	text_raw(why, "must be \"=exactly this\", \".json.path\", \".json.path=value\" or \"!not this\"");
	return false;
}

static const char *const methods[] = {"POST", "PUT", "PATCH", "GET", "DELETE", NULL};
static const struct field fields[] = {
	{.name = "url", .type = FIELD_SECRET, .offset = offsetof(struct http_options, url), .required = true,
		.valid = url_valid, .help = "Address; {{fields}} in it are percent-encoded."},
	{.name = "method", .type = FIELD_CHOICE, .offset = offsetof(struct http_options, method),
		.fallback = "POST", .choices = methods, .help = "HTTP method."},
	{.name = "headers", .type = FIELD_MAP, .offset = offsetof(struct http_options, headers), .secret = true,
		.valid = channel_headers_valid, .help = "Headers; their Content-Type says how {{fields}} in the body are escaped."},
	{.name = "body", .type = FIELD_STRING, .offset = offsetof(struct http_options, body), .valid = body_valid,
		.help = "Body; {{title}} {{text}} {{full}} {{event}} {{state}} {{monitor}} {{name}} {{cause}} {{url}} "
			"{{id}} {{since}} {{at}} {{duration}} {{payload|json}} are what it can say."},
	{.name = "success", .type = FIELD_STRING, .offset = offsetof(struct http_options, success),
		.valid = success_valid,
		.help = "What the body of a 2xx must be: \"=ok\", \".ok=true\", \".id\", \"!error\"; anything by default."},
	{.name = "secret", .type = FIELD_SECRET, .offset = offsetof(struct http_options, secret),
		.help = "Kept out of sight; {{secret}} puts it in, {{body_signature}} signs with it."},
	CHANNEL_COMMON(http_options),
};

static const char *content_type(const struct http_options *o)
{
	for (size_t i = 0; i < o->headers.n; i++)
		if (!strcasecmp(o->headers.names[i], "Content-Type"))
			return o->headers.values[i];
	if (o->body && (*o->body == '{' || *o->body == '['))
		return "application/json";
	return o->body ? "text/plain; charset=utf-8" : NULL;
}

static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct http_options *o = options;

	(void)message;
	*out = (struct http_row){
		.method = o->method,
		.url = o->url,
		.more = &o->headers,
		.type = content_type(o),
		.body = o->body,
		.success = o->success,
	};
}

const struct channel_type channel_http = {
	.name = "http",
	.help = "Any service: a request of your own.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct http_options),
	.row = row,
};
