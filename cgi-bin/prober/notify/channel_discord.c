/* SPDX-License-Identifier: ISC */
/* discord: a webhook. With wait=true it answers only when the message is stored. */
#include "prober/notify/channel.h"

#include <string.h>

#include "base/mem.h"

struct discord_options {
	struct channel_common common;
	char *webhook;
};

static const struct field fields[] = {
	{.name = "webhook", .type = FIELD_SECRET, .offset = offsetof(struct discord_options, webhook),
		.required = true, .valid = channel_address_valid,
		.help = "Address of the webhook."},
	CHANNEL_COMMON(discord_options),
};

static const struct http_row request = {
	.url = "{{webhook}}?wait=true",
	.type = "application/json",
	.body = "{\"username\":\"Upbeat\",\"embeds\":[{\"title\":\"{{title}}\","
		"{{#text}}\"description\":\"{{text}}\",{{/text}}"
		"{{#url}}\"url\":\"{{url}}\",{{/url}}\"color\":{{#good}}65280{{/good}}{{^good}}16711680{{/good}},"
		"\"timestamp\":\"{{at_iso}}\"}],\"allowed_mentions\":{\"parse\":[]}}",
	.success = "?.id",
	.wait = ".retry_after",
};

/* The address of a thread brings a query of its own. */
static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct discord_options *o = options;

	(void)message;
	*out = request;
	if (strchr(o->webhook, '?'))
		out->url = "{{webhook}}&wait=true";
}

const struct channel_type channel_discord = {
	.name = "discord",
	.help = "Discord, through a webhook.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct discord_options),
	.row = row,
	.title_max = 256,
	.text_max = 4096,
};
