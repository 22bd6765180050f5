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
 * the name's own servers are to blame. When they answered nothing we cannot tell: `ours`.
 */
#include "prober/loop_private.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define TRY_MS 1500 /* before asking again, or another server; doubles with each round */
#define TRIES 3

struct resolver {
	struct loop *loop;
	ares_channel exact, search; /* made when first needed */
	struct loop_timer *timer;   /* c-ares' own retries */
	struct socket_watch *sockets;
	int64_t answered_us;        /* when our resolvers answered anything, newest */
};

/* One socket of c-ares on the loop. */
struct socket_watch {
	struct resolver *resolver;
	ares_channel channel;
	ares_socket_t fd;
	struct loop_watch *watch;
	struct socket_watch *next;
};

struct loop_resolve {
	struct loop *loop;
	struct query *query;         /* NULL when c-ares has ended it, or for literal addresses */
	struct loop_timer *deadline; /* or the turn's end, once the answer is there */
	int64_t started_us;
	struct addresses addresses;
	const char *why;
	bool ours;
	void (*done)(void *arg, const struct addresses *addresses, const char *why, bool ours);
	void *arg;
};

/* What c-ares holds: it outlives the resolve that wanted it. */
struct query {
	struct loop_resolve *owner; /* NULL: nobody waits any more */
	struct resolver *resolver;
};

/* ---- c-ares on the loop */

static void channels_process(struct resolver *resolver);

static void retry_fired(void *arg)
{
	struct resolver *resolver = arg;

	resolver->timer = NULL;
	channels_process(resolver);
}

/* Sets the timer to when c-ares next wants to be asked whether a query is to be repeated. */
static void retry_arm(struct resolver *resolver)
{
	ares_channel channels[] = {resolver->exact, resolver->search};
	int64_t next_ms = -1;

	for (size_t i = 0; i < COUNT_OF(channels); i++) {
		struct timeval wait;

		if (channels[i] && ares_timeout(channels[i], NULL, &wait)) {
			int64_t ms = (int64_t)wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1;

			next_ms = next_ms < 0 || ms < next_ms ? ms : next_ms;
		}
	}
	loop_timer_stop(resolver->timer);
	resolver->timer = next_ms < 0 ? NULL : loop_after(resolver->loop, next_ms, retry_fired, resolver);
}

static void channels_process(struct resolver *resolver)
{
	if (resolver->exact)
		ares_process_fd(resolver->exact, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (resolver->search)
		ares_process_fd(resolver->search, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	retry_arm(resolver);
}

static void socket_ready(void *arg, unsigned events)
{
	struct socket_watch *own = arg;
	struct resolver *resolver = own->resolver;

	ares_process_fd(own->channel, events & LOOP_READ ? own->fd : ARES_SOCKET_BAD,
		events & LOOP_WRITE ? own->fd : ARES_SOCKET_BAD);
	retry_arm(resolver);
}

static void socket_forget(struct resolver *resolver, struct socket_watch **link)
{
	struct socket_watch *own = *link;

	(void)resolver;
	*link = own->next;
	loop_unwatch(own->watch);
	free(own);
}

/* c-ares tells which of its sockets wait for what. */
static void socket_wanted(struct resolver *resolver, ares_channel channel, ares_socket_t fd, int reading,
	int writing)
{
	unsigned events = (reading ? LOOP_READ : 0) | (writing ? LOOP_WRITE : 0);
	struct socket_watch **link = &resolver->sockets;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	if (!events && *link) {
		socket_forget(resolver, link);
	} else if (events && *link) {
		loop_watch_events((*link)->watch, events);
	} else if (events) {
		struct socket_watch *own = MEM_NEW(struct socket_watch);

		own->resolver = resolver;
		own->channel = channel;
		own->fd = fd;
		own->watch = loop_watch(resolver->loop, fd, events, socket_ready, own);
		own->next = resolver->sockets;
		resolver->sockets = own;
	}
}

static void exact_socket(void *arg, ares_socket_t fd, int reading, int writing)
{
	struct resolver *resolver = arg;

	socket_wanted(resolver, resolver->exact, fd, reading, writing);
}

static void search_socket(void *arg, ares_socket_t fd, int reading, int writing)
{
	struct resolver *resolver = arg;

	socket_wanted(resolver, resolver->search, fd, reading, writing);
}

/* The channel that a name is asked through, made at the first need; NULL when c-ares cannot be set up. */
static ares_channel channel_for(struct resolver *resolver, const char *host)
{
	bool exact = strchr(host, '.');
	ares_channel *channel = exact ? &resolver->exact : &resolver->search;
	struct ares_options options = {.timeout = TRY_MS, .tries = TRIES, .ndomains = 0, .lookups = NULL};
	int which = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | (exact ? ARES_OPT_DOMAINS : 0);

	if (*channel)
		return *channel;
	options.sock_state_cb = exact ? exact_socket : search_socket;
	options.sock_state_cb_data = resolver;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
		ares_init_options(channel, &options, which) != ARES_SUCCESS)
		*channel = NULL;
	return *channel;
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

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	if (resolver->exact)
		ares_destroy(resolver->exact);
	if (resolver->search)
		ares_destroy(resolver->search);
	while (resolver->sockets)
		socket_forget(resolver, &resolver->sockets);
	loop_timer_stop(resolver->timer);
	free(resolver);
}

/* ---- one question */

static void answer(void *arg)
{
	struct loop_resolve *resolve = arg;

	resolve->addresses.took_us = clock_mono_us() - resolve->started_us;
	resolve->done(resolve->arg, &resolve->addresses, resolve->why, resolve->ours);
	free(resolve);
}

/* Tells the owner at the turn's end, never from within the call that asked. */
static void answer_soon(struct loop_resolve *resolve)
{
	loop_timer_stop(resolve->deadline);
	resolve->deadline = loop_after(resolve->loop, 0, answer, resolve);
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

	if (resolve->query)
		resolve->query->owner = NULL;
	fail_silent(resolve);
	answer(resolve);
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
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
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

/* Did a server say something, whatever it was? */
static bool is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND ||
		status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP ||
		status == ARES_EFORMERR || status == ARES_EBADRESP;
}

static void query_ended(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct query *query = arg;
	struct loop_resolve *resolve = query->owner;

	(void)timeouts;
	if (is_answer(status))
		query->resolver->answered_us = clock_mono_us();
	if (resolve) {
		resolve->query = NULL;
		if (status == ARES_SUCCESS && found)
			take_addresses(&resolve->addresses, found);
		if (resolve->addresses.n == 0)
			explain(resolve, status);
		answer_soon(resolve);
	}
	if (found)
		ares_freeaddrinfo(found);
	free(query);
}

static void ask(struct loop_resolve *resolve, const char *host, int family)
{
	struct resolver *resolver = resolver_of(resolve->loop);
	struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	ares_channel channel = channel_for(resolver, host);
	struct query *query;

	if (!channel) {
		fail(resolve, "our DNS resolver cannot be asked", true);
		answer_soon(resolve);
		return;
	}
	query = MEM_NEW(struct query);
	query->owner = resolve;
	query->resolver = resolver;
	resolve->query = query;
	ares_getaddrinfo(channel, host, NULL, &hints, query_ended, query);
	retry_arm(resolver);
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
	out->n = family == AF_UNSPEC || out->at[0].ss_family == family ? 1 : 0;
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
	ask(resolve, host, family);
	return resolve;
}

void loop_resolve_stop(struct loop_resolve *resolve)
{
	if (!resolve)
		return;
	if (resolve->query)
		resolve->query->owner = NULL;
	loop_timer_stop(resolve->deadline);
	free(resolve);
}
