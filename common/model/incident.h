/* SPDX-License-Identifier: ISC */
/*
 * incident: one outage from its first bad result to recovery, with everything that a person needs to
 * answer "what happened, and why was I (not) told?".
 */
#ifndef MODEL_INCIDENT_H
#define MODEL_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/monitor.h"
#include "model/result.h"

/* Later ones only count. The last RESERVED are for other things than looks and deliveries, which are many
   and say least: decisions and what people wrote must not be crowded out of a long outage. */
#define INCIDENT_ENTRIES_MAX 200
#define INCIDENT_ENTRIES_RESERVED 50

enum incident_entry_kind {
	ENTRY_ATTEMPT = 0,  /* a look at the target: result fields */
	ENTRY_DECIDED,      /* text: the new state's name */
	ENTRY_HELD,         /* a notice was held back: text is the rule's key, who the channel or "" */
	ENTRY_QUEUED,       /* a notice was put into the outbox: who the channel, text the event */
	ENTRY_DELIVERY,     /* one delivery attempt: who the channel, text the service's answer */
	ENTRY_ACKNOWLEDGED, /* who; text a comment or "" */
	ENTRY_NOTE,         /* who; text; status 1 when public */
	ENTRY__COUNT
};

struct incident_entry {
	int64_t at_us;
	enum incident_entry_kind kind;
	enum outcome outcome;     /* of attempts; of deliveries: UP delivered, DOWN failed, UNKNOWN retried */
	int status;               /* HTTP status of attempt or delivery, or 0 */
	int64_t length_us;        /* how long it took, -1 none */
	struct timings timings;   /* of attempts */
	char *who;                /* or NULL */
	char *text;               /* cause, answer, note; or NULL */
	char *address;            /* of attempts, or NULL */
	char *headers;            /* of bad attempts, or NULL */
	char *body;               /* of bad attempts, NUL-terminated printable excerpt, or NULL */
};

struct incident {
	uint32_t id;
	uint32_t monitor_id;
	char *monitor;            /* slug when it began */
	enum monitor_state state; /* down or unknown */
	int64_t started_us;       /* first bad result */
	int64_t decided_us;       /* when it was confirmed */
	int64_t ended_us;         /* 0 while it lasts */
	int64_t acknowledged_us;  /* 0 not */
	char *acknowledged_by;    /* or NULL */
	char *cause;              /* of the decision, for people */
	char **told;              /* channels whose DOWN was put into the outbox: whom recovery goes to */
	size_t told_count;
	uint64_t entries_dropped;
	uint64_t episode;         /* how those who watch with us count this outage; 0 nobody does */
	struct incident_entry *entries; /* oldest first */
	size_t entry_count;
};

void incident_clear(struct incident *incident);
/* Appends a zeroed entry (timings -1) and returns it to be filled in, or counts it as dropped and
   returns NULL. The pointer is valid until the next call. */
struct incident_entry *incident_add(struct incident *incident, enum incident_entry_kind kind, int64_t at_us);
bool incident_told(const struct incident *incident, const char *channel);
void incident_tell(struct incident *incident, const char *channel);

#endif
