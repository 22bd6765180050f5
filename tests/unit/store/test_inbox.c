/* SPDX-License-Identifier: ISC */
/*
 * The inbox's promises, in one process: verdicts, last values, the queue and its bounds, group commit.
 */
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/inbox.h"

static struct error err;

/* LMDB's syncs come through here: counted, and as slow as those of a disk. */
static atomic_int syncs;
static atomic_int sync_takes_us;
int fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	if (atomic_load(&sync_takes_us))
		usleep((useconds_t)atomic_load(&sync_takes_us));
	return (int)syscall(SYS_fdatasync, fd);
}

static struct inbox *open_new(void **state)
{
	struct inbox *inbox = inbox_open(*state, STORE_CREATE, &err);

	if (!inbox)
		print_error("%s\n", err.text);
	assert_non_null(inbox);
	return inbox;
}

static const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = 300000};

static enum beat_verdict store_beat(
	struct inbox *inbox, const char *slug, const struct beat *beat, int64_t now_us)
{
	struct moment now = moment_at(now_us);
	enum beat_verdict verdict = BEAT_OK;
	int64_t last;

	assert_ok(inbox_beat_store(inbox, slug, &rules, beat, &now, &verdict, &last, &err));
	return verdict;
}

static struct beat beat_at(int64_t time_us)
{
	return (struct beat){.has_time = true, .time_us = time_us, .exit_status = -1, .length_us = -1};
}

/* ---- beats ------------------------------------------------------------------------------------------- */

