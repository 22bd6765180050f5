/* SPDX-License-Identifier: ISC */
/*
 * The books among several processes: who makes them, equal beats, growth, the killed and the dead.
 *
 * Children are forked before anything is opened in them (LMDB forbids using an environment across fork),
 * and say by their exit status whether all was as it should be.
 */
#include "store_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>

#include "store/inbox.h"
#include "store/state.h"

static struct error err;
static const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = 300000};

/* What children and parent share. */
struct shared {
	volatile int go, ready, hits[8];
};

static struct shared *share(void)
{
	void *m = mmap(
		NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(m != MAP_FAILED);
	return m;
}

static void wait_until(volatile int *what, int value)
{
	for (int i = 0; i < 10000 && *what < value; i++)
		usleep(1000);
}

static pid_t start(void (*work)(const char *dir, struct shared *shared, int number), const char *dir,
	struct shared *shared, int number)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	work(dir, shared, number);
	_exit(0);
}

static bool store_at(struct inbox *inbox, const char *slug, int64_t time_us, enum beat_verdict *verdict)
{
	struct beat beat = {.has_time = true, .time_us = time_us, .exit_status = -1, .length_us = -1};
	struct moment now = moment_at(T0_US);
	int64_t last;

	return inbox_beat_store(inbox, slug, &rules, &beat, &now, verdict, &last, &err);
}

/* ---- making it --------------------------------------------------------------------------------------- */

static void make_and_beat(const char *dir, struct shared *shared, int number)
{
	enum beat_verdict verdict;
	struct inbox *inbox;
	char slug[16];

	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	wait_until(&shared->go, 1);
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox);
	snprintf(slug, sizeof(slug), "m%d", number);
	check(store_at(inbox, slug, T0_US, &verdict) && verdict == BEAT_OK);
	inbox_close(inbox);
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static bool count_beat(void *arg, const char *slug, const struct beat_last *last)
{
	(void)slug;
	(void)last;
	++*(int *)arg;
	return true;
}

static void test_one_of_many_makes_it_and_all_use_it(void **state)
{
	enum { CHILDREN = 8 };
	struct shared *shared = share();
	pid_t children[CHILDREN];
	struct inbox *inbox;
	int beats = 0;

	for (int i = 0; i < CHILDREN; i++)
		children[i] = start(make_and_beat, *state, shared, i);
	wait_until(&shared->ready, CHILDREN);
	shared->go = 1;
	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(wait_for(children[i]), 0);
	assert_int_equal(count_entries(*state), 1); /* nobody left a half-made one behind */
	inbox = inbox_open(*state, STORE_READ, &err);
	assert_non_null(inbox);
	assert_ok(inbox_beat_scan(inbox, count_beat, &beats, &err));
	assert_int_equal(beats, CHILDREN);
	inbox_close(inbox);
	munmap(shared, sizeof(*shared));
}

/* ---- equal beats ------------------------------------------------------------------------------------- */

enum { ROUNDS = 300 };

static void beat_in_step(const char *dir, struct shared *shared, int number)
{
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);

	check(inbox);
	for (int round = 1; round <= ROUNDS; round++) {
		enum beat_verdict verdict;

		__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
		while (shared->ready < 2 * round) /* both at once; short, so that they do meet */
			__builtin_ia32_pause();
		check(store_at(inbox, "hubot", T0_US + round, &verdict));
		if (verdict == BEAT_OK)
			shared->hits[number]++;
	}
	inbox_close(inbox);
}

static void test_of_equal_beats_in_two_processes_one_is_stored(void **state)
{
	struct shared *shared = share();
	pid_t a = start(beat_in_step, *state, shared, 0), b = start(beat_in_step, *state, shared, 1);
	struct inbox *inbox;
	struct beat_last last;
	bool found;

	assert_int_equal(wait_for(a), 0);
	assert_int_equal(wait_for(b), 0);
	assert_int_equal(shared->hits[0] + shared->hits[1], ROUNDS);
	inbox = inbox_open(*state, STORE_READ, &err);
	assert_ok(inbox_beat_read(inbox, "hubot", &last, &found, &err));
	assert_int_equal(last.count, ROUNDS);
	beat_last_clear(&last);
	inbox_close(inbox);
	munmap(shared, sizeof(*shared));
}

