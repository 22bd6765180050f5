/* SPDX-License-Identifier: ISC */
/*
 * mail_sendmail: the local program, for hosts whose outgoing ports are closed. It is started directly, with a
 * clean environment; the mail goes to its input and its complaints come back, both without waiting. Its exit
 * status (sysexits) says what became of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/mail.h"

#define SAID_MAX 1000
#define LOOK_AGAIN_MS 25

struct running {
	struct delivery *delivery;
	pid_t pid;                 /* 0: none, or gone */
	int in, out;               /* our ends, -1 closed */
	struct loop_watch *writing, *reading;
	struct loop_timer *deadline, *look;
	struct text mail, said;
	size_t written;
	bool timed_out;
};

static void close_end(int *fd, struct loop_watch **watch)
{
	if (*watch)
		loop_unwatch(*watch);
	*watch = NULL;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum delivery_end end_of(int status)
{
	switch (status) {
	case EX_OK:
		return DELIVERY_SENT;
	case EX_USAGE:
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST:
	case EX_NOPERM:
		return DELIVERY_REFUSED;
	default:
		return DELIVERY_RETRY;
	}
}

static void ended(struct running *r, int wait_status)
{
	int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EX_TEMPFAIL;
	struct text answer = TEXT_INIT;

	r->pid = 0;
	if (r->timed_out)
		text_raw(&answer, "sendmail did not end in time");
	else if (WIFSIGNALED(wait_status))
		text_printf(&answer, "sendmail was ended by signal %d", WTERMSIG(wait_status));
	else
		text_printf(&answer, "sendmail ended with status %d", status);
	if (r->said.len)
		text_printf(&answer, ": %s", text_str(&r->said));
	channel_outcome(r->delivery, r->timed_out ? DELIVERY_RETRY : end_of(status), 0, text_str(&answer));
	text_free(&answer);
	channel_finish(r->delivery);
}

/* Asked again and again: its output may be held open by a child of its own, so its end says nothing. */
static void look(void *arg)
{
	struct running *r = arg;
	int status;

	r->look = NULL;
	if (waitpid(r->pid, &status, WNOHANG) == r->pid)
		ended(r, status);
	else
		r->look = loop_after(r->delivery->loop, LOOK_AGAIN_MS, look, r);
}

static void read_ready(void *arg, unsigned events)
{
	struct running *r = arg;
	char bytes[512];
	ssize_t n = read(r->out, bytes, sizeof(bytes));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		if (r->said.len < SAID_MAX)
			text_rawn(&r->said, bytes, (size_t)n);
		return;
	}
	close_end(&r->out, &r->reading);
}

static void write_ready(void *arg, unsigned events)
{
	struct running *r = arg;
	ssize_t n = write(r->in, r->mail.ptr + r->written, r->mail.len - r->written);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		r->written += (size_t)n;
	if (n < 0 || r->written == r->mail.len) /* a program that does not listen says why by its status */
		close_end(&r->in, &r->writing);
}

static void too_late(void *arg)
{
	struct running *r = arg;

	r->deadline = NULL;
	r->timed_out = true;
	kill(r->pid, SIGKILL);
}

/* In the child: nothing of ours but three descriptors, and nothing of the environment. */
static void become_sendmail(const char *path, const char *from, int in, int out)
{
	char dash_t[] = "-t", dash_i[] = "-i", dash_f[] = "-f", environment[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *program = mem_str(path), *sender = mem_str(from);
	char *const argv[] = {program, dash_i, dash_t, dash_f, sender, NULL};
	char *const envp[] = {environment, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2)
		execve(path, argv, envp);
	_exit(EX_OSERR);
}

static bool start(struct running *r)
{
	const struct mail_options *o = r->delivery->options;
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	char *from = mail_address(o->from);

	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
		r->pid = fork();
	else
		r->pid = -1;
	if (r->pid == 0)
		become_sendmail(o->sendmail, from, in[0], out[1]);
	free(from);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	r->in = in[1];
	r->out = out[0];
	if (r->pid < 0) {
		r->pid = 0;
		return false;
	}
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	return true;
}

static void not_started(void *arg)
{
	struct running *r = arg;

	r->look = NULL;
	channel_outcome(r->delivery, DELIVERY_RETRY, 0, "sendmail cannot be started");
	channel_finish(r->delivery);
}

/* All recipients in one mail: sendmail reads them from To:. */
static void compose(struct running *r)
{
	const struct mail_options *o = r->delivery->options;

	mail_compose(&r->mail, r->delivery->message, o->from, &o->to, "\n", clock_wall_us());
}

void mail_sendmail(struct delivery *delivery)
{
	struct running *r = delivery->own = MEM_NEW(struct running);

	r->delivery = delivery;
	compose(r);
	signal(SIGPIPE, SIG_IGN);
	if (!start(r)) {
		r->look = loop_after(delivery->loop, 0, not_started, r);
		return;
	}
	r->writing = loop_watch(delivery->loop, r->in, LOOP_WRITE, write_ready, r);
	r->reading = loop_watch(delivery->loop, r->out, LOOP_READ, read_ready, r);
	r->deadline = loop_after(delivery->loop, DELIVERY_TIMEOUT_MS, too_late, r);
	r->look = loop_after(delivery->loop, LOOK_AGAIN_MS, look, r);
}

void mail_sendmail_end(struct delivery *delivery)
{
	struct running *r = delivery->own;
	int status;

	close_end(&r->in, &r->writing);
	close_end(&r->out, &r->reading);
	if (r->deadline)
		loop_timer_stop(r->deadline);
	if (r->look)
		loop_timer_stop(r->look);
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, &status, 0);
	}
	text_free(&r->mail);
	text_free(&r->said);
	free(r);
}
