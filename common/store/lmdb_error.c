/* SPDX-License-Identifier: ISC */
/*
 * lmdb_error: LMDB's and the system's error numbers, as a kind that decides what is done next and a
 * sentence for whoever has to mend it.
 */
#include "store/lmdb_book.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct failure {
	int rc;
	enum error_kind kind;
	const char *text; /* NULL: what the library says */
};
static const struct failure failures[] = {
	{ENOSPC, ERROR_FULL, "no room left on its disk"},
	{EDQUOT, ERROR_FULL, "the disk quota is used up"},
	{EFBIG, ERROR_FULL, "the file size limit (ulimit -f) is reached"},
	{MDB_MAP_FULL, ERROR_FULL, "its map is full and cannot grow (address space limit, ulimit -v?)"},
	{MDB_TXN_FULL, ERROR_FULL, "one transaction changes too much"},
	{MDB_NOTFOUND, ERROR_MISSING, "no such record"},
	{ENOENT, ERROR_MISSING, "it does not exist (yet); `upbeat-prober` makes it"},
	{EIO, ERROR_TEMPORARY, "the disk reports an input/output error"},
	{MDB_PANIC, ERROR_TEMPORARY, "an earlier write to it failed"},
	{MDB_READERS_FULL, ERROR_TEMPORARY, "its reader table is full"},
	{ENOMEM, ERROR_TEMPORARY, "no memory or address space for its map (ulimit -v?)"},
	{EAGAIN, ERROR_TEMPORARY,
		"its lock is held by who cannot be told from us (containers with separate process ids?)"},
	{MDB_INVALID, ERROR_DAMAGED, "data.mdb is not a store"},
	{MDB_CORRUPTED, ERROR_DAMAGED, "a page does not hold"},
	{MDB_PAGE_NOTFOUND, ERROR_DAMAGED, "a page is missing"},
	{MDB_VERSION_MISMATCH, ERROR_NEWER, "it was written by another version of LMDB"},
	{EROFS, ERROR_DENIED, "its file system is read-only"},
};

static const struct failure *failure_of(int rc)
{
	for (size_t i = 0; i < COUNT_OF(failures); i++)
		if (failures[i].rc == rc)
			return &failures[i];
	return NULL;
}

bool book_is_full(int rc)
{
	const struct failure *failure = failure_of(rc);

	return failure && failure->kind == ERROR_FULL;
}

int book_true_error(const struct book *book, int rc)
{
	struct statvfs fs;

	if (rc == EIO && !statvfs(book->path, &fs) && fs.f_bavail * fs.f_frsize < (1u << 20))
		return ENOSPC;
	return rc;
}

/* Names the file that is in the way and what would help: readers need to write lock.mdb, too. */
static bool fail_denied(const struct book *book, struct error *err)
{
	char *lock = file_join(book->path, "lock.mdb");
	bool writes = book->mode != STORE_READ;

	if (access(book->path, X_OK))
		error_set(err, ERROR_DENIED,
			"%s: we (user %u) may not enter it: run both programs as one user, or "
			"share it with a group (chgrp -R GROUP %s; chmod 2770 %s)",
			book->path, (unsigned)geteuid(), book->dir, book->dir);
	else if (access(book->data_path, writes ? R_OK | W_OK : R_OK))
		error_set(err, ERROR_DENIED, "%s: we (user %u) may not %s it: chgrp GROUP %s; chmod %s %s",
			book->data_path, (unsigned)geteuid(), writes ? "write" : "read", book->data_path,
			book->plan->group_writes ? "0660" : "0640", book->data_path);
	else
		error_set(err, ERROR_DENIED,
			"%s: we (user %u) may not write it, and readers must, too (their table "
			"is in it): chgrp GROUP %s; chmod 0660 %s",
			lock, (unsigned)geteuid(), lock, lock);
	free(lock);
	return false;
}

bool book_fail(const struct book *book, int rc, struct error *err)
{
	const struct failure *failure = failure_of(rc);

	if (rc == EACCES || rc == EPERM)
		return fail_denied(book, err);
	return error_set(err, failure ? failure->kind : ERROR_TEMPORARY, "%s: %s", book->path,
		failure && failure->text ? failure->text : mdb_strerror(rc));
}
