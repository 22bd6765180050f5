/* SPDX-License-Identifier: ISC */
/*
 * commands: the subcommands of upbeat-prober. main.c holds the one table {name, args, help, function}; each
 * function stands in a file of its own room and returns the exit status:
 *
 *	EXIT_DONE        done
 *	EXIT_WRONG       something is wrong with what it was given
 *	EXIT_USAGE       the command line is wrong
 *	EXIT_TEMPORARY   the store or the network cannot be used now
 *
 * A function takes its options out of the arguments first, then asks for the rest:
 *
 *	bool json = command_flag(command, "--json");
 *	if (!command_args(command, 0, 1))
 *		return EXIT_USAGE;
 *	char *store = config_store(command->config);
 */
#ifndef PROBER_COMMANDS_H
#define PROBER_COMMANDS_H

#include <stdbool.h>

#include "base/error.h"
#include "prober/exit.h"

struct command {
	const char *name;   /* of the subcommand */
	const char *args;   /* its usage, as in the table */
	const char *config; /* path of the configuration file; absolute */
	char **argv;        /* what follows the subcommand's name; NULL-terminated */
	int argc;
};

/* Takes "--name" out of the arguments; true when it was there. */
bool command_flag(struct command *command, const char *name);
/* Takes "--name VALUE" or "--name=VALUE" out of the arguments; NULL when it was not there. The value lives as
   long as argv. "--name" without a value stays, and command_args() then complains. */
const char *command_option(struct command *command, const char *name);
/* After the options: true when between min and max arguments remain (max -1: any number) and none looks like
   an option; otherwise prints the usage on stderr and the caller returns EXIT_USAGE. */
bool command_args(struct command *command, int min, int max);
/* Prints "upbeat-prober: text" on stderr and gives the exit status that belongs to the error. */
int command_fail(const struct error *err);
/* stdout is a terminal and NO_COLOR is not set. */
bool command_colour(void);

int cmd_run(struct command *command);    /* one pass */
int cmd_watch(struct command *command);  /* passes in the foreground */
int cmd_check(struct command *command);  /* check now, print, store nothing */
int cmd_notify(struct command *command); /* a test message */
int cmd_init(struct command *command);
int cmd_config(struct command *command);
int cmd_status(struct command *command);
int cmd_doctor(struct command *command);
int cmd_import(struct command *command);
int cmd_export(struct command *command);
int cmd_backup(struct command *command);

#endif
