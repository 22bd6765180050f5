/* SPDX-License-Identifier: ISC */
/*
 * The threads of a FastCGI process. See workers.h.
 *
 * They all wait with epoll, where the first that came is woken first: under little load one thread does all
 * the work, and spare ones are never woken before they end.
 *
 * Their stacks are ours: the C library keeps 16 kB of each thread that ended for one that may come, and twenty
 * spare ones would be a third of all that a resting process holds. The main thread joins who has ended; it is
 * told by a pipe, because a thread that waits in read() needs less of the C library's pages than one that
 * waits for a condition, and it is the main thread that waits when the process rests.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "web/books.h"
#include "web/lean.h"
#include "web/walls.h"
#include "web/workers.h"

#define STACK_BYTES (512 * 1024)
#define GUARD_BYTES (64 * 1024) /* below it, not to be touched; no page is larger */
#define SPARE_MAX 28 /* beyond those that were asked for */
#define SPARE_IDLE_MS (20 * 1000)
#define REST_MS (3 * 1000)
#define LEAVE_US (1 * US_PER_S)

struct worker {
	pthread_t thread;
	void *memory; /* guard and stack */
	void *(*life)(void *arg);
	void *arg;
};

static _Thread_local struct worker *self;

static struct {
	void (*serve)(struct channel_io *io, char **env);
	int stop_pipe[2];
	int ended_pipe[2]; /* pointers to workers, to be joined */
	volatile sig_atomic_t stopping;
	atomic_size_t wanted;
	atomic_size_t total, waiting;
	atomic_size_t unjoined; /* those that ended among them */
	atomic_size_t served; /* requests so far ... */
	atomic_size_t rested; /* ... when memory was last given back */
	pthread_mutex_t lock; /* guards changes of total; nobody ends before his start is noted */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .rested = SIZE_MAX};

/* Nobody reads the pipe: one byte in it tells every worker, now and later. */
void workers_stop(void)
{
	pool.stopping = 1;
	if (write(pool.stop_pipe[1], "", 1) < 0)
		return; /* full: it was told before */
}

/* An accepted request. */
struct taken {
	struct channel_io *io;
	char **env;
};

static void leave(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.total--;
	pthread_mutex_unlock(&pool.lock);
	if (write(pool.ended_pipe[1], &self, sizeof(self)) != sizeof(self))
		abort(); /* it has room for thousands of us */
}

/* The process has been quiet since `served`: what it holds for nothing goes back. Once for each quiet. */
static void rest(size_t served)
{
	if (pool.served == served && atomic_exchange(&pool.rested, served) != served)
		lean_give_back();
}

static void serve_one(struct channel_io *io, char **env)
{
	pool.served++;
	pool.serve(io, env);
	channel_finish(io);
	if (web_binary_replaced() || walls_outgrown())
		workers_stop();
}

/* The life of a worker; a spare one ends when nothing came for a while. When it is time to end, those who
   have connected already are still served, if they are not endless: nobody else may come for them. */
static void work(struct channel_io *io, bool spare)
{
	char **env;
	int64_t until_us = 0; /* to be gone by */

	while (io != NULL && (until_us == 0 || clock_mono_us() < until_us)) {
		size_t served = pool.served;
		bool resting = served == pool.rested;
		enum accepted what = channel_accept(io, &env, spare ? SPARE_IDLE_MS : resting ? -1 : REST_MS);

		if (what == ACCEPT_IDLE && !spare) {
			rest(served);
			continue;
		}
		if (what != ACCEPTED)
			break;
		if (pool.stopping && until_us == 0)
			until_us = clock_mono_us() + LEAVE_US;
		serve_one(io, env);
	}
	if (io != NULL)
		channel_free(io);
	leave();
}

static void *work_asked_for(void *unused)
{
	(void)unused;
	work(channel_fastcgi(pool.stop_pipe[0]), false);
	return NULL;
}

/* With the request in hand that settled the process. */
static void *work_on(void *accepted)
{
	struct taken *taken = accepted;

	serve_one(taken->io, taken->env);
	work(taken->io, false);
	return NULL;
}

static void *work_spare(void *unused)
{
	(void)unused;
	work(channel_fastcgi(pool.stop_pipe[0]), true);
	return NULL;
}

