/* SPDX-License-Identifier: ISC */
/* exit: what the exit status of upbeat-prober says. An error's own is error_exit_status() (base/error.h). */
#ifndef PROBER_EXIT_H
#define PROBER_EXIT_H

enum {
	EXIT_DONE = 0,
	EXIT_WRONG = 1, /* something is wrong with what it was given */
	EXIT_USAGE = 2,
	EXIT_TEMPORARY = 75, /* the store or the network cannot be used now (EX_TEMPFAIL) */
};

#endif
