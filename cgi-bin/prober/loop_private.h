/* SPDX-License-Identifier: ISC */
/*
 * loop_private: what loop.c and resolve.c know of each other; nobody else includes it.
 */
#ifndef PROBER_LOOP_PRIVATE_H
#define PROBER_LOOP_PRIVATE_H

#include "prober/loop.h"

struct resolver;

/* The loop's own resolver, made at the first name that is asked for. */
struct resolver **loop_resolver(struct loop *loop);
/* Abandons all queries and frees it. NULL is fine. */
void resolver_free(struct resolver *resolver);

#endif
