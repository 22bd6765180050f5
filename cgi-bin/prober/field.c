/* SPDX-License-Identifier: ISC */
/*
 * field: values between JSON and the options structs, by rows.
 *
 * What differs between the types of values stands in one table, kinds[], with a reader, a printer and a
 * release function for each; everything else here only walks rows.
 */
#include "prober/field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "base/sign.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here a JSON number is exact */

struct field_kind {
	bool (*read)(const struct field *field, const cJSON *value, void *at, struct text *why);
	bool (*print)(const void *at, struct text *out); /* false, nothing written: unset */
	void (*clear)(void *at);
};

/* ---- text */

static bool read_string(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	if (!cJSON_IsString(value)) {
		text_raw(why, "must be a string");
		return false;
	}
	if (field->required && !value->valuestring[0]) {
		text_raw(why, "must not be empty");
		return false;
	}
	*(char **)at = mem_str(value->valuestring);
	return true;
}

static bool print_string(const void *at, struct text *out)
{
	const char *s = *(char *const *)at;

	if (!s)
		return false;
	text_json_string(out, s);
	return true;
}

static void clear_string(void *at)
{
	free(*(char **)at);
	*(char **)at = NULL;
}

static void wipe_string(char *s)
{
	if (s)
		sign_wipe(s, strlen(s));
	free(s);
}

static void clear_secret(void *at)
{
	wipe_string(*(char **)at);
	*(char **)at = NULL;
}

