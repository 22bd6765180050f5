/* SPDX-License-Identifier: ISC */
/*
 * lmdb_book: opening a book, its transactions, and mending it in place.
 *
 * LMDB forbids what a long-lived process with threads would like to do: the same environment may not be
 * open twice in a process (closing one drops the locks of the other), and neither may it be closed or
 * remapped while a transaction is open. So there is one struct book for each in a process (a register
 * refuses a second one), and a gate: a transaction enters, and whoever replaces the environment first
 * closes the gate and waits until everyone has left. Transactions are short, and so is that wait.
 *
 * An environment that had an error is closed and opened again rather than trusted; the process goes on.
 */
#include "store/lmdb_book.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pack.h"

#define BEGIN_ATTEMPTS 8
#define LOOK_AGAIN_US (5 * US_PER_MS)

/* Why a transaction could not begin, beside LMDB's and the system's numbers. */
enum { NOT_OPEN = -2, MOVED = -3, FROZEN = -4 };

/* ---- one book of a kind for each process ------------------------------------------------------------- */

static pthread_mutex_t register_lock = PTHREAD_MUTEX_INITIALIZER;
static struct book *register_books[4];
static pid_t register_owner; /* a forked child begins with none of its parent's */

static bool register_add(struct book *book, const struct stat *st, struct error *err)
{
	size_t free_place = COUNT_OF(register_books);
	bool taken = false;

	pthread_mutex_lock(&register_lock);
	if (register_owner != getpid())
		memset(register_books, 0, sizeof(register_books));
	register_owner = getpid();
	for (size_t i = 0; i < COUNT_OF(register_books); i++) {
		struct book *other = register_books[i];

		if (!other)
			free_place = i;
		else if (other != book && other->device == st->st_dev && other->inode == st->st_ino)
			taken = true;
		else if (other == book)
			free_place = i;
	}
	if (!taken && free_place < COUNT_OF(register_books)) {
		register_books[free_place] = book;
		book->device = st->st_dev;
		book->inode = st->st_ino;
	}
	pthread_mutex_unlock(&register_lock);
	if (taken || free_place == COUNT_OF(register_books))
		return error_set(err, ERROR_TEMPORARY, "%s is open in this process already", book->path);
	return true;
}

static void register_remove(struct book *book)
{
	pthread_mutex_lock(&register_lock);
	for (size_t i = 0; i < COUNT_OF(register_books); i++)
		if (register_books[i] == book)
			register_books[i] = NULL;
	pthread_mutex_unlock(&register_lock);
}

/* ---- the gate ---------------------------------------------------------------------------------------- */

static void gate_enter(struct book *book)
{
	pthread_mutex_lock(&book->lock);
	while (book->closed)
		pthread_cond_wait(&book->calm, &book->lock);
	book->users++;
	pthread_mutex_unlock(&book->lock);
}

static void gate_leave(struct book *book)
{
	pthread_mutex_lock(&book->lock);
	if (!--book->users && book->closed)
		pthread_cond_broadcast(&book->calm);
	pthread_mutex_unlock(&book->lock);
}

static void gate_close(struct book *book)
{
	pthread_mutex_lock(&book->lock);
	while (book->closed)
		pthread_cond_wait(&book->calm, &book->lock);
	book->closed = true;
	while (book->users)
		pthread_cond_wait(&book->calm, &book->lock);
	pthread_mutex_unlock(&book->lock);
}

static void gate_reopen(struct book *book)
{
	pthread_mutex_lock(&book->lock);
	book->closed = false;
	pthread_cond_broadcast(&book->calm);
	pthread_mutex_unlock(&book->lock);
}

/* ---- opening ----------------------------------------------------------------------------------------- */

/* A write beyond `ulimit -f` must fail, not kill. */
static void survive_file_size_limit(void)
{
	struct sigaction now;

	if (!sigaction(SIGXFSZ, NULL, &now) && now.sa_handler == SIG_DFL) {
		now.sa_handler = SIG_IGN;
		sigaction(SIGXFSZ, &now, NULL);
	}
}

/* With the file system read-only nothing can be written, the reader table neither: a writer then reads,
   so that people still see the last data. Nobody else can write it, so no reader table is needed. */
