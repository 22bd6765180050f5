/* SPDX-License-Identifier: ISC */
/*
 * rows: the keys of upbeat.json that belong to no type of check or channel: those at the top, those
 * that every monitor has, and the small objects below them. A new key is a new row here.
 */
#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "model/sighting.h"
#include "model/window.h"
#include "prober/config/reading.h"

#define SECOND_MS 1000.0
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define YEAR_MS (366 * DAY_MS)
#define SOURCE_NUMBER_MAX 9007199254740992.0 /* JSON's numbers are exact below */

/* ---- further checks of values */

static bool check_timezone(const void *value, struct text *why)
{
	const char *name = *(char *const *)value;

	if (calendar_zone(name))
		return true;
	text_raw(why, "must be a time zone of this system, such as \"Asia/Taipei\" or \"UTC\"");
	return false;
}

static bool check_store(const void *value, struct text *why)
{
	if (**(char *const *)value)
		return true;
	text_raw(why, "must name a directory");
	return false;
}

/* From elsewhere no picture is loaded: pages may show only what their own host has. */
static bool check_logo(const void *value, struct text *why)
{
	const char *path = *(char *const *)value;

	if (path[0] == '/' && path[1] != '/' && path[strcspn(path, " \\\"<>")] == '\0')
		return true;
	text_raw(why, "must be a path on the host of the pages, such as \"/logo.svg\"");
	return false;
}

static bool check_hours(const void *value, struct text *why)
{
	const char *literal = "these are days, not hours";
	struct window hours;

	if (window_parse(*(char *const *)value, NULL, &hours, &literal) && hours.kind == WINDOW_WEEKLY)
		return true;
	text_printf(why, "must be hours of the week, such as \"mon-fri 09:00-18:00\": %s", literal);
	return false;
}

