/* SPDX-License-Identifier: ISC */
/*
 * The judge, led through any sequence of looks, views, pauses, maintenance and gaps. Beside it runs what
 * people believe, who know nothing but the messages: whatever happens, they are never told the same twice,
 * never of the end of what they did not hear of, and in the end they know what is so.
 *
 * Each step is two bytes: what happens, and how much later.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/judge.h"

enum belief { FINE, BELIEVED_DOWN, BELIEVED_UNKNOWN, BELIEVED_FLAPPING };

struct world {
	struct judge judge;
	struct monitor rules;
	enum judge_view view;
	int64_t now_us;
	enum belief belief;
	bool kept_from;    /* the caller held an alert back, and has not asked what is owed since */
	bool slow_believed;
	unsigned last_events;
	uint32_t incidents;
};

static void hear(struct world *w, unsigned events)
{
	if (events & EVENT_BIT(EVENT_DOWN)) {
		FUZZ_CHECK(w->belief != BELIEVED_DOWN);
		w->belief = BELIEVED_DOWN;
	}
	if (events & EVENT_BIT(EVENT_UNKNOWN)) {
		FUZZ_CHECK(w->belief == FINE);
		w->belief = BELIEVED_UNKNOWN;
	}
	if (events & EVENT_BIT(EVENT_FLAPPING)) {
		FUZZ_CHECK(w->belief != BELIEVED_FLAPPING);
		w->belief = BELIEVED_FLAPPING;
	}
	if (events & EVENT_BIT(EVENT_UP)) {
		FUZZ_CHECK(w->belief != FINE);
		w->belief = FINE;
	}
	if (events & EVENT_BIT(EVENT_SLOW))
		w->slow_believed = !w->slow_believed;
}

static void check_verdict(struct world *w, const struct judge *before, const struct verdict *v)
{
	FUZZ_CHECK(v->from == before->decided && v->to == w->judge.decided);
	FUZZ_CHECK(v->changed == (v->from != v->to));
	FUZZ_CHECK(v->dirty == (memcmp(before, &w->judge, sizeof(*before)) != 0));
	FUZZ_CHECK((v->held != 0) == (v->held_because != NULL));
	FUZZ_CHECK((v->events & v->held) == 0);
	FUZZ_CHECK(v->recheck_ms >= 0);
	FUZZ_CHECK(!v->ready || (w->judge.ready && v->recheck_ms == 0));
	FUZZ_CHECK(!v->open_incident || w->judge.incident == 0);
	FUZZ_CHECK(!v->close_incident || w->judge.incident != 0);
	FUZZ_CHECK(!(v->open_incident && v->close_incident));
}

static void check_world(const struct world *w)
{
	const struct judge *j = &w->judge;
	bool flapping = j->marks & MARK_FLAPPING, maintenance = j->marks & MARK_MAINTENANCE;

	FUZZ_CHECK(j->state == j->decided || (j->state == STATE_SUSPECT && j->tries > 0));
	FUZZ_CHECK(j->since_us <= w->now_us);
	if (j->decided == STATE_DOWN)
		FUZZ_CHECK(j->incident != 0 && j->known == STATE_DOWN);
	if (j->decided == STATE_PENDING || j->decided == STATE_PAUSED || (j->decided == STATE_UP && !flapping))
		FUZZ_CHECK(j->incident == 0 && j->outage_us == 0);
	if (j->decided == STATE_UP && !flapping)
		FUZZ_CHECK(w->belief == FINE);
	if (j->decided == STATE_DOWN && !flapping && !maintenance && !w->kept_from)
		FUZZ_CHECK(w->belief == BELIEVED_DOWN);
	FUZZ_CHECK(!flapping || j->incident != 0);
	if (flapping && !maintenance && !w->kept_from)
		FUZZ_CHECK(w->belief == BELIEVED_FLAPPING);
	if (!flapping && !maintenance && !w->kept_from)
		FUZZ_CHECK(w->slow_believed == ((j->marks & MARK_SLOW) != 0));
}

static void take(struct world *w, const struct judge *before, const struct verdict *v)
{
	check_verdict(w, before, v);
	hear(w, v->events);
	if (v->open_incident)
		w->judge.incident = ++w->incidents;
	if (v->close_incident)
		w->judge.incident = 0;
	if (v->events)
		w->last_events = v->events;
	/* Pausing ends all that was believed: somebody has it in hand. */
	if (w->judge.decided == STATE_PAUSED) {
		w->belief = FINE;
		w->slow_believed = false;
	}
}

static void look(struct world *w, uint8_t what)
{
	struct result result = {.at_us = w->now_us - 1,
		.outcome = (enum outcome)(what % OUTCOME__COUNT),
		.definite = what & 0x10,
		.lagged = (what & 0xe0) == 0x20,
		.timings = {-1, -1, -1, -1, what & 0x80 ? 2000000 : 1000}};
	struct judge before = w->judge;
	struct verdict v = judge_result(&w->judge, &w->rules, &result, w->now_us);
	bool ready = v.ready;

	take(w, &before, &v);
	if (!ready)
		return;
	before = w->judge;
	v = judge_decide(&w->judge, &w->rules, w->view, w->now_us);
	take(w, &before, &v);
}

/* The caller keeps the last message from being sent: nobody heard it. */
static void keep_from(struct world *w)
{
	const unsigned alerts = EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_UNKNOWN) | EVENT_BIT(EVENT_FLAPPING);

	judge_untold(&w->judge, w->last_events & alerts);
	if (w->last_events & alerts)
		w->belief = FINE;
	w->kept_from = true;
	w->last_events = 0;
}

static struct verdict other(struct world *w, uint8_t what)
{
	switch (what & 7) {
	case 0:
		return judge_pause(&w->judge, true, w->now_us);
	case 1:
		return judge_pause(&w->judge, false, w->now_us);
	case 2:
		return judge_maintenance(&w->judge, true, w->now_us);
	case 3:
		return judge_maintenance(&w->judge, false, w->now_us);
	case 4:
		return judge_blind(&w->judge, w->now_us);
	case 5:
		return judge_calm(&w->judge, w->now_us);
	case 6:
		w->kept_from = false;
		return judge_owed(&w->judge, w->now_us);
	default:
		return judge_decide(&w->judge, &w->rules, w->view, w->now_us);
	}
}

static void step(struct world *w, uint8_t what)
{
	struct judge before = w->judge;
	struct verdict v;

	if ((what & 0x0c) == 0x0c) { /* a quarter is no look */
		v = other(w, what >> 4);
		take(w, &before, &v);
	} else if (what == 0x03) {
		w->view = (w->view + 1) % 3;
	} else if (what == 0x13) {
		keep_from(w);
	} else {
		look(w, what);
	}
	check_world(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.now_us = INT64_C(1770000000) * US_PER_S};
	uint8_t rules = fuzz_byte(&data, &size);

	w.rules = (struct monitor){.interval_ms = 60000, .confirm = 1 + (rules & 3), .recover = 1 + (rules >> 2 & 1),
		.confirm_waits_ms = {5000, 5000, 10000, 10000}, .confirm_wait_count = rules >> 3 & 4,
		.recover_wait_ms = 10000, .slow_ms = 1000};
	while (size > 0) {
		uint8_t what = fuzz_byte(&data, &size);

		w.now_us += (1 + fuzz_byte(&data, &size)) * US_PER_S;
		step(&w, what);
	}
	return 0;
}
