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
 *	views.c     parents, the crowd; witness.c: is it us?; selfcheck.c: does our own web side answer?
 *	tend.c      what a monitor needs beside looks: pause, maintenance, calm after flapping, what is owed
 *	retire.c    monitors that were taken out of the configuration
 *	evidence.c  attempts at suspects, from pass to pass
 *	people.c    what people asked for
 *	peers.c     other Upbeats: what is kept of them; peers_own.c: what we tell them; peers_hear.c: what they
 *	            told us; peers_send.c: writing to them
 *	places.c    what others saw who look at the same things
 *	announce.c  what the pass tells of itself
 *	ward.c      damaged books, and copies of good ones
 */
#ifndef PROBER_PASS_PRIVATE_H
#define PROBER_PASS_PRIVATE_H

#include <sys/types.h>

#include "base/clock.h"
#include "model/sighting.h"
#include "prober/check/check.h"
#include "prober/config/config.h"
#include "prober/notify/outbox.h"
#include "prober/pass/selfcheck.h"
#include "prober/pass/slots.h"
#include "prober/pass/views.h"
#include "prober/pass/witness.h"
#include "prober/privates.h"
#include "store/state.h"

#define ACTIVE_MAX 50   /* looks with an event within the last 20 ms */
#define OPEN_MAX 1000   /* looks under way */
#define OPEN_RESERVE 64 /* descriptors left for books, log, deliveries */
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
	struct monitor *monitor; /* NULL: not read yet */
	struct judge judge;
	struct check *check; /* under way */
	/* when (wall clock) */
	int64_t due_us;       /* the earlier of slot and step */
	int64_t slot_us;      /* the next regular slot that has no result; 0: at once, nothing was missed */
	int64_t step_us;      /* next step of a ladder, or a heartbeat's deadline; 0 none */
	int64_t tend_us;      /* when it is to be tended (a window begins or ends); 0 none */
	int64_t answering_us; /* the slot that the look under way answers; 0: none, a recheck */
	bool ladder;          /* step_us is a ladder's */
	bool started;         /* it was looked at in this pass */
	enum post_place place;
	size_t heap_index;
	struct post *next_ready;
	/* what is to be stored */
	bool dirty, row_dirty, judge_dirty;
	struct post *next_dirty;
	struct telling *tellings;
	struct incident *draft; /* attempts that no stored incident has yet */
	struct aside *asides;   /* what people added to incidents */
	/* a decision that waits for an answer */
	bool waiting;
	struct post *next_waiting;
	struct result *parked;      /* a look that is weighed when we know whether it is us */
	struct sighting *sightings; /* what other places saw last */
	size_t sighting_count;
	bool sightings_known;
	struct post **parents; /* what it depends on; NULL: not found yet */
	size_t parent_count;
};

/* Entries that people added to an incident, open or not. */
struct aside {
	struct incident incident; /* its id and what is new */
	struct aside *next;
};

/* A value for another room, or for the next pass. */
struct kept_note {
	char *name, *value;
	struct kept_note *next;
};

enum announce_kind { ANNOUNCE_BLIND_OVER = 0, ANNOUNCE_WEB_DOWN, ANNOUNCE_WEB_UP, ANNOUNCE_DAMAGED, ANNOUNCE__COUNT };
struct announcement {
	enum announce_kind kind;
	int64_t from_us, at_us;
	char *detail;
	struct announcement *next;
};

struct post_queue {
	struct post *first, **last;
};

