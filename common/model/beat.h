/* SPDX-License-Identifier: ISC */
/*
 * beat: the rules of heartbeats, without any I/O.
 *
 * Two times are kept. `last_time_us`, the client's own, is only for refusing replays. `received`, ours,
 * is only for lateness. Neither is ever used for the other's purpose, so a client whose clock is wrong
 * can at worst be refused, never be shown as late or fresh by mistake.
 */
#ifndef MODEL_BEAT_H
#define MODEL_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/monitor.h"

enum beat_kind {
	BEAT_SUCCESS = 0,
	BEAT_START,
	BEAT_FAIL,
	BEAT_LOG,
	BEAT__COUNT
};
const char *beat_kind_name(enum beat_kind kind); /* "success" "start" "fail" "log" */

#define BEAT_MSG_MAX 10000 /* bytes kept of a message: healthchecks.io's Ping-Body-Limit */
#define BEAT_RID_MAX 64

/* One arriving beat, as parsed. */
struct beat {
	enum beat_kind kind;
	bool has_time;       /* false for token pings, which carry no clock of the client */
	int64_t time_us;     /* the client's, microseconds since 1970 */
	int exit_status;     /* 0..255; of BEAT_SUCCESS (0) and BEAT_FAIL; -1 not given */
	const char *msg;     /* or NULL; not owned */
	const char *rid;     /* run id, or NULL; not owned */
	int64_t length_us;   /* run length that the client measured, -1 when not given */
};

/* The last values of one heartbeat, kept in the inbox. */
struct beat_last {
	int64_t last_time_us;      /* newest accepted client time; 0 none */
	uint64_t count;            /* beats accepted since ever */
	struct moment success;     /* when the newest success arrived; wall_us 0: never */
	struct moment failed;      /* fail or non-zero exit that came after it; wall_us 0: none */
	struct moment started;     /* of the run that has not finished; wall_us 0: none is running */
	struct moment any;         /* newest of any kind */
	enum beat_kind kind;       /* of the newest */
	int exit_status;           /* of the newest finished run, -1 unknown */
	int64_t run_us;            /* length of the newest finished run, -1 unknown */
	char *msg;                 /* of the newest beat that had one, or NULL; owned */
	char *rid;                 /* of the running start, or NULL; owned */
};
#define BEAT_LAST_INIT {.exit_status = -1, .run_us = -1} /* of a heartbeat that never beat */
void beat_last_clear(struct beat_last *last);              /* frees, and leaves BEAT_LAST_INIT */

enum beat_verdict {
	BEAT_OK,
	BEAT_NOT_NEWER,      /* replay, or a clock that was stepped back */
	BEAT_OUTSIDE_WINDOW, /* too far from our clock */
};

/* Received this much before a scheduled time it counts for that time: two clocks never agree exactly. */
#define SCHEDULE_EARLY_S 2

/* May it be stored? `last` may be NULL (never beaten). */
enum beat_verdict beat_admit(const struct heartbeat_rules *rules, const struct beat_last *last,
	const struct beat *beat, const struct moment *now);
/* Applies an admitted beat. */
void beat_apply(struct beat_last *last, const struct beat *beat, const struct moment *now);

enum freshness {
	FRESH_NEVER,     /* no success yet: pending */
	FRESH,
	FRESH_LATE,      /* deadline passed, or received in what is now the future */
	FRESH_FAILED,    /* a fail or a non-zero exit came after the newest success */
	FRESH_UNFINISHED /* a start did not finish within grace (where none is given: max_age) */
};

struct beat_age {
	enum freshness freshness;
	bool answers_200;    /* what GET /beat says: a start does not count there, so an unfinished run
	                        leaves it 200 as long as the newest success is within its deadline */
	int64_t age_us;      /* since the newest success was received; -1 never */
	int64_t max_age_us;  /* allowed; for a schedule: from that success to its deadline */
	int64_t deadline_us; /* wall clock at which it becomes (or became) late; 0 never armed */
	int64_t run_deadline_us; /* wall clock at which the run that goes on takes too long; 0 none does */
};

/* How fresh it is now. `grace_from_us`: wall clock at which our own outage ended (0: there was none):
   a full max_age, or grace, is given from there.

   Ages are measured on the boot clock while it is still the same boot, so a wall clock that is stepped
   makes nobody late; else on the wall clock, where what was received in the future is late, not fresh,
   once the time is over that an outage of our own gives. */
struct beat_age beat_age(const struct heartbeat_rules *rules, const struct beat_last *last,
	const struct moment *now, int64_t grace_from_us);

#endif
