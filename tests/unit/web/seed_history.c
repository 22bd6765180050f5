/* SPDX-License-Identifier: ISC */
/* seed: history with a day's rhythm, a few outages, and a night when nobody watched. */
#include "seed_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define HOUR_S 3600
#define DAY_S 86400
#define SAMPLE_HOURS 26
#define ROLLED_HOURS (30 * 24)
#define ROLLED_DAYS 400

/* A number that looks random and is always the same. */
static uint32_t noise(uint32_t a, uint32_t b)
{
	uint32_t x = a * 2654435761u ^ b * 2246822519u;

	x ^= x >> 15;
	x *= 2246822519u;
	return x ^ x >> 13;
}

/* Slower by day than by night. */
static uint32_t response_us(const struct row *row, uint32_t id, int64_t at_s)
{
	int64_t hour = at_s / HOUR_S % 24, from_noon = hour > 12 ? hour - 12 : 12 - hour;
	uint32_t base = row->response_us ? row->response_us : 20000;

	return base * 3 / 4 + base / 24 * (uint32_t)(12 - from_noon) +
		noise(id, (uint32_t)at_s) % (base / 5 + 1);
}

static enum outcome outcome_at(uint32_t id, int64_t age_s)
{
	if (age_s > 5 * HOUR_S && age_s < 6 * HOUR_S)
		return OUTCOME_UNKNOWN; /* nobody watched */
	if (id % 3 == 2 && (age_s < 2220 || (age_s > 15 * HOUR_S && age_s < 15 * HOUR_S + 1500)))
		return OUTCOME_DOWN;
	return OUTCOME_UP;
}

static bool put_samples(struct state_txn *txn, const struct seed *seed, int64_t now_s, struct error *err)
{
	size_t n = seed->publication.monitor_count;
	struct sample *samples = mem_array(n + 1, sizeof(*samples));
	bool ok = true;

	for (int64_t at = now_s - SAMPLE_HOURS * HOUR_S; ok && at < now_s; at += 60) {
		for (size_t i = 0; i < n; i++) {
			uint32_t id = seed->publication.monitors[i].id,
				 us = response_us(&seed->rows[i], id, at);
			enum outcome outcome = outcome_at(id, now_s - at);

			samples[i] = (struct sample){.monitor_id = id,
				.at_us = at * US_PER_S,
				.outcome = outcome,
				.state = outcome == OUTCOME_UP  ? STATE_UP :
					outcome == OUTCOME_DOWN ? STATE_DOWN :
								  STATE_UNKNOWN,
				.response_us = outcome == OUTCOME_UP ? (int64_t)us : -1,
				.timings = TIMINGS_NONE};
			if (outcome == OUTCOME_UP)
				samples[i].timings = (struct timings){us / 10, us / 5, us / 4, us / 3, us};
		}
		ok = state_samples_add(txn, samples, n, err);
	}
	free(samples);
	return ok;
}

static struct rollup rollup_of(const struct row *row, uint32_t id, int64_t from_s, int64_t length_s)
{
	uint32_t us = response_us(row, id, from_s + length_s / 2),
		 luck = noise(id + 7, (uint32_t)(from_s / length_s)) % 100;
	struct rollup r = {.from_s = from_s,
		.to_s = from_s + length_s,
		.up_s = length_s,
		.count = (uint32_t)(length_s / 60),
		.min_us = us / 2,
		.mean_us = us,
		.p50_us = us,
		.p95_us = us + us / 2,
		.max_us = us * 3};

	if (luck == 1 || (luck == 2 && length_s == DAY_S))
		r.down_s = length_s / 40;
	if (luck == 3)
		r.unknown_s = length_s * 2 / 3;
	r.up_s -= r.down_s + r.unknown_s;
	return r;
}

static bool put_rollups(struct state_txn *txn, const struct seed *seed, enum rollup_kind kind,
	int64_t length_s, int count, int64_t now_s, struct error *err)
{
	int64_t last_s = now_s - now_s % length_s;

	for (size_t i = 0; i < seed->publication.monitor_count; i++) {
		uint32_t id = seed->publication.monitors[i].id;

		for (int k = count; k > 0; k--) {
			struct rollup r = rollup_of(&seed->rows[i], id, last_s - k * length_s, length_s);

			if (!state_rollup_put(txn, kind, id, &r, err))
				return false;
		}
	}
	return true;
}

/* ---- incidents */

static void add(struct incident *incident, enum incident_entry_kind kind, int64_t at_us, enum outcome outcome,
	const char *who, const char *text)
{
	struct incident_entry *e = incident_add(incident, kind, at_us);

	e->outcome = outcome;
	e->who = mem_str(who);
	e->text = mem_str(text);
	if (kind == ENTRY_ATTEMPT && outcome == OUTCOME_DOWN) {
		e->status = 502;
		e->address = mem_str("192.0.2.80:443");
		e->timings = (struct timings){2100, 18200, 31000, 90400, 142000};
		e->headers =
			mem_str("HTTP/1.1 502 Bad Gateway\r\nServer: example\r\nContent-Type: text/html\r\n");
		e->body = mem_str("<html><head><title>502 Bad Gateway</title></head></html>");
	}
}

