/* SPDX-License-Identifier: ISC */
/*
 * walls: whoever runs code of his own in the web program gets out of it by nothing that we can think of,
 * and the program itself still answers and stores.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <cmocka.h>

#include "../attacks.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "web/books.h"
#include "web/walls.h"

static struct fixture f;
static char *environment[3];

static void raise_walls(void)
{
	walls_calls(false);
	if (!walls_paths(environment, false))
		_exit(STRANGE);
}

static void open_published(struct fixture *fixture)
{
	struct error err = {0};

	fixture_open(fixture);
	if (!fixture_publish(fixture->dir, 0, 0, &err))
		fail_msg("%s", err.text);
}

static void raise_walls_of_one_request(void)
{
	walls_paths(environment, true);
	walls_calls(true);
}

static int open_store(void **state)
{
	struct answer answer = {0, TEXT_INIT, TEXT_INIT};
	struct text store = TEXT_INIT;

	(void)state;
	open_published(&f);
	fixture_beat(&f, "robot", "", ROBOT_SECRET, clock_wall_us(), &answer);
	assert_int_equal(answer.status, 200);
	answer_clear(&answer);
	web_close_all();
	text_printf(&store, "UPBEAT_STORE=%s", f.dir);
	environment[0] = text_take(&store);
	attack_old_socket = socket(AF_INET, SOCK_STREAM, 0);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	close(attack_old_socket);
	free(environment[0]);
	fixture_close(&f);
	return 0;
}

static void need_calls(void)
{
	struct error err = {0};

	if (!confine_knows_calls(&err)) {
		print_message("%s\n", err.text);
		skip();
	}
}

static void need_paths(void)
{
	struct error err = {0};
	int version;

	if (!confine_knows_paths(&version, &err)) {
		print_message("%s\n", err.text);
		skip();
	}
}

static void attack_kills_who_tries(void **state)
{
	static const struct {
		const char *name;
		bool (*attack)(void);
		enum attack_end outcome;
	} rows[] = {
		{"execute a program", attack_execute, DIED},
		{"start a process", attack_fork, DIED},
		{"a call whose arguments cannot be seen", attack_clone3, REFUSED},
		{"make a socket", attack_socket, DIED},
		{"connect out", attack_connect, DIED},
		{"listen", attack_listen, DIED},
		{"trace", attack_trace, DIED},
		{"read another's memory", attack_read_memory, DIED},
		{"map new code", attack_new_code, DIED},
		{"make data code", attack_make_code, DIED},
		{"mount", attack_mount, DIED},
		{"io_uring", attack_ring, DIED},
		{"bpf", attack_bpf, DIED},
		{"signal another process", attack_kill_parent, REFUSED},
		{"signal another's thread", attack_kill_by_thread, REFUSED},
		{"queue a signal", attack_kill_by_queue, REFUSED},
		{"limit another process", attack_limit_parent, REFUSED},
		{"ask a service of this host", attack_local_socket, DIED},
		{"execute what is in memory", attack_execute_memory, DIED},
#if defined(__x86_64__)
		{"calls by other numbers", attack_by_x32, DIED},
		{"calls by the old gate", attack_by_int80, DIED},
#endif
	};

	(void)state;
	need_calls();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum attack_end outcome = attack_outcome(rows[i].attack, raise_walls);

		if (outcome != rows[i].outcome)
			fail_msg("%s: outcome %d", rows[i].name, outcome);
		outcome = attack_outcome(rows[i].attack, raise_walls_of_one_request);
		if (outcome != REFUSED && outcome != DIED)
			fail_msg("%s, in a process of one request: outcome %d", rows[i].name, outcome);
	}
}

static void nothing_but_the_books_is_there(void **state)
{
	static const struct {
		const char *path;
		bool (*attack)(void);
		enum attack_end outcome;
	} rows[] = {
		{"/etc/passwd", attack_read, REFUSED},
		{"/proc/self/environ", attack_read, REFUSED},
		{"/dev/null", attack_write, REFUSED},
		{"/", attack_list, REFUSED},
		{"/tmp/upbeat-walls-test", attack_create, REFUSED},
		{".", attack_list, REFUSED},
		{"upbeat.json", attack_create, REFUSED},
		{"other", attack_make_directory, REFUSED},
		{"state", attack_list, SUCCEEDED},
		{"state/data.mdb", attack_read, SUCCEEDED},
		{"state/data.mdb", attack_write, REFUSED},
		{"state/data.mdb", attack_truncate, REFUSED},
		{"state/data.mdb", attack_remove, REFUSED},
		{"state/more", attack_create, REFUSED},
		{"state/lock.mdb", attack_write, SUCCEEDED},
		{"state/lock.mdb", attack_remove, REFUSED},
		{"state/data.mdb", attack_set_mode, REFUSED},
		{"state/data.mdb", attack_set_owner, REFUSED},
		{"inbox/data.mdb", attack_set_mode, REFUSED},
		{"inbox/data.mdb", attack_write, SUCCEEDED},
		{"inbox/web.log", attack_create, SUCCEEDED},
		{"/usr/share/zoneinfo/Europe/Berlin", attack_read, SUCCEEDED},
	};

	(void)state;
	need_paths();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *path = file_join(f.dir, rows[i].path);
		enum attack_end outcome;

		attack_path = path;
		outcome = attack_outcome(rows[i].attack, raise_walls);
		if (outcome != rows[i].outcome)
			fail_msg("%s (row %zu): outcome %d", rows[i].path, i, outcome);
		outcome = attack_outcome(rows[i].attack, raise_walls_of_one_request);
		if (outcome != rows[i].outcome)
			fail_msg("%s (row %zu), in a process of one request: outcome %d", rows[i].path, i, outcome);
		free(path);
	}
}

static void a_link_out_of_the_inbox_cannot_be_made(void **state)
{
	char *path;

	(void)state;
	need_calls();
	path = file_join(f.dir, "inbox/link");
	attack_path = path;
	assert_int_equal(attack_outcome(attack_symlink, raise_walls), DIED);
	free(path);
}

static void another_store_is_out_of_reach(void **state)
{
	struct fixture other;
	char *path;

	(void)state;
	need_paths();
	open_published(&other);
	path = file_join(other.dir, "state/data.mdb");
	attack_path = path;
	assert_int_equal(attack_outcome(attack_read, raise_walls), REFUSED);
	setenv("UPBEAT_STORES", other.dir, 1);
	assert_int_equal(attack_outcome(attack_read, raise_walls), SUCCEEDED);
	unsetenv("UPBEAT_STORES");
	free(path);
	fixture_close(&other);
}

/* ---- and what we do still works */

