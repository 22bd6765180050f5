/* SPDX-License-Identifier: ISC */
/*
 * ping: a packet carries, after the 8 bytes of ICMP's head, the key of its ping and its number, and a word
 * that tells ours from those of other programs. The identifier of the head is no help: the kernel sets it for
 * datagram sockets. Everything that arrives is looked up by the key, and must come from the address that was
 * asked; what fits nothing is somebody else's.
 *
 * The time of arrival is the kernel's: when a thousand answers wait in the queue, ours is not to be counted as
 * theirs.
 */
#include "prober/check/ping.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"

#define SLOTS 1024            /* of the table of those under way; a power of two */
#define QUEUE_BYTES (1 << 20) /* what the kernel may keep of answers that we have not read */
#define RAW_ICMP_FILTER 1     /* ICMP_FILTER, whose header does not go together with those of libc */
#define HEAD 8
#define PACKET_BYTES 64       /* of ICMP: as every ping sends */

struct payload {
	uint64_t word;
	uint32_t key, number;
};

struct echo_socket {
	struct loop *loop;
	int family, fd;
	bool raw;
	struct loop_watch *watch;
	size_t users;
	uint64_t word;
	uint32_t next_key;
	struct echo *slots[SLOTS];
	struct echo_socket *next;
};

static struct echo_socket *sockets; /* one for each loop and family with pings under way */

/* ---- the table */

static struct echo **slot_of(struct echo_socket *s, uint32_t key)
{
	return &s->slots[key & (SLOTS - 1)];
}

static struct echo *echo_by_key(struct echo_socket *s, uint32_t key)
{
	struct echo *echo = *slot_of(s, key);

	while (echo && echo->key != key)
		echo = echo->next;
	return echo;
}

static void table_remove(struct echo *echo)
{
	struct echo **link = slot_of(echo->socket, echo->key);

	while (*link != echo)
		link = &(*link)->next;
	*link = echo->next;
}

/* ---- what arrives */

static bool same_address(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr,
			       sizeof(struct in6_addr)) == 0;
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

/* The ping that these bytes, an ICMP message of this type, belong to; *number is the packet's. */
static struct echo *find(struct echo_socket *s, const uint8_t *icmp, size_t n, uint8_t type, uint32_t *number)
{
	struct payload payload;
	struct echo *echo;

	if (n < HEAD + sizeof(payload) || icmp[0] != type)
		return NULL;
	memcpy(&payload, icmp + HEAD, sizeof(payload));
	if (payload.word != s->word)
		return NULL;
	echo = echo_by_key(s, payload.key);
	*number = payload.number;
	return echo && payload.number < echo->packets ? echo : NULL;
}

/* How long a message has waited for us in the kernel's queue. */
static int64_t waited_us(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct timespec at, now;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		clock_gettime(CLOCK_REALTIME, &now);
		return (now.tv_sec - at.tv_sec) * US_PER_S + (now.tv_nsec - at.tv_nsec) / 1000;
	}
	return 0;
}

static void take_answer(struct echo_socket *s, const uint8_t *bytes, size_t n, const union address *from,
	int64_t waited)
{
	uint32_t number;
	struct echo *echo;
	int64_t rtt;

	if (s->raw && s->family == AF_INET) {
		size_t head = n > 0 ? (size_t)(bytes[0] & 0x0f) * 4 : 0;

		if (head < sizeof(struct iphdr) || head > n)
			return;
		bytes += head;
		n -= head;
	}
	echo = find(s, bytes, n, s->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY, &number);
	if (!echo || !same_address(&echo->to, from))
		return;
	rtt = clock_mono_us() - echo->sent_us[number];
	if (waited > 0 && waited < rtt)
		rtt -= waited;
	echo->answered(echo, rtt);
}

/* One message of the socket's queue, or of its queue of errors (flags MSG_ERRQUEUE); false: there is none. */
static bool receive(struct echo_socket *s, int flags, struct msghdr *message, uint8_t *bytes, size_t size, size_t *n)
{
	struct iovec part = {bytes, size};
	ssize_t got;

	/* cppcheck-suppress autoVariables ; taken back below */
	message->msg_iov = &part;
	message->msg_iovlen = 1;
	got = recvmsg(s->fd, message, MSG_DONTWAIT | flags);
	message->msg_iov = NULL;
	*n = got > 0 ? (size_t)got : 0;
	return got >= 0;
}

