/* SPDX-License-Identifier: ISC */
/*
 * monitor: names of states and events, what may be a slug or a token, and freeing.
 */
#include "model/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const STATE_NAMES[STATE__COUNT] = {
	[STATE_PENDING] = "pending",
	[STATE_UP] = "up",
	[STATE_SUSPECT] = "suspect",
	[STATE_DOWN] = "down",
	[STATE_UNKNOWN] = "unknown",
	[STATE_PAUSED] = "paused",
};

static const char *const EVENT_NAMES[EVENT__COUNT] = {
	[EVENT_DOWN] = "down",
	[EVENT_UP] = "up",
	[EVENT_UNKNOWN] = "unknown",
	[EVENT_SLOW] = "slow",
	[EVENT_CERTIFICATE] = "certificate",
	[EVENT_FLAPPING] = "flapping",
	[EVENT_MAINTENANCE] = "maintenance",
	[EVENT_TEST] = "test",
	[EVENT_DIGEST] = "digest",
};

/* The index of name in names, or n. */
static size_t name_index(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

const char *monitor_state_name(enum monitor_state state)
{
	return (unsigned)state < STATE__COUNT ? STATE_NAMES[state] : "unknown";
}

bool monitor_state_parse(const char *name, enum monitor_state *out)
{
	size_t i = name_index(STATE_NAMES, STATE__COUNT, name);

	if (i == STATE__COUNT)
		return false;
	*out = (enum monitor_state)i;
	return true;
}

const char *event_name(enum event_kind event)
{
	return (unsigned)event < EVENT__COUNT ? EVENT_NAMES[event] : "unknown";
}

bool event_parse(const char *name, enum event_kind *out)
{
	size_t i = name_index(EVENT_NAMES, EVENT__COUNT, name);

	if (i == EVENT__COUNT)
		return false;
	*out = (enum event_kind)i;
	return true;
}

void strings_free(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void secret_free(char *secret)
{
	if (secret)
		sign_wipe(secret, strlen(secret));
	free(secret);
}

void heartbeat_rules_clear(struct heartbeat_rules *rules)
{
	for (size_t i = 0; i < rules->secret_count; i++)
		secret_free(rules->secrets[i]);
	free(rules->secrets);
	secret_free(rules->token);
	free(rules->schedule);
	free(rules->timezone);
	*rules = (struct heartbeat_rules){0};
}

static void notify_free(struct notify_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rules[i].channel);
		free(rules[i].hours);
	}
	free(rules);
}

static void sources_free(struct monitor_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(sources[i].from);
		free(sources[i].name);
	}
	free(sources);
}

void monitor_clear(struct monitor *monitor)
{
	free(monitor->slug);
	free(monitor->type);
	free(monitor->name);
	free(monitor->group);
	strings_free(monitor->tags, monitor->tag_count);
	strings_free(monitor->places, monitor->place_count);
	strings_free(monitor->depends_on, monitor->depends_count);
	notify_free(monitor->notify, monitor->notify_count);
	strings_free(monitor->maintenance, monitor->maintenance_count);
	free(monitor->runbook);
	free(monitor->options);
	sources_free(monitor->sources, monitor->source_count);
	if (monitor->heartbeat) {
		heartbeat_rules_clear(monitor->heartbeat);
		free(monitor->heartbeat);
	}
	*monitor = (struct monitor){0};
}

/* The C library's isalnum() asks the locale; these are bytes of URLs. */
static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool monitor_slug_valid(const char *s, size_t n)
{
	static const char *const VERBS[] = {"start", "fail", "log"};

	if (n < 1 || n > SLUG_MAX || !is_lower_or_digit(s[0]))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!is_lower_or_digit(s[i]) && s[i] != '.' && s[i] != '_' && s[i] != '-')
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(VERBS); i++) {
		if (strlen(VERBS[i]) == n && memcmp(VERBS[i], s, n) == 0)
			return false;
	}
	return true;
}

bool monitor_token_valid(const char *s, size_t n)
{
	if (n < 8 || n > 64)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool upper = s[i] >= 'A' && s[i] <= 'Z';

		if (!is_lower_or_digit(s[i]) && !upper && s[i] != '_' && s[i] != '-')
			return false;
	}
	return true;
}
