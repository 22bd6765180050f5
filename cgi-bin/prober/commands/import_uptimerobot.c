/* SPDX-License-Identifier: ISC */
/*
 * import_uptimerobot: {"stat":"ok","monitors":[...]} of API v2's getMonitors, best asked for with
 * alert_contacts=1, mwindows=1, custom_http_headers=1, custom_http_statuses=1 and http_request_details=1
 * (what was not asked for is told), and all its pages: as a list, or one behind the other.
 *
 * Absent numbers come as "" or null, and numbers as strings, so values are read leniently. Every key of a
 * monitor is in one of two tables: those that are looked at, and those that are history; any other one that
 * holds something is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "base/sign.h"
#include "prober/commands/import.h"
#include "prober/notify/channel.h"

#define STATUS_MAX 600

struct source {
	struct import *import;
	const cJSON *in;  /* a monitor of the answer */
	cJSON *out;       /* and what it becomes */
	const char *name; /* what people call it */
};

/* ---- reading leniently */

static const cJSON *get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool empty(const cJSON *value)
{
	if (!value || cJSON_IsNull(value) || (cJSON_IsString(value) && !value->valuestring[0]))
		return true;
	return (cJSON_IsArray(value) || cJSON_IsObject(value)) && !value->child;
}

static const char *get_text(const cJSON *object, const char *key)
{
	const cJSON *value = get(object, key);

	return cJSON_IsString(value) && value->valuestring[0] ? value->valuestring : NULL;
}

static int64_t get_number(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *value = get(object, key);
	int64_t number;

	if (cJSON_IsNumber(value) && value->valuedouble > -1e15 && value->valuedouble < 1e15)
		return (int64_t)value->valuedouble;
	if (cJSON_IsString(value) && text_to_i64(value->valuestring, &number))
		return number;
	return fallback;
}

/* An id, number or string, as text; the caller frees. */
static char *get_id(const cJSON *object)
{
	struct text t = TEXT_INIT;
	const char *text = get_text(object, "id");

	if (text)
		return mem_str(text);
	text_printf(&t, "%lld", (long long)get_number(object, "id", 0));
	return text_take(&t);
}

/* ---- what is lost */

/* Tells of a member as it stands there; `of` is what it is a part of, "" for the monitor itself. */
static void lose(const struct source *s, const char *of, const cJSON *value)
{
	char *shown = import_shown(value);

	import_lost(s->import, "%s: %s%s%s%s%s", s->name, of, *of ? " " : "",
		value->string ? value->string : "", value->string ? " " : "", shown);
	free(shown);
}

/* ---- writing */

static void put_seconds(cJSON *out, const char *key, int64_t seconds)
{
	struct text t = TEXT_INIT;

	calendar_put_duration(&t, seconds * 1000);
	cJSON_AddStringToObject(out, key, text_str(&t));
	text_free(&t);
}

static void put_random(cJSON *out, const char *key)
{
	struct text t = TEXT_INIT;
	uint8_t bytes[16];

	sign_random(bytes, sizeof(bytes));
	sign_hex(&t, bytes, sizeof(bytes));
	cJSON_AddStringToObject(out, key, text_str(&t));
	text_free(&t);
}

/* ---- what HTTP monitors have */

