/* SPDX-License-Identifier: ISC */
/*
 * message: a notice in words that help at three in the morning. The title says what; the lines below it why,
 * since when, how it was seen, what to do and where to look. Every sentence is a row of words.def.
 */
#include "prober/notify/message.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sign.h"
#include "model/judge.h"

/* What the building of one message works with. */
struct build {
	struct message *m;
	const struct notice *notice;
	const struct monitor *monitor; /* or NULL */
	const struct site *site;
	const struct message_context *context;
	const struct zone *zone;
	struct text title, text;
};

static void put_word(struct build *b, struct text *t, enum word id, const char *one, const char *two,
	const char *three)
{
	const char *const args[] = {one, two, three};

	words_put(t, text_raw, b->m->language, id, args, 3);
}

/* ---- the title */

static void put_clock(struct text *t, const struct zone *zone, int64_t us, bool with_date)
{
	struct civil c;

	calendar_civil(zone, us / US_PER_S, &c);
	if (with_date)
		text_printf(t, "%04d-%02d-%02d ", c.year, c.month, c.day);
	text_printf(t, "%02d:%02d", c.hour, c.minute);
}

static bool same_day(const struct zone *zone, int64_t a_us, int64_t b_us)
{
	struct civil a, b;

	calendar_civil(zone, a_us / US_PER_S, &a);
	calendar_civil(zone, b_us / US_PER_S, &b);
	return a.year == b.year && a.month == b.month && a.day == b.day;
}

/* "Shop was down 02:10-02:14, told late" */
static void title_late(struct build *b)
{
	const struct notice *n = b->notice;
	bool dated = !same_day(b->zone, n->since_us, n->ended_us);
	struct text from = TEXT_INIT, to = TEXT_INIT;

	put_clock(&from, b->zone, n->since_us, dated);
	put_clock(&to, b->zone, n->ended_us, dated);
	put_word(b, &b->title, WORD_MSG_WAS_DOWN, b->m->name, text_str(&from), text_str(&to));
	text_free(&from);
	text_free(&to);
}

static void title_length(struct build *b, enum word id, int64_t us)
{
	struct text length = TEXT_INIT;

	words_length(&length, b->m->language, us);
	put_word(b, &b->title, id, b->m->name, text_str(&length), "");
	text_free(&length);
}

static void title_down(struct build *b)
{
	if (b->context->late)
		title_late(b);
	else if (b->notice->repeat)
		title_length(b, WORD_MSG_STILL_DOWN, b->notice->at_us - b->notice->since_us);
	else
		put_word(b, &b->title, WORD_MSG_DOWN, b->m->name, "", "");
}

static void title_unknown(struct build *b)
{
	if (b->notice->repeat)
		title_length(b, WORD_MSG_STILL_UNKNOWN, b->notice->at_us - b->notice->since_us);
	else
		put_word(b, &b->title, WORD_MSG_UNKNOWN, b->m->name, "", "");
}

static void title_up(struct build *b)
{
	if (b->context->late)
		title_late(b);
	else if (b->notice->previous == STATE_UNKNOWN)
		title_length(b, WORD_MSG_UP_UNKNOWN, b->m->duration_us);
	else if (b->notice->since_us)
		title_length(b, WORD_MSG_UP, b->m->duration_us);
	else
		put_word(b, &b->title, WORD_MSG_CALM_UP, b->m->name, "", "");
}

static void title_slow(struct build *b)
{
	if (b->notice->ended_us)
		put_word(b, &b->title, WORD_MSG_SLOW_OVER, b->m->name, "", "");
	else
		put_word(b, &b->title, WORD_MSG_SLOW, b->m->name, b->m->cause, "");
}

static void title_certificate(struct build *b)
{
	int64_t left_us = b->notice->ended_us - b->notice->at_us;
	uint64_t days = left_us > 0 ? (uint64_t)(left_us / (86400 * US_PER_S)) : 0;
	struct text count = TEXT_INIT;
	enum word id = WORD_MSG_CERTIFICATE_EXPIRED;

	if (left_us > 0)
		id = days ? words_count(days, WORD_MSG_CERTIFICATE_ONE, WORD_MSG_CERTIFICATE) :
			    WORD_MSG_CERTIFICATE_TODAY;
	text_printf(&count, "%llu", (unsigned long long)days);
	put_word(b, &b->title, id, b->m->name, text_str(&count), "");
	text_free(&count);
}

