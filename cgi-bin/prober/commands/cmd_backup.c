/* SPDX-License-Identifier: ISC */
/*
 * cmd_backup: both books copied while everything runs, each as it stood at one moment, then read back whole.
 * Secrets of channels are in no book: the configuration's own files are to be backed up by whoever keeps them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "prober/heard.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "store/inbox.h"
#include "store/state.h"

/* The inbox may not be there yet; everything else that goes wrong does. */
static bool copy_inbox(const char *store, const char *dir, bool *there, struct error *err)
{
	struct inbox *inbox = heard_open(store, err);
	bool good = inbox && inbox_backup(inbox, dir, err);

	*there = inbox != NULL;
	if (!inbox && err->kind == ERROR_MISSING)
		good = true;
	heard_close(inbox);
	return good;
}

static bool copy_state(const char *store, const char *dir, struct error *err)
{
	struct state *state = state_open(store, STORE_READ, err);
	bool good = state && state_backup(state, dir, err);

	state_close(state);
	return good;
}

static bool verify(const char *dir, bool with_inbox, struct error *err)
{
	struct inbox *inbox = with_inbox ? heard_open(dir, err) : NULL;
	struct state *state = state_open(dir, STORE_READ, err);
	uint64_t heard = 0, concluded = 0;
	bool good = (inbox || !with_inbox) && state;

	good = good && (!inbox || inbox_verify(inbox, &heard, err)) && state_verify(state, &concluded, err);
	heard_close(inbox);
	state_close(state);
	if (good && isatty(STDOUT_FILENO))
		printf("%s: %" PRIu64 " records of the state, %" PRIu64
		       " of the inbox, all of them readable\n",
			dir, concluded, heard);
	return good;
}

static bool refuse_old(const char *dir, const char *book, struct error *err)
{
	char *path = file_join(dir, book);
	bool there = access(path, F_OK) == 0;

	if (there)
		error_set(err, ERROR_INPUT, "%s is there already: back up into a new directory", path);
	free(path);
	return !there;
}

int cmd_backup(struct command *command)
{
	struct error err = {0};
	const char *dir;
	char *store;
	bool there = false, good;

	if (!command_args(command, 1, 1))
		return EXIT_USAGE;
	dir = command->argv[0];
	store = config_store(command->config);
	good = refuse_old(dir, "inbox", &err) && refuse_old(dir, "state", &err) &&
	       copy_state(store, dir, &err) && copy_inbox(store, dir, &there, &err) &&
	       verify(dir, there, &err);
	free(store);
	return good ? EXIT_DONE : command_fail(&err);
}
