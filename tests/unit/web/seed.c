/* SPDX-License-Identifier: ISC */
/* seed: what a store may look like. See seed.h. */
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "seed_rows.h"

#define MANY 10000
#define MANY_GROUPS 100

static const char *const kind_names[SEED__COUNT] = {"plain", "calm", "canary", "many", "empty"};

bool seed_kind_parse(const char *name, enum seed_kind *out)
{
	for (int i = 0; i < SEED__COUNT; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*out = (enum seed_kind)i;
			return true;
		}
	}
	return false;
}

/* ---- monitors */

static char *words_of(enum seed_kind kind, const char *plain)
{
	return mem_str(kind == SEED_CANARY_EVERYWHERE && *plain ? SEED_CANARY : plain);
}

static struct notify_rule *some_notify(enum seed_kind kind, size_t *count)
{
	struct notify_rule *rules = mem_array(2, sizeof(*rules));

	rules[0] = (struct notify_rule){.channel = words_of(kind, "ops"), .events = EVENTS_DEFAULT};
	rules[1] = (struct notify_rule){.channel = words_of(kind, "phone"),
		.events = EVENTS_DEFAULT,
		.after_ms = 300000,
		.repeat_ms = 1800000,
		.hours = words_of(kind, "mon-fri 09:00-18:00")};
	*count = 2;
	return rules;
}

static void build_monitor(struct monitor *m, const struct seed_row *from, enum seed_kind kind, size_t at)
{
	bool beats = strcmp(from->type, "heartbeat") == 0;

	*m = (struct monitor){.id = (uint32_t)at + 1,
		.slug = mem_str(from->slug),
		.type = mem_str(from->type),
		.name = words_of(kind, from->name),
		.group = words_of(kind, from->group),
		.is_public = from->is_public,
		.paused = from->state == STATE_PAUSED,
		.interval_ms = 60000,
		.timeout_ms = 10000,
		.confirm = 3,
		.recover = 2,
		.recover_wait_ms = 10000,
		.place = at,
		.options = mem_str(kind == SEED_CANARY_EVERYWHERE ? "{\"url\":\"\\\"'><svg/onload=1>&\"}" :
								    from->options),
		.runbook = words_of(kind, "https://wiki.example.com/runbook")};
	m->tags = mem_array(1, sizeof(*m->tags));
	m->tags[0] = words_of(kind, from->tag);
	m->tag_count = 1;
	m->notify = some_notify(kind, &m->notify_count);
	if (strcmp(from->type, "tls") == 0) {
		m->maintenance = mem_array(1, sizeof(*m->maintenance));
		m->maintenance[0] = mem_str("sun 02:00-04:00");
		m->maintenance_count = 1;
	}
	if (!beats)
		return;
	m->heartbeat = MEM_NEW(struct heartbeat_rules);
	m->heartbeat->secrets = mem_array(1, sizeof(char *));
	m->heartbeat->secrets[0] = mem_str("a secret of the seed, at least 16 bytes");
	m->heartbeat->secret_count = 1;
	m->heartbeat->max_age_ms = 26 * 3600 * 1000;
	m->heartbeat->window_ms = 300000;
	m->heartbeat->timezone = mem_str("UTC");
}

/* 2 bits for each of the newest 32 results. */
static uint64_t recent_of(const struct seed_row *from)
{
	uint64_t recent = 0;

	for (int i = 0; i < 32; i++) {
		uint64_t value = from->unseen >> i & 1 ? RECENT_UNKNOWN :
			from->bad >> i & 1             ? RECENT_DOWN :
							 RECENT_UP;

		if (from->state == STATE_PENDING)
			value = RECENT_NONE;
		recent |= value << 2 * i;
	}
	return recent;
}

static void build_row(struct row *row, const struct seed_row *from, enum seed_kind kind, int64_t now_us)
{
	bool calm = kind == SEED_CALM || kind == SEED_MANY;

	*row = (struct row){.next_due_us = now_us + 48 * US_PER_S,
		.since_us = now_us - from->since_us,
		.checked_us = from->state == STATE_PENDING ? 0 : now_us - 12 * US_PER_S,
		.recent = calm ? UINT64_C(0x5555555555555555) : recent_of(from),
		.response_us = from->response_ms * 1000,
		.state = (uint8_t)(calm ? STATE_UP : from->state),
		.decided = (uint8_t)(from->state == STATE_SUSPECT || calm ? STATE_UP : from->state),
		.marks = (uint8_t)(calm ? 0 : from->marks),
		.flags = ROW_CONFIGURED};
	if (strcmp(from->type, "heartbeat") == 0)
		row->flags |= ROW_HEARTBEAT;
	if (from->certificate_days)
		row->certificate_s_div_60 =
			(uint32_t)((now_us / US_PER_S + from->certificate_days * INT64_C(86400) + 7200) / 60);
}

