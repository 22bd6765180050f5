/* SPDX-License-Identifier: ISC */
/*
 * dns_channel: c-ares on the loop. See dns_channel.h.
 */
#include "prober/net/dns_channel.h"

#include <stdlib.h>

#include "base/mem.h"
#include "prober/testing.h"

#define TRY_MS 1500 /* before asking again, or another server; doubles with each round */
#define TRIES 3

/* One socket of c-ares on the loop. */
struct socket_watch {
	struct dns_channel *channel;
	ares_socket_t fd;
	struct loop_watch *watch;
	struct socket_watch *next;
};

struct dns_channel {
	struct loop *loop;
	ares_channel ares;
	struct loop_timer *timer; /* its own retries */
	struct socket_watch *sockets;
};

static void retry_fired(void *arg)
{
	struct dns_channel *channel = arg;

	channel->timer = NULL;
	ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_channel_asked(channel);
}

/* Sets the timer to when c-ares next wants to be asked whether a question is to be repeated. */
void dns_channel_asked(struct dns_channel *channel)
{
	struct timeval wait;

	loop_timer_stop(channel->timer);
	channel->timer = NULL;
	if (ares_timeout(channel->ares, NULL, &wait))
		channel->timer = loop_after(channel->loop, (int64_t)wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1,
			retry_fired, channel);
}

static void socket_ready(void *arg, unsigned events)
{
	struct socket_watch *own = arg;
	struct dns_channel *channel = own->channel;

	ares_process_fd(channel->ares, events & LOOP_READ ? own->fd : ARES_SOCKET_BAD,
		events & LOOP_WRITE ? own->fd : ARES_SOCKET_BAD);
	dns_channel_asked(channel);
}

static void socket_forget(struct socket_watch **link)
{
	struct socket_watch *own = *link;

	*link = own->next;
	loop_unwatch(own->watch);
	free(own);
}

/* c-ares tells which of its sockets wait for what. */
static void socket_wanted(void *arg, ares_socket_t fd, int reading, int writing)
{
	struct dns_channel *channel = arg;
	unsigned events = (reading ? LOOP_READ : 0) | (writing ? LOOP_WRITE : 0);
	struct socket_watch **link = &channel->sockets;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	if (!events && *link) {
		socket_forget(link);
	} else if (events && *link) {
		loop_watch_events((*link)->watch, events);
	} else if (events) {
		struct socket_watch *own = MEM_NEW(struct socket_watch);

		own->channel = channel;
		own->fd = fd;
		own->watch = loop_watch(channel->loop, fd, events, socket_ready, own);
		own->next = channel->sockets;
		channel->sockets = own;
	}
}

struct dns_channel *dns_channel_new(struct loop *loop, const char *servers, enum dns_manner manner)
{
	struct dns_channel *channel = MEM_NEW(struct dns_channel);
	struct ares_options options = {.flags = ARES_FLAG_NOCHECKRESP, .timeout = TRY_MS, .tries = TRIES, .ndomains = 0,
		.sock_state_cb = socket_wanted, .sock_state_cb_data = channel};
	int which = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
		(manner == DNS_SEARCH ? 0 : ARES_OPT_DOMAINS) | (manner == DNS_FRANK ? ARES_OPT_FLAGS : 0);

	channel->loop = loop;
	if (!servers)
		servers = testing_env("UPBEAT_DNS");
	if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
		ares_init_options(&channel->ares, &options, which) == ARES_SUCCESS &&
		(!servers || ares_set_servers_ports_csv(channel->ares, servers) == ARES_SUCCESS))
		return channel;
	if (channel->ares)
		ares_destroy(channel->ares);
	free(channel);
	return NULL;
}

ares_channel dns_channel_ares(struct dns_channel *channel)
{
	return channel->ares;
}

void dns_channel_free(struct dns_channel *channel)
{
	if (!channel)
		return;
	ares_destroy(channel->ares);
	while (channel->sockets)
		socket_forget(&channel->sockets);
	loop_timer_stop(channel->timer);
	free(channel);
}