struct samples {
	struct sample *at;
	size_t n, size;
};

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
	bool last_died;       /* the pass before did not come to its end */
	bool failed;          /* the books could not be written: exit 75 ... */
	struct error failure; /* ... and why */
	struct error deaf;    /* why the inbox cannot be read; ERROR_NONE: it can */
	/* its minute */
	int64_t end_us;            /* wall clock */
	int64_t wall_less_mono_us; /* to notice a step of the wall clock */
	bool over;                 /* starts nothing new */
	bool stepped;              /* the wall clock was stepped since the last pass: no slot was missed */
	int64_t cadence_us;        /* of the passes before this one: a gap before it is none of their rhythm */
	bool reconsider;           /* the configuration changed: every monitor is looked at */
	struct loop_timer *wake;
	bool woken;
	struct loop_timer *progress;
	int64_t outbox_due_us;   /* wall clock, as of ... */
	int64_t outbox_asked_us; /* ... this (monotonic) */
	/* posts.c */
	struct post **posts; /* by id; NULL: not in this pass */
	size_t post_count;
	struct post **heap;
	size_t heap_count, heap_size;
	struct post_queue suspects, regular;
	size_t configured; /* monitors that are not paused */
	size_t heartbeats;
	struct site site; /* pass_site() */
	bool site_known;
	/* look.c */
	size_t open, open_max, active_max;
	bool limits_known;
	/* decide.c, views.c, witness.c, selfcheck.c */
	struct post *waiting;
	struct witness *witness;
	int64_t seen_again_us;     /* wall clock, when the witnesses answered again; 0 not in this pass */
	struct selfcheck *selfcheck;
	uint64_t mass_since;
	bool mass_known;
	size_t failing;     /* of the crowd, as of ... */
	int64_t failing_us; /* ... this (monotonic) */
	size_t opened;      /* looks at the crowd that have not ended */
	uint64_t failing_as_of, opened_as_of; /* how many looks had ended when they were counted, and one */
	struct report *report;
	struct peers *peers; /* peers.c; NULL: there are none */
	/* people.c */
	uint64_t inbox_seen;
	bool inbox_seen_dirty;
	int64_t people_read_us; /* monotonic */
	struct sighting *heard; /* what the queue held of other places */
	size_t heard_count;
	struct sighting *strangers; /* of them, those that are no monitor's; newest first */
	size_t stranger_count;
	bool strangers_known;
	/* beats.c */
	int64_t beats_read_us;  /* monotonic */
	int64_t beats_since_us; /* wall clock: what came before was heard */
	/* keep.c */
	struct post *dirty;
	struct samples samples;
	struct kept_note *notes;
	struct announcement *announcements;
	bool urgent, info_dirty;
	int64_t committed_us; /* monotonic, newest commit */
	/* ward.c */
	bool copy_asked;
	pid_t copier; /* 0: none */
	int copier_says;
	struct loop_timer *commit_timer;
};

int64_t pass_now(const struct pass *pass); /* wall clock */
bool pass_lasts(const struct pass *pass);  /* a third of its time is over, and it has stored something */
void pass_wake(struct pass *pass);         /* something changed: look again at what is to be done */
const cJSON *pass_privates(struct pass *pass, const char *section);
const struct site *pass_site(struct pass *pass);

/* turn.c: holds the lock's descriptor in *fd; false: somebody else is at work, leave. */
bool turn_take(const char *store, int *fd, struct error *err);

/* The work begins; true: the pass before died. And: it has come to its end. */
bool turn_begin(int fd);
void turn_end(int fd);

/* failure.c: says once per change why no pass can be made; the exit status. */
int failure_tell(const char *store, const struct error *err);
void failure_over(const char *store);

/* distress.c: tells people, once, that no pass can be made. Waits for it, a minute at most. */
void distress_call(const char *config_path, const char *store, const struct error *why);

/* posts.c */
bool posts_load(struct pass *pass, struct error *err);
void posts_free(struct pass *pass);
/* Made when it is not there; NULL: no such monitor. */
struct post *post_in(struct pass *pass, uint32_t id, struct state_txn *txn);
bool post_read(struct post *post, struct state_txn *txn, struct error *err); /* monitor and judge */
void post_rest(struct post *post);     /* what it holds and nobody needs now */
void post_schedule(struct post *post); /* after slot_us or step_us changed */
void post_look(struct post *post);     /* a look as soon as possible */
void post_now(struct post *post);      /* a step of a ladder as soon as possible, beside its slots */
void post_tend(struct post *post);     /* is tended as soon as possible, without a look */
int64_t post_interval(const struct post *post);
/* The interval that passes can keep: when cron is coarser than the monitor, that of cron. */
int64_t post_rhythm(const struct post *post);
int64_t posts_next_due(struct pass *pass); /* wall clock; INT64_MAX none */
bool posts_ready(const struct pass *pass);
struct post *posts_take(struct pass *pass); /* the next that is due now, suspects first */
void posts_ripen(struct pass *pass);        /* moves what has become due to the ready ones */

/* retire.c: what is no longer configured */
bool retire_removed(struct pass *pass, const struct row *rows, size_t n, struct error *err);

/* look.c */
void looks_start(struct pass *pass);