static int open_environment(struct book *book, MDB_env **env)
{
	unsigned flags = book->mode == STORE_READ ? MDB_RDONLY : 0;
	int rc = book_env_open(book, env, book->path, flags, 0600);

	book->frozen = false;
	if (rc != EROFS)
		return rc;
	book->frozen = true;
	return book_env_open(book, env, book->path, MDB_RDONLY | MDB_NOLOCK, 0600);
}

static bool check_schema(const struct book *book, const MDB_val *value, struct error *err)
{
	struct unpack u;
	uint64_t schema = 0;

	if (!unpack_begin(&u, value->mv_data, value->mv_size, BOOK_SCHEMA_KIND, BOOK_SCHEMA_VERSION, err))
		return false;
	while (unpack_next(&u))
		if (u.tag == 1)
			schema = unpack_u64(&u);
	if (!unpack_end(&u, err))
		return false;
	if (schema > book->plan->schema)
		return error_set(err, ERROR_NEWER,
			"%s was written by a newer version of Upbeat (schema %llu, we know %u): use that",
			book->path, (unsigned long long)schema, book->plan->schema);
	return true;
}

static bool schema_known(struct book *book, MDB_env *env, struct error *err)
{
	struct key name = key_name("schema");
	MDB_val k = {name.n, name.bytes}, value;
	MDB_txn *txn;
	bool ok;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc)
		return book_fail(book, rc, err);
	rc = mdb_get(txn, book->tables[BOOK_META], &k, &value);
	if (rc == MDB_NOTFOUND)
		ok = error_set(err, ERROR_DAMAGED, "%s has no schema record", book->path);
	else if (rc)
		ok = book_fail(book, rc, err);
	else
		ok = check_schema(book, &value, err);
	mdb_txn_abort(txn);
	return ok;
}

/* Reading beyond the end of a file that was cut off would kill us (SIGBUS). */
static bool whole(struct book *book, MDB_env *env, struct error *err)
{
	MDB_stat figures;
	struct stat st;
	int fd, rc = mdb_env_stat(env, &figures);

	if (!rc)
		rc = mdb_env_get_fd(env, &fd);
	if (!rc && fstat(fd, &st))
		rc = errno;
	if (rc)
		return book_fail(book, rc, err);
	book->page_size = figures.ms_psize;
	if ((uint64_t)st.st_size >= book_used(env, book->page_size))
		return true;
	return error_set(err, ERROR_DAMAGED, "%s: data.mdb is cut off", book->path);
}

/* What only the prober writes, and what its own conclusions go on from: nobody else may have put it there. */
static bool kept_by_us(struct book *book, MDB_env *env, struct error *err)
{
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (book->plan->group_writes || book->mode == STORE_READ)
		return true;
	return rc ? book_fail(book, rc, err) : store_is_ours(book->dir, fd, book->data_path, err);
}

/* Is it ours, and of a version that we know? A writer adds the tables that an older program's book lacks. */
static bool settle(struct book *book, MDB_env *env, struct error *err)
{
	bool writer = book->mode != STORE_READ && !book->frozen;
	int rc;

	if (!kept_by_us(book, env, err) || !whole(book, env, err))
		return false;
	rc = book_tables_open(book, env, false);
	if (rc)
		return book_fail(book, rc, err);
	if (!book->tables_open)
		return error_set(err, ERROR_DAMAGED, "%s has no tables", book->path);
	if (!schema_known(book, env, err))
		return false;
	if (!writer || book->tables_open == book->plan->table_count)
		return true;
	rc = book_tables_open(book, env, true);
	return !rc || book_fail(book, rc, err);
}

/* A link would let who put it there choose the file that we write to. */
static bool is_no_link(const char *path, struct error *err)
{
	struct stat st;

	return lstat(path, &st) || S_ISREG(st.st_mode) ||
	       error_set(err, ERROR_DENIED, "%s is not a regular file", path);
}

static bool without_links(const struct book *book, struct error *err)
{
	char *lock = file_join(book->path, "lock.mdb");
	bool ok = is_no_link(book->data_path, err) && is_no_link(lock, err);

	free(lock);
	return ok;
}

