/* SPDX-License-Identifier: ISC */
/*
 * lmdb_create: making a book, and the settings every environment is opened with.
 *
 * A crash while LMDB initialises a file leaves one that cannot be opened. So a book is made in a directory
 * aside, with its tables, its schema record and its first room, synced, and then renamed. Of two processes
 * that do this at once the second finds its rename refused and uses the book of the first.
 */
#include "store/lmdb_book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pack.h"

#define MAX_READERS 512
#define MAP_SMALLEST ((size_t)1 << 20)
#define OPEN_ATTEMPTS 6
#define OPEN_WAIT_NS (15 * 1000 * 1000)

/* LMDB refuses a file when either of its two heads has a version that it does not know. Those of a newer LMDB's
   file both have; where one is ours the other one is damaged. (LMDB 0.9's mdb.c: MDB_MAGIC, MDB_DATA_VERSION; a
   head stands behind the 16 bytes of a page's header.) */
static bool one_head_is_ours(const char *path)
{
	const uint32_t ours[2] = {0xBEEFC0DE, 1};
	char *data = file_join(path, "data.mdb");
	int fd = open(data, O_RDONLY | O_CLOEXEC);
	bool found = false;

	for (int page = 0; fd >= 0 && page < 2; page++) {
		uint32_t head[2];

		found = found || (pread(fd, head, sizeof(head), page * sysconf(_SC_PAGESIZE) + 16) == sizeof(head) &&
					memcmp(head, ours, sizeof(head)) == 0);
	}
	if (fd >= 0)
		close(fd);
	free(data);
	return found;
}

static int open_once(MDB_env **env, const char *path, unsigned flags, size_t map, mode_t mode)
{
	int fd, rc = mdb_env_create(env);

	if (rc)
		return rc;
	mdb_env_set_maxdbs(*env, BOOK_TABLES_MAX);
	mdb_env_set_maxreaders(*env, MAX_READERS);
	mdb_env_set_mapsize(*env, map);
	rc = mdb_env_open(*env, path, flags | MDB_NOTLS, mode);
	/* the one descriptor that LMDB leaves open across exec */
	if (!rc && !mdb_env_get_fd(*env, &fd))
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (rc == MDB_VERSION_MISMATCH && one_head_is_ours(path))
		rc = MDB_CORRUPTED;
	if (rc) {
		mdb_env_close(*env);
		*env = NULL;
	}
	return rc;
}

/* Opening may fail by chance while another process opens or closes the same book. */
static bool may_pass(int rc)
{
	return rc == EAGAIN || rc == EBUSY || rc == EINVAL || rc == MDB_INVALID || rc == EINTR;
}

static void pause_before_retry(void)
{
	const struct timespec wait = {0, OPEN_WAIT_NS};

	nanosleep(&wait, NULL);
}

int book_env_open(struct book *book, MDB_env **env, const char *path, unsigned flags, mode_t mode)
{
	size_t map = BOOK_MAP_FIRST;

	for (unsigned attempt = 0;;) {
		int rc = open_once(env, path, flags, map, mode);

		if (rc == ENOMEM && map > MAP_SMALLEST) {
			map /= 2;
			book->map_limit = map;
		} else if (!may_pass(rc) || ++attempt == OPEN_ATTEMPTS) {
			return rc;
		} else {
			pause_before_retry();
		}
	}
}

int book_tables_open(struct book *book, MDB_env *env, bool create)
{
	MDB_txn *txn;
	unsigned i;
	int rc = mdb_txn_begin(env, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (rc)
		return rc;
	for (i = 0; i < book->plan->table_count; i++) {
		rc = mdb_dbi_open(txn, book->plan->tables[i].name, create ? MDB_CREATE : 0, &book->tables[i]);
		if (rc)
			break;
	}
	if (rc && (create || rc != MDB_NOTFOUND)) {
		mdb_txn_abort(txn);
		return rc;
	}
	rc = mdb_txn_commit(txn);
	if (!rc)
		book->tables_open = i;
	return rc;
}

/* ---- filling a new one ------------------------------------------------------------------------------- */

static bool put_schema(struct book_txn *t, struct error *err)
{
	struct key k = key_name("schema");
	struct pack p;
	bool ok;

	pack_begin(&p, BOOK_SCHEMA_KIND, BOOK_SCHEMA_VERSION);
	pack_u64(&p, 1, t->book->plan->schema);
	pack_end(&p);
	ok = book_put(t, BOOK_META, &k, p.out.ptr, p.out.len, err);
	pack_free(&p);
	return ok;
}

/* Works on the book as if it were open already: nobody else knows it yet. */
static bool fill(struct book *book, struct error *err)
{
	struct book_txn t = {.book = book, .writing = true};
	MDB_stat stat;
	int rc = mdb_env_stat(book->env, &stat);

	book->page_size = stat.ms_psize;
	if (!rc)
		rc = book_tables_open(book, book->env, true);
	if (!rc)
		rc = mdb_txn_begin(book->env, NULL, 0, &t.txn);
	if (rc)
		return book_fail(book, rc, err);
	rc = book_make_room(&t);
	if (rc || !put_schema(&t, err)) {
		mdb_txn_abort(t.txn);
		return rc ? book_fail(book, rc, err) : false;
	}
	rc = mdb_txn_commit(t.txn);
	return !rc || book_fail(book, book_true_error(book, rc), err);
}

static bool make_in(struct book *book, const char *aside, mode_t data_mode, struct error *err)
{
	int rc = book_env_open(book, &book->env, aside, 0, data_mode);
	bool ok = rc ? book_fail(book, rc, err) : fill(book, err);

	if (book->env)
		mdb_env_close(book->env);
	book->env = NULL;
	return ok;
}

bool book_create(struct book *book, struct error *err)
{
	struct book_modes modes = book_modes(book->plan, book->dir);
	char *aside = book_path_aside(book->path);
	bool ok;

	book_remove_leftovers(book->dir, book->plan->name);
	ok = book_make_aside(aside, &modes, err) && make_in(book, aside, modes.data, err) &&
		book_put_in_place(aside, book->path, &modes, err);
	book_remove(aside);
	free(aside);
	return ok;
}

