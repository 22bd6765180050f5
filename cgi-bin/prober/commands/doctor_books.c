/* SPDX-License-Identifier: ISC */
/*
 * doctor_books: the two books, who may use them, what they will grow to, and whether passes come.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/fresh.h"
#include "model/words.h"
#include "model/sighting.h"
#include "prober/heard.h"
#include "prober/commands/doctor.h"
#include "store/copies.h"

/* What the store takes for each, measured; see state.h. */
#define SAMPLE_BYTES 4.0
#define TIMING_BYTES 10.0
#define HOUR_BYTES 45.0
#define DAY_BYTES 55.0
#define HOUR_MS 3600000.0
#define COPY_OLD_S (3 * 3600)

/* ---- permissions */

static void say_modes(struct doctor *d, const char *book, mode_t group_bits)
{
	char *dir = file_join(d->store, book), *data = file_join(dir, "data.mdb"),
	     *lock = file_join(dir, "lock.mdb");
	struct stat store, s, l;

	if (stat(d->store, &store) == 0 && stat(data, &s) == 0 && stat(lock, &l) == 0) {
		bool shared = store.st_mode & S_ISGID;

		if ((s.st_mode | l.st_mode) & S_IRWXO)
			doctor_say(d, FOUND_BAD, "%s: everybody may use it: chmod o-rwx %s/*", book, dir);
		if (shared && (s.st_mode & group_bits) != group_bits)
			doctor_say(d, FOUND_BAD,
				"%s: the group that shares the store may not use %s: chmod g+%s it", book,
				data, group_bits & S_IWGRP ? "rw" : "r");
		if (shared && (l.st_mode & (S_IRGRP | S_IWGRP)) != (S_IRGRP | S_IWGRP))
			doctor_say(d, FOUND_BAD, "%s: readers must register: chmod g+rw %s", book, lock);
	}
	free(dir);
	free(data);
	free(lock);
}

static void say_walls(struct doctor *d)
{
	char *inbox = file_join(d->store, "inbox"), *state = file_join(d->store, "state");
	struct stat i, s, store;

	if (stat(inbox, &i) == 0 && stat(state, &s) == 0 && stat(d->store, &store) == 0) {
		if (store.st_mode & S_ISGID)
			doctor_say(d, FOUND_GOOD,
				"users: the store is shared with group %u: the web server's user must be in "
				"it",
				(unsigned)store.st_gid);
		else
			doctor_say(d, FOUND_NOTE,
				"users: only user %u can use the store: upbeat.fcgi must run as that user, "
				"and there is no wall between the two programs",
				(unsigned)s.st_uid);
	}
	free(inbox);
	free(state);
}

/* ---- the books */

static void say_figures(struct doctor *d, const char *book, const struct store_figures *f)
{
	doctor_say(d, FOUND_GOOD, "%s: %" PRIu64 " of %" PRIu64 " MB used, %u readers%s", book,
		f->used_bytes >> 20, f->file_bytes >> 20, f->readers,
		f->stale_cleared ? ", stale ones cleared" : "");
}

static void examine_state(struct doctor *d)
{
	struct store_figures figures;
	struct error err;

	d->state = state_open(d->store, STORE_READ, &err);
	if (!d->state) {
		doctor_say(d, FOUND_BAD, "state: %s", err.text);
		return;
	}
	if (!state_is_ours(d->store, &err))
		doctor_say(d, FOUND_BAD, "state: %s", err.text);
	if (state_figures(d->state, &figures, &err))
		say_figures(d, "state", &figures);
}

static void examine_inbox(struct doctor *d)
{
	struct store_figures figures;
	struct error err;

	d->inbox = heard_open(d->store, &err);
	if (!d->inbox) {
		doctor_say(d, err.kind == ERROR_MISSING ? FOUND_NOTE : FOUND_BAD, "inbox: %s", err.text);
		return;
	}
	if (inbox_figures(d->inbox, &figures, &err))
		say_figures(d, "inbox", &figures);
}

static void say_copies(struct doctor *d)
{
	int64_t newest_s, age_s;
	size_t n = copies_count(d->store, &newest_s);

	age_s = clock_wall_us() / US_PER_S - newest_s;
	if (!n)
		doctor_say(d, FOUND_NOTE, "copies: none yet: the prober makes one of both books every hour");
	else
		doctor_say(d, age_s > COPY_OLD_S ? FOUND_NOTE : FOUND_GOOD,
			"copies: %zu of both books, the newest %" PRId64 " min old", n, age_s / 60);
}

void doctor_books(struct doctor *d)
{
	size_t bad = d->bad;

	if (access(d->store, F_OK) != 0)
		return;
	if (d->verify)
		doctor_verify(d, d->store);
	if (d->bad > bad)
		return; /* who opens a damaged book may end with it */
	examine_state(d);
	examine_inbox(d);
	say_copies(d);
	say_modes(d, "state", S_IRGRP);
	say_modes(d, "inbox", S_IRGRP | S_IWGRP);
	say_walls(d);
}