/* What routers and our own kernel say of packets that did not get there. The bytes are our own packet. */
static void drain_errors(struct echo_socket *s)
{
	for (;;) {
		union address to = {0};
		uint8_t bytes[256], control[512];
		struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_control = control,
			.msg_controllen = sizeof(control)};
		uint32_t number;
		size_t n;
		struct echo *echo;

		if (!receive(s, MSG_ERRQUEUE, &message, bytes, sizeof(bytes), &n))
			return;
		echo = find(s, bytes, n, s->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST, &number);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c && echo; c = CMSG_NXTHDR(&message, c)) {
			struct sock_extended_err error;

			if (c->cmsg_level != (s->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6) ||
				c->cmsg_type != (s->family == AF_INET ? IP_RECVERR : IPV6_RECVERR))
				continue;
			memcpy(&error, CMSG_DATA(c), sizeof(error));
			echo->refused(echo, (int)error.ee_errno);
			break;
		}
	}
}

static void ready(void *arg, unsigned events)
{
	struct echo_socket *s = arg;
	unsigned tries = 0;

	(void)events;
	drain_errors(s);
	/* All that is there, but bounded: others wait too. A pending error ends nothing. */
	while (s->users > 0 && tries++ < 256) {
		union address from = {0};
		uint8_t bytes[256], control[128];
		struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_control = control,
			.msg_controllen = sizeof(control)};
		size_t n;

		if (receive(s, 0, &message, bytes, sizeof(bytes), &n))
			take_answer(s, bytes, n, &from, waited_us(&message));
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
	}
}

/* ---- the socket */

static bool socket_make(struct echo_socket *s)
{
	int protocol = s->family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6;

	s->fd = socket(s->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	s->raw = s->fd < 0;
	if (s->raw)
		s->fd = socket(s->family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return s->fd >= 0;
}

static void socket_set(struct echo_socket *s)
{
	int on = 1, bytes = QUEUE_BYTES;

	setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (s->family == AF_INET) {
		setsockopt(s->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	} else {
		setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
		if (s->raw) {
			struct icmp6_filter filter;

			ICMP6_FILTER_SETBLOCKALL(&filter);
			ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
			setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
		}
	}
	if (s->raw && s->family == AF_INET) {
		uint32_t all_but_answers = ~(1u << ICMP_ECHOREPLY);

		setsockopt(s->fd, SOL_RAW, RAW_ICMP_FILTER, &all_but_answers, sizeof(all_but_answers));
	}
}

static struct echo_socket *socket_for(struct loop *loop, int family)
{
	struct echo_socket *s = sockets;

	while (s && (s->loop != loop || s->family != family))
		s = s->next;
	if (s)
		return s;
	s = MEM_NEW(struct echo_socket);
	s->loop = loop;
	s->family = family;
	if (!socket_make(s)) {
		free(s);
		return NULL;
	}
	socket_set(s);
	if (getrandom(&s->word, sizeof(s->word), 0) != sizeof(s->word))
		s->word = (uint64_t)clock_wall_us();
	s->watch = loop_watch(loop, s->fd, LOOP_READ, ready, s);
	s->next = sockets;
	sockets = s;
	return s;
}

static void socket_leave(struct echo_socket *s)
{
	struct echo_socket **link = &sockets;

	if (--s->users > 0)
		return;
	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	loop_unwatch(s->watch);
	close(s->fd);
	free(s);
}

/* ---- the calls */

bool echo_begin(struct echo *echo, struct loop *loop)
{
	struct echo_socket *s = socket_for(loop, echo->to.any.sa_family);
	struct echo **slot;

	if (!s)
		return false;
	s->users++;
	echo->socket = s;
	echo->key = s->next_key++;
	echo->packets = 0;
	slot = slot_of(s, echo->key);
	echo->next = *slot;
	*slot = echo;
	return true;
}

static uint16_t checksum(const uint8_t *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int echo_send(struct echo *echo)
{
	struct echo_socket *s = echo->socket;
	struct payload payload = {s->word, echo->key, echo->packets};
	uint8_t packet[PACKET_BYTES] = {0};
	uint16_t sum;

	packet[0] = s->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	packet[4] = (uint8_t)(s->word >> 8);
	packet[5] = (uint8_t)s->word;
	packet[6] = (uint8_t)(echo->packets >> 8);
	packet[7] = (uint8_t)echo->packets;
	memcpy(packet + HEAD, &payload, sizeof(payload));
	if (s->family == AF_INET) { /* the kernel computes that of ICMPv6 */
		sum = checksum(packet, sizeof(packet));
		packet[2] = (uint8_t)(sum >> 8);
		packet[3] = (uint8_t)sum;
	}
	echo->sent_us[echo->packets++] = clock_mono_us();
	/* The first error may be that of another ping's packet: it is reported at the next call, whoever makes it. */
	for (int tries = 0; tries < 2; tries++)
		if (sendto(s->fd, packet, sizeof(packet), 0, (struct sockaddr *)&echo->to, address_length(&echo->to)) >= 0)
			return 0;
	return errno;
}

void echo_end(struct echo *echo)
{
	if (!echo->socket)
		return;
	table_remove(echo);
	socket_leave(echo->socket);
	echo->socket = NULL;
}
