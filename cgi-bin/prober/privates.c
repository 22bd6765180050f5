/* SPDX-License-Identifier: ISC */
/* privates: see privates.h. */
#include "prober/privates.h"

#include <dirent.h>
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

bool privates_there(const char *store, const char *fingerprint)
{
	char *path = private_path(store, fingerprint);
	bool there = access(path, R_OK) == 0;

	free(path);
	return there;
}

void privates_tidy(const char *store, const char *fingerprint)
{
	char *dir_path = private_dir(store), *keep = private_path(store, fingerprint);
	DIR *dir = opendir(dir_path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = file_join(dir_path, entry->d_name);

		if (entry->d_name[0] != '.' && strcmp(path, keep) != 0)
			unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(keep);
	free(dir_path);
}

bool privates_read(struct state *state, const char *store, struct privates *out, struct error *err)
{
	struct state_txn *txn = state_begin(state, false, err);
	struct text text = TEXT_INIT;
	char *fingerprint = NULL, *path;
	bool good = txn && state_fingerprint(txn, &fingerprint, err);

	out->json = NULL;
	state_end(txn);
	if (!good)
		return false;
	path = private_path(store, fingerprint);
	good = file_read(path, PRIVATE_BYTES_MAX, &text, err);
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