static void put_method(const struct source *s)
{
	static const char *const methods[] = {"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	int64_t n = get_number(s->in, "http_method", 0);

	if (n >= 1 && n <= (int64_t)COUNT_OF(methods))
		cJSON_AddStringToObject(s->out, "method", methods[n - 1]);
	else if (n)
		import_lost(s->import, "%s: http_method %lld", s->name, (long long)n);
}

enum { HTTP_AUTH_BASIC = 1, HTTP_AUTH_DIGEST };

static void put_auth(const struct source *s)
{
	const char *user = get_text(s->in, "http_username"), *password = get_text(s->in, "http_password");
	cJSON *auth, *basic;

	int64_t type = get_number(s->in, "http_auth_type", HTTP_AUTH_BASIC);

	if (!user)
		return;
	if (get(s->out, "auth")) {
		import_lost(s->import, "%s: user %s, for its address names another one", s->name, user);
		return;
	}
	if (type > HTTP_AUTH_BASIC) {
		import_lost(s->import, "%s: %s authentication (user %s)", s->name,
			type == HTTP_AUTH_DIGEST ? "digest" : "another kind of", user);
		return;
	}
	auth = cJSON_AddObjectToObject(s->out, "auth");
	basic = cJSON_AddArrayToObject(auth, "basic");
	cJSON_AddItemToArray(basic, cJSON_CreateString(user));
	cJSON_AddItemToArray(basic, cJSON_CreateString(password ? password : "?"));
	if (!password)
		import_lost(s->import, "%s: the password of user %s is not in the file: put it into \"auth\"",
			s->name, user);
}

static void put_headers(const struct source *s)
{
	const cJSON *headers = get(s->in, "custom_http_headers"), *header;
	bool json = get_number(s->in, "post_content_type", 0) == 1 && !empty(get(s->in, "post_value"));
	cJSON *out = cJSON_CreateObject();

	cJSON_ArrayForEach(header, headers)
		if (!header->string || !cJSON_IsString(header) || cJSON_GetObjectItem(out, header->string))
			lose(s, "custom_http_headers", header);
		else
			cJSON_AddStringToObject(out, header->string, header->valuestring);
	if (json && !cJSON_GetObjectItem(out, "Content-Type")) /* in any case */
		cJSON_AddStringToObject(out, "Content-Type", "application/json");
	if (out->child)
		cJSON_AddItemToObject(s->out, "headers", out);
	else
		cJSON_Delete(out);
}

/* Key-value bodies are sent as a form. */
static void put_body(const struct source *s)
{
	const cJSON *value = get(s->in, "post_value"), *pair;
	struct text form = TEXT_INIT;

	if (empty(value))
		return;
	if (cJSON_IsString(value)) {
		cJSON_AddStringToObject(s->out, "body", value->valuestring);
		return;
	}
	cJSON_ArrayForEach(pair, value) {
		if (!cJSON_IsString(pair) || !pair->string) {
			lose(s, "post_value", pair);
			continue;
		}
		text_raw(&form, form.len ? "&" : "");
		text_url(&form, pair->string);
		text_char(&form, '=');
		text_url(&form, pair->valuestring);
	}
	cJSON_AddStringToObject(s->out, "body", text_str(&form));
	text_free(&form);
}

static void put_ranges(const bool *up, struct text *t)
{
	for (int from = 100, to; from < STATUS_MAX; from = to + 1) {
		for (to = from; to < STATUS_MAX && up[to] == up[from]; to++)
			;
		to--;
		if (!up[from])
			continue;
		text_printf(t, "%s%d", t->len ? "," : "", from);
		if (to > from)
			text_printf(t, "-%d", to);
	}
}

/* "404:1_302:0": statuses that are up or down beside the usual ones. */
static void put_statuses(const struct source *s)
{
	const char *list = get_text(s->in, "custom_http_statuses");
	bool up[STATUS_MAX + 1] = {false};
	struct text t = TEXT_INIT;

	if (!list)
		return;
	for (int i = 200; i < 400; i++)
		up[i] = true;
	while (*list) {
		char *end;
		unsigned long status = strtoul(list, &end, 10);

		if (end == list || *end != ':' || (end[1] != '0' && end[1] != '1') || status >= STATUS_MAX) {
			import_lost(s->import, "%s: custom_http_statuses \"%s\"", s->name,
				get_text(s->in, "custom_http_statuses"));
			text_free(&t);
			return;
		}
		up[status] = end[1] == '1';
		list = end + 2 + (end[2] == '_');
	}
	put_ranges(up, &t);
	cJSON_AddStringToObject(s->out, "status", text_str(&t));
	text_free(&t);
}

/* A user name and password in the address belong into "auth" here. */
static void put_url(const struct source *s)
{
	const char *url = get_text(s->in, "url"), *scheme = url ? strstr(url, "://") : NULL, *authority, *at;
	struct text plain = TEXT_INIT;
	cJSON *basic;
	size_t user;

	authority = scheme ? scheme + 3 : "";
	at = authority + strcspn(authority, "@/?#");
	if (!scheme)
		import_lost(s->import, "%s: its address, \"%s\", does not say http:// or https://", s->name,
			url ? url : "");
	if (!scheme || *at != '@') {
		text_printf(&plain, "%s%s", scheme ? "" : "http://", url ? url : "unknown.invalid");
		cJSON_AddStringToObject(s->out, "url", text_str(&plain));
		text_free(&plain);
		return;
	}
	text_rawn(&plain, url, (size_t)(authority - url));
	text_raw(&plain, at + 1);
	cJSON_AddStringToObject(s->out, "url", text_str(&plain));
	basic = cJSON_AddArrayToObject(cJSON_AddObjectToObject(s->out, "auth"), "basic");
	for (const char *part = authority; part < at; part += user + 1) {
		text_clear(&plain);
		user = part == authority ? strcspn(part, ":@") : (size_t)(at - part);
		text_percent_decode(&plain, part, user, false);
		cJSON_AddItemToArray(basic, cJSON_CreateString(text_str(&plain)));
	}
	text_free(&plain);
}

static void put_http(const struct source *s)
{
	put_url(s);
	put_method(s);
	put_auth(s);
	put_headers(s);
	put_body(s);
	put_statuses(s);
	if (get_number(s->in, "ignore_ssl_errors", 0) == 1 ||
		get_number(get(s->in, "ssl"), "ignore_errors", 0) == 1)
		cJSON_AddFalseToObject(s->out, "verify");
}

/* ---- types */

static void make_http(const struct source *s)
{
	put_http(s);
}

static void make_keyword(const struct source *s)
{
	const char *keyword = get_text(s->in, "keyword_value");

	put_http(s);
	if (!keyword) {
		import_lost(s->import, "%s: its keyword is not in the file; without it, it is of type http", s->name);
		cJSON_ReplaceItemInObjectCaseSensitive(s->out, "type", cJSON_CreateString("http"));
		return;
	}
	cJSON_AddStringToObject(s->out, "keyword", keyword);
	if (get_number(s->in, "keyword_type", 2) == 1) /* down when it exists */
		cJSON_AddTrueToObject(s->out, "absent");
	if (get_number(s->in, "keyword_case_type", 0) == 1)
		cJSON_AddTrueToObject(s->out, "ignore_case");
	if (!get(s->out, "status")) /* there, the status of a keyword monitor does not matter */
		cJSON_AddStringToObject(s->out, "status", "100-599");
}

/* The host of "host", "host:port", "https://host/path", "[2001:db8::1]" or "2001:db8::1"; the caller
   frees. */
static char *host_of(const char *url)
{
	const char *s = url ? url : "", *scheme = strstr(s, "://"), *colon;

	if (scheme)
		s = scheme + 3;
	if (*s == '[')
		return mem_strn(s + 1, strcspn(s + 1, "]"));
	colon = strchr(s, ':');
	if (colon && strchr(colon + 1, ':'))
		return mem_strn(s, strcspn(s, "/?#"));
	return mem_strn(s, strcspn(s, "/:?#"));
}

static void put_host(const struct source *s)
{
	char *host = host_of(get_text(s->in, "url"));

	if (!*host)
		import_lost(s->import, "%s: its host is not in the file", s->name);
	cJSON_AddStringToObject(s->out, "host", *host ? host : "unknown.invalid");
	free(host);
}

static void make_ping(const struct source *s)
{
	put_host(s);
}

static void make_port(const struct source *s)
{
	static const int ports[] = {0, 80, 443, 21, 25, 110, 143};
	int64_t sub_type = get_number(s->in, "sub_type", 99);
	int64_t port = get_number(s->in, "port", 0);

	if (!port && sub_type > 0 && sub_type < (int64_t)COUNT_OF(ports))
		port = ports[sub_type];
	if (!port)
		import_lost(s->import, "%s: its port is not in the file", s->name);
	put_host(s);
	cJSON_AddNumberToObject(s->out, "port", port ? (double)port : 80);
}

static void make_heartbeat(const struct source *s)
{
	int64_t interval = get_number(s->in, "interval", 300);

	cJSON_DeleteItemFromObjectCaseSensitive(s->out, "interval");
	cJSON_DeleteItemFromObjectCaseSensitive(s->out, "timeout");
	put_random(s->out, "token");
	put_seconds(s->out, "max_age", interval + get_number(s->in, "grace_period", 0));
	import_lost(s->import, "%s: the program must call its new address, /ping/TOKEN, instead of %s",
		s->name, get_text(s->in, "url") ? get_text(s->in, "url") : "UptimeRobot's");
}

static const struct {
	int64_t code;
	const char *type;
	void (*make)(const struct source *s);
} types[] = {
	{1, "http", make_http},
	{2, "keyword", make_keyword},
	{3, "ping", make_ping},
	{4, "port", make_port},
	{5, "heartbeat", make_heartbeat},
};

/* ---- who is told */

static const struct {
	int64_t code;
	const char *name, *channel; /* the type here, or NULL */
} contacts[] = {
	{1, "SMS", NULL},
	{2, "e-mail", "mail"},
	{3, "Twitter", NULL},
	{4, "Boxcar", NULL},
	{5, "web-hook", "webhook"},
	{6, "Pushbullet", NULL},
	{7, "Zapier", NULL},
	{8, "SMS", NULL},
	{9, "Pushover", NULL},
	{11, "Slack", "slack"},
	{14, "voice call", NULL},
	{15, "Splunk", NULL},
	{16, "PagerDuty", NULL},
	{17, "Opsgenie", NULL},
	{18, "Telegram", NULL},
	{20, "Teams", "teams"},
	{21, "Google Chat", NULL},
	{23, "Discord", "discord"},
};

static void put_mail(struct import *import, cJSON *channel, const char *name, const char *address)
{
	cJSON *to = cJSON_AddArrayToObject(channel, "to");

	cJSON_AddItemToArray(to, cJSON_CreateString(address));
	cJSON_AddStringToObject(channel, "from", address);
	cJSON_AddStringToObject(channel, "smtp", "smtp://127.0.0.1:25");
	import_lost(import, "channel %s: say in \"from\" and \"smtp\" how mail is sent from here", name);
}

/* A channel whose address is a URL: whichever key the type has for it. */
static bool put_url_channel(
	struct import *import, cJSON *channel, const char *type_name, const char *name, const char *url)
{
	const struct channel_type *type = channel_type_by_name(type_name);
	static const char *const keys[] = {"webhook", "url"};

	for (size_t i = 0; type && strncmp(url, "http", 4) == 0 && i < COUNT_OF(keys); i++) {
		if (!fields_find(type->fields, type->field_count, keys[i]))
			continue;
		cJSON_AddStringToObject(channel, keys[i], url);
		if (strcmp(type_name, "webhook") == 0) {
			put_random(channel, "secret");
			import_lost(
				import, "channel %s: what is sent has another form than UptimeRobot's", name);
		}
		return true;
	}
	return false;
}

/* Makes the channel of a contact, once; false when there is none like it. */
static bool make_channel(struct import *import, const cJSON *contact, const char *name)
{
	int64_t code = get_number(contact, "type", 0);
	const char *value = get_text(contact, "value"), *type = NULL, *called = "unknown kind";
	cJSON *channel;
	bool good;

	if (get(import->channels, name))
		return true;
	for (size_t i = 0; i < COUNT_OF(contacts); i++)
		if (contacts[i].code == code) {
			type = contacts[i].channel;
			called = contacts[i].name;
		}
	channel = cJSON_CreateObject();
	cJSON_AddStringToObject(channel, "type", type ? type : "");
	good = type && value;
	if (good && strcmp(type, "mail") == 0)
		put_mail(import, channel, name, value);
	else if (good)
		good = put_url_channel(import, channel, type, name, value);
	if (good)
		cJSON_AddItemToObject(import->channels, name, channel);
	else
		cJSON_Delete(channel);
	if (!good)
		import_lost(import,
			"alert contact %s (%s%s%s): what it needs is not in the file; add a channel and name "
			"it "
			"in \"notify\"",
			name, called, value ? " " : "", value ? value : "");
	return good;
}

static void put_entry(cJSON *notify, const cJSON *contact, const char *name)
{
	int64_t after = get_number(contact, "threshold", 0), repeat = get_number(contact, "recurrence", 0);
	cJSON *entry;

	if (after <= 0 && repeat <= 0) {
		cJSON_AddItemToArray(notify, cJSON_CreateString(name));
		return;
	}
	entry = cJSON_CreateObject();
	cJSON_AddStringToObject(entry, "channel", name);
	if (after > 0)
		put_seconds(entry, "after", after * 60);
	if (repeat > 0)
		put_seconds(entry, "repeat", repeat * 60);
	cJSON_AddItemToArray(notify, entry);
}

static void put_notify(const struct source *s)
{
	cJSON *notify = cJSON_CreateArray();
	const cJSON *contact;

	cJSON_ArrayForEach(contact, get(s->in, "alert_contacts")) {
		struct text name = TEXT_INIT;
		char *id = get_id(contact);

		text_printf(&name, "contact-%s", id);
		if (make_channel(s->import, contact, text_str(&name)))
			put_entry(notify, contact, text_str(&name));
		text_free(&name);
		free(id);
	}
	if (notify->child)
		cJSON_AddItemToObject(s->out, "notify", notify);
	else
		cJSON_Delete(notify);
}

/* ---- maintenance */

enum { WINDOW_TYPE_ONCE = 1, WINDOW_TYPE_DAILY, WINDOW_TYPE_WEEKLY, WINDOW_TYPE_MONTHLY };

/* "1-3-5" -> "1,3,5" as a cron field; false for what cron cannot say (the last day of a month). */
static bool put_days(struct text *t, const char *value)
{
	if (!value || !*value || value[0] == '-' || strstr(value, "--") ||
		strspn(value, "0123456789-,") != strlen(value))
		return false;
	for (; *value; value++)
		text_char(t, *value == '-' ? ',' : *value);
	return true;
}

static bool put_window(struct text *t, const cJSON *window)
{
	int64_t type = get_number(window, "type", 0), minutes = get_number(window, "duration", 0);
	const char *start = get_text(window, "start_time"), *value = get_text(window, "value");
	int hour = 0, minute = 0;

	if (minutes <= 0)
		return false;
	if (type == WINDOW_TYPE_ONCE) {
		int64_t from = get_number(window, "start_time", 0);

		calendar_put_iso(t, from);
		text_printf(t, " for %lldm", (long long)minutes);
		return from > 0;
	}
	if (!start || sscanf(start, "%2d:%2d", &hour, &minute) != 2)
		return false;
	text_printf(t, "cron %d %d ", minute, hour);
	if (type == WINDOW_TYPE_MONTHLY && !put_days(t, value))
		return false;
	text_raw(t, type == WINDOW_TYPE_MONTHLY ? " * " : "* * ");
	if (type == WINDOW_TYPE_WEEKLY && !put_days(t, value))
		return false;
	text_printf(t, "%s for %lldm", type == WINDOW_TYPE_WEEKLY ? "" : "*", (long long)minutes);
	return type >= WINDOW_TYPE_DAILY && type <= WINDOW_TYPE_MONTHLY;
}

static void put_one_window(const struct source *s, cJSON *list, const cJSON *window)
{
	const char *given = get_text(window, "friendly_name"), *name = given ? given : "";
	struct text t = TEXT_INIT;

	if (get_number(window, "status", 1) == 0) {
		import_lost(s->import, "%s: the maintenance window \"%s\" is paused", s->name, name);
	} else if (put_window(&t, window)) {
		cJSON_AddItemToArray(list, cJSON_CreateString(text_str(&t)));
		if (strncmp(text_str(&t), "cron", 4) == 0)
			import_lost(s->import, "%s: is \"timezone\" that of the maintenance window \"%s\"?",
				s->name, text_str(&t));
	} else {
		import_lost(s->import, "%s: the maintenance window \"%s\"", s->name, name);
	}
	text_free(&t);
}

static void put_maintenance(const struct source *s)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *window;

	cJSON_ArrayForEach(window, get(s->in, "mwindows"))
		put_one_window(s, list, window);
	if (list->child)
		cJSON_AddItemToObject(s->out, "maintenance", list);
	else
		cJSON_Delete(list);
}

