/* SPDX-License-Identifier: ISC */
/*
 * doctor_reach: can the machines be reached that we need ourselves: those of channels, witnesses, our own web
 * side, and one that is watched by HTTPS? A name is resolved and a TCP connection made to each, all at the same time; nothing is sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/commands/doctor.h"
#include "prober/net/loop.h"
#include "prober/notify/channel.h"

#define REACH_MAX 64
#define REACH_MS 10000

/* Ports of the schemes that appear in configurations. */
static const struct {
	const char *scheme;
	unsigned port;
} schemes[] = {{"https://", 443}, {"http://", 80}, {"smtps://", 465}, {"smtp://", 25}};

struct reach;

struct target {
	struct reach *reach;
	char *host, *what; /* "channel ops" */
	unsigned port;
	int fd;
	struct loop_resolve *resolve;
	struct loop_watch *watch;
	struct loop_timer *timer;
	int64_t begun_us;
	bool ours; /* we need it; else its being down is not our concern */
	bool ended;
};

struct reach {
	struct doctor *doctor;
	struct loop *loop;
	struct target *targets;
	size_t n, open;
};

/* ---- one target */

static void end(struct target *t, enum finding finding, const char *how)
{
	if (t->ended)
		return;
	t->ended = true;
	if (t->watch)
		loop_unwatch(t->watch);
	if (t->timer)
		loop_timer_stop(t->timer);
	if (t->fd >= 0)
		close(t->fd);
	t->watch = NULL;
	t->timer = NULL;
	t->fd = -1;
	if (finding == FOUND_BAD && !t->ours)
		finding = FOUND_NOTE;
	doctor_say(t->reach->doctor, finding, "reach: %s port %u for %s: %s", t->host, t->port, t->what, how);
	if (--t->reach->open == 0)
		loop_stop(t->reach->loop);
}

static void connected(void *arg, unsigned events)
{
	struct target *t = arg;
	struct text how = TEXT_INIT;
	int why = 0;
	socklen_t n = sizeof(why);

	(void)events;
	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &why, &n);
	if (why)
		text_raw(&how, strerror(why));
	else
		text_printf(
			&how, "connected after %lld ms", (long long)(clock_mono_us() - t->begun_us) / 1000);
	end(t, why ? FOUND_BAD : FOUND_GOOD, text_str(&how));
	text_free(&how);
}

static void late(void *arg)
{
	struct target *t = arg;

	t->timer = NULL;
	end(t, FOUND_BAD, "no answer (a firewall?)");
}

static void set_port(union address *address, unsigned port)
{
	if (address->any.sa_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

static void resolved(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct target *t = arg;
	union address address;
	socklen_t n;

	t->resolve = NULL;
	if (!addresses->n) {
		end(t, FOUND_BAD, ours ? "our resolver cannot be asked" : why);
		return;
	}
	address = addresses->at[0];
	set_port(&address, t->port);
	n = address.any.sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	t->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || (connect(t->fd, (struct sockaddr *)&address, n) != 0 && errno != EINPROGRESS)) {
		end(t, FOUND_BAD, strerror(errno));
		return;
	}
	t->timer = loop_after(t->reach->loop, REACH_MS, late, t);
	t->watch = loop_watch(t->reach->loop, t->fd, LOOP_WRITE, connected, t);
}

/* ---- which */

static bool known(const struct reach *r, const char *host, unsigned port)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->targets[i].port == port && strcasecmp(r->targets[i].host, host) == 0)
			return true;
	return false;
}

/* "host", "host:port" or "[v6]:port", up to a path. */
static void add_authority(struct reach *r, const char *s, unsigned port, const char *what)
{
	bool literal = *s == '[';
	const char *host = s + literal, *end_of_host = host + strcspn(host, literal ? "]" : ":/?#");
	const char *after = end_of_host + (literal && *end_of_host == ']');
	char *name = mem_strn(host, (size_t)(end_of_host - host));

	if (*after == ':')
		port = (unsigned)strtoul(after + 1, NULL, 10);
	if (*name && port && port < 65536 && r->n < REACH_MAX && !known(r, name, port))
		r->targets[r->n++] = (struct target){
			.reach = r, .host = mem_str(name), .what = mem_str(what), .port = port, .fd = -1, .ours = true};
	free(name);
}

static bool add_url(struct reach *r, const char *s, const char *what)
{
	for (size_t i = 0; s && i < COUNT_OF(schemes); i++) {
		size_t n = strlen(schemes[i].scheme);

		if (strncasecmp(s, schemes[i].scheme, n) == 0) {
			add_authority(r, s + n, schemes[i].port, what);
			return true;
		}
	}
	return false;
}

