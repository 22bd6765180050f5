/* SPDX-License-Identifier: ISC */
/*
 * The audit of the inbox: what does not hold between its records is said. The records are taken away, or put
 * where none should be, behind the verbs' back.
 */
#include "audit_test.h"

#include "store/inbox_private.h"
#include "store/record.h"

/* A beat, and two requests of ann's. */
static struct inbox *build(const char *dir)
{
	const struct heartbeat_rules rules = {.token = "token-of-robot", .max_age_ms = 300000, .window_ms = 300000};
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);
	struct moment now;
	struct beat beat = {.exit_status = -1, .length_us = -1, .msg = "done"};
	enum beat_verdict verdict;
	int64_t last_us;
	uint64_t id;

	clock_now(&now);
	assert_non_null(inbox);
	assert_ok(inbox_beat_store(inbox, "robot", &rules, &beat, &now, &verdict, &last_us, &err));
	for (int i = 0; i < 2; i++)
		assert_ok(inbox_queue_put(inbox, INBOX_REQUEST, "ann", "{}", 2, &now, 0, &id, &err));
	return inbox;
}

static void test_what_was_heard_holds(void **state)
{
	struct inbox *inbox = build(*state);
	struct audit a = {.say = hear};

	assert_ok(inbox_audit(inbox, &a, &err));
	assert_holds(&a);
	assert_int_equal(a.beats, 1);
	assert_int_equal(a.queued, 2);
	inbox_close(inbox);
	text_free(&said);
}

/* ---- promises, broken --------------------------------------------------------------------------------- */

static struct key entry_key(uint64_t id)
{
	struct key k = {.n = 0};

	key_add_u8(&k, INBOX_REQUEST);
	key_add_u64(&k, id);
	return k;
}

static void words_of_nobody(struct book_txn *t)
{
	struct key from = key_name("robot"), to = key_name("ghost");
	MDB_val value;
	void *bytes;

	assert_ok(book_get(t, TABLE_WORDS, &from, &value, &err));
	bytes = mem_dup(value.mv_data, value.mv_size);
	assert_ok(book_put(t, TABLE_WORDS, &to, bytes, value.mv_size, &err));
	free(bytes);
}

static void an_entry_is_gone(struct book_txn *t)
{
	struct key k = entry_key(2);

	assert_ok(book_delete(t, TABLE_QUEUE, &k, &err));
}

static void its_sender_is_gone(struct book_txn *t)
{
	struct walk w;

	assert_true(walk_first(&w, t, TABLE_SENDERS));
	walk_delete(&w);
	assert_ok(walk_end(&w, &err));
}

static void the_tallies_are_gone(struct book_txn *t)
{
	struct walk w;

	for (bool on = walk_first(&w, t, TABLE_TALLIES); on;)
		on = walk_delete(&w);
	assert_ok(walk_end(&w, &err));
}

static void the_number_was_never_given(struct book_txn *t)
{
	struct key k = key_name("queue");

	assert_ok(book_delete(t, TABLE_META, &k, &err));
}

static void test_each_broken_promise_is_said(void **state)
{
	static const struct {
		void (*breaks)(struct book_txn *t);
		const char *says;
	} rows[] = {
		{words_of_nobody, "I1: \"ghost\" has a message, but never beat"},
		{an_entry_is_gone, "its tally says 2"},
		{an_entry_is_gone, "those of its senders sum to 2"},
		{an_entry_is_gone, "the index by sender has 2 entries, the queue 1"},
		{its_sender_is_gone, "entry 1 of the queue is not found by its sender"},
		{the_tallies_are_gone, "those of its senders sum to 0"},
		{the_number_was_never_given, "entry 2 of the queue is beyond the last number given, 0"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *dir = file_join(*state, "store");
		struct inbox *inbox;
		struct audit a = {.say = hear};
		struct book_txn t;

		assert_int_equal(mkdir(dir, 0700), 0);
		inbox = build(dir);
		text_clear(&said);
		assert_ok(inbox_audit(inbox, &a, &err));
		assert_holds(&a);
		assert_ok(book_begin(inbox->book, true, &t, &err));
		rows[i].breaks(&t);
		assert_ok(book_txn_commit(&t, &err));
		assert_ok(inbox_audit(inbox, &a, &err));
		assert_said(&a, rows[i].says);
		inbox_close(inbox);
		remove_tree(dir);
		free(dir);
	}
	text_free(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_what_was_heard_holds),
		test_in_dir(test_each_broken_promise_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
