/* SPDX-License-Identifier: ISC */
/*
 * launch: what may be asked of the process that starts programs, and what a program gets from it; that
 * nothing it started outlives its time, its asker or the prober; and that all of it works behind the walls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <poll.h>

#include "../attacks.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "prober/helper.h"
#include "prober/launch.h"
#include "prober/net/program.h"
#include "prober/walls.h"

static struct error err;

/* A row that runs a line of sh; what follows its arguments are $1 and $2. */
static struct launch_program *add_script(struct launch_table *table, const char *name, const char *script)
{
	struct launch_program *row =
		launch_add(table, name, (const char *const[]){"/bin/sh", "-c", script, "sh", NULL});

	row->patience_ms = 20000;
	row->variable = mem_str("PATH=/usr/bin:/bin");
	return row;
}

static void start_one(const char *script)
{
	struct launch_table table = {NULL, 0};

	add_script(&table, "it", script);
	assert_true(launch_start(&table, &err));
}

/* ---- one run */

static void finished(void *arg)
{
	loop_stop(arg);
}

struct ended {
	int error;
	bool timed_out;
	int status;
	char said[PROGRAM_SAID_MAX + 512];
};

static struct ended run(const char *name, const char *address, unsigned wait_s, const char *input)
{
	struct loop *loop = loop_new(&err);
	struct program_order order = {.name = name, .address = address, .wait_s = wait_s, .input = input,
		.n = input != NULL ? strlen(input) : 0, .done = finished, .arg = loop};
	struct ended ended = {.error = 0};
	struct program *program = program_start(loop, &order, &ended.error);

	if (program != NULL) {
		struct program_end end;

		loop_run(loop, clock_mono_us() + 30 * US_PER_S);
		end = program_end(program);
		ended.error = end.error;
		ended.timed_out = end.timed_out;
		ended.status = end.status;
		snprintf(ended.said, sizeof(ended.said), "%s", end.said);
		program_free(program);
	}
	loop_free(loop);
	return ended;
}

/* A zombie that nobody reaps here is gone, too. */
static bool is_gone(pid_t pid)
{
	struct text path = TEXT_INIT, stat = TEXT_INIT;
	bool gone;

	text_printf(&path, "/proc/%d/stat", (int)pid);
	gone = !file_read(text_str(&path), 4096, &stat, NULL) || strstr(text_str(&stat), ") Z ") != NULL;
	text_free(&path);
	text_free(&stat);
	return gone;
}

static bool goes(pid_t pid)
{
	for (int i = 0; i < 500 && !is_gone(pid); i++)
		usleep(20000);
	return is_gone(pid);
}

/* ---- requests */

static void only_what_stands_in_the_table_may_be_asked(void **unused)
{
	static const struct {
		uint32_t program, wait_s;
		const char *address, *understood; /* NULL: refused */
	} rows[] = {
		{0, 0, "", ""},
		{0, 1, "", NULL},
		{0, 0, "192.0.2.1", NULL},
		{1, 1, "192.0.2.1", "192.0.2.1"},
		{1, LAUNCH_WAIT_MAX_S, "192.0.2.1", "192.0.2.1"},
		{1, LAUNCH_WAIT_MAX_S + 1, "192.0.2.1", NULL},
		{1, 0, "192.0.2.1", NULL},
		{1, UINT32_MAX, "192.0.2.1", NULL},
		{1, 1, "", NULL},
		{1, 1, "-f", NULL},
		{1, 1, "example.com", NULL},
		{1, 1, "192.0.2.1 -f", NULL},
		{1, 1, " 192.0.2.1", NULL},
		{1, 1, "192.0.2.256", NULL},
		{1, 1, "0x7f.1", NULL},
		{1, 1, "2001:db8::1", NULL},
		{2, 1, "2001:db8::1", "2001:db8::1"},
		{2, 1, "2001:DB8:0::1", "2001:db8::1"},
		{2, 1, "fe80::1%eth0", NULL},
		{2, 1, "192.0.2.1", NULL},
		{3, 0, "", NULL},
		{UINT32_MAX, 0, "", NULL},
	};
	struct launch_table table = {NULL, 0};
	struct launch_order order;

	(void)unused;
	add_script(&table, "plain", "true");
	add_script(&table, "four", "true")->family = AF_INET;
	add_script(&table, "six", "true")->family = AF_INET6;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct launch_request request = {.program = rows[i].program, .wait_s = rows[i].wait_s};
		bool good;

		memcpy(request.address, rows[i].address, strlen(rows[i].address));
		good = launch_decode(&table, &request, sizeof(request), &order);
		if (good != (rows[i].understood != NULL) || (good && strcmp(order.address, rows[i].understood) != 0))
			fail_msg("row %zu: %s", i, rows[i].address);
		assert_false(launch_decode(&table, &request, sizeof(request) - 1, &order));
	}
	launch_table_free(&table);
}

