/* SPDX-License-Identifier: ISC */
/* gotify: push from a server of one's own. The token travels in a header: addresses end up in logs. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct gotify_options {
	struct channel_common common;
	char *token, *api;
	int64_t priority;
};

static const struct field fields[] = {
	{.name = "api", .type = FIELD_URL, .offset = offsetof(struct gotify_options, api),
		.required = true, .help = "Address of the server."},
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct gotify_options, token),
		.required = true, .help = "Token of the application."},
	{.name = "priority", .type = FIELD_INT, .offset = offsetof(struct gotify_options, priority),
		.fallback = "8", .min = 0, .max = 10, .help = "Of what is wrong, 0 to 10."},
	CHANNEL_COMMON(gotify_options),
};

static const char *const headers[] = {"X-Gotify-Key: {{token}}", NULL};
static const struct http_row request = {
	.url = "{{api}}/message",
	.headers = headers,
	.type = "application/json",
	.body = "{\"title\":\"{{title}}\",\"message\":\"{{body}}\","
		"\"priority\":{{#good}}4{{/good}}{{^good}}{{priority}}{{/good}}"
		"{{#url}},\"extras\":{\"client::notification\":{\"click\":{\"url\":\"{{url}}\"}}}{{/url}}}",
};

const struct channel_type channel_gotify = {
	.name = "gotify",
	.help = "Gotify.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct gotify_options),
	.http = &request,
	.title_max = 250,
	.text_max = 8000,
};