/* ---- one monitor */

static const char *const handled[] = {"id", "friendly_name", "url", "type", "sub_type", "keyword_type",
	"keyword_case_type", "keyword_value", "http_username", "http_password", "http_auth_type",
	"http_method", "port", "interval", "timeout", "status", "alert_contacts", "mwindows", "post_type",
	"post_value", "post_content_type", "custom_http_headers", "custom_http_statuses", "ignore_ssl_errors",
	"grace_period", "ssl"};

/* In "ssl": that the registration of the domain ends is not told. */
#define NO_DOMAIN "disable_domain_expire_notifications"

/* What it was, not how it is set up. */
static const char *const history[] = {"create_datetime", "logs", "response_times", "average_response_time",
	"custom_uptime_ratio", "custom_uptime_ratios", "custom_uptime_ranges", "custom_down_durations",
	"all_time_uptime_ratio", "all_time_uptime_durations", "timezone"};

static bool is_listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Zero, false and "" are the absence of something. */
static bool says_nothing(const cJSON *value)
{
	return empty(value) || cJSON_IsFalse(value) ||
	       (cJSON_IsNumber(value) && !(value->valuedouble < 0) && !(value->valuedouble > 0)) ||
	       (cJSON_IsString(value) && strcmp(value->valuestring, "0") == 0);
}

