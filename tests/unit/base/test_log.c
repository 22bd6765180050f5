/* SPDX-License-Identifier: ISC */
/*
 * log: lines that nobody can forge, a bound on what the files take, whole lines from many writers, and
 * what is held back. Also the clock, whose offset is read once for each process: hence children.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_held.h"
#include "base/mem.h"

static char dir[] = "/tmp/upbeat-test-log-XXXXXX";
static char *path, *old_path;

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = file_join(dir, "web.log");
	old_path = file_join(dir, "web.log.1");
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	log_close();
	unlink(path);
	unlink(old_path);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	free(path);
	free(old_path);
	return rmdir(dir);
}

/* Everything the two files hold, older first. */
static struct text all_lines(void)
{
	struct text t = TEXT_INIT;

	file_read(old_path, 1 << 24, &t, NULL);
	file_read(path, 1 << 24, &t, NULL);
	return t;
}

static size_t count_of(const struct text *t, const char *what)
{
	size_t n = 0;

	for (const char *at = text_str(t); (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void lines_say_when_who_and_how_bad(void **state)
{
	struct text t, want = TEXT_INIT;

	(void)state;
	log_open("web", path, 10000, false);
	log_info("started %d", 1);
	log_warn("odd");
	log_error("bad");
	t = all_lines();
	text_printf(&want, " web[%ld] info: started 1\n", (long)getpid());
	assert_int_equal(text_str(&t)[19], 'Z');
	assert_non_null(strstr(text_str(&t), text_str(&want)));
	assert_int_equal(count_of(&t, "] warn: odd\n"), 1);
	assert_int_equal(count_of(&t, "] error: bad\n"), 1);
	assert_int_equal(count_of(&t, "\n"), 3);
	text_free(&t);
	text_free(&want);
}

static void nobody_forges_a_line(void **state)
{
	struct text t;

	(void)state;
	log_open("web", path, 10000, false);
	log_warn("slug %s", "x\n2026-05-01T02:10:04Z web[1] error: forged\r\x1b[2J\\x0A");
	t = all_lines();
	assert_int_equal(count_of(&t, "\n"), 1);
	assert_non_null(strstr(text_str(&t), "slug x\\x0A2026"));
	assert_non_null(strstr(text_str(&t), "forged\\x0D\\x1B[2J\\x5Cx0A\n"));
	text_free(&t);
}

static void endless_lines_are_cut(void **state)
{
	char *endless = mem_alloc(100001);
	struct text t;

	(void)state;
	memset(endless, 'x', 100000);
	log_open("web", path, 10000, false);
	log_warn("%s", endless);
	t = all_lines();
	assert_in_range(t.len, 3000, 4096);
	assert_string_equal(text_str(&t) + t.len - 5, "x...\n");
	text_free(&t);
	free(endless);
}

static void two_files_within_the_bound_are_all_there_is(void **state)
{
	struct stat st;
	struct text t;

	(void)state;
	log_open("web", path, 2000, false);
	for (int i = 0; i < 200; i++) {
		log_info("event number %d", i);
		assert_int_equal(stat(path, &st), 0);
		assert_in_range(st.st_size, 1, 2000);
	}
	assert_int_equal(stat(old_path, &st), 0);
	assert_in_range(st.st_size, 1500, 2000);
	t = all_lines();
	assert_int_equal(count_of(&t, "event number 199\n"), 1);
	assert_int_equal(count_of(&t, "event number 0\n"), 0);
	text_free(&t);
}

enum { WRITERS = 4, LINES = 500 };

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_info("writer %d line %d of many", *(int *)arg, i);
	return NULL;
}

/* Threads in two processes, rotating all the time: each line that is kept is whole. */
static void many_writers_keep_lines_whole(void **state)
{
	pthread_t threads[WRITERS];
	int numbers[WRITERS], status;
	struct text t;
	pid_t child;
	size_t lines;

	(void)state;
	log_open("web", path, 20000, false);
	child = fork();
	for (int i = 0; i < WRITERS; i++) {
		numbers[i] = child == 0 ? i + WRITERS : i;
		pthread_create(&threads[i], NULL, write_lines, &numbers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	t = all_lines();
	lines = count_of(&t, "\n");
	assert_true(lines > 300);
	assert_int_equal(count_of(&t, " of many\n"), lines);
	assert_int_equal(count_of(&t, "] info: writer "), lines);
	assert_true(t.len <= 2 * (20000 + 2 * WRITERS * 100));
	text_free(&t);
}

static void no_thread_loses_a_line_while_there_is_room(void **state)
{
	pthread_t threads[WRITERS];
	int numbers[WRITERS];
	struct text t;

	(void)state;
	log_open("web", path, 1 << 22, false);
	for (int i = 0; i < WRITERS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, write_lines, &numbers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	t = all_lines();
	assert_int_equal(count_of(&t, "\n"), WRITERS * LINES);
	text_free(&t);
}

static void what_cannot_be_written_stops_nobody(void **state)
{
	char *fifo = file_join(dir, "fifo"), *link_path = file_join(dir, "link"), *target = file_join(dir, "target");
	struct stat st;

	(void)state;
	log_open("web", "/nonexistent/dir/web.log", 1000, false);
	log_error("lost");
	log_open("web", "/dev/full", 1000, false);
	log_error("lost");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	log_open("web", fifo, 1000, false);
	log_error("lost");
	assert_int_equal(symlink(target, link_path), 0);
	log_open("web", link_path, 1000, false);
	log_error("not through a link");
	assert_int_equal(stat(target, &st), -1);
	unlink(fifo);
	unlink(link_path);
	free(fifo);
	free(link_path);
	free(target);
}

/* What a child that runs `what` writes to stderr; the caller frees. */
static char *stderr_of(void (*what)(void))
{
	struct text t = TEXT_INIT;
	char block[500];
	int fds[2];
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], STDERR_FILENO);
		what();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], block, sizeof(block))) > 0)
		text_rawn(&t, block, (size_t)n);
	close(fds[0]);
	waitpid(child, NULL, 0);
	return text_take(&t);
}