/* Every URL among a channel's options, else its service's own. */
static void add_channel(struct reach *r, const cJSON *channel)
{
	const struct channel_type *type = channel_type_of(channel);
	const struct field *api = type ? fields_find(type->fields, type->field_count, "api") : NULL;
	struct text what = TEXT_INIT;
	const cJSON *value;
	bool any = false;

	text_printf(&what, "channel %s", channel->string);
	cJSON_ArrayForEach(value, channel)
		any = add_url(r, cJSON_GetStringValue(value), text_str(&what)) || any;
	if (!any && api && api->fallback)
		add_url(r, api->fallback, text_str(&what));
	text_free(&what);
}

static void add_peer(struct reach *r, const cJSON *peer)
{
	struct text what = TEXT_INIT;

	text_printf(&what, "peer %s", peer->string);
	add_url(r, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(peer, "url")), text_str(&what));
	text_free(&what);
}

/* May we use HTTPS from here? The first monitor that does will tell. */
static void add_https(struct reach *r)
{
	const struct publication *publication = &r->doctor->config.publication;
	bool added = false;
	size_t n;

	for (size_t i = 0; i < publication->monitor_count && !added; i++) {
		const struct monitor *monitor = &publication->monitors[i];
		cJSON *options = cJSON_Parse(monitor->options);
		const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(options, "url"));
		struct text what = TEXT_INIT;

		text_printf(&what, "monitor %s", monitor->slug);
		n = r->n;
		added = url && strncasecmp(url, "https://", 8) == 0 && add_url(r, url, text_str(&what));
		if (r->n > n)
			r->targets[n].ours = false;
		text_free(&what);
		cJSON_Delete(options);
	}
}

static void add_all(struct reach *r)
{
	const cJSON *privates = r->doctor->config.privates;
	const cJSON *top = cJSON_GetObjectItemCaseSensitive(privates, "top"), *item;
	const cJSON *witnesses = cJSON_GetObjectItemCaseSensitive(top, "witnesses"), *entry = NULL;

	add_url(r, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(top, "url")), "our own web side");
	add_url(r, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(top, "report_to")), "report_to");
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(privates, "channels"))
		add_channel(r, item);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(top, "peers"))
		add_peer(r, item);
	while (witnesses && (entry = field_entry(witnesses, entry))) {
		const char *s = cJSON_GetStringValue(entry);

		if (s && !add_url(r, s, "a witness") && strchr(s, ':'))
			add_authority(r, s, 0, "a witness");
	}
	add_https(r);
}

void doctor_reach(struct doctor *d)
{
	struct reach r = {.doctor = d};
	struct error err;

	if (!d->config.usable)
		return;
	r.loop = loop_new(&err);
	if (!r.loop) {
		doctor_say(d, FOUND_BAD, "reach: %s", err.text);
		return;
	}
	r.targets = mem_array(REACH_MAX, sizeof(r.targets[0]));
	add_all(&r);
	r.open = r.n;
	for (size_t i = 0; i < r.n; i++) {
		struct target *t = &r.targets[i];

		t->begun_us = clock_mono_us();
		t->resolve = loop_resolve(r.loop, t->host, AF_UNSPEC, REACH_MS, resolved, t);
	}
	if (r.n)
		loop_run(r.loop, INT64_MAX);
	else
		doctor_say(
			d, FOUND_NOTE, "reach: nothing to try: no channels, witnesses or url are configured");
	for (size_t i = 0; i < r.n; i++) {
		free(r.targets[i].host);
		free(r.targets[i].what);
	}
	free(r.targets);
	loop_free(r.loop);
}

/* ---- names */

struct asked {
	struct doctor *doctor;
	int64_t begun_us;
};

/* "No such host" is an answer too: it is the resolver that is examined. */
static void answered(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct asked *asked = arg;
	long long ms = (long long)(clock_mono_us() - asked->begun_us) / 1000;

	if (ours)
		doctor_say(asked->doctor, FOUND_BAD, "names: our resolver cannot be asked: look at /etc/resolv.conf");
	else if (!addresses->n && strcmp(why, "no such host") != 0)
		doctor_say(asked->doctor, FOUND_BAD, "names: %s", why);
	else
		doctor_say(asked->doctor, FOUND_GOOD, "names: DNS answers after %lld ms", ms);
}

void doctor_dns(struct doctor *d)
{
	struct asked asked = {d, clock_mono_us()};
	struct loop *loop = loop_new(NULL);

	if (!loop)
		return;
	loop_resolve(loop, "example.com", AF_UNSPEC, REACH_MS, answered, &asked);
	loop_run(loop, INT64_MAX);
	loop_free(loop);
}