static void a_string_without_an_end_is_refused(void **unused)
{
	struct launch_table table = {NULL, 0};
	struct launch_request request = {.program = 0, .wait_s = 1};
	struct launch_order order;

	(void)unused;
	add_script(&table, "four", "true")->family = AF_INET;
	memset(request.address, '1', sizeof(request.address));
	assert_false(launch_decode(&table, &request, sizeof(request), &order));
	launch_table_free(&table);
}

static void two_rows_of_one_name_are_one(void **unused)
{
	struct launch_table table = {NULL, 0};

	(void)unused;
	add_script(&table, "a", "true");
	add_script(&table, "b", "true");
	free(table.rows[0].variable);
	add_script(&table, "a", "false");
	assert_int_equal(table.n, 2);
	assert_string_equal(table.rows[0].argv[2], "true");
	launch_table_free(&table);
}

/* true: an answer, and it listens on; false: it has closed. */
static bool is_answered(int fd, int report)
{
	struct pollfd polls[] = {{.fd = fd, .events = POLLIN}, {.fd = report, .events = POLLIN}};
	struct launch_answer answer;
	char byte;

	assert_true(poll(polls, report >= 0 ? 2 : 1, 30000) > 0);
	if (polls[0].revents == 0)
		assert_int_equal(read(report, &answer, sizeof(answer)), sizeof(answer));
	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* What somebody sends who has the socket, with so many pipes. false: it is not taken, and all is over. */
static bool survives(const void *bytes, size_t n, size_t count, int instead)
{
	struct launch_table table = {NULL, 0};
	struct iovec part = {(void *)(uintptr_t)bytes, n};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int fd, ends[8] = {-1}, other[8] = {-1}, pid, status;
	bool lives;

	add_script(&table, "it", "true");
	pid = helper_start(&(struct helper){"it", SOCK_SEQPACKET, SIGUSR1, launcher_live, &table}, &fd, &err);
	assert_true(pid > 0);
	for (size_t i = 0; i < count; i++) {
		int pair[2];

		assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
		other[i] = pair[0];
		ends[i] = pair[1];
	}
	if (instead >= 0)
		assert_true(dup2(instead, ends[0]) >= 0);
	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))};
		memcpy(CMSG_DATA(&control.head), ends, count * sizeof(int));
	}
	assert_true(sendmsg(fd, &message, MSG_NOSIGNAL) >= 0);
	lives = is_answered(fd, count == LAUNCH_ENDS ? other[LAUNCH_REPORT] : -1);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (size_t i = 0; i < count; i++) {
		close(ends[i]);
		close(other[i]);
	}
	launch_table_free(&table);
	return lives;
}

static void who_speaks_otherwise_is_not_spoken_to(void **unused)
{
	const struct launch_request good = {.program = 0}, unknown = {.program = 7};
	char longer[sizeof(good) + 9] = {0};
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)unused;
	assert_true(survives(&good, sizeof(good), LAUNCH_ENDS, -1));
	assert_false(survives(&unknown, sizeof(unknown), LAUNCH_ENDS, -1));
	assert_false(survives(longer, sizeof(longer), LAUNCH_ENDS, -1));
	assert_false(survives("x", 1, LAUNCH_ENDS, -1));
	assert_false(survives(&good, sizeof(good), 0, -1));
	assert_false(survives(&good, sizeof(good), LAUNCH_ENDS - 1, -1));
	assert_false(survives(&good, sizeof(good), LAUNCH_ENDS + 1, -1));
	assert_false(survives(&good, sizeof(good), LAUNCH_ENDS, file));
	close(file);
}

/* ---- what a program gets */

static void a_program_gets_its_input_and_tells_its_end(void **unused)
{
	struct ended ended;

	(void)unused;
	start_one("cat; echo there >&2; exit 7");
	ended = run("it", NULL, 0, "hello\n");
	assert_int_equal(ended.error, 0);
	assert_string_equal(ended.said, "hello\nthere\n");
	assert_true(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 7);
	ended = run("it", NULL, 0, NULL);
	assert_string_equal(ended.said, "there\n");
	launch_stop();
}

static void a_signal_is_told_as_one(void **unused)
{
	struct ended ended;

	(void)unused;
	start_one("kill -USR2 $$");
	ended = run("it", NULL, 0, NULL);
	assert_true(WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGUSR2);
	launch_stop();
}

