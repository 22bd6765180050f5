/* SPDX-License-Identifier: ISC */
/*
 * reading: what these files share while upbeat.json is being read. Nobody else includes it.
 *
 * A reading goes through these steps, each in its file:
 *
 *	source.c    a file's bytes -> guarded by json_scan -> a cJSON tree
 *	places.c    where each of its values stands
 *	include.c   the files of "include", merged into the one tree
 *	fields.c    objects against rows: unknown keys, types, ranges, secrets from file: and env:
 *	secret.c    those secrets, and who may read the files that hold them
 *	site.c      everything at the top but the monitors
 *	peers.c     peers, and the monitors that watch them
 *	monitors.c  monitors with their defaults -> struct monitor
 *	window.c    maintenance windows
 *	cross.c     what concerns several monitors: dependencies, equal secrets and tokens
 *	problems.c  the mistakes, sorted, with line and column
 *	config.c    the story of it
 *	publish.c   from there into the state
 */
#ifndef PROBER_CONFIG_READING_H
#define PROBER_CONFIG_READING_H

#include <sys/stat.h>

#include "prober/check/check.h"
#include "prober/config/config.h"
#include "prober/notify/channel.h"

#define STORE_DEFAULT "/var/lib/upbeat"
#define SOURCE_BYTES_MAX (16u << 20)
#define SECRET_BYTES_MAX (64u << 10)

struct source {
	char *path;
	struct text text;
	cJSON *tree;          /* NULL when it could not be parsed, and once it was merged */
	struct stat stat;     /* from before it was read */
	const cJSON *secret;  /* the first secret that stands in this file itself, or NULL */
};

/* Where a value stands, found by the address of its cJSON node: merging moves nodes but keeps them. */
struct place {
	const cJSON *node;
	uint32_t source, key_at, value_at; /* byte offsets; key_at is value_at where there is no key */
	bool doubled;                      /* its key stood in this object before */
	bool resolved;                     /* a secret that was replaced by what file: or env: gave */
	bool failed;                       /* a mistake was found in it */
};

struct mistake {
	uint32_t source, at;
	bool warning;
	char *text;
};

/* A named piece of a sorted index. */
struct named {
	const char *name;
	const cJSON *node;
	size_t index;
};

struct reading {
	struct config *config;
	char *dir;                 /* of the main file: what relative paths count from */
	struct source *sources;    /* [0] is the main file */
	size_t source_count;
	struct place *places;      /* open addressing; place_room is a power of two */
	size_t place_count, place_room;
	struct mistake *mistakes;
	size_t mistake_count, mistake_room;
	size_t error_count;
	cJSON *root;               /* the merged tree */
	bool incomplete;           /* a file could not be read: what seems not to exist may stand there */
	cJSON *defaults;           /* its "defaults", or NULL */
	struct named *channels;    /* sorted by name */
	size_t channel_count;
};

/* Rows that count together for one object: those of every monitor and those of its type. */
struct rows {
	const struct field *fields;
	size_t n;
};

/* ---- config.c */

/* Reads the main file and what it includes into the one tree, and judges none of it; r has its config and is
   else empty. false: what is wrong with the files themselves was reported. */
bool reading_files(struct reading *r, const char *path);
/* Wipes and releases what was read; the config stays. */
void reading_end(struct reading *r);

/* ---- source.c */

/* Reads, guards and parses a file; its index in sources, or -1 after reporting at `from` (NULL: at the
   file's own beginning). The tree is the caller's through sources[]. */
int source_read(struct reading *r, const char *path, const cJSON *from);
/* Remembers that the result depends on this file, directory or "env:NAME". */
void reading_depends(struct reading *r, const char *path);

/* ---- places.c */

/* NULL: none was put for it. */
struct place *place_of(const struct reading *r, const cJSON *node);
/* Room for that many more, then one after the other: spot with the node that stands there. */
void places_reserve(struct reading *r, size_t more);
const struct place *place_put(struct reading *r, const cJSON *node, const struct place *spot);

/* ---- problems.c */

