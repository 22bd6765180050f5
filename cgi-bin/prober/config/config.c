/* SPDX-License-Identifier: ISC */
/*
 * config: the story of reading upbeat.json. Each step is told in its own file (config_reading.h lists them);
 * none of them stops at the first mistake, and nothing is built from a file that has one.
 */
#include "prober/config/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/version.h"
#include "prober/config/reading.h"
#include "prober/place.h"

#define HEAD_BYTES 4096
#define CONFIG_DEFAULT "/etc/upbeat/upbeat.json"
#define CONFIG_PORTABLE "upbeat.json"

/* The portable folder's, or the system's. */
static char *default_path(void)
{
	char *portable = place_portable(), *path;

	path = portable ? file_join(portable, CONFIG_PORTABLE) : mem_str(CONFIG_DEFAULT);
	free(portable);
	return path;
}

char *config_path(const char *given)
{
	const char *path = given ? given : getenv("UPBEAT_CONFIG");
	char *cwd, *joined;

	if (!path || !*path)
		return default_path();
	if (path[0] == '/')
		return mem_str(path);
	cwd = getcwd(NULL, 0);
	joined = file_join(cwd ? cwd : "/", path);
	free(cwd);
	return joined;
}

/* ---- where the store is */

/* Looks through the top of a file for "store" and no further; what is broken behind it does not matter. */
static char *scan_store(const struct text *text)
{
	struct text value = TEXT_INIT;
	struct json_scan scan;
	bool found = false;

	json_scan_init(&scan, text_str(text), text->len, JSON_COMMENTS | JSON_DOUBLES, JSON_MAX_DEPTH);
	if (json_scan_next(&scan) == JSON_OBJECT) {
		while (!found && json_scan_next(&scan) == JSON_KEY) {
			found = json_scan_is(&scan, "store");
			if (found && json_scan_next(&scan) == JSON_STRING)
				json_scan_string(&scan, &value);
			else if (found || !json_scan_skip(&scan))
				break;
		}
	}
	json_scan_free(&scan);
	if (value.len && !memchr(value.ptr, '\0', value.len))
		return text_take(&value);
	text_free(&value);
	return NULL;
}

/* A path from the file, or where it names none: the environment's, the default. The caller frees. */
static char *store_or_default(const char *path, char *named)
{
	const char *environment = getenv("UPBEAT_STORE");
	char *dir, *store;

	if (!named)
		return mem_str(environment && *environment ? environment : STORE_DEFAULT);
	dir = file_dir(path);
	store = file_join(dir, named);
	free(dir);
	free(named);
	return store;
}

/* From the beginning of a file: "store" mostly stands there, and a pass with nothing due should not have to
   read the 10,000 monitors behind it. NULL: not there, or not whole. */
static char *scan_head(const char *path)
{
	char head[HEAD_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
	char *named = NULL;

	if (n > 0)
		named = scan_store(&(const struct text){head, (size_t)n, 0});
	if (fd >= 0)
		close(fd);
	return named;
}

char *config_store(const char *path)
{
	struct text text = TEXT_INIT;
	char *named = scan_head(path);

	if (!named && file_read(path, SOURCE_BYTES_MAX, &text, NULL))
		named = scan_store(&text);
	text_free(&text);
	return store_or_default(path, named);
}

/* ---- the story */

/* Over everything that went into it: bytes of all files, resolved secrets, and the program that read it (a
   newer one may publish more). */
static char *fingerprint(const struct reading *r)
{
	struct text all = TEXT_INIT, hex = TEXT_INIT;
	char *privates = cJSON_PrintUnformatted(r->config->privates);
	uint8_t hash[SHA256_BYTES];

	text_raw(&all, UPBEAT_VERSION "\n");
	for (size_t i = 0; i < r->source_count; i++) {
		text_printf(&all, "%s %zu\n", r->sources[i].path, r->sources[i].text.len);
		text_rawn(&all, text_str(&r->sources[i].text), r->sources[i].text.len);
	}
	text_raw(&all, privates ? privates : "");
	for (size_t i = 0; i < r->config->publication.monitor_count; i++) {
		const struct heartbeat_rules *rules = r->config->publication.monitors[i].heartbeat;

		for (size_t j = 0; rules && j < rules->secret_count; j++)
			text_rawn(&all, rules->secrets[j], strlen(rules->secrets[j]) + 1);
		text_raw(&all, rules && rules->token ? rules->token : "");
	}
	sign_sha256(all.ptr, all.len, hash);
	sign_hex(&hex, hash, sizeof(hash) / 2);
	sign_wipe(all.ptr, all.len);
	text_free(&all);
	if (privates)
		sign_wipe(privates, strlen(privates));
	cJSON_free(privates);
	return text_take(&hex);
}

void reading_end(struct reading *r)
{
	for (size_t i = 0; i < r->source_count; i++) {
		struct source *source = &r->sources[i];

		if (source->text.len)
			sign_wipe(source->text.ptr, source->text.len);
		text_free(&source->text);
		cJSON_Delete(source->tree);
		free(source->path);
	}
	free(r->sources);
	free(r->places);
	free(r->channels);
	free(r->dir);
}

static void check_everything(struct reading *r)
{
	r->root = r->sources[0].tree;
	include_merge(r);
	site_check(r);
	peers_check(r);
	monitors_check(r);
	secret_check_sources(r);
	if (r->error_count)
		return;
	site_build(r);
	r->config->publication.fingerprint = fingerprint(r);
	r->config->usable = true;
}

void config_read(struct config *config, const char *path)
{
	struct reading reading = {.config = config};

	memset(config, 0, sizeof(*config));
	config->path = mem_str(path);
	config->privates = cJSON_CreateObject();
	reading.dir = file_dir(path);
	if (source_read(&reading, path, NULL) == 0)
		check_everything(&reading);
	config->store = store_or_default(path, scan_store(&reading.sources[0].text));
	problems_finish(&reading);
	reading_end(&reading);
}

bool reading_files(struct reading *r, const char *path)
{
	r->dir = file_dir(path);
	if (source_read(r, path, NULL) != 0)
		return false;
	r->root = r->sources[0].tree;
	include_merge(r);
	return r->error_count == 0;
}

bool config_print_shown(const char *path, struct text *out)
{
	struct config config = {.path = NULL};
	struct reading reading = {.config = &config};
	bool good = reading_files(&reading, path);

	problems_finish(&reading);
	if (good)
		reading_print_shown(&reading, out);
	else
		config_print_problems(&config, out);
	reading_end(&reading);
	config_free(&config);
	return good;
}

static void publication_clear(struct publication *publication)
{
	for (size_t i = 0; i < publication->monitor_count; i++)
		monitor_clear(&publication->monitors[i]);
	free(publication->monitors);
	free(publication->fingerprint);
	site_clear(&publication->site);
}

void config_free(struct config *config)
{
	publication_clear(&config->publication);
	cJSON_Delete(config->privates);
	for (size_t i = 0; i < config->problem_count; i++)
		problem_clear(&config->problems[i]);
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	free(config->problems);
	free(config->files);
	free(config->store);
	free(config->path);
	memset(config, 0, sizeof(*config));
}
