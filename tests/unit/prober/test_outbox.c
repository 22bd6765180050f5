/* SPDX-License-Identifier: ISC */
/*
 * The outbox as a story with a clock of its own: verdicts are told, services answer as a script says, and
 * what each channel has received in which second is compared with what it should have. The steps are those
 * of outbox_deliver.c, less the network.
 */
#include "../store/store_test.h"

#include "prober/notify/outbox_write.h"

#define S US_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define CHANNELS 3
#define MONITORS 120

static struct error err;

/* ---- a world */

struct world {
	struct state *state;
	struct inbox *inbox;                /* or NULL */
	int64_t now;
	struct monitor monitors[MONITORS];
	size_t monitor_count;
	struct site site;
	cJSON *channels[CHANNELS];
	enum delivery_end answer[CHANNELS]; /* what the service does now */
	int64_t retry_after_us;
	struct text log;                    /* "+12 ops down shop: title\n" */
	struct text ids;                    /* "channel id\n" of each attempt */
	size_t sent[CHANNELS];
};

static char *names[CHANNELS] = {"ops", "phone", "pager"};
static char *types[CHANNELS] = {"slack", "slack", "pagerduty"};
static char *slugs[MONITORS];

static struct notify_rule ops = {.channel = "ops", .events = EVENTS_DEFAULT};

static void world_open(struct world *w, void **state, struct notify_rule *rules, size_t n, size_t monitors)
{
	*w = (struct world){.now = T0_US, .retry_after_us = -1, .monitor_count = monitors, .log = TEXT_INIT};
	w->state = state_open(*state, STORE_CREATE, &err);
	assert_non_null(w->state);
	w->site = (struct site){.title = "Example", .url = "https://example.com/upbeat", .timezone = "UTC"};
	for (size_t i = 0; i < monitors; i++) {
		struct text slug = TEXT_INIT;

		text_printf(&slug, "m%zu", i);
		slugs[i] = text_take(&slug);
		w->monitors[i] = (struct monitor){.slug = slugs[i], .name = slugs[i], .type = "http", .group = "",
			.options = "{}", .notify = rules, .notify_count = n, .place = i};
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		w->channels[i] = cJSON_CreateObject();
		cJSON_AddStringToObject(w->channels[i], "type", types[i]);
	}
	struct publication p = {.site = w->site, .monitors = w->monitors, .monitor_count = monitors,
		.fingerprint = "f"};
	struct state_txn *txn = state_begin(w->state, true, &err);
	assert_ok(state_publish(txn, &p, &err));
	assert_ok(state_commit(txn, &err));
}

static void world_close(struct world *w)
{
	for (size_t i = 0; i < w->monitor_count; i++)
		free(slugs[i]);
	for (size_t i = 0; i < CHANNELS; i++)
		cJSON_Delete(w->channels[i]);
	text_free(&w->log);
	text_free(&w->ids);
	state_close(w->state);
}

static size_t channel_index(const char *name)
{
	for (size_t i = 0; i < CHANNELS; i++)
		if (!strcmp(names[i], name))
			return i;
	fail();
	return 0;
}

/* ---- what happens to monitors */

static uint32_t incident_of[MONITORS];

/* A verdict as the pass writes it: judge, incident, notices, one transaction. */
static void decide(struct world *w, size_t monitor, enum event_kind event)
{
	struct monitor *m = &w->monitors[monitor];
	struct state_txn *txn = state_begin(w->state, true, &err);
	struct judge judge;
	struct incident incident = {0};
	struct verdict verdict = {.changed = true, .events = EVENT_BIT(event)};
	bool bad = event == EVENT_DOWN || event == EVENT_UNKNOWN;

	assert_ok(state_judge(txn, m->id, &judge, &err));
	verdict.from = judge.decided;
	judge.decided = verdict.to = event == EVENT_DOWN ? STATE_DOWN : event == EVENT_UNKNOWN ? STATE_UNKNOWN : STATE_UP;
	memcpy(judge.cause, "HTTP 502", 9);
	judge.since_us = verdict.outage_us = w->now;
	if (bad) {
		incident.monitor = mem_str(m->slug);
		incident.monitor_id = m->id;
		incident.state = verdict.to;
		incident.started_us = incident.decided_us = w->now;
		incident.cause = mem_str(judge.cause);
		assert_ok(state_incident_new(txn, &incident, &err));
		incident_of[monitor] = incident.id;
	} else {
		assert_ok(state_incident(txn, incident_of[monitor], &incident, &err));
		verdict.outage_us = incident.started_us;
	}
	assert_ok(state_judge_put(txn, m->id, &judge, &err));
	assert_ok(outbox_tell(txn, m, &verdict, &incident, w->now, &err));
	if (!bad)
		incident.ended_us = w->now;
	assert_ok(state_incident_put(txn, &incident, &err));
	incident_clear(&incident);
	assert_ok(state_commit(txn, &err));
}

