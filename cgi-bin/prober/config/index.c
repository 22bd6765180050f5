/* SPDX-License-Identifier: ISC */
/*
 * index: looking things up by name. cJSON's own lookup walks the list; with 10,000 monitors that
 * depend on each other, or that come from many files, it would be the slowest part of reading.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define SUGGESTIONS_MAX 50

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

void named_sort(struct named *index, size_t n)
{
	qsort(index, n, sizeof(index[0]), by_name);
}

struct named *named_index(const cJSON *object, size_t *n)
{
	struct named *index = mem_array((size_t)cJSON_GetArraySize(object) + 1, sizeof(index[0]));
	const cJSON *item;

	*n = 0;
	cJSON_ArrayForEach(item, object) {
		index[*n] = (struct named){.name = item->string, .node = item, .index = *n};
		++*n;
	}
	named_sort(index, *n);
	return index;
}

const struct named *named_find(const struct named *index, size_t n, const char *name)
{
	const struct named key = {.name = name};

	return n ? bsearch(&key, index, n, sizeof(index[0]), by_name) : NULL;
}

const char *named_nearest(const struct reading *r, const struct named *index, size_t n, const char *name)
{
	const char **names = mem_array(n + 1, sizeof(names[0]));
	const char *nearest;

	if (r->error_count > SUGGESTIONS_MAX)
		n = 0;
	for (size_t i = 0; i < n; i++)
		names[i] = index[i].name;
	nearest = text_nearest(name, names, n);
	free(names);
	return nearest;
}