static bool check_events(const void *value, struct text *why)
{
	const struct strings *events = value;
	const char *names[EVENT__COUNT];
	enum event_kind kind;

	for (size_t i = 0; i < events->n; i++) {
		const char *nearest;

		if (event_parse(events->at[i], &kind))
			continue;
		for (size_t j = 0; j < EVENT__COUNT; j++)
			names[j] = event_name((enum event_kind)j);
		nearest = text_nearest(events->at[i], names, EVENT__COUNT);
		text_printf(why, "has no event \"%s\"%s%s%s", events->at[i],
			nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
		return false;
	}
	return true;
}

static bool check_tags(const void *value, struct text *why)
{
	const struct strings *tags = value;

	for (size_t i = 0; i < tags->n; i++)
		if (strlen(tags->at[i]) > 64) {
			text_raw(why, "must have no tag longer than 64 bytes");
			return false;
		}
	return true;
}

/* The numbers that services give to their checks are taken as they are, with or without quotes. */
static bool is_source_name(const cJSON *name)
{
	if (cJSON_IsNumber(name))
		return name->valuedouble >= 1 && name->valuedouble < SOURCE_NUMBER_MAX &&
		       !(name->valuedouble > floor(name->valuedouble));
	return cJSON_IsString(name) && name->valuestring[0] && strlen(name->valuestring) <= SIGHTING_WORDS_MAX;
}

/* {"uptimerobot": "My shop", "pingdom": ["12345", "My shop"]} */
static bool sources_good(const cJSON *sources, struct text *why)
{
	const cJSON *node, *name;
	bool good = cJSON_IsObject(sources);

	if (!good) {
		text_raw(why, "must be an object, such as {\"uptimerobot\": \"My shop\"}");
		return false;
	}
	cJSON_ArrayForEach(node, sources) {
		if (!sighting_service(node->string)) {
			text_printf(why, "has no service \"%s\": it takes uptimerobot, statuscake and pingdom", node->string);
			return false;
		}
		good = cJSON_IsArray(node) ? cJSON_GetArraySize(node) > 0 : is_source_name(node);
		cJSON_ArrayForEach(name, node)
			good = good && is_source_name(name);
		if (!good) {
			text_printf(why, "must give \"%s\" a name of 1 to %d bytes, a number, or a list of such", node->string,
				SIGHTING_WORDS_MAX);
			return false;
		}
	}
	return good;
}

static bool check_sources(const void *value, struct text *why)
{
	cJSON *sources = cJSON_Parse(*(char *const *)value);
	bool good = sources_good(sources, why);

	cJSON_Delete(sources);
	return good;
}

/* ---- rows */

#define ROW(key, kind, options, member) \
	.name = (key), .type = FIELD_##kind, .offset = offsetof(struct options, member)
#define INNER(rows) .inner = (rows), .inner_count = COUNT_OF(rows)
#define ROWS(name, fields) const struct rows name = {fields, COUNT_OF(fields)}

static const char *const languages[] = {"en", "zh-TW", NULL};
static const char *const audiences[] = {"all", "public", "none", NULL};
static const char *const rights[] = {"read", "write", "ping", "hook", NULL};

static const struct field notify[] = {
	{ROW("channel", STRING, notify_options, channel), .required = true,
		.help = "Name of one of the channels."},
	{ROW("after", DURATION, notify_options, after_ms), .min = 0, .max = 30 * DAY_MS,
		.help = "Tell only what still lasts after this time: escalation."},
	{ROW("repeat", DURATION, notify_options, repeat_ms), .min = MINUTE_MS, .max = 30 * DAY_MS,
		.help = "Tell again this often, until somebody acknowledges it or it ends."},
	{ROW("events", STRINGS, notify_options, events), .valid = check_events,
		.help = "Which of down, up, unknown, slow, certificate, flapping, maintenance; all but "
			"maintenance by "
			"default."},
	{ROW("hours", STRING, notify_options, hours), .valid = check_hours,
		.help = "Only within these hours, such as \"mon-fri 09:00-18:00\"; what happens outside is "
			"told when "
			"they begin."},
};
ROWS(notify_rows, notify);

static const struct field window[] = {
	{ROW("from", STRING, window_options, from),
		.help = "Begin of a single window: \"2026-05-01 02:00\"."},
	{ROW("to", STRING, window_options, to), .help = "Its end."},
	{ROW("for", STRING, window_options, length), .help = "How long it is, instead of its end: \"2h\"."},
	{ROW("days", STRING, window_options, days), .help = "Days of the week: \"sat,sun\"."},
	{ROW("hours", STRING, window_options, hours),
		.help = "Hours of these days, or of each: \"02:00-04:00\"."},
	{ROW("cron", STRING, window_options, cron), .help = "Cron expression of its begins, with \"for\"."},
	{ROW("when", STRING, window_options, when), .help = "All of it as one text."},
	{ROW("timezone", STRING, window_options, timezone), .valid = check_timezone,
		.help = "Of these times; that of the top by default."},
};
ROWS(window_rows, window);

static const struct field api_key[] = {
	{ROW("key", SECRET, api_key_options, key), .required = true,
		.help = "What clients send in X-Api-Key or as a Bearer token."},
	{ROW("may", CHOICE, api_key_options, may), .choices = rights, .fallback = "read",
		.help = "read shows everything; write operates too; ping only opens /ping/KEY/SLUG, and hook "
			"/hook/SERVICE/KEY."},
};
ROWS(api_key_rows, api_key);

static const struct field peer[] = {
	{ROW("url", URL, peer_options, url), .required = true, .help = "Where the other Upbeat is mounted."},
	{ROW("secret", SECRET, peer_options, secret), .required = true,
		.help = "Signs the messages both ways; the same on both sides."},
};
ROWS(peer_rows, peer);

static const struct field retention[] = {
	{ROW("samples", DURATION, retention_options, samples_ms), .fallback = "14d", .min = DAY_MS,
		.max = 10 * YEAR_MS, .help = "How long each result is kept."},
	{ROW("timings", DURATION, retention_options, timings_ms), .fallback = "2d", .min = 0,
		.max = 10 * YEAR_MS,
		.help = "How long the parts of a response time (DNS, connect, TLS, first byte) are kept."},
	{ROW("hours", DURATION, retention_options, hours_ms), .fallback = "400d", .min = 2 * DAY_MS,
		.max = 100 * YEAR_MS,
		.help = "How long hourly figures are kept; daily ones are kept for ever."},
};
ROWS(retention_rows, retention);

static const struct field limit[] = {
	{ROW("active", INT, limit_options, active), .fallback = "50", .min = 1, .max = 1000,
		.help = "Checks that may be busy at the same instant: more of them disturb the times they "
			"measure."},
	{ROW("open", INT, limit_options, open), .fallback = "1000", .min = 1, .max = 100000,
		.help = "Checks that may be waiting for an answer at the same time."},
};
ROWS(limit_rows, limit);

static const struct field top[] = {
	{ROW("$schema", STRING, top_options, schema), .help = "For editors; not looked at."},
	{ROW("store", STRING, top_options, store), .fallback = STORE_DEFAULT, .valid = check_store,
		.help = "Directory of the books: on a local disk, outside the document root."},
	{ROW("url", URL, top_options, url), .help = "Where upbeat.fcgi is mounted: for links in messages."},
	{ROW("title", STRING, top_options, title), .fallback = "Upbeat", .help = "Title of the pages."},
	{ROW("logo", STRING, top_options, logo), .valid = check_logo,
		.help = "Picture beside the title: a path on the host of the pages, for its web server to "
			"answer."},
	{ROW("language", CHOICE, top_options, language), .choices = languages, .fallback = "en",
		.help = "Of messages, and of pages where the browser does not ask for another."},
	{ROW("timezone", STRING, top_options, timezone), .fallback = "UTC", .valid = check_timezone,
		.help = "Of times in messages and pages, of schedules, hours and maintenance windows."},
	{ROW("anonymous", CHOICE, top_options, anonymous), .choices = audiences, .fallback = "public",
		.help = "What visitors see: all, only monitors marked public, or none."},
	{ROW("operators", STRINGS, top_options, operators),
		.help = "Who may act below /staff/; everybody who can log in when it is not given."},
	{ROW("witnesses", STRINGS, top_options, witnesses), .max = 32,
		.help = "URLs, host:port or monitors: when too few of these answer, it is us who are "
			"offline."},
	{ROW("self_check", BOOL, top_options, self_check), .fallback = "true",
		.help = "Ask our own url/healthz in each pass; false where a host cannot reach itself."},
	{ROW("report_to", URL, top_options, report_to), .secret = true,
		.help = "A URL that each good pass calls with GET: anybody's heartbeat service, which "
			"then notices when passes stop. 2xx is good, redirections are followed; what "
			"fails is tried twice, and logged."},
	{ROW("include", STRINGS, top_options, include), .help = "Further files whose objects are merged into "
								"this one, as patterns from this directory."},
	{ROW("channels", NAMED, top_options, channels), .help = "Ways of reaching people, by name."},
	{ROW("defaults", GROUP, top_options, defaults),
		.help = "Values for monitors that do not give them; any key of a monitor may stand here."},
	{ROW("monitors", NAMED, top_options, monitors), .help = "What is watched, by slug."},
	{ROW("me", STRING, top_options, me),
		.help = "What the peers call this one: needed when there are any."},
	{ROW("peers", NAMED, top_options, peers), INNER(peer),
		.help = "Other Upbeats that watch with us, by the name that each of them calls itself."},
	{ROW("peer_every", DURATION, top_options, peer_every_ms), .fallback = "1m", .min = SECOND_MS,
		.max = 60 * MINUTE_MS, .help = "How often peers are written to at least; at once when something changes."},
	{ROW("peer_wait", DURATION, top_options, peer_wait_ms), .fallback = "1m", .min = SECOND_MS,
		.max = 60 * MINUTE_MS,
		.help = "People are told by the first, in the order of names, of those who saw it; each other "
			"waits this long for the word that it was done, for each before it, and then does it itself."},
	{ROW("maintenance", ENTRIES, top_options, maintenance), INNER(window),
		.help = "Windows in which nobody is told of anything."},
	{ROW("api_keys", NAMED, top_options, api_keys), INNER(api_key), .help = "Keys of programs, by name."},
	{ROW("retention", GROUP, top_options, retention), INNER(retention),
		.help = "How long history is kept."},
	{ROW("limits", GROUP, top_options, limits), INNER(limit), .help = "How much is done at once."},
};
ROWS(top_rows, top);

static const struct field monitor[] = {
	{ROW("type", STRING, monitor_options, type), .required = true, .help = "What kind of check it is."},
	{ROW("name", STRING, monitor_options, name), .help = "What people read; its slug by default."},
	{ROW("group", STRING, monitor_options, group), .fallback = "",
		.help = "Heading under which pages show it."},
	{ROW("tags", STRINGS, monitor_options, tags), .max = 32, .valid = check_tags,
		.help = "For filtering."},
	{ROW("public", BOOL, monitor_options, is_public), .fallback = "false",
		.help = "Visitors may see its name, state, uptime and incidents."},
	{ROW("interval", DURATION, monitor_options, interval_ms), .fallback = "1m", .min = SECOND_MS,
		.max = 30 * DAY_MS, .help = "Time between checks; below a minute too."},
	{ROW("timeout", DURATION, monitor_options, timeout_ms), .fallback = "10s", .min = 100,
		.max = 5 * MINUTE_MS, .help = "How long a check may take in all."},
	{ROW("confirm", INT, monitor_options, confirm), .fallback = "3", .min = 1, .max = CONFIRM_MAX,
		.help = "Bad results that make it down."},
	{ROW("confirm_waits", DURATIONS, monitor_options, confirm_waits_ms),
		.fallback = "[\"5s\",\"5s\",\"10s\",\"10s\"]", .min = 0, .max = 60 * MINUTE_MS,
		.help = "Waits between the rechecks of a failing monitor."},
	{ROW("recover", INT, monitor_options, recover), .fallback = "2", .min = 1, .max = CONFIRM_MAX,
		.help = "Good results in a row that make it up again."},
	{ROW("recover_wait", DURATION, monitor_options, recover_wait_ms), .fallback = "10s", .min = 0,
		.max = 60 * MINUTE_MS, .help = "Wait between those."},
	{ROW("depends_on", STRINGS, monitor_options, depends_on),
		.help = "Monitors without which this one cannot be up: while one of them is down, nobody is "
			"told of this."},
	{ROW("notify", ENTRIES, monitor_options, notify), INNER(notify),
		.help = "Who is told: names of channels, or objects."},
	{ROW("slow", DURATION, monitor_options, slow_ms), .min = 1, .max = 5 * MINUTE_MS,
		.help = "Warn when answers take longer than this."},
	{ROW("maintenance", ENTRIES, monitor_options, maintenance), INNER(window),
		.help = "Windows in which nobody is told of it."},
	{ROW("paused", BOOL, monitor_options, paused), .fallback = "false", .help = "Not checked at all."},
	{ROW("runbook", STRING, monitor_options, runbook),
		.help = "What to do, or where that stands; part of the messages."},
	{ROW("places", STRINGS, monitor_options, places),
		.help = "Peers that look at it too; those that have a monitor of the same slug by default, [] for none."},
	{ROW("quorum", INT, monitor_options, quorum), .min = 1, .max = 100,
		.help = "How many of the places that can see must find it down; most of them by default."},
	{ROW("sources", JSON, monitor_options, sources), .valid = check_sources,
		.help = "What third parties that look at it too call it there: {\"uptimerobot\": \"My shop\"}; also "
			"statuscake and pingdom. A name, a number or a URL there, or a list of these; their webhooks "
			"go to /hook/SERVICE/KEY."},
};
ROWS(monitor_rows, monitor);

static const struct field channel[] = {
	{ROW("type", STRING, monitor_options, type), .required = true, .help = "What kind of service it is."},
};
ROWS(channel_rows, channel);