static void build_judge(
	struct judge *judge, const struct seed_row *from, const struct row *row, enum seed_kind kind)
{
	judge->state = (enum monitor_state)row->state;
	judge->decided = (enum monitor_state)row->decided;
	judge->marks = row->marks;
	judge->since_us = row->since_us;
	snprintf(judge->cause, sizeof(judge->cause), "%s",
		kind == SEED_CANARY_EVERYWHERE && *from->cause ? SEED_CANARY : from->cause);
}

/* The 10,000: the rows of the dozen over and over, in groups of a hundred. */
static void build_many(struct seed *seed, size_t at, int64_t now_us)
{
	struct monitor *m = &seed->publication.monitors[at];
	char text[32];

	build_monitor(m, &seed_rows[0], SEED_MANY, at);
	free(m->slug);
	free(m->name);
	free(m->group);
	snprintf(text, sizeof(text), "m%05zu", at);
	m->slug = mem_str(text);
	snprintf(text, sizeof(text), "Server %05zu", at);
	m->name = mem_str(text);
	snprintf(text, sizeof(text), "Rack %02zu", at / (MANY / MANY_GROUPS));
	m->group = mem_str(text);
	build_row(&seed->rows[at], &seed_rows[0], SEED_MANY, now_us);
	if (at == 17 || at == 4711 || at == 9999)
		seed->rows[at].state = seed->rows[at].decided = STATE_DOWN;
	build_judge(&seed->judges[at], &seed_rows[at % 2], &seed->rows[at], SEED_MANY);
}

/* ---- the rest of the site */

static void build_site(struct site *site, enum seed_kind kind)
{
	site->title = words_of(kind, "Example");
	site->url = mem_str("https://example.com/cgi-bin/upbeat.fcgi");
	site->timezone = mem_str("Asia/Taipei");
	site->keys = mem_array(2, sizeof(*site->keys));
	site->key_count = 2;
	site->keys[0].name = words_of(kind, "reader");
	sign_sha256("read-key-0123456789", 19, site->keys[0].hash);
	site->keys[1].name = words_of(kind, "writer");
	site->keys[1].may_write = true;
	sign_sha256("write-key-0123456789", 20, site->keys[1].hash);
	site->channels = mem_array(1, sizeof(*site->channels));
	site->channels[0].name = words_of(kind, "ops");
	site->channels[0].type = words_of(kind, "slack");
	site->channel_count = 1;
	site->retain_samples_s = 14 * 86400;
	site->retain_timings_s = 2 * 86400;
	site->retain_hours_s = 395 * 86400;
}

static void build_problems(struct seed *seed, enum seed_kind kind)
{
	if (kind != SEED_PLAIN && kind != SEED_CANARY_EVERYWHERE)
		return;
	seed->problem_count = 1;
	seed->problems[0] = (struct problem){.file = words_of(kind, "upbeat.json"),
		.line = 12,
		.column = 5,
		.text = words_of(kind, "unknown key \"intervall\"; did you mean \"interval\"?")};
}

void seed_build(struct seed *seed, enum seed_kind kind, int64_t now_us, int64_t age_us)
{
	struct publication *p = &seed->publication;
	size_t n = kind == SEED_EMPTY ? 0 : kind == SEED_MANY ? MANY : COUNT_OF(seed_rows);

	memset(seed, 0, sizeof(*seed));
	p->monitors = mem_array(n + 1, sizeof(*p->monitors));
	p->monitor_count = n;
	p->fingerprint = mem_str(kind_names[kind]);
	seed->rows = mem_array(n + 1, sizeof(*seed->rows));
	seed->judges = mem_array(n + 1, sizeof(*seed->judges));
	build_site(&p->site, kind);
	p->site.monitors = n;
	for (size_t i = 0; i < n; i++) {
		if (kind == SEED_MANY) {
			build_many(seed, i, now_us);
			continue;
		}
		build_monitor(&p->monitors[i], &seed_rows[i], kind, i);
		build_row(&seed->rows[i], &seed_rows[i], kind, now_us);
		build_judge(&seed->judges[i], &seed_rows[i], &seed->rows[i], kind);
	}
	build_problems(seed, kind);
	seed->pass = (struct pass_info){.started_us = now_us - age_us,
		.finished_us = now_us - age_us,
		.progress_us = now_us - age_us,
		.cadence_us = MINUTE,
		.config_ok = seed->problem_count == 0,
		.passes = 1000,
		.checked = n};
}

void seed_clear(struct seed *seed)
{
	for (size_t i = 0; i < seed->publication.monitor_count; i++)
		monitor_clear(&seed->publication.monitors[i]);
	free(seed->publication.monitors);
	free(seed->publication.fingerprint);
	site_clear(&seed->publication.site);
	for (size_t i = 0; i < seed->problem_count; i++)
		problem_clear(&seed->problems[i]);
	free(seed->rows);
	free(seed->judges);
	memset(seed, 0, sizeof(*seed));
}
