/* SPDX-License-Identifier: ISC */
/*
 * ping: ICMP echo requests and who answers them. One socket for each family of addresses serves all pings
 * that run on a loop: a raw socket gets a copy of every ICMP packet of the machine, so that one for each ping
 * would make thousands of pings read each other's answers.
 *
 * First choice is a datagram ICMP socket, which needs no right at all where net.ipv4.ping_group_range has our
 * group; then a raw one, for root and CAP_NET_RAW. Where neither is allowed ping_program.c runs the system's.
 */
#ifndef PROBER_PING_H
#define PROBER_PING_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "prober/net/loop.h"

#define PING_PACKETS 3
#define PING_APART_MS 500

/* How a ping learns what came of its packets; all owned by the ping. */
struct echo {
	union address to;
	void (*answered)(struct echo *echo, int64_t rtt_us);
	/* One packet came to nothing: an errno, as a router or our own kernel reported it. */
	void (*refused)(struct echo *echo, int error);
	/* private */
	struct echo_socket *socket;
	uint32_t key;                 /* in the packets, with the packet's number */
	int64_t sent_us[PING_PACKETS];
	unsigned packets;
	struct echo *next;            /* of the same slot */
};

/* Joins the loop's socket for echo->to's family; false: this machine does not let us (try the program). */
bool echo_begin(struct echo *echo, struct loop *loop);
/* Sends one more packet, at most PING_PACKETS; 0, or an errno. */
int echo_send(struct echo *echo);
/* Leaves; the last one closes the socket. Harmless when it never began. */
void echo_end(struct echo *echo);

/* ---- ping_program.c: the system's ping, one run for each packet */

struct ping_program;
struct launch_table;

/* May this machine's kernel not be asked by us, so that only the program is left? */
bool ping_needs_program(void);
/* Where it is; NULL: there is none. */
const char *ping_program_path(void);
/* Adds its rows: what ping_program_start() then asks the launcher for. */
void ping_programs(struct launch_table *table);

/* What came of a run. */
struct ping_said {
	const char *cannot; /* NULL, or why it could not be run: that says nothing of the target */
	bool answered;
	int64_t rtt_us;     /* -1 when it did not tell */
	const char *words;  /* for people, when there was no answer; may be empty */
};
/* Starts one: said() once it has ended. The caller frees it in any case, not from within said(). NULL: it
   cannot be started, and *why says so. */
struct ping_program *ping_program_start(struct loop *loop, const char *address, bool v6, int64_t timeout_ms,
	void (*said)(void *arg, const struct ping_said *said), void *arg, const char **why);
/* Ends the process when it still runs. NULL is fine. */
void ping_program_free(struct ping_program *ping);

#endif
