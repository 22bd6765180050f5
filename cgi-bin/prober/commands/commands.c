/* SPDX-License-Identifier: ISC */
/*
 * commands: what the subcommands share: taking options out of their arguments, failing in words.
 */
#include "prober/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void take(struct command *command, int at, int n)
{
	for (int i = at; i + n <= command->argc; i++)
		command->argv[i] = command->argv[i + n]; /* the final NULL too */
	command->argc -= n;
}

bool command_flag(struct command *command, const char *name)
{
	for (int i = 0; i < command->argc; i++)
		if (strcmp(command->argv[i], name) == 0) {
			take(command, i, 1);
			return true;
		}
	return false;
}

const char *command_option(struct command *command, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < command->argc; i++) {
		const char *arg = command->argv[i], *value;

		if (strncmp(arg, name, n) != 0)
			continue;
		if (arg[n] == '=') {
			take(command, i, 1);
			return arg + n + 1;
		}
		if (arg[n] == '\0' && i + 1 < command->argc) {
			value = command->argv[i + 1];
			take(command, i, 2);
			return value;
		}
	}
	return NULL;
}

bool command_args(struct command *command, int min, int max)
{
	bool good = command->argc >= min && (max < 0 || command->argc <= max);

	for (int i = 0; i < command->argc; i++)
		if (command->argv[i][0] == '-' && command->argv[i][1])
			good = false;
	if (!good)
		fprintf(stderr, "usage: upbeat-prober [-c FILE] %s%s%s\n", command->name,
			*command->args ? " " : "", command->args);
	return good;
}

int command_fail(const struct error *err)
{
	fprintf(stderr, "upbeat-prober: %s\n", err->text);
	return error_exit_status(err);
}

bool command_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}
