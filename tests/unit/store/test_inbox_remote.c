/* SPDX-License-Identifier: ISC */
/*
 * The inbox in two processes: what is read at a distance is what is there, and whatever the other side
 * says, if an honest reader could not have said it, it is refused.
 */
#include "store_test.h"

#include <signal.h>
#include <sys/socket.h>

#include "store/inbox.h"
#include "store/inbox_wire.h"

static struct error err;

/* ---- an honest reader -------------------------------------------------------------------------------- */

static struct inbox *read_by_a_child(const char *dir, pid_t *pid)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*pid = fork();
	if (*pid == 0) {
		close(pair[0]);
		inbox_serve(dir, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	return inbox_connect(pair[0], &(struct inbox_keeper){0}, &err);
}

static void put_beat(struct inbox *inbox, const char *slug, const char *msg)
{
	const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = 300000};
	struct beat beat = {.exit_status = 3, .length_us = -1, .msg = msg, .kind = BEAT_FAIL};
	enum beat_verdict verdict;
	struct moment now;
	int64_t last_us;

	clock_now(&now);
	assert_ok(inbox_beat_store(inbox, slug, &rules, &beat, &now, &verdict, &last_us, &err));
}

static void fill(const char *dir)
{
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);
	char large[60000];
	struct moment now;

	assert_non_null(inbox);
	clock_now(&now);
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 300; i++) {
		char slug[16];

		snprintf(slug, sizeof(slug), "bot%d", i);
		put_beat(inbox, slug, i % 2 ? "a message, \xc3\xa9 and \"quotes\"" : NULL);
	}
	for (int i = 0; i < 20; i++)
		assert_ok(inbox_queue_put(inbox, i % 2 ? INBOX_PEER : INBOX_REQUEST, "somebody", large,
			sizeof(large) - (size_t)i, &now, 0, NULL, &err));
	inbox_close(inbox);
}

/* Everything that is read, as one line each. */
static bool tell_beat(void *arg, const char *slug, const struct beat_last *last)
{
	text_printf(arg, "%s %d %d %lld %llu %s\n", slug, (int)last->kind, last->exit_status,
		(long long)last->any.wall_us, (unsigned long long)last->count, last->msg ? last->msg : "-");
	return true;
}

static bool tell_entry(void *arg, const struct inbox_entry *entry)
{
	text_printf(arg, "%llu %d %lld %s %zu %c\n", (unsigned long long)entry->id, (int)entry->kind,
		(long long)entry->at_us, entry->sender, entry->payload_len, entry->payload[entry->payload_len - 1]);
	return true;
}

static void tell_all(struct inbox *inbox, struct text *out)
{
	assert_ok(inbox_beat_scan(inbox, tell_beat, out, &err));
	assert_ok(inbox_queue_scan(inbox, 0, 3, tell_entry, out, &err));
	assert_ok(inbox_queue_scan(inbox, INBOX_PEER, 0, tell_entry, out, &err));
}

static void test_what_is_read_at_a_distance_is_what_is_there(void **state)
{
	struct text here = TEXT_INIT, there = TEXT_INIT;
	struct inbox *inbox;
	uint64_t records, all;
	pid_t pid;

	fill(*state);
	inbox = inbox_open(*state, STORE_READ, &err);
	tell_all(inbox, &here);
	assert_ok(inbox_verify(inbox, &all, &err));
	inbox_close(inbox);
	inbox = read_by_a_child(*state, &pid);
	assert_non_null(inbox);
	tell_all(inbox, &there);
	assert_ok(inbox_verify(inbox, &records, &err));
	assert_int_equal(records, all);
	inbox_close(inbox);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(text_str(&there), text_str(&here));
	text_free(&here);
	text_free(&there);
}

static void test_what_cannot_be_opened_is_said_in_its_words(void **state)
{
	pid_t pid;

	(void)state;
	assert_null(read_by_a_child("/tmp/upbeat-no-such-store", &pid));
	assert_int_equal(err.kind, ERROR_MISSING);
	waitpid(pid, NULL, 0);
}

