/* SPDX-License-Identifier: ISC */
/*
 * walls: what this program gives up, so that who breaks into it through a request has gained little.
 *
 * System calls go first, at start. Paths go when the store is known and has its state: at start where
 * UPBEAT_STORE in the process's environment says it, else with the first request that does, and until then
 * a FastCGI process has one thread. From then on it reads that store's two books, writes the inbox, and
 * sees nothing else. More stores for one process are named by UPBEAT_STORES (with colons between) in its
 * environment.
 *
 * The rules are about the directories that were there then. Where another book was put in the place of one,
 * or ours is damaged and must be mended, the process makes room for a new one, as it does for a new binary.
 */
#ifndef WEB_WALLS_H
#define WEB_WALLS_H

#include <stdbool.h>

/* Once, before there are threads. No executing, no new processes, no sockets but those that are open. Who has
   one request only gets a shorter table, because that is cheaper to raise: no threads, and what kills in the
   longer one is refused. */
void walls_calls(bool one_request);
/* Before a request is served; one_request: the only one. True: nothing more is to be given up. */
bool walls_paths(char **env, bool one_request);
/* Do they stand? Then our book cannot be mended here: walls_give_way() has this process replaced. */
bool walls_stand(void);
void walls_give_way(void);
/* Is this store among those that we are confined to? */
bool walls_include(const char *store);
/* True when the books are not the ones that we were confined to. Looks some times a second. */
bool walls_outgrown(void);

#endif
