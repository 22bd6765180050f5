/* SPDX-License-Identifier: ISC */
/*
 * twilio: a text message to a phone. Short, because each part of 70 or 160 characters costs: what, why, where.
 */
#include "prober/notify/channel.h"

#include <string.h>

#include "base/mem.h"

struct twilio_options {
	struct channel_common common;
	char *account, *token, *from, *to, *api;
};

static const struct field fields[] = {
	{.name = "account", .type = FIELD_STRING, .offset = offsetof(struct twilio_options, account),
		.required = true, .help = "Account SID (AC...), or an API key's."},
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct twilio_options, token),
		.required = true, .help = "Its auth token."},
	{.name = "from", .type = FIELD_STRING, .offset = offsetof(struct twilio_options, from),
		.required = true, .help = "Sending number (+...), or a messaging service (MG...)."},
	{.name = "to", .type = FIELD_STRING, .offset = offsetof(struct twilio_options, to),
		.required = true, .help = "Number of the phone (+...)."},
	CHANNEL_API(twilio_options, "https://api.twilio.com"),
	CHANNEL_COMMON(twilio_options),
};

#define TWILIO_BODY "&Body={{short}}"
static const struct http_row number = {
	.url = "{{api}}/2010-04-01/Accounts/{{account}}/Messages.json",
	.type = "application/x-www-form-urlencoded",
	.body = "To={{to}}&From={{from}}" TWILIO_BODY,
	.basic = "{{account}}:{{token}}",
	.success = ".sid",
};

static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct twilio_options *o = options;

	(void)message;
	*out = number;
	if (!strncmp(o->from, "MG", 2))
		out->body = "To={{to}}&MessagingServiceSid={{from}}" TWILIO_BODY;
}

const struct channel_type channel_twilio = {
	.name = "twilio",
	.help = "SMS through Twilio.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct twilio_options),
	.row = row,
	.text_max = 1600,
};