static void *begin(void *worker)
{
	self = worker;
	return self->life(self->arg);
}

static void worker_free(struct worker *worker)
{
	if (worker->memory != MAP_FAILED)
		munmap(worker->memory, GUARD_BYTES + STACK_BYTES);
	free(worker);
}

/* With its stack, which it does not have yet when there is no memory for it. */
static struct worker *worker_new(void *(*life)(void *arg), void *arg)
{
	struct worker *worker = MEM_NEW(struct worker);

	worker->life = life;
	worker->arg = arg;
	worker->memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	return worker;
}

static char *stack_of(const struct worker *worker)
{
	return (char *)worker->memory + GUARD_BYTES;
}

static bool create(struct worker *worker)
{
	pthread_attr_t attributes;
	bool ok;

	if (worker->memory == MAP_FAILED || mprotect(stack_of(worker), STACK_BYTES, PROT_READ | PROT_WRITE) != 0)
		return false;
	pthread_attr_init(&attributes);
	ok = pthread_attr_setstack(&attributes, stack_of(worker), STACK_BYTES) == 0 &&
	     pthread_create(&worker->thread, &attributes, begin, worker) == 0;
	pthread_attr_destroy(&attributes);
	return ok;
}

/* Workers have all signals blocked, so that none interrupts a body being read: the main thread takes them. */
static bool start_worker(void *(*life)(void *arg), void *arg)
{
	struct worker *worker = worker_new(life, arg);
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&pool.lock);
	pool.total++; /* before it may ask */
	pool.unjoined++;
	ok = create(worker);
	if (!ok) {
		pool.total--;
		pool.unjoined--;
	}
	pthread_mutex_unlock(&pool.lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ok)
		worker_free(worker);
	return ok;
}

static struct worker *wait_for_ended(void)
{
	struct worker *ended = NULL;

	while (read(pool.ended_pipe[0], &ended, sizeof(ended)) < 0 && errno == EINTR)
		;
	return ended;
}

/* Waits until all have ended. When the last spare one has, the process rests. */
static void join_all(void)
{
	struct worker *ended;

	while (pool.unjoined > 0 && (ended = wait_for_ended())) {
		pthread_join(ended->thread, NULL);
		worker_free(ended);
		pool.unjoined--;
		if (pool.total == pool.wanted)
			lean_give_back();
	}
	pool.wanted = 0;
}

/* Alone. False: told to stop before a request settled us; else that request is in *taken. */
static bool settled(bool (*settle)(char **env), struct taken *taken)
{
	taken->io = channel_fastcgi(pool.stop_pipe[0]);
	while (taken->io != NULL && channel_accept(taken->io, &taken->env, -1) == ACCEPTED) {
		if (settle(taken->env))
			return true;
		serve_one(taken->io, taken->env);
	}
	if (taken->io != NULL)
		channel_free(taken->io);
	return false;
}

static bool go_on(struct taken *taken)
{
	if (start_worker(work_on, taken))
		return true;
	serve_one(taken->io, taken->env);
	channel_free(taken->io);
	return false;
}

bool workers_run(size_t n, bool (*settle)(char **env), void (*serve)(struct channel_io *io, char **env))
{
	size_t i, started = 0;
	struct taken first;

	pool.serve = serve;
	if (settle != NULL && !settled(settle, &first))
		return true;
	pool.wanted = n; /* the first of them may have a request in hand before the last is started */
	for (i = 0; i < n; i++)
		started += i == 0 && settle != NULL ? go_on(&first) : start_worker(work_asked_for, NULL);
	if (started < n)
		log_warn("%zu of %zu threads could be started", started, n);
	join_all();
	return started > 0;
}

bool workers_prepare(void)
{
	return pipe2(pool.stop_pipe, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(pool.ended_pipe, O_CLOEXEC) == 0;
}

void workers_wait_begin(void)
{
	size_t waiting = ++pool.waiting, total = pool.total;

	if (pool.wanted == 0 || total >= waiting + pool.wanted || total >= pool.wanted + SPARE_MAX ||
		pool.stopping)
		return;
	start_worker(work_spare, NULL); /* when it cannot be started we are as many as we are */
}

void workers_wait_end(void)
{
	pool.waiting--;
}