static void title_flapping(struct build *b)
{
	struct text count = TEXT_INIT, window = TEXT_INIT;

	text_printf(&count, "%d", FLAP_CHANGES);
	words_length(&window, b->m->language, FLAP_WINDOW_US);
	put_word(b, &b->title, WORD_MSG_FLAPPING, b->m->name, text_str(&count), text_str(&window));
	text_free(&count);
	text_free(&window);
}

static void title_maintenance(struct build *b)
{
	put_word(b, &b->title, b->notice->ended_us ? WORD_MSG_MAINTENANCE_OVER : WORD_MSG_MAINTENANCE, b->m->name,
		"", "");
}

static void title_test(struct build *b)
{
	put_word(b, &b->title, WORD_MSG_TEST, b->site->title ? b->site->title : "Upbeat", "", "");
}

static void (*const titles[EVENT__COUNT])(struct build *b) = {
	[EVENT_DOWN] = title_down,
	[EVENT_UP] = title_up,
	[EVENT_UNKNOWN] = title_unknown,
	[EVENT_SLOW] = title_slow,
	[EVENT_CERTIFICATE] = title_certificate,
	[EVENT_FLAPPING] = title_flapping,
	[EVENT_MAINTENANCE] = title_maintenance,
	[EVENT_TEST] = title_test,
	[EVENT_DIGEST] = title_test, /* a digest brings its own text */
};

/* ---- the lines below */

static void put_line(struct build *b, enum word label, const char *value)
{
	if (!value || !*value)
		return;
	if (b->text.len)
		text_char(&b->text, '\n');
	put_word(b, &b->text, WORD_LINE, word(b->m->language, label), value, "");
}

static void put_time_line(struct build *b, enum word label, int64_t us)
{
	struct text t = TEXT_INIT;

	if (us <= 0)
		return;
	calendar_put_local(&t, b->zone, us / US_PER_S);
	text_printf(&t, " (%s)", b->site->timezone ? b->site->timezone : "UTC");
	put_line(b, label, text_str(&t));
	text_free(&t);
}

/* What is watched: the address as it is configured. */
static void put_target(struct build *b)
{
	cJSON *options = b->monitor ? cJSON_Parse(b->monitor->options) : NULL;
	const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(options, "url"));
	const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(options, "host"));
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(options, "port");
	struct text t = TEXT_INIT;

	if (url || host)
		text_raw(&t, url ? url : host);
	if (host && !url && cJSON_IsNumber(port))
		text_printf(&t, ":%d", (int)port->valuedouble);
	put_line(b, WORD_MSG_TARGET, text_str(&t));
	text_free(&t);
	cJSON_Delete(options);
}

/* "3 of 3, 192.0.2.7, 134 ms": how the outage was seen, in one line. */
static void put_evidence(struct build *b)
{
	const struct incident *incident = b->context->incident;
	const struct incident_entry *last = NULL;
	unsigned bad = 0, all = 0;
	struct text t = TEXT_INIT;

	for (size_t i = 0; incident && i < incident->entry_count; i++) {
		const struct incident_entry *entry = &incident->entries[i];

		if (entry->kind != ENTRY_ATTEMPT)
			continue;
		all++;
		if (entry->outcome != OUTCOME_UP) {
			bad++;
			last = entry;
		}
	}
	if (!last)
		return;
	text_printf(&t, "%u/%u", bad, all);
	if (last->address && *last->address)
		text_printf(&t, ", %s", last->address);
	if (last->status)
		text_printf(&t, ", HTTP %d", last->status);
	if (last->timings.total_us >= 0) {
		text_raw(&t, ", ");
		words_response(&t, b->m->language, last->timings.total_us);
	}
	put_line(b, WORD_MSG_EVIDENCE, text_str(&t));
	text_free(&t);
}

static void put_children(struct build *b)
{
	uint64_t n = b->context->late ? 0 : b->context->children;
	struct text count = TEXT_INIT;

	if (!n)
		return;
	text_printf(&count, "%llu", (unsigned long long)n);
	text_raw(&b->text, b->text.len ? "\n" : "");
	put_word(b, &b->text, words_count(n, WORD_MSG_CHILDREN_ONE, WORD_MSG_CHILDREN), text_str(&count), "", "");
	if (b->context->children_names)
		text_printf(&b->text, " (%s)", b->context->children_names);
	text_free(&count);
}

