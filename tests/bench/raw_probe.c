/* SPDX-License-Identifier: ISC */
/*
 * raw_probe PORT N IN_FLIGHT [BUNDLE ADDRESSES]: a yardstick: N HTTP GETs, to as many addresses of 127.0.0.0/8,
 * as fast as plain sockets and epoll go; status and the keyword "alive" are looked for. With BUNDLE it speaks
 * TLS, to ADDRESSES addresses in turn, with one SSL_CTX, and verifies chain and address. Prints how many were
 * good. It has no deadlines, no results, no store: what it takes is the least that such looks can take.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct look {
	int fd;
	bool sent;
	SSL *ssl;
	size_t n;
	char page[PAGE];
};

static int poller;
static unsigned port, addresses, begun, ended, good;
static SSL_CTX *context;

static struct sockaddr_in address_of(unsigned i)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	i %= addresses;
	at.sin_addr.s_addr = htonl(0x7f000000u | (i / 250) << 8 | (i % 250 + 1));
	return at;
}

static void begin(void)
{
	struct look *look = calloc(1, sizeof(*look));
	struct sockaddr_in at = address_of(begun++);
	struct epoll_event event = {.events = EPOLLOUT, .data = {.ptr = look}};
	char host[INET_ADDRSTRLEN];

	look->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(look->fd, (struct sockaddr *)&at, sizeof(at)) != 0 && errno != EINPROGRESS)
		abort();
	if (context) {
		look->ssl = SSL_new(context);
		SSL_set_fd(look->ssl, look->fd);
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(look->ssl), inet_ntop(AF_INET, &at.sin_addr, host, sizeof(host)));
		SSL_set_connect_state(look->ssl);
	}
	epoll_ctl(poller, EPOLL_CTL_ADD, look->fd, &event);
}

static void end(struct look *look)
{
	look->page[look->n] = '\0';
	good += strncmp(look->page, "HTTP/1.1 200", 12) == 0 && strstr(look->page, "alive");
	SSL_free(look->ssl);
	close(look->fd);
	free(look);
	ended++;
}

static void wait_for(struct look *look, unsigned events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = look}};

	epoll_ctl(poller, EPOLL_CTL_MOD, look->fd, &event);
}

/* What an SSL call that did not succeed waits for; false: it failed. */
static bool tls_waits(struct look *look, int returned)
{
	int error = SSL_get_error(look->ssl, returned);

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	wait_for(look, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
	return true;
}

static void serve(struct look *look)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	ssize_t n;

	if (look->ssl && !SSL_is_init_finished(look->ssl)) {
		int done = SSL_do_handshake(look->ssl);

		if (done != 1) {
			if (!tls_waits(look, done))
				end(look);
			return;
		}
	}
	if (!look->sent) {
		n = look->ssl ? SSL_write(look->ssl, request, sizeof(request) - 1) :
				send(look->fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
		look->sent = true;
		if (n < 0)
			end(look);
		else
			wait_for(look, EPOLLIN);
		return;
	}
	n = look->ssl ? SSL_read(look->ssl, look->page + look->n, (int)(PAGE - 1 - look->n)) :
			recv(look->fd, look->page + look->n, PAGE - 1 - look->n, 0);
	if (n > 0)
		look->n += (size_t)n;
	else if (look->ssl ? !tls_waits(look, (int)n) : n == 0 || errno != EAGAIN)
		end(look);
}

int main(int argc, char **argv)
{
	unsigned n, in_flight;

	if (argc != 4 && argc != 6)
		return 2;
	port = (unsigned)atoi(argv[1]);
	n = addresses = (unsigned)atoi(argv[2]);
	in_flight = (unsigned)atoi(argv[3]);
	if (argc == 6) {
		addresses = (unsigned)atoi(argv[5]);
		context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		if (SSL_CTX_load_verify_locations(context, argv[4], NULL) != 1)
			return 1;
	}
	poller = epoll_create1(0);
	while (ended < n) {
		struct epoll_event events[64];
		int ready;

		while (begun < n && begun - ended < in_flight)
			begin();
		ready = epoll_wait(poller, events, 64, -1);
		for (int i = 0; i < ready; i++)
			serve(events[i].data.ptr);
	}
	printf("%u\n", good);
	return good == n ? 0 : 1;
}