static void test_a_missing_inbox_is_missing_unless_it_may_be_made(void **state)
{
	assert_null(inbox_open(*state, STORE_READ, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_null(inbox_open(*state, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	inbox_close(open_new(state));
}

static void test_a_heartbeat_that_never_beat_is_not_found(void **state)
{
	struct inbox *inbox = open_new(state);
	struct beat_last last;
	bool found = true;

	assert_ok(inbox_beat_read(inbox, "hubot", &last, &found, &err));
	assert_false(found);
	assert_int_equal(last.exit_status, -1);
	inbox_close(inbox);
}

static void test_a_beat_is_there_after_reopening(void **state)
{
	struct inbox *inbox = open_new(state);
	struct beat beat = beat_at(T0_US);
	struct beat_last last;
	bool found;

	beat.msg = "all is well";
	assert_int_equal(store_beat(inbox, "hubot", &beat, T0_US + 5), BEAT_OK);
	inbox_close(inbox);
	inbox = inbox_open(*state, STORE_READ, &err);
	assert_non_null(inbox);
	assert_ok(inbox_beat_read(inbox, "hubot", &last, &found, &err));
	assert_true(found);
	assert_int_equal(last.last_time_us, T0_US);
	assert_int_equal(last.success.wall_us, T0_US + 5);
	assert_int_equal(last.success.boot_id, 7);
	assert_int_equal(last.count, 1);
	assert_string_equal(last.msg, "all is well");
	beat_last_clear(&last);
	inbox_close(inbox);
}

static void test_a_message_stays_when_a_beat_without_one_comes(void **state)
{
	struct inbox *inbox = open_new(state);
	struct beat first = beat_at(T0_US), second = beat_at(T0_US + 1);
	struct beat_last last;
	bool found;

	first.msg = "said once";
	store_beat(inbox, "hubot", &first, T0_US);
	store_beat(inbox, "hubot", &second, T0_US);
	assert_ok(inbox_beat_read(inbox, "hubot", &last, &found, &err));
	assert_int_equal(last.count, 2);
	assert_string_equal(last.msg, "said once");
	beat_last_clear(&last);
	inbox_close(inbox);
}

static void test_verdicts_are_those_of_the_model(void **state)
{
	static const struct {
		int64_t time_us, now_us;
		enum beat_verdict verdict;
	} rows[] = {
		{T0_US, T0_US, BEAT_OK},
		{T0_US, T0_US, BEAT_NOT_NEWER},
		{T0_US - 1, T0_US, BEAT_NOT_NEWER},
		{T0_US + 1, T0_US, BEAT_OK},
		{T0_US + 301 * US_PER_S, T0_US, BEAT_OUTSIDE_WINDOW},
		{T0_US + 299 * US_PER_S, T0_US, BEAT_OK},
		{T0_US + 2, T0_US, BEAT_NOT_NEWER},
	};
	struct inbox *inbox = open_new(state);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct beat beat = beat_at(rows[i].time_us);

		assert_int_equal(store_beat(inbox, "x", &beat, rows[i].now_us), rows[i].verdict);
	}
	inbox_close(inbox);
}

static void test_a_refused_beat_costs_no_transaction(void **state)
{
	struct inbox *inbox = open_new(state);
	struct store_figures before, after;
	struct beat beat = beat_at(T0_US);

	store_beat(inbox, "x", &beat, T0_US);
	assert_ok(inbox_figures(inbox, &before, &err));
	for (int i = 0; i < 10; i++)
		assert_int_equal(store_beat(inbox, "x", &beat, T0_US), BEAT_NOT_NEWER);
	assert_ok(inbox_figures(inbox, &after, &err));
	assert_int_equal(after.transaction, before.transaction);
	inbox_close(inbox);
}

struct slugs {
	char seen[64];
	int n;
};

static bool add_slug(void *arg, const char *slug, const struct beat_last *last)
{
	struct slugs *slugs = arg;

	assert_int_equal(last->count, 1);
	strncat(slugs->seen, slug, sizeof(slugs->seen) - strlen(slugs->seen) - 1);
	return ++slugs->n < 3;
}

static void test_a_scan_goes_by_slug_and_stops_when_told(void **state)
{
	static const char *const names[] = {"d", "b", "a", "c"};
	struct inbox *inbox = open_new(state);
	struct slugs slugs = {0};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct beat beat = beat_at(T0_US);

		store_beat(inbox, names[i], &beat, T0_US);
	}
	assert_ok(inbox_beat_scan(inbox, add_slug, &slugs, &err));
	assert_string_equal(slugs.seen, "abc");
	inbox_close(inbox);
}

/* ---- queue ------------------------------------------------------------------------------------------- */

static bool put(struct inbox *inbox, enum inbox_kind kind, const char *sender, const char *payload,
	uint64_t seen, uint64_t *id)
{
	struct moment now = moment_at(T0_US);

	return inbox_queue_put(inbox, kind, sender, payload, strlen(payload), &now, seen, id, &err);
}

struct heard {
	uint64_t ids[4096];
	size_t n;
	char last[64], sender[64];
};

static bool hear(void *arg, const struct inbox_entry *entry)
{
	struct heard *heard = arg;

	if (heard->n < COUNT_OF(heard->ids))
		heard->ids[heard->n] = entry->id;
	heard->n++;
	snprintf(heard->last, sizeof(heard->last), "%s", entry->payload);
	snprintf(heard->sender, sizeof(heard->sender), "%s", entry->sender);
	assert_int_equal(strlen(entry->payload), entry->payload_len);
	assert_int_equal(entry->at_us, T0_US);
	return true;
}

static struct heard listen_to(struct inbox *inbox, enum inbox_kind kind, uint64_t after)
{
	struct heard heard = {0};

	assert_ok(inbox_queue_scan(inbox, kind, after, hear, &heard, &err));
	return heard;
}

static void test_entries_come_back_in_order_of_their_ids(void **state)
{
	struct inbox *inbox = open_new(state);
	struct heard heard;
	uint64_t id;

	assert_ok(put(inbox, INBOX_REQUEST, "alice", "{\"a\":1}", 0, &id));
	assert_int_equal(id, 1);
	assert_ok(put(inbox, INBOX_HOOK, "pingdom x", "{}", 0, &id));
	assert_ok(put(inbox, INBOX_REQUEST, "bob", "{\"b\":2}", 0, &id));
	assert_int_equal(id, 3);
	heard = listen_to(inbox, 0, 0);
	assert_int_equal(heard.n, 3);
	assert_true(heard.ids[0] == 1 && heard.ids[1] == 2 && heard.ids[2] == 3);
	assert_string_equal(heard.last, "{\"b\":2}");
	assert_string_equal(heard.sender, "bob");
	heard = listen_to(inbox, INBOX_REQUEST, 1);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.ids[0], 3);
	assert_int_equal(listen_to(inbox, 0, UINT64_MAX).n, 0);
	inbox_close(inbox);
}

static void test_what_was_seen_is_deleted_by_the_next_entry(void **state)
{
	struct inbox *inbox = open_new(state);
	struct heard heard;
	uint64_t id;

	assert_ok(put(inbox, INBOX_REQUEST, "alice", "1", 0, &id));
	assert_ok(put(inbox, INBOX_REFUSED_BEAT, "hubot", "2", 0, &id));
	assert_ok(put(inbox, INBOX_PEER, "b", "3", 0, &id));
	assert_ok(put(inbox, INBOX_REQUEST, "alice", "4", id, &id));
	assert_int_equal(id, 4);
	heard = listen_to(inbox, 0, 0);
	assert_int_equal(heard.n, 2); /* the refused beat is only shown, and stays */
	assert_int_equal(heard.ids[0], 2);
	assert_int_equal(heard.ids[1], 4);
	inbox_close(inbox);
}

static void test_display_only_kinds_lose_their_oldest(void **state)
{
	struct inbox *inbox = open_new(state);
	struct heard heard;
	uint64_t id;

	assert_ok(put(inbox, INBOX_REFUSED_BEAT, "other", "x", 0, &id));
	for (int i = 0; i < 50; i++)
		assert_ok(put(inbox, INBOX_REFUSED_BEAT, "hubot", "x", 0, &id));
	heard = listen_to(inbox, INBOX_REFUSED_BEAT, 0);
	assert_int_equal(heard.n, 21);
	assert_int_equal(heard.ids[0], 1); /* another sender's entry is not touched */
	assert_int_equal(heard.ids[1], 32);
	assert_int_equal(heard.ids[20], 51);
	inbox_close(inbox);
}

static void test_kinds_that_are_acted_on_are_refused_when_full(void **state)
{
	struct inbox *inbox = open_new(state);
	uint64_t id = 0;
	int stored = 0;

	while (stored < 1000 && put(inbox, INBOX_REQUEST, "alice", "x", 0, &id))
		stored++;
	assert_int_equal(stored, 200);
	assert_int_equal(err.kind, ERROR_FULL);
	assert_ok(put(inbox, INBOX_REQUEST, "bob", "x", 0, &id));
	assert_int_equal(id, 201); /* a refused one takes no number */
	assert_ok(put(inbox, INBOX_REQUEST, "alice", "x", 150, &id)); /* room again */
	assert_int_equal(listen_to(inbox, INBOX_REQUEST, 0).n, 52);
	inbox_close(inbox);
}

static void test_ids_are_never_given_twice(void **state)
{
	struct inbox *inbox = open_new(state);
	uint64_t id;

	assert_ok(put(inbox, INBOX_REQUEST, "alice", "x", 0, &id));
	assert_ok(put(inbox, INBOX_REQUEST, "alice", "x", 1, &id));
	inbox_close(inbox);
	inbox = open_new(state);
	assert_ok(put(inbox, INBOX_HOOK, "alice", "x", 2, &id));
	assert_int_equal(id, 3);
	inbox_close(inbox);
}

static void test_an_oversized_payload_is_refused(void **state)
{
	struct inbox *inbox = open_new(state);
	struct moment now = moment_at(T0_US);
	char *payload = mem_alloc(65 << 10);
	uint64_t id;

	assert_false(inbox_queue_put(inbox, INBOX_HOOK, "x", payload, 65 << 10, &now, 0, &id, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	free(payload);
	inbox_close(inbox);
}

static void test_a_logged_beat_is_one_commit_with_its_log(void **state)
{
	struct inbox *inbox = open_new(state);
	struct store_figures before, after;
	struct heard heard;

	assert_ok(inbox_figures(inbox, &before, &err));
	for (int i = 0; i < 3; i++) {
		struct beat beat = beat_at(T0_US + i / 2); /* the second comes twice, and is refused */
		struct moment now = moment_at(T0_US);
		enum beat_verdict verdict;
		int64_t last;

		assert_ok(inbox_beat_store_logged(
			inbox, "x", &rules, &beat, &now, "{}", 2, &verdict, &last, &err));
	}
	assert_ok(inbox_figures(inbox, &after, &err));
	assert_int_equal(after.transaction - before.transaction, 2);
	heard = listen_to(inbox, INBOX_LOG_BEAT, 0);
	assert_int_equal(heard.n, 2);
	assert_string_equal(heard.sender, "x");
	inbox_close(inbox);
}

/* ---- group commit ------------------------------------------------------------------------------------ */

enum { THREADS = 16, EACH = 200 };
struct worker {
	struct inbox *inbox;
	pthread_t thread;
	int number, accepted;
};

/* Its own heartbeat, and one that all threads beat with the same times. */
static void *beat_on(void *arg)
{
	struct worker *w = arg;
	char slug[16];

	snprintf(slug, sizeof(slug), "own-%d", w->number);
	for (int i = 1; i <= EACH; i++) {
		struct moment now = moment_at(T0_US);
		struct beat beat = beat_at(T0_US + i);
		enum beat_verdict own, shared;
		struct error why;
		int64_t last;

		if (!inbox_beat_store(w->inbox, slug, &rules, &beat, &now, &own, &last, &why) ||
			own != BEAT_OK ||
			!inbox_beat_store(w->inbox, "shared", &rules, &beat, &now, &shared, &last, &why))
			return NULL;
		w->accepted += shared == BEAT_OK;
	}
	w->number = -1; /* went through */
	return NULL;
}

static void test_threads_share_syncs_and_one_of_equal_beats_is_stored(void **state)
{
	struct inbox *inbox = open_new(state);
	struct worker workers[THREADS] = {0};
	struct beat_last last;
	int accepted = 0;
	bool found;

	atomic_store(&syncs, 0);
	atomic_store(&sync_takes_us, 500);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.inbox = inbox, .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, beat_on, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].number, -1);
		accepted += workers[i].accepted;
	}
	atomic_store(&sync_takes_us, 0);
	assert_ok(inbox_beat_read(inbox, "shared", &last, &found, &err));
	assert_int_equal(last.count, accepted);
	assert_int_equal(last.last_time_us, T0_US + EACH);
	assert_true(accepted <= EACH); /* of equal beats never two */
	print_message("%d beats shared %d syncs\n", THREADS * EACH + accepted, atomic_load(&syncs));
	assert_true(atomic_load(&syncs) * 4 <= THREADS * EACH + accepted);
	assert_true(atomic_load(&syncs) > 0);
	beat_last_clear(&last);
	inbox_close(inbox);
}

