/* SPDX-License-Identifier: ISC */
/*
 * cmd_pass: run and watch.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "prober/pass/pass.h"
#include "prober/pass/slots.h"

#define AFTER_DEATH_US (5 * US_PER_S) /* a pass that died leaves a minute unwatched */

/* Neither a configuration nor books of an earlier one: a mistyped -c must not make a store somewhere. */
static bool nothing_there(const char *config, const char *store)
{
	char *state = file_join(store, "state");
	bool nothing = access(config, F_OK) != 0 && errno == ENOENT && access(state, F_OK) != 0;

	free(state);
	if (nothing)
		fprintf(stderr, "upbeat-prober: there is no %s; upbeat-prober -c %s init writes one\n",
			config, config);
	return nothing;
}

int cmd_run(struct command *command)
{
	char *store;
	int status;

	if (!command_args(command, 0, 0))
		return EXIT_USAGE;
	store = config_store(command->config);
	pass_catch_signals();
	status = nothing_there(command->config, store) ? EXIT_WRONG : pass_run(command->config, store);
	free(store);
	return status;
}

/* A signal ends the wait: poll() is not restarted. */
static void sleep_until(int64_t wall_us)
{
	int64_t now = clock_wall_us();

	while (now < wall_us && !pass_interrupted()) {
		int64_t ms = (wall_us - now) / US_PER_MS + 1;

		poll(NULL, 0, ms < 1000 ? (int)ms : 1000);
		now = clock_wall_us();
	}
}

/* In a process of its own, because a pass gives up what the next one needs to read a changed configuration.
   -1: it died. */
static int pass_in_child(const char *config, const char *store)
{
	int status = 0;
	pid_t pid = pass_fork();

	if (pid == 0)
		_exit(pass_run(config, store));
	if (pid < 0) {
		fprintf(stderr, "upbeat-prober: no process for a pass: %s\n", strerror(errno));
		return EXIT_TEMPORARY;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	pass_forked_ended();
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "upbeat-prober: a pass died of signal %d (%s)\n", WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	return -1;
}

int cmd_watch(struct command *command)
{
	int status = EXIT_DONE;

	if (!command_args(command, 0, 0))
		return EXIT_USAGE;
	pass_catch_signals();
	while (!pass_interrupted()) {
		int64_t begun = clock_wall_us();
		char *store = config_store(command->config); /* it may be moved while we watch */

		status = pass_in_child(command->config, store);
		free(store);
		sleep_until(status < 0 ? begun + AFTER_DEATH_US : minute_end(begun));
	}
	if (status < 0)
		return EXIT_TEMPORARY;
	return status == EXIT_WRONG ? EXIT_DONE : status;
}