static bool read_choice(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	const char *given = cJSON_IsString(value) ? value->valuestring : NULL;
	const char *nearest;
	size_t n = 0;

	for (; field->choices[n]; n++)
		if (given && strcmp(given, field->choices[n]) == 0) {
			*(char **)at = mem_str(given);
			return true;
		}
	text_raw(why, "must be ");
	for (size_t i = 0; i < n; i++)
		text_printf(why, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", field->choices[i]);
	nearest = given ? text_nearest(given, field->choices, n) : NULL;
	if (nearest)
		text_printf(why, "; did you mean \"%s\"?", nearest);
	return false;
}

/* ---- URLs */

static bool host_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* After the host: nothing, a port, a path, a query or a fragment. */
static bool url_tail_valid(const char *s, struct text *why)
{
	if (*s == ':') {
		unsigned long port = 0;
		const char *digits = ++s;

		for (; isdigit((unsigned char)*s) && s - digits < 6; s++)
			port = port * 10 + (unsigned long)(*s - '0');
		if (s == digits || port == 0 || port > 65535) {
			text_raw(why, "must have a port between 1 and 65535");
			return false;
		}
	}
	if (*s && *s != '/' && *s != '?' && *s != '#') {
		text_raw(why, "must have nothing but a port, a path or a query after the host");
		return false;
	}
	return true;
}

static bool url_host_valid(const char *s, struct text *why)
{
	const char *end;

	if (s[strcspn(s, "@/?#")] == '@') {
		text_raw(why, "must not hold a user name or password (there is \"auth\" for these)");
		return false;
	}
	if (*s == '[') {
		end = s + 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		if (*end != ']' || end == s + 1) {
			text_raw(why, "must have an IPv6 address between [ and ]");
			return false;
		}
		return url_tail_valid(end + 1, why);
	}
	for (end = s; host_char(*end); end++)
		;
	if ((unsigned char)*end >= 0x80) {
		text_raw(why, "must give an international host name in its ASCII form (xn--...)");
		return false;
	}
	if (end == s) {
		text_raw(why, "must have a host");
		return false;
	}
	return url_tail_valid(end, why);
}

bool field_url_valid(const char *url, struct text *why)
{
	size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
			: strncasecmp(url, "https://", 8) == 0 ? 8
							       : 0;

	if (!scheme) {
		text_raw(why, "must begin with http:// or https://");
		return false;
	}
	for (const char *s = url; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f) {
			text_raw(why, "must not hold blanks or control characters");
			return false;
		}
	return url_host_valid(url + scheme, why);
}

static bool read_url(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	(void)field;
	if (!cJSON_IsString(value)) {
		text_raw(why, "must be a URL in quotes");
		return false;
	}
	if (!field_url_valid(value->valuestring, why))
		return false;
	*(char **)at = mem_str(value->valuestring);
	return true;
}

/* ---- numbers */

static bool limited(const struct field *field)
{
	return field->min < 0 || field->min > 0 || field->max > 0;
}

static bool in_range(const struct field *field, double value)
{
	return !limited(field) || (value >= field->min && (field->max < field->min || value <= field->max));
}

static void put_limit(const struct field *field, double limit, struct text *why)
{
	if (field->type == FIELD_DURATION || field->type == FIELD_DURATIONS)
		calendar_put_duration(why, (int64_t)limit);
	else
		text_printf(why, "%lld", (long long)limit);
}

/* "must be between 1s and 1d", "must be at least 1". */
static bool say_range(const struct field *field, const char *what, struct text *why)
{
	bool both = field->max > field->min, exact = field->max == field->min;

	text_printf(why, "must %s %s", what, both ? "between " : exact ? "" : "at least ");
	put_limit(field, field->min, why);
	if (both) {
		text_raw(why, " and ");
		put_limit(field, field->max, why);
	}
	return false;
}

/* The same of the number of entries: "must have at least 1 entries". */
static bool say_entries(const struct field *field, struct text *why)
{
	say_range(field, "have", why);
	text_raw(why, field->type == FIELD_MAP ? " members" : " entries");
	return false;
}

static bool read_bool(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	(void)field;
	if (!cJSON_IsBool(value)) {
		text_raw(why, "must be true or false");
		return false;
	}
	*(bool *)at = cJSON_IsTrue(value);
	return true;
}

static bool print_bool(const void *at, struct text *out)
{
	text_raw(out, *(const bool *)at ? "true" : "false");
	return true;
}

static bool read_int(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	double number = cJSON_IsNumber(value) ? value->valuedouble : 0.5;

	if (number < -EXACT_MAX || number > EXACT_MAX || number != (double)(int64_t)number) {
		text_raw(why, "must be a whole number");
		return false;
	}
	if (!in_range(field, number))
		return say_range(field, "be", why);
	*(int64_t *)at = (int64_t)number;
	return true;
}

static bool print_int(const void *at, struct text *out)
{
	text_printf(out, "%lld", (long long)*(const int64_t *)at);
	return true;
}

static bool read_duration(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	int64_t ms;

	if (!cJSON_IsString(value) || !calendar_parse_duration(value->valuestring, &ms)) {
		text_raw(why,
			"must be a duration in quotes, such as \"500ms\", \"30s\", \"5m\", \"1h\" or \"2d\"");
		return false;
	}
	if (!in_range(field, (double)ms))
		return say_range(field, "be", why);
	*(int64_t *)at = ms;
	return true;
}

static bool print_duration(const void *at, struct text *out)
{
	text_char(out, '"');
	calendar_put_duration(out, *(const int64_t *)at);
	text_char(out, '"');
	return true;
}

/* ---- lists */

static void clear_strings(void *at)
{
	struct strings *list = at;

	for (size_t i = 0; i < list->n; i++)
		wipe_string(list->at[i]);
	free(list->at);
	*list = (struct strings){NULL, 0};
}

static bool strings_add(struct strings *list, const cJSON *item)
{
	if (!cJSON_IsString(item) || !item->valuestring[0])
		return false;
	list->at = mem_grow(list->at, list->n + 1, sizeof(list->at[0]));
	list->at[list->n++] = mem_str(item->valuestring);
	return true;
}

static bool read_strings(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	struct strings list = {NULL, 0};
	const cJSON *item, *array = cJSON_IsArray(value) ? value : NULL;
	bool good = cJSON_IsString(value) || array;

	if (cJSON_IsString(value))
		good = strings_add(&list, value);
	cJSON_ArrayForEach(item, array)
		good = good && strings_add(&list, item);
	if (!good) {
		text_raw(why, "must be a string or a list of strings, none of them empty");
	} else if (!in_range(field, (double)list.n) || (field->required && list.n == 0)) {
		good = false;
		if (limited(field))
			say_entries(field, why);
		else
			text_raw(why, "must not be empty");
	}
	if (good)
		*(struct strings *)at = list;
	else
		clear_strings(&list);
	return good;
}

static bool print_strings(const void *at, struct text *out)
{
	const struct strings *list = at;

	if (list->n == 0)
		return false;
	for (size_t i = 0; i < list->n; i++) {
		text_char(out, i ? ',' : '[');
		text_json_string(out, list->at[i]);
	}
	text_char(out, ']');
	return true;
}

static void clear_ints(void *at)
{
	struct ints *list = at;

	free(list->at);
	*list = (struct ints){NULL, 0};
}

static bool ints_add(const struct field *field, struct ints *list, const cJSON *item, struct text *why)
{
	int64_t number;
	bool good = field->type == FIELD_DURATIONS ? read_duration(field, item, &number, why)
						   : read_int(field, item, &number, why);

	if (!good)
		return false;
	list->at = mem_grow(list->at, list->n + 1, sizeof(list->at[0]));
	list->at[list->n++] = number;
	return true;
}

static bool read_ints(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	struct ints list = {NULL, 0};
	const cJSON *item, *array = cJSON_IsArray(value) ? value : NULL;
	bool single = field->type == FIELD_DURATIONS ? cJSON_IsString(value) : cJSON_IsNumber(value);
	bool good = single || array;

	if (!good)
		text_printf(why, "must be a list of %s",
			field->type == FIELD_DURATIONS ? "durations" : "whole numbers");
	if (single)
		good = ints_add(field, &list, value, why);
	cJSON_ArrayForEach(item, array)
		good = good && ints_add(field, &list, item, why);
	if (good)
		*(struct ints *)at = list;
	else
		clear_ints(&list);
	return good;
}

/* An empty list is written too: it may stand for "none" where the default is another. */
static bool print_ints(const void *at, struct text *out)
{
	const struct ints *list = at;

	text_char(out, '[');
	for (size_t i = 0; i < list->n; i++)
		text_printf(out, "%s%lld", i ? "," : "", (long long)list->at[i]);
	text_char(out, ']');
	return true;
}

static bool print_durations(const void *at, struct text *out)
{
	const struct ints *list = at;

	text_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		text_raw(out, i ? ",\"" : "\"");
		calendar_put_duration(out, list->at[i]);
		text_char(out, '"');
	}
	text_char(out, ']');
	return true;
}

