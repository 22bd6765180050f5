/* SPDX-License-Identifier: ISC */
/*
 * resolve: names to addresses, through c-ares on the loop.
 *
 * A name is looked for in /etc/hosts, then asked of the system's resolvers. Search domains are only tried for
 * names without a dot: for others they turn "no such host" into somebody else's address.
 *
 * c-ares cannot give up one query, so an owner that stops, or whose deadline passes, is only parted from its
 * query; the query ends by itself, at the latest with the channel.
 *
 * Whose fault is silence? When our resolvers answered anything since the question was asked, they work, and
 * the name's own servers are to blame; so when an answer takes long they are asked something else, that any
 * resolver knows. When they answer nothing at all we cannot tell: `ours`.
 */
#include "prober/net/loop_private.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/net/dns_channel.h"

struct resolver {
	struct loop *loop;
	struct dns_channel *channels[DNS_FRANK]; /* by manner; made when first needed */
	int64_t answered_us; /* when our resolvers answered anything, newest */
	bool probing;
	bool asking;         /* an answer within the call comes from /etc/hosts */
};

struct loop_resolve {
	struct loop *loop;
	struct held *held;           /* NULL when c-ares has ended it, or for literal addresses */
	struct loop_timer *deadline; /* or the turn's end, once the answer is there */
	struct loop_timer *silent;   /* it takes long */
	struct loop_timer *again;    /* asks for the second time, on a channel of its own */
	struct dns_channel *own;
	char *host;
	int family;
	int64_t started_us;
	struct addresses addresses;
	const char *why;
	bool ours;
	void (*done)(void *arg, const struct addresses *addresses, const char *why, bool ours);
	void *arg;
};

/* What c-ares holds: it outlives the resolve that wanted it. */
struct held {
	struct loop_resolve *owner; /* NULL: nobody waits any more */
	struct loop *loop;
};

/* ---- our resolvers */

/* Did a server say something about the name, whatever it was? */
static bool is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND ||
		status == ARES_ESERVFAIL || status == ARES_ENOTIMP || status == ARES_EFORMERR || status == ARES_EBADRESP;
}

static struct resolver *resolver_of(struct loop *loop)
{
	struct resolver **resolver = loop_resolver(loop);

	if (!*resolver) {
		*resolver = MEM_NEW(struct resolver);
		(*resolver)->loop = loop;
	}
	return *resolver;
}

struct dns_channel *resolver_channel(struct loop *loop, enum dns_manner manner)
{
	struct dns_channel **channel = &resolver_of(loop)->channels[manner];

	if (!*channel)
		*channel = dns_channel_new(loop, NULL, manner);
	return *channel;
}

void resolver_heard(struct loop *loop)
{
	resolver_of(loop)->answered_us = clock_mono_us();
}

int64_t resolver_heard_us(struct loop *loop)
{
	return resolver_of(loop)->answered_us;
}

struct probe {
	struct loop *loop;
};

static void probe_ended(void *arg, int status, int timeouts, unsigned char *message, int n)
{
	struct probe *probe = arg;
	struct resolver *resolver = *loop_resolver(probe->loop);

	(void)timeouts;
	(void)message;
	(void)n;
	resolver->probing = false;
	if (is_answer(status))
		resolver_heard(probe->loop);
	free(probe);
}

/* Where the root's servers are. One such question at a time is enough. */
void resolver_probe(struct loop *loop)
{
	struct dns_channel *channel = resolver_channel(loop, DNS_EXACT);
	struct probe *probe;

	if (!channel || resolver_of(loop)->probing)
		return;
	resolver_of(loop)->probing = true;
	probe = MEM_NEW(struct probe);
	probe->loop = loop;
	ares_query(dns_channel_ares(channel), ".", ns_c_in, ns_t_ns, probe_ended, probe);
	dns_channel_asked(channel);
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	for (size_t i = 0; i < COUNT_OF(resolver->channels); i++)
		dns_channel_free(resolver->channels[i]);
	free(resolver);
}

/* ---- one question */

static void resolve_free(struct loop_resolve *resolve)
{
	loop_timer_stop(resolve->again);
	loop_timer_stop(resolve->silent);
	dns_channel_free(resolve->own);
	free(resolve->host);
	free(resolve);
}

static void takes_long(void *arg)
{
	struct loop_resolve *resolve = arg;

	resolve->silent = NULL;
	resolver_probe(resolve->loop);
}

static void hand_over(void *arg)
{
	struct loop_resolve *resolve = arg;

	resolve->addresses.took_us = clock_mono_us() - resolve->started_us;
	resolve->done(resolve->arg, &resolve->addresses, resolve->why, resolve->ours);
	resolve_free(resolve);
}

/* Tells the owner at the turn's end, never from within the call that asked. */
static void answer_soon(struct loop_resolve *resolve)
{
	loop_timer_stop(resolve->deadline);
	resolve->deadline = loop_after(resolve->loop, 0, hand_over, resolve);
}

static void fail(struct loop_resolve *resolve, const char *why, bool ours)
{
	resolve->why = why;
	resolve->ours = ours;
}

static void fail_silent(struct loop_resolve *resolve)
{
	fail(resolve, "DNS does not answer", resolver_of(resolve->loop)->answered_us < resolve->started_us);
}

