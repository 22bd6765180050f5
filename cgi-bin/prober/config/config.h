/* SPDX-License-Identifier: ISC */
/*
 * config: upbeat.json -> checked configuration -> published into the state.
 *
 * Reading reports every problem in one run, each as FILE:LINE:COL: message with the nearest valid name.
 * A configuration with an error is never published: the last good one keeps running, and the problems are
 * told (dashboard, exit status, and through the last good channels).
 *
 * Channel secrets never enter a book; privates.h says where they are kept.
 */
#ifndef PROBER_CONFIG_H
#define PROBER_CONFIG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/state.h"

struct config {
	char *path;            /* the main file */
	char *store;           /* directory; always set, even when the file is too broken to parse */
	bool usable;           /* no errors (warnings are allowed) */
	struct publication publication;
	cJSON *privates;       /* what goes to private/<fingerprint>.json */
	struct problem *problems;
	size_t problem_count, error_count;
	char **files;          /* every file it was read from: includes, file: secrets */
	size_t file_count;
};

/* $UPBEAT_CONFIG, or upbeat.json in the portable folder that we lie in, or /etc/upbeat/upbeat.json, unless -c
   gave one. Never NULL; the caller frees. */
char *config_path(const char *given);
/* The store's directory that this configuration file names, read as far as needed and no further; from before
   the mistake in a broken file, else $UPBEAT_STORE, else /var/lib/upbeat. Absolute (a relative one counts from
   the file). Never NULL; the caller frees. */
char *config_store(const char *path);
/* Reads and checks everything; never fails: problems are in the result. */
void config_read(struct config *config, const char *path);
void config_free(struct config *config);
/* Prints the problems, one line each, as FILE:LINE:COL: [warning: ]message. */
void problem_print(const struct problem *problem, struct text *out);
void config_print_problems(const struct config *config, struct text *out);
/* The configuration as one file without secrets. false: it cannot be read, and out has the problems. */
bool config_print_shown(const char *path, struct text *out);
/* The JSON schema of the file, made from the rows. */
void config_print_schema(struct text *out);
/* The tables of upbeat.json(5), made from the rows. */
void config_print_man(struct text *out);

/* At the start of a pass: has any file changed (name, size, mtime, inode) since the newest reading that the
   state knows of? If so reads again and publishes when good; keeps the problems in any case. One
   transaction. */
struct config_news {
	bool ok;           /* the file as it stands is good */
	bool changed;      /* another configuration was published */
	unsigned programs; /* PROGRAM_...: what the published one may execute */
};
bool config_refresh(
	struct state *state, const char *path, const char *store, struct config_news *news, struct error *err);

/* ---- programs.c: the programs of the system that a configuration may execute */

enum { PROGRAM_PING = 1, PROGRAM_SENDMAIL = 2 };
unsigned config_programs(const struct config *config);
/* Those of them that this host needs: where we may open ICMP sockets, no ping. */
unsigned config_programs_here(unsigned programs);
/* Starts their launcher (launch.h), if one is needed, for what the file at `path` names. To be called before the
   walls are raised. Without it the walls stand all the same, and what needs a program fails and is tried again.
   state: whose last good configuration helps where the file is broken; or NULL. */
void config_launch(const char *path, unsigned programs, struct state *state, const char *store);

#endif
