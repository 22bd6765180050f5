/* SPDX-License-Identifier: ISC */
/*
 * import: another service's export becomes a fragment of upbeat.json, and a list of what has no equal here.
 * Each kind is one function and one row in cmd_import.c.
 */
#ifndef PROBER_IMPORT_H
#define PROBER_IMPORT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct import {
	cJSON *channels, *monitors; /* of the fragment */
	struct text lost;           /* one line for each thing that has no equal */
	size_t lost_count, found;   /* lines; monitors that the export has */
};

/* Notes what is not carried over. */
void import_lost(struct import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A value as it is shown to people: its JSON, not too much of it; the caller frees. */
char *import_shown(const cJSON *value);
/* A free slug made of a name, or "m" and the id when the name has nothing to make one of; the caller
   frees. */
char *import_slug(const struct import *import, const char *name, const char *id);

/* Takes out, and tells, what upbeat.json would refuse. */
void import_check(struct import *import);

/* A saved answer of UptimeRobot's API v2, getMonitors, or an array of several. */
bool import_uptimerobot(struct import *import, const cJSON *file, struct error *err);

#endif
