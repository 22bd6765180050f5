/* SPDX-License-Identifier: ISC */
/* testing: see testing.h. */
#include "prober/testing.h"

#include <stdlib.h>
#include <string.h>

const char *testing_env(const char *name)
{
	const char *testing = getenv("UPBEAT_TESTING");

	return testing && strcmp(testing, "1") == 0 ? getenv(name) : NULL;
}
