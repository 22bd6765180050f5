/* SPDX-License-Identifier: ISC */
/* main_publish DIR [FILLER]: a store with fixture.h's heartbeats, for trying the web program by hand. */
#include <stdio.h>

#include "base/text.h"
#include "fixture.h"

int main(int argc, char **argv)
{
	struct error err = {0};
	uint64_t filler = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !text_to_u64(argv[2], &filler))) {
		fprintf(stderr, "usage: main_publish DIR [FILLER]\n");
		return 2;
	}
	if (fixture_publish(argv[1], FIXTURE_DEFAULT, (size_t)filler, &err))
		return 0;
	fprintf(stderr, "main_publish: %s\n", err.text);
	return 1;
}
