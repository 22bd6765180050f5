/* SPDX-License-Identifier: ISC */
/* slow_server PORT MS: answers every HTTP request with a small page, MS milliseconds after it came. One thread. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Answers become due in the order of the requests: a ring is enough. */
enum { RING = 65536 };
static struct due {
	int fd;
	int64_t at_ms;
} ring[RING];
static unsigned first, last;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answer_due(void)
{
	static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nalive\n";

	while (first != last && ring[first].at_ms <= now_ms()) {
		if (send(ring[first].fd, page, sizeof(page) - 1, MSG_NOSIGNAL) >= 0)
			shutdown(ring[first].fd, SHUT_WR);
		close(ring[first].fd);
		first = (first + 1) % RING;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct rlimit limit;
	struct epoll_event event = {.events = EPOLLIN}, events[64];
	int on = 1, poller = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (argc != 3 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 2;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 4096) != 0)
		return 1;
	event.data.fd = listener;
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(poller, events, 64, first == last ? -1 : 2);

		for (int i = 0; i < n; i++) {
			char request[4096];
			int fd = events[i].data.fd;

			if (fd == listener) {
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					event.data.fd = fd;
					epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
				}
			} else if (recv(fd, request, sizeof(request), 0) > 0) {
				epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
				ring[last] = (struct due){fd, now_ms() + atoi(argv[2])};
				last = (last + 1) % RING;
			} else {
				close(fd);
			}
		}
		answer_due();
	}
}
