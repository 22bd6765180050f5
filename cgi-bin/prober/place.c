/* SPDX-License-Identifier: ISC */
/*
 * place: what the kernel says our file is, and paths from there. See place.h.
 */
#include "prober/place.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char *own_path(void)
{
	char *path = mem_alloc(PATH_MAX);

	if (readlink("/proc/self/exe", path, PATH_MAX - 1) > 0)
		return path;
	free(path);
	return NULL;
}

char *place_program(void)
{
	char *path = own_path();

	return path ? path : mem_str("upbeat-prober");
}

char *place_beside(const char *relative)
{
	char *path = own_path(), *dir, *joined, *real;

	if (!path)
		return NULL;
	dir = file_dir(path);
	joined = file_join(dir, relative);
	real = realpath(joined, NULL);
	free(joined);
	free(dir);
	free(path);
	return real;
}

char *place_portable(void)
{
	char *web = place_beside("../web/upbeat.fcgi"), *top = web ? place_beside("..") : NULL;

	free(web);
	return top;
}