/* ---- growth ------------------------------------------------------------------------------------------ */

static bool put_big_note(struct state *s, int number)
{
	struct state_txn *txn = state_begin(s, true, &err);
	char name[16], *value = mem_alloc((1 << 20) + 1);

	memset(value, 'a' + number % 26, 1 << 20);
	snprintf(name, sizeof(name), "note-%d", number);
	if (!txn)
		return false;
	if (!state_note_put(txn, name, value, &err)) {
		state_end(txn);
		return false;
	}
	free(value);
	return state_commit(txn, &err);
}

static bool check_big_note(struct state *s, int number)
{
	struct state_txn *txn = state_begin(s, false, &err);
	char name[16], *value;
	bool ok;

	if (!txn)
		return false;
	snprintf(name, sizeof(name), "note-%d", number);
	ok = state_note_get(txn, name, &value, &err);
	state_end(txn);
	if (!ok)
		return false;
	ok = strlen(value) == 1 << 20 && value[12345] == 'a' + number % 26;
	free(value);
	return ok;
}

enum { BIG_NOTES = 150 };

static void read_as_it_grows(const char *dir, struct shared *shared, int number)
{
	struct state *s = state_open(dir, STORE_READ, &err);

	(void)number;
	check(s);
	shared->ready = 1;
	for (int i = 0; i < BIG_NOTES; i++) {
		wait_until(&shared->go, i + 1);
		check(check_big_note(s, i));
	}
	for (int i = 0; i < BIG_NOTES; i++)
		check(check_big_note(s, i));
	state_close(s);
}

static void test_the_map_grows_in_every_process(void **state)
{
	struct shared *shared = share();
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct store_figures figures;
	pid_t child;

	assert_non_null(s);
	state_close(s);
	child = start(read_as_it_grows, *state, shared, 0);
	wait_until(&shared->ready, 1);
	s = state_open(*state, STORE_WRITE, &err);
	assert_non_null(s);
	for (int i = 0; i < BIG_NOTES; i++) {
		assert_ok(put_big_note(s, i));
		shared->go = i + 1;
	}
	assert_int_equal(wait_for(child), 0);
	assert_ok(state_figures(s, &figures, &err));
	assert_true(figures.map_bytes == (uint64_t)256 << 20);
	assert_true(figures.used_bytes > (uint64_t)BIG_NOTES << 20);
	state_close(s);
	munmap(shared, sizeof(*shared));
}

static void test_a_large_book_opens_with_a_map_that_fits(void **state)
{
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct store_figures figures;

	for (int i = 0; i < 80; i++)
		assert_ok(put_big_note(s, i));
	state_close(s);
	s = state_open(*state, STORE_WRITE, &err);
	assert_non_null(s);
	for (int i = 80; i < 90; i++)
		assert_ok(put_big_note(s, i));
	assert_true(check_big_note(s, 0) && check_big_note(s, 89));
	assert_ok(state_figures(s, &figures, &err));
	assert_true(figures.map_bytes == (uint64_t)128 << 20);
	state_close(s);
}

static void test_one_transaction_larger_than_the_map_fails_and_then_fits(void **state)
{
	struct state *s = state_open(*state, STORE_CREATE, &err);
	char *value = mem_alloc((10 << 20) + 1);
	bool ok = false;
	int attempts = 0;

	memset(value, 'x', 10 << 20);
	while (!ok && attempts++ < 4) {
		struct state_txn *txn = state_begin(s, true, &err);
		char name[16];

		assert_non_null(txn);
		ok = true;
		for (int i = 0; ok && i < 12; i++) { /* 120 MB into a map of 64 */
			snprintf(name, sizeof(name), "n%d", i);
			ok = state_note_put(txn, name, value, &err);
		}
		if (ok)
			ok = state_commit(txn, &err);
		else
			state_end(txn);
		assert_true(ok || err.kind == ERROR_FULL);
	}
	assert_true(ok && attempts == 2);
	free(value);
	state_close(s);
}

