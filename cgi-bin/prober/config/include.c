/* SPDX-License-Identifier: ISC */
/*
 * include: "include": ["conf.d/mine.json", ...], also with wildcards. Patterns count from the main
 * file's directory. Objects are merged member by member; anything else may stand in one file only.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "prober/config/reading.h"

#define INCLUDE_DEPTH_MAX 16
#define INCLUDE_FILES_MAX 4096

/* The files that are being included, outermost first: a file that is on it again is a loop. */
struct chain {
	const struct chain *outer;
	size_t source;
	unsigned depth;
};

static void include_all(struct reading *r, size_t source, cJSON *patterns, const struct chain *outer);

static bool same_file(const struct source *a, const struct source *b)
{
	return a->stat.st_ino && a->stat.st_ino == b->stat.st_ino && a->stat.st_dev == b->stat.st_dev;
}

static const struct source *read_before(const struct reading *r, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_file(&r->sources[i], &r->sources[index]))
			return &r->sources[i];
	return NULL;
}

static bool in_chain(const struct reading *r, const struct chain *chain, size_t index)
{
	for (; chain; chain = chain->outer)
		if (same_file(&r->sources[chain->source], &r->sources[index]))
			return true;
	return false;
}

static void move(cJSON *from, cJSON *item, cJSON *to)
{
	cJSON_DetachItemViaPointer(from, item);
	cJSON_AddItemToArray(to, item); /* keeps its name */
}

static void say_twice(struct reading *r, const cJSON *again, const cJSON *first)
{
	const struct place *place = place_of(r, first);

	mistake_at(r, again, AT_KEY, "\"%s\" stands in %s already", again->string,
		place ? r->sources[place->source].path : "another file");
}

static void merge_members(struct reading *r, cJSON *from, cJSON *to)
{
	size_t n;
	struct named *index = named_index(to, &n);
	cJSON *item, *next;

	for (item = from->child; item; item = next) {
		const struct named *there = named_find(index, n, item->string);

		next = item->next;
		if (there)
			say_twice(r, item, there->node);
		else
			move(from, item, to);
	}
	free(index);
}

/* Merges an included file's tree into the root; what stays behind in it was reported. */
static void merge_source(struct reading *r, size_t source)
{
	cJSON *tree = r->sources[source].tree, *item, *next;

	for (item = tree->child; item; item = next) {
		cJSON *there = cJSON_GetObjectItemCaseSensitive(r->root, item->string);

		next = item->next;
		if (strcmp(item->string, "include") == 0)
			continue;
		if (strcmp(item->string, "store") == 0)
			mistake_at(r, item, AT_KEY, "\"store\" must stand in the main file, %s",
				r->sources[0].path);
		else if (!there)
			move(tree, item, r->root);
		else if (cJSON_IsObject(there) && cJSON_IsObject(item))
			merge_members(r, item, there);
		else
			say_twice(r, item, there);
	}
}

static void include_file(struct reading *r, const char *path, const cJSON *from, const struct chain *outer)
{
	const struct source *before;
	cJSON *inner;
	int index;

	if (r->source_count > INCLUDE_FILES_MAX) {
		mistake_at(r, from, AT_VALUE, "more than %d files are included", INCLUDE_FILES_MAX);
		return;
	}
	index = source_read(r, path, from);
	if (index < 0) {
		r->incomplete = true;
		return;
	}
	before = read_before(r, (size_t)index);
	if (before) {
		mistake_at(r, from, AT_VALUE,
			in_chain(r, outer, (size_t)index) ? "%s includes itself, directly or through others"
							  : "%s is included twice",
			before->path);
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): source_read added it */
	inner = cJSON_GetObjectItemCaseSensitive(r->sources[index].tree, "include");
	merge_source(r, (size_t)index);
	if (inner)
		include_all(r, (size_t)index, inner, outer);
}

static void include_pattern(struct reading *r, const cJSON *pattern, const struct chain *outer)
{
	char *path = file_join(r->dir, pattern->valuestring);
	char *dir = file_dir(path);
	bool wild = strpbrk(path, "*?[") != NULL;
	glob_t found = {0};
	int failed = glob(path, GLOB_ERR, NULL, &found);

	if (wild)
		reading_depends(r, dir); /* its time of change tells of files that come and go */
	if (failed == GLOB_NOMATCH && !wild)
		mistake_at(r, pattern, AT_VALUE, "there is no file %s", path);
	else if (failed && failed != GLOB_NOMATCH)
		mistake_at(r, pattern, AT_VALUE, "cannot look for %s", path);
	for (size_t i = 0; !failed && i < found.gl_pathc; i++)
		include_file(r, found.gl_pathv[i], pattern, outer);
	globfree(&found);
	free(dir);
	free(path);
}

static void include_all(struct reading *r, size_t source, cJSON *patterns, const struct chain *outer)
{
	const struct chain chain = {outer, source, outer ? outer->depth + 1 : 0};
	const cJSON *pattern;

	if (chain.depth > INCLUDE_DEPTH_MAX) {
		mistake_at(r, patterns, AT_VALUE, "files are included more than %d deep", INCLUDE_DEPTH_MAX);
		return;
	}
	if (!value_check(r, fields_find(top_rows.fields, top_rows.n, "include"), patterns, ""))
		return;
	if (cJSON_IsString(patterns))
		include_pattern(r, patterns, &chain);
	else
		cJSON_ArrayForEach(pattern, patterns)
			include_pattern(r, pattern, &chain);
}

void include_merge(struct reading *r)
{
	cJSON *patterns = cJSON_GetObjectItemCaseSensitive(r->root, "include");

	if (patterns)
		include_all(r, 0, patterns, NULL);
}