/* What should be a list (of contacts, windows) or an object (of headers), and is something else. */
static void say_shapeless(const struct source *s)
{
	static const char *const lists[] = {"alert_contacts", "mwindows", "custom_http_headers"};

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		const cJSON *value = get(s->in, lists[i]);

		if (!says_nothing(value) && !cJSON_IsArray(value) && !cJSON_IsObject(value))
			lose(s, "", value);
	}
	if (get_number(s->in, "interval", 1) <= 0)
		lose(s, "", get(s->in, "interval"));
}

static void say_unknown(const struct source *s)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, s->in) {
		if (!value->string || is_listed(handled, COUNT_OF(handled), value->string) ||
			is_listed(history, COUNT_OF(history), value->string) || says_nothing(value))
			continue;
		lose(s, "", value);
	}
}

static void say_ssl(const struct source *s)
{
	static const char *const told[] = {"brand", "product", "expires", "ignore_errors", NO_DOMAIN};
	const cJSON *value;

	cJSON_ArrayForEach(value, get(s->in, "ssl"))
		if (value->string && !is_listed(told, COUNT_OF(told), value->string) && !says_nothing(value))
			lose(s, "ssl", value);
}

static void put_common(const struct source *s)
{
	int64_t interval = get_number(s->in, "interval", 300), timeout = get_number(s->in, "timeout", 0);

	cJSON_AddStringToObject(s->out, "name", s->name);
	if (interval > 0)
		put_seconds(s->out, "interval", interval);
	if (timeout > 0)
		put_seconds(s->out, "timeout", timeout);
	if (get_number(s->in, "status", 2) == 0)
		cJSON_AddTrueToObject(s->out, "paused");
}

