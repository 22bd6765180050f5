/* SPDX-License-Identifier: ISC */
/*
 * publish: from upbeat.json into the state, at the start of a pass.
 *
 * Whether anything changed is asked of the file system only: the state keeps a note of every file that the
 * newest reading depended on, as stat() showed it then. A reading that was made while a file was changing may
 * have missed the change within the clock's grain, so such a note is not trusted (as git does).
 *
 * The order makes a crash harmless: the secrets file is written under a new name, then one transaction names
 * it and publishes, then older ones go.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/version.h"
#include "prober/config/reading.h"
#include "prober/notify/outbox.h"
#include "prober/privates.h"

#define NOTE "config.seen"
#define GRAIN_US (2 * US_PER_S) /* file times may be this coarse */

/* ---- the note: what the newest reading depended on */

/* The first line of the note; the files follow, one a line. */
struct seen {
	bool ok;
	int64_t read_us;
	uint32_t problems; /* checksum of them: a change is told once */
	unsigned programs; /* of the published configuration */
	const char *files;
};

static bool near(const struct timespec *time, int64_t read_us)
{
	int64_t us = time->tv_sec * US_PER_S + time->tv_nsec / 1000;

	return us > read_us - GRAIN_US && us < read_us + GRAIN_US;
}

/* "how it looks path"; *fresh when it changed so close to the reading that the reading may have missed it. */
static void put_file(struct text *out, const char *path, int64_t read_us, bool *fresh)
{
	struct stat s;

	if (strncmp(path, "env:", 4) == 0) {
		const char *value = getenv(path + 4);

		text_printf(out, "%08" PRIx32, value ? pack_crc32c(0, value, strlen(value)) : 0);
	} else if (stat(path, &s) != 0) {
		text_char(out, '-');
	} else {
		text_printf(out, "%jx.%jx.%jx.%jx.%lx.%jx.%lx.%x", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino,
			(uintmax_t)s.st_size, (uintmax_t)s.st_mtim.tv_sec, s.st_mtim.tv_nsec,
			(uintmax_t)s.st_ctim.tv_sec, s.st_ctim.tv_nsec, (unsigned)s.st_mode);
		if (near(&s.st_mtim, read_us) || near(&s.st_ctim, read_us))
			*fresh = true;
	}
	text_printf(out, " %s\n", path);
}

static char *note_write(const struct config *config, int64_t read_us, uint32_t problems, unsigned programs)
{
	struct text out = TEXT_INIT;
	bool fresh = false;

	text_printf(&out, UPBEAT_VERSION " %d %" PRId64 " %" PRIx32 " p%x\n", config->usable, read_us, problems,
		programs);
	for (size_t i = 0; i < config->file_count; i++)
		put_file(&out, config->files[i], read_us, &fresh);
	return text_take(&out);
}

static bool note_head(const char *note, struct seen *seen)
{
	char version[32];
	const char *newline = note ? strchr(note, '\n') : NULL;
	int ok;

	if (!newline || sscanf(note, "%31s %d %" SCNd64 " %" SCNx32 " p%x", version, &ok, &seen->read_us,
				&seen->problems, &seen->programs) != 5)
		return false;
	seen->ok = ok != 0;
	seen->files = newline + 1;
	return strcmp(version, UPBEAT_VERSION) == 0;
}

/* Do all files still look as they did? The first of them must be the one we were given. */
static bool files_unchanged(const struct seen *seen, const char *path)
{
	struct text now = TEXT_INIT;
	const char *line = seen->files, *end;
	bool fresh = false, first = true;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		const char *blank = memchr(line, ' ', (size_t)(end - line));
		char *name = mem_strn(blank ? blank + 1 : line, (size_t)(end - (blank ? blank + 1 : line)));
		bool same = !first || strcmp(name, path) == 0;

		if (same)
			put_file(&now, name, seen->read_us, &fresh);
		free(name);
		if (!same)
			break;
		first = false;
	}
	fresh = fresh || first || strcmp(text_str(&now), seen->files) != 0;
	text_free(&now);
	return !fresh;
}

/* ---- publishing */

static uint32_t problems_checksum(const struct config *config)
{
	struct text text = TEXT_INIT;
	uint32_t crc;

	config_print_problems(config, &text);
	crc = pack_crc32c(0, text_str(&text), text.len);
	text_free(&text);
	return crc;
}

static void print_errors(const struct config *config)
{
	struct text text = TEXT_INIT;

	for (size_t i = 0; i < config->problem_count; i++)
		if (!config->problems[i].warning)
			problem_print(&config->problems[i], &text);
	fputs(text_str(&text), stderr);
	text_free(&text);
}

/* Tells those whom the configuration in force knows that the file is broken, or good again. */
static bool tell_people(
	struct state_txn *txn, const struct config *config, uint32_t checksum, struct error *err)
{
	struct text title = TEXT_INIT, body = TEXT_INIT, key = TEXT_INIT;
	struct site site = {0};
	size_t told = 0;
	bool good = true;

