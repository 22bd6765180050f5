/* SPDX-License-Identifier: ISC */
/*
 * cmd_init: from nothing to a running installation, without a question. Writes a first upbeat.json (never
 * over one that is there), creates the books, and prints what is left to do: the crontab line and what the
 * web server needs. From a portable folder it puts the web program in its place, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/commands/commands.h"
#include "prober/commands/init_web.h"
#include "prober/config/config.h"
#include "prober/place.h"
#include "store/inbox.h"
#include "store/state.h"

#define SECRET_BYTES 24

/* Below /etc the books belong to /var/lib; anywhere else (a home directory) beside the file, named from
   there, so that the folder can be moved. */
static const char *store_for(const char *config)
{
	const char *environment = getenv("UPBEAT_STORE");

	if (environment && *environment)
		return environment;
	return strncmp(config, "/etc/", 5) == 0 ? "/var/lib/upbeat" : "store";
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
	char *dir = file_dir(path);
	struct text content = TEXT_INIT;
	bool good = access(dir, F_OK) == 0 || file_make_dir(dir, 0755, err);
	int fd;

	put_config(&content, store_for(path));
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

/* A word as the shell takes it, quoted where that is needed. */
static void put_word(struct text *out, const char *word)
{
	bool plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@=") ==
		strlen(word);

	text_raw(out, plain ? "" : "'");
	for (const char *c = word; *c; c++)
		if (*c == '\'')
			text_raw(out, "'\\''");
		else
			text_char(out, *c);
	text_raw(out, plain ? "" : "'");
}

/* A command as it must stand in a crontab: cron ends it at a %, and takes away the \ of a \%. */
static void put_for_cron(struct text *out, const char *command)
{
	for (const char *c = command; *c; c++) {
		if (*c == '%')
			text_char(out, '\\');
		text_char(out, *c);
	}
}

/* Where upbeat.fcgi is: where make install put it, else beside us. The caller frees. */
static char *web_program(void)
{
	static const char *const places[] = {"../lib/upbeat/cgi-bin/upbeat.fcgi", "upbeat.fcgi"};
	char *found = NULL;

	for (size_t i = 0; !found && i < COUNT_OF(places); i++)
		found = place_beside(places[i]);
	return found ? found : mem_str("/usr/local/lib/upbeat/cgi-bin/upbeat.fcgi");
}

static void put_server_lines(struct text *out, const char *store)
{
	char *web = web_program(), *dir = file_dir(web);

	text_printf(out,
		"3. Let the web server run upbeat.fcgi, here mounted at /upbeat. Apache:\n"
		"       FcgidInitialEnv UPBEAT_STORE \"%s\"\n"
		"       Alias /upbeat \"%s\"\n"
		"       <Directory \"%s\">\n"
		"           Options +ExecCGI\n"
		"           SetHandler fcgid-script\n"
		"           Require all granted\n"
		"       </Directory>\n"
		"   lighttpd:\n"
		"       fastcgi.server += ( \"/upbeat\" => ((\n"
		"           \"bin-path\" => \"%s\",\n"
		"           \"socket\" => \"/run/lighttpd/upbeat.socket\",\n"
		"           \"max-procs\" => 1, \"check-local\" => \"disable\",\n"
		"           \"bin-environment\" => ( \"UPBEAT_STORE\" => \"%s\" )\n"
		"       )))\n"
		"   All of it, with log-in and TLS: apache-example.conf, lighttpd-example.conf.\n",
		store, web, dir, web, store);
	if (geteuid() == 0)
		text_printf(out,
			"   The web server's user must be able to use the store:\n"
			"       cd %s && chgrp -R www-data . && chmod 2770 . inbox && chmod 2750 state\n"
			"       chmod 660 */*.mdb && chmod 640 state/data.mdb\n",
			store);
	free(dir);
	free(web);
}

/* From the portable folder, where an account on a web host is all there is. */
static void put_folder_lines(struct text *out, const char *command, const char *portable, const char *folder)
{
	if (folder)
		text_printf(out, "3. Open the address of that folder, %s, in a browser.\n", folder);
	else
		text_printf(out,
			"3. Put the web program into a folder of the document root, for instance:\n"
			"       %s init ~/public_html/upbeat\n",
			command);
	text_printf(out,
		"   People log in below staff/ there, with names and passwords of %s/staff.htpasswd:\n"
		"       htpasswd -c FILE NAME, or the panel of your web host makes it.\n",
		portable);
}

static void put_next_steps(
	struct text *out, const char *config, const char *store, const char *portable, const char *folder)
{
	struct text command = TEXT_INIT;
	char *program = place_program();

	put_word(&command, program);
	text_raw(&command, " -c ");
	put_word(&command, config);
	text_printf(out,
		"\n1. Say what is to be watched and who is told: edit %s, then\n"
		"       %s config\n"
		"2. Let cron run it. `crontab -e`, and add this line:\n"
		"       * * * * * ",
		config, text_str(&command));
	put_for_cron(out, text_str(&command));
	text_char(out, '\n');
	if (portable)
		put_folder_lines(out, text_str(&command), portable, folder);
	else
		put_server_lines(out, store);
	text_printf(out,
		"4. Look: %s check   (now, by itself)\n"
		"         %s status  (what is known)\n"
		"         %s doctor  (is everything in order?)\n",
		text_str(&command), text_str(&command), text_str(&command));
	text_free(&command);
	free(program);
}

/* init FOLDER, where there is a web program to put there. */
static bool place_web(const char *portable, const char *folder, const char *store, struct text *out,
	struct error *err)
{
	if (!folder)
		return true;
	if (!portable)
		return error_set(err, ERROR_INPUT,
			"init FOLDER is for the portable folder (make portable); here the web server is told "
			"where upbeat.fcgi is");
	return init_web(portable, folder, store, out, err);
}

int cmd_init(struct command *command)
{
	struct text out = TEXT_INIT;
	struct error err = {0};
	char *store = NULL, *portable = place_portable();
	const char *folder;
	bool made, good;

	if (!command_args(command, 0, 1)) {
		free(portable);
		return EXIT_USAGE;
	}
	folder = command->argc ? command->argv[0] : NULL;
	good = write_config(command->config, &made, &err);
	if (good) {
		store = config_store(command->config);
		text_printf(&out, made ? "Wrote %s.\n" : "%s is there already and stays as it is.\n",
			command->config);
		good = create_books(store, &err);
		if (!good && !made)
			error_prefix(&err, "%s was there already, and leads there (`config` says what is wrong in it)",
				command->config);
	}
	if (good) {
		text_printf(&out, "The books are in %s.\n", store);
		good = place_web(portable, folder, store, &out, &err);
	}
	if (good) {
		put_next_steps(&out, command->config, store, portable, folder);
		fputs(text_str(&out), stdout);
	}
	text_free(&out);
	free(store);
	free(portable);
	return good ? EXIT_DONE : command_fail(&err);
}
