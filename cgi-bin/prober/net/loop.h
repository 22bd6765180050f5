/* SPDX-License-Identifier: ISC */
/*
 * loop: the event loop that every check and every delivery runs on. One thread, epoll; libcurl (multi
 * socket) and c-ares are driven by it.
 *
 * Every name is resolved here, through c-ares, with its own deadline, and handed to libcurl as an address:
 * libcurl's own resolver starts a thread for each transfer, and a process limit then looks like a DNS error.
 *
 * Times given to loop_* are CLOCK_MONOTONIC microseconds or milliseconds from now, as named.
 * A callback may start or stop anything, also itself.
 */
#ifndef PROBER_LOOP_H
#define PROBER_LOOP_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_transfer;
struct loop_resolve;

struct loop *loop_new(struct error *err);
void loop_free(struct loop *loop);

/* Runs until loop_stop() is called, or until_us, or nothing is left to wait for. */
void loop_run(struct loop *loop, int64_t until_us);
void loop_stop(struct loop *loop);
int64_t loop_now_us(const struct loop *loop); /* of this turn; cheap */
/* How long, all in all, turns came more than 200 ms late: what happened meanwhile may be our own doing. */
int64_t loop_stalled_us(const struct loop *loop);
/* Transfers and watches that had an event within the last 20 ms: what queues on our processor. */
unsigned loop_active(const struct loop *loop);

struct loop_timer *loop_after(struct loop *loop, int64_t delay_ms, void (*fire)(void *arg), void *arg);
void loop_timer_stop(struct loop_timer *timer); /* also when it never fired; not after it fired */

#define LOOP_READ 1u
#define LOOP_WRITE 2u
struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned events, void (*ready)(void *arg, unsigned events),
	void *arg);
void loop_watch_events(struct loop_watch *watch, unsigned events);
void loop_unwatch(struct loop_watch *watch); /* does not close fd */

/* Runs an easy handle set up by the caller (who owns it, but leaves CURLOPT_PRIVATE to the loop); done is
   called once, never from within this call. The transfer is gone then: it is not to be stopped any more. */
struct loop_transfer *loop_transfer(struct loop *loop, CURL *easy, void (*done)(void *arg, CURLcode code), void *arg);
void loop_transfer_stop(struct loop_transfer *transfer); /* without calling done */

/* An address of either family; small, because each look holds some (a sockaddr_storage is 128 bytes). */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define ADDRESSES_MAX 16
struct addresses {
	union address at[ADDRESSES_MAX]; /* in the order to try; port 0 */
	size_t n;
	int64_t took_us;
};
/* Resolves a name or a literal address: /etc/hosts, then DNS. family AF_UNSPEC, AF_INET, AF_INET6. done is
   called once, never from within this call, and the resolve is gone then; addresses->n == 0 with `why` a literal for people
   ("no such host", "DNS does not answer", "DNS server failure") and `ours` when it is our own resolver
   that cannot be asked (then the check is unknown, not down). */
struct loop_resolve *loop_resolve(struct loop *loop, const char *host, int family, int64_t timeout_ms,
	void (*done)(void *arg, const struct addresses *addresses, const char *why, bool ours), void *arg);
void loop_resolve_stop(struct loop_resolve *resolve);

#endif
