/* SPDX-License-Identifier: ISC */
/*
 * The audit behind `doctor --verify`: a store that the verbs made holds, and each promise that is broken is
 * said. What breaks one here are the verbs too, called as no pass would call them; and records that are gone,
 * or stand where none should.
 */
#include "audit_test.h"

#include "store/state_private.h"

#define MINUTE (60 * US_PER_S)

static struct audit audit_state(struct state *s)
{
	struct audit a = {.say = hear};

	text_clear(&said);
	assert_ok(state_audit(s, &a, &err));
	return a;
}

/* ---- a store as a pass leaves it: a monitor is down, in an incident that a channel was told of --------- */

static char *secrets[] = {"a secret of the robot"};
static struct heartbeat_rules rules = {
	.secrets = secrets, .secret_count = 1, .token = "token-of-robot", .max_age_ms = 300000, .window_ms = 300000};

struct world {
	struct state *state;
	struct state_txn *txn;
	int64_t now_us;
	struct judge judge;
	struct row row;
	struct incident incident;
	struct notice notice;
};

static void add_incident(struct world *w)
{
	struct incident_entry *entry;

	w->incident = (struct incident){.monitor_id = 1, .monitor = mem_str("shop"), .state = STATE_DOWN,
		.started_us = w->now_us - 2 * MINUTE, .decided_us = w->now_us - MINUTE, .cause = mem_str("HTTP 502")};
	entry = incident_add(&w->incident, ENTRY_ATTEMPT, w->now_us - 2 * MINUTE);
	entry->outcome = OUTCOME_DOWN;
	entry = incident_add(&w->incident, ENTRY_QUEUED, w->now_us - MINUTE);
	entry->who = mem_str("ops");
	entry->text = mem_str("down");
	incident_tell(&w->incident, "ops");
	assert_ok(state_incident_new(w->txn, &w->incident, &err));
	w->notice = (struct notice){.event_id = "upbeat-1", .event = EVENT_DOWN, .channel = "ops", .monitor = "shop",
		.monitor_id = 1, .incident = w->incident.id, .now = STATE_DOWN, .previous = STATE_UP,
		.since_us = w->now_us - 2 * MINUTE, .at_us = w->now_us - MINUTE, .due_us = w->now_us,
		.expires_us = w->now_us + NOTICE_LIFE_US};
	assert_ok(state_notice_add(w->txn, &w->notice, &err));
}

static void add_history(struct world *w)
{
	int64_t day_s = w->now_us / US_PER_S / 86400 * 86400 - 86400;

	for (int hour = 0; hour < 24; hour++) {
		struct rollup r = {.from_s = day_s + hour * 3600, .to_s = day_s + hour * 3600 + 3600, .up_s = 3600};

		assert_ok(state_rollup_put(w->txn, ROLLUP_HOUR, 1, &r, &err));
	}
	assert_ok(state_rollup_put(w->txn, ROLLUP_DAY, 1,
		&(struct rollup){.from_s = day_s, .to_s = day_s + 86400, .up_s = 86400}, &err));
}

static struct world *build(const char *dir)
{
	static struct world w;
	struct monitor monitors[] = {
		{.slug = "shop", .type = "http", .name = "Shop", .group = "", .options = "{}", .interval_ms = 60000,
			.place = 1},
		{.slug = "robot", .type = "heartbeat", .name = "Robot", .group = "", .options = "{}", .interval_ms = 60000,
			.heartbeat = &rules, .place = 2}};
	struct publication publication = {.site = {.title = "Example"}, .monitors = monitors, .monitor_count = 2,
		.fingerprint = "f"};

	w = (struct world){.state = state_open(dir, STORE_CREATE, &err), .now_us = clock_wall_us()};
	assert_non_null(w.state);
	w.txn = state_begin(w.state, true, &err);
	assert_non_null(w.txn);
	assert_ok(state_publish(w.txn, &publication, &err));
	add_incident(&w);
	add_history(&w);
	w.judge = (struct judge){.state = STATE_DOWN, .decided = STATE_DOWN, .incident = w.incident.id};
	assert_ok(state_judge_put(w.txn, 1, &w.judge, &err));
	assert_ok(state_row(w.txn, 1, &w.row, &err));
	w.row.state = w.row.decided = STATE_DOWN;
	w.row.incident = w.incident.id;
	assert_ok(state_rows_put(w.txn, &(uint32_t){1}, &w.row, 1, &err));
	return &w;
}

static void commit(struct world *w)
{
	assert_ok(state_commit(w->txn, &err));
	w->txn = NULL;
}

static void leave(struct world *w)
{
	incident_clear(&w->incident);
	state_close(w->state);
	text_free(&said);
}

