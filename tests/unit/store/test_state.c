/* SPDX-License-Identifier: ISC */
/*
 * The state's verbs: publishing, rows, judges, incidents, the outbox, passes and notes.
 */
#include "state_test.h"

#define assert_missing(call)                                                                      \
	do {                                                                                      \
		assert_false(call);                                                               \
		assert_int_equal(err.kind, ERROR_MISSING);                                        \
	} while (0)

/* ---- publishing -------------------------------------------------------------------------------------- */

static char *secrets[] = {"first", "second"};
static struct heartbeat_rules hubot_rules = {
	.secrets = secrets,
	.secret_count = 2,
	.sha256_only = true,
	.token = "token-of-hubot",
	.max_age_ms = 300000,
	.grace_ms = 7,
	.window_ms = 300000,
};
static char *tags[] = {"a", "", "c"};
static struct notify_rule notify[] = {
	{.channel = "ops", .events = EVENTS_DEFAULT},
	{.channel = "phone", .after_ms = 300000, .repeat_ms = 1800000, .hours = "mon-fri 09:00-18:00"},
};

static struct monitor shop_monitor(void)
{
	return (struct monitor){
		.slug = "shop", .type = "http", .name = "Shop", .group = "", .tags = tags, .tag_count = 3,
		.is_public = true, .interval_ms = 60000, .timeout_ms = 10000, .confirm = 3,
		.confirm_waits_ms = {5000, 5000, 0, 10000}, .confirm_wait_count = 4, .recover = 2,
		.recover_wait_ms = 10000, .slow_ms = 2000, .notify = notify, .notify_count = 2,
		.options = "{\"url\":\"https://shop.example.com/\"}", .place = 1,
	};
}

static struct monitor hubot_monitor(void)
{
	return (struct monitor){
		.slug = "hubot", .type = "heartbeat", .name = "Hubot", .group = "Programs", .options = "{}",
		.interval_ms = 60000, .heartbeat = &hubot_rules, .place = 2,
	};
}

static void publish(struct state *state, struct monitor *monitors, size_t n)
{
	struct publication publication = {
		.site = {.title = "Example", .retain_samples_s = 14 * 86400},
		.monitors = monitors,
		.monitor_count = n,
		.fingerprint = "f1",
	};
	struct state_txn *txn = begin(state, true);

	assert_ok(state_publish(txn, &publication, &err));
	assert_ok(state_commit(txn, &err));
}

static void test_nothing_is_published_at_first(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, false);
	struct monitor monitor;
	struct site site;
	struct row *rows;
	char *text;
	size_t n;

	assert_missing(state_site(txn, &site, &err));
	assert_missing(state_fingerprint(txn, &text, &err));
	assert_missing(state_monitor_by_slug(txn, "shop", &monitor, &err));
	assert_missing(state_default_heartbeat(txn, &text, &err));
	assert_ok(state_rows(txn, &rows, &n, &err));
	assert_int_equal(n, 1);
	free(rows);
	state_end(txn);
	state_close(s);
}

static void test_a_monitor_comes_back_whole(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {shop_monitor(), hubot_monitor()}, out;
	struct state_txn *txn;

	publish(s, monitors, 2);
	assert_int_equal(monitors[0].id, 1);
	assert_int_equal(monitors[1].id, 2);
	txn = begin(s, false);
	assert_ok(state_monitor_by_slug(txn, "shop", &out, &err));
	assert_int_equal(out.id, 1);
	assert_string_equal(out.group, "");
	assert_int_equal(out.tag_count, 3);
	assert_string_equal(out.tags[1], "");
	assert_string_equal(out.tags[2], "c");
	assert_true(out.is_public);
	assert_false(out.paused);
	assert_int_equal(out.confirm_wait_count, 4);
	assert_int_equal(out.confirm_waits_ms[2], 0);
	assert_int_equal(out.confirm_waits_ms[3], 10000);
	assert_int_equal(out.notify_count, 2);
	assert_null(out.notify[0].hours);
	assert_int_equal(out.notify[1].repeat_ms, 1800000);
	assert_string_equal(out.notify[1].hours, "mon-fri 09:00-18:00");
	assert_null(out.runbook);
	assert_null(out.heartbeat);
	monitor_clear(&out);
	assert_ok(state_monitor_by_token(txn, "token-of-hubot", &out, &err));
	assert_string_equal(out.slug, "hubot");
	assert_string_equal(out.heartbeat->secrets[1], "second");
	assert_true(out.heartbeat->sha256_only);
	monitor_clear(&out);
	assert_missing(state_monitor_by_token(txn, "token-of-hubo", &out, &err));
	state_end(txn);
	state_close(s);
}