static void import_monitor(struct import *import, const cJSON *in)
{
	const char *name = get_text(in, "friendly_name");
	int64_t code = get_number(in, "type", 0);
	char *id = get_id(in), *slug = import_slug(import, name ? name : "", id);
	struct source s = {import, in, cJSON_CreateObject(), name ? name : slug};
	bool made = false;

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (types[i].code != code)
			continue;
		cJSON_AddStringToObject(s.out, "type", types[i].type);
		put_common(&s);
		types[i].make(&s);
		put_notify(&s);
		put_maintenance(&s);
		made = true;
	}
	say_unknown(&s);
	say_ssl(&s);
	say_shapeless(&s);
	if (made) {
		cJSON_AddItemToObject(import->monitors, slug, s.out);
	} else {
		import_lost(import, "%s: a monitor of type %lld", s.name, (long long)code);
		cJSON_Delete(s.out);
	}
	free(slug);
	free(id);
}

/* ---- the answer and its pages */

/* What getMonitors gives only to those who ask for it: without it nothing says that there was something. */
static const char *const asked_for[] = {
	"alert_contacts", "mwindows", "custom_http_headers", "custom_http_statuses"};

static void say_not_asked_for(struct import *import, const bool *there)
{
	struct text list = TEXT_INIT;

	for (size_t i = 0; i < COUNT_OF(asked_for); i++)
		if (!there[i])
			text_printf(&list, "%s%s=1", list.len ? ", " : "", asked_for[i]);
	if (list.len)
		import_lost(import,
			"what was not asked for is not in the file: if you use it, call getMonitors with %s",
			text_str(&list));
	text_free(&list);
}