static void test_what_a_pass_leaves_holds(void **state)
{
	struct world *w = build(*state);
	struct audit a;

	commit(w);
	a = audit_state(w->state);
	assert_holds(&a);
	assert_int_equal(a.monitors, 2);
	assert_int_equal(a.incidents, 1);
	assert_int_equal(a.open, 1);
	assert_int_equal(a.notices, 1);
	assert_int_equal(a.waiting, 1);
	assert_int_equal(a.rollups, 25);
	leave(w);
}

/* An outage that is long over, a digest that is of no incident, and a message that another one tells. */
static void test_what_is_over_or_old_holds(void **state)
{
	struct world *w = build(*state);
	struct notice more = w->notice;
	struct audit a;

	w->judge = (struct judge){.state = STATE_UP, .decided = STATE_UP};
	assert_ok(state_judge_put(w->txn, 1, &w->judge, &err));
	w->row.state = w->row.decided = STATE_UP;
	w->row.incident = 0;
	assert_ok(state_rows_put(w->txn, &(uint32_t){1}, &w->row, 1, &err));
	w->incident.started_us = w->incident.decided_us = w->now_us - 100 * 1440 * MINUTE;
	w->incident.ended_us = w->now_us;
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
	w->notice.state = NOTICE_DELIVERED;
	w->notice.attempts = 1;
	w->notice.at_us = w->now_us - 100 * 1440 * MINUTE;
	assert_ok(state_notice_put(w->txn, &w->notice, &err));
	more.incident = 0;
	snprintf(more.event_id, sizeof(more.event_id), "upbeat-2");
	assert_ok(state_notice_add(w->txn, &more, &err));
	more.state = NOTICE_SUPERSEDED;
	more.instead = "upbeat-1";
	assert_ok(state_notice_put(w->txn, &more, &err));
	commit(w);
	a = audit_state(w->state);
	assert_holds(&a);
	assert_int_equal(a.open, 0);
	assert_int_equal(a.waiting, 0);
	leave(w);
}

/* A recurring event has a notice each time; a reminder is none. */
static void test_what_recurs_is_counted(void **state)
{
	struct world *w = build(*state);
	struct notice again = w->notice;
	struct incident_entry *entry = incident_add(&w->incident, ENTRY_QUEUED, w->now_us);
	struct audit a;

	entry->who = mem_str("ops");
	entry->text = mem_str("down");
	incident_add(&w->incident, ENTRY_QUEUED, w->now_us)->text = mem_str("no event of ours");
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
	again.repeat = true;
	assert_ok(state_notice_add(w->txn, &again, &err));
	commit(w);
	a = audit_state(w->state);
	assert_int_equal(a.broken, 1);
	assert_non_null(strstr(text_str(&said), "\"down\" for channel ops was queued and is not there"));
	leave(w);
}

/* ---- promises, broken --------------------------------------------------------------------------------- */

static void no_incident(struct world *w)
{
	w->judge.incident = 0;
	assert_ok(state_judge_put(w->txn, 1, &w->judge, &err));
}

static void unknown_incident(struct world *w)
{
	w->judge.incident = 77;
	assert_ok(state_judge_put(w->txn, 1, &w->judge, &err));
}

static void row_says_otherwise(struct world *w)
{
	w->row.state = STATE_UP;
	assert_ok(state_rows_put(w->txn, &(uint32_t){1}, &w->row, 1, &err));
}

static void row_in_no_incident(struct world *w)
{
	w->row.incident = 0;
	assert_ok(state_rows_put(w->txn, &(uint32_t){1}, &w->row, 1, &err));
}

static void row_not_configured(struct world *w)
{
	w->row.flags = 0;
	assert_ok(state_rows_put(w->txn, &(uint32_t){1}, &w->row, 1, &err));
}

static void over_and_still_in_it(struct world *w)
{
	w->incident.ended_us = w->now_us;
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
}

static void ended_before_it_began(struct world *w)
{
	w->incident.ended_us = 1;
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
}

static void told_without_a_notice(struct world *w)
{
	incident_tell(&w->incident, "phone");
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
}

static void queued_without_a_notice(struct world *w)
{
	struct incident_entry *entry = incident_add(&w->incident, ENTRY_QUEUED, w->now_us);

	entry->who = mem_str("mail");
	entry->text = mem_str("down");
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
}

static void told_without_a_bad_look(struct world *w)
{
	w->incident.entries[0].outcome = OUTCOME_UP;
	assert_ok(state_incident_put(w->txn, &w->incident, &err));
	w->incident.entries[0].outcome = OUTCOME_DOWN;
	assert_ok(state_incident_new(w->txn, &w->incident, &err));
}

static void notice_of_no_incident(struct world *w)
{
	w->notice.incident = 88;
	assert_ok(state_notice_add(w->txn, &w->notice, &err));
}

