/* SPDX-License-Identifier: ISC */
/*
 * doctor_verify: everything that is stored, read and checked (store/audit.h), in a child: whatever a damaged
 * file does to its reader, the finding is said. Nothing is changed; a copy can be verified as well.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "prober/commands/doctor.h"
#include "prober/pass/ward.h"

static void say_bad(void *arg, const char *what)
{
	doctor_say(arg, FOUND_BAD, "verify: %s", what);
}

static void say_counts(struct doctor *d, enum ward_book book, const struct audit *a)
{
	if (book == WARD_INBOX)
		doctor_say(d, FOUND_GOOD,
			"verify: inbox: %" PRIu64 " records hold: %" PRIu64 " heartbeats, %" PRIu64 " entries waiting",
			a->records, a->beats, a->queued);
	else
		doctor_say(d, FOUND_GOOD,
			"verify: state: %" PRIu64 " records hold: %" PRIu64 " monitors, %" PRIu64
			" incidents (%" PRIu64 " open), %" PRIu64 " notices (%" PRIu64 " waiting), %" PRIu64
			" hours and days",
			a->records, a->monitors, a->incidents, a->open, a->notices, a->waiting, a->rollups);
}

static bool is_there(const char *dir, const char *book)
{
	char *path = file_join(dir, book);
	struct stat st;
	bool there = stat(path, &st) == 0;

	free(path);
	return there;
}

static void verify_book(struct doctor *d, const char *dir, enum ward_book book, const char *name)
{
	struct audit audit = {.say = say_bad, .arg = d};
	size_t bad = d->bad;
	struct error err;

	switch (ward_examine(dir, book, WARD_WHOLE, &audit, &err)) {
	case WARD_GOOD:
		say_counts(d, book, &audit);
		break;
	case WARD_BROKEN:
	case WARD_TORN:
	case WARD_DAMAGED:
		if (d->bad == bad) /* it ended before it could say what */
			doctor_say(d, FOUND_BAD, "verify: %s", err.text);
		if (audit.damaged + audit.broken > d->bad - bad)
			doctor_say(d, FOUND_BAD, "verify: %s: and so on: %" PRIu64 " in all", name,
				audit.damaged + audit.broken);
		break;
	case WARD_UNKNOWN:
		if (d->bad == bad)
			doctor_say(d, FOUND_BAD, "verify: %s: %s", name, err.text);
		break;
	}
}

void doctor_verify(struct doctor *d, const char *dir)
{
	bool state = is_there(dir, "state"), inbox = is_there(dir, "inbox");

	if (!state && !inbox)
		doctor_say(d, FOUND_BAD, "verify: %s has neither state nor inbox", dir);
	if (state)
		verify_book(d, dir, WARD_STATE, "state");
	if (inbox)
		verify_book(d, dir, WARD_INBOX, "inbox");
}
