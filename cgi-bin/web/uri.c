/* SPDX-License-Identifier: ISC */
/*
 * The address of a request, taken apart. See uri.h for the rule; reference facts on what each server hands
 * us stand at request.c.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "web/uri.h"

/* "http://host/path" (the absolute form of a request line, or a configured URL) -> "/path". */
static const char *after_host(const char *url)
{
	const char *slashes = strstr(url, "://");
	const char *path;

	if (slashes == NULL || url[0] == '/')
		return url;
	path = strchr(slashes + 3, '/');
	return path != NULL ? path : "";
}

static void put_merged(struct text *out, const char *s, size_t n)
{
	size_t i;

	text_reserve(out, n + 1);
	for (i = 0; i < n; i++)
		if (s[i] != '/' || out->len == 0 || out->ptr[out->len - 1] != '/')
			text_char(out, s[i]);
}

/* true when a segment is "." or "..". */
static bool has_dots(const char *path)
{
	const char *s = path;

	while (*s == '/') {
		size_t n = strcspn(++s, "/");

		if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return true;
		s += n;
	}
	return false;
}

/* Decodes and merges raw[0..n) into *path; returns why it cannot be, or NULL. */
static const char *decode_path(const char *raw, size_t n, struct text *path)
{
	struct text once = TEXT_INIT;
	const char *bad = NULL;

	if (!text_percent_decode(&once, raw, n, false))
		bad = "the address has a broken percent escape";
	else if (once.len == 0 || once.ptr[0] != '/')
		bad = "the address does not begin with a slash";
	else if (memchr(once.ptr, '\0', once.len) != NULL)
		bad = "the address has a NUL byte";
	if (bad == NULL) {
		put_merged(path, once.ptr, once.len);
		if (has_dots(path->ptr))
			bad = "the address has a dot segment";
	}
	text_free(&once);
	return bad;
}

/* ---- where we are mounted */

/* A candidate in normal form: one slash in front, merged, none at the end; "" for the root. */
static char *normal_mount(const char *s, size_t n)
{
	struct text t = TEXT_INIT;

	if (n > 0 && s[0] != '/')
		text_char(&t, '/');
	put_merged(&t, s, n);
	while (t.len > 0 && t.ptr[t.len - 1] == '/')
		t.ptr[--t.len] = '\0';
	return t.ptr != NULL ? text_take(&t) : mem_str("");
}

/* Takes the candidate s[0..n) when it is a prefix of path in whole segments and longer than *best. */
static void consider(char **best, const char *path, const char *s, size_t n)
{
	char *mount = normal_mount(s, n);
	size_t len = strlen(mount);

	if (len > strlen(*best) && strncmp(path, mount, len) == 0 &&
		(path[len] == '/' || path[len] == '\0')) {
		free(*best);
		*best = mount;
	} else {
		free(mount);
	}
}

static bool is_program(const struct uri_facts *facts, const char *name)
{
	const char *const *p;

	for (p = facts->programs; p != NULL && *p != NULL; p++)
		if (strcmp(*p, name) == 0)
			return true;
	return false;
}

/* SCRIPT_NAME is the mount when there is a PATH_INFO beside it (without one it may be the whole path, as
   with Apache's ProxyPass). Where its last part is our own file, so is its directory: that is what a
   rewritten address (REQUEST_URI /app/beat/x, SCRIPT_NAME /app/upbeat.fcgi) is mounted at. */
static void consider_script(char **best, const char *path, const struct uri_facts *facts)
{
	const char *script = facts->script_name, *last;
	bool is_ours;

	if (script == NULL || *script == '\0')
		return;
	last = strrchr(script, '/');
	is_ours = is_program(facts, last != NULL ? last + 1 : script);
	if (is_ours || (facts->path_info != NULL && *facts->path_info != '\0'))
		consider(best, path, script, strlen(script));
	if (is_ours && last != NULL)
		consider(best, path, script, (size_t)(last - script));
}

static char *find_mount(const char *path, const struct uri_facts *facts)
{
	char *best = mem_str("");

	if (facts->mount != NULL)
		consider(&best, path, facts->mount, strlen(facts->mount));
	if (facts->site_url != NULL) {
		const char *url = after_host(facts->site_url);
		struct text decoded = TEXT_INIT;

		if (text_percent_decode(&decoded, url, strcspn(url, "?#"), false))
			consider(&best, path, text_str(&decoded), strlen(text_str(&decoded)));
		text_free(&decoded);
	}
	consider_script(&best, path, facts);
	return best;
}

/* ---- all of it */

/* Takes /staff off the path. The web server guards /staff/ by matching the address in its own way, so only
   the plain spelling counts: a request that reaches it in disguise may have passed no guard. */
