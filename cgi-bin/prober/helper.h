/* SPDX-License-Identifier: ISC */
/*
 * helper: a process of our own, for one kind of work and for as long as we live. It inherits one descriptor,
 * its end of a pair of sockets, and none of our others; neither our log nor our signal handlers.
 */
#ifndef PROBER_HELPER_H
#define PROBER_HELPER_H

#include <sys/types.h>

#include "base/error.h"

struct helper {
	const char *name;               /* for the error: "the inbox's reader" */
	int type;                       /* of the sockets: SOCK_STREAM, SOCK_SEQPACKET */
	int last_word;                  /* the signal that it gets when we are gone */
	void (*life)(void *arg, int fd); /* in the process: returns when it is over. fd is closed on exec */
	void *arg;
};
/* -1 on failure. *ours is our end of the pair. The caller waits for the process. */
pid_t helper_start(const struct helper *helper, int *ours, struct error *err);

#endif
