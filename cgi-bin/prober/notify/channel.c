/* SPDX-License-Identifier: ISC */
/*
 * channel: the list of types, and the life of one delivery: options are loaded, the type (or the engine for
 * rows of data) sends, the outcome is written down without secrets, done is called.
 */
#include "prober/notify/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/net/headers.h"
#include "prober/notify/engine.h"

#define CHANNEL(name) extern const struct channel_type channel_##name;
#include "prober/notify/channels.def"
#undef CHANNEL

const struct channel_type *const channel_types[] = {
#define CHANNEL(name) &channel_##name,
#include "prober/notify/channels.def"
#undef CHANNEL
	NULL,
};

const char *const channel_languages[] = {"en", "zh-TW", NULL};

const struct channel_type *channel_type_by_name(const char *name)
{
	for (size_t i = 0; channel_types[i]; i++)
		if (!strcmp(channel_types[i]->name, name))
			return channel_types[i];
	return NULL;
}

static const char *configured_text(const cJSON *configured, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(configured, key));
}

const struct channel_type *channel_type_of(const cJSON *configured)
{
	const char *type = configured_text(configured, "type");

	return type ? channel_type_by_name(type) : NULL;
}

enum language channel_language(const cJSON *configured, enum language site)
{
	const char *tag = configured_text(configured, "language");

	return tag ? language_parse(tag) : site;
}

int64_t channel_limit(const cJSON *configured)
{
	const cJSON *limit = cJSON_GetObjectItemCaseSensitive(configured, "limit");

	return cJSON_IsNumber(limit) ? (int64_t)limit->valuedouble : CHANNEL_LIMIT_DEFAULT;
}

struct delivery *channel_send(struct loop *loop, const char *channel, const cJSON *configured,
	const struct message *message, void (*done)(struct delivery *delivery, void *arg), void *arg,
	struct error *err)
{
	const struct channel_type *type = channel_type_of(configured);
	struct delivery *delivery;

	if (!type) {
		error_set(err, ERROR_INPUT, "channel %s has no known type", channel);
		return NULL;
	}
	delivery = MEM_NEW(struct delivery);
	delivery->type = type;
	delivery->channel = mem_str(channel);
	delivery->options = mem_alloc(type->options_size);
	delivery->message = message;
	delivery->loop = loop;
	delivery->done = done;
	delivery->arg = arg;
	delivery->end = DELIVERY_RETRY;
	delivery->retry_after_us = -1;
	delivery->started_us = clock_mono_us();
	if (!fields_load(type->fields, type->field_count, configured, delivery->options, err)) {
		error_prefix(err, "channel %s", channel);
		channel_free(delivery);
		return NULL;
	}
	(type->send ? type->send : engine_send)(delivery);
	return delivery;
}

void channel_free(struct delivery *delivery)
{
	if (!delivery)
		return;
	if (delivery->own)
		(delivery->type->end ? delivery->type->end : engine_end)(delivery);
	fields_clear(delivery->type->fields, delivery->type->field_count, delivery->options);
	free(delivery->options);
	free(delivery->channel);
	free(delivery->thread);
	free(delivery);
}

void channel_finish(struct delivery *delivery)
{
	delivery->done(delivery, delivery->arg);
}

bool channel_address_valid(const void *value, struct text *why)
{
	const char *s = *(char *const *)value;

	if (!strncmp(s, "https://", 8) || !strncmp(s, "http://", 7) || !strncmp(s, "file:", 5) ||
		!strncmp(s, "env:", 4))
		return true;
	text_raw(why, "must be an address that begins with https://");
	return false;
}

bool channel_headers_valid(const void *value, struct text *why)
{
	const struct map *map = value;

	if (!headers_valid(value, why))
		return false;
	for (size_t i = 0; i < map->n; i++)
		if (!channel_template_check(map->values[i], NULL, why))
			return false;
	return true;
}

/* ---- what people see of an answer */

/* Short values would blank out ordinary words, and protect nothing. */
#define SECRET_WORTH_HIDING 8

static void hide_text(struct text *t, const char *secret)
{
	size_t n = strlen(secret);
	char *at;

	if (n < SECRET_WORTH_HIDING)
		return;
	while (t->ptr && (at = strstr(t->ptr, secret))) {
		struct text rest = TEXT_INIT;

		text_raw(&rest, at + n);
		t->len = (size_t)(at - t->ptr);
		t->ptr[t->len] = 0;
		text_raw(t, "***");
		text_raw(t, text_str(&rest));
		text_free(&rest);
	}
}

/* The whole, and each end of it: services show a path without its host, a token without its prefix. The host
   of an address is no secret, and is what an error is about. */
static void hide(struct text *t, const char *secret)
{
	const char *at = secret ? secret : "", *host = strstr(at, "://");

	hide_text(t, at);
	if (host)
		at = host + 3 + strcspn(host + 3, "/?");
	while (*(at += strcspn(at, "/?&=-_:.")))
		hide_text(t, ++at);
}

/* A service may repeat what it was sent (httpbin does, proxies do): nothing secret of it is kept. */
static void hide_secrets(struct text *t, const struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->type->field_count; i++) {
		const struct field *field = &delivery->type->fields[i];
		const char *at = (const char *)delivery->options + field->offset;

		if (field->type == FIELD_SECRET || (field->secret && field->type == FIELD_URL)) {
			hide(t, *(char *const *)(const void *)at);
		} else if (field->type == FIELD_SECRETS) {
			const struct strings *list = (const void *)at;

			for (size_t j = 0; j < list->n; j++)
				hide(t, list->at[j]);
		} else if (field->secret && field->type == FIELD_MAP) {
			const struct map *map = (const void *)at;

			for (size_t j = 0; j < map->n; j++)
				hide(t, map->values[j]);
		}
	}
}

/* One line: control characters become blanks, runs of blanks one. */
static void put_line(struct text *out, const char *s)
{
	struct text clean = TEXT_INIT;

	text_header(&clean, s);
	for (const char *at = text_str(&clean); *at; at++)
		if (*at != ' ' || (out->len && out->ptr[out->len - 1] != ' '))
			text_char(out, *at);
	text_free(&clean);
}

void channel_outcome(struct delivery *delivery, enum delivery_end end, int status, const char *answer)
{
	struct text line = TEXT_INIT, shown = TEXT_INIT;

	put_line(&line, answer);
	hide_secrets(&line, delivery);
	text_cut(&shown, text_str(&line), sizeof(delivery->answer) - 1);
	memcpy(delivery->answer, text_str(&shown), shown.len + 1);
	delivery->end = end;
	delivery->status = status;
	text_free(&line);
	text_free(&shown);
}