static void test_a_heartbeat_is_one_small_record(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {shop_monitor(), hubot_monitor()};
	struct heartbeat_rules rules;
	struct state_txn *txn;
	char *slug;

	publish(s, monitors, 2);
	txn = begin(s, false);
	assert_ok(state_heartbeat(txn, "hubot", &rules, &err));
	assert_int_equal(rules.secret_count, 2);
	assert_int_equal(rules.window_ms, 300000);
	assert_null(rules.schedule);
	heartbeat_rules_clear(&rules);
	assert_missing(state_heartbeat(txn, "shop", &rules, &err));
	assert_ok(state_default_heartbeat(txn, &slug, &err));
	assert_string_equal(slug, "hubot");
	free(slug);
	state_end(txn);
	state_close(s);
}

static void test_of_two_heartbeats_the_one_called_default_is_meant(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {hubot_monitor(), hubot_monitor()};
	struct heartbeat_rules other = hubot_rules;
	struct state_txn *txn;
	char *slug;

	other.token = NULL;
	monitors[1].heartbeat = &other;
	monitors[1].slug = "cron";
	publish(s, monitors, 2);
	txn = begin(s, false);
	assert_missing(state_default_heartbeat(txn, &slug, &err));
	state_end(txn);
	monitors[1].slug = "default";
	publish(s, monitors, 2);
	txn = begin(s, false);
	assert_ok(state_default_heartbeat(txn, &slug, &err));
	assert_string_equal(slug, "default");
	free(slug);
	state_end(txn);
	state_close(s);
}

static bool collect_slug(void *arg, const struct monitor *monitor)
{
	char *seen = arg;

	strcat(seen, monitor->slug);
	strcat(seen, " ");
	return true;
}

static void test_publishing_keeps_ids_and_history_and_unlists(void **state)
{
	struct state *s = open_new(state);
	struct monitor first[] = {shop_monitor(), hubot_monitor()},
		       second[] = {shop_monitor(), shop_monitor()}, out;
	char seen[64] = "";
	struct state_txn *txn;
	struct row *rows;
	size_t n;

	publish(s, first, 2);
	second[0].slug = "new";
	publish(s, second, 2); /* "new" comes first, hubot goes */
	assert_int_equal(second[0].id, 3);
	assert_int_equal(second[1].id, 1);
	txn = begin(s, false);
	assert_ok(state_monitor_scan(txn, collect_slug, seen, &err));
	assert_string_equal(seen, "new shop ");
	assert_missing(state_monitor_by_slug(txn, "hubot", &out, &err));
	assert_missing(state_monitor_by_token(txn, "token-of-hubot", &out, &err));
	assert_ok(state_monitor(txn, 2, &out, &err)); /* its history still has a name, but no secret */
	assert_string_equal(out.name, "Hubot");
	assert_null(out.heartbeat);
	monitor_clear(&out);
	assert_ok(state_rows(txn, &rows, &n, &err));
	assert_int_equal(n, 4);
	assert_int_equal(rows[1].flags, ROW_CONFIGURED);
	assert_int_equal(rows[2].flags, ROW_HEARTBEAT);
	assert_int_equal(rows[3].flags, ROW_CONFIGURED);
	free(rows);
	state_end(txn);
	publish(s, first, 2);
	assert_int_equal(first[1].id, 2); /* back under its old number */
	state_close(s);
}

