/* SPDX-License-Identifier: ISC */
/*
 * Templates, and every channel's request. What comes up to the first NUL is a template of anybody's making:
 * it expands, or is refused. All of the input is also what a monitor and its cause are called: whatever that
 * is, no value leaves the place that it was written into, in any channel's URL, headers, body, or mail.
 */
#include <ctype.h>

#include "base/json_scan.h"
#include "base/mem.h"
#include "fuzz.h"
#include "prober/notify/engine.h"
#include "prober/notify/mail.h"

static const char *const configs[] = {
	"{\"type\":\"slack\",\"webhook\":\"https://example.com/s\"}",
	"{\"type\":\"slack\",\"token\":\"xoxb-1\",\"channel\":\"C1\"}",
	"{\"type\":\"webhook\",\"url\":\"https://example.com/h\",\"secret\":\"whsec_YQ==\"}",
	"{\"type\":\"pushbullet\",\"token\":\"t\",\"device\":\"d\"}",
	"{\"type\":\"hubot\",\"url\":\"https://example.com/h\",\"secret\":\"s\",\"room\":\"#r\"}",
	"{\"type\":\"twilio\",\"account\":\"AC1\",\"token\":\"t\",\"from\":\"+1\",\"to\":\"+2\"}",
	"{\"type\":\"telegram\",\"token\":\"1:a\",\"chat_id\":\"1\"}",
	"{\"type\":\"discord\",\"webhook\":\"https://example.com/d?thread_id=1\"}",
	"{\"type\":\"teams\",\"webhook\":\"https://example.com/t\"}",
	"{\"type\":\"ntfy\",\"topic\":\"t\"}",
	"{\"type\":\"gotify\",\"api\":\"https://example.com\",\"token\":\"t\"}",
	"{\"type\":\"pushover\",\"token\":\"t\",\"user\":\"u\",\"priority\":2}",
	"{\"type\":\"pagerduty\",\"routing_key\":\"k\"}",
	("{\"type\":\"http\",\"url\":\"https://example.com/{{monitor}}?t={{title}}\",\"headers\":{\"X-T\":\"{{title}}\"},"
		"\"body\":\"{\\\"a\\\":\\\"{{full}}\\\"}\"}"),
};

static bool is_json(const struct text *body)
{
	struct json_scan scan;
	enum json_token token;

	json_scan_init(&scan, text_str(body), body->len, 0, 32);
	do {
		token = json_scan_next(&scan);
	} while (token > JSON_DONE);
	json_scan_free(&scan);
	return token == JSON_DONE;
}

/* A form: names we chose, and nothing in the values but what is percent-encoded. */
static bool is_form(const struct text *body)
{
	for (size_t i = 0; i < body->len; i++)
		if (!isalnum((unsigned char)body->ptr[i]) && !strchr("-._~%&=", body->ptr[i]))
			return false;
	return true;
}

static void check_request(const struct http_request *request, const struct http_row *row)
{
	for (const char *c = request->url; *c; c++)
		FUZZ_CHECK((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f);
	FUZZ_CHECK(!strncmp(request->url, "https://", 8));
	for (const struct curl_slist *h = request->headers; h; h = h->next)
		FUZZ_CHECK(!strpbrk(h->data, "\r\n"));
	if (template_context_of(row->type) == TEMPLATE_JSON)
		FUZZ_CHECK(is_json(&request->body));
	else
		FUZZ_CHECK(is_form(&request->body));
}

static void build(const char *config, const struct message *message)
{
	cJSON *configured = cJSON_Parse(config);
	const struct channel_type *type = channel_type_of(configured);
	void *options = mem_alloc(type->options_size);
	struct http_row row = type->http ? *type->http : (struct http_row){.method = NULL};
	struct http_request request;
	struct error err = {0};

	FUZZ_CHECK(fields_load(type->fields, type->field_count, configured, options, &err));
	if (type->row)
		type->row(options, message, &row);
	FUZZ_CHECK(http_request_build(&request, &row, type, options, message, INT64_C(1777600800000000), &err));
	check_request(&request, &row);
	http_request_clear(&request);
	fields_clear(type->fields, type->field_count, options);
	free(options);
	cJSON_Delete(configured);
}

/* A mail: lines end in CRLF and are short, and the headers are those that we wrote. */
static void check_mail(const struct message *message)
{
	char *to[] = {mem_str("ops@example.com")};
	const struct strings list = {to, 1};
	struct text mail = TEXT_INIT;
	size_t line = 0;
	const char *end;

	mail_compose(&mail, message, "Upbeat <upbeat@example.com>", &list, "\r\n", INT64_C(1777600800000000));
	for (size_t i = 0; i < mail.len; i++) {
		FUZZ_CHECK((mail.ptr[i] == '\n') == (i > 0 && mail.ptr[i - 1] == '\r'));
		FUZZ_CHECK((unsigned char)mail.ptr[i] < 0x7f);
		line = mail.ptr[i] == '\n' ? 0 : line + 1;
		FUZZ_CHECK(line <= 300);
	}
	end = strstr(text_str(&mail), "\r\n\r\n");
	FUZZ_CHECK(end && !memmem(mail.ptr, (size_t)(end - mail.ptr), "\r\nX: y", 6));
	text_free(&mail);
	free(to[0]);
}

static void try_template(const char *text)
{
	static const char *const types[] = {"text/plain", "application/json", "application/x-www-form-urlencoded", "text/xml"};
	struct text why = TEXT_INIT;

	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (!channel_template_check(text, types[i], &why))
			FUZZ_CHECK(why.len > 0);
	text_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *input = fuzz_string(data, size);
	struct monitor monitor = {.slug = input, .name = input, .options = input, .runbook = input};
	char url[] = "https://example.com/u";
	struct site site = {.url = url, .title = input};
	struct notice notice = {.event_id = {'u', 'p', '-', '1'}, .event = size % 2 ? EVENT_DOWN : EVENT_UP, .monitor = input,
		.cause = input, .since_us = 1777600000000000, .at_us = 1777600800000000, .ended_us = 1777600700000000,
		.now = STATE_DOWN, .previous = STATE_UP, .incident = 3};
	struct message message;

	try_template(input);
	message_build(&message, &notice, &monitor, &site, size % 3 ? LANGUAGE_EN : LANGUAGE_ZH_TW, NULL);
	for (size_t i = 0; i < COUNT_OF(configs); i++)
		build(configs[i], &message);
	check_mail(&message);
	message_clear(&message);
	free(input);
	return 0;
}
