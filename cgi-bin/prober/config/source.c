/* SPDX-License-Identifier: ISC */
/*
 * source: one file of the configuration, from bytes to a cJSON tree whose every value knows its place.
 *
 * json_scan goes first: it refuses what is not strict JSON (cJSON is lax), bounds the depth, and notes where
 * each value and key begins, in the order of the document. cJSON then builds the tree from a copy in which
 * comments are blanks; walking that tree in the same order gives each node its place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "prober/config/reading.h"

/* ---- the pass over the tokens */

/* Places in the order of the document, not yet tied to nodes. */
struct spots {
	struct place *at;
	size_t n, room;
};

static struct place *spots_add(struct spots *spots)
{
	if (spots->n == spots->room) {
		spots->room = spots->room ? spots->room * 2 : 256;
		spots->at = mem_grow(spots->at, spots->room, sizeof(spots->at[0]));
	}
	spots->at[spots->n] = (struct place){0};
	return &spots->at[spots->n++];
}

/* cJSON keeps strings as C strings, so \u0000 would cut them. */
static bool has_nul(const struct json_scan *scan)
{
	struct text decoded = TEXT_INIT;
	bool found;

	if (!memchr(scan->text + scan->start, '\\', scan->end - scan->start))
		return false;
	json_scan_string(scan, &decoded);
	found = memchr(text_str(&decoded), '\0', decoded.len) != NULL;
	text_free(&decoded);
	return found;
}

static bool scan_spots(struct reading *r, size_t source, struct spots *spots)
{
	const struct text *text = &r->sources[source].text;
	struct json_scan scan;
	struct place key = {0};
	enum json_token token;
	bool has_key = false, good = true;

	json_scan_init(&scan, text_str(text), text->len, JSON_COMMENTS | JSON_DOUBLES, JSON_MAX_DEPTH);
	while ((token = json_scan_next(&scan)) > JSON_DONE) {
		struct place *spot;

		if ((token == JSON_KEY || token == JSON_STRING) && has_nul(&scan)) {
			mistake_in(r, source, scan.start, "a string here cannot hold \\u0000");
			good = false;
		}
		if (token == JSON_OBJECT_END || token == JSON_ARRAY_END)
			continue;
		if (token == JSON_KEY) {
			key = (struct place){.key_at = (uint32_t)scan.start, .doubled = scan.doubled};
			has_key = true;
			continue;
		}
		spot = spots_add(spots);
		if (has_key)
			*spot = key;
		else
			spot->key_at = (uint32_t)scan.start;
		spot->source = (uint32_t)source;
		spot->value_at = (uint32_t)scan.start;
		has_key = false;
	}
	if (token == JSON_BAD)
		mistake_in(r, source, scan.start, "%s", scan.error);
	json_scan_free(&scan);
	return good && token == JSON_DONE;
}

/* ---- the tree */

/* A copy with blanks where the byte order mark and the comments are. The text is known to be good. */
static char *without_comments(const struct text *text)
{
	char *copy = mem_strn(text_str(text), text->len), *s = copy;

	if (text->len >= 3 && memcmp(copy, "\xef\xbb\xbf", 3) == 0)
		memset(copy, ' ', 3);
	while (*s) {
		if (*s == '"') {
			for (s++; *s && *s != '"'; s++)
				if (*s == '\\')
					s++;
			s++;
		} else if (s[0] == '/' && s[1] == '/') {
			while (*s && *s != '\n')
				*s++ = ' ';
		} else if (s[0] == '/' && s[1] == '*') {
			char *end = strstr(s + 2, "*/") + 2;

			for (; s < end; s++)
				*s = *s == '\n' ? '\n' : ' ';
		} else {
			s++;
		}
	}
	return copy;
}

/* Ties places to nodes, both in document order. The depth is bounded by json_scan. */
static void tie_places(struct reading *r, const cJSON *node, const struct place **next)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as many places as nodes */
	const struct place *place = place_put(r, node, (*next)++);
	const cJSON *child;

	if (place->doubled)
		mistake_at(r, node, AT_KEY, "\"%s\" stands twice in the same object", node->string);
	cJSON_ArrayForEach(child, node)
		tie_places(r, child, next);
}

static size_t count_nodes(const cJSON *node)
{
	size_t n = 1;
	const cJSON *child;

	cJSON_ArrayForEach(child, node)
		n += count_nodes(child);
	return n;
}

static bool source_parse(struct reading *r, size_t index)
{
	struct source *source = &r->sources[index];
	struct spots spots = {NULL, 0, 0};
	const char *nul = memchr(text_str(&source->text), '\0', source->text.len);
	const struct place *next;
	char *plain;
	bool good = !nul && scan_spots(r, index, &spots);

	if (nul) /* also in comments: what follows works on C strings */
		mistake_in(r, index, (size_t)(nul - source->text.ptr), "a text file holds no NUL byte");
	if (good) {
		plain = without_comments(&source->text);
		source->tree = cJSON_ParseWithLengthOpts(plain, source->text.len + 1, NULL, 1);
		sign_wipe(plain, source->text.len);
		free(plain);
		/* json_scan accepts nothing that cJSON does not; if it did, no wrong place may come of it. */
		good = source->tree && count_nodes(source->tree) == spots.n;
		if (!good)
			mistake_in(r, index, 0, "this file cannot be understood");
	}
	if (good) {
		places_reserve(r, spots.n);
		next = spots.at;
		tie_places(r, source->tree, &next);
	}
	free(spots.at);
	return good;
}

/* ---- files */

void reading_depends(struct reading *r, const char *path)
{
	struct config *config = r->config;

	for (size_t i = 0; i < config->file_count; i++)
		if (strcmp(config->files[i], path) == 0)
			return;
	config->files = mem_grow(config->files, config->file_count + 1, sizeof(config->files[0]));
	config->files[config->file_count++] = mem_str(path);
}

int source_read(struct reading *r, const char *path, const cJSON *from)
{
	size_t index = r->source_count;
	struct source source = {.path = mem_str(path)};
	struct error err;
	bool good;

	r->sources = mem_grow(r->sources, index + 1, sizeof(r->sources[0]));
	reading_depends(r, path);
	if (stat(path, &source.stat) != 0)
		memset(&source.stat, 0, sizeof(source.stat)); /* file_read says why */
	good = file_read(path, SOURCE_BYTES_MAX, &source.text, &err);
	r->sources[r->source_count++] = source;
	if (!good && from)
		mistake_at(r, from, AT_VALUE, "%s", err.text);
	else if (!good)
		mistake_in(r, index, 0, "%s", err.text);
	if (!good || !source_parse(r, index))
		return -1;
	if (!cJSON_IsObject(r->sources[index].tree)) {
		mistake_at(r, r->sources[index].tree, AT_VALUE, "the whole file must be one object: {...}");
		return -1;
	}
	return (int)index;
}
