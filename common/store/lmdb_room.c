/* SPDX-License-Identifier: ISC */
/*
 * lmdb_room: room for a book to grow into, before it is needed.
 *
 * On disk: data.mdb is kept allocated beyond its last used page with real zeros (fallocate is not enough:
 * turning an unwritten extent into a written one needs metadata, and so room). A full disk then does not
 * stop a book whose data is rewritten in place, as beats are. LMDB appends pages at the end of the used
 * ones, so zeros may be written only where nobody can append meanwhile: inside a write transaction, which
 * holds the lock of all writing processes, before it has changed anything (a large one writes pages early),
 * and through LMDB's own descriptor (closing another one of the file would drop the process's locks).
 *
 * In memory: the map starts at 64 MB, because some hosts limit the address space, and doubles while a
 * quarter of it is not free. It is grown between transactions, since it cannot be within one.
 */
#include "store/lmdb_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define ZEROS_AT_ONCE ((size_t)1 << 20)
#define RETRY_US (30 * US_PER_S)

size_t book_map_for(size_t used)
{
	size_t map = BOOK_MAP_FIRST;

	while (used > map - map / 4 && map <= SIZE_MAX / 4)
		map *= 2;
	return map;
}

uint64_t book_used(MDB_env *env, unsigned page_size)
{
	MDB_envinfo info;

	mdb_env_info(env, &info);
	return ((uint64_t)info.me_last_pgno + 1) * page_size;
}

static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	char *zeros = mem_alloc(ZEROS_AT_ONCE);
	int rc = 0;

	while (from < to && !rc) {
		size_t n = to - from < ZEROS_AT_ONCE ? (size_t)(to - from) : ZEROS_AT_ONCE;
		ssize_t done = pwrite(fd, zeros, n, (off_t)from);

		if (done > 0)
			from += (uint64_t)done;
		else if (!done)
			rc = ENOSPC;
		else if (errno != EINTR)
			rc = errno;
	}
	free(zeros);
	return rc;
}

/* From the end of the file, or of the used pages when the file has holes (a copy may). */
static uint64_t first_zero(const struct stat *st, uint64_t used, unsigned page_size)
{
	uint64_t size = (uint64_t)st->st_size / page_size * page_size;
	bool holes = (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size;

	return size < used || holes ? used : size;
}

/* Room that cannot be had is no error yet: what there is may do for long. */
static int allocate(struct book *book, int fd, const struct stat *st, uint64_t used, uint64_t to)
{
	int rc = write_zeros(fd, first_zero(st, used, book->page_size), to);

	if (rc) {
		book->room_retry_us = clock_mono_us() + RETRY_US;
		log_limited("room", "%s: cannot be allocated ahead: %s", book->path, strerror(rc));
	}
	if (!fsync(fd) || errno == EROFS || errno == EINVAL)
		return 0;
	return errno;
}

/* Asks again for growth that was refused only when a transaction has failed for it. */
static bool map_is_short(const struct book *book, const MDB_envinfo *info, uint64_t used)
{
	size_t wanted = book_map_for((size_t)used);

	if (book->want_growth)
		return true;
	return info->me_mapsize < wanted && wanted <= book->map_limit;
}

int book_make_room(struct book_txn *t)
{
	struct book *book = t->book;
	const struct book_plan *plan = book->plan;
	MDB_envinfo info;
	struct stat st;
	int fd, rc = 0;
	uint64_t used, to;

	if (mdb_env_info(book->env, &info) || mdb_env_get_fd(book->env, &fd) || fstat(fd, &st))
		return errno ? errno : EIO;
	used = ((uint64_t)info.me_last_pgno + 1) * book->page_size;
	to = used + plan->room_ahead > plan->room_first ? used + plan->room_ahead : plan->room_first;
	if ((uint64_t)st.st_size < used + plan->room_ahead / 2 || (uint64_t)st.st_size < plan->room_first)
		if (clock_mono_us() >= book->room_retry_us)
			rc = allocate(book, fd, &st, used, to);
	if (rc)
		return rc;
	return map_is_short(book, &info, used) ? BOOK_GROW : 0;
}

/* Two steps larger only when a transaction wants more than a quarter at once. */
int book_grow(struct book *book)
{
	MDB_envinfo info;
	size_t wanted;
	int rc = mdb_env_info(book->env, &info);

	if (rc)
		return rc;
	wanted = book_map_for(((size_t)info.me_last_pgno + 1) * book->page_size);
	if (book->want_growth && wanted <= info.me_mapsize)
		wanted = info.me_mapsize * 2;
	book->want_growth = false;
	if (wanted <= info.me_mapsize)
		return 0;
	book_clear_stale(book);
	rc = mdb_env_set_mapsize(book->env, wanted);
	if (rc)
		book->map_limit = info.me_mapsize;
	return rc;
}
