/* SPDX-License-Identifier: ISC */
/*
 * init_web: three files in a folder of the document root: the program; upbeat.store, which tells it where
 * the books are (suexec drops variables); and .htaccess, which makes Apache run it. May be repeated, as it
 * is after an upgrade: the program is replaced in one step while the old one is still running.
 */
#include "prober/commands/init_web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define PROGRAM_MAX ((size_t)64 << 20)
#define HTACCESS_MAX ((size_t)64 << 10)
/* What stands in contrib/shared-hosting/htaccess-example in the place of the paths. */
#define EXAMPLE_STORE "/home/me/upbeat-store"
#define EXAMPLE_STAFF "/home/me/staff.htpasswd"

static bool lies_within(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 1 && folder[n - 1] == '/')
		n--;
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Between double quotes Apache gives a meaning to these. */
static bool can_be_quoted(const char *path)
{
	for (const unsigned char *c = (const unsigned char *)path; *c; c++)
		if (*c < 0x20 || *c == 0x7f || strchr("\"\\$", *c))
			return false;
	return true;
}

static bool check_places(const char *portable, const char *folder, const char *store, struct error *err)
{
	const char *kept[] = {portable, store};

	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		if (lies_within(kept[i], folder))
			return error_set(err, ERROR_INPUT,
				"%s lies in %s, from where the web server would give it to anyone: keep it "
				"outside the document root",
				kept[i], folder);
		if (!can_be_quoted(kept[i]))
			return error_set(err, ERROR_INPUT,
				"%s has a character in its name that cannot stand in an .htaccess file",
				kept[i]);
	}
	return true;
}

static bool copy_program(const char *web, const char *folder, struct error *err)
{
	char *from = file_join(web, "upbeat.fcgi"), *to = file_join(folder, "upbeat.fcgi");
	struct text program = TEXT_INIT;
	bool good = file_read(from, PROGRAM_MAX, &program, err) &&
		file_write_atomic(to, text_str(&program), program.len, 0755, err);

	text_free(&program);
	free(to);
	free(from);
	return good;
}

static bool write_store_line(const char *folder, const char *store, struct error *err)
{
	char *path = file_join(folder, "upbeat.store");
	struct text line = TEXT_INIT;
	bool good;

	text_printf(&line, "%s\n", store);
	good = file_write_atomic(path, text_str(&line), line.len, 0644, err);
	text_free(&line);
	free(path);
	return good;
}

/* Appends `from` with every `old` replaced. */
static void put_replaced(struct text *out, const char *from, const char *old, const char *new)
{
	for (const char *at; (at = strstr(from, old)); from = at + strlen(old)) {
		text_rawn(out, from, (size_t)(at - from));
		text_raw(out, new);
	}
	text_raw(out, from);
}

static bool write_htaccess(const char *portable, const char *folder, const char *store, bool *made,
	struct error *err)
{
	char *from = file_join(portable, "web/.htaccess"), *to = file_join(folder, ".htaccess");
	char *staff = file_join(portable, "staff.htpasswd");
	struct text example = TEXT_INIT, half = TEXT_INIT, whole = TEXT_INIT;
	bool good = true;

	*made = access(to, F_OK) != 0;
	if (*made)
		good = file_read(from, HTACCESS_MAX, &example, err);
	if (*made && good) {
		put_replaced(&half, text_str(&example), EXAMPLE_STORE, store);
		put_replaced(&whole, text_str(&half), EXAMPLE_STAFF, staff);
		good = file_write_atomic(to, text_str(&whole), whole.len, 0644, err);
	}
	text_free(&whole);
	text_free(&half);
	text_free(&example);
	free(staff);
	free(to);
	free(from);
	return good;
}

bool init_web(
	const char *portable, const char *folder, const char *store, struct text *out, struct error *err)
{
	char *web, *real;
	bool good, made = false;

	if (!file_make_dir(folder, 0755, err))
		return false;
	real = realpath(folder, NULL);
	web = file_join(portable, "web");
	good = real ? check_places(portable, real, store, err)
		    : error_set(err, ERROR_TEMPORARY, "%s cannot be looked at", folder);
	good = good && copy_program(web, real, err) && write_store_line(real, store, err) &&
		write_htaccess(portable, real, store, &made, err);
	if (good)
		text_printf(out, "The web program is in %s%s.\n", real,
			made ? "" : " (the .htaccess was there already and stays as it is)");
	free(web);
	free(real);
	return good;
}