static void test_publishing_the_same_again_dirties_next_to_nothing(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {shop_monitor(), hubot_monitor()};
	struct store_figures before, after;
	struct state_txn *txn;
	struct site site;

	publish(s, monitors, 2);
	assert_ok(state_figures(s, &before, &err));
	publish(s, monitors, 2);
	assert_ok(state_figures(s, &after, &err));
	assert_true(after.used_bytes - before.used_bytes <= 64 << 10);
	txn = begin(s, false);
	assert_ok(state_site(txn, &site, &err));
	assert_int_equal(site.generation, 2);
	assert_int_equal(site.monitors, 2);
	assert_string_equal(site.title, "Example");
	site_clear(&site);
	state_end(txn);
	state_close(s);
}

static void test_two_monitors_of_one_slug_are_refused(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {shop_monitor(), shop_monitor()};
	struct publication publication = {.monitors = monitors, .monitor_count = 2};
	struct state_txn *txn = begin(s, true);

	assert_false(state_publish(txn, &publication, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	state_end(txn);
	state_close(s);
}

static void test_the_site_comes_back_whole(void **state)
{
	struct state *s = open_new(state);
	char *operators[] = {"alice"}, *windows[] = {"daily 02:00 30m"};
	struct api_key keys[] = {{.name = "k", .hash = {1, 2, 3}, .may_write = true}};
	struct peer_key peers[] = {{.name = "b", .url = "https://b.example.com/", .secret = "s"}};
	struct channel_label channels[] = {
		{.name = "ops", .type = "slack"}, {.name = "mail", .type = "mail"}};
	struct publication publication = {.site = {
						  .title = "T",
						  .language = LANGUAGE_ZH_TW,
						  .timezone = "Asia/Taipei",
						  .anonymous = ANONYMOUS_NONE,
						  .operators = operators,
						  .operator_count = 1,
						  .keys = keys,
						  .key_count = 1,
						  .peer_keys = peers,
						  .peer_count = 1,
						  .channels = channels,
						  .channel_count = 2,
						  .maintenance = windows,
						  .maintenance_count = 1,
						  .retain_hours_s = 5,
					  }};
	struct state_txn *txn = begin(s, true);
	struct site site;

	assert_ok(state_publish(txn, &publication, &err));
	assert_ok(state_site(txn, &site, &err));
	assert_null(site.url);
	assert_int_equal(site.language, LANGUAGE_ZH_TW);
	assert_int_equal(site.anonymous, ANONYMOUS_NONE);
	assert_string_equal(site.operators[0], "alice");
	assert_memory_equal(site.keys[0].hash, keys[0].hash, sizeof(keys[0].hash));
	assert_true(site.keys[0].may_write);
	assert_string_equal(site.peer_keys[0].secret, "s");
	assert_string_equal(site.channels[1].type, "mail");
	assert_string_equal(site.maintenance[0], "daily 02:00 30m");
	site_clear(&site);
	state_end(txn);
	state_close(s);
}

static void test_problems_are_replaced_as_a_whole(void **state)
{
	struct state *s = open_new(state);
	struct problem problems[] = {
		{.file = "upbeat.json", .line = 3, .column = 7, .text = "unknown key", .warning = false},
		{.file = "conf.d/a.json", .text = "http to a host that is not loopback", .warning = true},
	};
	struct state_txn *txn = begin(s, true);
	struct problem *out;
	size_t n;

	assert_ok(state_problems(txn, &out, &n, &err));
	assert_int_equal(n, 0);
	assert_ok(state_problems_put(txn, problems, 2, &err));
	assert_ok(state_problems(txn, &out, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(out[0].column, 7);
	assert_string_equal(out[1].file, "conf.d/a.json");
	assert_true(out[1].warning);
	for (size_t i = 0; i < n; i++)
		problem_clear(&out[i]);
	free(out);
	assert_ok(state_problems_put(txn, NULL, 0, &err));
	assert_ok(state_problems(txn, &out, &n, &err));
	assert_int_equal(n, 0);
	state_end(txn);
	state_close(s);
}

/* ---- rows, judges ------------------------------------------------------------------------------------ */

static void test_rows_are_kept_where_they_belong(void **state)
{
	enum { MONITORS = 300 };
	struct state *s = open_new(state);
	struct monitor *monitors = mem_array(MONITORS, sizeof(*monitors));
	char slugs[MONITORS][16];
	const uint32_t ids[] = {1, 83, 84, 300};
	struct row out[4] = {{.state = STATE_UP}, {.since_us = 5}, {.recent = UINT64_MAX}, {.incident = 9}},
		   *rows;
	struct state_txn *txn;
	struct row row;
	size_t n;

	for (int i = 0; i < MONITORS; i++) {
		snprintf(slugs[i], sizeof(slugs[i]), "m%d", i);
		monitors[i] = shop_monitor();
		monitors[i].slug = slugs[i];
	}
	publish(s, monitors, MONITORS);
	txn = begin(s, true);
	assert_ok(state_rows_put(txn, ids, out, 4, &err));
	assert_ok(state_rows(txn, &rows, &n, &err));
	assert_int_equal(n, MONITORS + 1);
	assert_int_equal(rows[1].state, STATE_UP);
	assert_int_equal(rows[83].since_us, 5);
	assert_true(rows[84].recent == UINT64_MAX);
	assert_int_equal(rows[300].incident, 9);
	assert_int_equal(rows[2].flags, ROW_CONFIGURED);
	assert_ok(state_row(txn, 84, &row, &err));
	assert_true(row.recent == UINT64_MAX);
	free(rows);
	state_end(txn); /* not committed: gone */
	txn = begin(s, false);
	assert_ok(state_row(txn, 300, &row, &err));
	assert_int_equal(row.incident, 0);
	assert_missing(state_row(txn, 100000, &row, &err));
	state_end(txn);
	free(monitors);
	state_close(s);
}

static void test_a_judge_never_stored_is_zero(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct judge zero = {0}, judge;

	assert_ok(state_judge(txn, 5, &judge, &err));
	assert_memory_equal(&judge, &zero, sizeof(zero));
	judge.state = STATE_SUSPECT;
	judge.changes_us[FLAP_RING - 1] = 77;
	judge.certificates[1].days = 21;
	judge.certificates[1].expires_s = T0_S;
	judge.told = TOLD_DOWN;
	judge.paused_by_hand = true;
	judge.maintenance_until_us = T0_US;
	snprintf(judge.cause, sizeof(judge.cause), "HTTP 502");
	zero = judge;
	assert_ok(state_judge_put(txn, 5, &judge, &err));
	assert_ok(state_judge(txn, 5, &judge, &err));
	assert_memory_equal(&judge, &zero, sizeof(zero));
	state_end(txn);
	state_close(s);
}

/* ---- incidents --------------------------------------------------------------------------------------- */

static uint32_t new_incident(struct state_txn *txn, uint32_t monitor_id, bool ended)
{
	struct incident incident = {
		.monitor_id = monitor_id,
		.monitor = mem_str("shop"),
		.state = STATE_DOWN,
		.started_us = T0_US,
		.decided_us = T0_US + 20 * US_PER_S,
		.ended_us = ended ? T0_US + 60 * US_PER_S : 0,
		.cause = mem_str("HTTP 502"),
	};
	struct incident_entry *entry = incident_add(&incident, ENTRY_ATTEMPT, T0_US);
	uint32_t id;

	entry->outcome = OUTCOME_DOWN;
	entry->status = 502;
	entry->timings.total_us = 1234;
	entry->body = mem_str("<h1>Bad gateway</h1>");
	incident_tell(&incident, "ops");
	incident_tell(&incident, "mail");
	assert_ok(state_incident_new(txn, &incident, &err));
	id = incident.id;
	incident_clear(&incident);
	return id;
}

static void test_an_incident_comes_back_with_its_story(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct incident incident;
	uint32_t id = new_incident(txn, 1, false);

	assert_int_equal(id, 1);
	assert_ok(state_incident(txn, id, &incident, &err));
	assert_int_equal(incident.entry_count, 1);
	assert_int_equal(incident.entries[0].status, 502);
	assert_int_equal(incident.entries[0].length_us, -1);
	assert_int_equal(incident.entries[0].timings.dns_us, -1);
	assert_int_equal(incident.entries[0].timings.total_us, 1234);
	assert_string_equal(incident.entries[0].body, "<h1>Bad gateway</h1>");
	assert_true(incident_told(&incident, "mail"));
	incident_add(&incident, ENTRY_NOTE, T0_US + 1)->text = mem_str("looking");
	incident_add(&incident, ENTRY_NOTE, T0_US + 2)->text = mem_str("found");
	incident.ended_us = T0_US + 90 * US_PER_S;
	assert_ok(state_incident_put(txn, &incident, &err));
	incident_clear(&incident);
	assert_ok(state_incident(txn, id, &incident, &err));
	assert_int_equal(incident.entry_count, 3);
	assert_string_equal(incident.entries[2].text, "found");
	assert_int_equal(incident.ended_us, T0_US + 90 * US_PER_S);
	incident_clear(&incident);
	assert_missing(state_incident(txn, 99, &incident, &err));
	state_end(txn);
	state_close(s);
}

struct seen {
	uint32_t ids[16];
	size_t n, entries, most;
};

static bool see_incident(void *arg, const struct incident *incident)
{
	struct seen *seen = arg;

	seen->ids[seen->n++] = incident->id;
	seen->entries += incident->entry_count;
	return seen->n != seen->most;
}

static void test_incidents_are_scanned_newest_first(void **state)
{
	static const struct {
		uint32_t monitor;
		bool only_open, brief;
		size_t most, n, entries;
		uint32_t ids[5];
	} rows[] = {
		{0, false, true, 0, 4, 0, {4, 3, 2, 1}},
		{0, false, false, 0, 4, 4, {4, 3, 2, 1}},
		{0, true, true, 0, 2, 0, {4, 2}},
		{1, false, true, 0, 3, 0, {4, 3, 1}},
		{1, true, true, 0, 1, 0, {4}},
		{2, true, false, 0, 1, 1, {2}},
		{7, false, true, 0, 0, 0, {0}},
		{0, false, true, 2, 2, 0, {4, 3}},
	};
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);

	new_incident(txn, 1, true);
	new_incident(txn, 2, false);
	new_incident(txn, 1, true);
	new_incident(txn, 1, false);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct seen seen = {.most = rows[i].most};

		assert_ok(state_incident_scan(
			txn, rows[i].monitor, rows[i].only_open, rows[i].brief, see_incident, &seen, &err));
		assert_int_equal(seen.n, rows[i].n);
		assert_int_equal(seen.entries, rows[i].entries);
		assert_memory_equal(seen.ids, rows[i].ids, seen.n * sizeof(seen.ids[0]));
	}
	state_end(txn);
	state_close(s);
}

/* ---- outbox ------------------------------------------------------------------------------------------ */

static struct notice new_notice(struct state_txn *txn, uint32_t incident, int64_t due_us)
{
	struct notice notice = {
		.event_id = "e1",
		.event = EVENT_DOWN,
		.channel = "ops",
		.monitor = "shop",
		.monitor_id = 1,
		.incident = incident,
		.now = STATE_DOWN,
		.previous = STATE_UP,
		.since_us = T0_US,
		.at_us = T0_US,
		.cause = "HTTP 502",
		.due_us = due_us,
		.expires_us = due_us + NOTICE_LIFE_US,
	};

	assert_ok(state_notice_add(txn, &notice, &err));
	return notice;
}

struct noticed {
	uint64_t ids[16];
	size_t n;
};

static bool see_notice(void *arg, const struct notice *notice)
{
	struct noticed *seen = arg;

	assert_string_equal(notice->channel, "ops");
	seen->ids[seen->n++] = notice->id;
	return true;
}

static struct noticed due_by(struct state_txn *txn, int64_t due_us)
{
	struct noticed seen = {0};

	assert_ok(state_notice_due(txn, due_us, see_notice, &seen, &err));
	return seen;
}

static void test_notices_are_picked_by_due_time(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct notice first, second, third;
	struct noticed seen;

	assert_true(state_notice_next(txn) == INT64_MAX);
	first = new_notice(txn, 1, T0_US + 30);
	second = new_notice(txn, 1, T0_US + 10);
	third = new_notice(txn, 2, T0_US + 20);
	assert_int_equal(third.id, 3);
	assert_int_equal(state_notice_next(txn), T0_US + 10);
	seen = due_by(txn, T0_US + 20);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0], second.id);
	assert_int_equal(seen.ids[1], third.id);
	second.due_us = T0_US + 40; /* retried later */
	assert_ok(state_notice_put(txn, &second, &err));
	first.state = NOTICE_DELIVERED;
	first.answer = "ok";
	assert_ok(state_notice_put(txn, &first, &err));
	seen = due_by(txn, INT64_MAX);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0], third.id);
	assert_int_equal(seen.ids[1], second.id);
	assert_int_equal(state_notice_next(txn), T0_US + 20);
	state_end(txn);
	state_close(s);
}