/* Opens what is there. The gate is closed, or nobody else knows the book yet. */
static bool open_existing(struct book *book, const struct stat *st, struct error *err)
{
	MDB_env *env = NULL;
	int rc;

	if (!without_links(book, err))
		return false;
	if (!st->st_size)
		return error_set(err, ERROR_DAMAGED, "%s: data.mdb is empty", book->path);
	if (!register_add(book, st, err))
		return false;
	rc = open_environment(book, &env);
	if (rc)
		return book_fail(book, rc, err);
	if (!settle(book, env, err)) {
		mdb_env_close(env);
		return false;
	}
	book->env = env;
	book->generation++;
	if (book->plan->read_by_prober == (book->mode == STORE_READ) && !book->frozen)
		book_clear_stale(book);
	return true;
}

static bool local_disk(const struct book *book, struct error *err)
{
	const char *network = file_network_fs(book->dir);

	if (!network)
		return true;
	return error_set(err, ERROR_DENIED,
		"%s is on %s, a network file system, where shared memory and locks "
		"do not hold: keep it on a local disk (\"store\" in upbeat.json, UPBEAT_STORE)",
		book->dir, network);
}

static bool open_or_create(struct book *book, struct error *err)
{
	struct stat st;

	if (!local_disk(book, err))
		return false;
	if (stat(book->data_path, &st)) {
		if (errno != ENOENT || book->mode != STORE_CREATE)
			return book_fail(book, errno, err);
		if (!book_create(book, err))
			return false;
		if (stat(book->data_path, &st))
			return book_fail(book, errno, err);
	}
	return open_existing(book, &st, err);
}

static struct book *book_new(const struct book_plan *plan, const char *dir, enum store_mode mode)
{
	struct book *book = MEM_NEW(struct book);

	survive_file_size_limit();
	book->plan = plan;
	book->mode = mode;
	book->dir = mem_str(dir);
	book->path = file_join(dir, plan->name);
	book->data_path = file_join(book->path, "data.mdb");
	book->map_limit = SIZE_MAX;
	pthread_mutex_init(&book->lock, NULL);
	pthread_cond_init(&book->calm, NULL);
	return book;
}

bool book_make(const struct book_plan *plan, const char *dir, struct error *err)
{
	struct book *book = book_new(plan, dir, STORE_CREATE);
	bool ok = access(book->data_path, F_OK) == 0 || local_disk(book, err);

	if (ok && access(book->data_path, F_OK) != 0)
		ok = errno == ENOENT ? book_create(book, err) : book_fail(book, errno, err);
	book_close(book);
	return ok;
}

struct book *book_open(const struct book_plan *plan, const char *dir, enum store_mode mode, struct error *err)
{
	struct book *book = book_new(plan, dir, mode);

	if (open_or_create(book, err))
		return book;
	book_close(book);
	return NULL;
}

void book_close(struct book *book)
{
	if (!book)
		return;
	gate_close(book);
	if (book->env)
		mdb_env_close(book->env);
	register_remove(book);
	pthread_mutex_destroy(&book->lock);
	pthread_cond_destroy(&book->calm);
	free(book->dir);
	free(book->path);
	free(book->data_path);
	free(book);
}

/* ---- mending ----------------------------------------------------------------------------------------- */

static bool reopen(struct book *book, struct error *err)
{
	if (book->env)
		mdb_env_close(book->env);
	book->env = NULL;
	book->map_limit = SIZE_MAX;
	return open_or_create(book, err);
}

/* A map that cannot grow leaves the environment without any: it is opened again as it was. */
static bool grow(struct book *book, struct error *err)
{
	size_t limit;

	if (!book->env)
		return reopen(book, err);
	if (!book_grow(book)) {
		book->generation++;
		return true;
	}
	limit = book->map_limit;
	if (!reopen(book, err))
		return false;
	book->map_limit = limit;
	return true;
}

/* Does what helps against rc, unless another thread has done it since `seen`. */
static bool mend(struct book *book, int rc, uint64_t seen, struct error *err)
{
	bool ok = true;

	gate_close(book);
	if (book->generation == seen)
		ok = rc == MDB_MAP_RESIZED || rc == BOOK_GROW ? grow(book, err) : reopen(book, err);
	gate_reopen(book);
	return ok;
}

/* ---- transactions ------------------------------------------------------------------------------------ */

/* Somebody may have put another book in its place: a restored copy, or a new one after damage. A writer asks
   each time, because what it acknowledges must be in the book that stays; readers, of whom there may be
   thousands a second, ask anew only after LOOK_AGAIN_US. */
