/* SPDX-License-Identifier: ISC */
/*
 * cmd_check: looks at some or all monitors now, prints what it saw, and stores nothing. It reads the
 * configuration file itself, so it also answers "is this new monitor written right?" before any pass ran.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/heard.h"
#include "prober/launch.h"
#include "prober/walls.h"
#include "prober/net/ca_bundle.h"
#include "prober/check/check.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"

#define AT_ONCE 50
#define PROGRESS_MS 200

struct round {
	struct config config;
	struct loop *loop;
	struct check_world world;
	struct monitor **chosen;
	size_t n, begun, ended, bad;
	int width; /* of the longest slug */
	bool colour, progress;
	struct loop_timer *timer;
};

static void begin_more(struct round *round);

/* ---- printing */

static void put_ms(struct text *line, int64_t us)
{
	if (us >= 0)
		text_printf(line, " %lld.%lld ms", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

static void print_result(struct round *round, const struct monitor *monitor, const struct result *result)
{
	static const char *const colours[] = {
		[OUTCOME_UP] = "\033[32m", [OUTCOME_DOWN] = "\033[31m", [OUTCOME_UNKNOWN] = "\033[33m"};
	struct text line = TEXT_INIT;

	if (round->progress)
		fputs("\r\033[K", stderr);
	text_printf(&line, "%s%-7s%s  %-*s", round->colour ? colours[result->outcome] : "",
		outcome_name(result->outcome), round->colour ? "\033[0m" : "", round->width, monitor->slug);
	if (result->timings.total_us > 0)
		put_ms(&line, result->timings.total_us);
	if (result->cause[0]) {
		text_raw(&line, "  ");
		text_screen(&line, result->cause);
	}
	if (result->address[0])
		text_printf(&line, "  (%s)", result->address);
	puts(text_str(&line));
	fflush(stdout);
	text_free(&line);
}

static void show_progress(void *arg)
{
	struct round *round = arg;

	fprintf(stderr, "\r%zu of %zu\033[K", round->ended, round->n);
	round->timer = loop_after(round->loop, PROGRESS_MS, show_progress, round);
}

/* ---- looking */

static void ended(struct round *round, const struct monitor *monitor, const struct result *result)
{
	print_result(round, monitor, result);
	round->bad += result->outcome != OUTCOME_UP;
	if (++round->ended == round->n)
		loop_stop(round->loop);
}

static void look_done(struct check *check, void *arg)
{
	struct round *round = arg;

	ended(round, check->monitor, &check->result);
	begin_more(round);
}

static void begin(struct round *round, const struct monitor *monitor)
{
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(round->config.privates, "monitors");
	struct result result = {.timings = TIMINGS_NONE};
	struct error err = {0};

	round->begun++;
	if (check_start(round->loop, &round->world, monitor,
		    cJSON_GetObjectItemCaseSensitive(all, monitor->slug), look_done, round, &err))
		return;
	result_cause(&result, "%s", err.text);
	ended(round, monitor, &result);
}

static void begin_more(struct round *round)
{
	while (round->begun < round->n && round->begun - round->ended < AT_ONCE)
		begin(round, round->chosen[round->begun]);
}

/* ---- choosing */

static struct monitor *find(struct round *round, const char *slug)
{
	for (size_t i = 0; i < round->config.publication.monitor_count; i++)
		if (strcmp(round->config.publication.monitors[i].slug, slug) == 0)
			return &round->config.publication.monitors[i];
	return NULL;
}

static void choose(struct round *round, struct monitor *monitor)
{
	int width = (int)strlen(monitor->slug);

	round->chosen[round->n++] = monitor;
	if (width > round->width)
		round->width = width;
}

static bool choose_all(struct round *round, const struct command *command)
{
	struct publication *all = &round->config.publication;

	round->chosen = mem_array(all->monitor_count + (size_t)command->argc + 1, sizeof(round->chosen[0]));
	for (int i = 0; i < command->argc; i++) {
		struct monitor *monitor = find(round, command->argv[i]);

		if (!monitor) {
			fprintf(stderr, "upbeat-prober: there is no monitor \"%s\"\n", command->argv[i]);
			return false;
		}
		choose(round, monitor);
	}
	for (size_t i = 0; command->argc == 0 && i < all->monitor_count; i++)
		if (!all->monitors[i].paused)
			choose(round, &all->monitors[i]);
	return true;
}

/* ---- the story */

static bool read_config(struct round *round, const char *path)
{
	struct text problems = TEXT_INIT;

	config_read(&round->config, path);
	if (!round->config.usable) {
		config_print_problems(&round->config, &problems);
		fputs(text_str(&problems), stderr);
		text_free(&problems);
	}
	return round->config.usable;
}

static bool open_world(struct round *round, struct error *err)
{
	static char problem[sizeof(err->text)];
	struct error inbox_err = {0};

	signal(SIGPIPE, SIG_IGN);
	round->world.ca_bundle = ca_bundle();
	round->world.inbox = heard_open(round->config.store, &inbox_err);
	if (!round->world.inbox && inbox_err.kind != ERROR_MISSING) {
		memcpy(problem, inbox_err.text, sizeof(problem));
		round->world.inbox_problem = problem;
	}
	config_launch(round->config.path, config_programs(&round->config) & PROGRAM_PING, NULL, NULL);
	walls_raise(NULL, round->world.ca_bundle);
	round->loop = loop_new(err);
	return round->loop;
}

static void look_at_all(struct round *round)
{
	round->colour = command_colour();
	round->progress = isatty(STDERR_FILENO) && round->n > 1;
	if (round->progress)
		show_progress(round);
	begin_more(round);
	if (round->ended < round->n)
		loop_run(round->loop, INT64_MAX);
	if (round->progress)
		fputs("\r\033[K", stderr);
}

int cmd_check(struct command *command)
{
	struct round round = {0};
	struct error err = {0};
	int status = EXIT_WRONG;

	if (!command_args(command, 0, -1))
		return EXIT_USAGE;
	if (read_config(&round, command->config) && choose_all(&round, command)) {
		if (open_world(&round, &err)) {
			look_at_all(&round);
			status = round.bad > 0 ? EXIT_WRONG : EXIT_DONE;
		} else {
			status = command_fail(&err);
		}
	}
	loop_free(round.loop);
	launch_stop();
	heard_close(round.world.inbox);
	free(round.chosen);
	config_free(&round.config);
	return status;
}
