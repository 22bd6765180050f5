/* SPDX-License-Identifier: ISC */
/*
 * launcher: the process that starts programs. See launch.h for what it may be asked.
 *
 * It trusts nobody: whoever has broken into the prober talks to it. It executes what stood in the table when
 * it was forked, with the arguments and the one variable that stood there; what it hands on must be pipes; a
 * request that is none ends it. It opens no file, knows no store, and no descriptor of ours but its socket.
 *
 * It has no walls of its own. Seccomp and Landlock are only to be had with no_new_privs (or CAP_SYS_ADMIN),
 * and both are inherited: the programs would stand behind them, without the rights for whose sake this
 * process exists.
 */
#include "prober/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define AT_ONCE_MAX 4096
#define CPU_MAX_S 120 /* an endless loop ends */

struct running {
	pid_t pid;
	int report;       /* -1: answered, or nobody wants to know any more */
	int64_t until_us; /* monotonic */
};

/* What it gives up for itself: its programs get back what it had. */
static struct own_limit {
	int resource;
	rlim_t own;
	struct rlimit had;
} limits[] = {
#ifndef UPBEAT_COVERAGE /* its counts are in files */
	{.resource = RLIMIT_FSIZE, .own = 0},
#endif
	{.resource = RLIMIT_CPU, .own = CPU_MAX_S},
};

struct launcher {
	const struct launch_table *table;
	int fd;
	struct running *at;
	struct pollfd *polls; /* [0] fd, then the reports */
	size_t n;
	bool leaving;
};

/* ---- signals */

static volatile sig_atomic_t orphaned;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		orphaned = 1;
}

/* They come only while we wait: *waiting is the mask for that. */
static void take_signals(sigset_t *waiting)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGUSR1);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	sigemptyset(waiting);
	sigemptyset(&action.sa_mask);
	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void limit_ourselves(void)
{
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct rlimit lower;

		getrlimit(limits[i].resource, &limits[i].had);
		lower = limits[i].had;
		if (lower.rlim_cur > limits[i].own)
			lower.rlim_cur = limits[i].own;
		setrlimit(limits[i].resource, &lower);
	}
}

/* ---- a program begins */

static void tell(int report, struct launch_answer answer)
{
	if (write(report, &answer, sizeof(answer)) < 0)
		return; /* nobody listens any more: that is seen to elsewhere */
}

/* As if a shell had started it: no signal ignored or held, the limits that we had. */
static void come_clean(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		setrlimit(limits[i].resource, &limits[i].had);
	setpgid(0, 0);
}

static _Noreturn void become(const struct launch_order *order, const int ends[LAUNCH_ENDS])
{
	char *argv[LAUNCH_ARGS_MAX + 3] = {order->program->argv[0]}, *const envp[] = {order->program->variable, NULL};
	char wait[16], address[sizeof(order->address)];
	size_t n;

	for (n = 1; order->program->argv[n] != NULL; n++)
		argv[n] = order->program->argv[n];
	if (order->program->family != 0) {
		snprintf(wait, sizeof(wait), "%u", order->wait_s);
		memcpy(address, order->address, sizeof(address));
		argv[n++] = wait;
		argv[n++] = address;
	}
	come_clean();
	if (dup2(ends[LAUNCH_IN], 0) == 0 && dup2(ends[LAUNCH_OUT], 1) == 1 && dup2(ends[LAUNCH_OUT], 2) == 2)
		execve(argv[0], argv, envp);
	tell(ends[LAUNCH_REPORT], (struct launch_answer){.error = errno});
	_exit(127);
}

static void begin(struct launcher *l, const struct launch_order *order, const int ends[LAUNCH_ENDS])
{
	int64_t patience_ms = order->program->patience_ms + INT64_C(1000) * order->wait_s;
	pid_t pid = l->n < AT_ONCE_MAX ? fork() : -1;

	if (pid == 0)
		become(order, ends);
	close(ends[LAUNCH_IN]);
	close(ends[LAUNCH_OUT]);
	if (pid < 0) {
		tell(ends[LAUNCH_REPORT], (struct launch_answer){.error = l->n < AT_ONCE_MAX ? errno : EAGAIN});
		close(ends[LAUNCH_REPORT]);
		return;
	}
	setpgid(pid, pid); /* whoever of the two comes first */
	l->at = mem_grow(l->at, l->n + 1, sizeof(*l->at));
	l->polls = mem_grow(l->polls, l->n + 2, sizeof(*l->polls));
	l->at[l->n++] = (struct running){pid, ends[LAUNCH_REPORT], clock_mono_us() + patience_ms * US_PER_MS};
}

