/* SPDX-License-Identifier: ISC */
/*
 * cmd_init: from nothing to a running installation, without a question. Writes a first upbeat.json (never over
 * one that is there), creates the books, and prints what is left to do: the crontab line and what the web
 * server needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "store/inbox.h"
#include "store/state.h"

#define SECRET_BYTES 24

/* Below /etc the books belong to /var/lib; anywhere else (a home directory) beside the file. */
static char *store_for(const char *config)
{
	const char *environment = getenv("UPBEAT_STORE");
	char *dir, *store;

	if (environment && *environment)
		return mem_str(environment);
	if (strncmp(config, "/etc/", 5) == 0)
		return mem_str("/var/lib/upbeat");
	dir = file_dir(config);
	store = file_join(dir, "store");
	free(dir);
	return store;
}

static void put_config(struct text *out, const char *store)
{
	uint8_t secret[SECRET_BYTES];

	sign_random(secret, sizeof(secret));
	text_raw(out, "// Upbeat's configuration: JSON with comments. Every key is in upbeat.json(5).\n"
		      "// After a change: upbeat-prober config\n"
		      "{\n"
		      "  // Where everything is kept: on a local disk, outside the document root.\n"
		      "  \"store\": ");
	text_json_string(out, store);
	text_raw(out,
		",\n\n"
		"  // Where the web program is mounted, for links in messages.\n"
		"  // \"url\": \"https://example.com/upbeat/\",\n"
		"  \"title\": \"Upbeat\",\n\n"
		"  // Ways of reaching people. A secret can stay out of this file: \"file:slack.url\", "
		"\"env:NAME\".\n"
		"  \"channels\": {\n"
		"    // \"ops\":  { \"type\": \"slack\", \"webhook\": "
		"\"https://hooks.slack.com/services/...\" },\n"
		"    // \"mail\": { \"type\": \"mail\", \"to\": [\"you@example.com\"], \"from\": "
		"\"upbeat@example.com\", \"smtp\": \"smtp://127.0.0.1:25\" }\n"
		"  },\n\n"
		"  // Values for all monitors; put \"notify\": [\"ops\"] here once there is a channel.\n"
		"  \"defaults\": { \"interval\": \"1m\" },\n\n"
		"  \"monitors\": {\n"
		"    // Something that can be reached from here.\n"
		"    \"example\": { \"type\": \"http\", \"url\": \"https://example.com/\", \"public\": true "
		"},\n"
		"    // Something that cannot: a program that posts signed beats to .../beat/my-program.\n"
		"    \"my-program\": { \"type\": \"heartbeat\", \"max_age\": \"5m\",\n"
		"                    \"secret\": \"");
	sign_hex(out, secret, sizeof(secret));
	text_raw(out, "\" }\n"
		      "  }\n"
		      "}\n");
}

/* O_EXCL: whatever is there stays. *made: it was not there. */
static bool write_config(const char *path, bool *made, struct error *err)
{
	char *dir = file_dir(path), *store = store_for(path);
	struct text content = TEXT_INIT;
	bool good = access(dir, F_OK) == 0 || file_make_dir(dir, 0755, err);
	int fd;

	put_config(&content, store);
	fd = good ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	*made = fd >= 0;
	if (good && fd < 0 && errno != EEXIST)
		good = error_set(err, ERROR_TEMPORARY, "cannot create %s: %s", path, strerror(errno));
	if (fd >= 0) {
		/* The file holds nothing yet that another could have read: now replace it whole and synced. */
		close(fd);
		good = file_write_atomic(path, text_str(&content), content.len, 0600, err);
		if (!good)
			unlink(path);
	}
	text_free(&content);
	free(store);
	free(dir);
	return good;
}

static bool create_books(const char *store, struct error *err)
{
	struct state *state;
	struct inbox *inbox;
	bool good;

	if (!store_prepare(store, err))
		return false;
	state = state_open(store, STORE_CREATE, err);
	inbox = state ? inbox_open(store, STORE_CREATE, err) : NULL;
	good = state && inbox;
	inbox_close(inbox);
	state_close(state);
	return good;
}

/* Our own absolute path, for the crontab: cron has a PATH of its own. */
static char *own_path(void)
{
	char *path = mem_alloc(PATH_MAX);
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n > 0)
		return path;
	free(path);
	return mem_str("upbeat-prober");
}

static void put_next_steps(struct text *out, const char *config, const char *store)
{
	char *program = own_path();

	text_printf(out,
		"\n1. Say what is to be watched and who is told: edit %s, then\n"
		"       %s -c %s config\n"
		"2. Let cron run it. `crontab -e`, and add this line:\n"
		"       * * * * * %s -c %s\n"
		"3. Let the web server run upbeat.fcgi, here mounted at /upbeat. Apache:\n"
		"       FcgidInitialEnv UPBEAT_STORE %s\n"
		"       Alias /upbeat /usr/local/lib/upbeat/cgi-bin/upbeat.fcgi\n"
		"       <Directory /usr/local/lib/upbeat/cgi-bin>\n"
		"           Options +ExecCGI\n"
		"           SetHandler fcgid-script\n"
		"           Require all granted\n"
		"       </Directory>\n"
		"   lighttpd:\n"
		"       fastcgi.server += ( \"/upbeat\" => ((\n"
		"           \"bin-path\" => \"/usr/local/lib/upbeat/cgi-bin/upbeat.fcgi\",\n"
		"           \"socket\" => \"/run/lighttpd/upbeat.socket\",\n"
		"           \"max-procs\" => 1, \"check-local\" => \"disable\",\n"
		"           \"bin-environment\" => ( \"UPBEAT_STORE\" => \"%s\" )\n"
		"       )))\n"
		"   All of it, with log-in and TLS: apache-example.conf, lighttpd-example.conf.\n",
		config, program, config, program, config, store, store);
	if (geteuid() == 0)
		text_printf(out,
			"   The web server's user must be able to use the store:\n"
			"       cd %s && chgrp -R www-data . && chmod 2770 . inbox && chmod 2750 state\n"
			"       chmod 660 */*.mdb && chmod 640 state/data.mdb\n",
			store);
	text_printf(out,
		"4. Look: %s -c %s check   (now, by itself)\n"
		"         %s -c %s status  (what is known)\n"
		"         %s -c %s doctor  (is everything in order?)\n",
		program, config, program, config, program, config);
	free(program);
}

int cmd_init(struct command *command)
{
	struct text out = TEXT_INIT;
	struct error err = {0};
	char *store;
	bool made;

	if (!command_args(command, 0, 0))
		return EXIT_USAGE;
	if (!write_config(command->config, &made, &err))
		return command_fail(&err);
	store = config_store(command->config);
	if (!create_books(store, &err)) {
		free(store);
		return command_fail(&err);
	}
	text_printf(
		&out, made ? "Wrote %s.\n" : "%s is there already and stays as it is.\n", command->config);
	text_printf(&out, "The books are in %s.\n", store);
	put_next_steps(&out, command->config, store);
	fputs(text_str(&out), stdout);
	text_free(&out);
	free(store);
	return EXIT_DONE;
}
