/* SPDX-License-Identifier: ISC */
/*
 * slack: an incoming webhook (which answers "ok"), or a bot's token and a channel (which answers
 * {"ok":true}, 200 also when it failed). With a token the recovery is threaded under the outage.
 */
#include "prober/notify/channel.h"

#include <string.h>

#include "base/mem.h"

struct slack_options {
	struct channel_common common;
	char *webhook, *token, *channel, *api;
};

static const struct field fields[] = {
	{.name = "webhook", .type = FIELD_SECRET, .offset = offsetof(struct slack_options, webhook),
		.valid = channel_address_valid, .help = "Address of an incoming webhook."},
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct slack_options, token),
		.help = "A bot's token (xoxb-...), instead of a webhook."},
	{.name = "channel", .type = FIELD_STRING, .offset = offsetof(struct slack_options, channel),
		.help = "With a token: the channel's id."},
	CHANNEL_API(slack_options, "https://slack.com"),
	CHANNEL_COMMON(slack_options),
};

#define SLACK_ATTACHMENT                                                                                     \
	"\"attachments\":[{\"color\":\"{{#good}}#2eb886{{/good}}{{^good}}#e01e5a{{/good}}\",\"blocks\":["       \
	"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"{{text|slack:3000}}\"}}"                \
	"{{#url}},{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"text\":"                           \
	"{\"type\":\"plain_text\",\"text\":\"{{link|cut:70}}\"},\"url\":\"{{url|cut:3000}}\"}]}{{/url}}]}]"

static const struct http_row webhook = {
	.url = "{{webhook}}",
	.type = "application/json",
	.body = "{\"text\":\"{{title|slack:3000}}\"," SLACK_ATTACHMENT "}",
	.success = "=ok",
	.refused = "invalid_token|no_service|invalid_payload|no_text|too_many_attachments|user_not_found|"
		"action_prohibited|channel_not_found|channel_is_archived",
};

static const char *const bot_headers[] = {"Authorization: Bearer {{token}}", NULL};
static const struct http_row bot = {
	.url = "{{api}}/api/chat.postMessage",
	.headers = bot_headers,
	.type = "application/json; charset=utf-8",
	.body = "{\"channel\":\"{{channel}}\",{{#thread}}\"thread_ts\":\"{{thread}}\",{{/thread}}"
		"\"text\":\"{{title|slack:3000}}\"," SLACK_ATTACHMENT "}",
	.success = ".ok=true",
	.refused = "invalid_auth|not_authed|account_inactive|token_revoked|token_expired|channel_not_found|"
		"not_in_channel|is_archived|msg_too_long|no_text|missing_scope|no_permission|restricted_action|"
		"invalid_blocks|invalid_arguments",
	.thread = ".ts",
};

static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct slack_options *o = options;

	(void)message;
	*out = o->webhook && *o->webhook ? webhook : bot;
}

static bool validate(const void *options, struct text *why)
{
	const struct slack_options *o = options;

	if (o->webhook && (o->token || o->channel))
		text_raw(why, "either a webhook, or a token and a channel");
	else if (!o->webhook && !(o->token && o->channel))
		text_raw(why, "needs a webhook, or a token and a channel");
	else
		return true;
	return false;
}

const struct channel_type channel_slack = {
	.name = "slack",
	.help = "Slack, through an incoming webhook or a bot.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct slack_options),
	.row = row,
	.text_max = 2900,
	.title_max = 250,
	.validate = validate,
};