static void test_nothing_is_written_at_a_distance(void **state)
{
	const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = 300000};
	struct beat beat = {.exit_status = -1, .length_us = -1};
	enum beat_verdict verdict;
	struct inbox *inbox;
	struct moment now;
	int64_t last_us;
	pid_t pid;

	fill(*state);
	clock_now(&now);
	inbox = read_by_a_child(*state, &pid);
	assert_false(inbox_beat_store(inbox, "bot1", &rules, &beat, &now, &verdict, &last_us, &err));
	assert_false(inbox_queue_put(inbox, INBOX_PEER, "x", "y", 1, &now, 0, NULL, &err));
	assert_false(inbox_backup(inbox, *state, &err));
	inbox_close(inbox);
	waitpid(pid, NULL, 0);
}

/* ---- a hostile one ----------------------------------------------------------------------------------- */

static void say_end(struct text *out)
{
	struct pack p;

	wire_begin(&p, WIRE_END);
	wire_put(out, WIRE_END, &p);
}

static void say_beat(struct text *out, const char *slug, int64_t wall_us)
{
	struct beat_last last = BEAT_LAST_INIT;

	last.any.wall_us = last.success.wall_us = wall_us;
	wire_put_last(out, slug, &last);
}

static void say_entry(struct text *out, uint64_t id, int kind, int64_t at_us)
{
	struct inbox_entry entry = {.id = id, .kind = (enum inbox_kind)kind, .at_us = at_us};

	entry.sender = "x";
	entry.payload = "{}";
	entry.payload_len = 2;
	wire_put_entry(out, &entry);
}

static void sound(struct text *out)
{
	say_beat(out, "robot", T0_US);
	say_end(out);
}
static void nothing(struct text *out)
{
	(void)out;
}
static void noise(struct text *out)
{
	for (int i = 0; i < 5000; i++)
		text_char(out, (char)(i * 7 + i / 3));
}
static void endless_frame(struct text *out)
{
	const uint32_t head[2] = {WIRE_LAST, UINT32_MAX};

	text_rawn(out, (const char *)head, sizeof(head));
}
static void half_a_frame(struct text *out)
{
	say_beat(out, "robot", T0_US);
	out->len -= 5;
}
static void a_flipped_bit(struct text *out)
{
	say_beat(out, "robot", T0_US);
	out->ptr[out->len - 3] ^= 4;
	say_end(out);
}
static void a_name_that_is_none(struct text *out)
{
	say_beat(out, "../etc", T0_US);
	say_end(out);
}
static void the_end_of_time(struct text *out)
{
	say_beat(out, "robot", INT64_MAX);
	say_end(out);
}
static void before_time(struct text *out)
{
	say_beat(out, "robot", INT64_MIN);
	say_end(out);
}
static void another_answer(struct text *out)
{
	say_entry(out, 1, INBOX_PEER, T0_US);
	say_end(out);
}

static struct inbox *hear_from(void (*say)(struct text *out))
{
	struct text out = TEXT_INIT;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	say_end(&out); /* it could be opened */
	say(&out);
	assert_int_equal(write(pair[1], out.ptr, out.len), (ssize_t)out.len);
	text_free(&out);
	shutdown(pair[1], SHUT_WR);
	return inbox_connect(pair[0], &(struct inbox_keeper){0}, &err);
}

static bool count_beats(void *arg, const char *slug, const struct beat_last *last)
{
	(void)slug;
	(void)last;
	++*(int *)arg;
	return true;
}

static void test_beats_that_cannot_be_are_refused(void **state)
{
	static const struct {
		void (*say)(struct text *out);
		bool fine;
	} rows[] = {
		{sound, true},
		{nothing, false},
		{noise, false},
		{endless_frame, false},
		{half_a_frame, false},
		{a_flipped_bit, false},
		{a_name_that_is_none, false},
		{the_end_of_time, false},
		{before_time, false},
		{another_answer, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct inbox *inbox = hear_from(rows[i].say);
		int heard = 0;

		assert_non_null(inbox);
		if (inbox_beat_scan(inbox, count_beats, &heard, &err) != rows[i].fine)
			fail_msg("row %zu", i);
		assert_int_equal(heard, rows[i].fine);
		inbox_close(inbox);
	}
}

static void backwards(struct text *out)
{
	say_entry(out, 9, INBOX_PEER, T0_US);
	say_entry(out, 8, INBOX_PEER, T0_US);
	say_end(out);
}
static void seen_before(struct text *out)
{
	say_entry(out, 5, INBOX_PEER, T0_US);
	say_end(out);
}
static void of_no_kind(struct text *out)
{
	say_entry(out, 9, 77, T0_US);
	say_end(out);
}
static void the_last_id(struct text *out)
{
	say_entry(out, UINT64_MAX, INBOX_PEER, T0_US);
	say_end(out);
}
static void at_no_time(struct text *out)
{
	say_entry(out, 9, INBOX_PEER, INT64_MAX);
	say_end(out);
}

static bool count_entries(void *arg, const struct inbox_entry *entry)
{
	(void)entry;
	++*(int *)arg;
	return true;
}

static void test_entries_that_cannot_be_are_refused(void **state)
{
	static void (*const rows[])(struct text *out) = {
		backwards, seen_before, of_no_kind, the_last_id, at_no_time};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct inbox *inbox = hear_from(rows[i]);
		int heard = 0;

		assert_non_null(inbox);
		if (inbox_queue_scan(inbox, 0, 5, count_entries, &heard, &err))
			fail_msg("row %zu", i);
		assert_int_equal(heard, rows[i] == backwards);
		assert_false(inbox_queue_scan(inbox, 0, 5, count_entries, &heard, &err)); /* once gone, gone */
		inbox_close(inbox);
	}
}