/* There, 401 is as good as 200 where no user is given. */
static void say_unauthorized(struct import *import)
{
	const cJSON *monitor;

	cJSON_ArrayForEach(monitor, import->monitors) {
		const char *type = get_text(monitor, "type");

		if (!type || strcmp(type, "http") != 0 || get(monitor, "auth") || get(monitor, "status"))
			continue;
		import_lost(import, "an http monitor without a user is up at UptimeRobot when it answers 401, too: here "
			"its \"status\" would say \"200-399,401\"");
		return;
	}
}

struct answer {
	char **ids; /* of the monitors that were imported; owned */
	size_t id_count;
	bool there[COUNT_OF(asked_for)];
	int64_t total;
	size_t domains; /* so many watch the registration of their domain, too */
};

/* The end of a certificate is told here as there; this is not. */
static void say_domains(struct import *import, size_t n)
{
	if (n > 0)
		import_lost(import,
			"nothing here tells that the registration of a domain ends, as it did for %zu of them", n);
}

/* Was it on a page before? Pages that overlap have some twice. */
static bool seen_before(struct answer *answer, const cJSON *monitor)
{
	char *id = get_id(monitor);

	for (size_t i = 0; i < answer->id_count; i++)
		if (get(monitor, "id") && strcmp(answer->ids[i], id) == 0) {
			free(id);
			return true;
		}
	answer->ids = mem_grow(answer->ids, answer->id_count + 1, sizeof(answer->ids[0]));
	answer->ids[answer->id_count++] = id;
	return false;
}

