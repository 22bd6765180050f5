/* SPDX-License-Identifier: ISC */
/*
 * quorum: several pairs of eyes on one monitor, and what they say together.
 *
 * A third party tells only what changes. Its "down" holds until it says "up"; its "up" says little
 * about now soon after. But the "up" that ends an outage is lost when we were the ones who could not
 * be reached, and then nothing more comes: so a "down" counts for an hour after it was last said
 * (most services repeat it while it lasts, when told to), an "up" for five minutes. Nobody who has
 * fallen silent can outvote for longer what we see. A peer says itself when it sees nothing, and one
 * that is silent was left out before (model/peering). Who cannot see has no vote, and when we are the only
 * ones who see we decide alone.
 */
#ifndef MODEL_QUORUM_H
#define MODEL_QUORUM_H

#include "model/sighting.h"

#define QUORUM_DOWN_FRESH_US (3600 * INT64_C(1000000))
#define QUORUM_UP_FRESH_US (5 * 60 * INT64_C(1000000))

struct quorum {
	unsigned seeing; /* places that have a vote now, ours among them */
	unsigned down;   /* of them, those that find it down */
	unsigned needed; /* so many make it down */
	bool is_down;
	const struct sighting *why; /* the newest of the others that finds it down, or NULL */
};

/* ours is what we see ourselves; wanted is the monitor's `quorum`, 0 for most of those who see. One
   that wants more than can see now gets all of these. */
struct quorum quorum_of(
	enum outcome ours, const struct sighting *others, size_t n, int64_t wanted, int64_t now_us);
/* Has it a vote now? */
bool quorum_counts(const struct sighting *sighting, int64_t now_us);

#endif
