/* SPDX-License-Identifier: ISC */
/*
 * small_server: a server of scripted answers on a free loopback port, in a thread of the test. Each path has
 * a row; what a row says is sent as it stands, byte for byte, so that wrong answers are as easy as right ones.
 */
#ifndef TESTS_SMALL_SERVER_H
#define TESTS_SMALL_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum then { THEN_CLOSE, THEN_HANG, THEN_RESET, THEN_REPEAT, THEN_DRIP };

struct script {
	const char *path;
	const char *answer; /* %d in it becomes the server's own port */
	enum then then;     /* THEN_REPEAT sends the last line for ever, THEN_DRIP a byte each 20 ms */
};

struct small_server {
	int listener;
	unsigned port;
	const struct script *scripts;
	size_t n;
	pthread_t thread;
	pthread_mutex_t lock;
	struct text requests; /* everything that was received */
	unsigned connections;
	unsigned asked[16];   /* for each of the first scripts: how often */
	volatile bool let_go; /* who was left hanging may go: the connection is closed */
};

static const struct script *script_for(struct small_server *server, const char *request)
{
	const char *path = strchr(request, ' ');

	for (size_t i = 0; path && i < server->n; i++) {
		size_t n = strlen(server->scripts[i].path);

		if (strncmp(path + 1, server->scripts[i].path, n) == 0 && path[1 + n] == ' ')
			return &server->scripts[i];
	}
	return NULL;
}

struct small_client {
	struct small_server *server;
	int fd;
};

/* Until it has gone, or (let_go may be NULL) may go. */
static void hang(int fd, const volatile bool *let_go)
{
	const struct timeval look = {0, 20000};
	ssize_t n = 1;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof(look));
	while (!(let_go && *let_go) && (n > 0 || (n < 0 && errno == EAGAIN)))
		n = recv(fd, &byte, 1, 0);
}

static void finish_script(int fd, const struct script *script, const volatile bool *let_go)
{
	const char *last = strrchr(script->answer, '\n');
	struct linger reset = {1, 0};

	last = last && last[1] ? last + 1 : "x-more: and more of it\r\n";
	switch (script->then) {
	case THEN_HANG:
		hang(fd, let_go);
		break;
	case THEN_REPEAT:
		while (send(fd, last, strlen(last), MSG_NOSIGNAL) > 0)
			;
		break;
	case THEN_DRIP:
		while (send(fd, "x", 1, MSG_NOSIGNAL) > 0)
			usleep(20000);
		break;
	case THEN_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case THEN_CLOSE:
		break;
	}
}

static bool request_is_whole(const char *request)
{
	const char *body = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length:");

	if (!body)
		return false;
	return !length || length > body || strlen(body + 4) >= strtoul(length + 17, NULL, 10);
}

static void *small_serve(void *arg)
{
	struct small_client *client = arg;
	char request[16384];
	size_t n = 0;
	const struct script *found;
	struct script script = {0};

	while (n < sizeof(request) - 1) {
		ssize_t got = recv(client->fd, request + n, sizeof(request) - 1 - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
		request[n] = '\0';
		if (request_is_whole(request))
			break;
	}
	request[n] = '\0';
	pthread_mutex_lock(&client->server->lock);
	text_rawn(&client->server->requests, request, n);
	found = script_for(client->server, request);
	if (found) {
		script = *found; /* as it is now: a test may change it while we answer */
		if (found - client->server->scripts < (ptrdiff_t)COUNT_OF(client->server->asked))
			client->server->asked[found - client->server->scripts]++;
	}
	pthread_mutex_unlock(&client->server->lock);
	if (found) {
		char answer[8192];
		const char *port = strstr(script.answer, "%d");
		int length = port ? snprintf(answer, sizeof(answer), "%.*s%u%s", (int)(port - script.answer),
					     script.answer, client->server->port, port + 2) :
				    snprintf(answer, sizeof(answer), "%s", script.answer);

		if (send(client->fd, answer, (size_t)length, MSG_NOSIGNAL) == length)
			finish_script(client->fd, &script, &client->server->let_go);
	}
	close(client->fd);
	free(client);
	return NULL;
}

static void *small_accept(void *arg)
{
	struct small_server *server = arg;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		struct small_client *client = malloc(sizeof(*client));
		pthread_t thread;

		server->connections++;
		*client = (struct small_client){server, fd};
		if (pthread_create(&thread, NULL, small_serve, client) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

static int small_listen(unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0)
		abort();
	getsockname(fd, (struct sockaddr *)&at, &n);
	*port = ntohs(at.sin_port);
	return fd;
}

__attribute__((unused)) static void small_server_start(struct small_server *server, const struct script *scripts, size_t n)
{
	pthread_mutexattr_t attr;

	*server = (struct small_server){.scripts = scripts, .n = n};
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED); /* a test may have put us into another process */
	pthread_mutex_init(&server->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	server->listener = small_listen(&server->port);
	if (pthread_create(&server->thread, NULL, small_accept, server) != 0)
		abort();
}

__attribute__((unused)) static void small_server_stop(struct small_server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	close(server->listener);
	pthread_join(server->thread, NULL);
	usleep(30000); /* its clients end when theirs has gone */
	text_free(&server->requests);
}

#endif
