/* SPDX-License-Identifier: ISC */
/* answer: see answer.h. */
#include "prober/notify/answer.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/text.h"

#define WAIT_MAX_US (24 * 3600 * US_PER_S)

/* cJSON is given only what the strict scanner has passed: size, depth, doubled keys and trailing bytes. */
static cJSON *parse(const char *body)
{
	struct json_scan scan;
	enum json_token token;
	size_t n = strlen(body);

	json_scan_init(&scan, body, n, 0, 32);
	do {
		token = json_scan_next(&scan);
	} while (token > JSON_DONE);
	json_scan_free(&scan);
	return token == JSON_DONE ? cJSON_ParseWithLength(body, n) : NULL;
}

/* path is ".a.b"; its last part ends at NUL or '='. */
static const cJSON *walk(const cJSON *at, const char *path)
{
	while (at && *path == '.') {
		size_t n = strcspn(path + 1, ".=");
		char *name = mem_strn(path + 1, n);

		at = cJSON_GetObjectItemCaseSensitive(at, name);
		free(name);
		path += 1 + n;
	}
	return at;
}

static char *scalar(const cJSON *value)
{
	char *printed, *copy;

	if (cJSON_IsString(value))
		return mem_str(value->valuestring);
	if (!value || cJSON_IsNull(value) || cJSON_IsObject(value) || cJSON_IsArray(value))
		return NULL;
	printed = cJSON_PrintUnformatted(value);
	copy = mem_str(printed);
	cJSON_free(printed);
	return copy;
}

char *answer_path(const char *body, const char *path)
{
	cJSON *json = parse(body);
	char *found = scalar(walk(json, path));

	cJSON_Delete(json);
	return found;
}

static bool json_rule(const char *rule, const char *body)
{
	const char *wanted = strchr(rule, '=');
	cJSON *json = parse(body);
	const cJSON *value = walk(json, rule);
	char *got = scalar(value);
	bool ok = wanted ? got && !strcmp(got, wanted + 1) : value && !cJSON_IsNull(value);

	free(got);
	cJSON_Delete(json);
	return ok;
}

static bool is_exactly(const char *body, const char *wanted)
{
	size_t n = strlen(body), lead = strspn(body, " \t\r\n");

	while (n > lead && strchr(" \t\r\n", body[n - 1]))
		n--;
	return n - lead == strlen(wanted) && !memcmp(body + lead, wanted, n - lead);
}

static bool body_says_so(const char *rule, const char *body)
{
	if (rule && *rule == '?') {
		if (!body[strspn(body, " \t\r\n")])
			return true;
		rule++;
	}
	if (!rule)
		return true;
	switch (*rule) {
	case '=':
		return is_exactly(body, rule + 1);
	case '!':
		return !strstr(body, rule + 1);
	default:
		return json_rule(rule, body);
	}
}

/* Does the body contain one of "a|b|c"? */
static bool contains_any(const char *body, const char *texts)
{
	while (texts && *texts) {
		size_t n = strcspn(texts, "|");
		char *one = mem_strn(texts, n);
		bool found = n && strstr(body, one);

		free(one);
		if (found)
			return true;
		texts += n + (texts[n] == '|');
	}
	return false;
}

static bool is_temporary(const struct http_row *row, int status)
{
	for (size_t i = 0; i < COUNT_OF(row->also_retry) && row->also_retry[i]; i++)
		if (row->also_retry[i] == status)
			return true;
	return status == 408 || status == 425 || status == 429 || status >= 500 || status < 200;
}

enum delivery_end answer_end(const struct http_row *row, const struct answer *answer)
{
	bool is_2xx = answer->status >= 200 && answer->status < 300;

	if (is_2xx && body_says_so(row->success, answer->body))
		return DELIVERY_SENT;
	if (contains_any(answer->body, row->refused) && !is_temporary(row, answer->status))
		return DELIVERY_REFUSED;
	/* A 2xx that does not say so, and names no reason that we know as final, is tried again: a message
	   told twice is the smaller evil, and after a day it is told through another channel. */
	return is_2xx || is_temporary(row, answer->status) ? DELIVERY_RETRY : DELIVERY_REFUSED;
}

/* "3", "0.35": seconds; -1 when it is neither. */
static int64_t seconds_us(const char *s)
{
	char *end;
	double seconds = strtod(s, &end);

	if (end == s || *end || !strchr("0123456789", *s))
		return -1;
	return seconds * (double)US_PER_S > (double)WAIT_MAX_US ? WAIT_MAX_US : (int64_t)(seconds * (double)US_PER_S);
}

static int64_t header_wait_us(const char *value, int64_t now_us)
{
	char *copy = mem_strn(value, strcspn(value, "\r\n"));
	int64_t wait = seconds_us(copy), at_s;

	if (wait < 0 && calendar_parse_http_date(copy, &at_s)) {
		wait = at_s * US_PER_S - now_us;
		wait = wait < 0 ? 0 : wait > WAIT_MAX_US ? WAIT_MAX_US : wait;
	}
	free(copy);
	return wait;
}

int64_t answer_wait_us(const struct http_row *row, const struct answer *answer, int64_t now_us)
{
	int64_t wait = answer->retry_after ? header_wait_us(answer->retry_after, now_us) : -1;

	if (wait < 0 && row->wait) {
		char *value = answer_path(answer->body, row->wait);

		wait = value ? seconds_us(value) : -1;
		free(value);
	}
	return wait;
}