static void put_duration(struct build *b)
{
	struct text t = TEXT_INIT;

	if (b->m->duration_us < 0)
		return;
	words_length(&t, b->m->language, b->m->duration_us);
	put_line(b, WORD_MSG_DURATION, text_str(&t));
	text_free(&t);
}

static void put_lines(struct build *b)
{
	const struct notice *n = b->notice;
	bool wrong = n->event == EVENT_DOWN || n->event == EVENT_UNKNOWN;

	if (n->event != EVENT_SLOW)
		put_line(b, WORD_MSG_CAUSE, b->m->cause);
	put_time_line(b, WORD_MSG_SINCE, n->since_us);
	if (n->event == EVENT_UP || b->context->late)
		put_time_line(b, WORD_MSG_UNTIL, n->ended_us);
	put_duration(b);
	if (wrong)
		put_evidence(b);
	put_target(b);
	if (wrong) {
		put_children(b);
		put_line(b, WORD_MSG_RUNBOOK, b->m->runbook);
	}
	put_line(b, WORD_MSG_DETAILS, b->m->url);
}

/* ---- building */

/* The incident's page, else the monitor's, else the dashboard. */
static char *page_url(const struct site *site, uint32_t incident, const char *monitor)
{
	struct text t = TEXT_INIT;
	size_t n = site->url ? strlen(site->url) : 0;

	while (n && site->url[n - 1] == '/')
		n--;
	if (!n)
		return mem_str("");
	text_rawn(&t, site->url, n);
	if (incident) {
		text_printf(&t, "/i/%u", incident);
	} else if (monitor) {
		text_raw(&t, "/m/");
		text_url(&t, monitor);
	} else {
		text_char(&t, '/');
	}
	return text_take(&t);
}

static void fill_facts(struct build *b)
{
	const struct notice *n = b->notice;
	struct message *m = b->m;

	m->id = mem_str(n->event_id);
	m->event = event_name(n->event);
	m->monitor = mem_str(n->monitor ? n->monitor : "");
	m->name = mem_str(b->monitor ? b->monitor->name : m->monitor);
	m->state = n->monitor ? monitor_state_name(n->now) : "";
	m->previous = n->monitor ? monitor_state_name(n->previous) : "";
	m->since_us = n->event == EVENT_UP && n->ended_us ? n->ended_us : n->since_us;
	m->at_us = n->at_us;
	m->duration_us = n->event == EVENT_UP && n->since_us ? n->ended_us - n->since_us : -1;
	m->cause = mem_str(n->cause ? n->cause : "");
	m->incident = n->incident;
	m->url = page_url(b->site, n->incident, n->monitor);
	m->runbook = mem_str(b->monitor && b->monitor->runbook ? b->monitor->runbook : "");
	m->root = mem_str(b->context->root ? b->context->root : n->event_id);
	m->thread = mem_str(b->context->thread);
	m->progress = mem_str(n->thread);
	m->good = n->event == EVENT_UP || ((n->event == EVENT_SLOW || n->event == EVENT_MAINTENANCE) && n->ended_us);
	m->late = b->context->late;
	m->reminder = n->repeat;
	m->again = n->attempts > 0 || b->context->again;
	m->test = n->event == EVENT_TEST;
}

/* A body that came with the notice: its first line is the title. */
static void split_body(struct build *b)
{
	const char *body = b->notice->body;
	size_t n = strcspn(body, "\n");

	text_rawn(&b->title, body, n);
	body += n + strspn(body + n, "\n");
	for (n = strlen(body); n > 0 && body[n - 1] == '\n';)
		n--;
	text_rawn(&b->text, body, n);
	put_line(b, WORD_MSG_DETAILS, b->m->url);
}

void message_build(struct message *message, const struct notice *notice, const struct monitor *monitor,
	const struct site *site, enum language language, const struct message_context *context)
{
	static const struct message_context nothing;
	struct build b = {.m = message, .notice = notice, .monitor = monitor, .site = site,
		.context = context ? context : &nothing, .zone = calendar_zone(site->timezone ? site->timezone : "UTC")};

	if (!b.zone)
		b.zone = calendar_zone("UTC");
	*message = (struct message){.language = language};
	fill_facts(&b);
	if (notice->body) {
		split_body(&b);
	} else {
		titles[(unsigned)notice->event < EVENT__COUNT ? notice->event : EVENT_UNKNOWN](&b);
		put_lines(&b);
	}
	message->title = mem_str(text_str(&b.title));
	message->text = mem_str(text_str(&b.text));
	text_free(&b.title);
	text_free(&b.text);
}

