/* SPDX-License-Identifier: ISC */
/*
 * seed: believable monitors, for tests of what people look at and for trying pages without a prober.
 * Times hang on the moment that is given.
 *
 *	seed_store(dir, SEED_PLAIN, now_us, 12 * US_PER_S, &err);
 */
#ifndef TESTS_WEB_SEED_H
#define TESTS_WEB_SEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/state.h"

#define SEED_CANARY "\"'><svg/onload=1>&"

enum seed_kind {
	SEED_PLAIN,   /* a dozen monitors in four groups; two are down, one each unknown, paused, pending */
	SEED_CALM,    /* the same, all up */
	SEED_CANARY_EVERYWHERE, /* markup in every field that holds text */
	SEED_MANY,    /* 10,000 monitors in 100 groups, three of them down */
	SEED_EMPTY,   /* published, but no monitors */
	SEED__COUNT
};
bool seed_kind_parse(const char *name, enum seed_kind *out); /* "plain" "calm" "canary" "many" "empty" */

struct seed {
	struct publication publication;
	struct row *rows;      /* of the monitors, in their order */
	struct judge *judges;
	struct pass_info pass;
	struct problem problems[2];
	size_t problem_count;
};
/* `age_us` is how long ago the newest pass was. */
void seed_build(struct seed *seed, enum seed_kind kind, int64_t now_us, int64_t age_us);
void seed_clear(struct seed *seed);

/* Creates dir/state and dir/inbox and fills them. */
bool seed_store(const char *dir, enum seed_kind kind, int64_t now_us, int64_t age_us, struct error *err);

#endif
