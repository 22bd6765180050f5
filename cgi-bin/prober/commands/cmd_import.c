/* SPDX-License-Identifier: ISC */
/*
 * cmd_import: prints the fragment on stdout, so that it can be put into a file, and what has no equal here on
 * stderr, so that it is read. Nothing is stored.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "model/monitor.h"
#include "prober/commands/commands.h"
#include "prober/commands/import.h"

#define IMPORT_BYTES_MAX (64u << 20)

static const struct import_kind {
	const char *name;
	bool (*import)(struct import *import, const cJSON *answer, struct error *err);
} kinds[] = {
	{"uptimerobot", import_uptimerobot},
};

/* ---- the command */

/* The next whole value of the text, guarded: cJSON itself is not strict. NULL and no error at the end. */
static cJSON *next_value(const char *path, const struct text *text, size_t *at, bool *good, struct error *err)
{
	struct json_scan scan;
	enum json_token token = JSON_BAD;
	cJSON *tree = NULL;
	unsigned line, column, depth = 0;

	*at += strspn(text_str(text) + *at, " \t\r\n");
	*good = true;
	if (*at == text->len)
		return NULL;
	json_scan_init(&scan, text_str(text) + *at, text->len - *at, JSON_COMMENTS, JSON_MAX_DEPTH);
	do {
		token = json_scan_next(&scan);
		depth += token == JSON_OBJECT || token == JSON_ARRAY;
		depth -= token == JSON_OBJECT_END || token == JSON_ARRAY_END;
	} while (token > JSON_DONE && depth > 0);
	if (token > JSON_DONE)
		tree = cJSON_ParseWithLength(scan.text, scan.end);
	*good = tree != NULL;
	if (token == JSON_BAD) {
		struct json_scan whole = {.text = text_str(text), .len = text->len};

		json_scan_position(&whole, *at + scan.start, &line, &column);
		error_set(err, ERROR_INPUT, "%s:%u:%u: %s", path, line, column, scan.error);
	} else if (!tree) {
		error_set(err, ERROR_INPUT, "%s cannot be understood", path);
	}
	*at += scan.end;
	json_scan_free(&scan);
	return tree;
}

/* All that the file holds: services answer in pages, which people put one after the other. One value is given
   as it is, several as an array. */
static cJSON *read_answer(const char *path, struct error *err)
{
	struct text text = TEXT_INIT;
	cJSON *pages = cJSON_CreateArray(), *one;
	size_t at = 0;
	bool good = file_read(path, IMPORT_BYTES_MAX, &text, err);

	if (good && memchr(text_str(&text), '\0', text.len))
		good = error_set(err, ERROR_INPUT, "%s: there is a NUL byte in it", path);
	while (good && (one = next_value(path, &text, &at, &good, err)))
		cJSON_AddItemToArray(pages, one);
	if (good && !pages->child)
		good = error_set(err, ERROR_INPUT, "%s is empty", path);
	text_free(&text);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): good has a page */
	one = good && !pages->child->next ? cJSON_DetachItemFromArray(pages, 0) : NULL;
	if (good && !one)
		return pages;
	cJSON_Delete(pages);
	return one;
}

static void print_fragment(const struct import *import)
{
	cJSON *fragment = cJSON_CreateObject();
	char *printed;

	if (import->channels->child)
		cJSON_AddItemReferenceToObject(fragment, "channels", import->channels);
	cJSON_AddItemReferenceToObject(fragment, "monitors", import->monitors);
	printed = cJSON_Print(fragment);
	puts(printed ? printed : "{}");
	cJSON_free(printed);
	cJSON_Delete(fragment);
	fprintf(stderr, "%d of %zu monitors carried over.\n", cJSON_GetArraySize(import->monitors),
		import->found);
	if (import->lost_count)
		fprintf(stderr, "What has no equal here, or needs a look:\n%s", text_str(&import->lost));
}

static int run(const struct import_kind *kind, const char *path)
{
	struct import import = {.channels = cJSON_CreateObject(), .monitors = cJSON_CreateObject()};
	struct error err = {0};
	cJSON *answer = read_answer(path, &err);
	bool good = answer && kind->import(&import, answer, &err);

	if (good) {
		import_check(&import);
		print_fragment(&import);
	}
	cJSON_Delete(answer);
	cJSON_Delete(import.channels);
	cJSON_Delete(import.monitors);
	text_free(&import.lost);
	if (!good && err.kind == ERROR_MISSING)
		err.kind = ERROR_INPUT;
	return good ? EXIT_DONE : command_fail(&err);
}

int cmd_import(struct command *command)
{
	if (!command_args(command, 2, 2))
		return EXIT_USAGE;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(command->argv[0], kinds[i].name) == 0)
			return run(&kinds[i], command->argv[1]);
	fprintf(stderr, "upbeat-prober: nothing can be imported from \"%s\"; there is:", command->argv[0]);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		fprintf(stderr, " %s", kinds[i].name);
	fputc('\n', stderr);
	return EXIT_USAGE;
}
