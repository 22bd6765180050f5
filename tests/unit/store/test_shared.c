/* SPDX-License-Identifier: ISC */
/*
 * A store that a group shares: who is of the group may rename what is in it and put his own in its place,
 * links too. What the prober goes on from is its own or nothing, and it writes and deletes nowhere else.
 */
#include "state_test.h"

#include "store/copies.h"
#include "store/inbox.h"

#define SHARER 65533

static void make_both(const char *dir)
{
	struct state *s = state_open(dir, STORE_CREATE, &err);
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);

	assert_non_null(s);
	assert_non_null(inbox);
	state_close(s);
	inbox_close(inbox);
}

static void give(const char *dir, const char *name, uid_t owner, mode_t mode)
{
	char *path = file_join(dir, name);

	if (chown(path, owner, (gid_t)-1) || chmod(path, mode))
		fail_msg("%s: %s", path, strerror(errno));
	free(path);
}

static void move(const char *dir, const char *from, const char *to)
{
	char *old = file_join(dir, from), *new = file_join(dir, to);

	assert_int_equal(rename(old, new), 0);
	free(old);
	free(new);
}

static void link_to(const char *dir, const char *name, const char *target)
{
	char *path = file_join(dir, name);

	assert_int_equal(symlink(target, path), 0);
	free(path);
}

static bool is_there(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void put_file(const char *dir, const char *name)
{
	char *path = file_join(dir, name);

	assert_ok(file_write_atomic(path, "x", 1, 0600, &err));
	free(path);
}

static void make_dir(const char *dir, const char *name, mode_t mode)
{
	char *path = file_join(dir, name);

	assert_ok(file_make_dir(path, mode, &err));
	free(path);
}

static void expect_believed(const char *dir)
{
	struct state *s = state_open(dir, STORE_CREATE, &err);

	if (!s || !state_is_ours(dir, &err))
		fail_msg("%s", err.text);
	state_close(s);
}

static void expect_not_believed(const char *dir, const char *why)
{
	assert_false(state_is_ours(dir, &err));
	err = (struct error){0};
	assert_null(state_open(dir, STORE_CREATE, &err));
	assert_int_equal(err.kind, ERROR_DENIED);
	if (!strstr(err.text, "is not believed") || !strstr(err.text, why))
		fail_msg("%s", err.text);
}

static void test_a_state_that_is_not_ours_is_not_believed(void **state)
{
	make_both(*state);
	if (getuid())
		skip();
	give(*state, "state/data.mdb", SHARER, 0640);
	expect_believed(*state); /* nobody shares this store */
	give(*state, ".", 0, 02770);
	expect_not_believed(*state, "belongs to user 65533");
	give(*state, "state/data.mdb", 0, 0660);
	expect_not_believed(*state, "chmod go-w");
	give(*state, "state/data.mdb", 0, 0640);
	expect_believed(*state);
	give(*state, ".", SHARER, 02770); /* root may look at another's store */
	give(*state, "state/data.mdb", SHARER, 0640);
	expect_believed(*state);
}

static void test_a_link_in_the_place_of_a_books_file_is_not_followed(void **state)
{
	static const char *const names[] = {"inbox/lock.mdb", "inbox/data.mdb"};

	make_both(*state);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		move(*state, names[i], "elsewhere");
		link_to(*state, names[i], "../elsewhere");
		assert_null(inbox_open(*state, STORE_READ, &err));
		assert_int_equal(err.kind, ERROR_DENIED);
		assert_non_null(strstr(err.text, names[i]));
		move(*state, "elsewhere", names[i]);
	}
	make_both(*state);
}

static void ignore(void *arg, const char *name, int64_t damaged_s, int64_t copy_s)
{
	(void)arg;
	(void)name;
	(void)damaged_s;
	(void)copy_s;
}

static void test_what_was_set_aside_is_removed_without_following_links(void **state)
{
	make_dir(*state, "precious", 0700);
	put_file(*state, "precious/file");
	link_to(*state, "inbox.damaged-2026-01-01T00:00:00Z", "precious");
	make_dir(*state, "inbox.damaged-2026-01-02T00:00:00Z", 0700);
	put_file(*state, "inbox.damaged-2026-01-02T00:00:00Z/data.mdb");
	link_to(*state, "inbox.damaged-2026-01-02T00:00:00Z/inner", "../precious");
	copies_damaged(*state, T0_S, 86400, ignore, NULL);
	assert_true(is_there(*state, "precious/file"));
	assert_false(is_there(*state, "inbox.damaged-2026-01-02T00:00:00Z"));
}

static bool any_copy_is_good(const char *copy, struct error *why)
{
	(void)copy;
	(void)why;
	return true;
}

static bool copy_now(const char *dir)
{
	struct state *s = state_open(dir, STORE_CREATE, &err);
	bool ok;

	assert_non_null(s);
	ok = copies_make(dir, s, NULL, T0_S, any_copy_is_good, &err);
	state_close(s);
	return ok;
}

static void test_copies_go_into_our_own_directory_only(void **state)
{
	make_both(*state);
	give(*state, ".", getuid(), 02770);
	make_dir(*state, "precious", 0700);
	make_dir(*state, "precious/.new", 0700);
	put_file(*state, "precious/.new/file");
	link_to(*state, "copies", "precious");
	assert_false(copy_now(*state));
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_true(is_there(*state, "precious/.new/file"));
	move(*state, "copies", "link");
	assert_true(copy_now(*state));
}

static void test_a_copy_that_is_not_ours_does_not_take_over(void **state)
{
	make_both(*state);
	if (getuid())
		skip();
	give(*state, ".", 0, 02770);
	assert_true(copy_now(*state));
	give(*state, "copies/2026-05-01T02:00:00Z/state/data.mdb", SHARER, 0640);
	assert_false(state_mend(*state, 0, T0_S, &err));
	assert_non_null(strstr(err.text, "is not believed"));
	expect_believed(*state); /* a new one */
	give(*state, "copies/2026-05-01T02:00:00Z/state/data.mdb", 0, 0640);
	assert_ok(state_mend(*state, 0, T0_S + 1, &err));
	expect_believed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_a_state_that_is_not_ours_is_not_believed),
		test_in_dir(test_a_link_in_the_place_of_a_books_file_is_not_followed),
		test_in_dir(test_what_was_set_aside_is_removed_without_following_links),
		test_in_dir(test_copies_go_into_our_own_directory_only),
		test_in_dir(test_a_copy_that_is_not_ours_does_not_take_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
