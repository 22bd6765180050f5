/* SPDX-License-Identifier: ISC */
/*
 * status: what `upbeat-prober status` has read, shared by the files that print it.
 */
#ifndef PROBER_STATUS_H
#define PROBER_STATUS_H

#include "base/calendar.h"
#include "base/text.h"
#include "model/report.h"
#include "store/state.h"

struct status {
	struct text *out;
	bool colour;
	const char *only;      /* slug of the one monitor that is asked for, or NULL */
	struct state *state;
	struct state_txn *txn;
	struct site site;
	struct pass_info pass;
	bool fresh;            /* passes come as often as they should */
	bool ever;             /* there was one */
	int64_t now_us;
	struct problem *problems;
	size_t problem_count, errors;
	struct row *rows;
	size_t row_count;
	const struct zone *zone; /* times are printed in it */
	size_t printed;
};

/* One monitor as it is to be shown. */
struct shown {
	enum monitor_state state;
	unsigned marks;
	int64_t since_us, checked_us, response_us;
	uint32_t incident;
};

void status_put_state(const struct status *s, enum monitor_state state);
void status_put_time(const struct status *s, int64_t us);

/* The incidents of a monitor: the open one, or the newest, with all its evidence; older ones as a line. */
bool status_incidents(struct status *s, uint32_t monitor_id, struct error *err);
/* The newest ones, each with all its evidence: a member "incidents" of the object that is being printed. */
bool status_incidents_json(struct status *s, const struct monitor *m, struct error *err);

#endif
