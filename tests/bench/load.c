/* SPDX-License-Identifier: ISC */
/*
 * load: a bounded HTTP load on 127.0.0.1 over kept connections, one request in flight on each.
 *
 *	load PORT CONNECTIONS SECONDS get PATH
 *	load PORT CONNECTIONS SECONDS beat PATH SECRET     PATH holds %d: each connection beats its own heartbeat,
 *	                                                   whose secret is "SECRET NUMBER"
 *	load PORT CONNECTIONS SECONDS forge PATH           beats with a wrong signature
 *
 * RATE=N in the environment: so many requests a second, of all connections together, instead of as many as go.
 * Prints one line: answers with the expected status, others, seconds, p50 and p99 in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "base/text.h"

#define LENGTHS_MAX 4000000

struct connection {
	int fd, number;
	bool idle; /* its next request waits for its time */
	int64_t sent_us;
	char answer[1 << 20]; /* a whole dashboard */
	size_t have;
};

static const char *mode, *path_format, *secret = "";
static int64_t *lengths;
static size_t good, bad;
static int port, events_fd;
static double rate; /* requests a second; 0: no limit */
static int64_t begun_us;
static size_t asked;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The path of a connection: the one %d in the format, if any, becomes its number. */
static void put_path(struct text *t, int number)
{
	const char *mark = strstr(path_format, "%d");

	if (!mark) {
		text_raw(t, path_format);
		return;
	}
	text_rawn(t, path_format, (size_t)(mark - path_format));
	text_printf(t, "%d", number);
	text_raw(t, mark + 2);
}

static void put_beat(struct text *t, int number)
{
	struct text body = TEXT_INIT, key = TEXT_INIT;
	uint8_t mac[SHA256_BYTES];
	int64_t now = clock_wall_us();

	text_printf(&body, "{\"time\":%lld.%06lld}", (long long)(now / US_PER_S), (long long)(now % US_PER_S));
	text_printf(&key, "%s %d", secret, number);
	sign_hmac_sha256(key.ptr, key.len, body.ptr, body.len, mac);
	text_raw(t, "POST ");
	put_path(t, number);
	text_raw(t, " HTTP/1.1\r\nHost: localhost\r\nX-Hub-Signature-256: sha256=");
	sign_hex(t, mac, sizeof(mac));
	text_printf(t, "\r\nContent-Length: %zu\r\n\r\n", body.len);
	text_rawn(t, body.ptr, body.len);
	text_free(&body);
	text_free(&key);
}

static void ask(struct connection *c)
{
	struct text request = TEXT_INIT;

	if (strcmp(mode, "get") == 0) {
		text_raw(&request, "GET ");
		put_path(&request, c->number);
		text_raw(&request, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	} else {
		put_beat(&request, c->number);
	}
	c->sent_us = clock_mono_us();
	c->have = 0;
	if (send(c->fd, request.ptr, request.len, MSG_NOSIGNAL) != (ssize_t)request.len && errno != EPIPE &&
		errno != ECONNRESET)
		fail("write"); /* what was closed under us is seen when reading */
	text_free(&request);
}

static void ask_when_due(struct connection *c)
{
	if (rate > 0 && (double)asked > rate * (double)(clock_mono_us() - begun_us) / 1e6) {
		c->idle = true;
		return;
	}
	c->idle = false;
	asked++;
	ask(c);
}

/* Is the whole answer here? Content-Length or chunked, as the servers send them. */
static bool complete(const struct connection *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *length;

	if (!end)
		return false;
	length = strcasestr(c->answer, "\r\ncontent-length:");
	if (length && length < end)
		return c->have >= (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
	return c->have >= 5 && memcmp(c->answer + c->have - 5, "0\r\n\r\n", 5) == 0;
}

/* The server may end a kept connection after so many requests: the same request goes out on a new one. */
static void redial(struct connection *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	close(c->fd);
	c->fd = dial();
	epoll_ctl(events_fd, EPOLL_CTL_ADD, c->fd, &event);
	ask_when_due(c);
}

static void take(struct connection *c)
{
	const char *wanted = strcmp(mode, "forge") == 0 ? " 403" : " 200";
	ssize_t n = read(c->fd, c->answer + c->have, sizeof(c->answer) - 1 - c->have);

	if (n <= 0 && c->have == 0) {
		redial(c);
		return;
	}
	if (n <= 0)
		fail("the server cut an answer short");
	c->have += (size_t)n;
	c->answer[c->have] = '\0';
	if (!complete(c))
		return;
	if (good + bad < LENGTHS_MAX)
		lengths[good + bad] = clock_mono_us() - c->sent_us;
	if (strncmp(c->answer + 8, wanted, 4) == 0)
		good++;
	else
		bad++;
	if (strcasestr(c->answer, "\r\nconnection: close\r\n"))
		redial(c);
	else
		ask_when_due(c);
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static struct connection *connect_all(int n)
{
	struct connection *all = mem_array((size_t)n, sizeof(all[0]));

	for (int i = 0; i < n; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

		all[i].fd = dial();
		all[i].number = i;
		epoll_ctl(events_fd, EPOLL_CTL_ADD, all[i].fd, &event);
		ask_when_due(&all[i]);
	}
	return all;
}

static void print_figures(void)
{
	double took = (double)(clock_mono_us() - begun_us) / 1e6;
	size_t n = good + bad < LENGTHS_MAX ? good + bad : LENGTHS_MAX;

	qsort(lengths, n, sizeof(*lengths), by_length);
	printf("%zu %zu %.3f %lld %lld\n", good, bad, took, n ? (long long)lengths[n / 2] : 0LL,
		n ? (long long)lengths[n * 99 / 100] : 0LL);
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	struct connection *all;
	int connections;
	int64_t end_us;

	if (argc < 6)
		return 2;
	connections = (int)strtol(argv[2], NULL, 10);
	port = (int)strtol(argv[1], NULL, 10);
	mode = argv[4];
	path_format = argv[5];
	if (argc > 6)
		secret = argv[6];
	if (getenv("RATE"))
		rate = strtod(getenv("RATE"), NULL);
	lengths = mem_array(LENGTHS_MAX, sizeof(*lengths));
	events_fd = epoll_create1(0);
	begun_us = clock_mono_us();
	end_us = begun_us + (int64_t)(strtod(argv[3], NULL) * 1e6);
	all = connect_all(connections);
	while (clock_mono_us() < end_us) {
		int n = epoll_wait(events_fd, events, 64, rate > 0 ? 1 : 100);

		for (int i = 0; i < n; i++)
			take(events[i].data.ptr);
		for (int i = 0; rate > 0 && i < connections; i++)
			if (all[i].idle)
				ask_when_due(&all[i]);
	}
	print_figures();
	return 0;
}