/* tend.c */
bool tend(struct post *post); /* false: it is paused */
bool tend_window_active(struct post *post);

/* evidence.c */
void evidence_save(struct pass *pass);
void evidence_load(struct post *post, struct state_txn *txn);

/* people.c */
void people_listen(struct pass *pass);
void pass_deaf(struct pass *pass, const struct error *err); /* the inbox could not be read: said once */

/* beats.c: has a program beaten, or told of a failure, since we looked? */
void beats_listen(struct pass *pass);

/* places.c */
void places_collect(struct pass *pass, const struct inbox_entry *entry); /* one of the queue */
void places_hear(struct pass *pass); /* what was collected reaches its monitors */
/* A good look is a bad one while enough others find it down. */
void places_weigh(struct post *post, struct result *result);
bool places_agree(struct post *post); /* may what we find down be called down? */
void places_testify(struct incident *incident, const struct sighting *sighting);
/* Those that count now, of an incident that begins. */
void places_testify_all(struct post *post, struct incident *incident, int64_t now_us);

/* peers.c: all of them do nothing where there are no peers */
void peers_begin(struct pass *pass);
void peers_free(struct peers *peers);
void peers_collect(struct pass *pass, const struct inbox_entry *entry); /* one of the queue */
void peers_hear(struct pass *pass);
bool peers_is_one(const struct post *post); /* is this monitor another Upbeat? */
void peers_saw(struct post *post, const struct result *result); /* with our own eyes */
void peers_asked(struct post *post); /* a person has asked for something */
void peers_decided(struct post *post, struct verdict *verdict); /* fills in episode and turn */
/* What each of them sees of it now; appended to a list whose strings are owned. */
void peers_sightings(struct post *post, struct sighting **list, size_t *n);
bool peers_share(const struct post *post); /* does any of them look at it? */
void peers_testify(struct post *post, struct incident *incident);
/* Have all of them fallen silent a short while ago, and nothing answered us since? Then it may be us. */
bool peers_all_gone(struct pass *pass);
/* The same of a moment ago: has none of them been heard, and nothing answered, since then? */
bool peers_none_since(struct pass *pass, int64_t since_us);
/* What changed, as notes, into a commit; and that this was done. */
bool peers_save(struct pass *pass, struct state_txn *txn, struct error *err);
void peers_saved(struct pass *pass);

/* peers_send.c */
void peers_send(struct pass *pass);
int64_t peers_next_due(struct pass *pass); /* wall clock; INT64_MAX never */
bool peers_busy(const struct pass *pass);

/* announce.c */
void announce(struct pass *pass, enum announce_kind kind, int64_t from_us, const char *detail);
bool announce_write(struct state_txn *txn, const struct announcement *a, struct error *err);
void announcements_free(struct pass *pass);

/* report.c: somebody else's heartbeat service hears of each good pass */
bool report_start(struct pass *pass); /* false: nothing to report, or done already */
bool report_is_due(const struct pass *pass); /* a long pass does not wait for its end */
bool report_busy(const struct pass *pass);
void report_free(struct report *report);

/* decide.c */
void decide_result(struct post *post, struct result *result);
void decide_apply(struct post *post, const struct verdict *verdict);
void decide_waiting(struct pass *pass); /* asks again for all that wait */
void decide_forget(struct pass *pass);  /* the minute is over: the next pass decides them */

/* keep.c */
void keep_sample(struct post *post, const struct result *result, enum outcome outcome);
void keep_unknown(struct post *post, int64_t at_us);
void keep_attempt(struct post *post, const struct result *result);
void keep_sighting(struct post *post, const struct sighting *sighting); /* of an incident that lasts */
void keep_forget_attempts(struct post *post);
void keep_row(struct post *post); /* only its due times changed */
void keep_judge(struct post *post);
void keep_info(struct pass *pass);
void keep_note(struct pass *pass, const char *name, const char *value); /* NULL: takes it out */
void keep_entries(struct post *post, const struct incident *added);
void keep_forget(struct pass *pass); /* what was never stored */
void keep_forget_post(struct post *post);
void keep_paused(struct post *post);
void keep_tell(struct post *post, const struct verdict *verdict);
bool keep_pending(const struct pass *pass);
bool keep_commit(struct pass *pass); /* now; false: could not be stored, kept */

#endif
