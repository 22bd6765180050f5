/* SPDX-License-Identifier: ISC */
/*
 * copies: hot copies of both books, one an hour, and putting the newest good one in the place of a damaged book.
 *
 *	copies/2026-05-01T02:00:00Z/state/data.mdb      the copy, with data.sum: its size and checksum
 *	copies/2026-05-01T02:00:00Z/inbox/...
 *	state.damaged-2026-05-01T02:10:04Z/             what was damaged, for who wants to look at it;
 *	                                                `restored` in it says which copy took over
 *
 * The prober makes them. Each program mends its own book only; whether a copy is good it learns from the
 * checksum, by plain reading: a damaged book could end the process that opens it. Mending is done under a
 * lock on the store's directory, and only while the damaged file is still the one that is in place, so that
 * of several who notice at once one mends.
 */
#ifndef STORE_COPIES_H
#define STORE_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/inbox.h"
#include "store/state.h"

/* Is an hour over since the newest? */
bool copies_due(const char *dir, int64_t now_s);
/* Makes one of both books (inbox may be NULL), asks `good` whether it can be read whole, and takes away old ones:
   COPIES_KEPT remain, fewer when they are large. ERROR_FULL when there is no room for one. */
bool copies_make(const char *dir, struct state *state, struct inbox *inbox, int64_t now_s,
	bool (*good)(const char *copy, struct error *err), struct error *err);
#define COPIES_KEPT 24
/* How many there are, and when the newest was made (0: none). */
size_t copies_count(const char *dir, int64_t *newest_s);

/* Which file a book is now: 0 when there is none. */
uint64_t state_file_id(const char *dir);
uint64_t inbox_file_id(const char *dir);
/* Sets the damaged book aside and lets the newest good copy take over; with none, a new book is made at its next
   use. True also when `file_id` (0: any) is no longer in place: somebody else mended it. */
bool state_mend(const char *dir, uint64_t file_id, int64_t now_s, struct error *err);
bool inbox_mend(const char *dir, uint64_t file_id, int64_t now_s, struct error *err);

/* Calls `each` for every book that was set aside: its name ("state.damaged-..."), when, and when the copy was
   made that took over (0: none was there). Those older than keep_s are removed, and all but the newest few. */
void copies_damaged(const char *dir, int64_t now_s, int64_t keep_s,
	void (*each)(void *arg, const char *name, int64_t damaged_s, int64_t copy_s), void *arg);

#endif
