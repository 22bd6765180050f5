/* SPDX-License-Identifier: ISC */
/*
 * loop_private: what loop.c, resolve.c and query.c know of each other; nobody else includes it.
 */
#ifndef PROBER_LOOP_PRIVATE_H
#define PROBER_LOOP_PRIVATE_H

#include "prober/net/dns_channel.h"
#include "prober/net/loop.h"

struct resolver;

/* The loop's own resolver, made at the first name that is asked for. */
struct resolver **loop_resolver(struct loop *loop);
/* The shared channel to the system's resolvers, DNS_EXACT or DNS_SEARCH; NULL: c-ares cannot be set up. */
struct dns_channel *resolver_channel(struct loop *loop, enum dns_manner manner);
/* A question has been waiting for long: asks the system's resolvers something that any of them knows. */
void resolver_probe(struct loop *loop);
#define RESOLVER_SILENT_MS 500 /* "long" */
/* The system's resolvers answered something; and when they last did (monotonic, 0 never). */
void resolver_heard(struct loop *loop);
int64_t resolver_heard_us(struct loop *loop);
/* Abandons all queries and frees it. NULL is fine. */
void resolver_free(struct resolver *resolver);

#endif
