/* SPDX-License-Identifier: ISC */
/*
 * inbox_private: what the files of the inbox share.
 */
#ifndef STORE_INBOX_PRIVATE_H
#define STORE_INBOX_PRIVATE_H

#include "store/inbox.h"
#include "store/inbox_commit.h"
#include "store/lmdb_book.h"

struct remote;

/* Either a book of our own, or another process that reads it for us. */
struct inbox {
	struct book *book;
	struct commit_line line;
	struct remote *remote;
	bool unmended; /* atomic */
};

enum inbox_table {
	TABLE_META = BOOK_META,
	TABLE_BEATS,   /* slug -> last values, without the message */
	TABLE_WORDS,   /* slug -> the newest message */
	TABLE_QUEUE,   /* kind, id -> sender, time, payload */
	TABLE_SENDERS, /* kind, sender, NUL, id -> nothing: the queue by sender */
	TABLE_TALLIES, /* scope, kind[, sender] -> entries and bytes */
	TABLE__COUNT
};

/* Ends a call: passes the error on, and mends the book when that is what it says. Outside of transactions. */
bool inbox_done(struct inbox *inbox, bool ok, const struct error *why, struct error *err);
/* Appends within a batch's transaction; see inbox_queue_put. Sets entry->id. */
bool inbox_queue_append(struct book_txn *t, struct inbox_entry *entry, uint64_t seen, bool *changed,
	struct error *err);
bool inbox_check_queued(const MDB_val *key, const MDB_val *value, struct error *err);
/* The key in TABLE_SENDERS that belongs to an entry of the queue; adds the size of its payload to *bytes. */
bool inbox_sender_key(const MDB_val *key, const MDB_val *value, struct key *by_sender, uint64_t *bytes);

/* inbox_remote.c: the same, asked of the other process. */
bool remote_beat_read(struct inbox *inbox, const char *slug, struct beat_last *last, bool *found,
	struct error *err);
bool remote_beat_scan(struct inbox *inbox,
	bool (*each)(void *arg, const char *slug, const struct beat_last *last), void *arg, struct error *err);
bool remote_queue_scan(struct inbox *inbox, enum inbox_kind kind, uint64_t after,
	bool (*each)(void *arg, const struct inbox_entry *entry), void *arg, struct error *err);
bool remote_figures(struct inbox *inbox, struct store_figures *out, struct error *err);
bool remote_verify(struct inbox *inbox, uint64_t *records, struct error *err);
bool remote_backup(struct inbox *inbox, const char *dir_out, struct error *err);
void remote_close(struct remote *remote);

#endif
