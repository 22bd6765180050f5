/* SPDX-License-Identifier: ISC */
/*
 * check_heartbeat: a program that nobody can reach from outside beats in time. Nothing is dialled: the web
 * program heard the beats, and this looks into its book.
 *
 * Its keys are published as struct heartbeat_rules, because the web program needs them too; the look goes by
 * those. Before its first beat a heartbeat is not armed: the look is unknown and says so.
 */
#include "prober/check/heartbeat.h"

#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* ---- its keys */

static bool schedule_valid(const void *value, struct text *why)
{
	const char *literal = NULL;
	struct cron cron;

	if (calendar_parse_cron(*(char *const *)value, &cron, &literal))
		return true;
	text_printf(why, "must be a cron expression such as \"30 2 * * *\": %s", literal ? literal : "it is none");
	return false;
}

static bool timezone_valid(const void *value, struct text *why)
{
	if (calendar_zone(*(char *const *)value))
		return true;
	text_raw(why, "must be a time zone such as \"Asia/Taipei\" or \"UTC\"");
	return false;
}

static bool token_valid(const void *value, struct text *why)
{
	const char *token = *(char *const *)value;

	if (monitor_token_valid(token, strlen(token)))
		return true;
	text_raw(why, "must be 8 to 64 letters, digits, - or _");
	return false;
}

static const char *const signatures[] = {"any", "sha256", NULL};

#define AT(member) .offset = offsetof(struct heartbeat_options, member)
#define DAYS_MS(n) ((n) * 86400000.0)
static const struct field fields[] = {
	{.name = "secret", .type = FIELD_SECRETS, AT(secret), .min = 0, .max = 8,
		.help = "What beats are signed with; a list while it is being replaced."},
	{.name = "signature", .type = FIELD_CHOICE, AT(signature), .fallback = "any", .choices = signatures,
		.help = "With sha256, signatures by SHA-1 are refused."},
	{.name = "token", .type = FIELD_SECRET, AT(token), .valid = token_valid,
		.help = "For clients that cannot sign: part of the URL /ping/TOKEN."},
	{.name = "max_age", .type = FIELD_DURATION, AT(max_age_ms), .min = 1000, .max = DAYS_MS(400),
		.help = "How old the newest beat may be; 5m when there is no schedule."},
	{.name = "schedule", .type = FIELD_STRING, AT(schedule), .valid = schedule_valid,
		.help = "When beats are expected: a cron expression."},
	{.name = "grace", .type = FIELD_DURATION, AT(grace_ms), .min = 1000, .max = DAYS_MS(30),
		.help = "How long after a scheduled time a beat may come; 5m when not given. Also how long a run may "
			"take from its start on; as long as max_age where there is no schedule and this is not given."},
	{.name = "timezone", .type = FIELD_STRING, AT(timezone), .valid = timezone_valid,
		.help = "Of the schedule; the site's when not given."},
	{.name = "window", .type = FIELD_DURATION, AT(window_ms), .fallback = "5m", .min = 1000, .max = DAYS_MS(1),
		.help = "How far the client's clock may be from ours."},
};

static bool validate(const void *value, struct text *why)
{
	const struct heartbeat_options *options = value;

	if (options->schedule && options->max_age_ms) {
		text_raw(why, "has both \"max_age\" and \"schedule\": one of them says when a beat is late");
		return false;
	}
	if (options->secret.n == 0 && !options->token) {
		text_raw(why, "needs a \"secret\" that beats are signed with, or a \"token\"");
		return false;
	}
	return true;
}

void heartbeat_rules_make(const struct heartbeat_options *options, const char *site_timezone,
	struct heartbeat_rules *out)
{
	*out = (struct heartbeat_rules){0};
	out->secrets = mem_array(options->secret.n + 1, sizeof(out->secrets[0]));
	for (size_t i = 0; i < options->secret.n; i++)
		out->secrets[out->secret_count++] = mem_str(options->secret.at[i]);
	out->sha256_only = options->signature && strcmp(options->signature, "sha256") == 0;
	out->token = mem_str(options->token);
	out->schedule = mem_str(options->schedule);
	if (!options->schedule)
		out->max_age_ms = options->max_age_ms ? options->max_age_ms : HEARTBEAT_MAX_AGE_MS;
	out->grace_ms = options->grace_ms ? options->grace_ms : options->schedule ? HEARTBEAT_GRACE_MS : 0;
	out->timezone = mem_str(options->timezone ? options->timezone : site_timezone ? site_timezone : "UTC");
	out->window_ms = options->window_ms;
}

/* ---- looking */

bool heartbeat_look(struct inbox *inbox, const struct monitor *monitor, int64_t grace_from_us,
	const struct moment *now, struct beat_age *age, int *exit_status, struct error *err)
{
	struct beat_last last = BEAT_LAST_INIT;
	bool found = false;

	if (!inbox_beat_read(inbox, monitor->slug, &last, &found, err))
		return false;
	*age = beat_age(monitor->heartbeat, &last, now, grace_from_us);
	*exit_status = last.exit_status;
	beat_last_clear(&last);
	return true;
}

static void weigh(struct result *result, const struct beat_age *age, int exit_status)
{
	switch (age->freshness) {
	case FRESH:
		result->outcome = OUTCOME_UP;
		return;
	case FRESH_LATE:
		if (age->age_us > 0)
			result_cause_since(result, "no beat", age->age_us);
		else
			result_cause(result, "no beat since our clock was set back");
		break;
	case FRESH_FAILED:
		if (exit_status > 0)
			result_cause(result, "it reported failure, exit status %d", exit_status);
		else
			result_cause(result, "it reported failure");
		break;
	case FRESH_UNFINISHED:
		result_cause(result, "it started and did not finish");
		break;
	case FRESH_NEVER:
	default:
		result->outcome = OUTCOME_UNKNOWN;
		result_cause(result, "no beat yet");
		return;
	}
	result->outcome = OUTCOME_DOWN;
	result->definite = true;
}

static void start(struct check *check)
{
	const struct check_world *world = check->world;
	struct result *result = &check->result;
	struct error err = {0};
	struct beat_age age;
	struct moment now;
	int exit_status;

	clock_now(&now);
	result->outcome = OUTCOME_UNKNOWN;
	if (world->web_failing)
		result_cause(result, "Upbeat's web side is down");
	else if (!world->inbox)
		result_cause(result, "%s", world->inbox_problem ? world->inbox_problem : "no beat yet");
	else if (!heartbeat_look(world->inbox, check->monitor, world->grace_from_us, &now, &age, &exit_status, &err))
		result_cause(result, "%s", err.text);
	else
		weigh(result, &age, exit_status);
	result->timings.total_us = 0;
	check_finish(check);
}

const struct check_type check_heartbeat = {
	.name = "heartbeat",
	.help = "A program beats in time.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct heartbeat_options),
	.validate = validate,
	.start = start,
	.passive = true,
};
