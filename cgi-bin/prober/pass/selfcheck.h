/* SPDX-License-Identifier: ISC */
/*
 * selfcheck: does our own web side answer? While it does not, nobody's beats can be heard, so heartbeats are
 * unknown and "Upbeat's web side is down" is the one alert.
 *
 * It is armed by its first success at this url: a host that cannot reach itself by its public name is never
 * told that it is down.
 */
#ifndef PROBER_SELFCHECK_H
#define PROBER_SELFCHECK_H

#include <stdbool.h>

struct pass;
struct selfcheck;

/* Once a pass: begins to ask, when there are heartbeats and a url. */
void selfcheck_start(struct pass *pass);
/* Is the answer still awaited? Late heartbeats are not judged before it is there. */
bool selfcheck_busy(const struct pass *pass);
void selfcheck_free(struct selfcheck *selfcheck);

#endif
