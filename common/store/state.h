/* SPDX-License-Identifier: ISC */
/*
 * state: the book of what was concluded. Written by the prober only; the web program reads it.
 *
 * Everything happens in a transaction: a snapshot for reading, or the one writer's. What a decision
 * changes (judge, row, incident, notices, samples) is written in one of them and committed together.
 * A transaction is never held while a socket is written or read: copy out, end it, then send.
 *
 *	struct state_txn *t = state_begin(state, false, err);
 *	if (t && state_monitor_by_slug(t, slug, &monitor, err)) ...
 *	state_end(t);
 *
 * Getters return false with ERROR_MISSING when there is no such record; what they fill in the caller
 * clears. In a write transaction they see its own changes.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/incident.h"
#include "model/judge.h"
#include "model/monitor.h"
#include "model/notice.h"
#include "model/series.h"
#include "model/site.h"
#include "store/store.h"

struct state;
struct state_txn;

/* dir is the store's directory; the book is dir/state. NULL on failure. Thread-safe once open. */
struct state *state_open(const char *dir, enum store_mode mode, struct error *err);
/* store_is_ours() of its file. To write it is to ask so; who reads it before the walls rise asks by itself. */
bool state_is_ours(const char *dir, struct error *err);
void state_close(struct state *state);

struct state_txn *state_begin(struct state *state, bool writing, struct error *err);
/* Commits durably and ends it, in any case. false: nothing of it was stored; ERROR_FULL may be tried again
   after room was made, on anything else the book was reopened in place. */
bool state_commit(struct state_txn *txn, struct error *err);
/* Ends it; what was not committed is gone. NULL is fine. */
void state_end(struct state_txn *txn);

/* ---- configuration as published */

struct publication {
	struct site site;
	struct monitor *monitors; /* ids are filled in by state_publish */
	size_t monitor_count;
	char *fingerprint;        /* of the files it was read from: names the prober's own secrets file */
};

/* Replaces the published configuration: one record per monitor, the indexes (slug, token hash, default
   heartbeat), the site. Known slugs keep their id and history; monitors no longer there keep their history
   but are no longer listed; new ones get a new id and a zeroed row that is due at once. */
bool state_publish(struct state_txn *txn, struct publication *publication, struct error *err);
bool state_site(struct state_txn *txn, struct site *out, struct error *err);
/* The fingerprint of the published configuration; the caller frees. */
bool state_fingerprint(struct state_txn *txn, char **out, struct error *err);
/* Problems of the configuration as last read; replaced as a whole. */
bool state_problems_put(struct state_txn *txn, const struct problem *problems, size_t n, struct error *err);
bool state_problems(struct state_txn *txn, struct problem **out, size_t *n, struct error *err);

bool state_monitor(struct state_txn *txn, uint32_t id, struct monitor *out, struct error *err);
bool state_monitor_by_slug(struct state_txn *txn, const char *slug, struct monitor *out, struct error *err);
/* By the SHA-256 of a heartbeat's token. */
bool state_monitor_by_token(struct state_txn *txn, const char *token, struct monitor *out, struct error *err);
/* The heartbeat that /beat and / mean: the only one, or the one called "default". */
bool state_default_heartbeat(struct state_txn *txn, char **slug, struct error *err);
/* Only what a beat needs of a heartbeat: one small record. */
bool state_heartbeat(struct state_txn *txn, const char *slug, struct heartbeat_rules *out, struct error *err);
/* What a list shows of a configured monitor: one record holds it for all of them, because unpacking whole
   configurations is most of what a page of many monitors would cost. Strings are owned. */
struct listed_monitor {
	uint32_t id;
	char *slug, *type, *name;
	char *group; /* "" when none */
	char **tags;
	size_t tag_count;
	bool is_public;
	int64_t interval_ms;
	char **maintenance;
	size_t maintenance_count;
};
/* All configured monitors in configuration order; the caller releases the list with listed_free(). */
bool state_listing(struct state_txn *txn, struct listed_monitor **out, size_t *n, struct error *err);
void listed_free(struct listed_monitor *list, size_t n);
/* Configured monitors in configuration order; stops when `each` returns false. */
bool state_monitor_scan(struct state_txn *txn, bool (*each)(void *arg, const struct monitor *monitor),
	void *arg, struct error *err);

/* ---- rows: one packed array of what is asked of every monitor all the time */

struct row {
	int64_t next_due_us;   /* wall clock of the next regular slot */
	int64_t since_us;      /* of the shown state */
	int64_t checked_us;    /* newest result */
	uint64_t recent;       /* newest 32 results, newest in the low bits, 2 bits each: enum recent */
	uint32_t response_us;  /* of the newest good result; 0 none */
	uint32_t incident;     /* open one, or 0 */
	uint8_t state;         /* enum monitor_state */
	uint8_t decided;       /* the state behind suspect */
	uint8_t marks;         /* MARK_... */
	uint8_t flags;         /* ROW_... */
	uint32_t certificate_s_div_60; /* minutes since 1970 of the certificate's end; 0 none */
};
#define ROW_CONFIGURED 0x01u /* is in the published configuration */
#define ROW_HEARTBEAT 0x02u
#define ROW_LADDER 0x04u     /* a ladder is under way: next_due_us is its next step */
enum recent { RECENT_NONE = 0, RECENT_UP, RECENT_DOWN, RECENT_UNKNOWN };