static void acknowledge(struct world *w, size_t monitor)
{
	struct state_txn *txn = state_begin(w->state, true, &err);
	struct incident incident;

	assert_ok(state_incident(txn, incident_of[monitor], &incident, &err));
	incident.acknowledged_us = w->now;
	assert_ok(state_incident_put(txn, &incident, &err));
	incident_clear(&incident);
	assert_ok(state_commit(txn, &err));
}

/* ---- what the deliverer does */

struct due {
	struct notices of[CHANNELS];
};

static bool sort_due(void *arg, const struct notice *notice)
{
	struct due *due = arg;

	notices_add(&due->of[channel_index(notice->channel)], notice);
	return true;
}

static void write_log(struct world *w, const char *channel, const struct message *m)
{
	text_printf(&w->log, "+%lld %s %s %s: %s\n", (long long)((w->now - T0_US) / S), channel, m->event,
		m->monitor[0] ? m->monitor : "-", m->title);
}

/* One message of one channel, from choosing to recording. `die` leaves it in flight. */
static bool send_one(struct world *w, size_t channel, struct notices *due, bool die)
{
	const struct channel_type *type = channel_type_of(w->channels[channel]);
	struct state_txn *txn = state_begin(w->state, true, &err);
	struct choice start = {.txn = txn, .inbox = w->inbox, .site = &w->site, .type = type, .configured = w->channels[channel],
		.now_us = w->now, .err = &err};
	struct notice notice = {0};
	struct message message = {0};
	struct gate gate;
	struct receipt sent = {.end = w->answer[channel], .retry_after_us = w->retry_after_us, .answer = mem_str("said")};

	gate_load(txn, names[channel], &gate);
	assert_ok(outbox_start(&start, due, &gate, &notice, &message));
	assert_ok(state_commit(txn, &err));
	if (start.chosen) {
		text_printf(&w->ids, "%s %s\n", names[channel], message.id);
		if (sent.end == DELIVERY_SENT) {
			write_log(w, names[channel], &message);
			w->sent[channel]++;
		}
	}
	if (start.chosen && !die) {
		txn = state_begin(w->state, true, &err);
		assert_ok(outbox_record(txn, notice.id, &sent, &message, &w->site, w->now, &err));
		assert_ok(state_commit(txn, &err));
	}
	notice_clear(&notice);
	message_clear(&message);
	receipt_clear(&sent);
	return (start.chosen && !die) || start.changed;
}

static void pump_channel(struct world *w, size_t channel, bool die)
{
	bool more = true;

	while (more) {
		struct due due = {0};
		struct gate gate;
		struct gate_rules rules = {channel_limit(w->channels[channel]), channel_type_of(w->channels[channel])->machine};
		struct state_txn *txn = state_begin(w->state, false, &err);
		int64_t wake = INT64_MAX;
		size_t ready;

		assert_ok(state_notice_due(txn, w->now, sort_due, &due, &err));
		gate_load(txn, names[channel], &gate);
		state_end(txn);
		ready = gate_ready(&gate, &due.of[channel], &rules, w->now, &wake);
		while (due.of[channel].n > ready)
			notice_clear(&due.of[channel].at[--due.of[channel].n]);
		more = ready && send_one(w, channel, &due.of[channel], die);
		for (size_t i = 0; i < CHANNELS; i++)
			notices_clear(&due.of[i]);
	}
}

static void pump(struct world *w)
{
	for (size_t i = 0; i < CHANNELS; i++)
		pump_channel(w, i, false);
}

/* Time passes, second by second. */
static void pass_time(struct world *w, int64_t us)
{
	for (int64_t end = w->now + us; w->now < end; w->now += S)
		pump(w);
	pump(w);
}

/* Long times pass faster. */
static void pass_hours(struct world *w, int64_t us)
{
	for (int64_t end = w->now + us; w->now < end; w->now += MINUTE)
		pump(w);
	pump(w);
}

