/* SPDX-License-Identifier: ISC */
/* ntfy: push to phones, from ntfy.sh or one's own server. JSON to its root, so that titles may be UTF-8. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct ntfy_options {
	struct channel_common common;
	char *topic, *token, *user, *password, *api;
	int64_t priority;
};

static const struct field fields[] = {
	{.name = "topic", .type = FIELD_STRING, .offset = offsetof(struct ntfy_options, topic),
		.required = true, .help = "Topic to publish to."},
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct ntfy_options, token),
		.help = "Access token (tk_...)."},
	{.name = "user", .type = FIELD_STRING, .offset = offsetof(struct ntfy_options, user),
		.help = "Instead of a token: user ..."},
	{.name = "password", .type = FIELD_SECRET, .offset = offsetof(struct ntfy_options, password),
		.help = "... and password."},
	{.name = "priority", .type = FIELD_INT, .offset = offsetof(struct ntfy_options, priority),
		.fallback = "4", .min = 1, .max = 5, .help = "Of what is wrong, 1 to 5."},
	CHANNEL_API(ntfy_options, "https://ntfy.sh"),
	CHANNEL_COMMON(ntfy_options),
};

static const char *const headers[] = {"Authorization: {{#token}}Bearer {{token}}{{/token}}", NULL};
static const struct http_row request = {
	.url = "{{api}}/",
	.headers = headers,
	.type = "application/json",
	.basic = "{{#user}}{{user}}:{{password}}{{/user}}",
	.body = "{\"topic\":\"{{topic}}\",\"title\":\"{{title}}\",\"message\":\"{{body}}\","
		"{{#url}}\"click\":\"{{url}}\",{{/url}}"
		"{{#good}}\"priority\":3,\"tags\":[\"white_check_mark\"]{{/good}}"
		"{{^good}}\"priority\":{{priority}},\"tags\":[\"rotating_light\"]{{/good}}}",
};

const struct channel_type channel_ntfy = {
	.name = "ntfy",
	.help = "ntfy, hosted or self-hosted.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct ntfy_options),
	.http = &request,
	.title_max = 250,
	.text_max = 4000,
};
