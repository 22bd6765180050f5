/* SPDX-License-Identifier: ISC */
/*
 * fresh: the arithmetic of fresh.h.
 */
#include "model/fresh.h"

#define SET_BACK_US (30 * US_PER_S)
/* What a first distance may make us believe: setting up takes people a while between a first pass by hand
   and the crontab line, which must not hide a dead prober for hours. */
#define FIRST_CADENCE_MAX_US (15 * 60 * US_PER_S)

int64_t fresh_limit_us(int64_t cadence_us)
{
	int64_t limit;

	if (__builtin_mul_overflow(cadence_us, (int64_t)FRESH_CADENCES, &limit))
		return INT64_MAX;
	return limit > FRESH_LIMIT_MIN_US ? limit : FRESH_LIMIT_MIN_US;
}

int64_t fresh_newest_us(const struct pass_info *pass)
{
	int64_t newest = pass->started_us;

	if (pass->progress_us > newest)
		newest = pass->progress_us;
	if (pass->finished_us > newest)
		newest = pass->finished_us;
	return newest;
}

int64_t fresh_age_us(const struct pass_info *pass, const struct moment *now)
{
	int64_t newest = fresh_newest_us(pass);
	int64_t age;

	if (newest == 0)
		return -1;
	if (pass->boot_id != 0 && pass->boot_id == now->boot_id) {
		/* Set back, too: a restored machine, a faked clock. (A request may be a little older than the pass.) */
		if (now->boot_us < pass->boot_us - SET_BACK_US)
			return INT64_MAX;
		/* Within the pass by the wall clock: a step in the middle of one is the only error left. */
		age = now->boot_us - (pass->boot_us + (newest - pass->started_us));
		return age > 0 ? age : 0;
	}
	age = now->wall_us - newest;
	return age >= 0 ? age : INT64_MAX;
}

bool fresh_enough(const struct pass_info *pass, const struct moment *now)
{
	int64_t age = fresh_age_us(pass, now);

	return age >= 0 && age <= fresh_limit_us(pass->cadence_us);
}

int64_t fresh_gap_us(const struct pass_info *last, const struct moment *now)
{
	int64_t age = fresh_age_us(last, now);

	if (age < 0 || last->cadence_us == 0 || age <= fresh_limit_us(last->cadence_us))
		return 0;
	return age;
}

bool fresh_rebooted(const struct pass_info *last, const struct moment *now)
{
	return last->progress_us > 0 && last->boot_id && now->boot_id && last->boot_id != now->boot_id &&
	       now->wall_us - now->boot_us > last->progress_us;
}

int64_t fresh_cadence(int64_t cadence_us, int64_t distance_us)
{
	if (distance_us <= 0)
		return cadence_us; /* the clock was stepped back: says nothing */
	if (cadence_us == 0)
		return distance_us < FIRST_CADENCE_MAX_US ? distance_us : FIRST_CADENCE_MAX_US;
	if (distance_us > fresh_limit_us(cadence_us))
		return cadence_us + cadence_us / 2; /* a gap; a slower rhythm, if it goes on */
	return cadence_us + (distance_us - cadence_us) / 4;
}