static void delivered_without_an_attempt(struct world *w)
{
	w->notice.state = NOTICE_DELIVERED;
	assert_ok(state_notice_put(w->txn, &w->notice, &err));
}

static void told_by_what_is_not_there(struct world *w)
{
	w->notice.state = NOTICE_SUPERSEDED;
	w->notice.instead = "upbeat-99";
	assert_ok(state_notice_put(w->txn, &w->notice, &err));
}

static void more_than_an_hour(struct world *w)
{
	int64_t from_s = w->now_us / US_PER_S / 3600 * 3600;

	assert_ok(state_rollup_put(w->txn, ROLLUP_HOUR, 1,
		&(struct rollup){.from_s = from_s, .to_s = from_s + 3600, .up_s = 3600, .down_s = 1}, &err));
}

static void a_day_is_not_its_hours(struct world *w)
{
	int64_t day_s = w->now_us / US_PER_S / 86400 * 86400 - 86400;

	assert_ok(state_rollup_put(w->txn, ROLLUP_DAY, 1,
		&(struct rollup){.from_s = day_s, .to_s = day_s + 86400, .up_s = 86000, .down_s = 400}, &err));
}

/* ---- records that are gone, or stand where none should ------------------------------------------------ */

static void take_away(struct world *w, enum state_table table, struct key k)
{
	assert_ok(book_delete(&w->txn->book, table, &k, &err));
}

static void put_id(struct world *w, enum state_table table, struct key k, uint32_t id)
{
	struct key value = key_u32(id);

	assert_ok(book_put(&w->txn->book, table, &k, value.bytes, value.n, &err));
}

/* The record of one key under another. */
static void put_as(struct world *w, enum state_table table, struct key from, struct key to)
{
	MDB_val value;
	void *bytes;

	assert_ok(book_get(&w->txn->book, table, &from, &value, &err));
	bytes = mem_dup(value.mv_data, value.mv_size);
	assert_ok(book_put(&w->txn->book, table, &to, bytes, value.mv_size, &err));
	free(bytes);
}

static struct key due_key(const struct notice *n)
{
	struct key k = key_u64(state_time(n->due_us));

	key_add_u64(&k, n->id);
	return k;
}

static struct key incident_key(uint32_t incident, uint64_t notice)
{
	struct key k = key_u32(incident);

	key_add_u64(&k, notice);
	return k;
}

static void nobody_looks_at_it(struct world *w)
{
	take_away(w, TABLE_DUE, due_key(&w->notice));
}

static void told_and_still_due(struct world *w)
{
	struct key due = due_key(&w->notice);

	w->notice.state = NOTICE_DELIVERED;
	w->notice.attempts = 1;
	assert_ok(state_notice_put(w->txn, &w->notice, &err));
	assert_ok(book_put(&w->txn->book, TABLE_DUE, &due, "", 0, &err));
}

static void not_found_by_its_incident(struct world *w)
{
	take_away(w, TABLE_BY_INCIDENT, incident_key(w->incident.id, w->notice.id));
}

static void one_between_two_vanished(struct world *w)
{
	struct notice more = w->notice;

	for (int i = 0; i < 2; i++) {
		assert_ok(state_notice_add(w->txn, &more, &err));
		if (i == 0) {
			take_away(w, TABLE_NOTICES, key_u64(more.id));
			take_away(w, TABLE_DUE, due_key(&more));
			take_away(w, TABLE_BY_INCIDENT, incident_key(more.incident, more.id));
		}
	}
}

static void the_newest_vanished(struct world *w)
{
	assert_ok(state_notice_add(w->txn, &w->notice, &err));
	take_away(w, TABLE_NOTICES, key_u64(w->notice.id));
}

static void the_number_was_never_given(struct world *w)
{
	assert_ok(state_counters_put(w->txn, &(struct counters){.monitor = 2, .incident = 1}, &err));
}

static void stands_under_another_number(struct world *w)
{
	put_as(w, TABLE_NOTICES, key_u64(w->notice.id), key_u64(w->notice.id + 1));
}

static void in_a_state_that_nobody_knows(struct world *w)
{
	w->notice.state = NOTICE_SUPERSEDED + 1;
	assert_ok(state_notice_put(w->txn, &w->notice, &err));
}

static void no_record_of_the_monitor(struct world *w)
{
	take_away(w, TABLE_MONITORS, key_u32(1));
}

static void another_id(struct world *w)
{
	put_id(w, TABLE_IDS, key_name("shop"), 2);
}

static void an_id_never_given(struct world *w)
{
	put_id(w, TABLE_IDS, key_name("more"), 99);
}

static void an_index_of_nobody(struct world *w)
{
	put_id(w, TABLE_ORDER, key_u32(9), 77);
}

