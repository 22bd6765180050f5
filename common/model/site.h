/* SPDX-License-Identifier: ISC */
/*
 * site: what the web program must know beside the monitors: names, who may see what, keys. Published by
 * the prober into the state with the monitors, in the same transaction.
 */
#ifndef MODEL_SITE_H
#define MODEL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sign.h"
#include "model/words.h"

enum anonymous { ANONYMOUS_PUBLIC = 0, ANONYMOUS_ALL, ANONYMOUS_NONE };

/* Only the hash of a key is published. */
struct api_key {
	char *name;
	uint8_t hash[SHA256_BYTES]; /* SHA-256 of the key */
	bool may_write;
	bool may_ping; /* "may": "ping": only /ping/KEY/SLUG, for the clients of healthchecks.io */
	bool may_hook; /* "may": "hook": only /hook/SERVICE/KEY, for the webhooks of third parties */
};

struct peer_key {
	char *name;
	char *url;
	char *secret; /* the web program verifies POST /peer/NAME with it */
};

/* A channel as people may see it: no field of it but these. */
struct channel_label {
	char *name;
	char *type;
};

/* One mistake of the configuration; also shown on the dashboard to those who may see it. */
struct problem {
	char *file;
	unsigned line, column; /* 0: not known */
	char *text;
	bool warning;
};

struct site {
	char *title;
	char *url;       /* as configured, or NULL */
	char *logo;      /* path on the host of the pages, "/..."; NULL: ours */
	enum language language;
	char *timezone;
	enum anonymous anonymous;
	char **operators;      /* none: every person may act */
	size_t operator_count;
	struct api_key *keys;
	size_t key_count;
	char *me;        /* how the peers call this one; NULL without peers */
	struct peer_key *peer_keys;
	size_t peer_count;
	struct channel_label *channels;
	size_t channel_count;
	char **maintenance;    /* windows for all monitors */
	size_t maintenance_count;
	int64_t retain_samples_s, retain_timings_s, retain_hours_s; /* days are kept for ever */
	uint64_t monitors;     /* how many are configured */
	uint64_t generation;   /* counts publications */
};
void site_clear(struct site *site);
void problem_clear(struct problem *problem);

/* What the last passes were like. */
struct pass_info {
	int64_t started_us, finished_us; /* wall clock of the newest pass; finished_us 0 while it runs */
	int64_t progress_us;             /* newest commit of a running pass: freshness counts from it */
	int64_t cadence_us;              /* measured distance between passes, 0 not known yet */
	int64_t grace_from_us;           /* heartbeats get fresh grace from here (our own outage ended) */
	int64_t blind_since_us;          /* we have been offline since; 0 not */
	bool web_failing;                /* self_check: our own web side does not answer */
	bool config_ok;
	uint64_t passes;                 /* finished since ever */
	uint64_t boot_id;
	int64_t boot_us;                 /* boot clock at started_us: tells clock steps from gaps */
	uint64_t checked, failed;        /* of the newest pass */
};

#endif
