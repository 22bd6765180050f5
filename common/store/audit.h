/* SPDX-License-Identifier: ISC */
/*
 * audit: reads everything in a book and checks what must hold between its records: indexes against what they
 * index, counters against what was numbered by them, and, as far as one store shows them, the promises I1-I6
 * of the fault tests (docs/reliability.md). For `upbeat-prober doctor --verify`.
 *
 *	struct audit audit = {.say = print_line, .arg = ...};
 *	if (!state_audit(state, &audit, &err)) ...	(it could not even be read)
 *	audit.damaged || audit.broken			(something does not hold; each was said)
 *
 * A damaged file may end the process that reads it (SIGBUS, SIGSEGV, an assertion of LMDB): who does not know
 * that the book is good audits it in a child.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct state;
struct inbox;

struct audit {
	/* One sentence for each thing that does not hold; valid during the call only. Of very many only the
	   first AUDIT_SAID are said. */
	void (*say)(void *arg, const char *what);
	void *arg;
	uint64_t records;            /* that were read and hold */
	uint64_t damaged;            /* records and tables that do not */
	uint64_t broken;             /* promises between records that do not */
	uint64_t torn;               /* of these: indexes and what they index, which one commit writes together: damage */
	uint64_t beats, queued;      /* inbox: heartbeats that beat, entries of the queue */
	uint64_t monitors;           /* state: configured ones */
	uint64_t incidents, open;    /* all there were, those that last */
	uint64_t notices, waiting;   /* in the outbox, not yet sent */
	uint64_t rollups;            /* hours and days summed up */
};
#define AUDIT_SAID 20

/* false: it could not be begun. What was found is in *audit. */
bool state_audit(struct state *state, struct audit *audit, struct error *err);
bool inbox_audit(struct inbox *inbox, struct audit *audit, struct error *err);

#endif