static void deadline_passed(void *arg)
{
	struct loop_resolve *resolve = arg;

	if (resolve->held)
		resolve->held->owner = NULL;
	fail_silent(resolve);
	hand_over(resolve);
}

static void take_addresses(struct addresses *out, const struct ares_addrinfo *found)
{
	for (const struct ares_addrinfo_node *node = found->nodes; node; node = node->ai_next) {
		if (out->n == ADDRESSES_MAX || node->ai_addrlen > sizeof(out->at[0]))
			break;
		memcpy(&out->at[out->n++], node->ai_addr, node->ai_addrlen);
	}
}

static void explain(struct loop_resolve *resolve, int status)
{
	switch (status) {
	case ARES_SUCCESS:
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		fail(resolve, "no such host", false);
		break;
	case ARES_ETIMEOUT:
		fail_silent(resolve);
		break;
	case ARES_EREFUSED: /* to answer us at all: for somebody else's refusal it would be SERVFAIL */
		fail(resolve, "our DNS resolver refuses to answer", true);
		break;
	case ARES_ESERVFAIL:
	case ARES_ENOTIMP:
	case ARES_EFORMERR:
	case ARES_EBADRESP:
		fail(resolve, "DNS server failure", false);
		break;
	default:
		fail(resolve, "our DNS resolver cannot be asked", true);
		break;
	}
}

static void query_ended(void *arg, int status, int timeouts, struct ares_addrinfo *found);

static void ask(struct loop_resolve *resolve, struct dns_channel *channel)
{
	struct ares_addrinfo_hints hints = {.ai_family = resolve->family, .ai_socktype = SOCK_STREAM};
	struct resolver *resolver = resolver_of(resolve->loop);

	if (!channel) {
		fail(resolve, "our DNS resolver cannot be asked", true);
		answer_soon(resolve);
		return;
	}
	resolve->held = MEM_NEW(struct held);
	*resolve->held = (struct held){resolve, resolve->loop};
	resolver->asking = true;
	ares_getaddrinfo(dns_channel_ares(channel), resolve->host, NULL, &hints, query_ended, resolve->held);
	resolver->asking = false;
	dns_channel_asked(channel);
}

/* All servers have failed, or refused, or are not there: the first may say which. */
static void ask_again(void *arg)
{
	struct loop_resolve *resolve = arg;

	resolve->again = NULL;
	resolve->own = dns_channel_new(resolve->loop, NULL, DNS_FRANK);
	ask(resolve, resolve->own);
}

static void query_ended(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct held *held = arg;
	struct loop_resolve *resolve = held->owner;

	(void)timeouts;
	if (is_answer(status) && !resolver_of(held->loop)->asking)
		resolver_heard(held->loop);
	if (resolve) {
		resolve->held = NULL;
		if (status == ARES_SUCCESS && found)
			take_addresses(&resolve->addresses, found);
	}
	if (resolve && status == ARES_ECONNREFUSED && !resolve->own) {
		resolve->again = loop_after(resolve->loop, 0, ask_again, resolve);
	} else if (resolve) {
		if (resolve->addresses.n == 0)
			explain(resolve, status);
		answer_soon(resolve);
	}
	if (found)
		ares_freeaddrinfo(found);
	free(held);
}

/* 192.0.2.1, 2001:db8::1, [2001:db8::1]; false when it is a name. */
static bool take_literal(struct addresses *out, const char *host, int family)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->at[0];
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->at[0];
	char bare[INET6_ADDRSTRLEN];
	size_t n = strlen(host);

	if (n > 2 && n - 2 < sizeof(bare) && host[0] == '[' && host[n - 1] == ']') {
		memcpy(bare, host + 1, n - 2);
		bare[n - 2] = '\0';
		host = bare;
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		return false;
	out->n = family == AF_UNSPEC || out->at[0].any.sa_family == family ? 1 : 0;
	return true;
}

struct loop_resolve *loop_resolve(struct loop *loop, const char *host, int family, int64_t timeout_ms,
	void (*done)(void *arg, const struct addresses *addresses, const char *why, bool ours), void *arg)
{
	struct loop_resolve *resolve = MEM_NEW(struct loop_resolve);

	resolve->loop = loop;
	resolve->done = done;
	resolve->arg = arg;
	resolve->started_us = clock_mono_us();
	if (take_literal(&resolve->addresses, host, family)) {
		if (resolve->addresses.n == 0)
			fail(resolve, "the address is of another family", false);
		answer_soon(resolve);
		return resolve;
	}
	resolve->deadline = loop_after(loop, timeout_ms, deadline_passed, resolve);
	resolve->host = mem_str(host);
	resolve->family = family;
	resolve->silent = loop_after(loop, timeout_ms / 2 < RESOLVER_SILENT_MS ? timeout_ms / 2 : RESOLVER_SILENT_MS,
		takes_long, resolve);
	ask(resolve, resolver_channel(loop, strchr(host, '.') ? DNS_EXACT : DNS_SEARCH));
	return resolve;
}

void loop_resolve_stop(struct loop_resolve *resolve)
{
	if (!resolve)
		return;
	if (resolve->held)
		resolve->held->owner = NULL;
	loop_timer_stop(resolve->deadline);
	resolve_free(resolve);
}
