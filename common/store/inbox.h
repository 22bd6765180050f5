/* SPDX-License-Identifier: ISC */
/*
 * inbox: the book of what was heard. Written by the web program only; the prober reads it.
 *
 * Beats are last values, one record for each heartbeat. Everything else is a queue with increasing ids:
 * refused beats, reports of third parties and peers, requests of people; capped for each kind and sender.
 *
 * Durability: a call that stores returns true only when its commit is on disk. Calls of several threads
 * that arrive together share one transaction and one sync (group commit); a lone call waits for nothing.
 * Each beat's own verdict is decided inside that transaction, so of two equal beats exactly one is stored,
 * whichever process or thread took it.
 *
 * One struct inbox for each process; all calls are thread-safe. Reads are short transactions of their own
 * and never wait for a writer.
 */
#ifndef STORE_INBOX_H
#define STORE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/beat.h"
#include "store/store.h"

struct inbox;

/* dir is the store's directory; the book is dir/inbox. NULL on failure. */
struct inbox *inbox_open(const char *dir, enum store_mode mode, struct error *err);
void inbox_close(struct inbox *inbox);
/* Was it found damaged, and could not be mended from here? (copies.h) */
bool inbox_unmended(const struct inbox *inbox);
/* Makes the book where there is none, without opening one that is there. */
bool inbox_make(const char *dir, struct error *err);

/* ---- in two processes: one opens the book and reads it for the other, who trusts neither
 *
 * inbox_serve() opens it and answers over the descriptor (of a socket pair) until that is closed.
 * inbox_connect() is an inbox that asks there, for reading and verifying; the descriptor is its own then. The error
 * of opening is that of the other process. When that gives no sound answer any more each call says ERROR_TEMPORARY,
 * or what the keeper makes of it. */
struct inbox_keeper { /* who started that process; each may be NULL */
	/* Called with the usual words in *err, when it gave no sound answer. */
	void (*explain)(void *arg, struct error *err);
	/* inbox_backup(). */
	bool (*copy)(void *arg, const char *dir_out, struct error *err);
	void *arg;
};
void inbox_serve(const char *dir, int fd);
struct inbox *inbox_connect(int fd, const struct inbox_keeper *keeper, struct error *err);

/* ---- beats */

/* The last values of a heartbeat; *found false when it never beat. The caller clears *last. */
bool inbox_beat_read(struct inbox *inbox, const char *slug, struct beat_last *last, bool *found,
	struct error *err);
/* Admits and stores one beat durably. true: *verdict is set (only BEAT_OK was stored), and *last_time_us is
   the client time that it was compared with. false: could not be stored (ERROR_FULL, ERROR_TEMPORARY...). */
bool inbox_beat_store(struct inbox *inbox, const char *slug, const struct heartbeat_rules *rules,
	const struct beat *beat, const struct moment *now, enum beat_verdict *verdict, int64_t *last_time_us,
	struct error *err);
/* As inbox_beat_store, and what was stored is told in the queue, too, in the same commit: `log` (JSON for
   display; NULL: nothing) as an INBOX_LOG_BEAT of the slug. */
bool inbox_beat_store_logged(struct inbox *inbox, const char *slug, const struct heartbeat_rules *rules,
	const struct beat *beat, const struct moment *now, const char *log, size_t log_len,
	enum beat_verdict *verdict, int64_t *last_time_us, struct error *err);
/* Calls `each` for the last values of every heartbeat, in slug order; stops when it returns false. */
bool inbox_beat_scan(struct inbox *inbox,
	bool (*each)(void *arg, const char *slug, const struct beat_last *last), void *arg,
	struct error *err);

/* ---- queue */

enum inbox_kind {
	INBOX_REFUSED_BEAT = 1, /* rightly signed, but refused: sender the slug, payload JSON for display */
	INBOX_HOOK,             /* a third party's report: sender is its service and name */
	INBOX_PEER,             /* another Upbeat's message: sender is the peer's name */
	INBOX_REQUEST,          /* a person's or key's: sender is who asked; payload of model/request */
	INBOX_LOG_BEAT,         /* messages and run lengths of recent beats, for the monitor's page */
	INBOX__COUNT
};
struct inbox_entry {
	uint64_t id; /* increasing, never reused */
	enum inbox_kind kind;
	int64_t at_us;
	const char *sender;  /* valid during the call only */
	const char *payload; /* NUL-terminated, payload_len bytes; valid during the call only */
	size_t payload_len;
};

/* Appends durably. `seen` is what the state says the prober has dealt with (state_inbox_seen): entries of
   consumed kinds (hook, peer, request) up to it are deleted in the same transaction. When the sender's or
   the kind's cap is reached the oldest display-only entry goes; for consumed kinds it is ERROR_FULL. */
bool inbox_queue_put(struct inbox *inbox, enum inbox_kind kind, const char *sender, const char *payload,
	size_t payload_len, const struct moment *now, uint64_t seen, uint64_t *id, struct error *err);
/* Entries of a kind (0: all) with id > after, oldest first; stops when `each` returns false. */
bool inbox_queue_scan(struct inbox *inbox, enum inbox_kind kind, uint64_t after,
	bool (*each)(void *arg, const struct inbox_entry *entry), void *arg, struct error *err);

/* Clears stale readers and gives figures. */
bool inbox_figures(struct inbox *inbox, struct store_figures *out, struct error *err);
/* A consistent copy while everything runs: makes dir_out/inbox. */
bool inbox_backup(struct inbox *inbox, const char *dir_out, struct error *err);
/* Reads every record and checks it; counts go to *records. ERROR_DAMAGED at the first that does not hold. */
bool inbox_verify(struct inbox *inbox, uint64_t *records, struct error *err);
/* Renames a damaged inbox to inbox.damaged-TIME beside it; whoever has it open notices at its next use. The
   caller frees *moved_to (may be NULL). Each program does this to its own book only. */
bool inbox_set_aside(const char *dir, int64_t now_s, char **moved_to, struct error *err);
/* Puts a copy made by inbox_backup(copies) in its place, which must be free. */
bool inbox_restore(const char *dir, const char *copies, struct error *err);

#endif
