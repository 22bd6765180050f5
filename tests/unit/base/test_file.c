/* SPDX-License-Identifier: ISC */
/*
 * file: what is read and refused, what a crash or a umask cannot spoil, and paths by tables.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

static char dir[] = "/tmp/upbeat-test-file-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void what_is_written_is_read_again(void **state)
{
	char *path = file_join(dir, "book");
	struct text t = TEXT_INIT;
	struct error err;

	(void)state;
	assert_true(file_write_atomic(path, "one\0two", 7, 0640, &err));
	text_raw(&t, ">");
	assert_true(file_read(path, 7, &t, &err));
	assert_int_equal(t.len, 8);
	assert_memory_equal(t.ptr, ">one\0two", 9);
	text_clear(&t);
	assert_true(file_write_atomic(path, NULL, 0, 0600, &err));
	assert_true(file_read(path, 0, &t, &err));
	assert_int_equal(t.len, 0);
	unlink(path);
	text_free(&t);
	free(path);
}

static void more_than_the_bound_is_refused_and_leaves_nothing(void **state)
{
	char *path = file_join(dir, "big"), *bytes = mem_alloc(20000);
	struct text t = TEXT_INIT;
	struct error err;

	(void)state;
	assert_true(file_write_atomic(path, bytes, 20000, 0600, &err));
	text_raw(&t, "kept");
	assert_false(file_read(path, 19999, &t, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(text_str(&t), "kept");
	assert_int_equal(t.len, 4);
	assert_true(file_read(path, 20000, &t, &err));
	assert_int_equal(t.len, 20004);
	unlink(path);
	text_free(&t);
	free(path);
	free(bytes);
}

static void files_without_a_size_are_read_to_their_end(void **state)
{
	struct text t = TEXT_INIT;

	(void)state;
	assert_true(file_read("/proc/self/status", 100000, &t, NULL));
	assert_non_null(strstr(text_str(&t), "\nPid:"));
	text_free(&t);
}

static void only_regular_files_are_read(void **state)
{
	char *fifo = file_join(dir, "fifo"), *none = file_join(dir, "none");
	struct text t = TEXT_INIT;
	struct error err;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_false(file_read(fifo, 100, &t, &err)); /* and does not wait for a writer */
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_false(file_read(dir, 100, &t, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_false(file_read("/dev/zero", 100, &t, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_false(file_read(none, 100, &t, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_non_null(strstr(err.text, none));
	unlink(fifo);
	free(fifo);
	free(none);
	text_free(&t);
}

static void modes_are_exact_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	char *path = file_join(dir, "secret"), *sub = file_join(dir, "sub");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		mode_t before = umask(masks[i]);

		assert_true(file_write_atomic(path, "x", 1, 0644, NULL));
		assert_int_equal(mode_of(path), 0644);
		assert_true(file_write_atomic(path, "x", 1, 0600, NULL));
		assert_int_equal(mode_of(path), 0600);
		assert_true(file_make_dir(sub, 02750, NULL));
		assert_int_equal(mode_of(sub), 02750);
		umask(before);
		unlink(path);
		rmdir(sub);
	}
	free(path);
	free(sub);
}

static void a_failed_write_leaves_the_old_file_and_no_litter(void **state)
{
	char *sub = file_join(dir, "sub"), *path = file_join(sub, "book"), *inner = file_join(path, "x");
	struct error err;

	(void)state;
	assert_false(file_write_atomic(path, "x", 1, 0600, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_true(file_make_dir(sub, 0700, &err));
	assert_true(file_make_dir(path, 0700, &err)); /* a directory stands in the way */
	assert_false(file_write_atomic(path, "x", 1, 0600, &err));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(sub), 0); /* it would not be empty */
	free(inner);
	free(path);
	free(sub);
}

static void directories_are_made_once(void **state)
{
	char *sub = file_join(dir, "sub"), *file = file_join(dir, "file"), *deep = file_join(sub, "a/b");
	struct error err;

	(void)state;
	assert_true(file_make_dir(sub, 0755, &err));
	assert_true(file_make_dir(sub, 0700, &err));
	assert_int_equal(mode_of(sub), 0755); /* it was somebody's already */
	assert_false(file_make_dir(deep, 0700, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_true(file_write_atomic(file, "", 0, 0600, &err));
	assert_false(file_make_dir(file, 0700, &err));
	assert_non_null(strstr(err.text, "not a directory"));
	unlink(file);
	rmdir(sub);
	free(sub);
	free(file);
	free(deep);
}

static void file_systems_are_named(void **state)
{
	(void)state;
	assert_null(file_network_fs(dir));
	assert_null(file_network_fs("/proc/self/nothing/of/this/exists"));
	assert_null(file_network_fs("nothing/of/this/exists"));
	assert_null(file_network_fs(""));
}

static void paths_are_joined_and_parted(void **state)
{
	static const struct {
		const char *dir, *name, *joined;
	} joins[] = {
		{"/etc/upbeat", "x.secret", "/etc/upbeat/x.secret"},
		{"/etc/upbeat/", "x.secret", "/etc/upbeat/x.secret"},
		{".", "x", "./x"},
		{"", "x", "x"},
		{"/", "x", "/x"},
		{"/etc", "/var/x", "/var/x"},
		{"/etc", "../x", "/etc/../x"},
	};
	static const struct {
		const char *path, *dir;
	} parts[] = {
		{"/etc/upbeat/upbeat.json", "/etc/upbeat"},
		{"upbeat.json", "."},
		{"./upbeat.json", "."},
		{"a/b", "a"},
		{"a/b/", "a"},
		{"a//b", "a"},
		{"a/", "."},
		{"/a", "/"},
		{"//a", "/"},
		{"/", "/"},
		{"", "."},
		{".", "."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(joins); i++) {
		char *joined = file_join(joins[i].dir, joins[i].name);

		assert_string_equal(joined, joins[i].joined);
		free(joined);
	}
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		char *part = file_dir(parts[i].path);

		assert_string_equal(part, parts[i].dir);
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(more_than_the_bound_is_refused_and_leaves_nothing),
		cmocka_unit_test(files_without_a_size_are_read_to_their_end),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(modes_are_exact_whatever_the_umask),
		cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_litter),
		cmocka_unit_test(directories_are_made_once),
		cmocka_unit_test(file_systems_are_named),
		cmocka_unit_test(paths_are_joined_and_parted),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
