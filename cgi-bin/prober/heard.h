/* SPDX-License-Identifier: ISC */
/*
 * heard: the inbox, read by a process of its own.
 *
 * The web program writes that book, and it is what others can reach. Should one of them break into it, they
 * write what they like: the process that then follows their bytes may read this one book, and nothing else:
 * it has no network, no other file, and none of our memory but what we had when it was started. When it
 * dies of them, that is an error with a name.
 *
 * To be opened early: before there are secrets in our memory, other books, or threads.
 */
#ifndef PROBER_HEARD_H
#define PROBER_HEARD_H

#include "store/inbox.h"

/* NULL on failure. Closed by heard_close() only. One at a time for each process. A copy (inbox_backup) is
   made by one more such process, which may write where the copy goes. */
struct inbox *heard_open(const char *store, struct error *err);
void heard_close(struct inbox *inbox); /* NULL is fine */
/* For who has other things to do meanwhile: the process starts and opens the book, and heard_open() finds it ready.
   It is ended with heard_close(), opened or not. */
bool heard_start(const char *store, struct error *err);
/* Closes it; the process ends by itself, and heard_close(NULL) waits for that. */
void heard_release(struct inbox *inbox);
/* In a forked child: the reader is its parent's. */
void heard_forget(void);

/* What the reading process gives up. dir_out: where it writes a copy; NULL: it only reads. For it and for
   tests. */
void heard_raise_walls(const char *store, const char *dir_out);

#endif
