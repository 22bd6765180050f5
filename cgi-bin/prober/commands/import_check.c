/* SPDX-License-Identifier: ISC */
/*
 * import_check: what is printed must be a good configuration, whatever the other service allowed. Each
 * channel and each monitor is read as upbeat.json would be; what is refused is taken out, as little as
 * possible, and told with the reason.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "prober/commands/import.h"
#include "prober/config/config.h"

/* How many errors a configuration of these has; the first is told in *why. */
static size_t errors_of(int fd, const cJSON *channels, const cJSON *monitors, struct text *why)
{
	cJSON *all = cJSON_CreateObject();
	struct text path = TEXT_INIT;
	struct config config;
	size_t count = 1, n;
	char *printed;

	cJSON_AddStringToObject(all, "store", "/var/lib/upbeat");
	cJSON_AddItemReferenceToObject(all, "channels", (cJSON *)(uintptr_t)channels);
	cJSON_AddItemReferenceToObject(all, "monitors", (cJSON *)(uintptr_t)monitors);
	printed = cJSON_PrintUnformatted(all);
	n = printed ? strlen(printed) : 0;
	text_clear(why);
	text_printf(&path, "/proc/self/fd/%d", fd);
	if (n && ftruncate(fd, 0) == 0 && pwrite(fd, printed, n, 0) == (ssize_t)n) {
		config_read(&config, text_str(&path));
		count = config.error_count;
		for (size_t i = 0; i < config.problem_count && !why->len; i++)
			if (!config.problems[i].warning)
				text_raw(why, config.problems[i].text);
		config_free(&config);
	}
	cJSON_free(printed);
	cJSON_Delete(all);
	text_free(&path);
	return count;
}

/* An object that holds nothing but one member of another, and shares it. */
static cJSON *only(const cJSON *item)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddItemReferenceToObject(object, item->string, (cJSON *)(uintptr_t)item);
	return object;
}

/* ---- channels */

static void forget_channel(const struct import *import, const char *name)
{
	cJSON *monitor, *entry, *next, *notify;

	cJSON_ArrayForEach(monitor, import->monitors) {
		notify = cJSON_GetObjectItemCaseSensitive(monitor, "notify");
		for (entry = notify ? notify->child : NULL; entry; entry = next) {
			const cJSON *channel = cJSON_GetObjectItemCaseSensitive(entry, "channel");
			const char *called = cJSON_GetStringValue(channel ? channel : entry);

			next = entry->next;
			if (called && strcmp(called, name) == 0)
				cJSON_Delete(cJSON_DetachItemViaPointer(notify, entry));
		}
		if (notify && !notify->child)
			cJSON_DeleteItemFromObjectCaseSensitive(monitor, "notify");
	}
}

static void check_channel(struct import *import, int fd, cJSON *channel)
{
	cJSON *alone = only(channel), *none = cJSON_CreateObject();
	struct text why = TEXT_INIT;

	if (errors_of(fd, alone, none, &why)) {
		import_lost(import, "%s; it is not carried over", text_str(&why));
		forget_channel(import, channel->string);
		cJSON_Delete(cJSON_DetachItemViaPointer(import->channels, channel));
	}
	cJSON_Delete(alone);
	cJSON_Delete(none);
	text_free(&why);
}

/* ---- monitors */

static bool names(const struct text *why, const char *key)
{
	struct text quoted = TEXT_INIT;
	bool named;

	text_printf(&quoted, "\"%s\"", key);
	named = strstr(text_str(why), text_str(&quoted)) != NULL;
	text_free(&quoted);
	return named;
}

/* How many errors there are without one of its members. */
static size_t errors_without(
	const struct import *import, int fd, const cJSON *monitor, const char *key, struct text *why)
{
	cJSON *monitors = cJSON_CreateObject(), *copy = cJSON_Duplicate(monitor, true);
	size_t errors;

	cJSON_DeleteItemFromObjectCaseSensitive(copy, key);
	cJSON_AddItemToObject(monitors, monitor->string, copy);
	errors = errors_of(fd, import->channels, monitors, why);
	cJSON_Delete(monitors);
	return errors;
}

/* The member that the error is about: one that it names, and without which there are fewer errors or another
   one (some stand behind others); else any without which there are fewer. NULL: there is none such. */
static cJSON *culprit(
	const struct import *import, int fd, const cJSON *monitor, size_t errors, const struct text *why)
{
	struct text rest = TEXT_INIT;
	cJSON *member, *named = NULL, *other = NULL;

	cJSON_ArrayForEach(member, monitor) {
		size_t left = errors_without(import, fd, monitor, member->string, &rest);
		bool is_named = names(why, member->string);

		if (!named && is_named && left <= errors && !names(&rest, member->string))
			named = member;
		if (!other && !is_named && left < errors)
			other = member;
	}
	text_free(&rest);
	return named ? named : other;
}

/* Takes it out. false: there is nothing to be taken out. */
static bool mend(struct import *import, int fd, cJSON *monitor, size_t errors, const struct text *why)
{
	cJSON *member = culprit(import, fd, monitor, errors, why);
	char *shown;

	if (!member)
		return false;
	shown = import_shown(member);
	import_lost(import, "%s (%s was %s)", text_str(why), member->string, shown);
	free(shown);
	cJSON_Delete(cJSON_DetachItemViaPointer(monitor, member));
	return true;
}

static void check_monitor(struct import *import, int fd, cJSON *monitor)
{
	struct text why = TEXT_INIT;
	bool hopeless = false;
	size_t errors;

	do {
		cJSON *alone = only(monitor);

		errors = errors_of(fd, import->channels, alone, &why);
		cJSON_Delete(alone);
		hopeless = errors && !mend(import, fd, monitor, errors, &why);
	} while (errors && !hopeless);
	if (hopeless) {
		import_lost(import, "%s; it is not carried over", text_str(&why));
		cJSON_Delete(cJSON_DetachItemViaPointer(import->monitors, monitor));
	}
	text_free(&why);
}

void import_check(struct import *import)
{
	int fd = memfd_create("import", MFD_CLOEXEC);
	cJSON *item, *next;

	if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0) {
		import_lost(import, "it could not be checked: upbeat-prober config will");
		return;
	}
	for (item = import->channels->child; item; item = next) {
		next = item->next;
		check_channel(import, fd, item);
	}
	for (item = import->monitors->child; item; item = next) {
		next = item->next;
		check_monitor(import, fd, item);
	}
	close(fd);
}
