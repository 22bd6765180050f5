/* SPDX-License-Identifier: ISC */
/* What is kept of single beats, and that it reads back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "web/beat_log.h"

static void only_beats_with_something_to_say_are_logged(void **state)
{
	static const struct {
		struct beat beat;
		const char *entry; /* NULL: none */
	} rows[] = {
		{{.kind = BEAT_SUCCESS, .exit_status = -1, .length_us = -1}, NULL},
		{{.kind = BEAT_SUCCESS, .exit_status = -1, .length_us = -1, .msg = ""}, NULL},
		{{.kind = BEAT_SUCCESS, .exit_status = 0, .length_us = -1}, "{\"kind\":\"success\",\"exit\":0}"},
		{{.kind = BEAT_START, .exit_status = -1, .length_us = -1}, "{\"kind\":\"start\"}"},
		{{.kind = BEAT_FAIL, .exit_status = 3, .length_us = 12500000, .msg = "disk \"full\""},
			"{\"kind\":\"fail\",\"exit\":3,\"length\":12.5,\"msg\":\"disk \\\"full\\\"\"}"},
		{{.kind = BEAT_LOG, .exit_status = -1, .length_us = -1, .msg = "half"}, "{\"kind\":\"log\",\"msg\":\"half\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = TEXT_INIT;

		assert_int_equal(beat_log_put(&t, &rows[i].beat), rows[i].entry != NULL);
		assert_string_equal(text_str(&t), rows[i].entry ? rows[i].entry : "");
		text_free(&t);
	}
}

static void an_entry_reads_back(void **state)
{
	static const char entry[] = "{\"kind\":\"fail\",\"exit\":3,\"length\":12.5,\"msg\":\"a<b\",\"later\":1}";
	struct beat_logged logged;

	(void)state;
	assert_true(beat_log_read(entry, strlen(entry), &logged));
	assert_int_equal(logged.kind, BEAT_FAIL);
	assert_int_equal(logged.exit_status, 3);
	assert_int_equal(logged.length_us, 12500000);
	assert_string_equal(text_str(&logged.msg), "a<b");
	text_free(&logged.msg);
}

static void what_is_no_entry_is_told(void **state)
{
	static const char *const rows[] = {"", "[]", "{", "{\"kind\":", "null", "{\"msg\":\"a\""};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct beat_logged logged;

		assert_false(beat_log_read(rows[i], strlen(rows[i]), &logged));
		text_free(&logged.msg);
	}
}

static void a_long_message_is_cut(void **state)
{
	char msg[3000];
	struct text t = TEXT_INIT;

	(void)state;
	memset(msg, 'x', sizeof(msg) - 1);
	msg[sizeof(msg) - 1] = '\0';
	assert_true(beat_log_put(&t, &(struct beat){.kind = BEAT_LOG, .exit_status = -1, .length_us = -1, .msg = msg}));
	assert_in_range(t.len, 400, BEAT_LOG_MSG_MAX + 40);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_beats_with_something_to_say_are_logged),
		cmocka_unit_test(an_entry_reads_back),
		cmocka_unit_test(what_is_no_entry_is_told),
		cmocka_unit_test(a_long_message_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
