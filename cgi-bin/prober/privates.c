/* SPDX-License-Identifier: ISC */
/* privates: see privates.h. */
#include "prober/privates.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sign.h"
#include "base/text.h"

#define PRIVATE_BYTES_MAX (64u << 20)

static char *private_dir(const char *store)
{
	return file_join(store, "private");
}

static char *private_path(const char *store, const char *fingerprint)
{
	struct text path = TEXT_INIT;

	text_printf(&path, "%s/private/%s.json", store, fingerprint);
	return text_take(&path);
}

bool privates_write(
	const cJSON *privates, const char *store, const char *fingerprint, struct error *err)
{
	char *dir = private_dir(store), *path = private_path(store, fingerprint);
	char *json = cJSON_PrintUnformatted(privates);
	bool good = file_make_dir(dir, 0700, err) && file_write_atomic(path, json, strlen(json), 0600, err);

	sign_wipe(json, strlen(json));
	cJSON_free(json);
	free(path);
	free(dir);
	return good;
}

/* Who shares the store may have put another file, or folder, in the place of ours. */
static int open_ours(const char *store, const char *path, struct error *err)
{
	int fd = file_open(path, err);

	if (fd >= 0 && !store_is_ours(store, fd, path, err)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool privates_there(const char *store, const char *fingerprint)
{
	char *path = private_path(store, fingerprint);
	int fd = open_ours(store, path, NULL);

	if (fd >= 0)
		close(fd);
	free(path);
	return fd >= 0;
}

void privates_tidy(const char *store, const char *fingerprint)
{
	char *path = private_dir(store), *keep = private_path(store, fingerprint);
	const char *keep_name = strrchr(keep, '/') + 1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, keep_name) != 0)
			unlinkat(fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	free(keep);
	free(path);
}

bool privates_read(struct state *state, const char *store, struct privates *out, struct error *err)
{
	struct state_txn *txn = state_begin(state, false, err);
	struct text text = TEXT_INIT;
	char *fingerprint = NULL, *path;
	int fd;
	bool good = txn && state_fingerprint(txn, &fingerprint, err);

	out->json = NULL;
	state_end(txn);
	if (!good)
		return false;
	path = private_path(store, fingerprint);
	fd = open_ours(store, path, err);
	good = fd >= 0 && file_read_open(fd, path, PRIVATE_BYTES_MAX, &text, err);
	if (fd >= 0)
		close(fd);
	if (good)
		out->json = cJSON_ParseWithLength(text_str(&text), text.len);
	if (good && !out->json)
		good = error_set(err, ERROR_DAMAGED, "%s cannot be understood", path);
	if (text.len)
		sign_wipe(text.ptr, text.len);
	text_free(&text);
	free(fingerprint);
	free(path);
	return good;
}

void privates_free(struct privates *privates)
{
	cJSON_Delete(privates->json);
	privates->json = NULL;
}
