/* SPDX-License-Identifier: ISC */
/*
 * ping_program: the system's ping, which may do what we may not. Started without a shell, with one packet to
 * send and a time to wait for its answer: what all implementations understand (iputils, busybox, inetutils).
 */
#include "prober/check/ping.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/testing.h"

#define SAID_MAX 2048

struct ping_program {
	pid_t pid;
	int fd;
	struct loop_watch *watch;
	struct text said;
	void (*done)(void *arg, bool answered, int64_t rtt_us, const char *words);
	void *arg;
};

/* ---- which */

static const char *find_program(bool v6)
{
	static const char *const places[] = {"/bin/ping", "/usr/bin/ping", "/sbin/ping", "/usr/sbin/ping"};
	static const char *const places6[] = {"/bin/ping6", "/usr/bin/ping6", "/sbin/ping6", "/usr/sbin/ping6"};
	const char *given = testing_env("UPBEAT_PING");

	if (given)
		return given;
	for (size_t i = 0; v6 && i < COUNT_OF(places6); i++)
		if (access(places6[i], X_OK) == 0)
			return places6[i];
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* ---- what it says */

/* "64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.045 ms" */
static int64_t time_said(const char *said)
{
	const char *time = strstr(said, "time=");
	char *end;
	double ms;

	if (!time)
		return -1;
	ms = strtod(time + 5, &end);
	return end != time + 5 && ms >= 0 && ms < 1e7 ? (int64_t)(ms * 1000) : -1;
}

/* The last line that is not empty is where programs complain. */
static char *complaint(struct text *said)
{
	const char *s = text_str(said), *from;
	size_t end = said->len;
	struct text line = TEXT_INIT;

	while (end > 0 && (unsigned char)s[end - 1] <= ' ')
		end--;
	from = s + end;
	while (from > s && from[-1] != '\n')
		from--;
	text_logn(&line, from, (size_t)(s + end - from));
	return text_take(&line);
}

static void ended(struct ping_program *program)
{
	int status = 0;
	bool answered;
	char *words;

	while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
		;
	program->pid = 0;
	answered = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	words = answered ? NULL : complaint(&program->said);
	program->done(program->arg, answered, time_said(text_str(&program->said)), words ? words : "");
	free(words);
}

static void ready(void *arg, unsigned events)
{
	struct ping_program *program = arg;
	char bytes[512];
	ssize_t n = read(program->fd, bytes, sizeof(bytes));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		if (program->said.len < SAID_MAX)
			text_rawn(&program->said, bytes, (size_t)n);
		return;
	}
	loop_unwatch(program->watch);
	program->watch = NULL;
	ended(program);
}

/* ---- starting and ending it */

static int spawn(const char *path, const char *address, int64_t timeout_ms, int out, pid_t *pid)
{
	char *program = mem_str(path), *to = mem_str(address), environment[] = "LC_ALL=C", wait[24];
	char numeric[] = "-n", count[] = "-c", one[] = "1", waits[] = "-W";
	char *const argv[] = {program, numeric, count, one, waits, wait, to, NULL};
	char *const envp[] = {environment, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	struct text seconds = TEXT_INIT;
	sigset_t signals;
	int error;

	text_printf(&seconds, "%lld", (long long)((timeout_ms + 999) / 1000));
	memcpy(wait, text_str(&seconds), seconds.len + 1);
	text_free(&seconds);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, out, 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	error = posix_spawn(pid, path, &files, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	free(program);
	free(to);
	return error;
}

static const char *spawn_error(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return "we have no file descriptors left";
	case EAGAIN:
		return "we may start no more processes";
	case ENOMEM:
		return "we are out of memory";
	default:
		return "the ping program cannot be started";
	}
}

struct ping_program *ping_program_start(struct loop *loop, const char *address, bool v6, int64_t timeout_ms,
	void (*said)(void *arg, bool answered, int64_t rtt_us, const char *words), void *arg, const char **why)
{
	const char *path = find_program(v6);
	struct ping_program *program;
	int ends[2], error;
	pid_t pid = 0;

	if (!path) {
		*why = "no right to open an ICMP socket, and no ping program";
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
		*why = spawn_error(errno);
		return NULL;
	}
	error = spawn(path, address, timeout_ms, ends[1], &pid);
	close(ends[1]);
	if (error) {
		close(ends[0]);
		*why = spawn_error(error);
		return NULL;
	}
	program = MEM_NEW(struct ping_program);
	program->pid = pid;
	program->fd = ends[0];
	program->done = said;
	program->arg = arg;
	program->watch = loop_watch(loop, ends[0], LOOP_READ, ready, program);
	return program;
}

void ping_program_free(struct ping_program *program)
{
	if (!program)
		return;
	loop_unwatch(program->watch);
	close(program->fd);
	if (program->pid > 0) {
		kill(program->pid, SIGKILL);
		while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	text_free(&program->said);
	free(program);
}
