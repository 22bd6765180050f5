/* SPDX-License-Identifier: ISC */
/* main_publish DIR [FILLER [BOTS]]: a store with fixture.h's heartbeats, for trying it by hand. */
#include <stdio.h>

#include "base/text.h"
#include "fixture.h"

int main(int argc, char **argv)
{
	struct error err = {0};
	uint64_t filler = 0, bots = 0;

	if (argc < 2 || argc > 4 || (argc > 2 && !text_to_u64(argv[2], &filler)) ||
		(argc > 3 && !text_to_u64(argv[3], &bots))) {
		fprintf(stderr, "usage: main_publish DIR [FILLER [BOTS]]\n");
		return 2;
	}
	if (fixture_publish(argv[1], FIXTURE_DEFAULT | FIXTURE_BOTS(bots), (size_t)filler, &err))
		return 0;
	fprintf(stderr, "main_publish: %s\n", err.text);
	return 1;
}