static void fill_queue(const char *dir, struct shared *shared, int number)
{
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);
	struct moment now = moment_at(T0_US);
	char *payload = mem_alloc(8001), sender[16];

	check(inbox);
	memset(payload, 'p', 8000);
	for (int i = 0; i < 1500; i++) {
		uint64_t id;

		snprintf(sender, sizeof(sender), "s%d-%d", number, i / 40);
		check(inbox_queue_put(inbox, INBOX_LOG_BEAT, sender, payload, 8000, &now, 0, &id, &err));
		shared->hits[number]++;
	}
	inbox_close(inbox);
}

static bool count_entry(void *arg, const struct inbox_entry *entry)
{
	*(int *)arg += entry->payload_len == 8000 && entry->payload[7999] == 'p';
	return true;
}

/* The room allocated ahead must never go over what another process has just appended. */
static void test_two_writers_grow_the_file_past_its_first_room(void **state)
{
	struct shared *shared = share();
	pid_t a = start(fill_queue, *state, shared, 0), b = start(fill_queue, *state, shared, 1);
	struct store_figures figures;
	struct inbox *inbox;
	uint64_t records;
	int entries = 0;

	assert_int_equal(wait_for(a), 0);
	assert_int_equal(wait_for(b), 0);
	inbox = inbox_open(*state, STORE_WRITE, &err);
	assert_non_null(inbox);
	assert_ok(inbox_verify(inbox, &records, &err));
	assert_ok(inbox_queue_scan(inbox, INBOX_LOG_BEAT, 0, count_entry, &entries, &err));
	assert_int_equal(entries, 3000);
	assert_ok(inbox_figures(inbox, &figures, &err));
	assert_true(figures.used_bytes > 20 << 20);
	assert_true(figures.file_bytes >= figures.used_bytes + (1 << 20));
	inbox_close(inbox);
	munmap(shared, sizeof(*shared));
}

/* ---- the killed -------------------------------------------------------------------------------------- */

static void die_writing(const char *dir, struct shared *shared, int number)
{
	struct state *s = state_open(dir, STORE_WRITE, &err);
	struct state_txn *txn;

	check(s);
	txn = state_begin(s, true, &err);
	check(txn && state_note_put(txn, "half", "done", &err));
	shared->ready = number + 1;
	raise(SIGKILL);
}

static void test_a_killed_writer_stops_nobody(void **state)
{
	struct shared *shared = share();
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct state_txn *txn;
	char *text;

	state_close(s);
	for (int i = 0; i < 3; i++)
		assert_int_equal(wait_for(start(die_writing, *state, shared, i)), 128 + SIGKILL);
	s = state_open(*state, STORE_WRITE, &err);
	assert_non_null(s);
	/* also one that dies while we have it open */
	assert_int_equal(wait_for(start(die_writing, *state, shared, 3)), 128 + SIGKILL);
	txn = state_begin(s, true, &err);
	assert_non_null(txn);
	assert_false(state_note_get(txn, "half", &text, &err));
	assert_ok(state_note_put(txn, "whole", "done", &err));
	assert_ok(state_commit(txn, &err));
	state_close(s);
	munmap(shared, sizeof(*shared));
}

static void die_reading(const char *dir, struct shared *shared, int number)
{
	struct state *s = state_open(dir, STORE_READ, &err);

	check(s);
	for (int i = 0; i < number; i++)
		check(state_begin(s, false, &err));
	shared->ready = 1;
	raise(SIGKILL);
}

