/* SPDX-License-Identifier: ISC */
/*
 * record_writes: preloaded into a program, it writes down everything that reaches a book's data.mdb, in order,
 * with what was synced when. power_cut.c makes of that what a disk may hold after the power was cut.
 *
 * $RECORD_WRITES names the record. Each entry is a struct entry and its bytes, appended with one write, so
 * that several programs and the test itself (which adds what was acknowledged) share one record.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record_fd = -1;

/* Before the program confines itself to its own paths. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("RECORD_WRITES");

	if (path)
		record_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

/* 'i' or 's' when the descriptor is a book in its place (not one being made aside), else 0. */
static char book_of(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	if (strstr(path, "/copies/"))
		return 0;
	if (n > 15 && !strcmp(path + n - 15, "/inbox/data.mdb"))
		return 'i';
	return n > 15 && !strcmp(path + n - 15, "/state/data.mdb") ? 's' : 0;
}

static void put(const struct entry *entry, const struct iovec *parts, int count)
{
	static char *bytes;
	static size_t room;
	size_t at = sizeof(*entry);

	if (record_fd < 0)
		return;
	if (room < at + entry->length) {
		room = at + entry->length;
		bytes = realloc(bytes, room);
		if (!bytes)
			abort();
	}
	memcpy(bytes, entry, sizeof(*entry));
	for (int i = 0; i < count; i++) {
		memcpy(bytes + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	if (syscall(SYS_write, record_fd, bytes, at) != (long)at)
		abort();
}

static void note_write(int fd, char book, const struct iovec *parts, int count, off_t offset)
{
	struct entry entry = {ENTRY_MAGIC, 'w', book, (fcntl(fd, F_GETFL) & O_DSYNC) != 0, 0, 0, 0, (uint64_t)offset};

	for (int i = 0; i < count; i++)
		entry.length += (uint32_t)parts[i].iov_len;
	put(&entry, parts, count);
}

static void note_sync(char book)
{
	const struct entry entry = {ENTRY_MAGIC, 'f', book, 0, 0, 0, 0, 0};

	put(&entry, NULL, 0);
}

/* The call itself and its note are one step, so that the order of the notes is that of the calls. */
#define CALL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset)
{
	char book = book_of(fd);
	struct iovec part = {(void *)bytes, n};
	ssize_t done;

	if (!book)
		return syscall(SYS_pwrite64, fd, bytes, n, offset);
	pthread_mutex_lock(&lock);
	note_write(fd, book, &part, 1, offset);
	done = syscall(SYS_pwrite64, fd, bytes, n, offset);
	pthread_mutex_unlock(&lock);
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
	return pwrite64(fd, bytes, n, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	char book = book_of(fd);
	ssize_t done;

	if (!book)
		return syscall(SYS_writev, fd, parts, count);
	pthread_mutex_lock(&lock);
	note_write(fd, book, parts, count, lseek(fd, 0, SEEK_CUR));
	done = syscall(SYS_writev, fd, parts, count);
	pthread_mutex_unlock(&lock);
	return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	char book = book_of(fd);
	ssize_t done;

	if (!book)
		return CALL(ssize_t, "pwritev", int, const struct iovec *, int, off_t)(fd, parts, count, offset);
	pthread_mutex_lock(&lock);
	note_write(fd, book, parts, count, offset);
	done = CALL(ssize_t, "pwritev", int, const struct iovec *, int, off_t)(fd, parts, count, offset);
	pthread_mutex_unlock(&lock);
	return done;
}

static int synced(int fd, long number)
{
	char book = book_of(fd);
	long rc;

	pthread_mutex_lock(&lock);
	rc = syscall(number, fd);
	if (book && !rc)
		note_sync(book);
	pthread_mutex_unlock(&lock);
	return (int)rc;
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}
