/* SPDX-License-Identifier: ISC */
/* hook_parse: a row for each service -> its words -> a sighting. */
#include "web/hook_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "web/uri.h"

#define DEPTH_MAX 16
#define TOLD_MAX_S (INT64_C(1) << 33) /* later than any clock that is meant */

/* ---- what each service calls things */

enum field { FIELD_ID, FIELD_NAME, FIELD_URL, FIELD_STATE, FIELD_DETAIL, FIELD_TOLD, FIELD__COUNT };

#define STATES_MAX 8
struct service {
	const char *name;
	const char *fields[FIELD__COUNT];
	const char *inside; /* a member that is an object whose members are looked at too, or NULL */
	char unset; /* variables that were not replaced stand between two of these; 0: there are
		       none */
	const char *status_of; /* what its detail is when it is only a number: "HTTP " */
	struct {
		const char *word;
		enum hook_result result;
		enum outcome sees;
	} states[STATES_MAX];
};

static const struct service services[] = {
	{
		.name = "uptimerobot",
		.fields = {[FIELD_ID] = "monitorID",
			[FIELD_NAME] = "monitorFriendlyName",
			[FIELD_URL] = "monitorURL",
			[FIELD_STATE] = "alertType",
			[FIELD_DETAIL] = "alertDetails",
			[FIELD_TOLD] = "alertDateTime"},
		.unset = '*',
		.states = {{"1", HOOK_TOLD, OUTCOME_DOWN}, {"2", HOOK_TOLD, OUTCOME_UP},
			{"3", HOOK_NOTHING, OUTCOME_UNKNOWN}}, /* a certificate's end */
	},
	{
		.name = "statuscake",
		.fields = {[FIELD_NAME] = "Name",
			[FIELD_URL] = "URL",
			[FIELD_STATE] = "Status",
			[FIELD_DETAIL] = "StatusCode"},
		.unset = '|',
		.status_of = "HTTP ",
		.states = {{"Down", HOOK_TOLD, OUTCOME_DOWN}, {"Up", HOOK_TOLD, OUTCOME_UP}},
	},
	{
		.name = "pingdom",
		.fields = {[FIELD_ID] = "check_id",
			[FIELD_NAME] = "check_name",
			[FIELD_URL] = "full_url",
			[FIELD_STATE] = "current_state",
			[FIELD_DETAIL] = "long_description",
			[FIELD_TOLD] = "state_changed_timestamp"},
		.inside = "check_params",
		.states = {{"DOWN", HOOK_TOLD, OUTCOME_DOWN}, {"UP", HOOK_TOLD, OUTCOME_UP},
			{"FAILING", HOOK_TOLD, OUTCOME_DOWN},
			{"SUCCESS", HOOK_TOLD, OUTCOME_UP}, /* transactions */
			{"UNCONFIRMED_DOWN", HOOK_NOTHING, OUTCOME_UNKNOWN},
			{"UNKNOWN", HOOK_NOTHING, OUTCOME_UNKNOWN},
			{"PAUSED", HOOK_NOTHING, OUTCOME_UNKNOWN}},
	},
};

/* ---- words */

struct words {
	char *at[FIELD__COUNT]; /* owned; NULL: not said */
	bool torn;		/* it says two different states */
};

static void words_clear(struct words *words)
{
	for (size_t i = 0; i < FIELD__COUNT; i++)
		free(words->at[i]);
}

/* What is not UTF-8 is read as Latin-1, which those who do not know better send. Takes over `value`. */
static char *as_utf8(char *value)
{
	struct text t = TEXT_INIT;

	if (text_utf8_valid(value, strlen(value)))
		return value;
	for (const unsigned char *s = (const unsigned char *)value; *s; s++) {
		if (*s >= 0x80)
			text_char(&t, (char)(0xC0 | *s >> 6));
		text_char(&t, (char)(*s < 0x80 ? *s : 0x80 | (*s & 0x3F)));
	}
	free(value);
	return text_take(&t);
}

static bool says_nothing(const struct service *service, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	return n == 0 ||
	       (n > 1 && service->unset && value[0] == service->unset && value[n - 1] == service->unset);
}

/* Keeps the first value of a field that says something; takes over `value`. */
static void keep(const struct service *service, struct words *words, size_t field, char *value)
{
	if (says_nothing(service, value) || words->at[field]) {
		if (field == FIELD_STATE && !says_nothing(service, value))
			words->torn = words->torn || strcasecmp(words->at[field], value) != 0;
		free(value);
		return;
	}
	value = as_utf8(value);
	value[text_utf8_fit(value, strlen(value), SIGHTING_WORDS_MAX)] = '\0';
	words->at[field] = value;
}

/* People write the names into templates by hand. */
static size_t field_of(const struct service *service, const char *name)
{
	size_t i = 0;

	while (i < FIELD__COUNT &&
		(!service->fields[i] || strcasecmp(service->fields[i], name) != 0))
		i++;
	return i;
}

static char *string_of(const struct json_scan *scan)
{
	struct text t = TEXT_INIT;

	json_scan_string(scan, &t);
	return t.ptr ? text_take(&t) : mem_str("");
}

static char *scalar(const struct json_scan *scan, enum json_token token)
{
	if (token == JSON_STRING)
		return string_of(scan);
	return token == JSON_NUMBER ? mem_strn(scan->text + scan->start, scan->end - scan->start) : NULL;
}

