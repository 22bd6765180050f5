/* SPDX-License-Identifier: ISC */
/* drive: the parameters of the CGI protocol, made by hand. */
#include "drive.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/books.h"

#define ENV_MAX 40

struct text_io {
	struct channel_io io; /* first: a pointer to it is a pointer to us */
	const char *at;
	size_t left;
};

static long read_text(struct channel_io *io, void *out, size_t n, int64_t deadline_us)
{
	struct text_io *t = (struct text_io *)io;

	(void)deadline_us;
	n = n < t->left ? n : t->left;
	memcpy(out, t->at, n);
	t->at += n;
	t->left -= n;
	return (long)n;
}

static bool write_nothing(struct channel_io *io, const void *bytes, size_t n)
{
	(void)io;
	(void)bytes;
	(void)n;
	return true;
}

struct env {
	char *rows[ENV_MAX + 1];
	size_t n;
};

static void add(struct env *env, const char *name, const char *value)
{
	struct text t = TEXT_INIT;

	text_raw(&t, name);
	text_char(&t, '=');
	text_raw(&t, value);
	if (env->n < ENV_MAX)
		env->rows[env->n++] = text_take(&t);
	text_free(&t);
}

/* "X-Api-Key" -> "HTTP_X_API_KEY" */
static void add_header(struct env *env, const char *name, size_t n, const char *value)
{
	struct text t = TEXT_INIT;

	if (strncmp(name, "REMOTE_USER", n) != 0 && strncmp(name, "CONTENT_TYPE", n) != 0)
		text_raw(&t, "HTTP_");
	for (size_t i = 0; i < n; i++)
		text_char(&t, name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]));
	add(env, text_str(&t), value);
	text_free(&t);
}

static void add_headers(struct env *env, const char *headers)
{
	while (headers && *headers) {
		size_t line = strcspn(headers, "\n"), name = strcspn(headers, ":");
		char *value = mem_strn(headers + name + 2, line - name - 2);

		add_header(env, headers, name, value);
		free(value);
		headers += line + (headers[line] == '\n');
	}
}

void drive_at(struct reply *reply, const char *dir, int64_t now_us, const char *method, const char *uri,
	const char *headers, const char *body)
{
	static const char *const programs[] = {"upbeat.fcgi", NULL};
	struct text_io io = {{read_text, write_nothing}, body ? body : "", body ? strlen(body) : 0};
	struct text length = TEXT_INIT;
	struct env env = {{NULL}, 0};
	struct request req;
	struct web *web;

	add(&env, "UPBEAT_STORE", dir);
	add(&env, "REQUEST_METHOD", method);
	add(&env, "REQUEST_URI", uri);
	add(&env, "SCRIPT_NAME", "");
	add(&env, "HTTP_HOST", "status.example.com");
	text_printf(&length, "%zu", io.left);
	add(&env, "CONTENT_LENGTH", text_str(&length));
	add_headers(&env, headers);
	web = web_for(env.rows);
	web_enter(web, env.rows);
	request_begin(&req, env.rows, &io.io, NULL, NULL, programs);
	if (now_us) {
		req.now.wall_us = now_us;
		req.now.boot_id = 0; /* the boot clock says nothing of a made-up time */
	}
	reply_begin(reply);
	routes_dispatch(web, &req, reply);
	web_leave(web);
	request_end(&req);
	web_close_all(); /* one process may hold only so many stores open, and tests seed others meanwhile */
	text_free(&length);
	for (size_t i = 0; i < env.n; i++)
		free(env.rows[i]);
}

void drive(struct reply *reply, const char *dir, const char *method, const char *uri, const char *headers,
	const char *body)
{
	drive_at(reply, dir, 0, method, uri, headers, body);
}