#define assert_log(w, text) assert_string_equal(text_str(&(w)->log), text)

static void count_notices(struct world *w, size_t counts[5]);

static bool count_one(void *arg, const struct notice *notice)
{
	((size_t *)arg)[notice->state]++;
	return true;
}

static void count_notices(struct world *w, size_t counts[5])
{
	struct state_txn *txn = state_begin(w->state, false, &err);

	memset(counts, 0, 5 * sizeof(counts[0]));
	assert_ok(state_notice_scan(txn, 0, count_one, counts, &err));
	state_end(txn);
}

/* ---- the stories */

static void an_outage_and_its_end_are_told_once(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 40 * S);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, 5 * MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n+40 ops up m0: m0 is up again after 40 s\n");
	world_close(&w);
}

static void a_lone_recovery_does_not_wait_for_the_window(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 10 * S);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n+10 ops up m0: m0 is up again after 10 s\n");
	world_close(&w);
}

static void an_outage_that_could_not_be_told_is_told_late_with_its_end(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 1);
	w.now += 10 * MINUTE;
	w.answer[0] = DELIVERY_RETRY;
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 4 * MINUTE);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, 20 * S);
	w.answer[0] = DELIVERY_SENT;
	pass_hours(&w, HOUR);
	assert_non_null(strstr(text_str(&w.log), "ops up m0: m0 was down 02:10-02:14, told late\n"));
	assert_int_equal(w.sent[0], 1);
	world_close(&w);
}

static void escalation_is_told_only_when_it_still_lasts(void **state)
{
	struct notify_rule rules[] = {ops, {.channel = "phone", .after_ms = 300000, .events = EVENTS_DEFAULT}};
	struct world w;

	world_open(&w, state, rules, 2, 2);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 4 * MINUTE);
	decide(&w, 0, EVENT_UP);
	decide(&w, 1, EVENT_DOWN);
	pass_time(&w, 6 * MINUTE);
	decide(&w, 1, EVENT_UP);
	pass_time(&w, MINUTE);
	assert_non_null(strstr(text_str(&w.log), "+540 phone down m1: m1 is down\n"));
	assert_non_null(strstr(text_str(&w.log), "+600 phone up m1: m1 is up again after 6 min\n"));
	assert_null(strstr(text_str(&w.log), "phone down m0"));
	assert_null(strstr(text_str(&w.log), "phone up m0"));
	assert_int_equal(w.sent[0], 4);
	assert_int_equal(w.sent[1], 2);
	world_close(&w);
}

static void reminders_come_until_it_is_up(void **state)
{
	struct notify_rule rule = {.channel = "ops", .repeat_ms = 600000, .events = EVENTS_DEFAULT};
	struct world w;

	world_open(&w, state, &rule, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 25 * MINUTE);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, 25 * MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n"
		"+600 ops down m0: m0 is still down, for 10 min now\n"
		"+1200 ops down m0: m0 is still down, for 20 min now\n"
		"+1500 ops up m0: m0 is up again after 25 min\n");
	world_close(&w);
}

static void one_channel_may_escalate_to_itself_but_hears_nothing_twice(void **state)
{
	struct notify_rule rules[] = {ops, ops, {.channel = "ops", .after_ms = 300000, .repeat_ms = 600000,
		.events = EVENTS_DEFAULT}};
	struct world w;

	world_open(&w, state, rules, 3, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 26 * MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n"
		"+300 ops down m0: m0 is down\n"
		"+900 ops down m0: m0 is still down, for 15 min now\n"
		"+1500 ops down m0: m0 is still down, for 25 min now\n");
	world_close(&w);
}

static void acknowledging_stops_reminders_and_escalation(void **state)
{
	struct notify_rule rules[] = {{.channel = "ops", .repeat_ms = 600000, .events = EVENTS_DEFAULT},
		{.channel = "phone", .after_ms = 900000, .events = EVENTS_DEFAULT}};
	struct world w;

	world_open(&w, state, rules, 2, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 12 * MINUTE);
	acknowledge(&w, 0);
	pass_time(&w, 60 * MINUTE);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, MINUTE);
	assert_int_equal(w.sent[0], 3); /* down, one reminder, up */
	assert_int_equal(w.sent[1], 0);
	world_close(&w);
}

