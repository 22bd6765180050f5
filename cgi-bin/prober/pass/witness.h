/* SPDX-License-Identifier: ISC */
/*
 * witness: is it us? The configured witnesses (URLs, host:port, or slugs of monitors) are asked at the moment
 * of a decision; with n of them min(2, n) must answer, else we are the ones who are offline.
 */
#ifndef PROBER_WITNESS_H
#define PROBER_WITNESS_H

#include <stdbool.h>

struct pass;
struct witness;

enum sight {
	SIGHT_NOT_KNOWN = 0, /* being asked, or to be asked */
	SIGHT_CLEAR,
	SIGHT_BLIND,
	SIGHT_NO_WITNESS, /* none is configured */
};

/* What we know right now: an answer counts for some seconds. */
enum sight witness_sight(struct pass *pass);
/* Begins to ask, unless that is under way or just answered; pass_wake() follows when the answer is there. */
void witness_ask(struct pass *pass);
/* Cancels what is under way and frees it. NULL is fine. */
void witness_free(struct witness *witness);
/* Are they being asked right now? */
bool witness_busy(const struct pass *pass);

#endif
