/* SPDX-License-Identifier: ISC */
/* talker: a TCP server for tests that greets each connection with bytes of its row, and keeps what it hears. */
#ifndef TESTS_TALKER_H
#define TESTS_TALKER_H

#include "small_server.h"

struct talker {
	int listener;
	unsigned port;
	const char *greeting; /* NULL: says nothing until it has heard something, then that in capital letters */
	enum then then;
	char heard[256];
	pthread_t thread;
};

static void talker_answer(struct talker *talker, int fd)
{
	ssize_t n = recv(fd, talker->heard, sizeof(talker->heard) - 1, 0);

	for (ssize_t i = 0; i < n; i++) {
		char c = talker->heard[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (send(fd, &c, 1, MSG_NOSIGNAL) != 1) /* byte by byte */
			break;
	}
}

static void *talker_run(void *arg)
{
	struct talker *talker = arg;
	int fd;

	while ((fd = accept(talker->listener, NULL, NULL)) >= 0) {
		struct script script = {"", "\n", talker->then};

		if (talker->greeting)
			send(fd, talker->greeting, strlen(talker->greeting), MSG_NOSIGNAL);
		else
			talker_answer(talker, fd);
		finish_script(fd, &script, NULL);
		close(fd);
	}
	return NULL;
}

static void talker_start(struct talker *talker)
{
	talker->listener = small_listen(&talker->port);
	if (pthread_create(&talker->thread, NULL, talker_run, talker) != 0)
		abort();
}

static void talker_stop(struct talker *talker)
{
	shutdown(talker->listener, SHUT_RDWR);
	close(talker->listener);
	pthread_join(talker->thread, NULL);
}

#endif
