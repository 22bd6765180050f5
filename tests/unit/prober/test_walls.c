/* SPDX-License-Identifier: ISC */
/*
 * walls: who breaks into the prober through a library, or into the process that reads the inbox through its
 * bytes, gets nowhere from there; and the latter's death is an error with a name, not ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../attacks.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/heard.h"
#include "prober/walls.h"
#include "store/state.h"

static char store[] = "/tmp/upbeat-test-walls-XXXXXX";
static struct error err;

#define assert_ok(x) \
	do { \
		if (!(x)) \
			fail_msg("%s", err.text); \
	} while (0)

static void put_beat(const char *slug)
{
	const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = 300000};
	struct inbox *inbox = inbox_open(store, STORE_CREATE, &err);
	struct beat beat = {.exit_status = -1, .length_us = -1, .msg = "all is well"};
	enum beat_verdict verdict;
	struct moment now;
	int64_t last_us;

	clock_now(&now);
	assert_ok(inbox != NULL);
	assert_ok(inbox_beat_store(inbox, slug, &rules, &beat, &now, &verdict, &last_us, &err));
	inbox_close(inbox);
}

static int make_store(void **unused)
{
	struct state *state;

	(void)unused;
	if (mkdtemp(store) == NULL)
		return -1;
	put_beat("robot");
	state = state_open(store, STORE_CREATE, &err);
	state_close(state);
	attack_old_socket = socket(AF_INET, SOCK_STREAM, 0);
	return state != NULL ? 0 : -1;
}

static int remove_store(void **unused)
{
	static const char *const files[] = {"inbox/data.mdb", "inbox/lock.mdb", "inbox", "state/data.mdb",
		"state/lock.mdb", "state", "prober.log", "copy/inbox/data.mdb", "copy/inbox/lock.mdb", "copy/inbox",
		"copy"};

	(void)unused;
	close(attack_old_socket);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char *path = file_join(store, files[i]);

		if (unlink(path) != 0)
			rmdir(path);
		free(path);
	}
	return rmdir(store);
}

static void need_walls(void)
{
	int version;

	if (!confine_knows_calls(&err) || !confine_knows_paths(&version, &err)) {
		print_message("%s\n", err.text);
		skip();
	}
}

struct trial {
	const char *path; /* in the store; or absolute, or NULL */
	bool (*attack)(void);
	enum attack_end end;
};

static void attack_all(const struct trial *rows, size_t n, void (*raise_walls)(void))
{
	need_walls();
	for (size_t i = 0; i < n; i++) {
		char *path = rows[i].path != NULL ? file_join(store, rows[i].path) : NULL;
		enum attack_end end;

		attack_path = path;
		end = attack_outcome(rows[i].attack, raise_walls);
		if (end != rows[i].end)
			fail_msg("row %zu (%s): it ended as %d", i, path != NULL ? path : "a call", end);
		free(path);
	}
}

/* ---- the process that reads the inbox */

static void as_reader(void)
{
	heard_raise_walls(store, NULL);
}

static void the_inboxs_reader_gets_nowhere(void **unused)
{
	static const struct trial rows[] = {
		{NULL, attack_execute, DIED},
		{NULL, attack_fork, DIED},
		{NULL, attack_socket, DIED},
		{NULL, attack_connect, DIED},
		{NULL, attack_trace, DIED},
		{NULL, attack_read_memory, DIED},
		{NULL, attack_new_code, DIED},
		{NULL, attack_make_code, DIED},
		{NULL, attack_ring, DIED},
		{NULL, attack_kill_parent, REFUSED},
		{"/etc/passwd", attack_read, REFUSED},
		{"state/data.mdb", attack_read, REFUSED},
		{"inbox/data.mdb", attack_write, REFUSED},
		{"inbox/data.mdb", attack_remove, REFUSED},
		{"inbox/more", attack_create, REFUSED},
		{"inbox/data.mdb", attack_read, SUCCEEDED},
		{"inbox/lock.mdb", attack_write, SUCCEEDED},
	};

	(void)unused;
	attack_all(rows, COUNT_OF(rows), as_reader);
}

static void beats_are_read_at_a_distance(void **unused)
{
	struct inbox *inbox = heard_open(store, &err);
	struct beat_last last;
	struct store_figures figures;
	uint64_t records;
	bool found;

	(void)unused;
	assert_ok(inbox != NULL);
	assert_ok(inbox_beat_read(inbox, "robot", &last, &found, &err));
	assert_true(found);
	assert_string_equal(last.msg, "all is well");
	beat_last_clear(&last);
	assert_ok(inbox_beat_read(inbox, "nobody", &last, &found, &err));
	assert_false(found);
	assert_ok(inbox_figures(inbox, &figures, &err));
	assert_true(figures.used_bytes > 0);
	assert_ok(inbox_verify(inbox, &records, &err));
	assert_true(records > 1);
	heard_close(inbox);
}

