/* SPDX-License-Identifier: ISC */
/* telegram: a bot speaks in a chat. Plain text, so nothing needs their escaping. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct telegram_options {
	struct channel_common common;
	char *token, *chat_id, *api;
	int64_t topic;
	bool silent;
};

static const struct field fields[] = {
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct telegram_options, token),
		.required = true, .help = "The bot's token."},
	{.name = "chat_id", .type = FIELD_STRING, .offset = offsetof(struct telegram_options, chat_id),
		.required = true, .help = "Chat, group or @channel to speak in."},
	{.name = "topic", .type = FIELD_INT, .offset = offsetof(struct telegram_options, topic), .min = 0,
		.max = 9007199254740992, .help = "Topic of a group that has them (message_thread_id)."},
	{.name = "silent", .type = FIELD_BOOL, .offset = offsetof(struct telegram_options, silent),
		.help = "No sound."},
	CHANNEL_API(telegram_options, "https://api.telegram.org"),
	CHANNEL_COMMON(telegram_options),
};

static const struct http_row request = {
	.url = "{{api}}/bot{{token|path}}/sendMessage",
	.type = "application/json",
	.body = "{\"chat_id\":\"{{chat_id}}\",\"text\":\"{{full}}\","
		"{{#topic}}\"message_thread_id\":{{topic}},{{/topic}}"
		"{{#silent}}\"disable_notification\":true,{{/silent}}\"link_preview_options\":{\"is_disabled\":true}}",
	.success = ".ok=true",
	.refused = "chat not found|bot was blocked|bot was kicked|Unauthorized|message text is empty",
	.wait = ".parameters.retry_after",
};

const struct channel_type channel_telegram = {
	.name = "telegram",
	.help = "Telegram, through a bot.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct telegram_options),
	.http = &request,
	.text_max = 4096,
};
