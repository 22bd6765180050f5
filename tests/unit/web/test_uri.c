/* SPDX-License-Identifier: ISC */
/* Where a request is meant for, from what each server says of it; and queries and Accept as sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "web/uri.h"

static const char *const programs[] = {"upbeat.fcgi", "status.cgi", NULL};

struct row {
	const char *what;
	const char *request_uri, *script_name, *path_info, *mount, *site_url;
	const char *path, *at; /* expected path and mount; path NULL: refused */
	bool staff;
};

static const struct row rows[] = {
	{"lighttpd, FastCGI at a prefix", "/m/beat/x", "/m", "/beat/x", NULL, NULL, "/beat/x", "/m", false},
	{"lighttpd, at the root", "/beat/x", "", "/beat/x", NULL, NULL, "/beat/x", "", false},
	{"lighttpd, CGI file", "/cgi-bin/upbeat.fcgi/beat/x", "/cgi-bin/upbeat.fcgi", "/beat/x", NULL, NULL,
		"/beat/x", "/cgi-bin/upbeat.fcgi", false},
	{"our file alone, no PATH_INFO", "/cgi-bin/upbeat.fcgi", "/cgi-bin/upbeat.fcgi", NULL, NULL, NULL,
		"/", "/cgi-bin/upbeat.fcgi", false},
	{"our file by the name of a link", "/a/status.cgi?x=1", "/a/status.cgi", "", NULL, NULL, "/",
		"/a/status.cgi", false},
	{"rewritten by .htaccess", "/app/beat/x?a=b", "/app/upbeat.fcgi", "/beat/x", NULL, NULL, "/beat/x",
		"/app", false},
	{"rewritten at the document root", "/beat/x", "/upbeat.fcgi", "/beat/x", NULL, NULL, "/beat/x", "",
		false},
	{"ProxyPass: SCRIPT_NAME is everything", "/px/beat/x", "/px/beat/x", NULL, "/px", NULL, "/beat/x",
		"/px", false},
	{"ProxyPass, mount from the site's url", "/px/beat/x", "/px/beat/x", NULL, NULL,
		"https://example.com/px/", "/beat/x", "/px", false},
	{"ProxyPass, nothing known", "/px/beat/x", "/px/beat/x", NULL, NULL, NULL, "/px/beat/x", "", false},
	{"nginx without PATH_INFO", "/m/beat/x", "/m/beat/x", "", NULL, "https://example.com/m", "/beat/x",
		"/m", false},
	{"the longest wins", "/a/b/c", "/a", "/b/c", "/a/b", "https://example.com/", "/c", "/a/b", false},
	{"whole segments only", "/mm/beat", "", "", "/m", NULL, "/mm/beat", "", false},
	{"the mount itself", "/m", "/m", "", "/m/", NULL, "/", "/m", false},
	{"a mount without its slash", "/m/x", NULL, NULL, "m", NULL, "/x", "/m", false},
	{"a site at the root", "/beat", NULL, NULL, NULL, "https://example.com", "/beat", "", false},
	{"the absolute form", "http://example.com/m/beat/x", "/m", "/beat/x", NULL, NULL, "/beat/x", "/m",
		false},
	{"slashes are merged", "//m///beat//x", "/m", "/beat/x", NULL, NULL, "/beat/x", "/m", false},
	{"encoded slashes separate", "/m%2Fbeat%2fx", "/m", "/beat/x", NULL, NULL, "/beat/x", "/m", false},
	{"decoded once", "/beat/%2541", NULL, NULL, NULL, NULL, "/beat/%41", "", false},
	{"the query is no path", "/beat?a=/../%zz", NULL, NULL, NULL, NULL, "/beat", "", false},
	{"no REQUEST_URI", NULL, "/cgi-bin/upbeat.fcgi", "/beat/x", NULL, NULL, "/beat/x",
		"/cgi-bin/upbeat.fcgi", false},
	{"nothing at all", NULL, NULL, NULL, NULL, NULL, "/", "", false},
	{"an empty REQUEST_URI", "", NULL, NULL, NULL, NULL, "/", "", false},
	{"below staff", "/m/staff/m/x", "/m", "/staff/m/x", NULL, NULL, "/m/x", "/m", true},
	{"staff's front page", "/m/staff/?x", "/m", "/staff/", NULL, NULL, "/", "/m", true},
	{"staff in disguise", "/m/%73taff/", "/m", "/staff/", NULL, NULL, NULL, "/m", true},
	{"staff behind merged slashes", "/m//staff/", "/m", "/staff/", NULL, NULL, NULL, "/m", true},
	{"staff with an encoded slash", "/m/staff%2Fx", "/m", "/staff/x", NULL, NULL, NULL, "/m", true},
	{"staffer is not staff", "/m/staffer", "/m", "/staffer", NULL, NULL, "/staffer", "/m", false},
	{"parent segment", "/m/../x", NULL, NULL, NULL, NULL, NULL, "", false},
	{"encoded parent segment", "/m/%2e%2e/x", NULL, NULL, NULL, NULL, NULL, "", false},
	{"parent segment at the end", "/m/..", NULL, NULL, NULL, NULL, NULL, "", false},
	{"own segment", "/m/./x", NULL, NULL, NULL, NULL, NULL, "", false},
	{"three dots are a name", "/m/...", NULL, NULL, NULL, NULL, "/m/...", "", false},
	{"a NUL", "/beat/%00x", NULL, NULL, NULL, NULL, NULL, "", false},
	{"a cut escape", "/beat/%4", NULL, NULL, NULL, NULL, NULL, "", false},
	{"a cut escape at its first byte", "/beat/%", NULL, NULL, NULL, NULL, NULL, "", false},
	{"no hex digits", "/beat/%zz", NULL, NULL, NULL, NULL, NULL, "", false},
	{"no slash", "beat", NULL, NULL, NULL, NULL, NULL, "", false},
	{"an asterisk", "*", NULL, NULL, NULL, NULL, NULL, "", false},
};

