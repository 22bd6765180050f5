/* SPDX-License-Identifier: ISC */
/*
 * file: whole files in and out, and the questions asked of a path before trusting it.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/* Appends the whole regular file to out; refuses directories, FIFOs and more than max bytes. */
bool file_read(const char *path, size_t max, struct text *out, struct error *err);
/* The same of what is open at fd; path is for errors. */
bool file_read_open(int fd, const char *path, size_t max, struct text *out, struct error *err);
/* For reading, and never waits (for a FIFO's writer). -1 and the error when it cannot be opened. */
int file_open(const char *path, struct error *err);
/* Writes to a temporary name beside path, fsyncs, renames, fsyncs the directory. */
bool file_write_atomic(const char *path, const void *bytes, size_t n, mode_t mode, struct error *err);
/* mkdir with the mode exactly as given (whatever the umask); fine when it is a directory already. */
bool file_make_dir(const char *path, mode_t mode, struct error *err);
/* chmod of what a process may open: behind walls the path alone does not do, for Landlock leaves chmod() open to
   whatever is the user's own. Follows no link. false: errno. */
bool file_set_mode(const char *path, mode_t mode);
/* Where path lies on a network or another unsuitable file system, its name: "NFS", "CIFS", "FUSE"... Asks path or
   its nearest existing parent, or NULL when it is a local one (statfs f_type). */
const char *file_network_fs(const char *path);
/* dir + "/" + name, unless name is absolute; the caller frees. */
char *file_join(const char *dir, const char *name);
/* The directory part of path ("." when there is none); the caller frees. */
char *file_dir(const char *path);

#endif
