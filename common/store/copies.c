/* SPDX-License-Identifier: ISC */
/*
 * copies: making, counting and using hot copies. See copies.h.
 *
 * Names are times, so their order by name is their order in time.
 */
#include "store/copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/text.h"
#include "store/lmdb_book.h"

#define HOUR_S 3600
#define COPIES_BYTES (UINT64_C(64) << 20) /* together, beyond the newest two */
#define COPIES_LEAST 2
#define DAMAGED_KEPT 3                    /* of each book */
#define ROOM_LEFT (UINT64_C(16) << 20)    /* on the disk, after a copy */
#define READ_AT_ONCE ((size_t)256 << 10)

static const struct kind {
	const char *name;
	bool (*set_aside)(const char *dir, int64_t now_s, char **moved_to, struct error *err);
	bool (*restore)(const char *dir, const char *copies, struct error *err);
	mode_t shared_directory, shared_data; /* where a group shares the store */
} kinds[] = {
	{"state", state_set_aside, state_restore, 0700, 0600},
	{"inbox", inbox_set_aside, inbox_restore, 02750, 0640}, /* its writer mends it, too */
};
enum { KIND_STATE, KIND_INBOX };

/* ---- names ------------------------------------------------------------------------------------------- */

/* 2026-05-01T02:10:04Z, the whole of s; -1 when it is none. */
static int64_t time_of(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	struct civil c;

	if (strlen(s) != sizeof(shape) - 1)
		return -1;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return -1;
	c = (struct civil){.year = (int)strtol(s, NULL, 10), .month = (int)strtol(s + 5, NULL, 10),
		.day = (int)strtol(s + 8, NULL, 10), .hour = (int)strtol(s + 11, NULL, 10),
		.minute = (int)strtol(s + 14, NULL, 10), .second = (int)strtol(s + 17, NULL, 10)};
	return calendar_unix(NULL, &c);
}

struct names {
	char **at;
	size_t n;
};

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

/* Those that are `prefix` and a time, the newest first. */
static void names_read(struct names *names, const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	size_t n = strlen(prefix);
	struct dirent *entry;

	*names = (struct names){NULL, 0};
	while (d && (entry = readdir(d))) {
		if (strncmp(entry->d_name, prefix, n) || time_of(entry->d_name + n) < 0)
			continue;
		names->at = mem_grow(names->at, names->n + 1, sizeof(*names->at));
		names->at[names->n++] = mem_str(entry->d_name);
	}
	if (d)
		closedir(d);
	if (names->n)
		qsort(names->at, names->n, sizeof(*names->at), newest_first);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
}

