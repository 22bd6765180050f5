/* SPDX-License-Identifier: ISC */
/*
 * file: whole files in and out, and questions asked of a path. See file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"

static bool file_error(struct error *err, const char *what, const char *path)
{
	int why = errno;
	enum error_kind kind = ERROR_TEMPORARY;

	if (why == ENOENT || why == ENOTDIR)
		kind = ERROR_MISSING;
	else if (why == EACCES || why == EPERM || why == EROFS || why == ELOOP)
		kind = ERROR_DENIED;
	else if (why == ENOSPC || why == EDQUOT)
		kind = ERROR_FULL;
	return error_set(err, kind, "cannot %s %s: %s", what, path, strerror(why));
}

/* ---- reading ----------------------------------------------------------------------------------------- */

/* Reads to the end, not to st_size: files below /proc say 0, and others may grow while being read. */
static bool read_all(int fd, const char *path, size_t max, struct text *out, struct error *err)
{
	char block[8192];
	size_t total = 0;

	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_error(err, "read", path);
		if (n == 0)
			return true;
		if ((size_t)n > max - total)
			return error_set(err, ERROR_INPUT, "%s is larger than %zu bytes", path, max);
		text_rawn(out, block, (size_t)n);
		total += (size_t)n;
	}
}

int file_open(const char *path, struct error *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. It means nothing to regular files. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		file_error(err, "open", path);
	return fd;
}

bool file_read_open(int fd, const char *path, size_t max, struct text *out, struct error *err)
{
	struct stat st;
	size_t before = out->len;
	bool ok;

	if (fstat(fd, &st) != 0)
		ok = file_error(err, "look at", path);
	else if (!S_ISREG(st.st_mode))
		ok = error_set(err, ERROR_INPUT, "%s is not a regular file", path);
	else
		ok = read_all(fd, path, max, out, err);
	if (!ok && out->ptr) {
		out->len = before;
		out->ptr[before] = '\0';
	}
	return ok;
}

bool file_read(const char *path, size_t max, struct text *out, struct error *err)
{
	int fd = file_open(path, err);
	bool ok = fd >= 0 && file_read_open(fd, path, max, out, err);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes += done;
		n -= (size_t)done;
	}
	return true;
}

/* Fills, syncs and closes fd, in every case. */
static bool write_closing(int fd, const char *name, const void *bytes, size_t n, mode_t mode,
	struct error *err)
{
	bool ok = write_all(fd, bytes, n) || file_error(err, "write", name);

	/* fchmod: the mode is a promise about secrets, so the umask has no say in it. */
	ok = ok && (fchmod(fd, mode) == 0 || file_error(err, "set the mode of", name));
	ok = ok && (fsync(fd) == 0 || file_error(err, "sync", name));
	if (close(fd) != 0 && ok)
		ok = file_error(err, "close", name);
	return ok;
}

/* The rename is on disk only when the directory is. Some file systems cannot sync one: EINVAL. */
static bool sync_dir(const char *dir, struct error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return file_error(err, "open", dir);
	ok = fsync(fd) == 0 || errno == EINVAL || file_error(err, "sync", dir);
	close(fd);
	return ok;
}

bool file_write_atomic(const char *path, const void *bytes, size_t n, mode_t mode, struct error *err)
{
	struct text name = TEXT_INIT;
	char *dir;
	int fd;
	bool ok;

	text_raw(&name, path);
	text_raw(&name, ".new-XXXXXX");
	fd = mkostemp(name.ptr, O_CLOEXEC);
	if (fd < 0) {
		ok = file_error(err, "create a file beside", path);
		text_free(&name);
		return ok;
	}
	ok = write_closing(fd, name.ptr, bytes, n, mode, err);
	ok = ok && (rename(name.ptr, path) == 0 || file_error(err, "replace", path));
	if (!ok)
		unlink(name.ptr);
	text_free(&name);
	if (!ok)
		return false;
	dir = file_dir(path);
	ok = sync_dir(dir, err);
	free(dir);
	return ok;
}

bool file_set_mode(const char *path, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), why;
	bool ok;

	if (fd < 0) /* an umask may have taken even the owner's right to read */
		return errno == EACCES && chmod(path, mode) == 0;
	ok = fchmod(fd, mode) == 0;
	why = errno;
	close(fd);
	errno = why;
	return ok;
}

bool file_make_dir(const char *path, mode_t mode, struct error *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return file_set_mode(path, mode) || file_error(err, "set the mode of", path);
	if (errno != EEXIST)
		return file_error(err, "create the directory", path);
	if (stat(path, &st) != 0)
		return file_error(err, "look at", path);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_DENIED, "%s exists and is not a directory", path);
	return true;
}

/* ---- paths ------------------------------------------------------------------------------------------- */

/* Where a memory map, a lock or an fsync does not mean what it means on a local disk. The numbers are
   statfs(2)'s; most are not in any header that we could count on. */
static const struct {
	uint32_t type;
	const char *name;
} network_fs[] = {
	{0x00006969, "NFS"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB2"},
	{0x0000517b, "SMB"},
	{0x65735546, "FUSE"},
	{0x01021997, "9P"},
	{0x5346414f, "AFS"},
	{0x6b414653, "AFS"},
	{0x00c36400, "Ceph"},
	{0x73757245, "Coda"},
	{0x0000564c, "NCP"},
	{0x7461636f, "OCFS2"},
	{0x01161970, "GFS2"},
	{0x0bd00bd0, "Lustre"},
	{0x47504653, "GPFS"},
	{0x19830326, "BeeGFS"},
	{0x786f4256, "VirtualBox shared folder"},
	{0xbacbacbc, "VMware shared folder"},
};

const char *file_network_fs(const char *path)
{
	char *at = mem_str(path);
	struct statfs fs;
	const char *name = NULL;

	while (statfs(at, &fs) != 0) {
		char *parent = file_dir(at);
		bool is_top = strcmp(parent, at) == 0;

		free(at);
		at = parent;
		if (is_top) {
			free(at);
			return NULL;
		}
	}
	free(at);
	for (size_t i = 0; i < COUNT_OF(network_fs); i++)
		if ((uint32_t)fs.f_type == network_fs[i].type)
			name = network_fs[i].name;
	return name;
}

char *file_join(const char *dir, const char *name)
{
	struct text path = TEXT_INIT;

	if (name[0] != '/') {
		text_raw(&path, dir);
		if (path.len > 0 && path.ptr[path.len - 1] != '/')
			text_char(&path, '/');
	}
	text_raw(&path, name);
	return text_take(&path);
}

/* As dirname(3), without writing into its argument: "a/b/" is in "a", "/a" in "/". */
char *file_dir(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n == 0)
		return mem_str(".");
	while (n > 1 && path[n - 1] == '/')
		n--;
	return mem_strn(path, n);
}