static void test_a_lone_beat_is_one_commit(void **state)
{
	struct inbox *inbox = open_new(state);
	struct store_figures before, after;

	assert_ok(inbox_figures(inbox, &before, &err));
	for (int i = 1; i <= 5; i++) {
		struct beat beat = beat_at(T0_US + i);

		store_beat(inbox, "x", &beat, T0_US);
	}
	assert_ok(inbox_figures(inbox, &after, &err));
	assert_int_equal(after.transaction - before.transaction, 5);
	inbox_close(inbox);
}

/* ---- the whole book ---------------------------------------------------------------------------------- */

static void test_verify_counts_every_record(void **state)
{
	struct inbox *inbox = open_new(state);
	struct beat beat = beat_at(T0_US);
	uint64_t records = 0, id;

	beat.msg = "hello";
	store_beat(inbox, "x", &beat, T0_US);
	assert_ok(put(inbox, INBOX_REQUEST, "alice", "x", 0, &id));
	assert_ok(inbox_verify(inbox, &records, &err));
	/* schema, counter; beat; words; entry; by sender; two tallies */
	assert_int_equal(records, 8);
	inbox_close(inbox);
}

static void test_a_backup_is_a_book(void **state)
{
	struct inbox *inbox = open_new(state), *copy;
	struct beat beat = beat_at(T0_US);
	char *dir = file_join(*state, "copy");
	struct beat_last last;
	bool found = false;

	store_beat(inbox, "x", &beat, T0_US);
	assert_ok(inbox_backup(inbox, dir, &err));
	assert_false(inbox_backup(inbox, dir, &err)); /* does not replace one */
	assert_int_equal(err.kind, ERROR_INPUT);
	copy = inbox_open(dir, STORE_WRITE, &err);
	assert_non_null(copy);
	assert_ok(inbox_beat_read(copy, "x", &last, &found, &err));
	assert_true(found);
	beat_last_clear(&last);
	inbox_close(copy);
	inbox_close(inbox);
	free(dir);
}