enum where { AT_KEY, AT_VALUE };
/* A mistake at a node, or a warning. Control characters in the text come out as '?'. */
void mistake_at(struct reading *r, const cJSON *node, enum where where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void warning_at(struct reading *r, const cJSON *node, enum where where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A mistake at a byte of a file. */
void mistake_in(struct reading *r, size_t source, size_t at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Sorts, drops repetitions, finds lines and columns: fills in config->problems. */
void problems_finish(struct reading *r);

/* ---- include.c */
void include_merge(struct reading *r);

/* ---- export.c */
void reading_print_shown(struct reading *r, struct text *out);

/* ---- fields.c */

/* Checks an object's members against rows: `what` ("monitor \"shop\"", "" at the top) opens the texts.
   `others` (may be NULL) holds values for keys that are not in the object itself. */
void object_check(struct reading *r, const cJSON *object, const cJSON *others, const struct rows *rows,
	size_t row_sets, const char *what);
/* One value against its row; resolves its secrets. */
bool value_check(struct reading *r, const struct field *field, cJSON *value, const char *what);
void unknown_key(struct reading *r, const cJSON *item, const char *nearest, const char *what);
/* The nearest of the rows' names, or NULL. */
const char *rows_nearest(const struct rows *rows, size_t row_sets, const char *name);

/* ---- secret.c */

/* Replaces "file:..." and "env:..." in every string of a value by what they name. false: reported. */
bool secret_resolve(struct reading *r, const struct field *field, cJSON *value, const char *what);
/* Files which hold a secret themselves and which others can read. */
void secret_check_sources(struct reading *r);

/* ---- site.c: top, channels, keys, peers */
void site_check(struct reading *r);
/* What is published and kept of them; to be called when there are no errors. */
void site_build(struct reading *r);
/* Adds a mistake at `node` when there is no such channel. */
void channel_must_exist(struct reading *r, const cJSON *node, const char *name);

/* ---- peers.c */
/* Names, secrets, and what monitors say of places; adds a monitor for each peer that has none. Before
   monitors_check(). */
void peers_check(struct reading *r);

/* ---- monitors.c */
/* Checks all monitors and builds config->publication.monitors and their part of config->privates. */
void monitors_check(struct reading *r);

/* ---- window.c: a "maintenance" value (NULL: none), and the texts that are published of it */
void windows_check(struct reading *r, const cJSON *value);
char **windows_build(const cJSON *value, size_t *n);

/* ---- cross.c: what concerns several monitors */
void cross_check(struct reading *r);

/* An index by name. */
struct named *named_index(const cJSON *object, size_t *n);
void named_sort(struct named *index, size_t n);
const struct named *named_find(const struct named *index, size_t n, const char *name);
/* The nearest name, or NULL; NULL too when there were many mistakes already: with 10,000 names it takes long. */
const char *named_nearest(const struct reading *r, const struct named *index, size_t n, const char *name);

/* ---- rows.c: the rows of everything that is no check's and no channel's */

extern const struct rows top_rows, monitor_rows, channel_rows;
extern const struct rows notify_rows, window_rows, api_key_rows, peer_rows, retention_rows, limit_rows;

struct top_options {
	char *schema, *store, *url, *title, *logo, *language, *timezone, *anonymous, *report_to, *me;
	int64_t peer_every_ms, peer_wait_ms;
	struct strings operators, witnesses, include;
	bool self_check;
	char *channels, *defaults, *monitors, *peers, *maintenance, *api_keys, *retention, *limits;
};
struct monitor_options {
	char *type, *name, *group, *runbook;
	struct strings tags, depends_on, places;
	bool is_public, paused;
	int64_t interval_ms, timeout_ms, confirm, recover, recover_wait_ms, slow_ms, quorum;
	struct ints confirm_waits_ms;
	char *notify, *maintenance, *sources;
};
struct notify_options {
	char *channel, *hours;
	int64_t after_ms, repeat_ms;
	struct strings events;
};
struct api_key_options {
	char *key, *may;
};
struct window_options {
	char *when, *from, *to, *length, *cron, *days, *hours, *timezone;
};
struct peer_options {
	char *url, *secret;
};
struct limit_options {
	int64_t active, open;
};
struct retention_options {
	int64_t samples_ms, timings_ms, hours_ms;
};

#endif
