/* SPDX-License-Identifier: ISC */
/* A store with heartbeats, and requests in memory. See fixture.h. */
#include "fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sign.h"
#include "memory_io.h"
#include "store/inbox.h"
#include "store/state.h"
#include "web/books.h"
#include "web/reply.h"
#include "web/routes.h"

/* ---- publishing */

static struct monitor *add(struct publication *p, const char *slug, const char *type)
{
	struct monitor *m;

	p->monitors = mem_grow(p->monitors, p->monitor_count + 1, sizeof(*m));
	m = &p->monitors[p->monitor_count];
	*m = (struct monitor){.slug = mem_str(slug),
		.type = mem_str(type),
		.name = mem_str(slug),
		.group = mem_str(""),
		.interval_ms = 60000,
		.timeout_ms = 10000,
		.confirm = 3,
		.recover = 2,
		.options = mem_str("{}"),
		.place = p->monitor_count};
	p->monitor_count++;
	return m;
}

static struct heartbeat_rules *add_heartbeat(struct publication *p, const char *slug, const char *secret)
{
	struct heartbeat_rules *rules = MEM_NEW(struct heartbeat_rules);

	rules->secrets = mem_array(2, sizeof(char *));
	rules->secrets[0] = mem_str(secret);
	rules->secret_count = 1;
	rules->max_age_ms = 300000;
	rules->window_ms = FIXTURE_WINDOW_S * 1000;
	rules->timezone = mem_str("UTC");
	add(p, slug, "heartbeat")->heartbeat = rules;
	return rules;
}

static void add_key(struct site *site, const char *name, const char *key, bool may_write, bool may_ping)
{
	struct api_key *row;

	site->keys = mem_grow(site->keys, site->key_count + 1, sizeof(*row));
	row = &site->keys[site->key_count++];
	*row = (struct api_key){.name = mem_str(name), .may_write = may_write, .may_ping = may_ping};
	sign_sha256(key, strlen(key), row->hash);
}

static char *numbered(const char *words, size_t n)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "%s%zu", words, n);
	return text_take(&t);
}

static void add_numbered(struct publication *p, unsigned bots, size_t filler)
{
	size_t i;

	for (i = 0; i < filler + bots; i++) {
		char *slug = numbered(i < filler ? "filler-" : "bot", i < filler ? i : i - filler);
		char *secret = numbered("bench ", i - filler);

		if (i < filler)
			add(p, slug, "http");
		else
			add_heartbeat(p, slug, secret);
		free(slug);
		free(secret);
	}
}

static void build(struct publication *p, unsigned flags, size_t filler)
{
	struct heartbeat_rules *rules;

	*p = (struct publication){.fingerprint = mem_str("fixture")};
	p->site.title = mem_str("Fixture");
	p->site.url = mem_str("https://example.com/m");
	p->site.timezone = mem_str("UTC");
	add_key(&p->site, "writer", WRITE_KEY, true, false);
	add_key(&p->site, "reader", READ_KEY, false, false);
	add_key(&p->site, "pinger", PING_KEY, false, true);
	add_key(&p->site, "others", HOOK_KEY, false, false);
	p->site.keys[p->site.key_count - 1].may_hook = true;
	add_numbered(p, flags >> 8, filler);
	rules = add_heartbeat(p, "robot", ROBOT_SECRET);
	rules->token = mem_str(ROBOT_TOKEN);
	rules = add_heartbeat(p, "rotated", ROTATED_NEW);
	rules->secrets[rules->secret_count++] = mem_str(ROTATED_OLD);
	rules->sha256_only = true;
	rules = add_heartbeat(p, "nightly", "a secret of the night");
	rules->max_age_ms = 0;
	rules->schedule = mem_str("0 3 * * *");
	rules->grace_ms = 3600000;
	if (flags & FIXTURE_DEFAULT)
		add_heartbeat(p, "default", DEFAULT_SECRET);
	add(p, "site", "http")->is_public = true;
	add(p, "hidden", "http");
}

static void clear(struct publication *p)
{
	size_t i;

	for (i = 0; i < p->monitor_count; i++)
		monitor_clear(&p->monitors[i]);
	free(p->monitors);
	site_clear(&p->site);
	free(p->fingerprint);
}

/* A pass as the prober would leave it behind. */
static bool put_pass(struct state_txn *txn, unsigned flags, struct error *err)
{
	struct pass_info pass;
	struct moment now;

	clock_now(&now);
	if (flags & FIXTURE_STALE) {
		now.wall_us -= 86400 * US_PER_S;
		now.boot_us -= 86400 * US_PER_S;
	}
	memset(&pass, 0, sizeof(pass));
	pass.started_us = pass.finished_us = pass.progress_us = now.wall_us;
	pass.boot_id = now.boot_id;
	pass.boot_us = now.boot_us;
	pass.cadence_us = 60 * US_PER_S;
	pass.config_ok = true;
	pass.passes = 7;
	return state_pass_put(txn, &pass, err);
}

