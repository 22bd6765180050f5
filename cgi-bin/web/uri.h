/* SPDX-License-Identifier: ISC */
/*
 * uri: from the request's address to our own path. Pure: strings in, strings out.
 *
 * Servers differ too much in PATH_INFO (decoded, merged, absent), so the path is taken from REQUEST_URI:
 * cut at "?", decoded once, "//" merged, less the mount point, less /staff. What could mean two things to
 * two programs ("..", a NUL, a half escape, an encoded /staff/) is refused, not interpreted.
 */
#ifndef WEB_URI_H
#define WEB_URI_H

#include <stdbool.h>
#include <stddef.h>

/* Everything that says where we are mounted; any of them may be NULL. */
struct uri_facts {
	const char *request_uri;
	const char *script_name, *path_info;
	const char *mount;    /* UPBEAT_MOUNT */
	const char *site_url; /* the configuration's url */
	const char *const *programs; /* names our file goes by, NULL-terminated */
};

struct uri {
	char *path;      /* begins with "/"; owned */
	char *mount;     /* "" or "/cgi-bin/upbeat.fcgi": no final slash; owned */
	bool staff;      /* it was below /staff/ */
	bool staff_bare; /* it was "/staff" itself: wants a final slash */
	const char *bad; /* NULL, or why it cannot be served (a literal) */
};

/* Always sets path and mount, also when it is bad. */
void uri_split(const struct uri_facts *facts, struct uri *out);
void uri_clear(struct uri *uri);

/* The first value of a parameter in "a=b&c=d", decoded; "" for one without "="; NULL when it is absent or
   cannot be decoded to a string. The caller frees. */
char *uri_query(const char *query, size_t len, const char *name);

/* The next pair of "a=b&c=d" from *at on, decoded; moves *at behind it. false at the end. *name or *value is NULL
   when it cannot be decoded to a string. The caller frees both. */
bool uri_pair(const char **at, const char *end, char **name, char **value);

/* true when an Accept header asks for text/html, and not less than for JSON. */
bool uri_accepts_html(const char *accept);

#endif