	if (!state_site(txn, &site, NULL)) /* none was ever good: nobody to tell but who reads stderr */
		return true;
	words_put(&title, text_raw, site.language,
		config->usable ? WORD_MSG_CONFIG_MENDED : WORD_MSG_CONFIG_BROKEN,
		(const char *const[]){site.title}, 1);
	if (!config->usable)
		text_printf(&body, "%s\n", word(site.language, WORD_MSG_CONFIG_BROKEN_BODY));
	for (size_t i = 0; i < config->problem_count && told < 10; i++)
		if (!config->problems[i].warning) {
			problem_print(&config->problems[i], &body);
			told++;
		}
	text_printf(&key, "config-%08" PRIx32 "-%" PRId64, checksum, clock_wall_us() / US_PER_S);
	good = outbox_tell_all(txn, EVENT_DIGEST, text_str(&key), text_str(&title), text_str(&body), NULL, 0,
		clock_wall_us(), err);
	site_clear(&site);
	text_free(&title);
	text_free(&body);
	text_free(&key);
	return good;
}

/* What is to be written after a reading. */
struct change {
	bool publish; /* another configuration than the published one, and a good one */
	bool tell;    /* the mistakes are others than last time */
	bool mended;  /* it was broken last time */
	uint32_t checksum;
	char *note;
};

static bool write_change(
	struct state *state, struct config *config, const struct change *change, struct error *err)
{
	struct state_txn *txn = state_begin(state, true, err);
	bool good = txn != NULL;

	if (good && change->publish)
		good = state_publish(txn, &config->publication, err);
	if (good && change->tell)
		good = state_problems_put(txn, config->problems, config->problem_count, err);
	if (good && change->tell && (!config->usable || change->mended))
		good = tell_people(txn, config, change->checksum, err);
	if (good)
		good = state_note_put(txn, NOTE, change->note, err);
	if (!good) {
		state_end(txn);
		return false;
	}
	return state_commit(txn, err);
}

/* The published fingerprint, or NULL when there is none or its secrets file is gone. */
static char *published_fingerprint(struct state *state, const char *store)
{
	struct state_txn *txn = state_begin(state, false, NULL);
	char *fingerprint = NULL;

	if (txn && !state_fingerprint(txn, &fingerprint, NULL))
		fingerprint = NULL;
	state_end(txn);
	if (!fingerprint)
		return NULL;
	if (!privates_there(store, fingerprint)) {
		free(fingerprint);
		fingerprint = NULL;
	}
	return fingerprint;
}

/* A broken file leaves the earlier configuration in force, and we know what that needs only from the note. */
static bool read_and_publish(struct state *state, const char *path, const char *store,
	const struct seen *seen, struct config_news *news, struct error *err)
{
	struct change change = {0};
	struct config config;
	int64_t read_us = clock_wall_us();
	char *published = published_fingerprint(state, store);
	bool good = true;

	config_read(&config, path);
	news->ok = config.usable;
	news->programs = config.usable ? config_programs(&config)
			 : seen        ? seen->programs
				       : PROGRAM_PING | PROGRAM_SENDMAIL;
	change.checksum = problems_checksum(&config);
	change.tell = !seen || change.checksum != seen->problems;
	change.mended = seen && !seen->ok && config.usable;
	change.publish =
		config.usable && (!published || strcmp(published, config.publication.fingerprint) != 0);
	change.note = note_write(&config, read_us, change.checksum, news->programs);
	if (change.publish)
		good = privates_write(config.privates, store, config.publication.fingerprint, err);
	good = good && write_change(state, &config, &change, err);
	if (good && change.publish) {
		privates_tidy(store, config.publication.fingerprint);
		log_info("configuration published: %zu monitors", config.publication.monitor_count);
	}
	if (change.tell)
		print_errors(&config);
	news->changed = good && change.publish;
	free(change.note);
	free(published);
	config_free(&config);
	return good;
}

bool config_refresh(
	struct state *state, const char *path, const char *store, struct config_news *news, struct error *err)
{
	struct state_txn *txn = state_begin(state, false, err);
	struct seen seen;
	char *note = NULL, *published;
	bool known, good = true;

	if (!txn)
		return false;
	if (!state_note_get(txn, NOTE, &note, NULL))
		note = NULL;
	state_end(txn);
	known = note_head(note, &seen);
	published = known ? published_fingerprint(state, store) : NULL;
	*news = (struct config_news){.ok = known && seen.ok, .programs = known ? seen.programs : 0};
	if (!known || (seen.ok && !published) || !files_unchanged(&seen, path))
		good = read_and_publish(state, path, store, known ? &seen : NULL, news, err);
	free(published);
	free(note);
	return good;
}