/* The members of an object whose JSON_OBJECT was just read; false: it is no JSON. */
static bool read_members(const struct service *service, struct json_scan *scan, struct words *words)
{
	enum json_token token;

	while ((token = json_scan_next(scan)) == JSON_KEY) {
		char *name = string_of(scan);
		size_t field = field_of(service, name);
		bool inside = service->inside && strcmp(name, service->inside) == 0;

		free(name);
		token = json_scan_next(scan);
		if (token == JSON_OBJECT && inside) {
			if (!read_members(service, scan, words))
				return false;
		} else if (token == JSON_OBJECT || token == JSON_ARRAY) {
			if (!json_scan_skip(scan))
				return false;
		} else if (token == JSON_BAD) {
			return false;
		} else if (field < FIELD__COUNT) {
			keep(service, words, field, scalar(scan, token));
		}
	}
	return token == JSON_OBJECT_END;
}

/* NULL, or what is wrong. */
static const char *read_json(
	const struct service *service, const char *json, size_t n, struct words *words)
{
	struct json_scan scan;
	const char *why = NULL;

	json_scan_init(&scan, json, n, 0, DEPTH_MAX);
	if (json_scan_next(&scan) != JSON_OBJECT || !read_members(service, &scan, words) ||
		json_scan_next(&scan) != JSON_DONE)
		why = scan.error ? scan.error : "it is no JSON object";
	json_scan_free(&scan);
	return why;
}

static void read_pairs(
	const struct service *service, const char *pairs, size_t n, struct words *words)
{
	const char *end = pairs + n;
	char *name, *value;

	while (uri_pair(&pairs, end, &name, &value)) {
		size_t field = name ? field_of(service, name) : FIELD__COUNT;

		if (field < FIELD__COUNT)
			keep(service, words, field, value);
		else
			free(value);
		free(name);
	}
}

/* What the body says, and where it says nothing, the query. */
static const char *read_words(
	const struct service *service, const struct hook_input *input, struct words *words)
{
	static const char mark[] = "\xEF\xBB\xBF"; /* some editors put it before a template */
	bool clear;
	size_t marked = input->len >= 3 && memcmp(input->body, mark, 3) == 0 ? 3 : 0;
	char *body = mem_strn(input->body + marked, input->len - marked);
	const char *json = body + strspn(body, " \t\r\n"), *why = NULL;

	if (strlen(body) != input->len - marked) {
		why = "there is a NUL byte in it";
	} else if (*json == '{' || *json == '[') {
		size_t at = (size_t)(json - body);

		body = as_utf8(body);
		why = read_json(service, body + at, strlen(body + at), words);
	} else {
		read_pairs(service, body, strlen(body), words);
	}
	free(body);
	clear = words->at[FIELD_STATE] && !words->torn; /* the body has said it: no query makes it unclear */
	read_pairs(service, input->query, strlen(input->query), words);
	if (!why && words->torn && !clear)
		why = "it says two states";
	return why;
}

/* ---- what they mean */

static char *detail_of(const struct service *service, const char *said)
{
	struct text t = TEXT_INIT;
	uint64_t number;

	if (!said)
		return NULL;
	if (!service->status_of || !text_to_u64(said, &number))
		text_raw(&t, said);
	else if (number == 0)
		text_raw(&t, "no answer");
	else
		text_printf(&t, "%s%s", service->status_of, said);
	return text_take(&t);
}

static char *take(struct words *words, enum field field)
{
	char *value = words->at[field];

	words->at[field] = NULL;
	return value;
}

static enum hook_result mean(
	const struct service *service, struct words *words, struct sighting *out, const char **why)
{
	const char *state = words->at[FIELD_STATE];
	int64_t told_s;
	size_t i = 0;

	if (!state) {
		*why = "it does not say whether something is up or down";
		return HOOK_BAD;
	}
	while (i < STATES_MAX && service->states[i].word &&
		strcasecmp(service->states[i].word, state) != 0)
		i++;
	if (i == STATES_MAX || !service->states[i].word) {
		*why = "its state is none that we know";
		return HOOK_BAD;
	}
	if (service->states[i].result != HOOK_TOLD)
		return service->states[i].result;
	if (!words->at[FIELD_ID] && !words->at[FIELD_NAME] && !words->at[FIELD_URL]) {
		*why = "it does not say of what";
		return HOOK_BAD;
	}
	out->from = mem_str(service->name);
	out->sees = service->states[i].sees;
	out->id = take(words, FIELD_ID);
	out->name = take(words, FIELD_NAME);
	out->url = take(words, FIELD_URL);
	out->detail = detail_of(service, words->at[FIELD_DETAIL]);
	if (words->at[FIELD_TOLD] && text_to_i64(words->at[FIELD_TOLD], &told_s) && told_s > 0 &&
		told_s < TOLD_MAX_S)
		out->told_us = told_s * US_PER_S;
	return HOOK_TOLD;
}

enum hook_result hook_parse(
	const char *name, const struct hook_input *input, struct sighting *out, const char **why)
{
	const struct service *service = NULL;
	struct words words = {.torn = false};
	enum hook_result result = HOOK_BAD;

	*out = (struct sighting){0};
	for (size_t i = 0; i < COUNT_OF(services); i++)
		if (strcmp(services[i].name, name) == 0)
			service = &services[i];
	if (!service)
		return HOOK_NO_SERVICE;
	*why = read_words(service, input, &words);
	if (!*why)
		result = mean(service, &words, out, why);
	words_clear(&words);
	return result;
}