/* ---- the test message */

static void mark_as_test(struct message *m, const char *channel)
{
	const char *const title[] = {m->title}, *const body[] = {channel};
	struct text t = TEXT_INIT, lines = TEXT_INIT;

	words_put(&t, text_raw, m->language, WORD_MSG_TEST_MARK, title, 1);
	words_put(&lines, text_raw, m->language, WORD_MSG_TEST_BODY, body, 1);
	if (m->text[0])
		text_char(&lines, '\n');
	text_raw(&lines, m->text);
	free(m->title);
	free(m->text);
	m->title = text_take(&t);
	m->text = text_take(&lines);
	m->test = true;
}

void message_test(struct message *message, enum event_kind event, const char *channel, const struct site *site,
	enum language language, int64_t now_us)
{
	static char slug[] = "example", name[] = "Example", cause[] = "HTTP 502", channel_name[] = "";
	struct monitor monitor = {.slug = slug, .name = name, .options = NULL};
	struct notice notice = {.event = event, .monitor = slug, .channel = channel_name, .at_us = now_us,
		.since_us = now_us - 4 * 60 * US_PER_S, .now = STATE_DOWN, .previous = STATE_UP};
	uint8_t random[8];
	struct text id = TEXT_INIT;

	sign_random(random, sizeof(random));
	text_raw(&id, "test-");
	sign_hex(&id, random, sizeof(random));
	memcpy(notice.event_id, text_str(&id), id.len + 1);
	text_free(&id);
	if (event == EVENT_UP) {
		notice.now = STATE_UP;
		notice.previous = STATE_DOWN;
		notice.ended_us = now_us;
	} else if (event == EVENT_CERTIFICATE) {
		notice.ended_us = now_us + 7 * 86400 * US_PER_S + US_PER_S;
	}
	if (event == EVENT_DOWN || event == EVENT_UNKNOWN)
		notice.cause = cause;
	if (event == EVENT_TEST || event == EVENT_DIGEST) {
		notice.now = notice.previous = STATE_UP;
		notice.since_us = 0;
	}
	message_build(message, &notice, &monitor, site, language, NULL);
	mark_as_test(message, channel);
}

/* ---- the payload */

static void put_member(struct text *json, const char *name, const char *value)
{
	text_printf(json, ",\"%s\":", name);
	text_json_string(json, value && *value ? value : NULL);
}

static void put_seconds(struct text *json, const char *name, int64_t us)
{
	text_printf(json, ",\"%s\":", name);
	if (us >= 0)
		text_json_seconds(json, us);
	else
		text_raw(json, "null");
}

void message_payload(const struct message *m, struct text *json)
{
	text_raw(json, "{\"id\":");
	text_json_string(json, m->id);
	put_member(json, "event", m->event);
	put_member(json, "monitor", m->monitor);
	put_member(json, "name", m->name);
	put_member(json, "state", m->state);
	put_member(json, "previous", m->previous);
	put_seconds(json, "since", m->since_us ? m->since_us : -1);
	put_seconds(json, "at", m->at_us);
	put_seconds(json, "duration", m->duration_us);
	put_member(json, "cause", m->cause);
	if (m->incident)
		text_printf(json, ",\"incident\":%u", m->incident);
	else
		text_raw(json, ",\"incident\":null");
	put_member(json, "url", m->url);
	text_raw(json, ",\"text\":\"");
	text_json(json, m->title);
	if (m->text[0]) {
		text_raw(json, "\\n");
		text_json(json, m->text);
	}
	text_raw(json, "\"}");
}

void message_clear(struct message *m)
{
	free(m->id);
	free(m->monitor);
	free(m->name);
	free(m->cause);
	free(m->url);
	free(m->runbook);
	free(m->title);
	free(m->text);
	free(m->root);
	free(m->thread);
	free(m->progress);
	free(m->points);
	*m = (struct message){0};
}

/* ---- digests */

void message_digest_row(struct text *t, enum language language, const struct notice *notice, const char *name)
{
	const char *const args[] = {name, word(language, word_of_event((int)notice->event)),
		notice->cause ? notice->cause : ""};

	words_put(t, text_raw, language, args[2][0] ? WORD_MSG_DIGEST_ROW : WORD_MSG_DIGEST_ROW_PLAIN, args, 3);
}
