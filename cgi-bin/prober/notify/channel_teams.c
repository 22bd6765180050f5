/* SPDX-License-Identifier: ISC */
/* teams: an adaptive card to a Workflows address. It answers 202; old connectors put errors into a 200. */
#include "prober/notify/channel.h"

#include "base/mem.h"

struct teams_options {
	struct channel_common common;
	char *webhook;
};

static const struct field fields[] = {
	{.name = "webhook", .type = FIELD_SECRET, .offset = offsetof(struct teams_options, webhook),
		.required = true, .valid = channel_address_valid,
		.help = "Address of the workflow."},
	CHANNEL_COMMON(teams_options),
};

static const struct http_row request = {
	.url = "{{webhook}}",
	.type = "application/json",
	.body = "{\"type\":\"message\",\"summary\":\"{{title}}\",\"attachments\":[{\"contentType\":"
		"\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,\"content\":{\"type\":\"AdaptiveCard\","
		"\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\",\"version\":\"1.5\",\"body\":["
		"{\"type\":\"Container\",\"style\":\"{{#good}}good{{/good}}{{^good}}attention{{/good}}\",\"items\":["
		"{\"type\":\"TextBlock\",\"weight\":\"Bolder\",\"wrap\":true,\"text\":\"{{title}}\"}]}"
		"{{#text}},{\"type\":\"TextBlock\",\"wrap\":true,\"text\":\"{{text}}\"}{{/text}}"
		"{{#url}},{\"type\":\"ActionSet\",\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"{{link}}\","
		"\"url\":\"{{url}}\"}]}{{/url}}]}}]}",
	.success = "!HTTP error",
	.refused = "HTTP error 400|HTTP error 403|HTTP error 404|HTTP error 410|HTTP error 413",
};

const struct channel_type channel_teams = {
	.name = "teams",
	.help = "Microsoft Teams, through a workflow.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct teams_options),
	.http = &request,
	.title_max = 500,
	.text_max = 8000,
};
