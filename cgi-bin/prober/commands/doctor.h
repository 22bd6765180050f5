/* SPDX-License-Identifier: ISC */
/*
 * doctor: examinations of everything around Upbeat. Each is a function in a table; it says what it found, one
 * line each: good, to be noted, or bad (then Upbeat does not work as it should, and the exit status is 1).
 */
#ifndef PROBER_DOCTOR_H
#define PROBER_DOCTOR_H

#include "prober/config/config.h"
#include "store/inbox.h"
#include "store/state.h"

enum finding { FOUND_GOOD, FOUND_NOTE, FOUND_BAD };

struct doctor {
	bool colour;
	bool verify;           /* read every record of both books, and what must hold between them */
	size_t bad, notes;
	struct config config;
	const char *store;
	struct state *state;   /* NULL: could not be opened; said already */
	struct inbox *inbox;
};

/* One line, at once: some examinations take a while. */
void doctor_say(struct doctor *d, enum finding finding, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* doctor_host.c */
void doctor_configuration(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_limits(struct doctor *d);
void doctor_walls(struct doctor *d);
void doctor_icmp(struct doctor *d);
void doctor_authorities(struct doctor *d);
/* doctor_books.c */
void doctor_books(struct doctor *d);
void doctor_passes(struct doctor *d);
void doctor_strangers(struct doctor *d);
void doctor_sizes(struct doctor *d);
/* doctor_verify.c: both books below dir, in a child */
void doctor_verify(struct doctor *d, const char *dir);
/* doctor_peers.c */
void doctor_peers(struct doctor *d);
/* doctor_reach.c: names and connections, all at the same time */
void doctor_reach(struct doctor *d);
void doctor_dns(struct doctor *d);

#endif