/* All rows, indexed by monitor id (row 0 is not used); the caller frees *rows. */
bool state_rows(struct state_txn *txn, struct row **rows, size_t *n, struct error *err);
bool state_row(struct state_txn *txn, uint32_t id, struct row *out, struct error *err);
/* Writes those of the given ids; neighbours share pages, so ids in order cost least. */
bool state_rows_put(struct state_txn *txn, const uint32_t *ids, const struct row *rows, size_t n,
	struct error *err);

/* ---- judges, samples */

/* A monitor never judged gives a zeroed judge (pending), not an error. */
bool state_judge(struct state_txn *txn, uint32_t id, struct judge *out, struct error *err);
bool state_judge_put(struct state_txn *txn, uint32_t id, const struct judge *judge, struct error *err);
/* All results of this commit, in any order. Kept are times to the millisecond, response times to 0.4 %,
   timing parts to 1.6 %. */
bool state_samples_add(struct state_txn *txn, const struct sample *samples, size_t n, struct error *err);
/* Samples of one monitor (0: all) in [from_us, to_us), oldest first. */
bool state_sample_scan(struct state_txn *txn, uint32_t id, int64_t from_us, int64_t to_us,
	bool (*each)(void *arg, const struct sample *sample), void *arg, struct error *err);

/* The begin of the oldest hour with results that were not settled; false when there is none. */
bool state_samples_unsettled(struct state_txn *txn, int64_t *hour_s);
/* Rearranges the results of an hour (any second of it) by monitor: smaller, and quick to read. May be
   called for the running hour, too, and again when more results have come: they join what is there. */
bool state_samples_settle(struct state_txn *txn, int64_t hour_s, struct error *err);

/* ---- history */

enum rollup_kind { ROLLUP_HOUR, ROLLUP_DAY };
bool state_rollup_put(struct state_txn *txn, enum rollup_kind kind, uint32_t id, const struct rollup *rollup,
	struct error *err);
bool state_rollup_scan(struct state_txn *txn, enum rollup_kind kind, uint32_t id, int64_t from_s,
	int64_t to_s, bool (*each)(void *arg, const struct rollup *rollup), void *arg, struct error *err);

/* What is older than these (seconds since 1970; 0: nothing) is deleted, at most `most` records at once:
   to be repeated in further transactions while *forgotten == most. Days are kept for ever, and so are
   incidents; notices that still wait are never deleted. */
struct forget {
	int64_t samples_s, timings_s, hours_s, notices_s;
};
bool state_forget(struct state_txn *txn, const struct forget *before, size_t most, size_t *forgotten,
	struct error *err);

/* ---- incidents */

/* Gives it an id and stores it. */
bool state_incident_new(struct state_txn *txn, struct incident *incident, struct error *err);
bool state_incident_put(struct state_txn *txn, const struct incident *incident, struct error *err);
bool state_incident(struct state_txn *txn, uint32_t id, struct incident *out, struct error *err);
/* Newest first; monitor_id 0: of all. Without entries when `brief`: to look at, not to be put again. */
bool state_incident_scan(struct state_txn *txn, uint32_t monitor_id, bool only_open, bool brief,
	bool (*each)(void *arg, const struct incident *incident), void *arg, struct error *err);

/* ---- outbox */

/* Gives it an id and stores it, to be due at notice->due_us. */
bool state_notice_add(struct state_txn *txn, struct notice *notice, struct error *err);
/* Stores its new content; moves it in the order of due times, or out of it when no longer waiting. */
bool state_notice_put(struct state_txn *txn, const struct notice *notice, struct error *err);
bool state_notice(struct state_txn *txn, uint64_t id, struct notice *out, struct error *err);
/* Waiting ones by due time up to due_us (INT64_MAX: all); reads no other. */
bool state_notice_due(struct state_txn *txn, int64_t due_us,
	bool (*each)(void *arg, const struct notice *notice), void *arg, struct error *err);
/* When the first waiting one is due; INT64_MAX when none is. */
int64_t state_notice_next(struct state_txn *txn);
/* All of an incident (0: all there are), newest first, delivered ones too. */
bool state_notice_scan(struct state_txn *txn, uint32_t incident,
	bool (*each)(void *arg, const struct notice *notice), void *arg, struct error *err);

/* ---- pass */

bool state_pass(struct state_txn *txn, struct pass_info *out, struct error *err); /* zeroed when none yet */
bool state_pass_put(struct state_txn *txn, const struct pass_info *pass, struct error *err);
/* Up to which id the prober has dealt with the inbox's queue. */
bool state_inbox_seen(struct state_txn *txn, uint64_t *seen, struct error *err);
bool state_inbox_seen_put(struct state_txn *txn, uint64_t seen, struct error *err);
/* Small values of other rooms by name (channel counters, "told already" marks); the caller frees *out. */
bool state_note_get(struct state_txn *txn, const char *name, char **out, struct error *err);
bool state_note_put(struct state_txn *txn, const char *name, const char *value, struct error *err);
/* The note in which the prober names the inbox's file (inbox_file_id) that it found damaged. */
#define STATE_NOTE_INBOX_DAMAGED "inbox-damaged"

/* ---- upkeep */

bool state_figures(struct state *state, struct store_figures *out, struct error *err);
bool state_backup(struct state *state, const char *dir_out, struct error *err);
bool state_verify(struct state *state, uint64_t *records, struct error *err);
/* As inbox_set_aside and inbox_restore. */
bool state_set_aside(const char *dir, int64_t now_s, char **moved_to, struct error *err);
bool state_restore(const char *dir, const char *copies, struct error *err);

#endif