static void *ask(void *answer)
{
	fixture_beat(&f, "robot", "", ROBOT_SECRET, clock_wall_us(), answer);
	return NULL;
}

static bool store_in_a_thread(void)
{
	struct answer answer = {0, TEXT_INIT, TEXT_INIT};
	pthread_t thread;

	return pthread_create(&thread, NULL, ask, &answer) == 0 && pthread_join(thread, NULL) == 0 &&
	       answer.status == 200;
}

static bool store_alone(void)
{
	struct answer answer = {0, TEXT_INIT, TEXT_INIT};

	ask(&answer);
	return answer.status == 200;
}

static bool show_pages(void)
{
	static const char *const pages[] = {"/", "/m/robot", "/beat/robot", "/feed.atom", "/metrics", "/healthz"};
	struct answer answer = {0, TEXT_INIT, TEXT_INIT};

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		fixture_ask(&f, "GET", pages[i], NULL, 0, NULL, &answer);
		if (answer.status == 0)
			return false;
	}
	return true;
}

static void the_program_works_within(void **state)
{
	(void)state;
	need_calls();
	assert_int_equal(attack_outcome(store_in_a_thread, raise_walls), SUCCEEDED);
	assert_int_equal(attack_outcome(show_pages, raise_walls), SUCCEEDED);
	assert_int_equal(attack_outcome(store_alone, raise_walls_of_one_request), SUCCEEDED);
	assert_int_equal(attack_outcome(show_pages, raise_walls_of_one_request), SUCCEEDED);
}

/* It says on `out` that it knows the book, and hears on `in` that there is another. It looks only now and then. */
static bool notice_another_book(int out, int in)
{
	const struct timespec a_while = {0, 5 * 1000 * 1000};
	bool noticed = false;
	char byte = 0;

	if (walls_outgrown() || write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1)
		return false;
	for (int i = 0; i < 2000 && !noticed; i++) {
		nanosleep(&a_while, NULL);
		noticed = walls_outgrown();
	}
	return noticed;
}

static void another_book_in_the_place_of_one_is_noticed(void **state)
{
	char *inbox = file_join(f.dir, "inbox"), *aside = file_join(f.dir, "inbox.aside");
	int known[2], renamed[2], status;
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(known), 0);
	assert_int_equal(pipe(renamed), 0);
	pid = fork();
	if (pid == 0) {
		close(renamed[1]);
		raise_walls();
		_exit(notice_another_book(known[1], renamed[0]) ? SUCCEEDED : REFUSED);
	}
	close(known[1]);
	close(renamed[0]);
	assert_int_equal(read(known[0], &byte, 1), 1);
	assert_int_equal(rename(inbox, aside), 0);
	close(known[0]);
	assert_int_equal(write(renamed[1], &byte, 1), 1);
	close(renamed[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rename(aside, inbox), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SUCCEEDED);
	free(inbox);
	free(aside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attack_kills_who_tries),
		cmocka_unit_test(nothing_but_the_books_is_there),
		cmocka_unit_test(a_link_out_of_the_inbox_cannot_be_made),
		cmocka_unit_test(another_store_is_out_of_reach),
		cmocka_unit_test(the_program_works_within),
		cmocka_unit_test(another_book_in_the_place_of_one_is_noticed),
	};

	return cmocka_run_group_tests_name("walls of the web program", tests, open_store, close_store);
}