static void strip_staff(struct uri *uri, const char *raw, size_t raw_len)
{
	size_t mount_len = strlen(uri->mount);

	if (strcmp(uri->path, "/staff") == 0) {
		uri->staff_bare = true;
		return;
	}
	if (strncmp(uri->path, "/staff/", 7) != 0)
		return;
	if (raw_len < mount_len + 7 || strncmp(raw, uri->mount, mount_len) != 0 ||
		strncmp(raw + mount_len, "/staff/", 7) != 0)
		uri->bad = "/staff/ must be written plainly";
	uri->staff = true;
	memmove(uri->path, uri->path + 6, strlen(uri->path + 6) + 1);
}

/* Without REQUEST_URI (not every server is one of those we know) what is left is already decoded. */
static const char *decoded_address(const struct uri_facts *facts, struct text *path)
{
	struct text whole = TEXT_INIT;

	text_rawn(&whole, "", 0);
	if (facts->script_name != NULL)
		text_rawn(&whole, facts->script_name, strlen(facts->script_name));
	if (facts->path_info != NULL)
		text_rawn(&whole, facts->path_info, strlen(facts->path_info));
	if (whole.len == 0 || whole.ptr[0] != '/')
		text_char(path, '/');
	put_merged(path, text_str(&whole), whole.len);
	text_free(&whole);
	return has_dots(path->ptr) ? "the address has a dot segment" : NULL;
}

void uri_split(const struct uri_facts *facts, struct uri *out)
{
	struct text path = TEXT_INIT;
	const char *raw = facts->request_uri != NULL ? after_host(facts->request_uri) : "";
	size_t raw_len = strcspn(raw, "?#"), mount_len;

	memset(out, 0, sizeof(*out));
	if (raw_len > 0)
		out->bad = decode_path(raw, raw_len, &path);
	else if (facts->request_uri != NULL)
		text_char(&path, '/');
	else
		out->bad = decoded_address(facts, &path);
	if (out->bad != NULL) {
		text_free(&path);
		out->path = mem_str("/");
		out->mount = mem_str("");
		return;
	}
	out->mount = find_mount(path.ptr, facts);
	mount_len = strlen(out->mount);
	out->path = mem_str(path.ptr[mount_len] != '\0' ? path.ptr + mount_len : "/");
	text_free(&path);
	strip_staff(out, facts->request_uri != NULL ? raw : out->mount,
		facts->request_uri != NULL ? raw_len : 0);
}

void uri_clear(struct uri *uri)
{
	free(uri->path);
	free(uri->mount);
	memset(uri, 0, sizeof(*uri));
}

/* ---- query and Accept */

/* Decodes s[0..n) to a C string; NULL when it is none. */
static char *decode_value(const char *s, size_t n)
{
	struct text t = TEXT_INIT;

	if (!text_percent_decode(&t, s, n, true) || (t.len > 0 && memchr(t.ptr, '\0', t.len) != NULL)) {
		text_free(&t);
		return NULL;
	}
	return t.ptr != NULL ? text_take(&t) : mem_str("");
}

bool uri_pair(const char **at, const char *end, char **name, char **value)
{
	const char *amp, *eq;
	size_t n, name_len;

	if (*at >= end)
		return false;
	amp = memchr(*at, '&', (size_t)(end - *at));
	n = (size_t)((amp != NULL ? amp : end) - *at);
	eq = memchr(*at, '=', n);
	name_len = eq != NULL ? (size_t)(eq - *at) : n;
	*name = decode_value(*at, name_len);
	*value = eq != NULL ? decode_value(eq + 1, n - name_len - 1) : mem_str("");
	*at += n + (amp != NULL);
	return true;
}

char *uri_query(const char *query, size_t len, const char *name)
{
	const char *end = query + len;
	char *key, *value;

	while (uri_pair(&query, end, &key, &value)) {
		bool same = key != NULL && strcmp(key, name) == 0;

		free(key);
		if (same)
			return value;
		free(value);
	}
	return NULL;
}

/* The q of one media type in thousandths; 0 when the header does not name it. */
static int accept_q(const char *accept, const char *type)
{
	size_t type_len = strlen(type);

	while (*accept != '\0') {
		size_t n, name_len;
		const char *q;

		accept += strspn(accept, " \t,");
		n = strcspn(accept, ",");
		name_len = strcspn(accept, ",; \t");
		if (name_len == type_len && strncasecmp(accept, type, type_len) == 0) {
			q = memmem(accept, n, "q=", 2);
			if (q == NULL)
				return 1000;
			q += 2;
			if (*q == '1')
				return 1000;
			return q[0] == '0' && q[1] == '.' ? (int)(strtod(q, NULL) * 1000) : 0;
		}
		accept += n;
	}
	return 0;
}

bool uri_accepts_html(const char *accept)
{
	int html = accept != NULL ? accept_q(accept, "text/html") : 0;

	return html > 0 && html >= accept_q(accept, "application/json");
}
