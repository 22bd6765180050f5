/* SPDX-License-Identifier: ISC */
/* pushover: push to phones. Priority 2 rings until somebody confirms, and must say how long. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct pushover_options {
	struct channel_common common;
	char *token, *user, *device, *sound, *api;
	int64_t priority;
};

static const struct field fields[] = {
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct pushover_options, token),
		.required = true, .help = "Token of the application."},
	{.name = "user", .type = FIELD_SECRET, .offset = offsetof(struct pushover_options, user),
		.required = true, .help = "Key of the user or group."},
	{.name = "device", .type = FIELD_STRING, .offset = offsetof(struct pushover_options, device),
		.help = "One device; all of them by default."},
	{.name = "sound", .type = FIELD_STRING, .offset = offsetof(struct pushover_options, sound),
		.help = "Name of a sound."},
	{.name = "priority", .type = FIELD_INT, .offset = offsetof(struct pushover_options, priority),
		.fallback = "0", .min = -2, .max = 2,
		.help = "Of what is wrong, -2 to 2; 2 rings until it is confirmed."},
	CHANNEL_API(pushover_options, "https://api.pushover.net"),
	CHANNEL_COMMON(pushover_options),
};

#define PUSHOVER_BODY                                                                                        \
	"token={{token}}&user={{user}}&title={{title}}&message={{body}}&timestamp={{at_s}}"                     \
	"{{#url}}&url={{url|cut:512}}&url_title={{link|cut:100}}{{/url}}"                                       \
	"{{#device}}&device={{device}}{{/device}}{{#sound}}&sound={{sound}}{{/sound}}"
static const struct http_row request = {
	.url = "{{api}}/1/messages.json",
	.type = "application/x-www-form-urlencoded",
	.body = PUSHOVER_BODY "{{^good}}&priority={{priority}}{{/good}}",
	.success = ".status=1",
	.refused = "\"errors\"",
};

static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct pushover_options *o = options;

	*out = request;
	if (o->priority == 2 && !message->good)
		out->body = PUSHOVER_BODY "&priority=2&retry=60&expire=3600";
}

const struct channel_type channel_pushover = {
	.name = "pushover",
	.help = "Pushover.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct pushover_options),
	.row = row,
	.title_max = 250,
	.text_max = 1024,
};
