/* SPDX-License-Identifier: ISC */
/*
 * field: one row of each type, values that it takes and what becomes of them, values that it refuses and why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/field.h"

/* Room for whatever a row keeps. */
struct options {
	union {
		char *string;
		bool truth;
		int64_t number;
		struct strings strings;
		struct ints ints;
		struct map map;
	} value;
};

static bool no_seven(const void *value, struct text *why)
{
	if (*(const int64_t *)value != 7)
		return true;
	text_raw(why, "must not be 7");
	return false;
}

static const char *const words[] = {"red", "green", NULL};

static const struct field row_of[] = {
	[FIELD_STRING] = {.name = "string", .type = FIELD_STRING, .required = true},
	[FIELD_SECRET] = {.name = "secret", .type = FIELD_SECRET},
	[FIELD_BOOL] = {.name = "bool", .type = FIELD_BOOL},
	[FIELD_INT] = {.name = "int", .type = FIELD_INT, .min = -5, .max = 10, .valid = no_seven},
	[FIELD_DURATION] = {.name = "duration", .type = FIELD_DURATION, .min = 1000},
	[FIELD_CHOICE] = {.name = "choice", .type = FIELD_CHOICE, .choices = words},
	[FIELD_URL] = {.name = "url", .type = FIELD_URL},
	[FIELD_STRINGS] = {.name = "strings", .type = FIELD_STRINGS, .max = 2},
	[FIELD_SECRETS] = {.name = "secrets", .type = FIELD_SECRETS, .required = true},
	[FIELD_INTS] = {.name = "ints", .type = FIELD_INTS, .min = 1, .max = 9},
	[FIELD_DURATIONS] = {.name = "durations", .type = FIELD_DURATIONS, .max = 60000},
	[FIELD_MAP] = {.name = "map", .type = FIELD_MAP, .max = 2},
	[FIELD_JSON] = {.name = "json", .type = FIELD_JSON},
	[FIELD_GROUP] = {.name = "group", .type = FIELD_GROUP},
	[FIELD_NAMED] = {.name = "named", .type = FIELD_NAMED},
	[FIELD_ENTRIES] = {.name = "entries", .type = FIELD_ENTRIES},
};

