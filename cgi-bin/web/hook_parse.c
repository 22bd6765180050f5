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
			[FIELD_STATE] = "current_state",
			[FIELD_DETAIL] = "long_description",
			[FIELD_TOLD] = "state_changed_timestamp"},
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
};

static void words_clear(struct words *words)
{
	for (size_t i = 0; i < FIELD__COUNT; i++)
		free(words->at[i]);
}

/* Keeps a value, unless it says nothing; takes over `value`. */
static void keep(const struct service *service, struct words *words, size_t field, char *value)
{
	size_t n = value ? strlen(value) : 0;
	bool unset = n > 1 && service->unset && value[0] == service->unset &&
		     value[n - 1] == service->unset;

	if (n == 0 || unset || words->at[field] || !text_utf8_valid(value, n)) {
		free(value);
		return;
	}
	value[text_utf8_fit(value, n, SIGHTING_WORDS_MAX)] = '\0';
	words->at[field] = value;
}

static char *scalar(const struct json_scan *scan, enum json_token token)
{
	struct text t = TEXT_INIT;

	if (token == JSON_STRING)
		json_scan_string(scan, &t);
	else if (token == JSON_NUMBER)
		text_rawn(&t, scan->text + scan->start, scan->end - scan->start);
	return text_take(&t);
}

static size_t field_of(const struct service *service, const struct json_scan *scan)
{
	size_t i = 0;

	while (i < FIELD__COUNT && (!service->fields[i] || !json_scan_is(scan, service->fields[i])))
		i++;
	return i;
}

/* NULL, or what is wrong. */
static const char *read_json(
	const struct service *service, const struct hook_input *input, struct words *words)
{
	struct json_scan scan;
	enum json_token token;
	const char *why;

	json_scan_init(&scan, input->body, input->len, 0, DEPTH_MAX);
	token = json_scan_next(&scan) == JSON_OBJECT ? json_scan_next(&scan) : JSON_BAD;
	while (token == JSON_KEY) {
		size_t field = field_of(service, &scan);

		if (field == FIELD__COUNT) {
			if (!json_scan_skip(&scan))
				break;
		} else {
			token = json_scan_next(&scan);
			if (token == JSON_OBJECT || token == JSON_ARRAY || token == JSON_BAD)
				break;
			keep(service, words, field, scalar(&scan, token));
		}
		token = json_scan_next(&scan);
	}
	if (token == JSON_OBJECT_END && json_scan_next(&scan) == JSON_DONE)
		why = NULL;
	else
		why = scan.error ? scan.error : "a name or state that is no text";
	json_scan_free(&scan);
	return why;
}

static void read_pairs(
	const struct service *service, const char *pairs, size_t n, struct words *words)
{
	for (size_t i = 0; i < FIELD__COUNT; i++)
		if (service->fields[i])
			keep(service, words, i, uri_query(pairs, n, service->fields[i]));
}

static const char *read_words(
	const struct service *service, const struct hook_input *input, struct words *words)
{
	size_t blanks = 0;
	const char *why = NULL;

	while (blanks < input->len && strchr(" \t\r\n", input->body[blanks]) && input->body[blanks])
		blanks++;
	if (blanks < input->len && input->body[blanks] == '{')
		why = read_json(service, input, words);
	else
		read_pairs(service, input->body, input->len, words);
	read_pairs(service, input->query, strlen(input->query), words);
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
		*why = "it does not say whether it is up or down";
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
	struct words words = {{NULL}};
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