static void a_copy_is_made_and_read_at_a_distance(void **unused)
{
	struct inbox *inbox = heard_open(store, &err);
	char *copy = file_join(store, "copy");
	struct beat_last last;
	bool found;

	(void)unused;
	assert_ok(inbox != NULL);
	assert_ok(inbox_backup(inbox, copy, &err));
	heard_close(inbox);
	inbox = heard_open(copy, &err);
	assert_ok(inbox != NULL);
	assert_ok(inbox_beat_read(inbox, "robot", &last, &found, &err));
	assert_true(found);
	beat_last_clear(&last);
	heard_close(inbox);
	free(copy);
}

static void no_inbox_is_missing(void **unused)
{
	(void)unused;
	assert_null(heard_open("/tmp/upbeat-no-such-store", &err));
	assert_int_equal(err.kind, ERROR_MISSING);
}

/* The file is cut off while it is open: whoever reads a page of it then gets SIGBUS. */
static void a_reader_that_dies_is_an_error_with_a_name(void **unused)
{
	struct inbox *inbox;
	char *copy = file_join(store, "copy"), *data = file_join(copy, "inbox/data.mdb");
	struct beat_last last;
	bool found;

	(void)unused;
	inbox = heard_open(copy, &err);
	assert_ok(inbox != NULL);
	assert_int_equal(truncate(data, 0), 0);
	assert_false(inbox_beat_read(inbox, "robot", &last, &found, &err));
	assert_int_equal(err.kind, ERROR_DAMAGED);
	assert_non_null(strstr(err.text, "signal 7"));
	err.text[0] = '\0';
	assert_false(inbox_beat_read(inbox, "robot", &last, &found, &err));
	assert_non_null(strstr(err.text, "signal 7"));
	heard_close(inbox);
	free(data);
	free(copy);
}

/* ---- the prober itself */

static void as_prober(void)
{
	walls_raise(store, NULL);
}

static void the_prober_connects_and_does_nothing_else(void **unused)
{
	static const struct trial rows[] = {
		{NULL, attack_execute, DIED},
		{NULL, attack_listen, DIED},
		{NULL, attack_trace, DIED},
		{NULL, attack_read_memory, DIED},
		{NULL, attack_mount, DIED},
		{NULL, attack_ring, DIED},
		{NULL, attack_bpf, DIED},
		{NULL, attack_execute_memory, DIED},
		{NULL, attack_limit_parent, REFUSED},
		{NULL, attack_local_socket, REFUSED},
		{NULL, attack_listen_in, REFUSED},
		{NULL, attack_routes, REFUSED},
		{"state/data.mdb", attack_set_mode, REFUSED},
		{"state/data.mdb", attack_set_owner, REFUSED},
		{"state/data.mdb", attack_set_time, REFUSED},
		{"/etc/passwd", attack_read, REFUSED},
		{"/etc/shadow", attack_read, REFUSED},
		{"/root", attack_list, REFUSED},
		{"/home", attack_list, REFUSED},
		{"/tmp/upbeat-walls-test", attack_create, REFUSED},
		{"/var/tmp", attack_list, REFUSED},
		{NULL, attack_socket, SUCCEEDED},
		{NULL, attack_connect, SUCCEEDED},
		{"/etc/hosts", attack_read, SUCCEEDED},
		{"prober.log", attack_create, SUCCEEDED},
		{"state/data.mdb", attack_write, SUCCEEDED},
	};

	(void)unused;
	attack_all(rows, COUNT_OF(rows), as_prober);
}

/* ---- a kernel without */

static void as_on_an_old_kernel(void)
{
	static const struct confine_call without[] = {
		{SYS_seccomp, CALL_MISSING}, {444, CALL_MISSING}, {445, CALL_MISSING}, {446, CALL_MISSING}};

	if (!confine_calls(&(struct confine_calls){without, COUNT_OF(without), CALL_ALLOWED}, &err))
		_exit(STRANGE);
}

static bool go_on_and_say_so(void)
{
	int version;

	walls_raise(store, NULL);
	return !confine_knows_calls(&err) && strncmp(err.text, "seccomp: ", 9) == 0 &&
	       !confine_knows_paths(&version, &err) && strncmp(err.text, "Landlock: ", 10) == 0 &&
	       access("/etc/passwd", R_OK) == 0 && open("/etc/passwd", O_RDONLY) >= 0;
}

static void where_the_kernel_has_no_walls_we_go_on(void **unused)
{
	(void)unused;
	need_walls();
	assert_int_equal(attack_outcome(go_on_and_say_so, as_on_an_old_kernel), SUCCEEDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_inboxs_reader_gets_nowhere),
		cmocka_unit_test(beats_are_read_at_a_distance),
		cmocka_unit_test(a_copy_is_made_and_read_at_a_distance),
		cmocka_unit_test(no_inbox_is_missing),
		cmocka_unit_test(a_reader_that_dies_is_an_error_with_a_name),
		cmocka_unit_test(the_prober_connects_and_does_nothing_else),
		cmocka_unit_test(where_the_kernel_has_no_walls_we_go_on),
	};

	return cmocka_run_group_tests_name("walls of the prober", tests, make_store, remove_store);
}