/* ---- a request */

/* Room for more than are asked for: the kernel closes only what does not fit. */
#define ENDS_ROOM (LAUNCH_ENDS + 1)

static size_t take_ends(struct msghdr *message, int ends[ENDS_ROOM])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count && n < ENDS_ROOM; i++, n++)
			memcpy(&ends[n], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

static bool are_pipes(const int *ends, size_t n)
{
	struct stat s;

	for (size_t i = 0; i < n; i++)
		if (fstat(ends[i], &s) != 0 || !S_ISFIFO(s.st_mode))
			return false;
	return n == LAUNCH_ENDS;
}

static void hear(struct launcher *l)
{
	char bytes[sizeof(struct launch_request) + 1];
	struct iovec part = {bytes, sizeof(bytes)};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(ENDS_ROOM * sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct launch_order order;
	int ends[ENDS_ROOM] = {-1, -1, -1, -1};
	ssize_t n = recvmsg(l->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t count;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	count = n < 0 ? 0 : take_ends(&message, ends);
	if (n > 0 && are_pipes(ends, count) && launch_decode(l->table, bytes, (size_t)n, &order)) {
		begin(l, &order, ends);
		return;
	}
	for (size_t i = 0; i < count; i++)
		close(ends[i]);
	/* No descriptors left for his: he learns it by the end of his report. All else is an end, or an attack. */
	l->leaving = n <= 0 || !(message.msg_flags & MSG_CTRUNC);
}

/* ---- a program ends */

static void kill_group(const struct running *r)
{
	if (kill(-r->pid, SIGKILL) != 0)
		kill(r->pid, SIGKILL);
}

static void done_with(struct running *r)
{
	close(r->report);
	r->report = -1;
}

/* Its own children may go on: a sendmail that delivers in the background. */
static void reap(struct launcher *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < l->n; i++)
			if (l->at[i].pid == pid && l->at[i].report >= 0) {
				tell(l->at[i].report, (struct launch_answer){.status = status});
				done_with(&l->at[i]);
			}
}

static void end_those_that_hang(struct launcher *l)
{
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].report >= 0 && now_us >= l->at[i].until_us) {
			kill_group(&l->at[i]);
			tell(l->at[i].report, (struct launch_answer){.timed_out = 1});
			done_with(&l->at[i]);
		}
}

/* Whose other end of the report is closed. */
static void end_those_unwanted(struct launcher *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->polls[i + 1].revents != 0) {
			kill_group(&l->at[i]);
			done_with(&l->at[i]);
		}
}

static void forget_ended(struct launcher *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].report >= 0)
			l->at[kept++] = l->at[i];
	l->n = kept;
}

/* ---- its life */

/* Until something happens; false: interrupted by a signal, and no poll says anything. */
static bool wait_for_news(struct launcher *l, const sigset_t *waiting)
{
	int64_t until_us = INT64_MAX, left_us;
	struct timespec left;

	l->polls[0] = (struct pollfd){.fd = l->fd, .events = POLLIN};
	for (size_t i = 0; i < l->n; i++) {
		l->polls[i + 1] = (struct pollfd){.fd = l->at[i].report};
		if (l->at[i].until_us < until_us)
			until_us = l->at[i].until_us;
	}
	left_us = until_us == INT64_MAX ? 0 : until_us - clock_mono_us();
	if (left_us < 0)
		left_us = 0;
	left = (struct timespec){left_us / US_PER_S, left_us % US_PER_S * 1000};
	return ppoll(l->polls, l->n + 1, until_us == INT64_MAX ? NULL : &left, waiting) >= 0;
}

static void turn(struct launcher *l, const sigset_t *waiting)
{
	bool said = wait_for_news(l, waiting);

	if (said)
		end_those_unwanted(l);
	reap(l);
	end_those_that_hang(l);
	forget_ended(l);
	if (said && l->polls[0].revents != 0)
		hear(l);
}

void launcher_live(void *table, int fd)
{
	struct launcher l = {.table = table, .fd = fd, .polls = mem_array(1, sizeof(*l.polls))};
	sigset_t waiting;

	take_signals(&waiting);
	limit_ourselves();
	if (chdir("/") != 0)
		l.leaving = true;
	while (!l.leaving && !orphaned)
		turn(&l, &waiting);
	for (size_t i = 0; i < l.n; i++)
		kill_group(&l.at[i]);
	free(l.at);
	free(l.polls);
}
