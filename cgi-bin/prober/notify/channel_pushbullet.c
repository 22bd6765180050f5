/* SPDX-License-Identifier: ISC */
/* pushbullet: phone and browser. `guid` makes a repeated push one push. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct pushbullet_options {
	struct channel_common common;
	char *token, *device, *api;
};

static const struct field fields[] = {
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct pushbullet_options, token),
		.required = true, .help = "Access token of the account."},
	{.name = "device", .type = FIELD_STRING, .offset = offsetof(struct pushbullet_options, device),
		.help = "One device (its iden); all of them by default."},
	CHANNEL_API(pushbullet_options, "https://api.pushbullet.com"),
	CHANNEL_COMMON(pushbullet_options),
};

static const char *const headers[] = {"Access-Token: {{token}}", NULL};
static const struct http_row request = {
	.url = "{{api}}/v2/pushes",
	.headers = headers,
	.type = "application/json",
	.body = "{\"type\":\"{{#url}}link{{/url}}{{^url}}note{{/url}}\",\"title\":\"{{title}}\",\"body\":\"{{text}}\","
		"{{#url}}\"url\":\"{{url}}\",{{/url}}{{#device}}\"device_iden\":\"{{device}}\",{{/device}}"
		"\"guid\":\"{{id}}\"}",
	.success = "!\"error\":",
	.refused = "invalid_request|invalid_access_token|access_denied",
};

const struct channel_type channel_pushbullet = {
	.name = "pushbullet",
	.help = "PushBullet, on phone and browser.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct pushbullet_options),
	.http = &request,
	.title_max = 250,
	.text_max = 4000,
};
