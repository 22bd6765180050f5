/* SPDX-License-Identifier: ISC */
/*
 * fields: what a channel's templates can name. Message fields and request fields are rows of two tables; an
 * option is found by its row in the type's fields, so a new option can be used without a word here. Where both
 * have a name ("url"), it is the message's; {{my_url}} is the option.
 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/notify/engine.h"

/* ---- of the message */

static void put_text(const struct field_source *f, struct text *t)
{
	text_cut(t, f->message->text, f->type->text_max ? f->type->text_max : SIZE_MAX);
}

static void put_title(const struct field_source *f, struct text *t)
{
	text_cut(t, f->message->title, f->type->title_max ? f->type->title_max : SIZE_MAX);
}

/* Title and text as one. */
static void put_full(const struct field_source *f, struct text *t)
{
	struct text full = TEXT_INIT;

	text_raw(&full, f->message->title);
	text_raw(&full, f->message->text[0] ? "\n" : "");
	text_raw(&full, f->message->text);
	text_cut(t, text_str(&full), f->type->text_max ? f->type->text_max : SIZE_MAX);
	text_free(&full);
}

/* For services that refuse an empty text. */
static void put_body(const struct field_source *f, struct text *t)
{
	(f->message->text[0] ? put_text : put_title)(f, t);
}

/* What, why and where, in one line: for messages that are paid by the letter. */
static void put_short(const struct field_source *f, struct text *t)
{
	const struct message *m = f->message;
	struct text line = TEXT_INIT;

	text_cut(&line, m->title, 300);
	if (m->cause[0])
		text_printf(&line, ": %s", m->cause);
	if (m->url[0])
		text_printf(&line, " %s", m->url);
	text_cut(t, text_str(&line), f->type->text_max ? f->type->text_max : SIZE_MAX);
	text_free(&line);
}

static void put_severity(const struct field_source *f, struct text *t)
{
	const char *event = f->message->event;
	bool outage = !strcmp(event, "down") || !strcmp(event, "flapping");

	text_raw(t, f->message->good || f->message->late ? "info" : outage ? "critical" : "warning");
}

static void put_payload(const struct field_source *f, struct text *t)
{
	message_payload(f->message, t);
}

static void put_since(const struct field_source *f, struct text *t)
{
	text_json_seconds(t, f->message->since_us);
}

static void put_at(const struct field_source *f, struct text *t)
{
	text_json_seconds(t, f->message->at_us);
}

static void put_at_s(const struct field_source *f, struct text *t)
{
	text_printf(t, "%lld", (long long)(f->message->at_us / US_PER_S));
}

static void put_at_iso(const struct field_source *f, struct text *t)
{
	calendar_put_iso(t, f->message->at_us / US_PER_S);
}

static void put_duration(const struct field_source *f, struct text *t)
{
	if (f->message->duration_us >= 0)
		text_json_seconds(t, f->message->duration_us);
}

static void put_incident(const struct field_source *f, struct text *t)
{
	if (f->message->incident)
		text_printf(t, "%u", f->message->incident);
}

static void put_good(const struct field_source *f, struct text *t)
{
	if (f->message->good)
		text_raw(t, "true");
}

static void put_link(const struct field_source *f, struct text *t)
{
	text_raw(t, word(f->message->language, WORD_MSG_DETAILS));
}

/* ---- of the request */

static void put_now_s(const struct field_source *f, struct text *t)
{
	text_printf(t, "%lld", (long long)(f->now_us / US_PER_S));
}

static struct secret secret_of(const struct field_source *f)
{
	for (size_t i = 0; i < f->type->field_count; i++)
		if (!strcmp(f->type->fields[i].name, "secret")) {
			const char *at = (const char *)f->options + f->type->fields[i].offset;
			const char *s = *(char *const *)(const void *)at;

			return (struct secret){(const uint8_t *)s, s ? strlen(s) : 0};
		}
	return (struct secret){NULL, 0};
}

static void put_hub(const struct field_source *f, struct text *t, const char *bytes, size_t n)
{
	struct secret secret = secret_of(f);
	uint8_t mac[SHA256_BYTES];

	if (!secret.len)
		return;
	sign_hmac_sha256(secret.bytes, secret.len, bytes, n, mac);
	sign_hex(t, mac, sizeof(mac));
}

static void put_body_signature(const struct field_source *f, struct text *t)
{
	if (f->body)
		put_hub(f, t, text_str(f->body), f->body->len);
}

/* Standard Webhooks: base64(HMAC-SHA256(id "." timestamp "." content)); a secret "whsec_..." is base64. */
static void put_standard(const struct field_source *f, struct text *t, const struct text *signed_text)
{
	static const char prefix[] = "whsec_";
	struct secret secret = secret_of(f);
	struct text key = TEXT_INIT, content = TEXT_INIT;
	uint8_t mac[SHA256_BYTES];

	if (!secret.len)
		return;
	if (secret.len < sizeof(prefix) || memcmp(secret.bytes, prefix, sizeof(prefix) - 1) ||
		!sign_unbase64((const char *)secret.bytes + sizeof(prefix) - 1, secret.len - sizeof(prefix) + 1,
			&key)) {
		text_clear(&key);
		text_rawn(&key, (const char *)secret.bytes, secret.len);
	}
	text_printf(&content, "%s.%lld.", f->message->id, (long long)(f->now_us / US_PER_S));
	text_rawn(&content, text_str(signed_text), signed_text->len);
	sign_hmac_sha256(text_str(&key), key.len, text_str(&content), content.len, mac);
	text_raw(t, "v1,");
	sign_base64(t, mac, sizeof(mac));
	sign_wipe(key.ptr, key.len);
	text_free(&key);
	text_free(&content);
}

