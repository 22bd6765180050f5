/* SPDX-License-Identifier: ISC */
/*
 * lmdb_upkeep: what is done to a whole book: stale readers, figures, a hot copy, a check of every record.
 *
 * A reader that was killed keeps its pages from being reused, and the book grows until somebody clears its
 * slot. LMDB tells the dead from the living by a lock that the kernel takes back.
 */
#include "store/lmdb_book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

unsigned book_clear_stale(struct book *book)
{
	int dead = 0;

	if (book->env && !mdb_reader_check(book->env, &dead) && dead > 0)
		book->stale_cleared += (unsigned)dead;
	return dead > 0 ? (unsigned)dead : 0;
}

bool book_figures(struct book *book, struct store_figures *out, struct error *err)
{
	MDB_envinfo info;
	struct stat st;
	int fd, rc;

	if (!book_enter(book, err))
		return false;
	book_clear_stale(book);
	rc = mdb_env_info(book->env, &info);
	if (!rc)
		rc = mdb_env_get_fd(book->env, &fd);
	if (!rc && fstat(fd, &st))
		rc = errno;
	if (!rc)
		*out = (struct store_figures){
			.file_bytes = (uint64_t)st.st_size,
			.used_bytes = ((uint64_t)info.me_last_pgno + 1) * book->page_size,
			.map_bytes = info.me_mapsize,
			.readers = info.me_numreaders,
			.stale_cleared = book->stale_cleared,
			.transaction = info.me_last_txnid,
		};
	book_leave(book);
	return !rc || book_fail(book, rc, err);
}

/* ---- hot copy ---------------------------------------------------------------------------------------- */

static bool copy_to(struct book *book, const char *file, struct error *err)
{
	int rc, fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(err, ERROR_DENIED, "cannot make %s: %s", file, strerror(errno));
	if (!book_enter(book, err)) {
		close(fd);
		return false;
	}
	rc = mdb_env_copyfd2(book->env, fd, MDB_CP_COMPACT);
	book_leave(book);
	if (!rc && fsync(fd))
		rc = errno;
	if (close(fd) && !rc)
		rc = errno;
	if (!rc)
		return true;
	return error_set(err, rc == ENOSPC ? ERROR_FULL : ERROR_TEMPORARY, "cannot copy to %s: %s", file,
		mdb_strerror(rc));
}

static bool rename_copy(const char *aside, const char *to, const char *dir_out, struct error *err)
{
	if (!rename(aside, to))
		return book_sync(dir_out, err);
	return error_set(err, errno == ENOTEMPTY || errno == EEXIST ? ERROR_INPUT : ERROR_TEMPORARY,
		"cannot rename %s to %s: %s", aside, to, strerror(errno));
}

bool book_copy(struct book *book, const char *dir_out, struct error *err)
{
	struct text name = TEXT_INIT;
	char *aside, *file, *to = file_join(dir_out, book->plan->name);
	bool ok;

	text_printf(&name, "%s.copy-%ld", book->plan->name, (long)getpid());
	aside = file_join(dir_out, text_str(&name));
	file = file_join(aside, "data.mdb");
	ok = (!access(dir_out, F_OK) || file_make_dir(dir_out, 0700, err)) &&
	     file_make_dir(aside, 0700, err) && copy_to(book, file, err) && book_sync(aside, err) &&
	     rename_copy(aside, to, dir_out, err);
	if (!ok) {
		unlink(file);
		rmdir(aside);
	}
	free(aside);
	free(file);
	free(to);
	text_free(&name);
	return ok;
}

/* ---- check ------------------------------------------------------------------------------------------- */

bool book_verify_shape(struct book_txn *t, unsigned table, uint64_t counted, struct error *err)
{
	MDB_dbi dbi = t->book->tables[table];
	unsigned flags;
	MDB_stat figures;

	if (mdb_dbi_flags(t->txn, dbi, &flags) || flags)
		return error_set(err, ERROR_DAMAGED, "it is of another kind than our tables");
	return (!mdb_stat(t->txn, dbi, &figures) && figures.ms_entries == counted) ||
		error_set(err, ERROR_DAMAGED, "there are not as many records as the table says");
}

static bool verify_table(struct book_txn *t, unsigned table, uint64_t *records, struct error *err)
{
	const struct book_table *row = &t->book->plan->tables[table];
	uint64_t before = *records;
	struct walk w;
	bool ok = true;

	for (bool on = walk_first(&w, t, table); on && ok; on = ok && walk_next(&w)) {
		ok = row->holds(&w.key, &w.value, err);
		*records += ok;
	}
	if (!walk_end(&w, ok ? err : NULL))
		return false;
	ok = ok && book_verify_shape(t, table, *records - before, err);
	return ok || error_prefix(err, "%s, table %s", t->book->path, row->name);
}

/* A list of free pages: how many, then their numbers, falling. (LMDB 0.9's mdb.c and midl.h; table 0 keeps them.) */
static bool list_holds(const MDB_val *list, size_t last_page)
{
	size_t n, page, before = last_page + 1;
	const char *at = list->mv_data;

	if (list->mv_size < sizeof(n))
		return false;
	memcpy(&n, at, sizeof(n));
	if (n > list->mv_size / sizeof(n) - 1)
		return false;
	for (size_t i = 1; i <= n; i++, before = page) {
		memcpy(&page, at + i * sizeof(page), sizeof(page));
		if (page < 2 || page >= before)
			return false;
	}
	return true;
}

bool book_verify_free(struct book_txn *t, struct error *err)
{
	MDB_envinfo info;
	MDB_cursor *cursor = NULL;
	MDB_val key, list;
	int rc = mdb_env_info(t->book->env, &info);

	if (!rc)
		rc = mdb_cursor_open(t->txn, 0, &cursor);
	while (!rc && !(rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)))
		if (!list_holds(&list, info.me_last_pgno))
			rc = MDB_CORRUPTED;
	if (cursor)
		mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND || error_set(err, ERROR_DAMAGED, "%s: its list of free pages does not hold", t->book->path);
}

bool book_verify(struct book *book, uint64_t *records, struct error *err)
{
	struct book_txn t;
	bool ok = true;

	*records = 0;
	if (!book_begin(book, false, &t, err))
		return false;
	for (unsigned i = 0; ok && i < book->tables_open; i++)
		ok = verify_table(&t, i, records, err);
	ok = ok && book_verify_free(&t, err);
	book_end(&t);
	return ok;
}