static void it_gets_nothing_of_ours(void **unused)
{
	struct ended ended;
	int kept = dup(2); /* not closed on exec */

	(void)unused;
	setenv("UPBEAT_CANARY", "secret", 1);
	signal(SIGPIPE, SIG_IGN);
	start_one("pwd; env | grep -v -e ^PWD= -e ^SHLVL= -e ^OLDPWD= -e ^_=; for i in 3 4 5 6 7 8 9; do "
		  "[ -e /proc/$$/fd/$i ] && echo open $i; done; ulimit -S -f; "
		  "grep -c -E '^SigBlk:.0{16}$|^SigIgn:.0{7}[01][08]0{7}$' /proc/self/status"); /* 32, 33: libc's */
	ended = run("it", NULL, 0, NULL);
	assert_string_equal(ended.said, "/\nPATH=/usr/bin:/bin\nunlimited\n2\n");
	launch_stop();
	close(kept);
}

static void an_address_follows_the_seconds(void **unused)
{
	struct launch_table table = {NULL, 0};
	struct ended ended;

	(void)unused;
	add_script(&table, "four", "echo $# $1 $2")->family = AF_INET;
	assert_true(launch_start(&table, &err));
	ended = run("four", "192.0.2.1", 3, NULL);
	assert_string_equal(ended.said, "2 3 192.0.2.1\n");
	launch_stop();
}

static void more_is_said_than_anybody_wants_to_know(void **unused)
{
	struct ended ended;

	(void)unused;
	start_one("yes | head -c 300000");
	ended = run("it", NULL, 0, NULL);
	assert_true(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0);
	assert_true(strlen(ended.said) >= PROGRAM_SAID_MAX && strlen(ended.said) < PROGRAM_SAID_MAX + 512);
	launch_stop();
}

static void who_does_not_listen_ends_all_the_same(void **unused)
{
	char *much = mem_alloc(500001);
	struct ended ended;

	(void)unused;
	memset(much, 'x', 500000);
	start_one("exit 3");
	ended = run("it", NULL, 0, much);
	assert_true(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 3);
	launch_stop();
	free(much);
}

static void what_is_not_there_is_an_error_with_a_number(void **unused)
{
	struct launch_table table = {NULL, 0};

	(void)unused;
	launch_add(&table, "gone", (const char *const[]){"/nonexistent/program", NULL})->patience_ms = 1000;
	table.rows[0].variable = mem_str("A=b");
	assert_int_equal(run("gone", NULL, 0, NULL).error, ENOENT); /* no launcher */
	assert_true(launch_start(&table, &err));
	assert_int_equal(run("gone", NULL, 0, NULL).error, ENOENT);
	assert_int_equal(run("another", NULL, 0, NULL).error, ENOENT);
	launch_stop();
}

/* Its background work is its own business: a sendmail that has taken the mail and delivers it now. */
static void what_it_leaves_running_goes_on(void **unused)
{
	struct ended ended;
	pid_t left;

	(void)unused;
	start_one("sleep 60 > /dev/null 2>&1 & echo $!");
	ended = run("it", NULL, 0, NULL);
	assert_int_equal(ended.status, 0);
	left = (pid_t)strtol(ended.said, NULL, 10);
	launch_stop();
	assert_false(is_gone(left));
	kill(left, SIGKILL);
}

static void many_at_once_get_their_own_answers(void **unused)
{
	enum { N = 60 };
	struct program *all[N];
	struct loop *loop = loop_new(&err);
	struct program_order order = {.name = "it", .done = finished, .arg = loop};
	int error;

	(void)unused;
	start_one("read n; exit $n");
	for (int i = 0; i < N; i++) {
		static char input[N][8];

		order.n = (size_t)snprintf(input[i], sizeof(input[i]), "%d\n", i);
		order.input = input[i];
		all[i] = program_start(loop, &order, &error);
		assert_non_null(all[i]);
	}
	for (int i = 0; i < N; i++) /* each stops the loop once */
		while (program_end(all[i]).status == 0 && i > 0)
			loop_run(loop, clock_mono_us() + 30 * US_PER_S);
	for (int i = 1; i < N; i++)
		assert_int_equal(WEXITSTATUS(program_end(all[i]).status), i);
	for (int i = 0; i < N; i++)
		program_free(all[i]);
	loop_free(loop);
	launch_stop();
}

/* ---- nothing outlives its time */

static void a_program_that_hangs_is_killed_with_its_children(void **unused)
{
	struct launch_table table = {NULL, 0};
	struct ended ended;

	(void)unused;
	add_script(&table, "it", "sleep 60 & echo $!; wait")->patience_ms = 700;
	assert_true(launch_start(&table, &err));
	ended = run("it", NULL, 0, NULL);
	assert_true(ended.timed_out);
	assert_true(goes((pid_t)strtol(ended.said, NULL, 10)));
	launch_stop();
}

