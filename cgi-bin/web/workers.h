/* SPDX-License-Identifier: ISC */
/*
 * workers: the threads of a FastCGI process, each with one request in hand.
 *
 * So many as were asked for are kept able to work: one that waits for something slow (a body that has not
 * come, a commit that is being synced) says so, and another takes its place. So slow clients do not stop
 * beats, and beats that arrive together meet in one commit, while an idle process stays small: a spare
 * worker that had nothing to do for a while ends.
 */
#ifndef WEB_WORKERS_H
#define WEB_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "web/request.h"

/* Before signal handlers that may call workers_stop(). */
bool workers_prepare(void);
/* Serves until workers_stop(), then lets requests in hand finish. Requests are served by the calling
   thread alone until one of them `settles` the process (NULL: it is settled): that one and all after it
   are served by n workers. false: none could be started. */
bool workers_run(
	size_t n, bool (*settle)(char **env), void (*serve)(struct channel_io *io, char **env));
/* From a signal handler too. */
void workers_stop(void);

/* To stand around what may wait for long. Outside workers_run() they do nothing. */
void workers_wait_begin(void);
void workers_wait_end(void);

#endif
