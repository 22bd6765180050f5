/* SPDX-License-Identifier: ISC */
/*
 * What services answer when a message is delivered, and what monitored JSON services answer. The first
 * byte chooses the rule, the second the status; then lines: Retry-After, a path, the values that are
 * expected; the rest is the body.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/result.h"
#include "prober/check/http.h"
#include "prober/notify/answer.h"

#define NOW_US (INT64_C(1777600800) * US_PER_S)

static const struct http_row rules[] = {
	{.success = NULL},
	{.success = "=ok", .refused = "no_service|invalid_payload"},
	{.success = ".ok=true", .refused = "channel_not_found", .thread = ".ts", .wait = ".parameters.retry_after"},
	{.success = ".sid"},
	{.success = "!error"},
	{.success = "?.errcode=0", .wait = ".retry_after", .also_retry = {420}},
};

static char *take_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
	size_t n = end ? (size_t)(end - *data) : *size;
	char *line = fuzz_string(*data, n);

	*data += n + (end != NULL);
	*size -= n + (end != NULL);
	return line;
}

static void check_delivery(const struct http_row *row, const struct answer *answer, const char *path)
{
	enum delivery_end end = answer_end(row, answer);
	int64_t wait_us = answer_wait_us(row, answer, NOW_US);
	char *value = answer_path(answer->body, path);

	FUZZ_CHECK(end == DELIVERY_SENT || end == DELIVERY_REFUSED || end == DELIVERY_RETRY);
	FUZZ_CHECK(end != DELIVERY_SENT || (answer->status >= 200 && answer->status < 300));
	FUZZ_CHECK(wait_us >= -1 && wait_us <= INT64_C(86400) * US_PER_S);
	free(value);
}

/* A cause is shown on pages, in messages and in logs: one line of UTF-8. */
static void check_cause(const struct result *result)
{
	FUZZ_CHECK(strlen(result->cause) < CAUSE_MAX && text_utf8_valid(result->cause, strlen(result->cause)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_row *row = &rules[fuzz_byte(&data, &size) % COUNT_OF(rules)];
	int status = 100 + 2 * fuzz_byte(&data, &size);
	char *retry_after = take_line(&data, &size), *path = take_line(&data, &size);
	char *expected = take_line(&data, &size), *body = fuzz_string(data, size);
	struct answer answer = {status, body, *retry_after ? retry_after : NULL};
	struct result result = {.outcome = OUTCOME_UP};
	struct text why = TEXT_INIT;

	check_delivery(row, &answer, path);
	if (text_utf8_valid(expected, strlen(expected)) && http_json_valid(&expected, &why)) {
		if (!http_json_holds(expected, body, size, &result))
			FUZZ_CHECK(*result.cause);
		check_cause(&result);
	}
	if (http_status_valid(&path, &why))
		http_status_good(path, status);
	result_clear(&result);
	text_free(&why);
	free(retry_after);
	free(expected);
	free(path);
	free(body);
	return 0;
}
