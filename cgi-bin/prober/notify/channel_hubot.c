/* SPDX-License-Identifier: ISC */
/*
 * hubot: the payload of the webhook to a script in Hubot, as the form field `payload`: Hubot parses bodies
 * before a script sees them, so what is signed is the JSON in the field, which arrives unchanged.
 */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct hubot_options {
	struct channel_common common;
	char *url, *secret, *room;
};

static const struct field fields[] = {
	{.name = "url", .type = FIELD_URL, .offset = offsetof(struct hubot_options, url), .required = true,
		.secret = true,
		.help = "Where the script listens: http://hubot.example.com:8080/hubot/upbeat."},
	{.name = "secret", .type = FIELD_SECRET, .offset = offsetof(struct hubot_options, secret),
		.help = "Signs the message; the script has the same."},
	{.name = "room", .type = FIELD_STRING, .offset = offsetof(struct hubot_options, room),
		.help = "Room to speak in; the script's own default without it."},
	CHANNEL_COMMON(hubot_options),
};

static const char *const headers[] = {
	"X-Hub-Signature-256: {{#payload_signature}}sha256={{payload_signature}}{{/payload_signature}}",
	"webhook-id: {{id}}",
	"webhook-timestamp: {{now_s}}",
	"webhook-signature: {{payload_webhook_signature}}",
	NULL,
};
static const struct http_row request = {
	.url = "{{my_url}}{{#room}}/{{room}}{{/room}}",
	.headers = headers,
	.type = "application/x-www-form-urlencoded",
	.body = "payload={{payload}}",
};

const struct channel_type channel_hubot = {
	.name = "hubot",
	.help = "Hubot, which says it in a room.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct hubot_options),
	.http = &request,
	.text_max = 4000,
};