static void an_acknowledgement_that_waits_in_the_inbox_counts_already(void **state)
{
	struct notify_rule rule = {.channel = "ops", .repeat_ms = 600000, .events = EVENTS_DEFAULT};
	const char payload[] = "{\"do\":\"acknowledge\",\"monitor\":\"m0\",\"incident\":1}";
	struct moment now = moment_at(T0_US + S);
	struct world w;
	uint64_t id;

	world_open(&w, state, &rule, 1, 2);
	w.inbox = inbox_open(*state, STORE_CREATE, &err);
	assert_non_null(w.inbox);
	decide(&w, 0, EVENT_DOWN);
	decide(&w, 1, EVENT_DOWN);
	assert_int_equal(incident_of[0], 1);
	assert_ok(inbox_queue_put(w.inbox, INBOX_REQUEST, "ann", payload, sizeof(payload) - 1, &now, 0, &id, &err));
	pass_time(&w, 12 * MINUTE);
	assert_null(strstr(text_str(&w.log), "m0 is still down"));
	assert_non_null(strstr(text_str(&w.log), "m1 is still down"));
	inbox_close(w.inbox);
	world_close(&w);
}

static void hours_hold_an_alert_until_they_begin(void **state)
{
	/* 2026-05-01 is a Friday; the story begins at 02:00 UTC */
	struct notify_rule rule = {.channel = "ops", .hours = "mon-fri 02:30-18:00", .events = EVENTS_DEFAULT};
	struct world w;

	world_open(&w, state, &rule, 1, 2);
	decide(&w, 0, EVENT_DOWN);
	decide(&w, 1, EVENT_DOWN);
	pass_time(&w, 10 * MINUTE);
	decide(&w, 1, EVENT_UP); /* over before its turn: nobody hears of it */
	pass_time(&w, 30 * MINUTE);
	assert_log(&w, "+1800 ops down m0: m0 is down\n");
	world_close(&w);
}

static void events_that_were_not_asked_for_are_not_told(void **state)
{
	struct notify_rule rule = {.channel = "ops", .events = EVENT_BIT(EVENT_DOWN)};
	struct world w;

	world_open(&w, state, &rule, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, MINUTE);
	decide(&w, 0, EVENT_UP);
	pass_time(&w, MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n");
	world_close(&w);
}

static void recovery_goes_to_whom_the_outage_was_told_though_the_rules_changed(void **state)
{
	struct notify_rule other = {.channel = "phone", .events = EVENTS_DEFAULT};
	struct world w;

	world_open(&w, state, &ops, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, MINUTE);
	w.monitors[0].notify = &other;
	decide(&w, 0, EVENT_UP);
	pass_time(&w, MINUTE);
	assert_int_equal(w.sent[0], 2);
	assert_int_equal(w.sent[1], 0);
	world_close(&w);
}

static void a_storm_is_two_messages(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 30);
	for (size_t i = 0; i < 30; i++) {
		decide(&w, i, EVENT_DOWN);
		if (i % 6 == 5)
			pass_time(&w, S);
	}
	pass_time(&w, 2 * MINUTE);
	assert_log(&w, "+0 ops down m0: m0 is down\n+30 ops digest -: 29 monitors are down\n");
	for (size_t i = 0; i < 30; i++)
		decide(&w, i, EVENT_UP);
	pass_time(&w, 2 * MINUTE);
	assert_int_equal(w.sent[0], 4);
	assert_non_null(strstr(text_str(&w.log), "29 monitors are up again"));
	world_close(&w);
}

static void a_storm_of_a_minute_is_three_messages(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, MONITORS);
	for (size_t i = 0; i < MONITORS; i++) {
		decide(&w, i, EVENT_DOWN);
		if (i % 2)
			pass_time(&w, S);
	}
	pass_time(&w, 2 * MINUTE);
	assert_int_equal(w.sent[0], 3);
	world_close(&w);
}

static void five_are_not_yet_a_digest(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 6);
	for (size_t i = 0; i < 6; i++)
		decide(&w, i, EVENT_DOWN);
	pass_time(&w, MINUTE);
	assert_int_equal(w.sent[0], 6);
	assert_null(strstr(text_str(&w.log), "digest"));
	world_close(&w);
}

static void machines_get_every_event_on_its_own(void **state)
{
	struct notify_rule rule = {.channel = "pager", .events = EVENTS_DEFAULT};
	struct world w;

	world_open(&w, state, &rule, 1, 30);
	for (size_t i = 0; i < 30; i++)
		decide(&w, i, EVENT_DOWN);
	pass_time(&w, 2 * S);
	assert_int_equal(w.sent[2], 30);
	world_close(&w);
}

