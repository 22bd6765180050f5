/* SPDX-License-Identifier: ISC */
/*
 * secret: secrets are better kept beside the configuration: "file:slack.url" (relative to the main
 * file, one trailing newline is not part of it) or "env:NAME". Whoever keeps one inside a file must keep
 * others from reading that file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "prober/config/reading.h"

/* May somebody read it who should not? A file of another user (root:upbeat 0640) is readable to us through
   its group on purpose. */
static bool others_read(const struct stat *stat)
{
	return (stat->st_mode & S_IROTH) || ((stat->st_mode & S_IRGRP) && stat->st_uid == geteuid());
}

static void strip_newline(struct text *text)
{
	if (text->len && text->ptr[text->len - 1] == '\n')
		text->len--;
	else
		return;
	if (text->len && text->ptr[text->len - 1] == '\r')
		text->len--;
}

static bool read_secret_file(
	struct reading *r, const cJSON *node, const char *path, struct text *out, const char *what)
{
	struct stat stat_;
	struct error err;

	reading_depends(r, path);
	if (!file_read(path, SECRET_BYTES_MAX, out, &err)) {
		mistake_at(r, node, AT_VALUE, "%s%s", what, err.text);
		return false;
	}
	strip_newline(out);
	if (stat(path, &stat_) == 0 && others_read(&stat_)) {
		mistake_at(r, node, AT_VALUE, "%s%s holds a secret and others can read it: chmod 600 %s",
			what, path, path);
		return false;
	}
	if (!out->len || memchr(out->ptr, '\0', out->len)) {
		mistake_at(
			r, node, AT_VALUE, out->len ? "%s%s holds a NUL byte" : "%s%s is empty", what, path);
		return false;
	}
	out->ptr[out->len] = '\0';
	return true;
}

static bool from_file(
	struct reading *r, const cJSON *node, const char *name, struct text *out, const char *what)
{
	char *path = file_join(r->dir, name);
	bool good = read_secret_file(r, node, path, out, what);

	free(path);
	return good;
}

static bool from_environment(
	struct reading *r, const cJSON *node, const char *name, struct text *out, const char *what)
{
	const char *value = getenv(name);

	reading_depends(r, node->valuestring);
	if (value && *value) {
		text_raw(out, value);
		return true;
	}
	mistake_at(r, node, AT_VALUE,
		"%sthe environment variable %s is not set (cron does not read your profile: set it in the "
		"crontab, "
		"or use \"file:\")",
		what, name);
	return false;
}

static const struct {
	const char *prefix;
	bool (*get)(
		struct reading *r, const cJSON *node, const char *name, struct text *out, const char *what);
} origins[] = {
	{"file:", from_file},
	{"env:", from_environment},
};

/* Does a value that stands in the file itself make the file a secret one? An address that is kept from
   pages and books alone does not, and of headers only those that authenticate do. */
static bool is_credential(const struct field *field, const cJSON *node)
{
	static const char *const hints[] = {"auth", "token", "key", "secret", "cookie", "password"};

	if (field->type != FIELD_MAP)
		return field->type != FIELD_URL;
	for (size_t i = 0; node->string && i < COUNT_OF(hints); i++)
		if (strcasestr(node->string, hints[i]))
			return true;
	return false;
}

static bool resolve_string(struct reading *r, const struct field *field, cJSON *node, const char *what)
{
	struct place *place = place_of(r, node);

	if (!place || place->resolved)
		return !place || !place->failed;
	for (size_t i = 0; i < COUNT_OF(origins); i++) {
		size_t n = strlen(origins[i].prefix);
		struct text value = TEXT_INIT;

		if (strncmp(node->valuestring, origins[i].prefix, n) != 0)
			continue;
		place->resolved = true; /* what comes from a file may itself begin with "file:" */
		place->failed = !origins[i].get(r, node, node->valuestring + n, &value, what);
		if (!place->failed)
			cJSON_SetValuestring(node, text_str(&value));
		if (value.len)
			sign_wipe(value.ptr, value.len);
		text_free(&value);
		return !place->failed;
	}
	if (!r->sources[place->source].secret && is_credential(field, node))
		r->sources[place->source].secret = node;
	return true;
}

bool secret_resolve(struct reading *r, const struct field *field, cJSON *value, const char *what)
{
	bool good = true;
	cJSON *child;

	if (cJSON_IsString(value))
		return resolve_string(r, field, value, what);
	cJSON_ArrayForEach(child, value)
		good = secret_resolve(r, field, child, what) && good;
	return good;
}

void secret_check_sources(struct reading *r)
{
	for (size_t i = 0; i < r->source_count; i++) {
		const struct source *source = &r->sources[i];

		if (source->secret && others_read(&source->stat))
			mistake_at(r, source->secret, AT_VALUE,
				"this is a secret, and others can read this file: chmod 600 %s", source->path);
		if (source->tree && (source->stat.st_mode & S_IWOTH))
			warning_at(r, source->tree, AT_VALUE, "everybody can change this file: chmod o-w %s",
				source->path);
	}
}
