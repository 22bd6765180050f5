/* SPDX-License-Identifier: ISC */
/*
 * pass: one pass, as cron starts it every minute.
 *
 * A pass is the process that holds the lock. It serves what is due, suspects first, and goes on serving what
 * falls due within its minute; it ends when nothing is in hand or due before the next minute. When the minute
 * ends it starts nothing new, lets what is in flight finish, and leaves the rest to the next one.
 */
#ifndef PROBER_PASS_H
#define PROBER_PASS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Runs one pass over the configuration file; its store is `store`. Gives the exit status: 0 when done or when
   another prober is at work, 1 when the file as it stands is wrong (the last good one was run), 75 when the
   store cannot be used. */
int pass_run(const char *config_path, const char *store);
/* SIGINT and SIGTERM end the running pass early (what was seen is stored); true once one came. */
void pass_catch_signals(void);
bool pass_interrupted(void);
/* fork(), for a process that then runs one pass; signals that come to us are passed on to it until
   pass_forked_ended(). */
pid_t pass_fork(void);
void pass_forked_ended(void);

#endif