static void clear_map(void *at)
{
	struct map *map = at;

	for (size_t i = 0; i < map->n; i++) {
		free(map->names[i]);
		wipe_string(map->values[i]);
	}
	free(map->names);
	free(map->values);
	*map = (struct map){NULL, NULL, 0};
}

static bool read_map(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	struct map map = {NULL, NULL, 0};
	const cJSON *item, *object = cJSON_IsObject(value) ? value : NULL;
	size_t n = object ? (size_t)cJSON_GetArraySize(object) : 0;
	bool good = object;

	map.names = mem_array(n + 1, sizeof(map.names[0]));
	map.values = mem_array(n + 1, sizeof(map.values[0]));
	cJSON_ArrayForEach(item, object) {
		if (!cJSON_IsString(item)) {
			good = false;
			break;
		}
		map.names[map.n] = mem_str(item->string);
		map.values[map.n++] = mem_str(item->valuestring);
	}
	if (!good)
		text_raw(why, "must be an object whose values are strings");
	else if (!in_range(field, (double)map.n))
		good = say_entries(field, why);
	if (good)
		*(struct map *)at = map;
	else
		clear_map(&map);
	return good;
}

static bool print_map(const void *at, struct text *out)
{
	const struct map *map = at;

	if (map->n == 0)
		return false;
	for (size_t i = 0; i < map->n; i++) {
		text_char(out, i ? ',' : '{');
		text_json_string(out, map->names[i]);
		text_char(out, ':');
		text_json_string(out, map->values[i]);
	}
	text_char(out, '}');
	return true;
}

