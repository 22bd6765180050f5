/* SPDX-License-Identifier: ISC */
/* query: one DNS question of any type, on the loop: of the system's resolvers, or of a server of one's choice. */
#ifndef PROBER_QUERY_H
#define PROBER_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "prober/net/loop.h"

enum query_end {
	QUERY_ANSWERED,   /* with records; the message is given */
	QUERY_NO_DATA,    /* the name exists, without records of this type */
	QUERY_NO_NAME,
	QUERY_FAILURE,    /* SERVFAIL */
	QUERY_REFUSED,
	QUERY_NOT_KNOWN,  /* it does not understand, or do, what it is asked for */
	QUERY_GARBLED,    /* what came is no proper answer */
	QUERY_SILENT,     /* nothing came */
	QUERY_UNREACHABLE,/* refuses connections, or there is no way to it */
	QUERY_IMPOSSIBLE, /* c-ares cannot be used here, or the name is none */
	QUERY__COUNT
};

struct query;

/* servers as for dns_channel_new(). done is called once, never from within this call; message is valid during
   it, and the query is gone then. */
struct query *query_start(struct loop *loop, const char *servers, const char *name, unsigned type,
	void (*done)(void *arg, enum query_end end, const uint8_t *message, size_t n), void *arg);
/* When our own resolvers are silent: have they answered anything, whatever it was, since the query began? Then
   it is the name's servers that are silent. */
bool query_resolvers_work(const struct query *query);
void query_stop(struct query *query); /* NULL is fine */

#endif
