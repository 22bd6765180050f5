/* SPDX-License-Identifier: ISC */
/*
 * pagerduty: Events API v2. An outage triggers, its recovery resolves with the same dedup_key: the event id of
 * the outage's first message. It wants every event on its own, never a digest.
 */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct pagerduty_options {
	struct channel_common common;
	char *routing_key, *api;
};

static const struct field fields[] = {
	{.name = "routing_key", .type = FIELD_SECRET,
		.offset = offsetof(struct pagerduty_options, routing_key), .required = true,
		.help = "Integration key of the service."},
	CHANNEL_API(pagerduty_options, "https://events.pagerduty.com"),
	CHANNEL_COMMON(pagerduty_options),
};

static const struct http_row trigger = {
	.url = "{{api}}/v2/enqueue",
	.type = "application/json",
	.body = "{\"routing_key\":\"{{routing_key}}\",\"event_action\":\"trigger\","
		"\"dedup_key\":\"{{root|cut:255}}\",\"payload\":{\"summary\":\"{{title}}\","
		"\"source\":\"{{#monitor}}{{monitor}}{{/monitor}}{{^monitor}}upbeat{{/monitor}}\","
		"\"severity\":\"{{severity}}\",\"timestamp\":\"{{at_iso}}\","
		"{{#monitor}}\"component\":\"{{monitor}}\",{{/monitor}}"
		"\"custom_details\":{\"id\":\"{{id}}\",\"event\":\"{{event}}\",\"cause\":\"{{cause}}\","
		"\"text\":\"{{text}}\"}},\"client\":\"Upbeat\"{{#url}},\"client_url\":\"{{url}}\","
		"\"links\":[{\"href\":\"{{url}}\",\"text\":\"{{link}}\"}]{{/url}}}",
};

static const struct http_row resolve = {
	.url = "{{api}}/v2/enqueue",
	.type = "application/json",
	.body = "{\"routing_key\":\"{{routing_key}}\",\"event_action\":\"resolve\","
		"\"dedup_key\":\"{{root|cut:255}}\"}",
};

static void row(const void *options, const struct message *message, struct http_row *out)
{
	(void)options;
	*out = message->good && !message->late ? resolve : trigger;
}

const struct channel_type channel_pagerduty = {
	.name = "pagerduty",
	.help = "PagerDuty, Events API v2.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct pagerduty_options),
	.row = row,
	.machine = true,
	.title_max = 1024,
	.text_max = 20000,
};
