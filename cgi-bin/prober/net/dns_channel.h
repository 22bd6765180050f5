/* SPDX-License-Identifier: ISC */
/*
 * dns_channel: one c-ares channel on the loop: its sockets are watched, its repetitions timed.
 *
 * Questions are asked of the c-ares channel itself; dns_channel_asked() after each. c-ares cannot give up one
 * question: an owner that stops must leave something behind that its callback can still write to.
 */
#ifndef PROBER_DNS_CHANNEL_H
#define PROBER_DNS_CHANNEL_H

#include <ares.h>
#include <stdbool.h>

#include "prober/net/loop.h"

struct dns_channel;

enum dns_manner {
	DNS_EXACT,  /* the name as it stands */
	DNS_SEARCH, /* within the system's search domains too */
	DNS_FRANK,  /* as it stands, and what the first server says is the answer. Otherwise c-ares asks the next one
	               after a failure or refusal, and when all have failed knows no more than that. For one
	               question only: where a server refuses TCP for one answer that is too long for UDP, c-ares
	               ends all questions that it was asked. */
};

/* servers: "192.0.2.53:53,[2001:db8::53]:53", or NULL for the system's. NULL: c-ares cannot be set up. */
struct dns_channel *dns_channel_new(struct loop *loop, const char *servers, enum dns_manner manner);
ares_channel dns_channel_ares(struct dns_channel *channel);
void dns_channel_asked(struct dns_channel *channel);
/* Questions that are still open end now, with ARES_EDESTRUCTION. Not from within a callback of c-ares. NULL is
   fine. */
void dns_channel_free(struct dns_channel *channel);

#endif