static void what_is_over_the_limit_becomes_a_digest(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 10);
	cJSON_AddNumberToObject(w.channels[0], "limit", 3);
	for (size_t i = 0; i < 10; i++) {
		decide(&w, i, EVENT_DOWN);
		pass_time(&w, MINUTE);
	}
	assert_int_equal(w.sent[0], 3);
	pass_time(&w, HOUR);
	assert_int_equal(w.sent[0], 4);
	assert_non_null(strstr(text_str(&w.log), "ops digest -: 7 monitors are down"));
	world_close(&w);
}

static void retry_after_holds_the_whole_channel(void **state)
{
	struct world w;

	world_open(&w, state, &ops, 1, 2);
	w.answer[0] = DELIVERY_RETRY;
	w.retry_after_us = 300 * S;
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, S);
	w.answer[0] = DELIVERY_SENT;
	pass_time(&w, 60 * S);
	decide(&w, 1, EVENT_DOWN);
	pass_time(&w, 230 * S);
	assert_int_equal(w.sent[0], 0);
	pass_time(&w, 60 * S);
	assert_int_equal(w.sent[0], 2);
	world_close(&w);
}

static void a_refused_message_is_not_tried_again(void **state)
{
	struct notify_rule rules[] = {ops, {.channel = "phone", .events = EVENTS_DEFAULT}};
	struct world w;
	size_t counts[5];

	world_open(&w, state, rules, 2, 1);
	w.answer[0] = DELIVERY_REFUSED;
	decide(&w, 0, EVENT_DOWN);
	pass_hours(&w, 3 * HOUR);
	count_notices(&w, counts);
	assert_int_equal(counts[NOTICE_REFUSED], 1);
	assert_int_equal(counts[NOTICE_DELIVERED], 1);
	assert_int_equal(counts[NOTICE_WAITING], 0);
	assert_int_equal(w.sent[0], 0);
	assert_int_equal(w.sent[1], 1);
	world_close(&w);
}

static void an_expired_message_goes_through_another_channel(void **state)
{
	struct channel_label labels[] = {{"ops", "slack"}, {"phone", "slack"}};
	struct world w;
	size_t counts[5];

	world_open(&w, state, &ops, 1, 1);
	w.site.channels = labels;
	w.site.channel_count = 2;
	w.answer[0] = DELIVERY_RETRY;
	decide(&w, 0, EVENT_DOWN);
	pass_hours(&w, 26 * HOUR);
	count_notices(&w, counts);
	assert_int_equal(counts[NOTICE_EXPIRED], 1);
	assert_int_equal(w.sent[1], 1);
	assert_non_null(strstr(text_str(&w.log), "phone down m0: m0 is down\n"));
	world_close(&w);
}

static void a_killed_delivery_is_repeated_once_with_the_same_id(void **state)
{
	struct world w;
	struct text twice = TEXT_INIT;
	const char *ids;
	size_t counts[5], n;

	world_open(&w, state, &ops, 1, 1);
	decide(&w, 0, EVENT_DOWN);
	pump_channel(&w, 0, true);
	state_close(w.state); /* the process is gone; another opens the store */
	w.state = state_open(*state, STORE_WRITE, &err);
	assert_non_null(w.state);
	pass_time(&w, 5 * MINUTE);
	ids = text_str(&w.ids);
	n = strcspn(ids, "\n") + 1;
	text_rawn(&twice, ids, n);
	text_rawn(&twice, ids, n);
	assert_string_equal(ids, text_str(&twice));
	count_notices(&w, counts);
	assert_int_equal(counts[NOTICE_DELIVERED], 1);
	assert_int_equal(counts[NOTICE_WAITING], 0);
	text_free(&twice);
	world_close(&w);
}

static bool count_due(void *arg, const struct notice *notice)
{
	(void)notice;
	++*(size_t *)arg;
	return true;
}

