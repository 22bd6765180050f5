/* SPDX-License-Identifier: ISC */
/*
 * views: what stands between enough evidence and a decision. Is a parent the reason? Is it us who are
 * offline? Has half the world gone at once? Do others see it up?
 */
#ifndef PROBER_VIEWS_H
#define PROBER_VIEWS_H

#include <stdbool.h>

struct post;

enum view {
	VIEW_PENDING = 0, /* the answer is not there yet */
	VIEW_IS_CLEAR,
	VIEW_PARENT_DOWN, /* it is down, and so is what it depends on: that is told, this is not */
	VIEW_IS_BLIND,
	VIEW_IS_MASS,
	VIEW_IS_OUTVOTED,
};

/* Its evidence suffices: begins whatever must be asked. */
void views_ask(struct post *post);
enum view views_of(struct post *post);
/* It has begun to fail: parents that were not looked at since are looked at now, and the witnesses are asked,
   for when we are offline only until its evidence suffices, they would by then speak for us again. */
void views_suspect(struct post *post);
/* Is something that it depends on failing? */
bool views_parent_down(struct post *post);

#endif
