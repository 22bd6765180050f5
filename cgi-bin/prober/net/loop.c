/* SPDX-License-Identifier: ISC */
/*
 * loop: epoll, a heap of timers, and libcurl's multi interface driven by both.
 *
 * One turn: wait for events or the next timer; handle the events; fire the timers that are due; release what
 * was stopped meanwhile. Objects that are stopped while a turn runs are only marked, because epoll's batch of
 * events may still point to them; the turn's end frees them.
 *
 * Every watch and every transfer carries the time of its newest event in one list, newest first. Its head
 * tells how many of them are busy right now (loop_active), without looking at those that only wait.
 */
#include "prober/net/loop_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define ACTIVE_US (20 * US_PER_MS)
#define STALL_US (200 * US_PER_MS)
#define EVENTS_PER_TURN 64

/* A thing that had an event: links of the list of busy ones. */
struct activity {
	struct activity *newer, *older;
	int64_t at_us;
	bool listed;
};

struct loop_timer {
	struct loop *loop;
	int64_t due_us;
	uint64_t order; /* of equal times the first started fires first */
	size_t place;   /* in the heap */
	void (*fire)(void *arg);
	void *arg;
};

struct loop_watch {
	struct loop *loop;
	int fd;
	unsigned events;
	void (*ready)(void *arg, unsigned events);
	void *arg;
	struct activity own, *activity; /* its own, or that of the transfer it belongs to */
	bool stopped;
	struct loop_watch *next_dead;
};

struct loop_transfer {
	struct loop *loop;
	CURL *easy;
	void (*done)(void *arg, CURLcode code);
	void *arg;
	struct activity activity;
	struct loop_transfer *next, *previous;
};

struct loop {
	int epoll;
	bool stop;
	int64_t now_us, stalled_us;
	struct loop_timer **heap;
	size_t timers, heap_size;
	uint64_t order;
	size_t watches; /* without libcurl's own */
	struct loop_watch *dead;
	struct activity busy; /* ring: busy.older is the newest */
	unsigned busy_count;
	CURLM *multi;
	struct loop_timer *multi_timer;
	struct loop_transfer *transfers;
	struct resolver *resolver;
};

/* ---- who is busy */

static void activity_drop(struct loop *loop, struct activity *a)
{
	if (!a->listed)
		return;
	a->newer->older = a->older;
	a->older->newer = a->newer;
	a->listed = false;
	loop->busy_count--;
}

static void activity_note(struct loop *loop, struct activity *a)
{
	activity_drop(loop, a);
	a->at_us = loop->now_us;
	a->newer = &loop->busy;
	a->older = loop->busy.older;
	a->older->newer = a;
	loop->busy.older = a;
	a->listed = true;
	loop->busy_count++;
}

unsigned loop_active(const struct loop *loop)
{
	/* Dropping what has become quiet changes nothing that a caller could see. */
	struct loop *own = (struct loop *)(uintptr_t)loop;

	while (own->busy_count > 0 && own->busy.newer->at_us + ACTIVE_US < own->now_us)
		activity_drop(own, own->busy.newer);
	return own->busy_count;
}

/* ---- timers: a binary heap by due time */

static bool timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void heap_set(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->heap[place] = timer;
	timer->place = place;
}

static void heap_up(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];

	while (place > 0 && timer_before(timer, loop->heap[(place - 1) / 2])) {
		heap_set(loop, place, loop->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_set(loop, place, timer);
}

static void heap_down(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= loop->timers)
			break;
		if (child + 1 < loop->timers && timer_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!timer_before(loop->heap[child], timer))
			break;
		heap_set(loop, place, loop->heap[child]);
		place = child;
	}
	heap_set(loop, place, timer);
}

static void heap_remove(struct loop *loop, size_t place)
{
	struct loop_timer *last = loop->heap[--loop->timers];

	if (place == loop->timers)
		return;
	heap_set(loop, place, last);
	heap_down(loop, place);
	heap_up(loop, last->place);
}

struct loop_timer *loop_after(struct loop *loop, int64_t delay_ms, void (*fire)(void *arg), void *arg)
{
	struct loop_timer *timer = MEM_NEW(struct loop_timer);

	/* From this instant, not from the turn's beginning: a turn may have taken long. */
	timer->due_us = delay_ms > 0 ? clock_mono_us() + delay_ms * US_PER_MS : loop->now_us;
	timer->loop = loop;
	timer->order = loop->order++;
	timer->fire = fire;
	timer->arg = arg;
	if (loop->timers == loop->heap_size) {
		loop->heap_size = loop->heap_size ? loop->heap_size * 2 : 64;
		loop->heap = mem_grow(loop->heap, loop->heap_size, sizeof(struct loop_timer *));
	}
	heap_set(loop, loop->timers, timer);
	heap_up(loop, loop->timers++);
	return timer;
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (!timer)
		return;
	heap_remove(timer->loop, timer->place);
	free(timer);
}