/* ---- values kept as compact JSON */

static bool read_json(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	char *printed;

	(void)field;
	(void)why;
	printed = cJSON_PrintUnformatted(value);
	*(char **)at = mem_str(printed ? printed : "null");
	cJSON_free(printed);
	return true;
}

static bool print_json(const void *at, struct text *out)
{
	const char *json = *(char *const *)at;

	if (!json)
		return false;
	text_raw(out, json);
	return true;
}

bool field_fits(const struct field *field, const cJSON *value, struct text *why)
{
	bool object = cJSON_IsObject(value);

	if (field->type == FIELD_ENTRIES && (object || cJSON_IsArray(value) || cJSON_IsString(value)))
		return true;
	if (field->type != FIELD_ENTRIES && object)
		return true;
	text_raw(why, field->type == FIELD_ENTRIES ? "must be a list: [...]" : "must be an object: {...}");
	return false;
}

static bool read_inner(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	return field_fits(field, value, why) && read_json(field, value, at, why);
}

static const struct field_kind kinds[FIELD__COUNT] = {
	[FIELD_STRING] = {read_string, print_string, clear_string},
	[FIELD_SECRET] = {read_string, print_string, clear_secret},
	[FIELD_BOOL] = {read_bool, print_bool, NULL},
	[FIELD_INT] = {read_int, print_int, NULL},
	[FIELD_DURATION] = {read_duration, print_duration, NULL},
	[FIELD_CHOICE] = {read_choice, print_string, clear_string},
	[FIELD_URL] = {read_url, print_string, clear_secret},
	[FIELD_STRINGS] = {read_strings, print_strings, clear_strings},
	[FIELD_SECRETS] = {read_strings, print_strings, clear_strings},
	[FIELD_INTS] = {read_ints, print_ints, clear_ints},
	[FIELD_DURATIONS] = {read_ints, print_durations, clear_ints},
	[FIELD_MAP] = {read_map, print_map, clear_map},
	[FIELD_JSON] = {read_json, print_json, clear_secret},
	[FIELD_GROUP] = {read_inner, print_json, clear_secret},
	[FIELD_NAMED] = {read_inner, print_json, clear_secret},
	[FIELD_ENTRIES] = {read_inner, print_json, clear_secret},
};

/* ---- walking rows */

bool field_read(const struct field *field, const cJSON *value, void *at, struct text *why)
{
	if (!kinds[field->type].read(field, value, at, why))
		return false;
	if (field->valid && !field->valid(at, why)) {
		field_clear(field, at);
		return false;
	}
	return true;
}

void field_clear(const struct field *field, void *at)
{
	if (kinds[field->type].clear)
		kinds[field->type].clear(at);
}

const cJSON *field_entry(const cJSON *value, const cJSON *previous)
{
	if (!cJSON_IsArray(value))
		return previous ? NULL : value;
	return previous ? previous->next : value->child;
}

bool field_is_secret(const struct field *field)
{
	return field->secret || field->type == FIELD_SECRET || field->type == FIELD_SECRETS;
}

/* The default as a JSON value: numbers, booleans and lists as they are, everything else as a string. */
cJSON *field_fallback(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_INTS:
	case FIELD_DURATIONS:
	case FIELD_MAP:
	case FIELD_JSON:
	case FIELD_GROUP:
	case FIELD_NAMED:
	case FIELD_ENTRIES:
		return cJSON_Parse(field->fallback);
	case FIELD_STRINGS:
	case FIELD_SECRETS:
		return field->fallback[0] == '[' ? cJSON_Parse(field->fallback)
						 : cJSON_CreateString(field->fallback);
	default:
		return cJSON_CreateString(field->fallback);
	}
}

