/* SPDX-License-Identifier: ISC */
/*
 * Every verb, with each of LMDB's calls below it failing in turn.
 *
 * A scenario calls all verbs once. It is run again and again, and the first, second, third ... call into
 * LMDB fails, until a run goes through without meeting the failure. Whatever fails must say why, leak
 * nothing (run it under ASan), and leave a book that works; a transaction in which a write failed must
 * never be committed.
 */
#include "store_test.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/resource.h>

#include "store/inbox.h"
#include "store/lmdb_book.h"
#include "store/state.h"

static struct error err;

/* ---- LMDB's calls, which can fail -------------------------------------------------------------------- */

static int fail_at, calls, fail_with; /* fail_at 0: none fails */

static bool fails(void)
{
	return fail_at && ++calls == fail_at;
}

/* What LMDB itself does when a write fails within a transaction, more or less: it is of no use any more. */
#define CALL(name, parameters, ...)                                                               \
	int name parameters                                                                       \
	{                                                                                         \
		static int (*real) parameters;                                                    \
												  \
		if (!real)                                                                        \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                \
		return fails() ? fail_with : real(__VA_ARGS__);                                   \
	}
CALL(mdb_get, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), t, d, k, v)
CALL(mdb_put, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f), t, d, k, v, f)
CALL(mdb_del, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), t, d, k, v)
CALL(mdb_cursor_open, (MDB_txn * t, MDB_dbi d, MDB_cursor **c), t, d, c)
CALL(mdb_cursor_get, (MDB_cursor * c, MDB_val *k, MDB_val *v, MDB_cursor_op op), c, k, v, op)
CALL(mdb_cursor_del, (MDB_cursor * c, unsigned f), c, f)
CALL(mdb_txn_begin, (MDB_env * e, MDB_txn *p, unsigned f, MDB_txn **t), e, p, f, t)
CALL(mdb_dbi_open, (MDB_txn * t, const char *n, unsigned f, MDB_dbi *d), t, n, f, d)
CALL(mdb_env_stat, (MDB_env * e, MDB_stat *s), e, s)
CALL(mdb_env_info, (MDB_env * e, MDB_envinfo *i), e, i)
CALL(mdb_env_copyfd2, (MDB_env * e, mdb_filehandle_t fd, unsigned f), e, fd, f)

