/* SPDX-License-Identifier: ISC */
/* quorum: counting. */
#include "model/quorum.h"

bool quorum_counts(const struct sighting *sighting, int64_t now_us)
{
	int64_t age_us = now_us - sighting->heard_us;

	if (sighting->peer)
		return !sighting->mute && sighting->sees != OUTCOME_UNKNOWN;
	if (sighting->sees == OUTCOME_DOWN)
		return age_us < QUORUM_DOWN_FRESH_US;
	return sighting->sees == OUTCOME_UP && age_us < QUORUM_UP_FRESH_US;
}

struct quorum quorum_of(
	enum outcome ours, const struct sighting *others, size_t n, int64_t wanted, int64_t now_us)
{
	struct quorum q = {.seeing = ours != OUTCOME_UNKNOWN, .down = ours == OUTCOME_DOWN};

	for (size_t i = 0; i < n; i++) {
		if (!quorum_counts(&others[i], now_us))
			continue;
		q.seeing++;
		if (others[i].sees != OUTCOME_DOWN)
			continue;
		q.down++;
		if (!q.why || others[i].heard_us > q.why->heard_us)
			q.why = &others[i];
	}
	q.needed = wanted > 0 ? (unsigned)wanted : q.seeing / 2 + 1;
	if (wanted > 0 && q.needed > q.seeing)
		q.needed = q.seeing;
	q.is_down = q.down > 0 && q.down >= q.needed;
	return q;
}