static void put_webhook_signature(const struct field_source *f, struct text *t)
{
	if (f->body)
		put_standard(f, t, f->body);
}

/* Hubot hands a script the decoded form, not the body: there the JSON itself is signed. */
static void put_payload_signature(const struct field_source *f, struct text *t)
{
	struct text payload = TEXT_INIT;

	message_payload(f->message, &payload);
	put_hub(f, t, text_str(&payload), payload.len);
	text_free(&payload);
}

static void put_payload_webhook_signature(const struct field_source *f, struct text *t)
{
	struct text payload = TEXT_INIT;

	message_payload(f->message, &payload);
	put_standard(f, t, &payload);
	text_free(&payload);
}

/* ---- the tables */

static const struct {
	const char *name;
	size_t offset; /* of a char * in struct message, when there is no function */
	void (*put)(const struct field_source *f, struct text *t);
} rows[] = {
	{"id", offsetof(struct message, id), NULL},
	{"event", offsetof(struct message, event), NULL},
	{"monitor", offsetof(struct message, monitor), NULL},
	{"name", offsetof(struct message, name), NULL},
	{"state", offsetof(struct message, state), NULL},
	{"previous", offsetof(struct message, previous), NULL},
	{"cause", offsetof(struct message, cause), NULL},
	{"url", offsetof(struct message, url), NULL},
	{"runbook", offsetof(struct message, runbook), NULL},
	{"root", offsetof(struct message, root), NULL},
	{"thread", offsetof(struct message, thread), NULL},
	{"title", 0, put_title},
	{"text", 0, put_text},
	{"full", 0, put_full},
	{"body", 0, put_body},
	{"short", 0, put_short},
	{"severity", 0, put_severity},
	{"payload", 0, put_payload},
	{"since", 0, put_since},
	{"at", 0, put_at},
	{"at_s", 0, put_at_s},
	{"at_iso", 0, put_at_iso},
	{"duration", 0, put_duration},
	{"incident", 0, put_incident},
	{"good", 0, put_good},
	{"link", 0, put_link},
	{"now_s", 0, put_now_s},
	{"body_signature", 0, put_body_signature},
	{"payload_signature", 0, put_payload_signature},
	{"webhook_signature", 0, put_webhook_signature},
	{"payload_webhook_signature", 0, put_payload_webhook_signature},
};

static void put_option(const struct field *field, const void *options, struct text *t)
{
	const char *at = (const char *)options + field->offset;
	const char *s;

	switch (field->type) {
	case FIELD_URL: /* a path follows, with its own slash */
		s = *(char *const *)(const void *)at;
		text_raw(t, s ? s : "");
		while (t->len && t->ptr[t->len - 1] == '/')
			t->ptr[--t->len] = 0;
		break;
	case FIELD_STRING:
	case FIELD_SECRET:
	case FIELD_CHOICE:
	case FIELD_JSON:
		s = *(char *const *)(const void *)at;
		text_raw(t, s ? s : "");
		break;
	case FIELD_INT:
	case FIELD_DURATION:
		if (!field->fallback && !*(const int64_t *)(const void *)at)
			break; /* not given */
		text_printf(t, "%lld", (long long)*(const int64_t *)(const void *)at);
		break;
	case FIELD_BOOL:
		text_raw(t, *(const bool *)(const void *)at ? "true" : "");
		break;
	default: /* lists and maps have no one place in a text */
		break;
	}
}

bool field_value(const void *arg, const char *name, struct text *value)
{
	const struct field_source *f = arg;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *s;

		if (strcmp(rows[i].name, name))
			continue;
		if (rows[i].put) {
			rows[i].put(f, value);
		} else {
			s = *(char *const *)(const void *)((const char *)f->message + rows[i].offset);
			text_raw(value, s ? s : "");
		}
		return true;
	}
	name += strncmp(name, "my_", 3) ? 0 : 3;
	for (size_t i = 0; i < f->type->field_count; i++)
		if (!strcmp(f->type->fields[i].name, name)) {
			put_option(&f->type->fields[i], f->options, value);
			return true;
		}
	return false;
}

/* ---- templates of the configuration */

/* Any field there is has a value here; that is all a check needs. */
static bool known_name(const void *arg, const char *name, struct text *value)
{
	(void)arg;
	if (!strcmp(name, "secret")) { /* an option of both types whose templates are configured */
		text_raw(value, "x");
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!strcmp(rows[i].name, name)) {
			text_raw(value, "x");
			return true;
		}
	return false;
}

bool channel_template_check(const char *text, const char *content_type, struct text *why)
{
	const struct template_source source = {known_name, NULL};
	struct text out = TEXT_INIT;
	struct error err = {0};
	bool ok = template_expand(&out, text, template_context_of(content_type), &source, &err);

	if (!ok)
		text_raw(why, err.text);
	text_free(&out);
	return ok;
}