static void talk(void)
{
	log_open("prober", NULL, 0, true);
	log_info("quiet");
	log_warn("warned");
	log_open("prober", NULL, 0, false);
	log_error("not here");
	log_close();
	log_error("after all");
}

static void stderr_gets_warnings_where_it_is_asked_to(void **state)
{
	char *said = stderr_of(talk);

	(void)state;
	assert_null(strstr(said, "quiet"));
	assert_non_null(strstr(said, "warn: warned\n"));
	assert_null(strstr(said, "not here"));
	assert_non_null(strstr(said, "error: after all\n"));
	free(said);
}

static void *refuse_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		log_limited("bad-signature", "bad signature for %d", i);
	return NULL;
}

static void what_outsiders_cause_is_held_back_and_counted(void **state)
{
	pthread_t threads[WRITERS];
	struct text t;

	(void)state;
	log_open("web", path, 100000, false);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, refuse_many, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	log_limited("other", "another reason");
	t = all_lines();
	assert_int_equal(count_of(&t, "warn: bad signature for"), 1);
	assert_int_equal(count_of(&t, "warn: another reason\n"), 1);
	assert_int_equal(count_of(&t, "\n"), 2);
	text_free(&t);
	log_close(); /* tells how many were held back */
	t = all_lines();
	assert_int_equal(count_of(&t, "warn: bad-signature: 3999 more times\n"), 1);
	assert_int_equal(count_of(&t, "other: "), 0);
	text_free(&t);
}

static void more_reasons_than_there_is_room_for_share(void **state)
{
	static char names[100][20];
	struct text t, name = TEXT_INIT;
	size_t n;

	(void)state;
	log_open("web", path, 100000, false);
	for (int i = 0; i < 100; i++) {
		text_clear(&name);
		text_printf(&name, "reason %d", i);
		memcpy(names[i], name.ptr, name.len + 1);
		log_limited(names[i], "line %d", i);
	}
	t = all_lines();
	n = count_of(&t, "\n");
	assert_in_range(n, 32, 99);
	text_free(&t);
	text_free(&name);
}