/* Removes a file, a link or a directory with all it holds, so many levels of it. Never follows links. */
static void remove_at(int parent, const char *name, int depth)
{
	int fd = unlinkat(parent, name, 0) && depth > 0 ?
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_at(dirfd(d), entry->d_name, depth - 1);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_tree(const char *path, int depth)
{
	remove_at(AT_FDCWD, path, depth + 1);
}

/* ---- checksums --------------------------------------------------------------------------------------- */

/* "CRC SIZE" of the file; false when it cannot be read to its end. */
static bool sum_file(const char *path, struct text *out, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *bytes = mem_alloc(READ_AT_ONCE);
	uint32_t crc = 0;
	ssize_t n = -1;

	*size = 0;
	while (fd >= 0 && (n = read(fd, bytes, READ_AT_ONCE)) > 0) {
		crc = pack_crc32c(crc, bytes, (size_t)n);
		*size += (uint64_t)n;
	}
	if (fd >= 0)
		close(fd);
	free(bytes);
	text_printf(out, "%08x %llu\n", crc, (unsigned long long)*size);
	return n == 0;
}

/* Is the copy what it was when it was made? */
static bool sum_holds(const char *copy, const char *book)
{
	char *inner = file_join(copy, book), *data = file_join(inner, "data.mdb"),
	     *sum = file_join(inner, "data.sum");
	struct text is = TEXT_INIT, was = TEXT_INIT;
	uint64_t size;
	bool holds = file_read(sum, 64, &was, NULL) && sum_file(data, &is, &size) && size > 0 &&
		     !strcmp(text_str(&is), text_str(&was));

	text_free(&is);
	text_free(&was);
	free(inner);
	free(data);
	free(sum);
	return holds;
}

/* ---- making ------------------------------------------------------------------------------------------ */

static bool shared_by_group(const char *dir)
{
	struct stat st;

	return !stat(dir, &st) && st.st_mode & S_ISGID;
}

/* The checksum beside a book that was copied, and who may read both. */
static bool seal(const char *copy, const struct kind *kind, bool shared, uint64_t *size, struct error *err)
{
	char *inner = file_join(copy, kind->name), *data = file_join(inner, "data.mdb"),
	     *sum = file_join(inner, "data.sum");
	mode_t data_mode = shared ? kind->shared_data : 0600;
	struct text text = TEXT_INIT;
	uint64_t bytes = 0;
	bool ok = sum_file(data, &text, &bytes);

	if (!ok)
		error_set(err, ERROR_TEMPORARY, "cannot read %s: %s", data, strerror(errno));
	ok = ok && file_write_atomic(sum, text_str(&text), text.len, data_mode, err);
	if (ok && shared &&
		!(file_set_mode(data, data_mode) && file_set_mode(sum, data_mode) &&
			file_set_mode(inner, kind->shared_directory)))
		ok = error_set(err, ERROR_DENIED, "cannot set the permissions of %s: %s", inner, strerror(errno));
	*size += bytes;
	text_free(&text);
	free(inner);
	free(data);
	free(sum);
	return ok;
}

static bool enough_room(const char *dir, struct state *state, struct inbox *inbox, struct error *err)
{
	struct store_figures figures;
	uint64_t wanted = ROOM_LEFT;
	struct statvfs v;

	if (state_figures(state, &figures, NULL))
		wanted += figures.used_bytes;
	if (inbox && inbox_figures(inbox, &figures, NULL))
		wanted += figures.used_bytes;
	if (statvfs(dir, &v) || (uint64_t)v.f_bavail * v.f_frsize >= wanted)
		return true;
	return error_set(err, ERROR_FULL, "no room in %s for a copy of the books", dir);
}

/* Old ones go: more than COPIES_KEPT, and those that would be too much together. */
static void take_away_old(const char *copies, uint64_t size)
{
	uint64_t most = COPIES_LEAST + (size ? COPIES_BYTES / size : COPIES_KEPT);
	struct names names;

	names_read(&names, copies, "");
	for (size_t i = 0; i < names.n; i++) {
		char *path = file_join(copies, names.at[i]);

		if (i >= COPIES_KEPT || i >= most)
			remove_tree(path, 2);
		free(path);
	}
	names_free(&names);
}

static bool fill(const char *aside, struct state *state, struct inbox *inbox, bool shared, uint64_t *size,
	struct error *err)
{
	return state_backup(state, aside, err) && seal(aside, &kinds[KIND_STATE], shared, size, err) &&
	       (!inbox || (inbox_backup(inbox, aside, err) && seal(aside, &kinds[KIND_INBOX], shared, size, err)));
}

/* Makes it where it is missing. */
static bool copies_ready(const char *dir, const char *copies, mode_t mode, struct error *err)
{
	int fd;
	bool ours;

	if (access(copies, F_OK) && !file_make_dir(copies, mode, err))
		return false;
	fd = open(copies, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_DENIED, "cannot open the directory %s: %s", copies, strerror(errno));
	ours = store_is_ours(dir, fd, copies, err);
	close(fd);
	return ours;
}

bool copies_make(const char *dir, struct state *state, struct inbox *inbox, int64_t now_s,
	bool (*good)(const char *copy, struct error *err), struct error *err)
{
	char *copies = file_join(dir, "copies"), *aside = file_join(copies, ".new"), *to;
	struct text name = TEXT_INIT;
	bool shared = shared_by_group(dir), ready, ok;
	mode_t mode = shared ? 02750 : 0700;
	uint64_t size = 0;

	calendar_put_iso(&name, now_s);
	to = file_join(copies, text_str(&name));
	ready = copies_ready(dir, copies, mode, err);
	if (ready)
		remove_tree(aside, 2); /* of one who was killed */
	ok = ready && file_make_dir(aside, mode, err) && enough_room(dir, state, inbox, err) &&
	     fill(aside, state, inbox, shared, &size, err) && good(aside, err);
	if (ok && rename(aside, to))
		ok = error_set(err, ERROR_TEMPORARY, "cannot rename %s to %s: %s", aside, to, strerror(errno));
	ok = ok && book_sync(copies, err);
	if (ok)
		take_away_old(copies, size);
	else if (ready)
		remove_tree(aside, 2);
	text_free(&name);
	free(copies);
	free(aside);
	free(to);
	return ok;
}

size_t copies_count(const char *dir, int64_t *newest_s)
{
	char *copies = file_join(dir, "copies");
	struct names names;
	size_t n;

	names_read(&names, copies, "");
	n = names.n;
	*newest_s = n ? time_of(names.at[0]) : 0;
	names_free(&names);
	free(copies);
	return n;
}

/* A newest one in the future was made before the clock was stepped back. */
bool copies_due(const char *dir, int64_t now_s)
{
	int64_t newest_s;

	copies_count(dir, &newest_s);
	return now_s - newest_s >= HOUR_S || newest_s > now_s;
}

/* ---- mending ----------------------------------------------------------------------------------------- */

static uint64_t file_id(const char *dir, const char *book)
{
	char *path = file_join(dir, book), *data = file_join(path, "data.mdb");
	struct stat st;
	uint64_t id = stat(data, &st) ? 0 : (uint64_t)st.st_ino;

	free(path);
	free(data);
	return id;
}

uint64_t state_file_id(const char *dir)
{
	return file_id(dir, kinds[KIND_STATE].name);
}

uint64_t inbox_file_id(const char *dir)
{
	return file_id(dir, kinds[KIND_INBOX].name);
}

/* What takes over is written down before it does: who tells people reads it. */
static void write_down(const char *aside, const char *copy)
{
	char *path = file_join(aside, "restored");

	file_write_atomic(path, copy, strlen(copy), 0640, NULL);
	free(path);
}

static bool restore_newest(const char *dir, const struct kind *kind, const char *aside, struct error *err)
{
	char *copies = file_join(dir, "copies");
	struct names names;
	bool done = false, ok = true;

	names_read(&names, copies, "");
	for (size_t i = 0; i < names.n && !done; i++) {
		char *copy = file_join(copies, names.at[i]);

		done = sum_holds(copy, kind->name);
		if (done) {
			write_down(aside, names.at[i]);
			ok = kind->restore(dir, copy, err);
			log_error("%s takes the place of the damaged %s", copy, kind->name);
		}
		free(copy);
	}
	if (!done)
		log_error("there is no good copy of the damaged %s: a new one is begun", kind->name);
	names_free(&names);
	free(copies);
	return ok;
}

static bool mend_locked(const char *dir, const struct kind *kind, uint64_t damaged_id, int64_t now_s,
	struct error *err)
{
	uint64_t id = file_id(dir, kind->name);
	char *aside = NULL;
	bool ok;

	if (damaged_id && id != damaged_id)
		return true;
	ok = kind->set_aside(dir, now_s, &aside, err);
	if (ok)
		log_error("%s is damaged; it was set aside as %s", kind->name, aside);
	ok = ok && restore_newest(dir, kind, aside, err);
	free(aside);
	return ok;
}

static bool mend(const char *dir, const struct kind *kind, uint64_t damaged_id, int64_t now_s, struct error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && !flock(fd, LOCK_EX);

	if (!ok)
		error_set(err, ERROR_TEMPORARY, "cannot lock %s: %s", dir, strerror(errno));
	ok = ok && mend_locked(dir, kind, damaged_id, now_s, err);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool state_mend(const char *dir, uint64_t damaged_id, int64_t now_s, struct error *err)
{
	return mend(dir, &kinds[KIND_STATE], damaged_id, now_s, err);
}

bool inbox_mend(const char *dir, uint64_t damaged_id, int64_t now_s, struct error *err)
{
	return mend(dir, &kinds[KIND_INBOX], damaged_id, now_s, err);
}

/* ---- what was set aside ------------------------------------------------------------------------------ */

static int64_t restored_from(const char *aside)
{
	char *path = file_join(aside, "restored");
	struct text text = TEXT_INIT;
	int64_t copy_s = file_read(path, 64, &text, NULL) ? time_of(text_str(&text)) : 0;

	text_free(&text);
	free(path);
	return copy_s > 0 ? copy_s : 0;
}

void copies_damaged(const char *dir, int64_t now_s, int64_t keep_s,
	void (*each)(void *arg, const char *name, int64_t damaged_s, int64_t copy_s), void *arg)
{
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		struct text prefix = TEXT_INIT;
		struct names names;

		text_printf(&prefix, "%s.damaged-", kinds[k].name);
		names_read(&names, dir, text_str(&prefix));
		for (size_t i = 0; i < names.n; i++) {
			int64_t at_s = time_of(names.at[i] + prefix.len);
			char *path = file_join(dir, names.at[i]);

			each(arg, names.at[i], at_s, restored_from(path));
			if (i >= DAMAGED_KEPT || now_s - at_s > keep_s)
				remove_tree(path, 1);
			free(path);
		}
		names_free(&names);
		text_free(&prefix);
	}
}
