/* SPDX-License-Identifier: ISC */
/*
 * query: see query.h. A server of one's own gets a channel of its own, which ends with the query; what c-ares
 * still holds of a question is a struct held, which outlives a query that was stopped.
 */
#include "prober/net/query.h"

#include <arpa/nameser.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/net/dns_channel.h"
#include "prober/net/loop_private.h"

/* What c-ares writes to. */
struct held {
	struct query *owner; /* NULL: nobody waits any more */
	struct loop *loop;
	bool ours;           /* it was asked of the system's resolvers */
};

struct query {
	struct loop *loop;
	struct dns_channel *own; /* for a server of one's own, and for asking again */
	struct held *held;       /* NULL: c-ares has answered */
	struct loop_timer *soon, *silent;
	char *name;
	unsigned type;
	bool ours;               /* of the system's resolvers */
	int64_t started_us;
	enum query_end end;
	uint8_t *message;
	size_t n;
	void (*done)(void *arg, enum query_end end, const uint8_t *message, size_t n);
	void *arg;
};

static void takes_long(void *arg)
{
	struct query *query = arg;

	query->silent = NULL;
	resolver_probe(query->loop);
}

static enum query_end end_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return QUERY_ANSWERED;
	case ARES_ENODATA:
		return QUERY_NO_DATA;
	case ARES_ENOTFOUND:
		return QUERY_NO_NAME;
	case ARES_ESERVFAIL:
		return QUERY_FAILURE;
	case ARES_EREFUSED:
		return QUERY_REFUSED;
	case ARES_ENOTIMP:
	case ARES_EFORMERR:
		return QUERY_NOT_KNOWN;
	case ARES_EBADRESP:
		return QUERY_GARBLED;
	case ARES_ETIMEOUT:
		return QUERY_SILENT;
	case ARES_ECONNREFUSED:
		return QUERY_UNREACHABLE;
	default:
		return QUERY_IMPOSSIBLE;
	}
}

static void ask(struct query *query, struct dns_channel *channel);

static void tell(void *arg)
{
	struct query *query = arg;

	query->soon = NULL;
	/* All have failed, or refused, or are not there: the first may say which. */
	if (query->end == QUERY_UNREACHABLE && !query->own) {
		query->own = dns_channel_new(query->loop, NULL, DNS_FRANK);
		ask(query, query->own);
		return;
	}
	query->done(query->arg, query->end, query->message, query->n);
	query_stop(query);
}

static void answered(void *arg, int status, int timeouts, unsigned char *message, int n)
{
	struct held *held = arg;
	struct query *query = held->owner;
	enum query_end end = end_of(status);

	(void)timeouts;
	if (held->ours && end < QUERY_SILENT && end != QUERY_REFUSED)
		resolver_heard(held->loop);
	if (query) {
		query->held = NULL;
		query->end = end;
		if (message && n > 0) {
			query->message = mem_dup(message, (size_t)n);
			query->n = (size_t)n;
		}
		query->soon = loop_after(query->loop, 0, tell, query);
	}
	free(held);
}

static void ask(struct query *query, struct dns_channel *channel)
{
	if (!channel) {
		query->end = QUERY_IMPOSSIBLE;
		query->soon = loop_after(query->loop, 0, tell, query);
		return;
	}
	query->held = MEM_NEW(struct held);
	*query->held = (struct held){query, query->loop, query->ours};
	ares_query(dns_channel_ares(channel), query->name, ns_c_in, (int)query->type, answered, query->held);
	dns_channel_asked(channel);
}

struct query *query_start(struct loop *loop, const char *servers, const char *name, unsigned type,
	void (*done)(void *arg, enum query_end end, const uint8_t *message, size_t n), void *arg)
{
	struct query *query = MEM_NEW(struct query);

	query->loop = loop;
	query->done = done;
	query->arg = arg;
	query->started_us = clock_mono_us();
	query->own = servers ? dns_channel_new(loop, servers, DNS_FRANK) : NULL;
	query->name = mem_str(name);
	query->type = type;
	query->ours = !servers;
	if (query->ours)
		query->silent = loop_after(loop, RESOLVER_SILENT_MS, takes_long, query);
	ask(query, servers ? query->own : resolver_channel(loop, DNS_EXACT));
	return query;
}

bool query_resolvers_work(const struct query *query)
{
	return resolver_heard_us(query->loop) >= query->started_us;
}

void query_stop(struct query *query)
{
	if (!query)
		return;
	if (query->held)
		query->held->owner = NULL;
	loop_timer_stop(query->soon);
	loop_timer_stop(query->silent);
	dns_channel_free(query->own);
	free(query->message);
	free(query->name);
	free(query);
}
