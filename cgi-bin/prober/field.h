/* SPDX-License-Identifier: ISC */
/*
 * field: one row per configuration key. Parsing, error texts, the JSON schema, the man page's tables and the
 * API all walk these rows; a new key is a new row and nothing else.
 *
 * A row says where its value goes (an offset into the options struct of its owner). Strings and lists are
 * owned by that struct and freed by fields_clear().
 *
 * Calls: fields_load, fields_print, fields_clear; field_read for one value; fields_find, field_nearest.
 */
#ifndef PROBER_FIELD_H
#define PROBER_FIELD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum field_type {
	FIELD_STRING,   /* char * */
	FIELD_SECRET,   /* char *; "file:..." and "env:..." are resolved; never published nor shown */
	FIELD_BOOL,     /* bool */
	FIELD_INT,      /* int64_t */
	FIELD_DURATION, /* int64_t, milliseconds */
	FIELD_CHOICE,   /* char *, one of `choices` */
	FIELD_URL,      /* char *, http or https with a host */
	FIELD_STRINGS,  /* struct strings: a list of strings; one string is a list of one */
	FIELD_SECRETS,  /* struct strings of secrets */
	FIELD_INTS,     /* struct ints */
	FIELD_DURATIONS,/* struct ints, milliseconds; one duration is a list of one */
	FIELD_MAP,      /* struct map: an object of strings (headers) */
	FIELD_JSON,     /* char *: any JSON value, checked by the row's `valid`, kept as compact text */
	/* Values with rows of their own (`inner`), kept as compact text like FIELD_JSON: */
	FIELD_GROUP,    /* an object with these keys */
	FIELD_NAMED,    /* an object whose every member is an object with these keys */
	FIELD_ENTRIES,  /* a list whose entries are strings or objects with these keys; one is a list of one */
	FIELD__COUNT
};

struct strings {
	char **at;
	size_t n;
};
struct ints {
	int64_t *at;
	size_t n;
};
struct map {
	char **names, **values;
	size_t n;
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;           /* offsetof(struct ..._options, ...) */
	/* The default as it would be written in the file, but strings (durations, choices, URLs) without
	   their quotes: "30s", "5", "true", "[21,7,1]". NULL: unset (zero). */
	const char *fallback;
	bool required;           /* must be given, and a string must not be empty */
	bool secret;             /* a value of another type that must not be published (auth) */
	bool shown;              /* published also when it is the default: others than its owner read it */
	double min, max;         /* of INT, each of INTS, DURATION and each of DURATIONS (ms), lengths of other
	                            lists; 0 0: no limit */
	const char *const *choices; /* NULL-terminated, of CHOICE */
	const char *help;        /* one sentence for the man page and the schema */
	/* A further check of the parsed value; `value` points to where it is kept (char **, int64_t *,
	   struct strings *, ...). On false `why` says what is wrong, to follow the key: must be ...
	   May be NULL. */
	bool (*valid)(const void *value, struct text *why);
	const struct field *inner; /* of GROUP, NAMED, ENTRIES */
	size_t inner_count;
};

/* Reads one value into `at` (zeroed); secrets are taken as they stand. On false `why` says what it must be,
   and nothing is kept. */
bool field_read(const struct field *field, const cJSON *value, void *at, struct text *why);
/* Looks only at the outer shape of a GROUP, NAMED or ENTRIES value. */
bool field_fits(const struct field *field, const cJSON *value, struct text *why);
void field_clear(const struct field *field, void *at);
/* The row's default as a value (the caller deletes it); it must have one. */
cJSON *field_fallback(const struct field *field);
/* The entries of a FIELD_ENTRIES value in turn: NULL gives the first; NULL when there is no other. */
const cJSON *field_entry(const cJSON *value, const cJSON *previous);
/* True for rows whose strings may be "file:..." or "env:..." and are never published. */
bool field_is_secret(const struct field *field);

/* Fills options (zeroed by the caller) from a JSON object whose values were already validated, or from the
   fallbacks where a key is absent. false: err names the key. For what config.c has checked and published. */
bool fields_load(const struct field *fields, size_t n, const cJSON *object, void *options, struct error *err);
/* The same from two objects: the published part, and the secrets kept beside it (may be NULL). */
bool fields_load_both(const struct field *fields, size_t n, const cJSON *object, const cJSON *secrets,
	void *options, struct error *err);
/* The same with the defaults parsed beforehand, as many as there are rows (NULL: no default): for who loads
   thousands of times. */
bool fields_load_fast(const struct field *fields, size_t n, const cJSON *object, const cJSON *secrets,
	cJSON *const *fallbacks, void *options, struct error *err);
/* The defaults of the rows, parsed; the caller deletes each and frees the array. */
cJSON **fields_fallbacks(const struct field *fields, size_t n);
/* The non-secret fields that differ from their defaults (or are `shown`) as one compact JSON object, for
   publishing: what is not there is not read again for each look. */
void fields_print(const struct field *fields, size_t n, const void *options, struct text *out);
void fields_clear(const struct field *fields, size_t n, void *options);
/* The row of this name, or NULL. */
const struct field *fields_find(const struct field *fields, size_t n, const char *name);

/* http or https, a host, a port in range, no blanks or control characters, no user name and password. */
bool field_url_valid(const char *url, struct text *why);

#endif
