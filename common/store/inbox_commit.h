/* SPDX-License-Identifier: ISC */
/*
 * inbox_commit: group commit. Changes that threads hand in together share one transaction and one sync.
 *
 * The first to come leads: it begins the transaction, applies its own change and whatever the others have
 * handed in by then, commits, and gives each its answer. What is handed in while it waits for the disk is
 * the next batch, and the first of that leads it. So a lone change waits for nobody, and the more there
 * are, the more share a sync.
 */
#ifndef STORE_INBOX_COMMIT_H
#define STORE_INBOX_COMMIT_H

#include <pthread.h>
#include <semaphore.h>

#include "store/lmdb_book.h"

/* One change; a larger struct begins with it. */
struct change {
	/* Applies it within the batch's transaction. May be called again after the batch had to be begun
	   anew. true: done, and *changed tells whether something was written. false: this one alone is
	   refused, with *err; what it wrote stays. */
	bool (*apply)(struct change *change, struct book_txn *t, bool *changed, struct error *err);
	/* private */
	bool done, ok;
	struct error err;
	sem_t wake; /* posted once: it is done, or it leads */
	struct change *next;
};

struct commit_line {
	struct book *book;
	pthread_mutex_t lock;
	struct change *first, **last; /* handed in, not yet taken */
	bool busy;                    /* somebody leads */
};

void commit_line_init(struct commit_line *line, struct book *book);
void commit_line_free(struct commit_line *line);
/* true when the change is on disk (or had nothing to write). */
bool commit_change(struct commit_line *line, struct change *change, struct error *err);

#endif