int mdb_txn_commit(MDB_txn *t)
{
	static int (*real)(MDB_txn *t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_commit");
	if (!fails())
		return real(t);
	mdb_txn_abort(t);
	return fail_with;
}

/* ---- the scenarios ----------------------------------------------------------------------------------- */

/* Counts what a scan shows, and goes on. */
static bool count(void *arg, const void *what)
{
	assert_non_null(what);
	++*(int *)arg;
	return true;
}
static bool see_monitor(void *arg, const struct monitor *m)
{
	return count(arg, m);
}
static bool see_incident(void *arg, const struct incident *i)
{
	return count(arg, i);
}
static bool see_notice(void *arg, const struct notice *n)
{
	return count(arg, n);
}
static bool see_sample(void *arg, const struct sample *s)
{
	return count(arg, s);
}
static bool see_rollup(void *arg, const struct rollup *r)
{
	return count(arg, r);
}
static bool see_entry(void *arg, const struct inbox_entry *e)
{
	return count(arg, e);
}
static bool see_beat(void *arg, const char *slug, const struct beat_last *last)
{
	return count(arg, slug) && last;
}

/* A step of a scenario must say why it failed; the others go on, as a program would that looks on. */
static bool all_well;
static bool step(bool ok)
{
	if (!ok) {
		assert_true(err.kind != ERROR_NONE && *err.text);
		all_well = false;
	}
	err = (struct error){ERROR_NONE, ""};
	return ok;
}

static char *secrets[] = {"secret"};
static struct heartbeat_rules rules = {
	.secrets = secrets, .secret_count = 1, .token = "token-12345", .max_age_ms = 300000, .window_ms = 300000};
static struct notify_rule notify[] = {{.channel = "ops"}};

static void publish(struct state_txn *txn, size_t n)
{
	struct monitor monitors[] = {
		{.slug = "shop", .type = "http", .options = "{}", .notify = notify, .notify_count = 1},
		{.slug = "hubot", .type = "heartbeat", .options = "{}", .heartbeat = &rules},
	};
	struct publication publication = {
		.site = {.title = "T"}, .monitors = monitors, .monitor_count = n, .fingerprint = "f"};
	struct problem problem = {.file = "f", .text = "t"};

	step(state_publish(txn, &publication, &err));
	step(state_problems_put(txn, &problem, 1, &err));
}

static void write_history(struct state_txn *txn)
{
	struct sample samples[4];
	struct rollup rollup = {.from_s = T0_S, .to_s = T0_S + 3600, .up_s = 3600, .count = 1};
	struct row row = {.state = STATE_UP};
	struct judge judge = {.state = STATE_UP};
	uint32_t id = 1;

	for (int i = 0; i < 4; i++)
		samples[i] = (struct sample){.monitor_id = 1 + (uint32_t)i % 2, .at_us = T0_US + i * 1000000,
			.response_us = 5, .timings = {1, 2, 3, 4, 5}};
	step(state_samples_add(txn, samples, 4, &err));
	step(state_samples_settle(txn, T0_S, &err));
	step(state_samples_add(txn, samples, 2, &err));
	step(state_samples_settle(txn, T0_S, &err));
	step(state_samples_add(txn, samples, 1, &err));
	step(state_rollup_put(txn, ROLLUP_HOUR, 1, &rollup, &err));
	step(state_rollup_put(txn, ROLLUP_DAY, 1, &rollup, &err));
	step(state_rows_put(txn, &id, &row, 1, &err));
	step(state_judge_put(txn, 1, &judge, &err));
}

static void write_events(struct state_txn *txn)
{
	struct incident incident = {.monitor_id = 1, .monitor = mem_str("shop"), .cause = mem_str("c")};
	struct notice notice = {.channel = "ops", .monitor = "shop", .due_us = T0_US, .incident = 1};
	struct forget before = {T0_S + 7200, T0_S + 7200, T0_S + 86400, T0_S};
	struct pass_info pass = {.passes = 1};
	size_t forgotten;

	incident_add(&incident, ENTRY_ATTEMPT, T0_US);
	step(state_incident_new(txn, &incident, &err));
	incident.ended_us = T0_US;
	step(state_incident_put(txn, &incident, &err));
	incident_clear(&incident);
	step(state_notice_add(txn, &notice, &err));
	notice.due_us++;
	notice.incident = 2;
	if (notice.id)
		step(state_notice_put(txn, &notice, &err));
	notice.state = NOTICE_DELIVERED;
	step(state_notice_add(txn, &notice, &err));
	step(state_pass_put(txn, &pass, &err));
	step(state_inbox_seen_put(txn, 1, &err));
	step(state_note_put(txn, "n", "v", &err));
	step(state_note_put(txn, "n", NULL, &err));
	step(state_note_put(txn, "m", "v", &err));
	step(state_forget(txn, &before, 100, &forgotten, &err));
}

static void read_configuration(struct state_txn *txn)
{
	struct monitor monitor;
	struct heartbeat_rules heartbeat;
	struct site site;
	struct problem *problems;
	char *text;
	size_t n;
	int seen = 0;

	if (step(state_site(txn, &site, &err)))
		site_clear(&site);
	if (step(state_fingerprint(txn, &text, &err)))
		free(text);
	if (step(state_problems(txn, &problems, &n, &err))) {
		for (size_t i = 0; i < n; i++)
			problem_clear(&problems[i]);
		free(problems);
	}
	if (step(state_monitor(txn, 1, &monitor, &err)))
		monitor_clear(&monitor);
	if (step(state_monitor_by_slug(txn, "shop", &monitor, &err)))
		monitor_clear(&monitor);
	if (step(state_monitor_by_token(txn, "token-12345", &monitor, &err)))
		monitor_clear(&monitor);
	if (step(state_default_heartbeat(txn, &text, &err)))
		free(text);
	if (step(state_heartbeat(txn, "hubot", &heartbeat, &err)))
		heartbeat_rules_clear(&heartbeat);
	step(state_monitor_scan(txn, see_monitor, &seen, &err));
}

static void read_events(struct state_txn *txn)
{
	struct incident incident;
	struct notice notice;
	struct pass_info pass;
	uint64_t number;
	char *text;
	int seen = 0;

	if (step(state_incident(txn, 1, &incident, &err)))
		incident_clear(&incident);
	for (int i = 0; i < 8; i++)
		step(state_incident_scan(txn, i & 1, i & 2, i & 4, see_incident, &seen, &err));
	if (step(state_notice(txn, 1, &notice, &err)))
		notice_clear(&notice);
	step(state_notice_due(txn, INT64_MAX, see_notice, &seen, &err));
	step(state_notice_scan(txn, 0, see_notice, &seen, &err));
	step(state_notice_scan(txn, 2, see_notice, &seen, &err));
	state_notice_next(txn);
	step(state_pass(txn, &pass, &err));
	step(state_inbox_seen(txn, &number, &err));
	if (step(state_note_get(txn, "m", &text, &err)))
		free(text);
}

static void read_history(struct state_txn *txn)
{
	struct judge judge;
	struct row row, *rows;
	size_t n;
	int64_t hour;
	int seen = 0;

	if (step(state_rows(txn, &rows, &n, &err)))
		free(rows);
	step(state_row(txn, 1, &row, &err));
	step(state_judge(txn, 1, &judge, &err));
	step(state_judge(txn, 2, &judge, &err));
	state_samples_unsettled(txn, &hour);
	step(state_sample_scan(txn, 0, 0, INT64_MAX, see_sample, &seen, &err));
	step(state_sample_scan(txn, 1, 0, INT64_MAX, see_sample, &seen, &err));
	step(state_rollup_scan(txn, ROLLUP_HOUR, 1, 0, INT64_MAX, see_rollup, &seen, &err));
}

/* One write transaction with everything, then one read transaction with everything. */
static void live_state(const char *dir)
{
	struct state *s = state_open(dir, STORE_CREATE, &err);
	struct store_figures figures;
	struct state_txn *txn;
	char *copies = file_join(dir, "copies");
	uint64_t records;
	bool wrote_well;

	if (!step(s != NULL)) {
		free(copies);
		return;
	}
	txn = state_begin(s, true, &err);
	if (step(txn != NULL)) {
		bool before = all_well;

		all_well = true;
		publish(txn, 2);
		publish(txn, 1);
		publish(txn, 2);
		write_history(txn);
		write_events(txn);
		wrote_well = all_well;
		all_well = before && wrote_well;
		if (state_commit(txn, &err))
			assert_true(wrote_well);
		else
			step(false);
	}
	txn = state_begin(s, false, &err);
	if (step(txn != NULL)) {
		read_configuration(txn);
		read_history(txn);
		read_events(txn);
		state_end(txn);
	}
	step(state_figures(s, &figures, &err));
	step(state_verify(s, &records, &err));
	step(state_backup(s, copies, &err));
	state_close(s);
	free(copies);
}

static void live_inbox(const char *dir)
{
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);
	struct moment now = moment_at(T0_US);
	struct store_figures figures;
	struct beat_last last;
	char *copies = file_join(dir, "copies");
	uint64_t id, records;
	int seen = 0;
	bool found;

	if (!step(inbox != NULL)) {
		free(copies);
		return;
	}
	for (int i = 1; i <= 3; i++) {
		struct beat beat = {.has_time = true, .time_us = T0_US + i, .exit_status = -1, .length_us = -1,
			.msg = "m"};
		enum beat_verdict verdict;
		int64_t last_us;

		step(inbox_beat_store_logged(
			inbox, "hubot", &rules, &beat, &now, "{}", 2, &verdict, &last_us, &err));
	}
	for (int i = 0; i < 3; i++)
		step(inbox_queue_put(inbox, INBOX_REQUEST, "alice", "{}", 2, &now, (uint64_t)i + 3, &id, &err));
	for (int i = 0; i < 22; i++)
		step(inbox_queue_put(inbox, INBOX_REFUSED_BEAT, "hubot", "{}", 2, &now, 0, &id, &err));
	if (step(inbox_beat_read(inbox, "hubot", &last, &found, &err)))
		beat_last_clear(&last);
	step(inbox_beat_scan(inbox, see_beat, &seen, &err));
	step(inbox_queue_scan(inbox, 0, 0, see_entry, &seen, &err));
	step(inbox_figures(inbox, &figures, &err));
	step(inbox_verify(inbox, &records, &err));
	step(inbox_backup(inbox, copies, &err));
	inbox_close(inbox);
	free(copies);
}

