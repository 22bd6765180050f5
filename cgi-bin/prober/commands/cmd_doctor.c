/* SPDX-License-Identifier: ISC */
/*
 * cmd_doctor: goes through the examinations of doctor.h in an order in which the first bad finding is likely
 * the cause of the later ones.
 */
#include "base/mem.h"
#include "prober/heard.h"
#include "prober/commands/commands.h"
#include "prober/commands/doctor.h"

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