/* Fires what was due when the turn began; timers started meanwhile wait for the next turn, so that one that
   restarts itself cannot keep the sockets from being served. */
static void fire_due(struct loop *loop)
{
	uint64_t turn = loop->order;

	while (loop->timers > 0 && loop->heap[0]->due_us <= loop->now_us && !loop->stop) {
		struct loop_timer *timer = loop->heap[0];
		void (*fire)(void *arg) = timer->fire;
		void *arg = timer->arg;

		if (timer->order >= turn)
			break;
		heap_remove(loop, 0);
		free(timer);
		fire(arg);
	}
}

/* ---- watches */

static uint32_t epoll_events(unsigned events)
{
	return (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

static struct loop_watch *watch_new(struct loop *loop, int fd, unsigned events)
{
	struct loop_watch *watch = MEM_NEW(struct loop_watch);
	struct epoll_event event = {.events = epoll_events(events), .data = {.ptr = watch}};

	watch->loop = loop;
	watch->fd = fd;
	watch->events = events;
	watch->activity = &watch->own;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
		epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event);
	return watch;
}

struct loop_watch *loop_watch(
	struct loop *loop, int fd, unsigned events, void (*ready)(void *arg, unsigned events), void *arg)
{
	struct loop_watch *watch = watch_new(loop, fd, events);

	watch->ready = ready;
	watch->arg = arg;
	loop->watches++;
	activity_note(loop, watch->activity);
	return watch;
}

void loop_watch_events(struct loop_watch *watch, unsigned events)
{
	struct epoll_event event = {.events = epoll_events(events), .data = {.ptr = watch}};

	if (events == watch->events)
		return;
	watch->events = events;
	epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

/* The descriptor may be closed already (libcurl tells late); then epoll has forgotten it by itself. */
static void watch_stop(struct loop_watch *watch)
{
	epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->stopped = true;
	if (watch->activity == &watch->own)
		activity_drop(watch->loop, &watch->own);
	watch->next_dead = watch->loop->dead;
	watch->loop->dead = watch;
}

void loop_unwatch(struct loop_watch *watch)
{
	if (!watch)
		return;
	watch->loop->watches--;
	watch_stop(watch);
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_watch *watch = loop->dead;

		loop->dead = watch->next_dead;
		free(watch);
	}
}

/* ---- transfers */

static void transfer_unlink(struct loop_transfer *transfer)
{
	struct loop *loop = transfer->loop;

	if (transfer->previous)
		transfer->previous->next = transfer->next;
	else
		loop->transfers = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	curl_multi_remove_handle(loop->multi, transfer->easy);
	activity_drop(loop, &transfer->activity);
}

/* Tells the owners of what has come to its end. An owner may start or stop others, which makes libcurl's
   messages invalid, so each is asked for anew. */
static void transfers_reap(struct loop *loop)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->multi, &left))) {
		struct loop_transfer *transfer = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_unlink(transfer);
		transfer->done(transfer->arg, code);
		free(transfer);
	}
}

static void multi_act(struct loop *loop, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(loop->multi, fd, what, &running);
	transfers_reap(loop);
}

static void multi_timer_fired(void *arg)
{
	struct loop *loop = arg;

	loop->multi_timer = NULL;
	multi_act(loop, CURL_SOCKET_TIMEOUT, 0);
}

static int multi_timer_wanted(CURLM *multi, long delay_ms, void *arg)
{
	struct loop *loop = arg;

	(void)multi;
	loop_timer_stop(loop->multi_timer);
	loop->multi_timer = delay_ms < 0 ? NULL : loop_after(loop, delay_ms, multi_timer_fired, loop);
	return 0;
}

static int multi_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct loop *loop = arg;
	struct loop_watch *watch = known;
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
	struct loop_transfer *transfer = NULL;

	if (what == CURL_POLL_REMOVE) {
		if (watch)
			watch_stop(watch);
		curl_multi_assign(loop->multi, fd, NULL);
		return 0;
	}
	if (watch) {
		loop_watch_events(watch, events);
		return 0;
	}
	watch = watch_new(loop, fd, events);
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	if (transfer)
		watch->activity = &transfer->activity;
	curl_multi_assign(loop->multi, fd, watch);
	return 0;
}

