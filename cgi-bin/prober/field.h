/* SPDX-License-Identifier: ISC */
/*
 * field: one row per configuration key. Parsing, error texts, the JSON schema, the man page's tables and the
 * API all walk these rows; a new key is a new row and nothing else.
 *
 * A row says where its value goes (an offset into the options struct of its owner). Strings and lists are
 * owned by that struct and freed by fields_clear().
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
	FIELD_MAP,      /* struct map: an object of strings (headers) */
	FIELD_JSON,     /* char *: any JSON value, checked by the row's `check`, kept as compact text */
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
	const char *fallback;    /* default, as it would be written in the file; NULL: unset (zero) */
	bool required;
	bool secret;             /* a value of another type that must not be published (auth) */
	double min, max;         /* of INT, DURATION (ms), list lengths; both 0: no limit */
	const char *const *choices; /* NULL-terminated, of CHOICE */
	const char *help;        /* one sentence for the man page and the schema */
	/* A further check of the parsed value; on false `why` says what is wrong. May be NULL. */
	bool (*check)(const void *value, struct text *why);
};

/* Fills options (zeroed by the caller) from a JSON object whose values were already validated, or from the
   fallbacks where a key is absent. false: err names the key. For what config.c has checked and published. */
bool fields_load(const struct field *fields, size_t n, const cJSON *object, void *options, struct error *err);
/* The non-secret fields as one compact JSON object, for publishing. */
void fields_print(const struct field *fields, size_t n, const void *options, struct text *out);
void fields_clear(const struct field *fields, size_t n, void *options);

#endif