/* Ten thousand wait for a service to come back, a few are due: what is not due is not even read. */
static void picking_among_ten_thousand_is_quick(void **state)
{
	struct world w;
	struct state_txn *txn;
	int64_t began, best = INT64_MAX;
	size_t n = 0;

	world_open(&w, state, &ops, 1, 1);
	txn = state_begin(w.state, true, &err);
	for (int i = 0; i < 10000; i++) {
		struct notice notice = {.event = EVENT_DOWN, .channel = "ops", .monitor = "m0", .monitor_id = 1,
			.due_us = w.now + (i < 20 ? -S : HOUR + i), .expires_us = w.now + 24 * HOUR};

		assert_ok(state_notice_add(txn, &notice, &err));
	}
	assert_ok(state_commit(txn, &err));
	for (int i = 0; i < 5; i++) {
		began = clock_mono_us();
		n = 0;
		txn = state_begin(w.state, false, &err);
		assert_ok(state_notice_due(txn, w.now, count_due, &n, &err));
		state_end(txn);
		best = clock_mono_us() - began < best ? clock_mono_us() - began : best;
	}
	assert_int_equal(n, 20);
	print_message("20 due of 10,000 waiting: %lld us\n", (long long)best);
	assert_true(best < 10000);
	world_close(&w);
}

static void one_thing_is_told_to_all_once(void **state)
{
	struct notify_rule rules[] = {ops, {.channel = "phone", .events = EVENTS_DEFAULT}};
	struct world w;

	world_open(&w, state, rules, 2, 3);
	for (int i = 0; i < 3; i++) {
		struct state_txn *txn = state_begin(w.state, true, &err);

		assert_ok(outbox_tell_all(txn, EVENT_DIGEST, "blind-1", "We were offline", "from 02:00", NULL, 0, w.now, &err));
		assert_ok(state_commit(txn, &err));
		pass_time(&w, MINUTE);
	}
	assert_log(&w, "+0 ops digest -: We were offline\n+0 phone digest -: We were offline\n");
	world_close(&w);
}

static void the_incident_says_who_was_told_and_why_not(void **state)
{
	struct notify_rule rules[] = {ops, {.channel = "phone", .events = EVENT_BIT(EVENT_SLOW)}};
	struct world w;
	struct incident incident;
	struct text kinds = TEXT_INIT;

	world_open(&w, state, rules, 2, 1);
	w.answer[0] = DELIVERY_RETRY;
	decide(&w, 0, EVENT_DOWN);
	pass_time(&w, 3 * S);
	w.answer[0] = DELIVERY_SENT;
	pass_time(&w, MINUTE);
	struct state_txn *txn = state_begin(w.state, false, &err);
	assert_ok(state_incident(txn, incident_of[0], &incident, &err));
	state_end(txn);
	for (size_t i = 0; i < incident.entry_count; i++)
		text_printf(&kinds, "%d %s %s\n", incident.entries[i].kind, incident.entries[i].who,
			incident.entries[i].text);
	assert_string_equal(text_str(&kinds), "3 ops down\n2 phone events\n4 ops said\n4 ops said\n");
	assert_int_equal(incident.entries[2].outcome, OUTCOME_UNKNOWN);
	assert_int_equal(incident.entries[3].outcome, OUTCOME_UP);
	incident_clear(&incident);
	text_free(&kinds);
	world_close(&w);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(an_outage_and_its_end_are_told_once),
		test_in_dir(a_lone_recovery_does_not_wait_for_the_window),
		test_in_dir(an_outage_that_could_not_be_told_is_told_late_with_its_end),
		test_in_dir(escalation_is_told_only_when_it_still_lasts),
		test_in_dir(reminders_come_until_it_is_up),
		test_in_dir(one_channel_may_escalate_to_itself_but_hears_nothing_twice),
		test_in_dir(acknowledging_stops_reminders_and_escalation),
		test_in_dir(an_acknowledgement_that_waits_in_the_inbox_counts_already),
		test_in_dir(picking_among_ten_thousand_is_quick),
		test_in_dir(hours_hold_an_alert_until_they_begin),
		test_in_dir(events_that_were_not_asked_for_are_not_told),
		test_in_dir(recovery_goes_to_whom_the_outage_was_told_though_the_rules_changed),
		test_in_dir(a_storm_is_two_messages),
		test_in_dir(a_storm_of_a_minute_is_three_messages),
		test_in_dir(five_are_not_yet_a_digest),
		test_in_dir(machines_get_every_event_on_its_own),
		test_in_dir(what_is_over_the_limit_becomes_a_digest),
		test_in_dir(retry_after_holds_the_whole_channel),
		test_in_dir(a_refused_message_is_not_tried_again),
		test_in_dir(an_expired_message_goes_through_another_channel),
		test_in_dir(a_killed_delivery_is_repeated_once_with_the_same_id),
		test_in_dir(one_thing_is_told_to_all_once),
		test_in_dir(the_incident_says_who_was_told_and_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
