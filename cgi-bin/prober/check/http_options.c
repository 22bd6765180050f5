/* SPDX-License-Identifier: ISC */
/*
 * http_options: what the options of an HTTP look may be, and the questions that are asked of them.
 */
#include "prober/check/http.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"

#define JSON_DEPTH 32

const char *const http_methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};

const struct field http_auth_fields[2] = {
	{.name = "basic", .type = FIELD_SECRETS, .min = 2, .max = 2, .help = "User and password."},
	{.name = "bearer", .type = FIELD_SECRET, .help = "A token, sent as Authorization: Bearer."},
};

/* ---- status lists: "200-399,404" */

/* Reads one number of three digits, moving *s behind it. */
static bool status_number(const char **s, int *out)
{
	int n = 0;

	for (int i = 0; i < 3; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		n = n * 10 + (**s - '0');
	}
	*out = n;
	return n >= 100;
}

/* The next range of a list; false at its end, and with *bad on what is none. */
static bool status_range(const char **s, int *from, int *to, bool *bad)
{
	while (**s == ' ' || **s == ',')
		(*s)++;
	if (!**s)
		return false;
	*from = 0;
	*bad = !status_number(s, from);
	*to = *from;
	if (!*bad && **s == '-') {
		(*s)++;
		*bad = !status_number(s, to) || *to < *from;
	}
	*bad = *bad || (**s && **s != ',' && **s != ' ');
	return !*bad;
}

bool http_status_valid(const void *value, struct text *why)
{
	const char *s = *(char *const *)value;
	int from, to, n = 0;
	bool bad = false;

	while (status_range(&s, &from, &to, &bad))
		n++;
	if (!bad && n > 0)
		return true;
	text_raw(why, "must be statuses and ranges of them, such as \"200-399\" or \"200,401\"");
	return false;
}

bool http_status_good(const char *list, int status)
{
	int from, to;
	bool bad = false;

	while (status_range(&list, &from, &to, &bad))
		if (status >= from && status <= to)
			return true;
	return false;
}

/* ---- others */

bool http_ip_valid(const void *value, struct text *why)
{
	int64_t ip = *(const int64_t *)value;

	if (ip == 0 || ip == 4 || ip == 6)
		return true;
	text_raw(why, "must be 4 or 6");
	return false;
}

bool http_json_valid(const void *value, struct text *why)
{
	cJSON *wanted = cJSON_Parse(*(char *const *)value);
	bool good = cJSON_IsObject(wanted) && wanted->child;

	for (const cJSON *item = good ? wanted->child : NULL; item; item = item->next)
		good = good && item->string[0] && !cJSON_IsObject(item) && !cJSON_IsArray(item);
	cJSON_Delete(wanted);
	if (!good)
		text_raw(why, "must be an object of paths and values: {\"status.db\": \"ok\"}");
	return good;
}

bool http_validate(const void *options, struct text *why)
{
	const struct http_options *http = options;

	if (http->body && (strcmp(http->method, "GET") == 0 || strcmp(http->method, "HEAD") == 0)) {
		text_printf(why, "a %s request has no \"body\"", http->method);
		return false;
	}
	if (http->json && strcmp(http->method, "HEAD") == 0) {
		text_raw(why, "an answer to HEAD has no body to look into for \"json\"");
		return false;
	}
	return true;
}

/* ---- values in a JSON answer */

static const cJSON *json_child(const cJSON *of, const char *name)
{
	uint64_t index;

	if (!cJSON_IsArray(of))
		return cJSON_GetObjectItemCaseSensitive(of, name);
	return text_to_u64(name, &index) && index < INT_MAX ? cJSON_GetArrayItem(of, (int)index) : NULL;
}

/* "a.b.0.c" below root; NULL when there is no such place. */
static const cJSON *json_at(const cJSON *root, const char *path)
{
	const cJSON *at = root;

	while (at && *path) {
		size_t n = strcspn(path, ".");
		char *name = mem_strn(path, n);

		at = json_child(at, name);
		free(name);
		path += n + (path[n] == '.');
	}
	return at;
}

static bool json_same(const cJSON *wanted, const cJSON *got)
{
	if (cJSON_IsString(wanted))
		return cJSON_IsString(got) && strcmp(wanted->valuestring, got->valuestring) == 0;
	if (cJSON_IsNumber(wanted))
		return cJSON_IsNumber(got) && !(wanted->valuedouble < got->valuedouble) &&
			!(wanted->valuedouble > got->valuedouble);
	return (wanted->type & 0xff) == (got->type & 0xff);
}

/* A stranger's JSON: our own tokenizer first, which bounds its depth, then the tree. */
static cJSON *json_tree(const char *bytes, size_t n)
{
	struct json_scan scan;
	enum json_token token;

	json_scan_init(&scan, bytes, n, 0, JSON_DEPTH);
	while ((token = json_scan_next(&scan)) > JSON_DONE)
		;
	json_scan_free(&scan);
	return token == JSON_DONE ? cJSON_ParseWithLength(bytes, n) : NULL;
}

static bool json_item_holds(const cJSON *tree, const cJSON *wanted, struct result *result)
{
	const cJSON *got = json_at(tree, wanted->string);
	char *printed;

	if (got && json_same(wanted, got))
		return true;
	printed = got ? cJSON_PrintUnformatted(got) : NULL;
	result_cause(result, got ? "JSON: %.60s is %.60s" : "JSON: there is no %.60s", wanted->string,
		printed ? printed : "?");
	cJSON_free(printed);
	return false;
}

bool http_json_holds(const char *expected, const char *bytes, size_t n, struct result *result)
{
	cJSON *wanted = cJSON_Parse(expected), *tree = json_tree(bytes, n);
	bool good = tree;

	if (!tree)
		result_cause(result, "the answer is not JSON");
	for (const cJSON *item = tree && wanted ? wanted->child : NULL; item; item = item->next)
		good = good && json_item_holds(tree, item, result);
	cJSON_Delete(tree);
	cJSON_Delete(wanted);
	return good;
}
