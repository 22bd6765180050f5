/* SPDX-License-Identifier: ISC */
/*
 * heartbeat: the keys of a heartbeat, and how fresh it is by the web program's book.
 */
#ifndef PROBER_HEARTBEAT_H
#define PROBER_HEARTBEAT_H

#include "model/beat.h"
#include "prober/check/check.h"

struct heartbeat_options {
	struct strings secret;
	char *signature;    /* "any" or "sha256" */
	char *token;
	int64_t max_age_ms; /* 0: not given */
	char *schedule;     /* cron expression, or NULL */
	int64_t grace_ms;
	char *timezone;     /* or NULL: the site's */
	int64_t window_ms;
};

#define HEARTBEAT_MAX_AGE_MS INT64_C(300000) /* when neither max_age nor schedule is given */
#define HEARTBEAT_GRACE_MS INT64_C(300000)   /* of a schedule, when none is given */

/* What is published for the web program; site_timezone is used when the monitor names none. The caller clears
   *out. */
void heartbeat_rules_make(const struct heartbeat_options *options, const char *site_timezone,
	struct heartbeat_rules *out);

/* Its age now, and the exit status of its newest run (-1 unknown). */
bool heartbeat_look(struct inbox *inbox, const struct monitor *monitor, int64_t grace_from_us,
	const struct moment *now, struct beat_age *age, int *exit_status, struct error *err);

#endif
