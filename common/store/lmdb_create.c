/* SPDX-License-Identifier: ISC */
/*
 * lmdb_create: making a book, and the settings every environment is opened with.
 *
 * A crash while LMDB initialises a file leaves one that cannot be opened. So a book is made in a directory
 * aside, with its tables, its schema record and its first room, synced, and then renamed. Of two processes
 * that do this at once the second finds its rename refused and uses the book of the first.
 *
 * Who may use it: only its owner, unless the store's directory has the set-group-id bit (chmod 2770). That
 * bit says that its group shares the store, as when the web server runs as another user: then the files
 * get the group's permissions whatever the umask, the inbox for writing, the state for reading; lock.mdb
 * is writable for both, because LMDB's readers register in it.
 */
#include "store/lmdb_book.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/sign.h"
#include "base/text.h"

#define MAX_READERS 512
#define MAP_SMALLEST ((size_t)1 << 20)
#define OPEN_ATTEMPTS 6
#define OPEN_WAIT_NS (15 * 1000 * 1000)
#define LEFTOVER_S (10 * 60) /* a half-made book this old belongs to nobody */

struct modes {
	mode_t directory, data, lock;
};

static struct modes modes_for(const struct book *book)
{
	struct stat st;

	if (stat(book->dir, &st) || !(st.st_mode & S_ISGID))
		return (struct modes){0700, 0600, 0600};
	if (book->plan->group_writes)
		return (struct modes){02770, 0660, 0660};
	return (struct modes){02750, 0640, 0660};
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

static bool make_in(struct book *book, const char *aside, const struct modes *modes, struct error *err)
{
	int rc = book_env_open(book, &book->env, aside, 0, modes->data);
	bool ok = rc ? book_fail(book, rc, err) : fill(book, err);

	if (book->env)
		mdb_env_close(book->env);
	book->env = NULL;
	return ok;
}

/* ---- directories ------------------------------------------------------------------------------------- */

static void remove_book_dir(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char *file = file_join(path, names[i]);

		unlink(file);
		free(file);
	}
	rmdir(path);
}

/* What creators that were killed left behind. */
static void remove_leftovers(const struct book *book)
{
	DIR *dir = opendir(book->dir);
	size_t n = strlen(book->plan->name);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct stat st;
		char *path;

		if (strncmp(entry->d_name, book->plan->name, n) || strncmp(entry->d_name + n, ".new-", 5))
			continue;
		path = file_join(book->dir, entry->d_name);
		if (!stat(path, &st) && S_ISDIR(st.st_mode) && st.st_mtime < time(NULL) - LEFTOVER_S)
			remove_book_dir(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

static bool sync_dir(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && !fsync(fd);

	if (!ok)
		error_set(err, ERROR_TEMPORARY, "cannot sync %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static char *path_aside(const struct book *book)
{
	struct text t = TEXT_INIT;
	uint8_t random[6];

	sign_random(random, sizeof(random));
	text_printf(&t, "%s.new-", book->path);
	sign_hex(&t, random, sizeof(random));
	return text_take(&t);
}

static bool set_modes(const char *aside, const struct modes *modes, struct error *err)
{
	char *data = file_join(aside, "data.mdb"), *lock = file_join(aside, "lock.mdb");
	bool ok = !chmod(data, modes->data) && !chmod(lock, modes->lock);

	if (!ok)
		error_set(err, ERROR_DENIED, "cannot set the permissions of %s: %s", aside, strerror(errno));
	free(data);
	free(lock);
	return ok && sync_dir(aside, err);
}

static bool put_in_place(const struct book *book, const char *aside, struct error *err)
{
	if (!rename(aside, book->path))
		return sync_dir(book->dir, err);
	if (errno == ENOTEMPTY || errno == EEXIST)
		return true; /* another process was first; ours is removed by the caller */
	return error_set(err, ERROR_DENIED, "cannot rename %s to %s: %s", aside, book->path, strerror(errno));
}

bool book_create(struct book *book, struct error *err)
{
	struct modes modes = modes_for(book);
	char *aside = path_aside(book);
	bool ok;

	remove_leftovers(book);
	ok = file_make_dir(aside, modes.directory, err) && make_in(book, aside, &modes, err) &&
		set_modes(aside, &modes, err) && put_in_place(book, aside, err);
	remove_book_dir(aside);
	free(aside);
	return ok;
}

bool store_prepare(const char *dir, struct error *err)
{
	const char *network = file_network_fs(dir);

	if (network)
		return error_set(err, ERROR_DENIED, "%s is on %s, a network file system: keep the store on a local "
			"disk", dir, network);
	if (access(dir, F_OK) && !file_make_dir(dir, 0700, err))
		return false;
	if (access(dir, R_OK | W_OK | X_OK))
		return error_set(err, ERROR_DENIED, "cannot write to %s: %s", dir, strerror(errno));
	return true;
}
