/* SPDX-License-Identifier: ISC */
/*
 * program: see program.h. Its outputs may be held open by a child of its own, and it may end without reading
 * all: so only the launcher's answer is its end.
 */
#include "prober/net/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "prober/launch.h"

#define LAUNCHER_GRACE_MS 2000 /* after the program's own time: then the launcher itself hangs */

/* One of our ends. */
struct strand {
	int fd; /* -1: closed */
	struct loop_watch *watch;
};

struct program {
	struct program_order order;
	size_t written;
	struct text said;
	struct strand at[LAUNCH_ENDS];
	struct loop_timer *patience;
	struct program_end end;
};

static void close_strand(struct strand *strand)
{
	if (strand->watch != NULL)
		loop_unwatch(strand->watch);
	strand->watch = NULL;
	if (strand->fd >= 0)
		close(strand->fd);
	strand->fd = -1;
}

static void close_all(struct program *p)
{
	for (size_t i = 0; i < LAUNCH_ENDS; i++)
		close_strand(&p->at[i]);
	if (p->patience != NULL)
		loop_timer_stop(p->patience);
	p->patience = NULL;
}

/* ---- what it reads, what it says */

static void write_ready(void *arg, unsigned events)
{
	struct program *p = arg;
	ssize_t n = write(p->at[LAUNCH_IN].fd, p->order.input + p->written, p->order.n - p->written);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		p->written += (size_t)n;
	if (n < 0 || p->written == p->order.n) /* a program that does not listen says why by its status */
		close_strand(&p->at[LAUNCH_IN]);
}

/* true: there was something, and there may be more. */
static bool take_words(struct program *p)
{
	char bytes[512];
	ssize_t n = read(p->at[LAUNCH_OUT].fd, bytes, sizeof(bytes));

	if (n > 0 && p->said.len < PROGRAM_SAID_MAX)
		text_rawn(&p->said, bytes, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_strand(&p->at[LAUNCH_OUT]);
	return n > 0;
}

static void read_ready(void *arg, unsigned events)
{
	(void)events;
	take_words(arg);
}

/* What it said last is in the pipe already. */
static void take_last_words(struct program *p)
{
	while (p->at[LAUNCH_OUT].fd >= 0 && p->said.len < PROGRAM_SAID_MAX && take_words(p))
		;
}

/* ---- its end */

static void finish(struct program *p, struct program_end end)
{
	take_last_words(p);
	p->end = end;
	close_all(p);
	p->order.done(p->order.arg);
}

static void report_ready(void *arg, unsigned events)
{
	struct program *p = arg;
	struct launch_answer answer;
	ssize_t n = read(p->at[LAUNCH_REPORT].fd, &answer, sizeof(answer));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(answer))
		finish(p, (struct program_end){
				  .error = answer.error, .timed_out = answer.timed_out != 0, .status = answer.status});
	else
		finish(p, (struct program_end){.error = EMFILE});
}

static void too_late(void *arg)
{
	struct program *p = arg;

	p->patience = NULL;
	finish(p, (struct program_end){.timed_out = true});
}

/* ---- its beginning */

static void watch(struct program *p, struct loop *loop, int64_t patience_ms)
{
	if (p->order.n > 0)
		p->at[LAUNCH_IN].watch = loop_watch(loop, p->at[LAUNCH_IN].fd, LOOP_WRITE, write_ready, p);
	else
		close_strand(&p->at[LAUNCH_IN]);
	p->at[LAUNCH_OUT].watch = loop_watch(loop, p->at[LAUNCH_OUT].fd, LOOP_READ, read_ready, p);
	p->at[LAUNCH_REPORT].watch = loop_watch(loop, p->at[LAUNCH_REPORT].fd, LOOP_READ, report_ready, p);
	p->patience = loop_after(loop, patience_ms + LAUNCHER_GRACE_MS, too_late, p);
}

/* Ours wait for nobody; his are as programs know them. */
static bool make_pipes(struct program *p, int his[LAUNCH_ENDS])
{
	for (size_t i = 0; i < LAUNCH_ENDS; i++)
		p->at[i].fd = his[i] = -1;
	for (size_t i = 0; i < LAUNCH_ENDS; i++) {
		int ends[2];
		bool he_reads = i == LAUNCH_IN;

		if (pipe2(ends, O_CLOEXEC) != 0)
			return false;
		his[i] = ends[he_reads ? 0 : 1];
		p->at[i].fd = ends[he_reads ? 1 : 0];
		fcntl(p->at[i].fd, F_SETFL, O_NONBLOCK);
	}
	return true;
}

struct program *program_start(struct loop *loop, const struct program_order *order, int *error)
{
	int row = launch_find(order->name), his[LAUNCH_ENDS];
	struct program *p;

	*error = ENOENT;
	if (row < 0)
		return NULL;
	p = MEM_NEW(struct program);
	p->order = *order;
	*error = make_pipes(p, his) ? launch_ask(row, order->address, order->wait_s, his) : errno;
	for (size_t i = 0; i < LAUNCH_ENDS; i++)
		if (his[i] >= 0)
			close(his[i]);
	if (*error != 0) {
		program_free(p);
		return NULL;
	}
	watch(p, loop, launch_patience_ms(row, order->wait_s));
	return p;
}

struct program_end program_end(const struct program *program)
{
	struct program_end end = program->end;

	end.said = text_str(&program->said);
	return end;
}

void program_free(struct program *program)
{
	if (program == NULL)
		return;
	close_all(program);
	text_free(&program->said);
	free(program);
}
