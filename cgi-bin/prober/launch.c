/* SPDX-License-Identifier: ISC */
/* launch: the table, and asking for its rows. See launch.h. */
#include "prober/launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "prober/helper.h"

/* ---- the table */

struct launch_program *launch_add(struct launch_table *table, const char *name, const char *const *argv)
{
	struct launch_program *row;

	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	table->rows = mem_grow(table->rows, table->n + 1, sizeof(*table->rows));
	row = &table->rows[table->n++];
	*row = (struct launch_program){.name = mem_str(name)};
	for (size_t i = 0; i < LAUNCH_ARGS_MAX && argv[i] != NULL; i++)
		row->argv[i] = mem_str(argv[i]);
	return row;
}

void launch_table_free(struct launch_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		for (size_t k = 0; k < LAUNCH_ARGS_MAX; k++)
			free(table->rows[i].argv[k]);
		free(table->rows[i].variable);
		free(table->rows[i].name);
	}
	free(table->rows);
	*table = (struct launch_table){NULL, 0};
}

/* ---- the process */

static struct {
	pid_t pid; /* 0: none */
	int fd;
	struct launch_table table;
} launcher = {.fd = -1};

bool launch_start(struct launch_table *table, struct error *err)
{
	/* It only forks between two requests: who waits longer than this would wait for ever. */
	const struct timeval patience = {.tv_sec = 1};
	pid_t pid = helper_start(
		&(struct helper){"the launcher of programs", SOCK_SEQPACKET, SIGUSR1, launcher_live, table},
		&launcher.fd, err);

	if (pid < 0) {
		launch_table_free(table);
		launcher.fd = -1;
		return false;
	}
	setsockopt(launcher.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	launcher.pid = pid;
	launcher.table = *table;
	*table = (struct launch_table){NULL, 0};
	return true;
}

void launch_stop(void)
{
	if (launcher.pid == 0)
		return;
	close(launcher.fd);
	while (waitpid(launcher.pid, NULL, 0) < 0 && errno == EINTR)
		;
	launch_table_free(&launcher.table);
	launcher.pid = 0;
	launcher.fd = -1;
}

int launch_pid(void)
{
	return (int)launcher.pid;
}

/* ---- asking */

int launch_find(const char *name)
{
	for (size_t i = 0; launcher.pid > 0 && i < launcher.table.n; i++)
		if (strcmp(launcher.table.rows[i].name, name) == 0)
			return (int)i;
	return -1;
}

int64_t launch_patience_ms(int program, unsigned wait_s)
{
	return launcher.table.rows[program].patience_ms + INT64_C(1000) * wait_s;
}

int launch_ask(int program, const char *address, unsigned wait_s, const int ends[LAUNCH_ENDS])
{
	struct launch_request request = {.program = (uint32_t)program, .wait_s = wait_s};
	struct iovec part = {&request, sizeof(request)};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(LAUNCH_ENDS * sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n;

	if (address != NULL && strlen(address) < sizeof(request.address))
		memcpy(request.address, address, strlen(address));
	control.head = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(LAUNCH_ENDS * sizeof(int))};
	memcpy(CMSG_DATA(&control.head), ends, LAUNCH_ENDS * sizeof(int));
	do
		n = sendmsg(launcher.fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/* ---- what is asked, as it arrives */

static bool is_empty(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\0')
			return false;
	return true;
}

bool launch_decode(const struct launch_table *table, const void *bytes, size_t n, struct launch_order *out)
{
	struct launch_request request;
	unsigned char address[sizeof(struct in6_addr)];

	*out = (struct launch_order){NULL, 0, ""};
	if (n != sizeof(request))
		return false;
	memcpy(&request, bytes, sizeof(request));
	if (request.program >= table->n)
		return false;
	out->program = &table->rows[request.program];
	out->wait_s = request.wait_s;
	if (out->program->family == 0)
		return request.wait_s == 0 && is_empty(request.address, sizeof(request.address));
	return request.wait_s > 0 && request.wait_s <= LAUNCH_WAIT_MAX_S &&
	       memchr(request.address, '\0', sizeof(request.address)) != NULL &&
	       inet_pton(out->program->family, request.address, address) == 1 &&
	       inet_ntop(out->program->family, address, out->address, sizeof(out->address)) != NULL;
}
