/* SPDX-License-Identifier: ISC */
/*
 * ward: a state whose records all hold, but one of whose indexes does not, is torn: a copy takes its place when
 * nothing is torn in that one, and not twice within an hour.
 */
#include "../store/store_test.h"

#include "prober/pass/ward.h"
#include "store/copies.h"
#include "store/state_private.h"

#define NOW_S (clock_wall_us() / US_PER_S)

static struct error err;

static bool good(const char *copy, struct error *why)
{
	(void)copy;
	(void)why;
	return true;
}

static void tear(struct state *s, bool torn)
{
	struct key key = key_u32(9), value = key_u32(77);
	struct state_txn *txn = state_begin(s, true, &err);

	assert_non_null(txn);
	if (torn)
		assert_ok(book_put(&txn->book, TABLE_ORDER, &key, value.bytes, value.n, &err));
	else
		assert_ok(book_delete(&txn->book, TABLE_ORDER, &key, &err));
	assert_ok(state_commit(txn, &err));
}

/* A state with one monitor and a copy of it. */
static void build(const char *dir, bool torn_copy)
{
	struct monitor monitor = {.slug = "shop", .type = "http", .name = "Shop", .group = "", .options = "{}",
		.interval_ms = 60000, .place = 1};
	struct publication publication = {.site = {.title = "Example"}, .monitors = &monitor, .monitor_count = 1,
		.fingerprint = "f"};
	struct state *s = state_open(dir, STORE_CREATE, &err);
	struct state_txn *txn;

	assert_non_null(s);
	txn = state_begin(s, true, &err);
	assert_non_null(txn);
	assert_ok(state_publish(txn, &publication, &err));
	assert_ok(state_commit(txn, &err));
	if (torn_copy)
		tear(s, true);
	assert_ok(copies_make(dir, s, NULL, NOW_S, good, &err));
	if (!torn_copy)
		tear(s, true);
	state_close(s);
}

static enum ward_health health(const char *dir)
{
	return ward_examine(dir, WARD_STATE, WARD_WHOLE, NULL, &err);
}

static void a_torn_state_gives_way_to_a_whole_copy_once_an_hour(void **state)
{
	struct state *s;

	build(*state, false);
	assert_int_equal(health(*state), WARD_TORN);
	assert_ok(ward_admit(*state, false, &err));
	assert_int_equal(health(*state), WARD_GOOD);
	s = state_open(*state, STORE_CREATE, &err);
	assert_non_null(s);
	tear(s, true);
	state_close(s);
	assert_ok(ward_admit(*state, true, &err));
	assert_int_equal(health(*state), WARD_TORN);
}

static void a_copy_that_is_torn_itself_takes_no_place(void **state)
{
	uint64_t id;

	build(*state, true);
	id = state_file_id(*state);
	assert_ok(ward_admit(*state, true, &err));
	assert_int_equal(state_file_id(*state), id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(a_torn_state_gives_way_to_a_whole_copy_once_an_hour),
		test_in_dir(a_copy_that_is_torn_itself_takes_no_place),
	};

	return cmocka_run_group_tests_name("ward", tests, NULL, NULL);
}
