/* SPDX-License-Identifier: ISC */
/*
 * lobby: accepted connections that have not said anything yet.
 *
 * A web server connects and speaks at once. Whoever connects and is silent must not hold a worker, so he
 * waits here until he speaks (any worker then takes him over) or has been silent for too long.
 */
#ifndef WEB_LOBBY_H
#define WEB_LOBBY_H

#include <stdbool.h>

#define LOBBY_SECONDS 10
#define LOBBY_MAX 4096 /* the one that waits longest goes when there are more */

/* Once, before there are threads. The descriptor is readable while somebody in it has spoken: for a worker's
   epoll. -1 on failure. */
int lobby_open(void);
/* Takes the connection over. */
void lobby_enter(int fd);
/* A connection that has spoken, now the caller's; -1 when there is none. */
int lobby_take(void);
/* Sends those away who were silent for too long. */
void lobby_sweep(void);
/* Sends some away however long they waited: descriptors have run out. */
void lobby_make_room(void);

#endif
