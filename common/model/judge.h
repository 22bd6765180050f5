/* SPDX-License-Identifier: ISC */
/*
 * judge: decides the state of one monitor. A pure state machine: rules, what was known, one result and
 * the time go in; what is known now and what is to be done come out.
 *
 *	          bad                    enough bad, and we can see
 *	up ───────────────▶ suspect ───────────────────────────────▶ down
 *	 ▲  enough good       │ enough bad, but we cannot see          │
 *	 ├────────────────────┼─▶ unknown ◀────────────────────────────┘ (we cannot see)
 *	 └────────── `recover` good results, recover_wait apart ───────┘
 *
 * Deciding takes two steps, because whether *we* are the ones who are offline is asked only at that
 * moment, and asking takes I/O: judge_result() may answer "ready to say down"; the pass asks the
 * witnesses, the parents and the mass-failure rule, and then calls judge_decide() with the answer.
 *
 * Calls: judge_result, judge_decide, judge_pause, judge_mark, judge_blind.
 */
#ifndef MODEL_JUDGE_H
#define MODEL_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/monitor.h"
#include "model/result.h"

#define FLAP_CHANGES 3                              /* more than this many decided changes ... */
#define FLAP_WINDOW_US (15 * 60 * INT64_C(1000000)) /* ... within this, is flapping ... */
#define FLAP_CALM_US (10 * 60 * INT64_C(1000000))   /* ... until stable for this long */
#define FLAP_RING (FLAP_CHANGES + 1)
#define DEFINITE_ENOUGH 2                           /* definite bad results that suffice ... */
#define DEFINITE_APART_US (10 * INT64_C(1000000))   /* ... when at least this far apart */

/* Everything the judge remembers of one monitor; kept across passes, so that a ladder continues. */
struct judge {
	enum monitor_state state;
	enum monitor_state decided;  /* the last decided one: up, down, unknown or pending; what suspect hides */
	unsigned marks;              /* MARK_... */
	int64_t since_us;            /* of `decided` (for down: the first bad result of this outage) */
	/* the ladder of a suspect, or of a recovery */
	unsigned tries;              /* results since the first bad one, itself counted */
	unsigned bad;                /* bad ones among them */
	unsigned definite;           /* definite bad ones, counted only when far enough apart */
	unsigned good;               /* good ones in a row, while down or unknown */
	int64_t first_bad_us, last_definite_us, last_good_us;
	char cause[CAUSE_MAX];       /* of the last bad result */
	int64_t changes_us[FLAP_RING]; /* the newest decided changes, newest first */
	uint32_t incident;           /* the open one, or 0 */
	bool ready;                  /* evidence suffices; judge_decide() is awaited */
	int certificate_told_days;   /* the smallest threshold told of for this certificate; 0 none */
	int64_t certificate_expires_s; /* of the certificate that was told of */
	unsigned slow_count;         /* slow results in a row */
};

/* What the pass found out before a decision. */
enum judge_view {
	VIEW_CLEAR,       /* witnesses answer (or there are none): believe the evidence */
	VIEW_BLIND,       /* we are offline: it becomes unknown, nobody is told now */
	VIEW_HELD,        /* mass failure without witnesses: stay suspect, ask again later */
};

/* What is to be done now. */
struct verdict {
	bool changed;                /* `decided` changed: an incident or its end, notices, one transaction */
	enum monitor_state from, to; /* when changed */
	bool open_incident;          /* give the monitor a new one */
	bool close_incident;
	unsigned events;             /* EVENT_BIT()s to tell now (flapping and maintenance already applied) */
	unsigned held;               /* EVENT_BIT()s that were held back ... */
	const char *held_because;    /* ... by this rule (a literal key: "flapping", "maintenance", "blind") */
	int64_t recheck_ms;          /* look again this soon; 0: at the next regular slot */
	bool ready;                  /* call judge_decide() */
	bool dirty;                  /* the judge changed in a way that must be stored */
};

/* Weighs one result. A lagged bad result counts for nothing but a recheck. */
struct verdict judge_result(struct judge *judge, const struct monitor *rules, const struct result *result,
	int64_t now_us);
/* After verdict.ready. */
struct verdict judge_decide(struct judge *judge, const struct monitor *rules, enum judge_view view,
	int64_t now_us);
/* Paused or resumed, by config or by a person; resuming starts as pending with a fresh ladder. */
struct verdict judge_pause(struct judge *judge, bool paused, int64_t now_us);
/* Maintenance begins or ends; told as EVENT_MAINTENANCE. A monitor still down when it ends is told then. */
struct verdict judge_maintenance(struct judge *judge, bool active, int64_t now_us);
/* Our own time passed without a look (no pass ran, or we were offline): what was up becomes unknown
   when `lost_us` is over the freshness limit. Nothing is told of it per monitor. */
struct verdict judge_blind(struct judge *judge, int64_t now_us);
/* To be called once a pass while MARK_FLAPPING is set: ends flapping when calm, and then tells the
   state that it came to rest in. */
struct verdict judge_calm(struct judge *judge, int64_t now_us);

#endif
