/* SPDX-License-Identifier: ISC */
/*
 * Silent connections. See lobby.h.
 *
 * An epoll instance says who has spoken, once for each (one shot), to one worker. A ring in order of arrival
 * says who has waited too long. A connection belongs to whoever takes it out of the ring, under the lock.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/lobby.h"

struct guest {
	int fd; /* -1: has left already */
	int64_t since_us;
};

static struct guest ring[LOBBY_MAX];
static struct {
	pthread_mutex_t lock;
	int epoll_fd;
	unsigned first, count; /* places of the ring in use, those of guests who left among them */
} lobby = {.lock = PTHREAD_MUTEX_INITIALIZER, .epoll_fd = -1};

int lobby_open(void)
{
	lobby.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return lobby.epoll_fd;
}

/* ---- with the lock held */

static struct guest *longest_waiting(void)
{
	while (lobby.count > 0 && ring[lobby.first].fd < 0) {
		lobby.first = (lobby.first + 1) % LOBBY_MAX;
		lobby.count--;
	}
	return lobby.count > 0 ? &ring[lobby.first] : NULL;
}

static void send_away(struct guest *guest)
{
	close(guest->fd); /* that takes it out of the epoll instance, too */
	guest->fd = -1;
}

/* true when it was still ours to give. */
static bool leave(int fd)
{
	unsigned i;

	for (i = 0; i < lobby.count; i++) {
		struct guest *guest = &ring[(lobby.first + i) % LOBBY_MAX];

		if (guest->fd == fd) {
			guest->fd = -1;
			return true;
		}
	}
	return false;
}

/* ---- calls */

void lobby_enter(int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = fd}};

	lobby_sweep();
	pthread_mutex_lock(&lobby.lock);
	if (lobby.count == LOBBY_MAX)
		send_away(longest_waiting());
	longest_waiting(); /* gives back the places of those who left */
	ring[(lobby.first + lobby.count) % LOBBY_MAX] = (struct guest){fd, clock_mono_us()};
	lobby.count++;
	if (epoll_ctl(lobby.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 && leave(fd))
		close(fd);
	pthread_mutex_unlock(&lobby.lock);
}

int lobby_take(void)
{
	struct epoll_event event;
	bool ours;

	if (epoll_wait(lobby.epoll_fd, &event, 1, 0) != 1)
		return -1;
	pthread_mutex_lock(&lobby.lock);
	ours = leave(event.data.fd);
	if (ours)
		epoll_ctl(lobby.epoll_fd, EPOLL_CTL_DEL, event.data.fd, NULL);
	pthread_mutex_unlock(&lobby.lock);
	return ours ? event.data.fd : -1;
}

void lobby_sweep(void)
{
	int64_t now_us = clock_mono_us();
	struct guest *guest;

	pthread_mutex_lock(&lobby.lock);
	while ((guest = longest_waiting()) != NULL && now_us - guest->since_us > LOBBY_SECONDS * US_PER_S)
		send_away(guest);
	pthread_mutex_unlock(&lobby.lock);
}

void lobby_make_room(void)
{
	struct guest *guest;
	int i;

	pthread_mutex_lock(&lobby.lock);
	for (i = 0; i < 16 && (guest = longest_waiting()) != NULL; i++)
		send_away(guest);
	pthread_mutex_unlock(&lobby.lock);
}
