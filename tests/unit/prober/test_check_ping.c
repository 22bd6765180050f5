/* SPDX-License-Identifier: ISC */
/*
 * ping: with every means that a machine may have, and with none. Runs in a network of its own (a namespace),
 * whose rules the tests set: who may open which sockets, and whether echo requests are answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "looking.h"
#include "prober/check/ping.h"
#include "prober/launch.h"
#include "prober/walls.h"

#define RANGE "/proc/sys/net/ipv4/ping_group_range"
#define DEAF "/proc/sys/net/ipv4/icmp_echo_ignore_all"
#define V4 "{\"host\":\"127.0.0.1\"}"
#define V6 "{\"host\":\"::1\"}"
#define NOBODY 65534

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A network with nothing but a loopback; root in it, whoever we are outside. */
static bool own_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;
	bool ok;

	if (unshare(CLONE_NEWNET) != 0) {
		struct text map = TEXT_INIT;

		text_printf(&map, "0 %u 1", (unsigned)getuid());
		ok = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_file("/proc/self/uid_map", text_str(&map));
		text_free(&map);
		if (!ok)
			return false;
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ok = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	close(fd);
	return ok;
}

static void expect_at(int line, const char *options, int64_t timeout_ms, enum outcome outcome, const char *cause)
{
	struct result result = look_at("ping", options, timeout_ms);

	if (result.outcome != outcome || strncmp(result.cause, cause, strlen(cause)) != 0)
		fail_msg("line %d: %s: %s \"%s\"", line, options, outcome_name(result.outcome), result.cause);
	if (outcome == OUTCOME_UP)
		assert_true(result.timings.total_us >= 0 && result.timings.total_us < 5 * US_PER_S);
	result_clear(&result);
}
#define expect(...) expect_at(__LINE__, __VA_ARGS__)

static void a_raw_socket_pings_both_families(void **state)
{
	(void)state;
	assert_true(write_file(RANGE, "1 0"));
	expect(V4, 1000, OUTCOME_UP, "");
	expect(V6, 1000, OUTCOME_UP, "");
	expect("{\"host\":\"localhost\"}", 1000, OUTCOME_UP, "");
}

/* Without any right: only a datagram socket is left. */
static int look_as_nobody(const char *options)
{
	struct launch_table programs = {NULL, 0};
	struct result result;

	if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 9;
	if (ping_needs_program())
		ping_programs(&programs);
	if (programs.n > 0 && !launch_start(&programs, NULL))
		return 7;
	walls_raise(NULL, NULL);
	result = look_at("ping", options, 1000);
	launch_stop();
	if (result.outcome == OUTCOME_UNKNOWN && strncmp(result.cause, "cannot ping here: ", 18) != 0)
		return 8;
	return (int)result.outcome;
}

static int as_nobody(const char *options)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(look_as_nobody(options));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_datagram_socket_needs_no_right(void **state)
{
	(void)state;
	setenv("UPBEAT_PING", "/nonexistent/ping", 1);
	if (!write_file(RANGE, "0 65534"))
		skip();
	assert_int_equal(as_nobody(V4), OUTCOME_UP);
	assert_int_equal(as_nobody(V6), OUTCOME_UP);
}

static void a_machine_that_cannot_ping_says_nothing_of_the_target(void **state)
{
	(void)state;
	assert_true(write_file(RANGE, "1 0"));
	setenv("UPBEAT_PING", "/nonexistent/ping", 1);
	if (getuid() != 0)
		skip();
	assert_int_equal(as_nobody(V4), OUTCOME_UNKNOWN);
	assert_int_equal(as_nobody(V6), OUTCOME_UNKNOWN);
}

static void the_systems_program_is_the_last_resort(void **state)
{
	static const struct {
		const char *program;
		enum outcome outcome;
	} rows[] = {
		{"#!/bin/sh\necho \"64 bytes from $5: icmp_seq=1 ttl=64 time=1.5 ms\"\n", OUTCOME_UP},
		{"#!/bin/sh\n[ \"$*\" = '-n -c 1 -W 1 127.0.0.1' ]\n", OUTCOME_UP},
		{"#!/bin/sh\nexit 1\n", OUTCOME_DOWN},
		{"#!/bin/sh\nsleep 9\n", OUTCOME_DOWN},
		{"#!/bin/sh\necho 'ping: socket: Operation not permitted' >&2; exit 2\n", OUTCOME_UNKNOWN},
	};
	char folder[] = "/tmp/test_check_ping.XXXXXX", path[64];

	(void)state;
	if (getuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/ping", folder);
	setenv("UPBEAT_PING", path, 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int outcome;

		assert_true(write_file(path, rows[i].program));
		outcome = as_nobody(V4);
		if (outcome != (int)rows[i].outcome)
			fail_msg("%s: %d", rows[i].program, outcome);
	}
	unlink(path);
	rmdir(folder);
}

static void *hear_again(void *arg)
{
	usleep(250000);
	write_file(DEAF, "0");
	return arg;
}

static void three_packets_are_sent_and_the_first_answer_ends_it(void **state)
{
	pthread_t thread;

	(void)state;
	assert_true(write_file(DEAF, "1"));
	expect(V4, 1300, OUTCOME_DOWN, "no answer to 3 pings");
	expect(V4, 300, OUTCOME_DOWN, "no answer to 1 ping");
	assert_int_equal(pthread_create(&thread, NULL, hear_again, NULL), 0);
	expect(V4, 1300, OUTCOME_UP, "");
	pthread_join(thread, NULL);
}

static void no_route_is_ours(void **state)
{
	(void)state;
	expect("{\"host\":\"192.0.2.1\"}", 1300, OUTCOME_UNKNOWN, "this machine has no route to IPv4");
	expect("{\"host\":\"no.such.name.invalid\"}", 200, OUTCOME_UNKNOWN, "");
}

static void ended(struct check *check, void *arg)
{
	unsigned *up = arg;

	*up += check->result.outcome == OUTCOME_UP;
}

/* All through one socket; each gets its own answer. */
static void a_thousand_at_once_do_not_mix_up_their_answers(void **state)
{
	enum { N = 1000 };
	static struct monitor monitors[N];
	struct check_world world = {0};
	struct loop *loop = loop_new(NULL);
	unsigned up = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		struct text options = TEXT_INIT;

		text_printf(&options, "{\"host\":\"127.0.%d.%d\"}", i / 250, i % 250 + 1);
		monitors[i] = (struct monitor){.slug = (char[]){"m"}, .type = (char[]){"ping"}, .timeout_ms = 3000,
			.options = text_take(&options)};
		assert_non_null(check_start(loop, &world, &monitors[i], NULL, ended, &up, NULL));
	}
	loop_run(loop, clock_mono_us() + 5 * US_PER_S);
	loop_free(loop);
	for (int i = 0; i < N; i++)
		free(monitors[i].options);
	assert_int_equal(up, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_raw_socket_pings_both_families),
		cmocka_unit_test(a_datagram_socket_needs_no_right),
		cmocka_unit_test(a_machine_that_cannot_ping_says_nothing_of_the_target),
		cmocka_unit_test(the_systems_program_is_the_last_resort),
		cmocka_unit_test(three_packets_are_sent_and_the_first_answer_ends_it),
		cmocka_unit_test(no_route_is_ours),
		cmocka_unit_test(a_thousand_at_once_do_not_mix_up_their_answers),
	};

	setenv("UPBEAT_TESTING", "1", 1);
	if (!own_network()) {
		fprintf(stderr, "check_ping: no network namespace here, not tested\n");
		return 0;
	}
	return cmocka_run_group_tests_name("check_ping", tests, NULL, NULL);
}
