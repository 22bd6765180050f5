/* SPDX-License-Identifier: ISC */
/*
 * clock: the only place that asks what time it is.
 *
 * A moment holds the wall clock and the boot clock of the same instant. The wall clock is
 * what people and other machines mean; it may be stepped. The boot clock only ever runs
 * forward, through suspend too, and means something only together with the boot id.
 * Everything in model/ takes a moment, or its wall_us, as a parameter.
 *
 * UPBEAT_CLOCK_OFFSET_MS, read once, shifts both clocks: tests travel in time with it without
 * preloading a library. It is honoured only when UPBEAT_TESTING=1 is set too.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

struct moment {
	int64_t wall_us; /* CLOCK_REALTIME, microseconds since 1970 */
	int64_t boot_us; /* CLOCK_BOOTTIME, microseconds since boot */
	uint64_t boot_id; /* first 64 bits of /proc/sys/kernel/random/boot_id; 0 when unreadable */
};

void clock_now(struct moment *now);
int64_t clock_wall_us(void);
/* CLOCK_MONOTONIC, microseconds: for measuring lengths within one process. */
int64_t clock_mono_us(void);

#endif