static void multi_make(struct loop *loop)
{
	loop->multi = curl_multi_init();
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, multi_socket_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, multi_timer_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	/* Connections are never used twice: keeping them would only hold descriptors. */
	curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, 1L);
	curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
}

struct loop_transfer *loop_transfer(
	struct loop *loop, CURL *easy, void (*done)(void *arg, CURLcode code), void *arg)
{
	struct loop_transfer *transfer = MEM_NEW(struct loop_transfer);

	if (!loop->multi)
		multi_make(loop);
	transfer->loop = loop;
	transfer->easy = easy;
	transfer->done = done;
	transfer->arg = arg;
	transfer->next = loop->transfers;
	if (loop->transfers)
		loop->transfers->previous = transfer;
	loop->transfers = transfer;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	activity_note(loop, &transfer->activity);
	curl_multi_add_handle(loop->multi, easy);
	return transfer;
}

void loop_transfer_stop(struct loop_transfer *transfer)
{
	if (!transfer)
		return;
	transfer_unlink(transfer);
	free(transfer);
}

/* ---- the loop itself */

struct loop *loop_new(struct error *err)
{
	struct loop *loop = MEM_NEW(struct loop);

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		error_set(err, ERROR_TEMPORARY, "cannot wait for events: %s", strerror(errno));
		free(loop);
		return NULL;
	}
	loop->busy.newer = loop->busy.older = &loop->busy;
	loop->now_us = clock_mono_us();
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	resolver_free(loop->resolver);
	while (loop->transfers)
		loop_transfer_stop(loop->transfers); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	if (loop->multi)
		curl_multi_cleanup(loop->multi);
	while (loop->timers > 0)
		loop_timer_stop(loop->heap[0]); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the heap */
	bury(loop);
	free(loop->heap);
	close(loop->epoll);
	free(loop);
}

struct resolver **loop_resolver(struct loop *loop)
{
	return &loop->resolver;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

int64_t loop_now_us(const struct loop *loop)
{
	return loop->now_us;
}

int64_t loop_stalled_us(const struct loop *loop)
{
	return loop->stalled_us;
}

static void serve(struct loop *loop, struct loop_watch *watch, uint32_t got)
{
	/* Errors and hang-ups wake whoever waits: reading or writing then tells them what happened. */
	bool broken = got & (EPOLLERR | EPOLLHUP);
	unsigned events =
		(got & EPOLLIN || broken ? LOOP_READ : 0) | (got & EPOLLOUT || broken ? LOOP_WRITE : 0);

	if (watch->stopped)
		return;
	activity_note(loop, watch->activity);
	if (watch->ready)
		watch->ready(watch->arg, events);
	else
		multi_act(loop, watch->fd,
			(got & EPOLLIN ? CURL_CSELECT_IN : 0) | (got & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				(broken ? CURL_CSELECT_ERR : 0));
}

static int wait_ms(const struct loop *loop, int64_t until_us, int64_t now_us)
{
	int64_t next = until_us, ms;

	if (loop->timers > 0 && loop->heap[0]->due_us < next)
		next = loop->heap[0]->due_us;
	if (next <= now_us)
		return 0;
	/* Rounded up: waking a moment early would only spin until the timer is due. */
	ms = (next - now_us + US_PER_MS - 1) / US_PER_MS;
	return ms > 60000 ? 60000 : (int)ms;
}

/* How late this turn is: events that came while the last turn was worked on have waited that long, and a
   timer that should have fired tells of stops that we did not notice otherwise. */
static void measure_stall(struct loop *loop, int64_t worked_us)
{
	int64_t late = loop->timers > 0 ? loop->now_us - loop->heap[0]->due_us : 0;

	if (worked_us > late)
		late = worked_us;
	if (late > STALL_US)
		loop->stalled_us += late;
}

static void turn(struct loop *loop, int64_t until_us)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int64_t before = clock_mono_us(), worked = before - loop->now_us;
	int n = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_ms(loop, until_us, before));

	loop->now_us = clock_mono_us();
	measure_stall(loop, worked);
	for (int i = 0; i < n && !loop->stop; i++)
		serve(loop, events[i].data.ptr, events[i].events);
	fire_due(loop);
	bury(loop);
}

void loop_run(struct loop *loop, int64_t until_us)
{
	loop->stop = false;
	loop->now_us = clock_mono_us();
	while (!loop->stop && loop->now_us < until_us &&
		(loop->timers > 0 || loop->watches > 0 || loop->transfers))
		turn(loop, until_us);
}
