/* SPDX-License-Identifier: ISC */
/* main_seed DIR KIND [AGE_S]: fills a store as seed.h says, for trying pages in a browser. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "seed.h"

int main(int argc, char **argv)
{
	enum seed_kind kind;
	struct error err = {0};
	int64_t age_s = 12;

	if (argc < 3 || !seed_kind_parse(argv[2], &kind) || (argc > 3 && !text_to_i64(argv[3], &age_s))) {
		fprintf(stderr, "usage: main_seed DIR plain|calm|canary|many|empty [AGE_S]\n");
		return 2;
	}
	if (seed_store(argv[1], kind, clock_wall_us(), age_s * US_PER_S, &err))
		return 0;
	fprintf(stderr, "main_seed: %s\n", err.text);
	return 1;
}