static void test_a_book_is_not_opened_twice_in_a_process(void **state)
{
	struct inbox *inbox = open_new(state);

	assert_null(inbox_open(*state, STORE_READ, &err));
	assert_int_equal(err.kind, ERROR_TEMPORARY);
	inbox_close(inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_a_missing_inbox_is_missing_unless_it_may_be_made),
		test_in_dir(test_a_heartbeat_that_never_beat_is_not_found),
		test_in_dir(test_a_beat_is_there_after_reopening),
		test_in_dir(test_a_message_stays_when_a_beat_without_one_comes),
		test_in_dir(test_verdicts_are_those_of_the_model),
		test_in_dir(test_a_refused_beat_costs_no_transaction),
		test_in_dir(test_a_scan_goes_by_slug_and_stops_when_told),
		test_in_dir(test_entries_come_back_in_order_of_their_ids),
		test_in_dir(test_what_was_seen_is_deleted_by_the_next_entry),
		test_in_dir(test_display_only_kinds_lose_their_oldest),
		test_in_dir(test_kinds_that_are_acted_on_are_refused_when_full),
		test_in_dir(test_ids_are_never_given_twice),
		test_in_dir(test_an_oversized_payload_is_refused),
		test_in_dir(test_a_logged_beat_is_one_commit_with_its_log),
		test_in_dir(test_threads_share_syncs_and_one_of_equal_beats_is_stored),
		test_in_dir(test_a_lone_beat_is_one_commit),
		test_in_dir(test_verify_counts_every_record),
		test_in_dir(test_a_backup_is_a_book),
		test_in_dir(test_a_book_is_not_opened_twice_in_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