static void test_notices_of_an_incident_are_found(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct noticed seen = {0};
	struct notice out;

	new_notice(txn, 1, T0_US);
	new_notice(txn, 2, T0_US);
	new_notice(txn, 1, T0_US);
	assert_ok(state_notice_scan(txn, 1, see_notice, &seen, &err));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0], 3);
	assert_int_equal(seen.ids[1], 1);
	seen.n = 0;
	assert_ok(state_notice_scan(txn, 0, see_notice, &seen, &err));
	assert_int_equal(seen.n, 3);
	assert_ok(state_notice(txn, 2, &out, &err));
	assert_string_equal(out.event_id, "e1");
	assert_int_equal(out.previous, STATE_UP);
	assert_null(out.thread);
	notice_clear(&out);
	assert_missing(state_notice(txn, 9, &out, &err));
	state_end(txn);
	state_close(s);
}

static void test_old_notices_are_forgotten_unless_they_wait(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct forget before = {.notices_s = T0_S + 1};
	struct noticed seen = {0};
	size_t forgotten;
	char *note;

	for (int i = 0; i < 4; i++) {
		struct notice notice = new_notice(txn, 1, T0_US);

		notice.state = i == 1 ? NOTICE_WAITING : NOTICE_DELIVERED;
		notice.at_us = i == 3 ? T0_US + 5 * US_PER_S : T0_US;
		assert_ok(state_notice_put(txn, &notice, &err));
	}
	assert_ok(state_note_put(txn, "told/old", "1777600800000000", &err));
	assert_ok(state_note_put(txn, "told/young", "9977600800000000", &err));
	assert_ok(state_note_put(txn, "tone", "1", &err)); /* another's, that follows them */
	assert_ok(state_forget(txn, &before, 1000, &forgotten, &err));
	assert_int_equal(forgotten, 3);
	assert_false(state_note_get(txn, "told/old", &note, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_ok(state_note_get(txn, "told/young", &note, &err));
	free(note);
	assert_ok(state_note_get(txn, "tone", &note, &err));
	free(note);
	assert_ok(state_notice_scan(txn, 1, see_notice, &seen, &err));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0], 4);
	assert_int_equal(seen.ids[1], 2);
	state_end(txn);
	state_close(s);
}

