/* SPDX-License-Identifier: ISC */
/*
 * cmd_doctor: goes through the examinations of doctor.h in an order in which the first bad finding is likely
 * the cause of the later ones.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "prober/heard.h"
#include "prober/commands/commands.h"
#include "prober/commands/doctor.h"

void doctor_say(struct doctor *d, enum finding finding, const char *format, ...)
{
	static const struct {
		const char *name, *colour;
	} looks[] = {
		[FOUND_GOOD] = {"ok  ", "\033[32m"},
		[FOUND_NOTE] = {"note", "\033[33m"},
		[FOUND_BAD] = {"BAD ", "\033[1;31m"},
	};
	struct text text = TEXT_INIT, line = TEXT_INIT;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	text_printf(&line, "%s%s%s  ", d->colour ? looks[finding].colour : "", looks[finding].name,
		d->colour ? "\033[0m" : "");
	text_log(&line, text_str(&text));
	puts(text_str(&line));
	fflush(stdout);
	d->bad += finding == FOUND_BAD;
	d->notes += finding == FOUND_NOTE;
	text_free(&text);
	text_free(&line);
}

/* Only what is stored, wherever it lies: a backup, one of the hourly copies, another installation's. */
static int verify_only(struct doctor *d, const char *dir)
{
	doctor_verify(d, dir);
	return d->bad ? EXIT_WRONG : EXIT_DONE;
}

int cmd_doctor(struct command *command)
{
	static void (*const examinations[])(struct doctor * d) = {
		doctor_configuration,
		doctor_disk,
		doctor_books,
		doctor_sizes,
		doctor_passes,
		doctor_peers,
		doctor_strangers,
		doctor_clock,
		doctor_limits,
		doctor_walls,
		doctor_authorities,
		doctor_icmp,
		doctor_dns,
		doctor_reach,
	};
	struct doctor d = {.verify = command_flag(command, "--verify"), .colour = command_colour()};

	if (!command_args(command, 0, d.verify ? 1 : 0))
		return EXIT_USAGE;
	if (command->argc)
		return verify_only(&d, command->argv[0]);
	config_read(&d.config, command->config);
	d.store = d.config.store;
	for (size_t i = 0; i < COUNT_OF(examinations); i++)
		examinations[i](&d);
	heard_close(d.inbox);
	state_close(d.state);
	config_free(&d.config);
	return d.bad ? EXIT_WRONG : EXIT_DONE;
}
