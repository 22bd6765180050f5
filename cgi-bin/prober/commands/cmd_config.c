/* SPDX-License-Identifier: ISC */
/*
 * cmd_config: is upbeat.json right? Prints every mistake as FILE:LINE:COL: message. Stores nothing.
 */
#include <stdio.h>

#include "prober/commands/commands.h"
#include "prober/config/config.h"

static int print_text(struct text *text)
{
	fputs(text_str(text), stdout);
	text_free(text);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_TEMPORARY;
}

static int check_file(const char *path)
{
	struct text out = TEXT_INIT;
	struct config config;
	size_t monitors, channels;
	int status;

	config_read(&config, path);
	status = config.usable ? EXIT_DONE : EXIT_WRONG;
	config_print_problems(&config, &out);
	monitors = config.publication.monitor_count;
	channels = config.publication.site.channel_count;
	if (config.usable)
		text_printf(&out, "%s is good: %zu monitor%s, %zu channel%s, store %s\n", path, monitors,
			monitors == 1 ? "" : "s", channels, channels == 1 ? "" : "s", config.store);
	config_free(&config);
	return print_text(&out) == EXIT_DONE ? status : EXIT_TEMPORARY;
}

int cmd_config(struct command *command)
{
	bool schema = command_flag(command, "--schema"), man = command_flag(command, "--man");
	struct text out = TEXT_INIT;

	if (!command_args(command, 0, 0))
		return EXIT_USAGE;
	if (!schema && !man)
		return check_file(command->config);
	if (schema)
		config_print_schema(&out);
	else
		config_print_man(&out);
	return print_text(&out);
}
