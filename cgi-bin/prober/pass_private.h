/* SPDX-License-Identifier: ISC */
/*
 * pass_private: the parts of a pass, by file. Nobody outside of the pass includes it.
 *
 *	pass.c      the story: turn, books, configuration, the minute, the end; run and watch
 *	turn.c      whose turn it is
 *	posts.c     what is due, and when: the schedule of this minute
 *	look.c      starting what is due, within what one machine can do; what a look showed
 *	decide.c    from evidence to a decision: judge, witnesses, parents, mass failure
 *	keep.c      what is to be stored, and the commits
 *	witness.c   is it us?
 */
#ifndef PROBER_PASS_PRIVATE_H
#define PROBER_PASS_PRIVATE_H

#include "base/clock.h"
#include "prober/check/check.h"
#include "prober/config.h"
#include "prober/notify/outbox.h"
#include "prober/slots.h"
#include "store/state.h"

#define ACTIVE_MAX 50    /* looks with an event within the last 20 ms */
#define OPEN_MAX 1000    /* looks under way */
#define OPEN_RESERVE 64  /* descriptors left for books, log, deliveries */
#define COMMIT_US (1 * US_PER_S)
#define STEP_US (2 * US_PER_S) /* a jump of the wall clock within a pass */

/* A verdict that is to be told with the next commit. */
struct telling {
	struct verdict verdict;
	struct telling *next;
};

enum post_place { PLACE_IDLE = 0, PLACE_HEAP, PLACE_READY };

/* A monitor in this pass. Its record and its judge are read when they are first needed. */
struct post {
	struct pass *pass;
	uint32_t id;
	struct row row;
	struct monitor *monitor;  /* NULL: not read yet */
	struct judge judge;
	struct check *check;      /* under way */
	/* when (wall clock) */
	int64_t due_us;           /* the earlier of slot and step */
	int64_t slot_us;          /* the next regular slot that has no result; 0: at once, nothing was missed */
	int64_t step_us;          /* next step of a ladder, or a heartbeat's deadline; 0 none */
	int64_t answering_us;     /* the slot that the look under way answers; 0: none, a recheck */
	bool ladder;              /* step_us is a ladder's */
	bool started;             /* it was looked at in this pass */
	enum post_place place;
	size_t heap_index;
	struct post *next_ready;
	/* what is to be stored */
	bool dirty, row_dirty, judge_dirty;
	struct post *next_dirty;
	struct telling *tellings;
	struct incident *draft;   /* attempts that no stored incident has yet */
	/* a decision that waits for an answer */
	bool waiting;
	struct post *next_waiting;
	struct result *parked;    /* an impossible look that would be decided on */
};

struct ready {
	struct post *first, **last;
};

struct samples {
	struct sample *at;
	size_t n, size;
};

struct witness;

struct pass {
	const char *config_path;
	char *store;
	struct state *state;
	struct inbox *inbox;
	struct loop *loop;
	struct outbox *outbox;
	struct privates privates;
	bool privates_known;
	struct check_world world;
	struct pass_info info;
	bool failed;               /* the books could not be written: exit 75 */
	/* its minute */
	int64_t end_us;            /* wall clock */
	int64_t wall_less_mono_us; /* to notice a step of the wall clock */
	bool over;                 /* starts nothing new */
	bool stepped;              /* the wall clock was stepped since the last pass: no slot was missed */
	bool reconsider;           /* the configuration changed: every monitor is looked at */
	struct loop_timer *wake;
	bool woken;
	struct loop_timer *progress;
	int64_t outbox_due_us;     /* wall clock, as of ... */
	int64_t outbox_asked_us;   /* ... this (monotonic) */
	/* posts.c */
	struct post **posts;       /* by id; NULL: not in this pass */
	size_t post_count;
	struct post **heap;
	size_t heap_count, heap_size;
	struct ready suspects, regular;
	size_t configured;         /* rows that are configured and not paused */
	/* look.c */
	size_t open, open_max;
	/* decide.c, witness.c */
	struct post *waiting;
	struct witness *witness;
	/* keep.c */
	struct post *dirty;
	struct samples samples;
	bool urgent, info_dirty;
	int64_t committed_us;      /* monotonic, newest commit */
	struct loop_timer *commit_timer;
};

int64_t pass_now(const struct pass *pass);          /* wall clock */
void pass_wake(struct pass *pass);                  /* something changed: look again at what is to be done */
const cJSON *pass_privates(struct pass *pass, const char *section);

/* turn.c: holds the lock's descriptor in *fd; false: somebody else is at work, leave. */
bool turn_take(const char *store, int *fd, struct error *err);

/* posts.c */
bool posts_load(struct pass *pass, struct error *err);
void posts_free(struct pass *pass);
struct post *post_of(struct pass *pass, uint32_t id);     /* made when it is not there; NULL: no such monitor */
bool post_read(struct post *post, struct state_txn *txn, struct error *err); /* monitor and judge */
void post_rest(struct post *post);                        /* what it holds and nobody needs now */
void post_schedule(struct post *post);                    /* after slot_us or step_us changed */
void post_now(struct post *post);                         /* a look as soon as possible, beside its slots */
int64_t post_interval(const struct post *post);
int64_t posts_next_due(struct pass *pass);                /* wall clock; INT64_MAX none */
bool posts_ready(const struct pass *pass);
struct post *posts_take(struct pass *pass);               /* the next that is due now, suspects first */
void posts_ripen(struct pass *pass);                      /* moves what has become due to the ready ones */

/* look.c */
void looks_start(struct pass *pass);
void look_missed(struct post *post, int64_t until_us);    /* its slots before until_us become unknown */

/* decide.c */
void decide_result(struct post *post, struct result *result);
void decide_apply(struct post *post, const struct verdict *verdict);
void decide_waiting(struct pass *pass);                   /* asks again for all that wait */

/* keep.c */
void keep_sample(struct post *post, const struct result *result, enum outcome outcome);
void keep_unknown(struct post *post, int64_t at_us);
void keep_attempt(struct post *post, const struct result *result);
void keep_forget_attempts(struct post *post);
void keep_row(struct post *post);                         /* only its due times changed */
void keep_judge(struct post *post);
void keep_tell(struct post *post, const struct verdict *verdict);
bool keep_pending(const struct pass *pass);
bool keep_commit(struct pass *pass);                      /* now; false: could not be stored, kept */

#endif