/* ---- third parties */

void doctor_strangers(struct doctor *d)
{
	struct state_txn *txn = d->state ? state_begin(d->state, false, NULL) : NULL;
	struct sighting *list = NULL;
	struct text words = TEXT_INIT;
	char *note = NULL;
	size_t n = 0;

	if (txn && state_note_get(txn, SIGHTINGS_STRANGE_NOTE, &note, NULL))
		sightings_decode(note, strlen(note), &list, &n, NULL);
	state_end(txn);
	for (size_t i = 0; i < n; i++) {
		text_clear(&words);
		calendar_put_iso(&words, list[i].heard_us / 1000000);
		text_raw(&words, ": ");
		sighting_strange(&words, &list[i]);
		doctor_say(d, FOUND_NOTE, "third parties: %s", text_str(&words));
	}
	sightings_free(list, n);
	text_free(&words);
	free(note);
}

/* ---- what it will take */

void doctor_sizes(struct doctor *d)
{
	const struct publication *p = &d->config.publication;
	double samples = 0, timings = 0, hours, total;
	struct statvfs v;

	if (!d->config.usable)
		return;
	for (size_t i = 0; i < p->monitor_count; i++) {
		samples += (double)p->site.retain_samples_s * 1000 / (double)p->monitors[i].interval_ms;
		timings += (double)p->site.retain_timings_s * 1000 / (double)p->monitors[i].interval_ms;
	}
	hours = (double)p->monitor_count * (double)p->site.retain_hours_s * 1000 / HOUR_MS;
	total = samples * SAMPLE_BYTES + timings * TIMING_BYTES + hours * HOUR_BYTES;
	doctor_say(d, FOUND_GOOD,
		"sizes: results will take about %.1f MB, hourly figures %.1f MB, daily ones %.1f MB a "
		"year",
		(samples * SAMPLE_BYTES + timings * TIMING_BYTES) / 1e6, hours * HOUR_BYTES / 1e6,
		(double)p->monitor_count * 365 * DAY_BYTES / 1e6);
	if (statvfs(d->store, &v) == 0 && total > (double)v.f_bavail * (double)v.f_frsize)
		doctor_say(d, FOUND_BAD, "sizes: that is more than the disk has free: shorten \"retention\"");
}

/* ---- passes */

static void say_cadence(struct doctor *d, const struct pass_info *pass)
{
	const struct publication *p = &d->config.publication;
	size_t faster = 0;

	for (size_t i = 0; i < p->monitor_count; i++)
		faster += p->monitors[i].interval_ms * US_PER_MS < pass->cadence_us - 30 * US_PER_S;
	if (pass->cadence_us > 90 * US_PER_S && faster)
		doctor_say(d, FOUND_NOTE,
			"passes: cron runs one every %" PRId64 " s, but %zu monitors should be checked "
			"more often",
			pass->cadence_us / US_PER_S, faster);
}

/* Cron looks for programs in two directories only, whatever our own shell does. */
static void say_cron_path(struct doctor *d)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	bool found = access("/usr/bin/upbeat-prober", X_OK) == 0 || access("/bin/upbeat-prober", X_OK) == 0;

	if (n <= 0)
		return;
	self[n] = '\0';
	if (found)
		doctor_say(d, FOUND_GOOD, "cron: upbeat-prober is in its PATH, /usr/bin:/bin");
	else
		doctor_say(d, FOUND_NOTE,
			"cron: its PATH is /usr/bin:/bin, where we are not: the crontab line needs all of %s", self);
}

void doctor_passes(struct doctor *d)
{
	struct state_txn *txn = d->state ? state_begin(d->state, false, NULL) : NULL;
	struct pass_info pass;
	struct text age = TEXT_INIT;
	struct moment now;
	int64_t age_us;

	if (!txn || !state_pass(txn, &pass, NULL)) {
		state_end(txn);
		return;
	}
	state_end(txn);
	clock_now(&now);
	age_us = fresh_age_us(&pass, &now);
	words_length(&age, LANGUAGE_EN, age_us < 0 ? 0 : age_us);
	if (age_us < 0)
		doctor_say(d, FOUND_NOTE,
			"passes: none yet: is the crontab line in place? (upbeat-prober init prints it)");
	else if (!fresh_enough(&pass, &now))
		doctor_say(d, FOUND_BAD,
			"passes: the newest is %s old: does cron still run the crontab line?",
			text_str(&age));
	else
		doctor_say(d, FOUND_GOOD, "passes: the newest is %s old, %" PRIu64 " since ever",
			text_str(&age), pass.passes);
	if (pass.blind_since_us)
		doctor_say(d, FOUND_BAD, "passes: the witnesses do not answer: we are offline");
	if (pass.web_failing)
		doctor_say(d, FOUND_BAD, "passes: our own web side does not answer");
	say_cadence(d, &pass);
	say_cron_path(d);
	text_free(&age);
}