static bool import_page(struct import *import, const cJSON *page, struct answer *answer, struct error *err)
{
	const cJSON *monitors = get(page, "monitors"), *monitor;
	const char *stat = get_text(page, "stat");
	int64_t total = get_number(get(page, "pagination"), "total", 0);

	if (stat && strcmp(stat, "ok") != 0)
		return error_set(err, ERROR_INPUT, "the file holds an error of UptimeRobot, not monitors: %s",
			get_text(get(page, "error"), "message") ? get_text(get(page, "error"), "message") : stat);
	if (!cJSON_IsArray(monitors))
		return error_set(
			err, ERROR_INPUT, "the file holds no \"monitors\": save the answer of getMonitors");
	if (total > answer->total)
		answer->total = total;
	cJSON_ArrayForEach(monitor, monitors) {
		if (seen_before(answer, monitor))
			continue;
		for (size_t i = 0; i < COUNT_OF(asked_for); i++)
			answer->there[i] = answer->there[i] || get(monitor, asked_for[i]);
		answer->domains += get(get(monitor, "ssl"), NO_DOMAIN) &&
				   get_number(get(monitor, "ssl"), NO_DOMAIN, 0) == 0;
		import->found++;
		import_monitor(import, monitor);
	}
	return true;
}

bool import_uptimerobot(struct import *import, const cJSON *file, struct error *err)
{
	struct answer answer = {NULL, 0, {false}, 0, 0};
	const cJSON *page;
	bool good = true;

	if (cJSON_IsArray(file)) {
		good = file->child || error_set(err, ERROR_INPUT, "the file holds no answer of getMonitors");
		cJSON_ArrayForEach(page, file)
			good = good && import_page(import, page, &answer, err);
	} else {
		good = import_page(import, file, &answer, err);
	}
	for (size_t i = 0; i < answer.id_count; i++)
		free(answer.ids[i]);
	free(answer.ids);
	if (!good)
		return false;
	if (answer.total > (int64_t)import->found)
		import_lost(import,
			"the file holds %zu of %lld monitors: save the answers for the other offsets too",
			import->found, (long long)answer.total);
	if (import->found) {
		say_not_asked_for(import, answer.there);
		say_unauthorized(import);
		say_domains(import, answer.domains);
		import_lost(import, "history (logs, response times, uptime ratios) stays where it is");
	}
	return true;
}
