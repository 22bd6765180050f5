/* SPDX-License-Identifier: ISC */
/*
 * walls: what the prober gives up before it opens its first connection, so that a target's answer that
 * breaks into it through a library has gained little: it executes nothing, writes nothing but the store,
 * and reads nothing but the store and what names, certificates and time zones need. It can still connect:
 * that is its work.
 *
 * Two things need a program of the system: a mail channel with `sendmail`, and pings where we may not open
 * ICMP sockets. These programs need rights that a process behind walls cannot hand on (sendmail's group,
 * ping's raw socket), so another process starts them, which was forked before: launch.h.
 */
#ifndef PROBER_WALLS_H
#define PROBER_WALLS_H

/* With the configuration read and the books open, before there are threads. store: NULL, or the directory
   that may be written. */
void walls_raise(const char *store, const char *ca_bundle);

#endif