static void path_and_mount_are_found_behind_every_server(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];
		struct uri_facts facts = {
			r->request_uri, r->script_name, r->path_info, r->mount, r->site_url, programs};
		struct uri uri;

		uri_split(&facts, &uri);
		if ((r->path == NULL) != (uri.bad != NULL) ||
			(r->path != NULL && strcmp(r->path, uri.path) != 0) ||
			strcmp(r->at, uri.mount) != 0 || r->staff != uri.staff)
			fail_msg("%s: path %s mount %s staff %d bad %s", r->what, uri.path, uri.mount,
				uri.staff, uri.bad != NULL ? uri.bad : "-");
		uri_clear(&uri);
	}
}

static void staff_without_its_slash_is_known(void **state)
{
	struct uri_facts facts = {.request_uri = "/m/staff", .mount = "/m"};
	struct uri uri;

	(void)state;
	uri_split(&facts, &uri);
	assert_true(uri.staff_bare);
	assert_false(uri.staff);
	uri_clear(&uri);
}

static void queries_give_the_first_value_or_none(void **state)
{
	static const struct {
		const char *query, *name, *value;
	} queries[] = {
		{"a=1&b=2", "b", "2"},
		{"a=1&a=2", "a", "1"},
		{"a", "a", ""},
		{"a&b=", "b", ""},
		{"=", "", ""},
		{"&", "a", NULL},
		{"", "a", NULL},
		{"a=b=c", "a", "b=c"},
		{"x=%41+b", "x", "A b"},
		{"%61=1", "a", "1"},
		{"x=%", "x", NULL},
		{"x=%4", "x", NULL},
		{"x=%zz", "x", NULL},
		{"x=%00", "x", NULL},
		{"ab=1", "a", NULL},
		{"a=1", "ab", NULL},
		{"&&&a=1&&", "a", "1"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(queries); i++) {
		char *value = uri_query(queries[i].query, strlen(queries[i].query), queries[i].name);

		if (queries[i].value == NULL)
			assert_null(value);
		else {
			assert_non_null(value);
			assert_string_equal(value, queries[i].value);
		}
		free(value);
	}
}

static void only_browsers_are_given_html(void **state)
{
	static const struct {
		const char *accept;
		bool html;
	} accepts[] = {
		{NULL, false},
		{"", false},
		{"*/*", false},
		{"application/json", false},
		{"text/html", true},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
		{"TEXT/HTML", true},
		{"application/json, text/html;q=0.5", false},
		{"application/json;q=0.5,text/html", true},
		{"text/html;q=0", false},
		{"text/html;q=0.0,*/*", false},
		{"text/htmlx", false},
		{" , text/html", true},
		{"text/html;level=1;q=0.4,application/json;q=0.3", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(accepts); i++)
		if (uri_accepts_html(accepts[i].accept) != accepts[i].html)
			fail_msg("Accept: %s", accepts[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_and_mount_are_found_behind_every_server),
		cmocka_unit_test(staff_without_its_slash_is_known),
		cmocka_unit_test(queries_give_the_first_value_or_none),
		cmocka_unit_test(only_browsers_are_given_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
