/* SPDX-License-Identifier: ISC */
/*
 * lmdb_dir: the directories that books live in: their permissions, making one aside and putting it in its
 * place, setting a damaged one aside, putting a copy back.
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

#include "base/calendar.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sign.h"
#include "base/text.h"

#define LEFTOVER_S (10 * 60) /* a half-made book this old belongs to nobody */
#define LOCK_BYTES (36 << 10) /* a header and 512 readers of 64 bytes, and a little */
#define COPY_AT_ONCE ((size_t)1 << 20)

static bool is_shared(const struct stat *store)
{
	return store->st_mode & S_ISGID;
}

struct book_modes book_modes(const struct book_plan *plan, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) || !is_shared(&st))
		return (struct book_modes){0700, 0600, 0600};
	if (plan->group_writes)
		return (struct book_modes){02770, 0660, 0660};
	return (struct book_modes){02750, 0640, 0660};
}

void book_remove(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char *file = file_join(path, names[i]);

		unlink(file);
		free(file);
	}
	rmdir(path);
}

void book_remove_leftovers(const char *store, const char *name)
{
	DIR *dir = opendir(store);
	size_t n = strlen(name);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct stat st;
		char *path;

		if (strncmp(entry->d_name, name, n) || strncmp(entry->d_name + n, ".new-", 5))
			continue;
		path = file_join(store, entry->d_name);
		if (!lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_mtime < time(NULL) - LEFTOVER_S)
			book_remove(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

bool book_sync(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && !fsync(fd);

	if (!ok)
		error_set(err, ERROR_TEMPORARY, "cannot sync %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool sync_parent(const char *path, struct error *err)
{
	char *dir = file_dir(path);
	bool ok = book_sync(dir, err);

	free(dir);
	return ok;
}

char *book_path_aside(const char *path)
{
	struct text t = TEXT_INIT;
	uint8_t random[6];

	sign_random(random, sizeof(random));
	text_printf(&t, "%s.new-", path);
	sign_hex(&t, random, sizeof(random));
	return text_take(&t);
}

/* The lock file is mapped and written to. LMDB makes it sparse, and then a new reader on a full disk would
   be killed (SIGBUS); so it is made here, full of zeros, which LMDB takes for a table to be set up. */
static bool make_lock_file(const char *aside, mode_t mode, struct error *err)
{
	static const char zeros[LOCK_BYTES];
	char *path = file_join(aside, "lock.mdb");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool ok = fd >= 0 && !fchmod(fd, mode) && pwrite(fd, zeros, LOCK_BYTES, 0) == LOCK_BYTES && !fsync(fd);

	if (!ok)
		error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_TEMPORARY, "cannot make %s: %s", path,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return ok;
}

bool book_make_aside(const char *aside, const struct book_modes *modes, struct error *err)
{
	if (mkdir(aside, modes->directory))
		return error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_DENIED, "cannot make %s: %s", aside,
			strerror(errno));
	return make_lock_file(aside, modes->lock, err);
}

/* The directory comes last, and only where the umask took something from it: chmod() by an owner who is not
   in the group takes the set-group-id bit away, through which the files have got their group. */
static bool set_modes(const char *aside, const struct book_modes *modes, struct error *err)
{
	char *data = file_join(aside, "data.mdb");
	struct stat st;
	bool ok = file_set_mode(data, modes->data) && !stat(aside, &st) &&
		  ((st.st_mode & 07777) == modes->directory || file_set_mode(aside, modes->directory));

	if (!ok)
		error_set(err, ERROR_DENIED, "cannot set the permissions of %s: %s", data, strerror(errno));
	free(data);
	return ok && book_sync(aside, err);
}

bool book_put_in_place(const char *aside, const char *path, const struct book_modes *modes, struct error *err)
{
	if (!set_modes(aside, modes, err))
		return false;
	if (!rename(aside, path))
		return sync_parent(path, err);
	if (errno == ENOTEMPTY || errno == EEXIST)
		return true; /* another process was first; ours is removed by the caller */
	return error_set(err, ERROR_DENIED, "cannot rename %s to %s: %s", aside, path, strerror(errno));
}

/* ---- damage ------------------------------------------------------------------------------------------ */

bool book_set_aside(const struct book_plan *plan, const char *dir, int64_t now_s, char **moved_to,
	struct error *err)
{
	char *path = file_join(dir, plan->name);
	struct text to = TEXT_INIT;
	bool ok;

	text_printf(&to, "%s.damaged-", path);
	calendar_put_iso(&to, now_s);
	ok = !rename(path, text_str(&to));
	if (!ok)
		error_set(err, errno == ENOENT ? ERROR_MISSING : ERROR_DENIED, "cannot rename %s to %s: %s",
			path, text_str(&to), strerror(errno));
	else
		ok = book_sync(dir, err);
	free(path);
	if (ok && moved_to)
		*moved_to = text_take(&to);
	text_free(&to);
	return ok;
}

/* Errors are errno's. */
static bool copy_bytes(int from, int to)
{
	char *bytes = mem_alloc(COPY_AT_ONCE);
	ssize_t n = 1, done = 0;

	while (n > 0 && done >= 0) {
		n = read(from, bytes, COPY_AT_ONCE);
		for (ssize_t at = 0; at < n && done >= 0; at += done)
			done = write(to, bytes + at, (size_t)(n - at));
	}
	free(bytes);
	return n == 0 && done >= 0 && !fsync(to);
}

/* trusted_below: the store's directory, when only what is ours may be copied; else NULL. */
static bool copy_file(const char *from, const char *to, const char *trusted_below, struct error *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool trusted = in < 0 || !trusted_below || store_is_ours(trusted_below, in, from, err);
	int out = in < 0 || !trusted ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = out >= 0 && copy_bytes(in, out);

	if (!ok && trusted)
		error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_TEMPORARY, "cannot copy %s to %s: %s",
			from, to, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return ok;
}

bool book_restore(const struct book_plan *plan, const char *dir, const char *copies, struct error *err)
{
	struct book_modes modes = book_modes(plan, dir);
	char *path = file_join(dir, plan->name), *aside = book_path_aside(path);
	char *copy = file_join(copies, plan->name), *from = file_join(copy, "data.mdb");
	char *to = file_join(aside, "data.mdb");
	bool ok;

	if (!access(path, F_OK))
		ok = error_set(err, ERROR_INPUT, "%s is there: set it aside first", path);
	else
		ok = book_make_aside(aside, &modes, err) && copy_file(from, to, plan->group_writes ? NULL : dir, err) &&
			book_put_in_place(aside, path, &modes, err);
	book_remove(aside);
	free(path);
	free(aside);
	free(copy);
	free(from);
	free(to);
	return ok;
}

/* ---- the store's own directory ----------------------------------------------------------------------- */

bool store_prepare(const char *dir, struct error *err)
{
	const char *network = file_network_fs(dir);

	if (network)
		return error_set(err, ERROR_DENIED,
			"%s is on %s, a network file system: keep the store on a local disk",
			dir, network);
	if (!file_make_dir(dir, 0700, err)) {
		if (err->kind == ERROR_MISSING)
			err->kind = ERROR_DENIED; /* what is missing is not the store, but where it should be */
		return false;
	}
	if (access(dir, R_OK | W_OK | X_OK))
		return error_set(err, ERROR_DENIED, "cannot write to %s: %s", dir, strerror(errno));
	return true;
}

bool store_is_ours(const char *dir, int fd, const char *path, struct error *err)
{
	struct stat store, st;

	if (stat(dir, &store) || fstat(fd, &st))
		return error_set(err, ERROR_TEMPORARY, "cannot look at %s: %s", path, strerror(errno));
	if (!is_shared(&store))
		return true;
	if (st.st_uid && st.st_uid != geteuid() && st.st_uid != store.st_uid)
		return error_set(err, ERROR_DENIED,
			"%s is not believed: it belongs to user %u, who shares the store but is not the prober",
			path, (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, ERROR_DENIED,
			"%s is not believed: others than its owner may write it: chmod go-w %s", path, path);
	return true;
}
