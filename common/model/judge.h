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
 * The judge also remembers what people were last told (`told`), so that whoever heard of an outage hears
 * of its end, and an alert that was held back is told once what held it is gone.
 *
 * Calls: judge_result, judge_decide, judge_certificate, judge_pause, judge_maintenance,
 * judge_maintenance_due, judge_blind, judge_calm, judge_untold, judge_owed. The whole truth table stands
 * at the top of judge.c.
 */
#ifndef MODEL_JUDGE_H
#define MODEL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/monitor.h"
#include "model/result.h"

#define FLAP_CHANGES 3                              /* more than this many decided changes ... */
#define FLAP_WINDOW_US (15 * 60 * INT64_C(1000000)) /* ... within this, is flapping ... */
#define FLAP_CALM_US (10 * 60 * INT64_C(1000000))   /* ... until stable for this long */
#define FLAP_RING (FLAP_CHANGES + 1)
#define DEFINITE_ENOUGH 2                           /* definite bad results that suffice ... */
#define DEFINITE_APART_US (10 * INT64_C(1000000))   /* ... when at least this far apart */
#define SLOW_ENOUGH 3                               /* slow (fast) results in a row that (un)mark it */
#define PATIENCE_MS (60 * INT64_C(1000))            /* longest wait for a look that a decision hangs on */
#define CERTIFICATES_TOLD 2

/* What people heard last of a monitor and still wait for the end of. */
enum told { TOLD_NOTHING = 0, TOLD_DOWN, TOLD_UNKNOWN, TOLD_FLAPPING };

/* Everything the judge remembers of one monitor; kept across passes, so that a ladder continues.
   All zero is a new monitor. Times are wall clock, microseconds since 1970. */
struct judge {
	enum monitor_state state;
	enum monitor_state decided;  /* the last decided one: up, down, unknown, paused or pending; what
	                                suspect hides */
	enum monitor_state known;    /* the last of pending, up, down: what unknown hides */
	unsigned marks;              /* MARK_... */
	int64_t since_us;            /* of `decided`; for down the first bad result of this outage, for up
	                                the first good one after it */
	int64_t outage_us;           /* first bad result of the outage that is not over; 0 none */
	/* the ladder of a suspect, or of a recovery */
	unsigned tries;              /* results since the first bad one, itself counted; 0: no ladder */
	unsigned bad;                /* bad ones among them */
	unsigned definite;           /* definite bad ones, far enough apart and with no good one between */
	unsigned good;               /* good ones that count, in a row, while down or unknown */
	unsigned unseen;             /* looks in a row that could not be made */
	int64_t first_bad_us, last_definite_us, first_good_us, last_good_us;
	char cause[CAUSE_MAX];       /* of the last bad (or impossible) look */
	bool ready;                  /* evidence suffices; judge_decide() is awaited */
	int64_t changes_us[FLAP_RING]; /* the newest changes between up and down, newest first */
	uint32_t incident;           /* the open one, or 0: the *caller* sets it after open_incident and
	                                zeroes it after close_incident */
	bool paused_by_hand;         /* by a person (model/request), beside `paused` of the configuration */
	int64_t maintenance_until_us; /* begun by a person; 0 none */
	enum told told;
	bool told_slow;
	unsigned slow_count;         /* slow results in a row; while marked slow: fast ones in a row */
	/* the certificates that were told of, newest first: several servers may share one address, each with
	   its own; a renewed certificate has another end and so begins anew */
	struct {
		int64_t expires_s;
		int days;            /* the smallest threshold told */
	} certificates[CERTIFICATES_TOLD];
};

/* What the pass found out before a decision. */
enum judge_view {
	VIEW_CLEAR,       /* witnesses answer (or there are none): believe the evidence */
	VIEW_BLIND,       /* we are offline: it becomes unknown, nobody is told now */
	VIEW_HELD,        /* mass failure without witnesses: stay suspect, ask again later */
	VIEW_OUTVOTED,    /* others who look at it too find it up: stay suspect, ask again later */
};