static pid_t pid_said_by(const int out)
{
	char said[32] = "";

	assert_true(read(out, said, sizeof(said) - 1) > 0);
	return (pid_t)strtol(said, NULL, 10);
}

/* Starts "it" without a loop; theirs is closed here. */
static void ask(int ours[LAUNCH_ENDS])
{
	int theirs[LAUNCH_ENDS];

	for (size_t i = 0; i < LAUNCH_ENDS; i++) {
		int pair[2];

		assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
		ours[i] = pair[i == LAUNCH_IN];
		theirs[i] = pair[i != LAUNCH_IN];
	}
	assert_int_equal(launch_ask(0, NULL, 0, theirs), 0);
	for (size_t i = 0; i < LAUNCH_ENDS; i++)
		close(theirs[i]);
}

static void a_program_that_nobody_waits_for_any_more_is_killed(void **unused)
{
	int ours[LAUNCH_ENDS];
	pid_t pid;

	(void)unused;
	start_one("echo $$; exec sleep 60");
	ask(ours);
	pid = pid_said_by(ours[LAUNCH_OUT]);
	assert_false(is_gone(pid));
	close(ours[LAUNCH_REPORT]);
	assert_true(goes(pid));
	ask(ours);
	pid = pid_said_by(ours[LAUNCH_OUT]);
	launch_stop();
	assert_true(goes(pid));
}

/* Killed without a word, as by a system that is out of memory. */
static void all_of_it_ends_with_the_prober(void **unused)
{
	int said[2], ours[LAUNCH_ENDS], status;
	pid_t pids[2], prober;

	(void)unused;
	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	prober = fork();
	if (prober == 0) {
		start_one("echo $$; exec sleep 60");
		ask(ours);
		pids[0] = launch_pid();
		pids[1] = pid_said_by(ours[LAUNCH_OUT]);
		_exit(write(said[1], pids, sizeof(pids)) > 0 && sleep(60) > 0);
	}
	assert_int_equal(read(said[0], pids, sizeof(pids)), sizeof(pids));
	assert_false(is_gone(pids[0]) || is_gone(pids[1]));
	kill(prober, SIGKILL);
	assert_int_equal(waitpid(prober, &status, 0), prober);
	assert_true(goes(pids[0]));
	assert_true(goes(pids[1]));
	close(said[0]);
	close(said[1]);
}

static void a_launcher_that_was_killed_is_an_error(void **unused)
{
	(void)unused;
	start_one("true");
	kill((pid_t)launch_pid(), SIGKILL);
	assert_true(goes((pid_t)launch_pid()));
	assert_int_not_equal(run("it", NULL, 0, NULL).error, 0);
	launch_stop();
}

/* ---- behind the walls */

static void launcher_then_walls(void)
{
	start_one("cat > /dev/null; echo done; exit 5");
	walls_raise(NULL, NULL);
}

static bool start_by_launcher(void)
{
	struct ended ended = run("it", NULL, 0, "words");

	launch_stop();
	return ended.error == 0 && WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 5 &&
	       strcmp(ended.said, "done\n") == 0;
}

static void behind_walls_the_launcher_is_the_only_way(void **unused)
{
	(void)unused;
	assert_int_equal(attack_outcome(start_by_launcher, launcher_then_walls), SUCCEEDED);
	if (!confine_knows_calls(&err)) {
		print_message("%s\n", err.text);
		skip();
	}
	assert_int_equal(attack_outcome(attack_execute, launcher_then_walls), DIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_stands_in_the_table_may_be_asked),
		cmocka_unit_test(a_string_without_an_end_is_refused),
		cmocka_unit_test(two_rows_of_one_name_are_one),
		cmocka_unit_test(who_speaks_otherwise_is_not_spoken_to),
		cmocka_unit_test(a_program_gets_its_input_and_tells_its_end),
		cmocka_unit_test(a_signal_is_told_as_one),
		cmocka_unit_test(it_gets_nothing_of_ours),
		cmocka_unit_test(an_address_follows_the_seconds),
		cmocka_unit_test(more_is_said_than_anybody_wants_to_know),
		cmocka_unit_test(who_does_not_listen_ends_all_the_same),
		cmocka_unit_test(what_is_not_there_is_an_error_with_a_number),
		cmocka_unit_test(what_it_leaves_running_goes_on),
		cmocka_unit_test(many_at_once_get_their_own_answers),
		cmocka_unit_test(a_program_that_hangs_is_killed_with_its_children),
		cmocka_unit_test(a_program_that_nobody_waits_for_any_more_is_killed),
		cmocka_unit_test(all_of_it_ends_with_the_prober),
		cmocka_unit_test(a_launcher_that_was_killed_is_an_error),
		cmocka_unit_test(behind_walls_the_launcher_is_the_only_way),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
