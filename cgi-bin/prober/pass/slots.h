/* SPDX-License-Identifier: ISC */
/*
 * slots: when a monitor's regular looks are due, as points on the wall clock that depend on nothing but its
 * interval and id. So intervals below a minute stay on the clock under a one-minute cron, a pass that follows
 * a crash knows which slots were missed, and a changed interval needs no bookkeeping.
 *
 * Slots of intervals up to a minute lie on whole multiples of the interval; longer ones are spread over the
 * minutes, by id, so that not everything is asked at once.
 */
#ifndef PROBER_SLOTS_H
#define PROBER_SLOTS_H

#include <stdint.h>

#define MINUTE_US (60 * INT64_C(1000000))

/* The newest slot at or before t (wall clock). */
int64_t slot_before(uint32_t id, int64_t interval_us, int64_t t_us);
/* The first slot after t. */
int64_t slot_after(uint32_t id, int64_t interval_us, int64_t t_us);
/* The interval that can be expected when passes come every cadence_us: cron may be coarser than a monitor. It
   says which slots were missed; a pass that is there looks at whatever is due by the monitor's own. */
int64_t slot_interval(int64_t interval_us, int64_t cadence_us);
/* The end of the minute that t lies in. */
int64_t minute_end(int64_t t_us);

#endif