/* With us keeping the book open all the while, or its reader table would simply be made anew. */
static void test_a_killed_reader_is_cleared(void **state)
{
	struct shared *shared = share();
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct store_figures before, after;

	assert_int_equal(wait_for(start(die_reading, *state, shared, 2)), 128 + SIGKILL);
	assert_ok(state_figures(s, &before, &err));
	assert_int_equal(before.stale_cleared, 2);
	for (int i = 0; i < 200; i++)
		assert_ok(put_big_note(s, 0));
	assert_ok(state_figures(s, &after, &err));
	assert_true(after.used_bytes < 16 << 20); /* its pages were used again */
	state_close(s);
	munmap(shared, sizeof(*shared));
}

static void test_a_full_reader_table_is_cleared_of_the_dead(void **state)
{
	struct shared *shared = share();
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct state_txn *txn;

	assert_int_equal(wait_for(start(die_reading, *state, shared, 512)), 128 + SIGKILL);
	txn = state_begin(s, false, &err);
	if (!txn)
		print_error("%s\n", err.text);
	assert_non_null(txn);
	state_end(txn);
	state_close(s);
	munmap(shared, sizeof(*shared));
}

static void read_on(const char *dir, struct shared *shared, int number)
{
	struct inbox *inbox = inbox_open(dir, STORE_READ, &err);

	(void)number;
	check(inbox);
	while (!shared->go) {
		int beats = 0;

		check(inbox_beat_scan(inbox, count_beat, &beats, &err));
		shared->ready++;
	}
	inbox_close(inbox);
}

static void beat_until_killed(const char *dir, struct shared *shared, int number)
{
	struct inbox *inbox = inbox_open(dir, STORE_WRITE, &err);
	enum beat_verdict verdict;

	check(inbox);
	for (;;) { /* the count of acknowledged ones is kept where the parent sees it */
		check(store_at(inbox, "hubot", T0_US + shared->hits[number] + 1, &verdict));
		shared->hits[number]++;
	}
}

/* A hundred times: what was acknowledged is there, and the next writer goes on at once. */
static void test_nothing_acknowledged_is_lost_by_kills(void **state)
{
	struct shared *shared = share();
	struct inbox *inbox = inbox_open(*state, STORE_CREATE, &err);
	pid_t reader;

	inbox_close(inbox);
	reader = start(read_on, *state, shared, 0);
	for (int round = 0; round < 100; round++) {
		pid_t writer = start(beat_until_killed, *state, shared, 0);
		struct beat_last last;
		bool found;
		int before = shared->hits[0];

		for (int i = 0; i < 3000 && shared->hits[0] < before + 1 + round % 7; i++)
			usleep(100 + (useconds_t)round);
		kill(writer, SIGKILL);
		assert_int_equal(wait_for(writer), 128 + SIGKILL);
		inbox = inbox_open(*state, STORE_WRITE, &err);
		assert_non_null(inbox);
		assert_ok(inbox_beat_read(inbox, "hubot", &last, &found, &err));
		assert_true(found || !shared->hits[0]);
		/* one more may be stored that could not be acknowledged any more */
		assert_in_range(last.last_time_us - T0_US, shared->hits[0], shared->hits[0] + 1);
		shared->hits[0] = (int)(last.last_time_us - T0_US);
		beat_last_clear(&last);
		inbox_close(inbox);
	}
	shared->go = 1;
	assert_int_equal(wait_for(reader), 0);
	assert_true(shared->hits[0] > 100 && shared->ready > 100);
	munmap(shared, sizeof(*shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_one_of_many_makes_it_and_all_use_it),
		test_in_dir(test_of_equal_beats_in_two_processes_one_is_stored),
		test_in_dir(test_the_map_grows_in_every_process),
		test_in_dir(test_a_large_book_opens_with_a_map_that_fits),
		test_in_dir(test_one_transaction_larger_than_the_map_fails_and_then_fits),
		test_in_dir(test_two_writers_grow_the_file_past_its_first_room),
		test_in_dir(test_a_killed_writer_stops_nobody),
		test_in_dir(test_a_killed_reader_is_cleared),
		test_in_dir(test_a_full_reader_table_is_cleared_of_the_dead),
		test_in_dir(test_nothing_acknowledged_is_lost_by_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