static void a_heartbeat_of_nobody(struct world *w)
{
	put_as(w, TABLE_HEARTBEATS, key_name("robot"), key_name("ghost"));
}

static void an_entry_of_no_incident(struct world *w)
{
	struct key from = key_u32(w->incident.id), to = key_u32(77);

	key_add_u32(&from, 0);
	key_add_u32(&to, 0);
	put_as(w, TABLE_ENTRIES, from, to);
}

static void lasts_and_is_not_open(struct world *w)
{
	take_away(w, TABLE_OPEN, key_u32(w->incident.id));
}

static void in_the_incident_of_another(struct world *w)
{
	assert_ok(state_judge_put(w->txn, 2, &w->judge, &err));
}

static void test_each_broken_promise_is_said(void **state)
{
	static const struct {
		void (*breaks)(struct world *w);
		const char *says;
	} rows[] = {
		{no_incident, "is down without an incident"},
		{unknown_incident, "is in incident 77, which is not there"},
		{row_says_otherwise, "is not what was decided"},
		{row_in_no_incident, "lasts, and monitor 1 is not in it"},
		{row_not_configured, "is configured, and its row says it is not"},
		{over_and_still_in_it, "which is over"},
		{ended_before_it_began, "ended before it began"},
		{told_without_a_notice, "channel phone was told, and there is no notice"},
		{queued_without_a_notice, "\"down\" for channel mail was queued and is not there"},
		{told_without_a_bad_look, "was told as down without one bad look"},
		{notice_of_no_incident, "tells of incident 88, which is not there"},
		{delivered_without_an_attempt, "was delivered without an attempt"},
		{told_by_what_is_not_there, "is told by upbeat-99, which is not there"},
		{more_than_an_hour, "up, down and unknown are no sum"},
		{a_day_is_not_its_hours, "day"},
		{nobody_looks_at_it, "waits, and nobody will look at it"},
		{told_and_still_due, "of 1 notices 0 wait; 1 are due"},
		{not_found_by_its_incident, "is not found by its incident"},
		{one_between_two_vanished, "I4: the notices between 1 and 3 vanished"},
		{the_newest_vanished, "the notices after 1 vanished; 2 were written"},
		{the_number_was_never_given, "notice 1 is beyond the last number given, 0"},
		{stands_under_another_number, "notice 2 has another number"},
		{in_a_state_that_nobody_knows, "is in no known state"},
		{no_record_of_the_monitor, "monitor 1 is configured and has no record"},
		{another_id, "slug shop has another id than it was given"},
		{an_id_never_given, "slug more has id 99, beyond the last one given, 2"},
		{an_index_of_nobody, "an index names monitor 77, which is not configured"},
		{a_heartbeat_of_nobody, "ghost may beat and is not configured"},
		{an_entry_of_no_incident, "an entry is of incident 77, which is not there"},
		{lasts_and_is_not_open, "of 1 incidents 1 last; 0 are open"},
		{in_the_incident_of_another, "is in incident 1, which is another's"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *dir = file_join(*state, "store");
		struct world *w;
		struct audit a;

		assert_int_equal(mkdir(dir, 0700), 0);
		w = build(dir);
		rows[i].breaks(w);
		commit(w);
		a = audit_state(w->state);
		assert_said(&a, rows[i].says);
		leave(w);
		remove_tree(dir);
		free(dir);
	}
}

/* A pass may put a copy in the place of a torn state: so nothing may count as torn that a fault of ours can cause. */
static void test_only_indexes_can_be_torn(void **state)
{
	static const struct {
		void (*breaks)(struct world *w);
		bool torn;
	} rows[] = {
		{another_id, true},
		{an_index_of_nobody, true},
		{row_says_otherwise, true},
		{no_record_of_the_monitor, true},
		{an_entry_of_no_incident, true},
		{not_found_by_its_incident, true},
		{lasts_and_is_not_open, true},
		{nobody_looks_at_it, true},
		{told_without_a_notice, false},
		{told_without_a_bad_look, false},
		{delivered_without_an_attempt, false},
		{queued_without_a_notice, false},
		{a_day_is_not_its_hours, false},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *dir = file_join(*state, "store");
		struct world *w;

		assert_int_equal(mkdir(dir, 0700), 0);
		w = build(dir);
		rows[i].breaks(w);
		commit(w);
		if ((audit_state(w->state).torn > 0) != rows[i].torn)
			fail_msg("row %zu: %s", i, text_str(&said));
		leave(w);
		remove_tree(dir);
		free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_what_a_pass_leaves_holds),
		test_in_dir(test_what_is_over_or_old_holds),
		test_in_dir(test_what_recurs_is_counted),
		test_in_dir(test_each_broken_promise_is_said),
		test_in_dir(test_only_indexes_can_be_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
