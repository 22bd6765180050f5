/* SPDX-License-Identifier: ISC */
/*
 * upbeat-prober: looks at what is monitored, decides, tells. Run by cron or by a person; never listens, and
 * refuses to run where a web server started it.
 *
 *	upbeat-prober [-c FILE] [SUBCOMMAND]
 *
 * Each subcommand is one row of the table below and one function in a file of its own.
 */
#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"

static const struct subcommand {
	const char *name, *args, *help;
	int (*run)(struct command *command);
} rows[] = {
	{"run", "", "one pass: check what is due, decide, tell (the default; for cron)", cmd_run},
	{"watch", "", "passes in the foreground, where there is no cron", cmd_watch},
	{"init", "[FOLDER]", "write a first configuration, create the books, say what to do next", cmd_init},
	{"config", "[--schema]", "check the configuration, or print its JSON schema", cmd_config},
	{"check", "[MONITOR...]", "check now and print; stores nothing", cmd_check},
	{"status", "[MONITOR] [--json]", "what is known now, or all about one monitor", cmd_status},
	{"notify", "CHANNEL [--event EVENT]", "send a test message", cmd_notify},
	{"doctor", "[--verify [DIR]]",
		"is this host fit, and is everything working? --verify reads all that is stored, or a copy of it",
		cmd_doctor},
	{"import", "KIND FILE", "turn another service's export into a configuration (uptimerobot)",
		cmd_import},
	{"export",
		"[samples|hours|days|rollups|incidents] [--format csv|jsonl] [--monitor SLUG] [--from TIME] [--to "
		"TIME]",
		"print history, or with --config the configuration without secrets", cmd_export},
	{"backup", "DIR", "copy both books while everything runs", cmd_backup},
};

static void put_usage(FILE *out)
{
	fputs("usage: upbeat-prober [-c FILE] [SUBCOMMAND]\n\n", out);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		fprintf(out, "  %s%s%s\n        %s\n", rows[i].name, *rows[i].args ? " " : "", rows[i].args,
			rows[i].help);
	fputs("\n-c FILE   configuration; else $UPBEAT_CONFIG, else /etc/upbeat/upbeat.json\n"
	      "Exit status: 0 done, 1 something is wrong with what it was given, 2 usage, 75 try again "
	      "later.\n",
		out);
}

static const struct subcommand *find_row(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static int unknown_subcommand(const char *name)
{
	const char *names[COUNT_OF(rows)], *nearest;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		names[i] = rows[i].name;
	nearest = text_nearest(name, names, COUNT_OF(rows));
	fprintf(stderr, "upbeat-prober: there is no subcommand \"%s\"%s%s%s; try --help\n", name,
		nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	return EXIT_USAGE;
}

/* Secrets are in this process: none of them may reach a core file, a tracer, or others' eyes by way of files
   that it makes. A full disk or a closed pipe is an error to be told, not a reason to die. */
static void protect(void)
{
	struct rlimit limit = {0, 0};

	umask(077);
	setrlimit(RLIMIT_CORE, &limit);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void *allocate(size_t n)
{
	return mem_grow(NULL, n, 1);
}

/* cJSON's trees are built with calls whose NULL nobody asks for: memory that fails ends us as it does elsewhere. */
static void use_our_memory(void)
{
	cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = free};

	cJSON_InitHooks(&hooks);
}

static int run_row(const struct subcommand *row, const char *config, int argc, char **argv)
{
	char *path = config_path(config);
	struct command command = {row->name, row->args, path, argv, argc};
	int status;

	/* libcurl is set up by the first transfer: a pass with nothing due pays nothing for it. */
	status = row->run(&command);
	free(path);
	return status;
}

/* What comes before the subcommand. */
struct options {
	const char *config;
	bool help, version, bad;
	int next; /* index of the subcommand */
};

static struct options read_options(int argc, char **argv)
{
	struct options o = {.next = 1};

	for (; o.next < argc && argv[o.next][0] == '-' && !o.bad; o.next++) {
		const char *arg = argv[o.next];

		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
			o.help = true;
		else if (strcmp(arg, "--version") == 0)
			o.version = true;
		else if (strcmp(arg, "-c") == 0 && o.next + 1 < argc)
			o.config = argv[++o.next];
		else if (strncmp(arg, "-c", 2) == 0 && arg[2])
			o.config = arg + 2;
		else
			o.bad = true;
	}
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	const char *name = o.next < argc ? argv[o.next] : "run";
	const struct subcommand *row = find_row(name);

	if (getenv("GATEWAY_INTERFACE")) {
		fputs("upbeat-prober: a web server started this; it is for cron and for people\n", stderr);
		return EXIT_USAGE;
	}
	if (o.bad || o.help) {
		put_usage(o.help ? stdout : stderr);
		return o.help ? EXIT_DONE : EXIT_USAGE;
	}
	if (o.version) {
		puts("upbeat-prober " UPBEAT_VERSION);
		return EXIT_DONE;
	}
	if (!row)
		return unknown_subcommand(name);
	protect();
	use_our_memory();
	if (o.next < argc)
		o.next++;
	return run_row(row, o.config, argc - o.next, argv + o.next);
}
