/* SPDX-License-Identifier: ISC */
/*
 * store: what the two books have in common. Each is an LMDB environment in its own directory below the
 * store's: inbox/ is written by the web program only, state/ by the prober only; each reads the other's.
 *
 * Only common/store includes lmdb.h, and nothing of LMDB is seen outside: the verbs of inbox.h and state.h
 * are those of our domain, so that another engine could stand behind them.
 *
 * How a book is kept (details at the code): created in a temporary directory and renamed; data.mdb
 * allocated ahead with real zeros so that a full disk does not stop it; maps start at 64 MB and double, in
 * every process; records are packed (base/pack.h) with version and checksum; network file systems are
 * refused; stale readers are cleared; a storage error aborts or reopens, never exits.
 *
 * How a store gets older than its program, and newer:
 *
 *	a field is added	its row has a new tag: older records read as if it were empty, older programs
 *				step over it. Nothing is rewritten; a record takes its new shape when it
 *				is next written.
 *	a table is added	at the end of the plan. The writer makes what an older program's book lacks
 *				in one transaction when it opens it; to a reader it is empty until then.
 *	a meaning changes	never under the same tag or name. A record whose shape cannot say it gets a
 *				higher version, a book whose tables cannot say it a higher schema. Who knows
 *				only a lower one refuses with ERROR_NEWER, which is no damage: nothing is
 *				set aside, nothing written, beats are answered 503.
 *
 * So each step of an upgrade is one commit, and a kill leaves what was or what is to be. Stores of older
 * programs are kept in tests/e2e/stores and opened by each test run (test_upgrade.py).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum store_mode {
	STORE_READ,   /* read-only; ERROR_MISSING when it is not there */
	STORE_WRITE,  /* its one writing program; ERROR_MISSING when it is not there */
	STORE_CREATE, /* as STORE_WRITE, and made when missing */
};

/* Figures of a book, for doctor and status. */
struct store_figures {
	uint64_t file_bytes, used_bytes, map_bytes;
	unsigned readers, stale_cleared;
	uint64_t transaction;
};

/* Makes the store's directory itself and checks that it is fit: local file system, ours to write. */
bool store_prepare(const char *dir, struct error *err);
/* Where a group shares the store's directory (chmod 2770) its members may rename what is in it and put their
   own there, so what the prober believes must be its own. Asked of what is open, since names change hands:
   was it made by us, by root or by the directory's owner, and may nobody else write it? ERROR_DENIED, with
   `path` for people, when not. A directory that nobody shares holds ours only. */
bool store_is_ours(const char *dir, int fd, const char *path, struct error *err);

#endif