/* printed: what fields_print makes of the value; why: why it is refused. */
static const struct {
	enum field_type type;
	const char *json, *printed, *why;
} rows[] = {
	{FIELD_STRING, "\"a\\\"b\"", "\"a\\\"b\"", NULL},
	{FIELD_STRING, "\"\"", NULL, "must not be empty"},
	{FIELD_STRING, "null", NULL, "must be a string"},
	{FIELD_BOOL, "true", "true", NULL},
	{FIELD_BOOL, "1", NULL, "must be true or false"},
	{FIELD_INT, "-5", "-5", NULL},
	{FIELD_INT, "11", NULL, "must be between -5 and 10"},
	{FIELD_INT, "7", NULL, "must not be 7"},
	{FIELD_INT, "1.5", NULL, "must be a whole number"},
	{FIELD_INT, "1e300", NULL, "must be a whole number"},
	{FIELD_INT, "\"1\"", NULL, "must be a whole number"},
	{FIELD_DURATION, "\"90s\"", "\"90s\"", NULL},
	{FIELD_DURATION, "\"999ms\"", NULL, "must be at least 1s"},
	{FIELD_DURATION, "\"-1s\"", NULL, "must be a duration in quotes"},
	{FIELD_DURATION, "\"1.5h\"", NULL, "must be a duration in quotes"},
	{FIELD_CHOICE, "\"red\"", "\"red\"", NULL},
	{FIELD_CHOICE, "\"gren\"", NULL, "must be \"red\" or \"green\"; did you mean \"green\"?"},
	{FIELD_CHOICE, "5", NULL, "must be \"red\" or \"green\""},
	{FIELD_URL, "\"HTTPS://example.com:8443/a?b#c\"", "\"HTTPS://example.com:8443/a?b#c\"", NULL},
	{FIELD_URL, "\"http://[2001:db8::1]:80\"", "\"http://[2001:db8::1]:80\"", NULL},
	{FIELD_URL, "\"http://[x]/\"", NULL, "must have an IPv6 address between [ and ]"},
	{FIELD_URL, "\"http://\"", NULL, "must have a host"},
	{FIELD_URL, "\"http://a b/\"", NULL, "must not hold blanks or control characters"},
	{FIELD_URL, "\"http://a:99999/\"", NULL, "must have a port between 1 and 65535"},
	{FIELD_URL, "\"http://a!/\"", NULL, "must have nothing but a port, a path or a query after the host"},
	{FIELD_URL, "\"http://u:p@a/\"", NULL, "must not hold a user name or password"},
	{FIELD_URL, "\"http://a/?b@c\"", "\"http://a/?b@c\"", NULL},
	{FIELD_URL, "1", NULL, "must be a URL in quotes"},
	{FIELD_STRINGS, "\"one\"", "[\"one\"]", NULL},
	{FIELD_STRINGS, "[\"a\",\"b\"]", "[\"a\",\"b\"]", NULL},
	{FIELD_STRINGS, "[\"a\",\"b\",\"c\"]", NULL, "must have between 0 and 2 "},
	{FIELD_STRINGS, "[\"a\",1]", NULL, "must be a string or a list of strings, none of them empty"},
	{FIELD_SECRETS, "[]", NULL, "must not be empty"},
	{FIELD_INTS, "[3,1]", "[3,1]", NULL},
	{FIELD_INTS, "[]", "[]", NULL},
	{FIELD_INTS, "5", "[5]", NULL},
	{FIELD_INTS, "[10]", NULL, "must be between 1 and 9"},
	{FIELD_INTS, "{}", NULL, "must be a list of whole numbers"},
	{FIELD_DURATIONS, "[\"5s\",\"1m\"]", "[\"5s\",\"1m\"]", NULL},
	{FIELD_DURATIONS, "\"5s\"", "[\"5s\"]", NULL},
	{FIELD_DURATIONS, "[\"2m\"]", NULL, "must be between 0s and 1m"},
	{FIELD_DURATIONS, "5", NULL, "must be a list of durations"},
	{FIELD_MAP, "{\"A\":\"b\",\"c\":\"\"}", "{\"A\":\"b\",\"c\":\"\"}", NULL},
	{FIELD_MAP, "{\"A\":1}", NULL, "must be an object whose values are strings"},
	{FIELD_MAP, "{\"A\":\"\",\"B\":\"\",\"C\":\"\"}", NULL, "must have between 0 and 2 "},
	{FIELD_JSON, "{\"a\": [1, null]}", "{\"a\":[1,null]}", NULL},
	{FIELD_GROUP, "{\"a\": 1}", "{\"a\":1}", NULL},
	{FIELD_GROUP, "[]", NULL, "must be an object: {...}"},
	{FIELD_NAMED, "\"x\"", NULL, "must be an object: {...}"},
	{FIELD_ENTRIES, "[\"a\",{}]", "[\"a\",{}]", NULL},
	{FIELD_ENTRIES, "\"a\"", "\"a\"", NULL},
	{FIELD_ENTRIES, "5", NULL, "must be a list: [...]"},
};

static void check_row(size_t i)
{
	const struct field *field = &row_of[rows[i].type];
	struct text why = TEXT_INIT, printed = TEXT_INIT, want = TEXT_INIT;
	struct options options;
	cJSON *value = cJSON_Parse(rows[i].json);
	bool good;

	assert_non_null(value);
	memset(&options, 0, sizeof(options));
	good = field_read(field, value, &options, &why);
	if (good != (rows[i].why == NULL) || (!good && strncmp(text_str(&why), rows[i].why, strlen(rows[i].why)) != 0))
		fail_msg("row %zu: %s: %s", i, rows[i].json, text_str(&why));
	if (good) {
		fields_print(field, 1, &options, &printed);
		text_printf(&want, "{\"%s\":%s}", field->name, rows[i].printed);
		assert_string_equal(text_str(&printed), text_str(&want));
		fields_clear(field, 1, &options);
	}
	cJSON_Delete(value);
	text_free(&why);
	text_free(&printed);
	text_free(&want);
}

static void each_type_takes_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_row(i);
}

