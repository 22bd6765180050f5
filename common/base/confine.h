/* SPDX-License-Identifier: ISC */
/*
 * confine: what a process gives up for the rest of its life, and its children's.
 *
 * confine_calls()	system calls, by a table (seccomp): some kill, some are allowed, some depend on their
 *			first arguments; the rest is as if the kernel did not have it, or allowed.
 * confine_paths()	the file system but for a few paths, and what may be done there; and TCP, where it is
 *			not kept (Landlock; what the kernel's version of it does not know stays open).
 *
 * Both hold for the calling thread and those that it starts, so they are for before there are others. Where
 * the kernel, a container or the processor's kind does not offer it they change nothing and say why: a
 * program goes on without. Descriptors that are open already stay usable.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum confine_fate {
	CALL_ALLOWED,
	CALL_MISSING, /* ENOSYS: a library that can do without it does */
	CALL_DEADLY,  /* the process is killed (SIGSYS) */
	CALL_THREADS, /* of clone(): threads only, a new process is deadly */
	CALL_DATA,    /* of mmap() and mprotect(): what is to be executed is deadly */
	CALL_SELF,    /* of kill() and tgkill(): only ourselves, else EPERM */
	CALL_OWN,     /* of prlimit64(): our own limits, as process 0, else EPERM */
	CALL_INET,    /* of socket(): IPv4 and IPv6, else EAFNOSUPPORT */
	CALL_EITHER,  /* for `others`: as the filter is shortest. Deadly is missing then: libraries may try */
};
struct confine_call {
	unsigned number; /* SYS_... */
	enum confine_fate fate;
};
struct confine_calls {
	const struct confine_call *rows; /* in any order; of doubled ones the last counts */
	size_t count;
	enum confine_fate others;
};
/* What nobody needs who does not attack: mounting, tracing, modules, other processes' memory... Deadly
   rows, to be followed by a program's own. */
#define CONFINE_ATTACKS_MAX 80
size_t confine_attacks(struct confine_call rows[CONFINE_ATTACKS_MAX]);
/* Copies more rows behind the first n, where the caller has room for them; how many there are then. */
size_t confine_add(struct confine_call *rows, size_t n, const struct confine_call *more, size_t count);

enum {
	PATH_READ = 1,  /* a file; a directory: it and all below */
	PATH_WRITE = 2, /* files that are there */
	PATH_MAKE = 4,  /* make, rename and remove files and directories below */
	PATH_RUN = 8,
	PATH_NO_LINK = 16, /* when it is a link, what that leads to is not meant */
};
struct confine_path {
	const char *path; /* NULL, or not there: skipped */
	unsigned may;
};

/* ERROR_MISSING: not to be had here, and why. */
bool confine_calls(const struct confine_calls *calls, struct error *err);
bool confine_paths(const struct confine_path *paths, size_t n, bool keep_tcp, struct error *err);

/* Could they be had? For who asks how safe it is here; changes nothing. */
bool confine_knows_calls(struct error *err);
/* *version as the kernel counts them, 1 and more. */
bool confine_knows_paths(int *version, struct error *err);

/* No core file, no tracer of the same user, and none of our memory in /proc: secrets are in it. */
void confine_memory(void);

#endif
