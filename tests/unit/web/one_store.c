/* SPDX-License-Identifier: ISC */
/* A store and the newest answer for a whole test program. See one_store.h. */
#include "one_store.h"

#include <stdio.h>

struct fixture store;
struct answer answer;

static int open_published(unsigned flags)
{
	struct error err = {0};

	fixture_open(&store);
	if (fixture_publish(store.dir, flags, 0, &err))
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return -1;
}

int open_store(void **state)
{
	(void)state;
	return open_published(0);
}

int open_store_with_default(void **state)
{
	(void)state;
	return open_published(FIXTURE_DEFAULT);
}

int open_nothing(void **state)
{
	(void)state;
	fixture_open(&store);
	return 0;
}

int close_store(void **state)
{
	(void)state;
	answer_clear(&answer);
	fixture_close(&store);
	return 0;
}