/* ---- each value by itself ---------------------------------------------------------------------------- */

/* One value of a beat that an honest reader cannot have found. */
#define BEND(name, ...) \
	static void name(struct beat_last *last) \
	{ \
		__VA_ARGS__; \
	}
BEND(stays, (void)last)
BEND(client_time_too_late, last->last_time_us = INT64_MAX)
BEND(client_time_too_early, last->last_time_us = INT64_MIN)
BEND(success_in_boot_before_it, last->success.boot_us = -5)
BEND(success_after_all, last->success.wall_us = INT64_MAX)
BEND(failed_after_all, last->failed.wall_us = INT64_MAX)
BEND(failed_before_boot, last->failed.boot_us = -5)
BEND(started_after_all, last->started.boot_us = INT64_MAX)
BEND(started_before_all, last->started.wall_us = -5)
BEND(any_after_all, last->any.boot_us = INT64_MAX)
BEND(no_kind, last->kind = (enum beat_kind)BEAT__COUNT)
BEND(status_below, last->exit_status = -2)
BEND(status_above, last->exit_status = 256)
BEND(run_below, last->run_us = -2)
BEND(run_above, last->run_us = INT64_MAX)

/* Is that frame taken for a beat? */
static bool is_last(const struct text *frame)
{
	struct beat_last heard;
	struct unpack u;
	char *slug;
	bool fine;

	assert_true(unpack_begin(&u, frame->ptr + 8, frame->len - 8, WIRE_LAST, 1, NULL));
	fine = wire_read_last(&u, &slug, &heard);
	free(slug);
	beat_last_clear(&heard);
	return fine;
}

static bool can_be(void (*bend)(struct beat_last *last))
{
	struct beat_last last = BEAT_LAST_INIT;
	struct text frame = TEXT_INIT;
	bool fine;

	last.any.wall_us = last.success.wall_us = T0_US;
	bend(&last);
	wire_put_last(&frame, "robot", &last);
	fine = is_last(&frame);
	text_free(&frame);
	return fine;
}

static void test_each_value_of_a_beat_is_one_that_could_be(void **state)
{
	static void (*const rows[])(struct beat_last *last) = {client_time_too_late, client_time_too_early,
		success_in_boot_before_it, success_after_all, failed_after_all, failed_before_boot,
		started_after_all, started_before_all, any_after_all, no_kind, status_below, status_above,
		run_below, run_above};

	(void)state;
	assert_true(can_be(stays));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (can_be(rows[i]))
			fail_msg("row %zu", i);
}

/* Records that are sealed and well formed, and yet not what they should be. The text is the fields: a tag,
   then n a number or s a text. */
static bool reads_last(const char *fields)
{
	struct text frame = TEXT_INIT;
	struct pack p;
	bool fine;

	wire_begin(&p, WIRE_LAST);
	for (const char *at = fields; *at; at += 2) {
		if (at[1] == 'n')
			pack_u64(&p, (unsigned)(at[0] - '0'), 7);
		else
			pack_str(&p, (unsigned)(at[0] - '0'), "robot");
	}
	wire_put(&frame, WIRE_LAST, &p);
	fine = is_last(&frame);
	text_free(&frame);
	return fine;
}

