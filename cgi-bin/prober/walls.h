/* SPDX-License-Identifier: ISC */
/*
 * walls: what the prober gives up before it opens its first connection, so that a target's answer that
 * breaks into it through a library has gained little: it executes nothing, writes nothing but the store,
 * and reads nothing but the store and what names, certificates and time zones need. It can still connect:
 * that is its work.
 *
 * Two things need a program of the system: a mail channel with `sendmail`, and pings where we may not open
 * ICMP sockets. These programs need rights that a process behind walls cannot hand on (sendmail's group,
 * ping's raw socket), so where the configuration asks for one, this wall cannot stand, and doctor says so.
 */
#ifndef PROBER_WALLS_H
#define PROBER_WALLS_H

#include <stdbool.h>

enum { WALLS_PING = 1, WALLS_SENDMAIL = 2 }; /* programs that a configuration may ask for */
/* Those of them that are needed here, on this host. */
unsigned walls_programs(unsigned configured);
/* With the configuration read and the books open, before there are threads. store: NULL, or the directory
   that may be written. */
void walls_raise(const char *store, const char *ca_bundle);

#endif
