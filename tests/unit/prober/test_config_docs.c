/* SPDX-License-Identifier: ISC */
/*
 * What is generated in docs/ is what the program prints now. Run from the top of the tree, as make does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "prober/config/config.h"

static void the_schema_is_current(void **state)
{
	struct text printed = TEXT_INIT, kept = TEXT_INIT;

	(void)state;
	config_print_schema(&printed);
	assert_true(file_read("docs/upbeat.schema.json", 1 << 20, &kept, NULL));
	if (strcmp(text_str(&printed), text_str(&kept)) != 0)
		fail_msg("docs/upbeat.schema.json is old: make docs");
	text_free(&printed);
	text_free(&kept);
}

static void the_manual_tables_are_current(void **state)
{
	struct text printed = TEXT_INIT, page = TEXT_INIT;
	const char *begin, *end;

	(void)state;
	config_print_man(&printed);
	assert_true(file_read("docs/upbeat.json.5", 1 << 20, &page, NULL));
	begin = strstr(text_str(&page), "\n.\\\" BEGIN");
	end = strstr(text_str(&page), ".\\\" END");
	assert_non_null(begin);
	assert_non_null(end);
	begin = strchr(begin + 1, '\n') + 1;
	if ((size_t)(end - begin) != printed.len || memcmp(begin, printed.ptr, printed.len) != 0)
		fail_msg("the tables in docs/upbeat.json.5 are old: make docs");
	text_free(&printed);
	text_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema_is_current),
		cmocka_unit_test(the_manual_tables_are_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