/* What is to be done now. All zero: nothing. */
struct verdict {
	bool changed;                /* `decided` changed: an incident or its end, notices, one transaction */
	enum monitor_state from, to; /* of `decided`; equal when not changed */
	int64_t outage_us;           /* first bad result of the outage that this is about; 0 none */
	bool open_incident;          /* give the monitor a new one (state `to`, started outage_us) */
	bool close_incident;         /* judge->incident is over; at judge->since_us when `to` is up */
	unsigned events;             /* EVENT_BIT()s to tell now (flapping and maintenance already applied) */
	unsigned held;               /* EVENT_BIT()s that were held back ... */
	const char *held_because;    /* ... by this rule: a literal key of word_of_held(), NULL when none */
	int64_t recheck_ms;          /* look again this soon; 0: at the next regular slot */
	bool ready;                  /* call judge_decide() */
	bool dirty;                  /* the judge changed in a way that must be stored */
	/* filled in by the caller, where others look at it too (model/peering) */
	uint64_t episode;            /* how they all count this outage; 0 nobody else looks */
	int64_t turn_us;             /* so long others come first to tell it */
};

/* Weighs one result. Its at_us dates the evidence, now_us the decision.

   A lagged bad result counts for nothing but a recheck. An unknown one (we could not look *at this
   monitor*: no right to ping, no descriptor) makes it unknown when `confirm` came in a row, and that is
   told as EVENT_UNKNOWN; when the cause is one for all (offline, our web side down), call judge_blind()
   instead, which tells nobody. A heartbeat (rules->heartbeat set) is a statement, not a measurement: one
   bad result is ready at once and one good result is up at once; while it never beat, do not call this
   (an unknown result then leaves it pending). */
struct verdict judge_result(struct judge *judge, const struct monitor *rules, const struct result *result,
	int64_t now_us);
/* After verdict.ready; may be repeated while it says VIEW_HELD. Does nothing when not ready. */
struct verdict judge_decide(struct judge *judge, const struct monitor *rules, enum judge_view view,
	int64_t now_us);
/* Weighs the end of a certificate against the thresholds (days, any order). EVENT_CERTIFICATE once for
   each threshold passed, the smallest only when several are. */
struct verdict judge_certificate(struct judge *judge, int64_t expires_s, const int *days, size_t n,
	int64_t now_us);
/* Paused or resumed, by config or by a person; resuming starts as pending with a fresh ladder. Pausing
   ends an open incident, quietly: somebody has taken it in hand, and we no longer look. */
struct verdict judge_pause(struct judge *judge, bool paused, int64_t now_us);
/* Maintenance begins or ends; told as EVENT_MAINTENANCE (which of both: MARK_MAINTENANCE). What is still
   wrong when it ends is told then. */
struct verdict judge_maintenance(struct judge *judge, bool active, int64_t now_us);
/* Should it be in maintenance now: by a window of the configuration, or because a person said so? */
bool judge_maintenance_due(const struct judge *judge, bool window_active, int64_t now_us);
/* Our own time passed without a look (no pass ran for longer than the freshness limit, or we were
   offline): what was up or down becomes unknown, and evidence from before counts no more. Nothing is
   told of it per monitor. */
struct verdict judge_blind(struct judge *judge, int64_t now_us);
/* To be called once a pass while MARK_FLAPPING is set: ends flapping when calm, and then tells the
   state that it came to rest in (EVENT_UP or EVENT_DOWN). The incident stays open while it flaps; who was
   told of the flapping counts as told of it (incident_tell), and so hears of its end. */
struct verdict judge_calm(struct judge *judge, int64_t now_us);
/* The caller held back an alert of the last verdict for a reason of its own (a parent is down): it has
   not been told, so that judge_owed() may tell it later and no recovery is told of what nobody heard. */
void judge_untold(struct judge *judge, unsigned events);
/* What is wrong now (or over) and people do not know it; to be called when the reason has passed. */
struct verdict judge_owed(struct judge *judge, int64_t now_us);

#endif