/* ---- passes, notes ----------------------------------------------------------------------------------- */

static void test_pass_seen_and_notes(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn = begin(s, true);
	struct pass_info pass, zero = {0};
	uint64_t seen = 1;
	char *text;

	assert_ok(state_pass(txn, &pass, &err));
	assert_memory_equal(&pass, &zero, sizeof(pass));
	pass.started_us = T0_US;
	pass.config_ok = true;
	pass.boot_id = UINT64_MAX;
	zero = pass;
	assert_ok(state_pass_put(txn, &pass, &err));
	assert_ok(state_pass(txn, &pass, &err));
	assert_memory_equal(&pass, &zero, sizeof(pass));
	assert_ok(state_inbox_seen(txn, &seen, &err));
	assert_int_equal(seen, 0);
	assert_ok(state_inbox_seen_put(txn, 42, &err));
	assert_ok(state_inbox_seen(txn, &seen, &err));
	assert_int_equal(seen, 42);
	assert_missing(state_note_get(txn, "told", &text, &err));
	assert_ok(state_note_put(txn, "told", "", &err));
	assert_ok(state_note_get(txn, "told", &text, &err));
	assert_string_equal(text, "");
	free(text);
	assert_ok(state_note_put(txn, "told", NULL, &err));
	assert_missing(state_note_get(txn, "told", &text, &err));
	state_end(txn);
	state_close(s);
}

