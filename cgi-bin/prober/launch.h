/* SPDX-License-Identifier: ISC */
/*
 * launch: sendmail and ping, programs of the system, started for us by a process that stands outside our walls.
 *
 * Behind them exec is deadly, and a program could not get the rights it needs: setuid and setgid do not count
 * there. So a table of programs is fixed first, a small process is forked that knows it, and then the walls
 * rise. From there on it can be asked for a row of that table by its number. Nothing else of a command is
 * ours to say but, for a ping, a numeric address and how long to wait for it.
 *
 *	launch_add()	a row, before the start
 *	launch_start()	the process
 *	launch_find(), launch_patience_ms(), launch_ask()	once for each run
 *	launch_stop()
 *
 * net/program.h runs one on the loop. There is one such process for each of ours; it is launcher.c.
 */
#ifndef PROBER_LAUNCH_H
#define PROBER_LAUNCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LAUNCH_ARGS_MAX 6     /* of a row */
#define LAUNCH_WAIT_MAX_S 600

struct launch_program {
	char *name;                       /* by which we ask for it; not a part of its command */
	char *argv[LAUNCH_ARGS_MAX + 1];  /* [0] is its full path */
	char *variable;                   /* "NAME=value": all of its environment */
	int64_t patience_ms;              /* then its process group is killed */
	int family; /* AF_INET, AF_INET6: two arguments follow, the seconds to wait (they add to its patience) and an
	               address; 0: none */
};

struct launch_table {
	struct launch_program *rows;
	size_t n;
};

/* Adds a row, or returns the one of that name; argv ends with NULL. To be filled in at once: the next call may
   move it. */
struct launch_program *launch_add(struct launch_table *table, const char *name, const char *const *argv);
void launch_table_free(struct launch_table *table);

/* Takes the table over, in any case. With secrets in our memory or without: whoever could get them there could
   have them here. */
bool launch_start(struct launch_table *table, struct error *err);
/* Ends it, and what runs of its programs. Harmless when there is none. */
void launch_stop(void);

/* A row's number; -1 where there is none of that name, or no process. */
int launch_find(const char *name);
int64_t launch_patience_ms(int program, unsigned wait_s);
/* Its process id, for tests; 0 when there is none. */
int launch_pid(void);

/* What a program gets: pipes. They stay the caller's, who closes his copies of what he hands on. */
enum launch_end {
	LAUNCH_IN,     /* its standard input */
	LAUNCH_OUT,    /* its output and its complaints */
	LAUNCH_REPORT, /* where its answer goes; when the other end is closed the program is killed */
	LAUNCH_ENDS,
};
/* One, whole, before LAUNCH_REPORT is closed; none: the launcher was out of descriptors, or is gone. */
struct launch_answer {
	int32_t error;     /* errno: it was not started */
	int32_t status;    /* as of waitpid() */
	int32_t timed_out; /* killed when its patience ended */
};
/* 0, or an errno. address: NULL for a row without; at most LAUNCH_WAIT_MAX_S to wait. */
int launch_ask(int program, const char *address, unsigned wait_s, const int ends[LAUNCH_ENDS]);

/* ---- between the two processes: for launcher.c, and for tests */

struct launch_request {
	uint32_t program, wait_s;
	char address[48]; /* a string; all zero for a row without */
};
/* What it comes to. */
struct launch_order {
	const struct launch_program *program;
	unsigned wait_s;
	char address[INET6_ADDRSTRLEN]; /* as we write it ourselves, or "" */
};
/* false: such a request was not made by launch_ask(). */
bool launch_decode(const struct launch_table *table, const void *bytes, size_t n, struct launch_order *out);
/* The life of the process. Ends with fd, and on a request that is none. */
void launcher_live(void *table, int fd);

#endif
