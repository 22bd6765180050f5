/* SPDX-License-Identifier: ISC */
/*
 * error and mem: texts that stay one line of UTF-8, exit statuses, and allocation that does not return
 * when it cannot succeed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

static void errors_carry_kind_and_words(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_set(&err, ERROR_MISSING, "no monitor called %s", "shop"));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_string_equal(err.text, "no monitor called shop");
	assert_false(error_prefix(&err, "%s:%d", "upbeat.json", 12));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_string_equal(err.text, "upbeat.json:12: no monitor called shop");
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_false(error_set(NULL, ERROR_FULL, "full"));
	assert_false(error_prefix(NULL, "here"));
}

static void an_error_may_quote_itself(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_INPUT, "inner");
	error_set(&err, ERROR_DAMAGED, "<%s>", err.text);
	assert_string_equal(err.text, "<inner>");
	error_prefix(&err, "[%s]", err.text);
	assert_string_equal(err.text, "[<inner>]: <inner>");
}

static void texts_stay_one_line_of_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"two\r\nlines\n", "two lines "},
		{"tab\tand\x1b[31m", "tab and [31m"},
		{"bad \xff byte", "bad \xef\xbf\xbd byte"},
		{"\xe7\x9b\xa3", "\xe7\x9b\xa3"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err;

		error_set(&err, ERROR_INPUT, "%s", rows[i].in);
		assert_string_equal(err.text, rows[i].out);
	}
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct error err;
	char longer[1000];

	(void)state;
	for (size_t i = 0; i < 333; i++)
		memcpy(longer + 3 * i, "\xe7\x9b\xa3", 3);
	longer[999] = '\0';
	error_set(&err, ERROR_INPUT, "%s", longer);
	assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
	assert_true(text_utf8_valid(err.text, strlen(err.text)));
	error_prefix(&err, "x");
	assert_memory_equal(err.text, "x: \xe7\x9b\xa3", 6);
	assert_true(text_utf8_valid(err.text, strlen(err.text)));
}

static void kinds_have_their_exit_status(void **state)
{
	static const struct {
		enum error_kind kind;
		int status;
	} rows[] = {
		{ERROR_NONE, 0},
		{ERROR_INPUT, 1},
		{ERROR_USAGE, 2},
		{ERROR_TEMPORARY, 75},
		{ERROR_MISSING, 1},
		{ERROR_FULL, 75},
		{ERROR_DAMAGED, 75},
		{ERROR_NEWER, 75},
		{ERROR_DENIED, 75},
		{(enum error_kind)99, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = {.kind = rows[i].kind};

		assert_int_equal(error_exit_status(&err), rows[i].status);
	}
}

static void memory_comes_zeroed_and_copies_are_whole(void **state)
{
	unsigned char *zeros = mem_array(100, 7);
	char *copy = mem_strn("abcdef", 3), *bytes = mem_dup("a\0b", 3), *nothing = mem_alloc(0);

	(void)state;
	for (size_t i = 0; i < 700; i++)
		assert_int_equal(zeros[i], 0);
	zeros = mem_grow(zeros, 1000, 7);
	assert_int_equal(zeros[699], 0);
	assert_string_equal(copy, "abc");
	assert_memory_equal(bytes, "a\0b", 3);
	assert_non_null(nothing);
	assert_null(mem_str(NULL));
	free(zeros);
	free(copy);
	free(bytes);
	free(nothing);
}

/* AddressSanitizer would end the process itself, with words of its own. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void ask_too_much(int what)
{
	size_t half = SIZE_MAX / 2 + 2;
	struct text t = TEXT_INIT;

	if (what == 0)
		mem_array(half, 2);
	else if (what == 1)
		mem_grow(NULL, half, 2);
	else if (what == 2)
		mem_alloc(SIZE_MAX - 4096);
	else if (what == 3)
		mem_strn("x", SIZE_MAX);
	else
		text_reserve(&t, SIZE_MAX - 10);
}

/* Each in a child: it must end there, and say why on stderr. */
static void impossible_sizes_end_the_process(void **state)
{
	(void)state;
	for (int what = 0; what < 5; what++) {
		char said[4000] = "";
		size_t used = 0;
		int fds[2], status;
		ssize_t n;
		pid_t child;

		assert_int_equal(pipe(fds), 0);
		child = fork();
		if (child == 0) {
			const struct rlimit no_core = {0, 0};

			setrlimit(RLIMIT_CORE, &no_core);
			signal(SIGABRT, SIG_DFL);
			dup2(fds[1], STDERR_FILENO);
			ask_too_much(what);
			_exit(0);
		}
		close(fds[1]);
		while ((n = read(fds[0], said + used, sizeof(said) - 1 - used)) > 0)
			used += (size_t)n;
		close(fds[0]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_non_null(strstr(said, "upbeat: out of memory\n"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_carry_kind_and_words),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(an_error_may_quote_itself),
		cmocka_unit_test(texts_stay_one_line_of_utf8),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(kinds_have_their_exit_status),
		cmocka_unit_test(memory_comes_zeroed_and_copies_are_whole),
		cmocka_unit_test(impossible_sizes_end_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