static void test_a_snapshot_does_not_see_later_commits(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *write = begin(s, true), *read;
	uint64_t seen;

	assert_ok(state_inbox_seen_put(write, 1, &err));
	assert_ok(state_commit(write, &err));
	read = begin(s, false);
	write = begin(s, true);
	assert_ok(state_inbox_seen_put(write, 2, &err));
	assert_ok(state_inbox_seen(write, &seen, &err));
	assert_int_equal(seen, 2);
	assert_ok(state_commit(write, &err));
	assert_ok(state_inbox_seen(read, &seen, &err));
	assert_int_equal(seen, 1);
	state_end(read);
	state_close(s);
}

static void test_a_reader_may_not_write(void **state)
{
	struct state *s = open_new(state);

	state_close(s);
	s = state_open(*state, STORE_READ, &err);
	assert_non_null(s);
	assert_null(state_begin(s, true, &err));
	assert_int_equal(err.kind, ERROR_DENIED);
	state_close(s);
}

static void test_verify_reads_every_kind_of_record(void **state)
{
	struct state *s = open_new(state);
	struct monitor monitors[] = {shop_monitor(), hubot_monitor()};
	struct sample sample = {.monitor_id = 1, .at_us = T0_US, .response_us = 5, .timings = TIMINGS_NONE};
	struct rollup rollup = {.from_s = T0_S, .to_s = T0_S + 3600, .up_s = 3600};
	struct judge judge = {0};
	struct state_txn *txn;
	uint64_t records;

	publish(s, monitors, 2);
	txn = begin(s, true);
	new_notice(txn, new_incident(txn, 1, false), T0_US);
	assert_ok(state_samples_add(txn, &sample, 1, &err));
	assert_ok(state_samples_settle(txn, T0_S, &err));
	assert_ok(state_samples_add(txn, &sample, 1, &err));
	assert_ok(state_rollup_put(txn, ROLLUP_HOUR, 1, &rollup, &err));
	assert_ok(state_judge_put(txn, 1, &judge, &err));
	assert_ok(state_note_put(txn, "n", "x", &err));
	assert_ok(state_commit(txn, &err));
	assert_ok(state_verify(s, &records, &err));
	assert_true(records >= 24);
	state_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_nothing_is_published_at_first),
		test_in_dir(test_a_monitor_comes_back_whole),
		test_in_dir(test_a_heartbeat_is_one_small_record),
		test_in_dir(test_of_two_heartbeats_the_one_called_default_is_meant),
		test_in_dir(test_publishing_keeps_ids_and_history_and_unlists),
		test_in_dir(test_publishing_the_same_again_dirties_next_to_nothing),
		test_in_dir(test_two_monitors_of_one_slug_are_refused),
		test_in_dir(test_the_site_comes_back_whole),
		test_in_dir(test_problems_are_replaced_as_a_whole),
		test_in_dir(test_rows_are_kept_where_they_belong),
		test_in_dir(test_a_judge_never_stored_is_zero),
		test_in_dir(test_an_incident_comes_back_with_its_story),
		test_in_dir(test_incidents_are_scanned_newest_first),
		test_in_dir(test_notices_are_picked_by_due_time),
		test_in_dir(test_notices_of_an_incident_are_found),
		test_in_dir(test_old_notices_are_forgotten_unless_they_wait),
		test_in_dir(test_pass_seen_and_notes),
		test_in_dir(test_a_snapshot_does_not_see_later_commits),
		test_in_dir(test_a_reader_may_not_write),
		test_in_dir(test_verify_reads_every_kind_of_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
