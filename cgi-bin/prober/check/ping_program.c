/* SPDX-License-Identifier: ISC */
/*
 * ping_program: the system's ping, which may do what we may not. One run sends one packet and waits for its
 * answer: what all implementations understand (iputils, busybox, inetutils). The launcher starts it.
 */
#include "prober/check/ping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "prober/launch.h"
#include "prober/net/program.h"
#include "prober/testing.h"

#define LATE_MS 1000 /* after the time that it was told to wait */

struct ping_program {
	struct program *program;
	void (*said)(void *arg, const struct ping_said *said);
	void *arg;
};

/* ---- which */

static bool may_open(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool ping_needs_program(void)
{
	return !may_open(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) && !may_open(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static const char *find_program(bool v6)
{
	static const char *const places[] = {"/bin/ping", "/usr/bin/ping", "/sbin/ping", "/usr/sbin/ping"};
	static const char *const places6[] = {"/bin/ping6", "/usr/bin/ping6", "/sbin/ping6", "/usr/sbin/ping6"};
	const char *given = testing_env("UPBEAT_PING");

	if (given)
		return access(given, X_OK) == 0 ? given : NULL;
	for (size_t i = 0; v6 && i < COUNT_OF(places6); i++)
		if (access(places6[i], X_OK) == 0)
			return places6[i];
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

const char *ping_program_path(void)
{
	return find_program(false);
}

void ping_programs(struct launch_table *table)
{
	static const struct {
		const char *name;
		int family;
	} rows[] = {{"ping", AF_INET}, {"ping6", AF_INET6}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *path = find_program(rows[i].family == AF_INET6);
		struct launch_program *row;

		if (path == NULL)
			continue;
		row = launch_add(table, rows[i].name, (const char *const[]){path, "-n", "-c", "1", "-W", NULL});
		row->variable = mem_str("LC_ALL=C");
		row->patience_ms = LATE_MS;
		row->family = rows[i].family;
	}
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
static char *complaint(const char *s)
{
	const char *from;
	size_t end = strlen(s);
	struct text line = TEXT_INIT;

	while (end > 0 && (unsigned char)s[end - 1] <= ' ')
		end--;
	from = s + end;
	while (from > s && from[-1] != '\n')
		from--;
	text_logn(&line, from, (size_t)(s + end - from));
	return text_take(&line);
}

/* ---- starting and ending it */

static const char *start_error(int error)
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

static void ended(void *arg)
{
	struct ping_program *ping = arg;
	struct program_end end = program_end(ping->program);
	struct ping_said said = {.rtt_us = -1, .words = ""};
	char *words = NULL;

	if (end.error != 0) {
		said.cannot = start_error(end.error);
	} else if (!end.timed_out && WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0) {
		said.answered = true;
		said.rtt_us = time_said(end.said);
	} else {
		said.words = words = complaint(end.said);
	}
	ping->said(ping->arg, &said);
	free(words);
}

struct ping_program *ping_program_start(struct loop *loop, const char *address, bool v6, int64_t timeout_ms,
	void (*said)(void *arg, const struct ping_said *said), void *arg, const char **why)
{
	struct ping_program *ping = MEM_NEW(struct ping_program);
	int64_t wait_s = (timeout_ms + 999) / 1000;
	struct program_order order = {.name = v6 ? "ping6" : "ping", .address = address, .done = ended, .arg = ping};
	int error;

	order.wait_s = wait_s < 1 ? 1 : wait_s > LAUNCH_WAIT_MAX_S ? LAUNCH_WAIT_MAX_S : (unsigned)wait_s;
	ping->said = said;
	ping->arg = arg;
	ping->program = program_start(loop, &order, &error);
	if (ping->program != NULL)
		return ping;
	*why = error == ENOENT ? "no right to open an ICMP socket, and no ping program" : start_error(error);
	free(ping);
	return NULL;
}

void ping_program_free(struct ping_program *ping)
{
	if (ping == NULL)
		return;
	program_free(ping->program);
	free(ping);
}