static int still_there(struct book *book, bool writing)
{
	int64_t now_us = clock_mono_us();
	struct stat st;

	if (!book->env)
		return NOT_OPEN;
	if (!writing && now_us - __atomic_load_n(&book->looked_us, __ATOMIC_RELAXED) < LOOK_AGAIN_US)
		return 0;
	__atomic_store_n(&book->looked_us, now_us, __ATOMIC_RELAXED);
	if (stat(book->data_path, &st))
		return errno == ENOENT || errno == ENOTDIR ? MOVED : 0;
	return st.st_dev == book->device && st.st_ino == book->inode ? 0 : MOVED;
}

static int begin_once(struct book_txn *t)
{
	struct book *book = t->book;
	int rc = still_there(book, t->writing);

	t->generation = book->generation;
	if (rc)
		return rc;
	if (t->writing && book->frozen)
		return FROZEN;
	rc = mdb_txn_begin(book->env, NULL, t->writing ? 0 : MDB_RDONLY, &t->txn);
	if (rc == MDB_READERS_FULL && book_clear_stale(book))
		rc = mdb_txn_begin(book->env, NULL, MDB_RDONLY, &t->txn);
	if (rc || !t->writing)
		return rc;
	rc = book_make_room(t);
	if (rc)
		mdb_txn_abort(t->txn);
	return rc;
}

/* Some faults come again by the doing of others: the map grows on, another thread's write fails, too. */
static bool may_mend(const struct book *book, int rc, unsigned attempt)
{
	if (rc == MDB_MAP_RESIZED || rc == BOOK_GROW || rc == MDB_PANIC)
		return attempt < BEGIN_ATTEMPTS;
	return attempt == 0 && rc != MDB_READERS_FULL && (rc != FROZEN || book->mode != STORE_READ);
}

static bool fail_begin(struct book *book, int rc, struct error *err)
{
	if (rc == FROZEN)
		rc = EROFS;
	if (rc == MOVED || rc == NOT_OPEN)
		rc = ENOENT;
	return book_fail(book, rc == BOOK_GROW ? MDB_MAP_FULL : rc, err);
}

bool book_begin(struct book *book, bool writing, struct book_txn *t, struct error *err)
{
	if (writing && book->mode == STORE_READ)
		return error_set(err, ERROR_DENIED, "%s is open for reading only", book->path);
	for (unsigned attempt = 0;; attempt++) {
		int rc;

		*t = (struct book_txn){.book = book, .writing = writing};
		gate_enter(book);
		rc = begin_once(t);
		if (!rc)
			return true;
		gate_leave(book);
		t->txn = NULL;
		if (!may_mend(book, rc, attempt))
			return fail_begin(book, rc, err);
		if (!mend(book, rc, t->generation, err))
			return false;
	}
}

/* After the transaction has left the gate: a full book stays as it is, any other fault reopens it. What
   that says is of no use to the caller, whose error came first. */
static void after_failure(struct book *book, int rc, uint64_t seen)
{
	struct error ignored;

	if (rc == MDB_MAP_FULL)
		book->want_growth = true;
	if (!book_is_full(rc))
		mend(book, rc, seen, &ignored);
}

bool book_txn_commit(struct book_txn *t, struct error *err)
{
	struct book *book = t->book;
	int rc = t->failed;

	if (rc)
		mdb_txn_abort(t->txn);
	else
		rc = mdb_txn_commit(t->txn);
	t->txn = NULL;
	gate_leave(book);
	if (!rc)
		return true;
	rc = book_true_error(book, rc);
	book_fail(book, rc, err);
	after_failure(book, rc, t->generation);
	return false;
}

void book_end(struct book_txn *t)
{
	if (!t->txn)
		return;
	mdb_txn_abort(t->txn);
	t->txn = NULL;
	gate_leave(t->book);
	if (t->writing && t->failed)
		after_failure(t->book, book_true_error(t->book, t->failed), t->generation);
}

bool book_enter(struct book *book, struct error *err)
{
	gate_enter(book);
	if (book->env)
		return true;
	gate_leave(book);
	return fail_begin(book, NOT_OPEN, err);
}

void book_leave(struct book *book)
{
	gate_leave(book);
}
