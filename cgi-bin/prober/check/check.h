/* SPDX-License-Identifier: ISC */
/*
 * check: one look at one target. Each monitor type is one file with one `struct check_type`, and one line
 * of checks.def:
 *
 *	CHECK(http)
 *
 * which declares `extern const struct check_type check_http` and puts it into the table. The smallest real
 * one, check_port.c, is the worked example.
 */
#ifndef PROBER_CHECK_H
#define PROBER_CHECK_H

#include "model/monitor.h"
#include "model/result.h"
#include "prober/field.h"
#include "prober/net/loop.h"
#include "store/inbox.h"

struct check_type;
struct peer_head;

/* A running check. Made by check_start(), freed after its done() returned or by check_cancel(). Its deadline,
   monitor->timeout_ms after it was dispatched, is kept here for all types: then it is down, "timed out
   after 10 s", whatever it was waiting for. */
struct check {
	const struct check_type *type;
	const struct monitor *monitor; /* outlives the check */
	const void *options;           /* the type's own struct, loaded from monitor->options and the secrets */
	struct loop *loop;
	struct check_world *world;
	int64_t started_us;            /* monotonic, when dispatched: its clock starts here */
	int64_t stalled_us;            /* how long the loop had stalled until then */
	struct result result;          /* filled in by the type; outcome unknown, timings -1 at first */
	void *own;                     /* the type's state */
	void (*done)(struct check *check, void *arg); /* result is complete; called once, not from check_start */
	void *arg;
	struct loop_timer *timer;      /* private: the deadline, then the telling */
	bool finished;                 /* check_finish() was called; for types to read */
	bool ended;                    /* private */
};

/* What checks may look at beside their target. */
struct check_world {
	struct inbox *inbox;           /* heartbeats; NULL: no beats yet */
	const char *inbox_problem;     /* why inbox is NULL, or NULL */
	int64_t grace_from_us;         /* of the look that begins: deadlines of heartbeats count from here at
	                                  the earliest */
	bool web_failing;              /* self_check fails: heartbeats are unknown */
	const char *ca_bundle;         /* path; NULL: none was found */
	/* What is known of a peer; false: it never wrote. NULL: no pass is running that could know. */
	bool (*peer_head)(void *arg, const char *name, struct peer_head *head);
	void *peer_arg;
};

struct check_type {
	const char *name;              /* as in "type" */
	const char *help;              /* one sentence for the man page */
	const struct field *fields;    /* its own keys */
	size_t field_count;
	size_t options_size;
	/* Further checks over all fields together; appends what is wrong to `why`. May be NULL. */
	bool (*validate)(const void *options, struct text *why);
	/* Begins the look; check_finish() may be called at any time from now on, also from within start. */
	void (*start)(struct check *check);
	/* The deadline has passed and the result already says so; may fill in more, or say better. May be NULL. */
	void (*expire)(struct check *check);
	/* Releases check->own and everything on the loop; called once, after expire or before the check is freed. */
	void (*end)(struct check *check);
	bool passive;                  /* waits for the monitored program (heartbeat): judged at its deadline */
};

/* All types in the order of checks.def; NULL-terminated. */
extern const struct check_type *const check_types[];
const struct check_type *check_type_by_name(const char *name);

/* An option as it was published, or its default; NULL: it has none. The caller deletes it. */
cJSON *check_option(const struct monitor *monitor, const char *name);

/* Starts a look. `secrets` is the monitor's object in the privates, or NULL. NULL with err on options that
   cannot be loaded. monitor and world must outlive the check. */
struct check *check_start(struct loop *loop, struct check_world *world, const struct monitor *monitor,
	const cJSON *secrets, void (*done)(struct check *check, void *arg), void *arg, struct error *err);
/* For types: the result is complete. Sets total_us (when still -1) and lagged, and calls done on the next
   turn. Later calls count for nothing. */
void check_finish(struct check *check);
/* For types: milliseconds until the deadline, at least 1. */
int64_t check_left_ms(const struct check *check);
/* Ends it without done. NULL is fine; not after done was called. */
void check_cancel(struct check *check);

#endif
