/* SPDX-License-Identifier: ISC */
/*
 * program: one run of a program of the system on the loop: what it reads is written to it, what it says is
 * kept, and in the end its exit status is told. Who starts it: prober/launch.h.
 */
#ifndef PROBER_PROGRAM_H
#define PROBER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "prober/net/loop.h"

#define PROGRAM_SAID_MAX 2000

struct program;

struct program_order {
	const char *name;    /* its row's, as in launch_find() */
	const char *address; /* of a row that takes one, else NULL */
	unsigned wait_s;     /* with it */
	const char *input;   /* n bytes that live as long as the run; NULL: nothing */
	size_t n;
	void (*done)(void *arg); /* once, never from within program_start(); the run may be freed in it */
	void *arg;
};

/* What became of it, for done(). */
struct program_end {
	int error;        /* errno: it could not be started, or its end was lost; else 0 */
	bool timed_out;   /* and was killed */
	int status;       /* as of waitpid() */
	const char *said; /* on both of its outputs, at most some PROGRAM_SAID_MAX bytes; the run's */
};

/* NULL: it cannot be started, and *error is an errno, ENOENT where there is no such row or no launcher. */
struct program *program_start(struct loop *loop, const struct program_order *order, int *error);
struct program_end program_end(const struct program *program);
/* Kills it when it still runs. NULL is fine. */
void program_free(struct program *program);

#endif