static void what_is_printed_loads_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct field *field = &row_of[rows[i].type];
		struct text json = TEXT_INIT, again = TEXT_INIT;
		struct options options;
		struct error err;
		cJSON *object;

		if (!rows[i].printed)
			continue;
		text_printf(&json, "{\"%s\":%s}", field->name, rows[i].printed);
		object = cJSON_Parse(text_str(&json));
		memset(&options, 0, sizeof(options));
		assert_true(fields_load(field, 1, object, &options, &err));
		fields_print(field, 1, &options, &again);
		assert_string_equal(text_str(&again), text_str(&json));
		fields_clear(field, 1, &options);
		cJSON_Delete(object);
		text_free(&json);
		text_free(&again);
	}
}

static void a_number_that_was_not_given_is_not_printed(void **state)
{
	static const struct field rows_of_two[] = {
		{.name = "at_least_one", .type = FIELD_DURATION, .offset = offsetof(struct options, value), .min = 1},
		{.name = "any", .type = FIELD_INT, .offset = offsetof(struct options, value)},
	};
	struct text printed = TEXT_INIT;
	struct options options;

	(void)state;
	memset(&options, 0, sizeof(options));
	fields_print(rows_of_two, COUNT_OF(rows_of_two), &options, &printed);
	assert_string_equal(text_str(&printed), "{\"any\":0}");
	text_free(&printed);
}

struct pair {
	char *secret, *plain;
	int64_t wait_ms;
};
static const struct field pair_rows[] = {
	{.name = "secret", .type = FIELD_SECRET, .offset = offsetof(struct pair, secret)},
	{.name = "plain", .type = FIELD_STRING, .offset = offsetof(struct pair, plain), .required = true},
	{.name = "wait", .type = FIELD_DURATION, .offset = offsetof(struct pair, wait_ms), .fallback = "5s"},
};

static void secrets_load_from_beside_and_are_never_printed(void **state)
{
	cJSON *published = cJSON_Parse("{\"plain\":\"p\"}"), *beside = cJSON_Parse("{\"secret\":\"canary\"}");
	struct text printed = TEXT_INIT;
	struct pair pair = {0};

	(void)state;
	assert_true(fields_load_both(pair_rows, COUNT_OF(pair_rows), published, beside, &pair, NULL));
	assert_string_equal(pair.secret, "canary");
	assert_int_equal(pair.wait_ms, 5000);
	fields_print(pair_rows, COUNT_OF(pair_rows), &pair, &printed);
	assert_string_equal(text_str(&printed), "{\"plain\":\"p\"}"); /* the default is not, either */
	fields_clear(pair_rows, COUNT_OF(pair_rows), &pair);
	assert_null(pair.secret);
	text_free(&printed);
	cJSON_Delete(published);
	cJSON_Delete(beside);
}

static void what_is_missing_or_wrong_is_named(void **state)
{
	cJSON *empty = cJSON_Parse("{}"), *wrong = cJSON_Parse("{\"plain\":\"p\",\"secret\":\"s\",\"wait\":5}");
	struct pair pair = {0};
	struct error err;

	(void)state;
	assert_false(fields_load(pair_rows, COUNT_OF(pair_rows), empty, &pair, &err));
	assert_string_equal(err.text, "\"plain\" is missing");
	assert_false(fields_load(pair_rows, COUNT_OF(pair_rows), wrong, &pair, &err));
	assert_non_null(strstr(err.text, "\"wait\": must be a duration"));
	assert_null(pair.plain);
	cJSON_Delete(empty);
	cJSON_Delete(wrong);
}

static void an_entry_alone_is_a_list_of_one(void **state)
{
	cJSON *list = cJSON_Parse("{\"a\":\"x\",\"b\":[\"y\",\"z\"]}");
	const cJSON *one = list->child, *two = one->next, *entry;

	(void)state;
	assert_ptr_equal(field_entry(one, NULL), one);
	assert_null(field_entry(one, one)); /* not its neighbour */
	entry = field_entry(two, NULL);
	assert_string_equal(entry->valuestring, "y");
	entry = field_entry(two, entry);
	assert_string_equal(entry->valuestring, "z");
	assert_null(field_entry(two, entry));
	cJSON_Delete(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_takes_and_refuses),
		cmocka_unit_test(what_is_printed_loads_again),
		cmocka_unit_test(a_number_that_was_not_given_is_not_printed),
		cmocka_unit_test(secrets_load_from_beside_and_are_never_printed),
		cmocka_unit_test(what_is_missing_or_wrong_is_named),
		cmocka_unit_test(an_entry_alone_is_a_list_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