/* ---- the torture ------------------------------------------------------------------------------------- */

static int torture(const char *base, void (*live)(const char *dir), int error)
{
	int points = 0;

	/* the first hundred places one by one, then in growing steps: most are alike */
	for (int at = 1;; at += 1 + at / 100) {
		char *dir = file_join(base, "run");

		assert_int_equal(mkdir(dir, 0700), 0);
		all_well = true;
		calls = 0;
		fail_with = error;
		fail_at = at;
		live(dir);
		fail_at = 0;
		if (calls < at)
			assert_true(all_well);
		else
			points++;
		all_well = true;
		remove_tree(dir);
		free(dir);
		if (calls < at)
			return points;
	}
}

static void test_the_inbox_survives_every_failing_call(void **state)
{
	int points = torture(*state, live_inbox, EIO);

	print_message("%d points\n", points);
	assert_true(points > 100);
}

static void test_the_state_survives_every_failing_call(void **state)
{
	int points = torture(*state, live_state, EIO);

	print_message("%d points\n", points);
	assert_true(points > 200);
}

/* Out of room in place of broken: nothing is reopened, and the next transaction succeeds. */
static void test_a_full_book_fails_only_what_it_must(void **state)
{
	assert_true(torture(*state, live_inbox, MDB_MAP_FULL) > 100);
}

int main(void)
{
	const struct rlimit little = {512 << 10, RLIM_INFINITY};
	const struct CMUnitTest tests[] = {
		test_in_dir(test_the_inbox_survives_every_failing_call),
		test_in_dir(test_the_state_survives_every_failing_call),
		test_in_dir(test_a_full_book_fails_only_what_it_must),
	};

	/* A thousand books are made here: without this each would be given its first room of many MB. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &little);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