cJSON **fields_fallbacks(const struct field *fields, size_t n)
{
	cJSON **all = mem_array(n, sizeof(all[0]));

	for (size_t i = 0; i < n; i++)
		all[i] = fields[i].fallback ? field_fallback(&fields[i]) : NULL;
	return all;
}

static bool load_one(const struct field *field, const cJSON *value, void *at, struct error *err)
{
	struct text why = TEXT_INIT;
	bool good = true;

	if (value && !field_read(field, value, at, &why))
		good = error_set(err, ERROR_INPUT, "\"%s\": %s", field->name, text_str(&why));
	else if (!value && field->required)
		good = error_set(err, ERROR_INPUT, "\"%s\" is missing", field->name);
	text_free(&why);
	return good;
}

bool fields_load_fast(const struct field *fields, size_t n, const cJSON *object, const cJSON *secrets,
	cJSON *const *fallbacks, void *options, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, fields[i].name);

		if (!value && secrets)
			value = cJSON_GetObjectItemCaseSensitive(secrets, fields[i].name);
		if (!load_one(&fields[i], value ? value : fallbacks[i], (char *)options + fields[i].offset, err)) {
			fields_clear(fields, n, options);
			return false;
		}
	}
	return true;
}

bool fields_load_both(const struct field *fields, size_t n, const cJSON *object, const cJSON *secrets,
	void *options, struct error *err)
{
	cJSON **fallbacks = fields_fallbacks(fields, n);
	bool good = fields_load_fast(fields, n, object, secrets, fallbacks, options, err);

	for (size_t i = 0; i < n; i++)
		cJSON_Delete(fallbacks[i]);
	free(fallbacks);
	return good;
}

bool fields_load(const struct field *fields, size_t n, const cJSON *object, void *options, struct error *err)
{
	return fields_load_both(fields, n, object, NULL, options, err);
}

/* A number that was not given, has no default, and could not be zero if it were given. */
static bool is_unset(const struct field *field, const void *at)
{
	return (field->type == FIELD_INT || field->type == FIELD_DURATION) && !field->fallback && field->min > 0 &&
		*(const int64_t *)at == 0;
}

/* Is the printed value the row's default, which stands there without a string's quotes? */
static bool is_fallback(const struct field *field, const struct text *printed)
{
	const char *s = text_str(printed), *fallback = field->fallback;
	size_t n = fallback ? strlen(fallback) : 0;

	if (!fallback)
		return false;
	return strcmp(s, fallback) == 0 ||
		(printed->len == n + 2 && s[0] == '"' && strncmp(s + 1, fallback, n) == 0 && s[n + 1] == '"');
}

void fields_print(const struct field *fields, size_t n, const void *options, struct text *out)
{
	bool first = true;

	text_char(out, '{');
	for (size_t i = 0; i < n; i++) {
		const void *at = (const char *)options + fields[i].offset;
		struct text value = TEXT_INIT;

		if (field_is_secret(&fields[i]) || is_unset(&fields[i], at) || !kinds[fields[i].type].print(at, &value) ||
			(!fields[i].shown && is_fallback(&fields[i], &value))) {
			text_free(&value);
			continue;
		}
		if (!first)
			text_char(out, ',');
		first = false;
		text_json_string(out, fields[i].name);
		text_char(out, ':');
		text_rawn(out, text_str(&value), value.len);
		text_free(&value);
	}
	text_char(out, '}');
}

void fields_clear(const struct field *fields, size_t n, void *options)
{
	for (size_t i = 0; i < n; i++)
		field_clear(&fields[i], (char *)options + fields[i].offset);
}

const struct field *fields_find(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}
