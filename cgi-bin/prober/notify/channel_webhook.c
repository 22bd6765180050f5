/* SPDX-License-Identifier: ISC */
/*
 * webhook: the message as JSON to any address, signed twice when there is a secret: X-Hub-Signature-256 keyed
 * by the secret's bytes, and Standard Webhooks (where a secret "whsec_..." is decoded first). The receiver
 * drops repeats by webhook-id.
 */
#include "prober/notify/channel.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "prober/notify/engine.h"

struct webhook_options {
	struct channel_common common;
	char *url, *secret, *method, *body;
	struct map headers;
};

static bool template_valid(const void *value, struct text *why)
{
	return channel_template_check(*(char *const *)value, "application/json", why);
}

static const char *const methods[] = {"POST", "PUT", "PATCH", "GET", NULL};
static const struct field fields[] = {
	{.name = "url", .type = FIELD_URL, .offset = offsetof(struct webhook_options, url), .required = true,
		.secret = true, .valid = template_valid, .help = "Where the message is sent."},
	{.name = "secret", .type = FIELD_SECRET, .offset = offsetof(struct webhook_options, secret),
		.help = "Signs the message; without it there is no signature."},
	{.name = "method", .type = FIELD_CHOICE, .offset = offsetof(struct webhook_options, method),
		.fallback = "POST", .choices = methods, .help = "HTTP method."},
	{.name = "headers", .type = FIELD_MAP, .offset = offsetof(struct webhook_options, headers), .secret = true,
		.valid = channel_headers_valid, .help = "Further headers; {{fields}} of the message can be used."},
	{.name = "body", .type = FIELD_STRING, .offset = offsetof(struct webhook_options, body),
		.valid = template_valid,
		.help = "Another body than the JSON payload; {{fields}} are escaped for its Content-Type."},
	CHANNEL_COMMON(webhook_options),
};

static const char *const headers[] = {
	"X-Hub-Signature-256: {{#body_signature}}sha256={{body_signature}}{{/body_signature}}",
	"webhook-id: {{id}}",
	"webhook-timestamp: {{now_s}}",
	"webhook-signature: {{webhook_signature}}",
	NULL,
};

static const char *user_type(const struct map *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (!strcasecmp(more->names[i], "Content-Type"))
			return more->values[i];
	return NULL;
}

static void row(const void *options, const struct message *message, struct http_row *out)
{
	const struct webhook_options *o = options;

	(void)message;
	*out = (struct http_row){
		.method = o->method,
		.url = o->url,
		.headers = headers,
		.more = &o->headers,
		.type = user_type(&o->headers),
		.body = o->body ? o->body : "{{payload|json}}",
	};
	if (!out->type)
		out->type = "application/json";
}

const struct channel_type channel_webhook = {
	.name = "webhook",
	.help = "Signed JSON to any address.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct webhook_options),
	.row = row,
};
