/* SPDX-License-Identifier: ISC */
/*
 * slots: arithmetic of due times.
 */
#include "prober/pass/slots.h"

static int64_t phase(uint32_t id, int64_t interval_us)
{
	return interval_us > MINUTE_US ? (int64_t)id * MINUTE_US % interval_us : 0;
}

static int64_t floor_to(int64_t t_us, int64_t step_us)
{
	int64_t rest = t_us % step_us;

	return t_us - (rest < 0 ? rest + step_us : rest);
}

int64_t slot_before(uint32_t id, int64_t interval_us, int64_t t_us)
{
	int64_t shift = phase(id, interval_us);

	return floor_to(t_us - shift, interval_us) + shift;
}

int64_t slot_after(uint32_t id, int64_t interval_us, int64_t t_us)
{
	return slot_before(id, interval_us, t_us) + interval_us;
}

int64_t slot_interval(int64_t interval_us, int64_t cadence_us)
{
	int64_t minutes = (cadence_us + MINUTE_US / 4) / MINUTE_US;

	/* Whole minutes, because that is when cron starts passes: a cadence that wavers around one of them, or that
	   a single gap has made longer, is that of one of them. */
	return minutes > 1 && minutes * MINUTE_US > interval_us ? minutes * MINUTE_US : interval_us;
}

int64_t minute_end(int64_t t_us)
{
	return floor_to(t_us, MINUTE_US) + MINUTE_US;
}
