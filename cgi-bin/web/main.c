/* SPDX-License-Identifier: ISC */
/*
 * upbeat.fcgi: answers requests, and never opens a connection.
 *
 * Started by a web server either once for each request (plain CGI: the request is in the environment, the
 * body on stdin) or once for many (FastCGI: descriptor 0 is a listening socket). serve() is the story of
 * one request and the same for both.
 *
 * A FastCGI process keeps UPBEAT_THREADS workers able to work (workers.h). SIGTERM makes a pipe readable
 * that every worker waits on beside the socket: who waits leaves at once, who serves answers first. A worker
 * that finds another binary in the place of ours does the same to all of them; the web server starts the
 * new one. What the program gives up at start and with its first request: walls.h.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/books.h"
#include "web/lean.h"
#include "web/reply.h"
#include "web/request.h"
#include "web/routes.h"
#include "web/walls.h"
#include "web/workers.h"

#define THREADS_DEFAULT 4
#define THREADS_MAX 64

/* One request, from its parameters to its answer. No transaction is open while a socket is read or
   written. */
static void serve(struct channel_io *io, char **env)
{
	struct web *web = web_for(env);
	struct request req;
	struct reply reply;
	const char *mount = env_get_redirected(env, "UPBEAT_MOUNT");
	char *url;

	web_enter(web, env);
	url = web_site_url(web);
	request_begin(&req, env, io, mount != NULL ? mount : getenv("UPBEAT_MOUNT"), url, web_programs());
	reply_begin(&reply);
	routes_dispatch(web, &req, &reply);
	web_leave(web);
	request_discard_body(&req);
	reply_send(&reply, &req);
	reply_end(&reply);
	request_end(&req);
	free(url);
}

/* ---- FastCGI */

static void on_signal(int number)
{
	(void)number;
	workers_stop();
}

static size_t thread_count(void)
{
	const char *s = getenv("UPBEAT_THREADS");
	uint64_t n;

	if (s == NULL || !text_to_u64(s, &n) || n == 0)
		return THREADS_DEFAULT;
	return n < THREADS_MAX ? (size_t)n : THREADS_MAX;
}

static void handle_signals(void)
{
	struct sigaction action;
	static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	for (i = 0; i < COUNT_OF(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* libfcgi has put a handler of its own there */
}

static bool settle(char **env)
{
	return walls_paths(env, false);
}

static int serve_many(void)
{
	const char *store = getenv("UPBEAT_STORE");
	bool settled;

	/* An arena for each thread would cost more than all else that we hold; and libfcgi takes and frees
	   large buffers, for which fast bins would be emptied each time. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MXFAST, 0);
	lean_use_processor();
	if (!channel_start() || !workers_prepare()) {
		log_error("cannot start serving");
		return 75;
	}
	handle_signals();
	walls_calls(false);
	settled = store != NULL && *store != '\0' && settle(environ);
	return workers_run(thread_count(), settled ? NULL : settle, serve) ? 0 : 75;
}

/* ---- start */

/* A closed descriptor 1 or 2 would be given to the first file we open, and a stray line written into it. */
static void fill_standard_descriptors(void)
{
	int fd;

	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(75);
}

int main(int argc, char **argv)
{
	bool one_request = channel_is_cgi();
	int status = 0;

	signal(SIGPIPE, SIG_IGN); /* a client that left */
	signal(SIGXFSZ, SIG_IGN); /* a file size limit: the write fails, that is enough */
	mem_on_exhaustion(channel_apologize);
	fill_standard_descriptors();
	confine_memory();
	web_start(argc > 0 ? argv[0] : NULL, one_request);
	if (one_request) {
		struct channel_io *io = channel_cgi(); /* from here on there is a request to be answered */

		walls_paths(environ, true);
		walls_calls(true);
		serve(io, environ);
		_exit(0); /* the kernel closes faster than we do */
	}
	status = serve_many();
	web_close_all();
	log_close();
	return status;
}