static void test_records_with_other_fields_are_refused(void **state)
{
	/* nothing; no values; numbers for texts; values that are none; everything twice; what nobody knows */
	static const char *const rows[] = {"", "1s", "1n2n3n", "1s2s", "1s1s3s3s", "9n8s", "1s3s9n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (reads_last(rows[i]))
			fail_msg("row %zu", i);
}

static void test_an_entry_is_complete_or_none(void **state)
{
	static const char *const rows[] = {"", "1n", "1n2n", "1s2s3s4n5n", "4s4s5s5s", "9n9s"};
	struct inbox_entry entry;
	struct unpack u;
	struct pack p;
	char *sender, *payload;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text frame = TEXT_INIT;
		bool fine;

		wire_begin(&p, WIRE_ENTRY);
		for (const char *at = rows[i]; *at; at += 2) {
			if (at[1] == 'n')
				pack_u64(&p, (unsigned)(at[0] - '0'), 1);
			else
				pack_str(&p, (unsigned)(at[0] - '0'), "x");
		}
		wire_put(&frame, WIRE_ENTRY, &p);
		assert_true(unpack_begin(&u, frame.ptr + 8, frame.len - 8, WIRE_ENTRY, 1, NULL));
		fine = wire_read_entry(&u, &entry, &sender, &payload);
		assert_non_null(entry.sender);
		assert_non_null(entry.payload);
		free(sender);
		free(payload);
		text_free(&frame);
		if (fine != (i == 2))
			fail_msg("row %zu", i);
	}
}

static void test_an_error_has_words_whatever_is_said(void **state)
{
	static const struct {
		uint64_t kind;
		const char *words;
		enum error_kind is;
		const char *shown;
	} rows[] = {
		{ERROR_TEMPORARY, "locked", ERROR_TEMPORARY, "locked"},
		{0, "locked", ERROR_DAMAGED, "locked"},
		{999, NULL, ERROR_DAMAGED, "the inbox cannot be read"},
		{ERROR_FULL, "", ERROR_FULL, "the inbox cannot be read"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text frame = TEXT_INIT;
		struct error heard = {0};
		struct unpack u;
		struct pack p;

		wire_begin(&p, WIRE_ERROR);
		pack_u64(&p, 1, rows[i].kind);
		pack_str(&p, 2, rows[i].words);
		pack_str(&p, 2, "said again");
		pack_str(&p, 1, "a kind is a number");
		wire_put(&frame, WIRE_ERROR, &p);
		assert_true(unpack_begin(&u, frame.ptr + 8, frame.len - 8, WIRE_ERROR, 1, NULL));
		wire_read_error(&u, &heard);
		assert_int_equal(heard.kind, rows[i].is);
		if (rows[i].words)
			assert_string_equal(heard.text, rows[i].shown);
		text_free(&frame);
	}
}

static void test_nobody_is_waited_for_longer_than_was_said(void **state)
{
	struct text much = TEXT_INIT;
	struct wire wire;
	struct unpack u;
	enum wire_kind kind;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	wire_open(&wire, pair[0]);
	assert_false(wire_receive(&wire, &kind, &u, clock_mono_us() - 1));
	assert_false(wire_receive(&wire, &kind, &u, clock_mono_us() + 20 * US_PER_MS));
	for (int i = 0; i < 4 << 20; i++)
		text_char(&much, 'x');
	assert_false(wire_send(&wire, &much, clock_mono_us() + 20 * US_PER_MS));
	close(pair[1]);
	assert_false(wire_send(&wire, &much, 0));
	wire_close(&wire);
	wire_close(&wire);
	text_free(&much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_is_read_at_a_distance_is_what_is_there, make_test_dir, remove_test_dir),
		cmocka_unit_test(test_what_cannot_be_opened_is_said_in_its_words),
		cmocka_unit_test_setup_teardown(test_nothing_is_written_at_a_distance, make_test_dir, remove_test_dir),
		cmocka_unit_test(test_beats_that_cannot_be_are_refused),
		cmocka_unit_test(test_entries_that_cannot_be_are_refused),
		cmocka_unit_test(test_each_value_of_a_beat_is_one_that_could_be),
		cmocka_unit_test(test_records_with_other_fields_are_refused),
		cmocka_unit_test(test_an_entry_is_complete_or_none),
		cmocka_unit_test(test_an_error_has_words_whatever_is_said),
		cmocka_unit_test(test_nobody_is_waited_for_longer_than_was_said),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("inbox at a distance", tests, NULL, NULL);
}