/* Events of one reason, in seconds, and what the line says then; NULL: it is held back. */
static void a_line_a_minute_tells_how_many_there_were(void **state)
{
	static const struct {
		int64_t at_s;
		const char *told;
	} rows[] = {
		{1000, ""},
		{1000, NULL},
		{1059, NULL},
		{1060, " (3 times in the last minute)"},
		{1061, NULL},
		{1119, NULL},
		{1179, " (3 times in the last minute)"},
		{1300, ""},
		{1301, NULL},
		{1600, " (2 times in the last 5 minutes)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct log_held_due due;
		struct text t = TEXT_INIT;
		bool is_due = log_held_add("timed", rows[i].at_s * US_PER_S, &due);

		assert_int_equal(is_due, rows[i].told != NULL);
		if (is_due) {
			log_held_put(&t, &due);
			assert_string_equal(text_str(&t), rows[i].told);
		}
		text_free(&t);
	}
}

static void logging_leaves_errno_alone(void **state)
{
	(void)state;
	log_open("web", "/nonexistent/web.log", 100, false);
	errno = 4242;
	log_error("x");
	assert_int_equal(errno, 4242);
}

/* ---- the clock --------------------------------------------------------------------------------------- */

static void moments_go_with_the_system(void **state)
{
	struct moment a, b;
	struct timespec now;
	int64_t mono = clock_mono_us();

	(void)state;
	clock_now(&a);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_now(&b);
	assert_true(a.wall_us / US_PER_S <= now.tv_sec && now.tv_sec <= b.wall_us / US_PER_S);
	assert_true(b.boot_us >= a.boot_us && a.boot_us > 0);
	assert_true(a.boot_id == b.boot_id);
	assert_true(clock_mono_us() >= mono);
}

static void print_offsets(void)
{
	struct timespec wall, boot;
	struct moment m;
	struct text t = TEXT_INIT;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_now(&m);
	text_printf(&t, "%lld %lld", (long long)(m.wall_us / US_PER_S - wall.tv_sec),
		(long long)(m.boot_us / US_PER_S - boot.tv_sec));
	if (write(STDERR_FILENO, t.ptr, t.len) < 0)
		_exit(1);
}

static void run_in_a_child_with(const char *testing, const char *offset, long low, long high)
{
	char *said, *end;
	long wall, boot;

	if (testing)
		setenv("UPBEAT_TESTING", testing, 1);
	setenv("UPBEAT_CLOCK_OFFSET_MS", offset, 1);
	said = stderr_of(print_offsets);
	wall = strtol(said, &end, 10);
	boot = strtol(end, NULL, 10);
	free(said);
	unsetenv("UPBEAT_TESTING");
	unsetenv("UPBEAT_CLOCK_OFFSET_MS");
	assert_true(wall >= low && wall <= high);
	assert_true(boot >= low && boot <= high);
}

/* Before any other test asks for the time, for it is read once. */
static void only_tests_can_shift_the_clocks(void **state)
{
	(void)state;
	run_in_a_child_with("1", "3600000", 3600, 3602);
	run_in_a_child_with("1", "-86400000", -86400, -86397);
	run_in_a_child_with(NULL, "3600000", 0, 2);
	run_in_a_child_with("yes", "3600000", 0, 2);
	run_in_a_child_with("1", "1h", 0, 2);
	run_in_a_child_with("1", "9223372036854775807", 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_tests_can_shift_the_clocks),
		cmocka_unit_test(moments_go_with_the_system),
		cmocka_unit_test_teardown(lines_say_when_who_and_how_bad, remove_files),
		cmocka_unit_test_teardown(nobody_forges_a_line, remove_files),
		cmocka_unit_test_teardown(endless_lines_are_cut, remove_files),
		cmocka_unit_test_teardown(two_files_within_the_bound_are_all_there_is, remove_files),
		cmocka_unit_test_teardown(many_writers_keep_lines_whole, remove_files),
		cmocka_unit_test_teardown(no_thread_loses_a_line_while_there_is_room, remove_files),
		cmocka_unit_test_teardown(what_cannot_be_written_stops_nobody, remove_files),
		cmocka_unit_test_teardown(stderr_gets_warnings_where_it_is_asked_to, remove_files),
		cmocka_unit_test_teardown(what_outsiders_cause_is_held_back_and_counted, remove_files),
		cmocka_unit_test_teardown(more_reasons_than_there_is_room_for_share, remove_files),
		cmocka_unit_test_teardown(a_line_a_minute_tells_how_many_there_were, remove_files),
		cmocka_unit_test_teardown(logging_leaves_errno_alone, remove_files),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
