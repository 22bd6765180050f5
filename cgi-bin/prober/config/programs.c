/* SPDX-License-Identifier: ISC */
/*
 * programs: which programs of the system this configuration needs, and the launcher that may start them.
 *
 * What may be executed is what stands in the configuration's own files, read again for this. The copy in the
 * store is no authority for it: whoever breaks into a pass may write there, and would have the next one start
 * what he likes. Only while the file cannot be understood at all is the copy asked, and then only for the
 * places where every system has its sendmail: somebody should hear of the mistake.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/check/ping.h"
#include "prober/config/reading.h"
#include "prober/launch.h"
#include "prober/notify/mail.h"
#include "prober/privates.h"

static const char *const sendmail_places[] = {"/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail"};

static bool is_usual(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(sendmail_places); i++)
		if (strcmp(sendmail_places[i], path) == 0)
			return true;
	return false;
}

/* ---- which */

unsigned config_programs(const struct config *config)
{
	const cJSON *channels = cJSON_GetObjectItemCaseSensitive(config->privates, "channels"), *channel;
	unsigned programs = 0;

	for (size_t i = 0; i < config->publication.monitor_count; i++)
		if (strcmp(config->publication.monitors[i].type, "ping") == 0)
			programs |= PROGRAM_PING;
	cJSON_ArrayForEach(channel, channels)
		if (cJSON_GetObjectItemCaseSensitive(channel, "sendmail"))
			programs |= PROGRAM_SENDMAIL;
	return programs;
}

unsigned config_programs_here(unsigned programs)
{
	if ((programs & PROGRAM_PING) && !ping_needs_program())
		programs &= ~(unsigned)PROGRAM_PING;
	return programs;
}

static void add_sendmails(struct launch_table *table, const cJSON *channels, bool usual_only)
{
	const cJSON *channel;

	cJSON_ArrayForEach(channel, channels) {
		const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(channel, "sendmail"));
		const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(channel, "from"));

		if (path != NULL && from != NULL && (!usual_only || is_usual(path)))
			mail_sendmail_program(table, path, from);
	}
}

/* From the files as they stand, whatever mistakes there are elsewhere. false: they cannot be understood. */
static bool sendmails_of_files(struct launch_table *table, const char *path)
{
	struct config config = {.path = NULL};
	struct reading reading = {.config = &config};
	bool good = reading_files(&reading, path);

	add_sendmails(table, cJSON_GetObjectItemCaseSensitive(reading.root, "channels"), false);
	reading_end(&reading);
	config_free(&config);
	return good;
}

static void sendmails_of_store(struct launch_table *table, struct state *state, const char *store)
{
	struct privates privates = {NULL};

	if (state != NULL && privates_read(state, store, &privates, NULL))
		add_sendmails(table, cJSON_GetObjectItemCaseSensitive(privates.json, "channels"), true);
	privates_free(&privates);
}

/* ---- the launcher */

void config_launch(const char *path, unsigned programs, struct state *state, const char *store)
{
	struct launch_table table = {NULL, 0};
	struct error err;

	programs = config_programs_here(programs);
	if ((programs & PROGRAM_SENDMAIL) && !sendmails_of_files(&table, path))
		sendmails_of_store(&table, state, store);
	if (programs & PROGRAM_PING)
		ping_programs(&table);
	if (table.n > 0 && !launch_start(&table, &err))
		log_warn("%s", err.text);
	launch_table_free(&table);
}