static void build_incident(struct incident *incident, const struct monitor *m, int64_t started_us,
	int64_t ended_us, const char *cause)
{
	*incident = (struct incident){.monitor_id = m->id,
		.monitor = mem_str(m->slug),
		.state = STATE_DOWN,
		.started_us = started_us,
		.decided_us = started_us + 21 * US_PER_S,
		.ended_us = ended_us,
		.cause = mem_str(cause)};
	add(incident, ENTRY_ATTEMPT, started_us, OUTCOME_DOWN, NULL, cause);
	add(incident, ENTRY_ATTEMPT, started_us + 5 * US_PER_S, OUTCOME_DOWN, NULL, cause);
	add(incident, ENTRY_ATTEMPT, started_us + 20 * US_PER_S, OUTCOME_DOWN, NULL, cause);
	add(incident, ENTRY_DECIDED, started_us + 21 * US_PER_S, OUTCOME_UNKNOWN, NULL, "down");
	add(incident, ENTRY_QUEUED, started_us + 21 * US_PER_S, OUTCOME_UNKNOWN, "ops", "down");
	add(incident, ENTRY_HELD, started_us + 21 * US_PER_S, OUTCOME_UNKNOWN, "phone", "hours");
	add(incident, ENTRY_DELIVERY, started_us + 22 * US_PER_S, OUTCOME_UNKNOWN, "ops", "HTTP 503");
	add(incident, ENTRY_DELIVERY, started_us + 34 * US_PER_S, OUTCOME_UP, "ops", "ok");
}

static const char *text_of(enum seed_kind kind, const char *plain)
{
	return kind == SEED_CANARY_EVERYWHERE ? SEED_CANARY : plain;
}

static void acknowledge(struct incident *incident, enum seed_kind kind, int64_t at_us)
{
	incident->acknowledged_us = at_us;
	incident->acknowledged_by = mem_str(text_of(kind, "alex"));
	add(incident, ENTRY_ACKNOWLEDGED, at_us, OUTCOME_UNKNOWN, text_of(kind, "alex"),
		text_of(kind, "looking into it"));
	add(incident, ENTRY_NOTE, at_us + 60 * US_PER_S, OUTCOME_UNKNOWN, text_of(kind, "alex"),
		text_of(kind, "The shop's new release is being rolled back."));
	incident->entries[incident->entry_count - 1].status = 1;
	add(incident, ENTRY_NOTE, at_us + 90 * US_PER_S, OUTCOME_UNKNOWN, text_of(kind, "alex"),
		text_of(kind, "Root cause: cache key changed."));
}

/* One that is over, and one for each monitor that is down. */
static bool put_incidents(struct state_txn *txn, const struct seed *seed, enum seed_kind kind, int64_t now_us,
	struct error *err)
{
	const struct publication *p = &seed->publication;
	struct incident incident;
	bool ok;

	build_incident(&incident, &p->monitors[0], now_us - 3 * DAY_S * US_PER_S,
		now_us - 3 * DAY_S * US_PER_S + 754 * US_PER_S, text_of(kind, "HTTP 502"));
	ok = state_incident_new(txn, &incident, err);
	incident_clear(&incident);
	for (size_t i = 0; ok && i < p->monitor_count; i++) {
		uint32_t id = p->monitors[i].id;

		if (seed->rows[i].state != STATE_DOWN)
			continue;
		build_incident(&incident, &p->monitors[i], seed->rows[i].since_us, 0, seed->judges[i].cause);
		if (seed->rows[i].marks & MARK_ACKNOWLEDGED)
			acknowledge(&incident, kind, seed->rows[i].since_us + 300 * US_PER_S);
		ok = state_incident_new(txn, &incident, err);
		seed->rows[i].incident = seed->judges[i].incident = incident.id;
		incident_clear(&incident);
		ok = ok && state_rows_put(txn, &id, &seed->rows[i], 1, err) &&
			state_judge_put(txn, id, &seed->judges[i], err);
	}
	return ok;
}

bool seed_history(struct state_txn *txn, const struct seed *seed, enum seed_kind kind, int64_t now_us,
	struct error *err)
{
	int64_t now_s = now_us / US_PER_S;

	if (seed->publication.monitor_count == 0)
		return true;
	if (kind == SEED_MANY) /* days only: 10,000 years of hours would take long to write */
		return put_rollups(txn, seed, ROLLUP_DAY, DAY_S, 30, now_s, err);
	return put_samples(txn, seed, now_s, err) &&
		put_rollups(txn, seed, ROLLUP_HOUR, HOUR_S, ROLLED_HOURS, now_s, err) &&
		put_rollups(txn, seed, ROLLUP_DAY, DAY_S, ROLLED_DAYS, now_s, err) &&
		put_incidents(txn, seed, kind, now_us, err);
}