bool fixture_publish(const char *dir, unsigned flags, size_t filler, struct error *err)
{
	struct publication p;
	struct state *state = store_prepare(dir, err) ? state_open(dir, STORE_CREATE, err) : NULL;
	struct state_txn *txn = state != NULL ? state_begin(state, true, err) : NULL;
	bool ok;

	build(&p, flags, filler);
	ok = txn != NULL && state_publish(txn, &p, err) && put_pass(txn, flags, err);
	if (ok)
		ok = state_commit(txn, err);
	else
		state_end(txn);
	state_close(state);
	clear(&p);
	return ok;
}

/* ---- asking */

void fixture_open(struct fixture *f)
{
	char path[] = "/tmp/upbeat-web-XXXXXX";

	f->dir = mem_str(mkdtemp(path));
	web_start("upbeat.fcgi", false);
}

static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *name = file_join(path, entry->d_name);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			if (entry->d_type == DT_DIR)
				remove_tree(name);
			else
				unlink(name);
		}
		free(name);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

void fixture_close(struct fixture *f)
{
	web_close_all();
	remove_tree(f->dir);
	free(f->dir);
	f->dir = NULL;
}

static char *pair(const char *name, const char *value)
{
	struct text t = TEXT_INIT;

	text_raw(&t, name);
	text_char(&t, '=');
	text_raw(&t, value);
	return text_take(&t);
}

void answer_clear(struct answer *answer)
{
	text_free(&answer->head);
	text_free(&answer->body);
}

static void take_apart(const struct text *out, struct answer *answer)
{
	const char *gap = strstr(out->ptr, "\r\n\r\n");

	answer_clear(answer);
	answer->status = (int)strtol(out->ptr + strlen("Status: "), NULL, 10);
	text_rawn(&answer->head, out->ptr, (size_t)(gap + 2 - out->ptr));
	text_rawn(&answer->body, gap + 4, out->len - (size_t)(gap + 4 - out->ptr));
}

void fixture_ask(struct fixture *f, const char *method, const char *uri, const void *body, size_t len,
	const char *const *more, struct answer *answer)
{
	struct memory_io m = memory_io_of(body, len);
	char *env[24] = {NULL};
	size_t n = 0, i;
	struct text length = TEXT_INIT;
	struct request req;
	struct reply reply;
	struct web *web;

	text_printf(&length, "%zu", len);
	env[n++] = pair("UPBEAT_STORE", f->dir);
	env[n++] = pair("REQUEST_METHOD", method);
	env[n++] = pair("REQUEST_URI", uri);
	env[n++] = pair("CONTENT_LENGTH", text_str(&length));
	for (i = 0; more != NULL && more[i] != NULL && n < COUNT_OF(env) - 1; i++)
		env[n++] = mem_str(more[i]);
	web = web_for(env);
	web_enter(web, env);
	request_begin(&req, env, &m.io, NULL, NULL, web_programs());
	reply_begin(&reply);
	routes_dispatch(web, &req, &reply);
	web_leave(web);
	reply_send(&reply, &req);
	take_apart(&m.out, answer);
	reply_end(&reply);
	request_end(&req);
	text_free(&m.out);
	text_free(&length);
	while (n > 0)
		free(env[--n]);
}

void fixture_beat(struct fixture *f, const char *slug, const char *verb, const char *secret, int64_t time_us,
	struct answer *answer)
{
	struct text body = TEXT_INIT, uri = TEXT_INIT, header = TEXT_INIT;
	uint8_t mac[SHA256_BYTES];
	const char *env[2] = {NULL, NULL};

	text_raw(&body, "{\"time\":");
	text_json_seconds(&body, time_us);
	text_raw(&body, "}");
	text_printf(&uri, "/beat%s%s%s%s", *slug ? "/" : "", slug, *verb ? "/" : "", verb);
	sign_hmac_sha256(secret, strlen(secret), body.ptr, body.len, mac);
	text_raw(&header, "HTTP_X_HUB_SIGNATURE_256=sha256=");
	sign_hex(&header, mac, sizeof(mac));
	env[0] = header.ptr;
	fixture_ask(f, "POST", uri.ptr, body.ptr, body.len, env, answer);
	text_free(&body);
	text_free(&uri);
	text_free(&header);
}
