/* SPDX-License-Identifier: ISC */
/*
 * ward: where books are examined before anybody trusts them, and mended when they are damaged.
 *
 * LMDB notices no damage, and a page that points nowhere or lies beyond the end of a cut-off file ends the
 * process that reads it. So a child examines: what it says comes through a pipe, and if it dies of a signal
 * that a damaged file causes, the book is damaged.
 */
#ifndef PROBER_WARD_H
#define PROBER_WARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/audit.h"
#include "store/inbox.h"

enum ward_book { WARD_STATE, WARD_INBOX };
enum ward_health {
	WARD_GOOD,
	WARD_BROKEN,  /* every record holds, but not all that should hold between them */
	WARD_TORN,    /* the same, and between an index and what it indexes: the work of damage */
	WARD_DAMAGED, /* records do not hold, or reading it ended the child */
	WARD_UNKNOWN, /* could not be examined: missing, not ours to read, no process to be had; see err */
};
enum ward_how {
	WARD_RECORDS, /* every record by itself */
	WARD_WHOLE,   /* also what must hold between them */
	WARD_SOME,    /* the same; of a large book only now and then */
};

/* Examines dir/state or dir/inbox in a child. `found` (may be NULL) gets the counts, and what does not hold is
   said through its say(). err is filled in for WARD_DAMAGED and WARD_UNKNOWN. */
enum ward_health ward_examine(const char *dir, enum ward_book book, enum ward_how how, struct audit *found,
	struct error *err);

struct pass;
/* Before a pass opens the state: examines it, all of it when the last pass died, and mends it at once when it is
   damaged. */
bool ward_admit(const char *store, bool last_died, struct error *err);
/* The inbox's reader starts while the state is examined. ward_admit_inbox() tells what went wrong. */
void ward_expect_inbox(const char *store);
/* Opens the inbox (heard.h), made where there is none, and examines it as the state. NULL when that fails; of a
   damaged one, which is the web program's to mend, *damaged is its file, else 0. */
struct inbox *ward_admit_inbox(const char *store, bool last_died, uint64_t *damaged, struct error *err);
/* After they are open: tells the web program which file is damaged (0: none), and people what was set aside. */
void ward_report(struct pass *pass, uint64_t inbox_damaged);
/* Makes the hourly copies when they are due, in a child: on a slow disk that takes longer than nobody may look.
   A pass that lasts begins with it early, any other at its end; the end waits for it. */
void ward_copy_begin(struct pass *pass);
void ward_copy_end(struct pass *pass);

#endif
