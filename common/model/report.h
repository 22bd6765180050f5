/* SPDX-License-Identifier: ISC */
/*
 * report: one monitor as programs are told of it. `upbeat-prober status --json` and `/api/v1/monitors` print
 * the same object, so it is printed here:
 *
 *	{"slug":"shop","name":"Shop","type":"http","group":"Web","state":"up","since":1777600000,"cause":null,
 *	 "checked":1777600042.5,"response_ms":123.4,"incident":null}
 *
 * An incident, in `status MONITOR --json` and `/api/v1/incidents`, likewise.
 *
 * Times are seconds since 1970; what there is none of is null. The caller decides beforehand what state to
 * show (stale data is unknown) and what the asker may know.
 */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include <stdint.h>

#include "base/text.h"
#include "model/incident.h"
#include "model/monitor.h"

struct report {
	const char *slug, *name, *type;
	const char *group;        /* NULL or "": none */
	enum monitor_state state; /* as it is to be shown */
	int64_t since_us;         /* of that state; 0 none */
	const char *cause;        /* NULL or "": none */
	int64_t checked_us;       /* newest result; 0 none */
	int64_t response_us;      /* newest response time; 0 or less: none */
	uint32_t incident;        /* open one; 0 none */
};

/* The object without its closing brace, so that a caller may add members of its own; then "}". */
void report_open(struct text *t, const struct report *report);
/* The whole object. */
void report_put(struct text *t, const struct report *report);

/* An incident without its closing brace. Not `all`: nothing that only people of the house may see. */
void report_incident_open(struct text *t, const struct incident *incident, const char *slug, const char *name, bool all);
/* One of its entries. */
void report_entry(struct text *t, const struct incident_entry *entry, bool all);

/* The pieces of it, for other objects of the same style: a JSON value or null. */
void report_time(struct text *t, int64_t us);         /* seconds; 0: null */
void report_ms(struct text *t, int64_t us);           /* milliseconds; 0 or less: null */
void report_string(struct text *t, const char *s);    /* NULL or "": null */
void report_number(struct text *t, uint64_t number);  /* 0: null */

#endif
