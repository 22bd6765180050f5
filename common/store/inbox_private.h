/* SPDX-License-Identifier: ISC */
/*
 * inbox_private: what the files of the inbox share.
 */
#ifndef STORE_INBOX_PRIVATE_H
#define STORE_INBOX_PRIVATE_H

#include "store/inbox.h"
#include "store/inbox_commit.h"
#include "store/lmdb_book.h"

struct inbox {
	struct book *book;
	struct commit_line line;
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

/* Appends within a batch's transaction; see inbox_queue_put. Sets entry->id. */
bool inbox_queue_append(struct book_txn *t, struct inbox_entry *entry, uint64_t seen, bool *changed,
	struct error *err);
bool inbox_check_queued(const MDB_val *key, const MDB_val *value, struct error *err);

#endif
