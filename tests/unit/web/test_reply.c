/* SPDX-License-Identifier: ISC */
/* Replies as they go out: exactly our headers, whatever is put into one; HEAD, caching, validators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "web/reply.h"

static struct text sent;

static bool keep(struct channel_io *io, const void *bytes, size_t n)
{
	(void)io;
	text_rawn(&sent, bytes, n);
	return true;
}

static const char *send(struct reply *reply, char **env)
{
	static const char *const programs[] = {NULL};
	struct channel_io io = {NULL, keep};
	struct request req;

	text_clear(&sent);
	request_begin(&req, env, &io, NULL, NULL, programs);
	reply_send(reply, &req);
	request_end(&req);
	reply_end(reply);
	return text_str(&sent);
}

static char get[] = "REQUEST_METHOD=GET", head[] = "REQUEST_METHOD=HEAD";

static void a_short_answer_has_exactly_these_headers(void **state)
{
	char *env[] = {get, NULL};
	struct reply reply;

	(void)state;
	reply_begin(&reply);
	reply_text(&reply, 404, "none");
	assert_string_equal(send(&reply, env),
		"Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
		"Cache-Control: no-store\r\nContent-Length: 4\r\n\r\nnone");
}

static void head_is_the_same_without_the_body(void **state)
{
	char *env[] = {head, NULL};
	struct reply reply;

	(void)state;
	reply_begin(&reply);
	reply_text(&reply, 200, "some");
	assert_non_null(strstr(send(&reply, env), "Content-Length: 4\r\n\r\n"));
	assert_string_equal(strstr(text_str(&sent), "\r\n\r\n"), "\r\n\r\n");
}

static void no_value_can_begin_another_header(void **state)
{
	static const char *const values[] = {
		"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\n<script>", "\x01\x7f"};
	char *env[] = {get, NULL};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(values); i++) {
		struct reply reply;
		const char *out, *at, *end;
		size_t lines = 0;

		reply_begin(&reply);
		reply_text(&reply, 200, "");
		reply_header(&reply, "X-Test", values[i]);
		out = send(&reply, env);
		end = strstr(out, "\r\n\r\n");
		for (at = out; at < end; at++)
			lines += *at == '\n';
		assert_int_equal(lines, 6);
		assert_null(strstr(out, "\nX-Evil"));
		assert_null(strstr(end, "script"));
	}
}

static void an_error_is_json_whatever_it_says(void **state)
{
	char *env[] = {get, NULL};
	struct reply reply;

	(void)state;
	reply_begin(&reply);
	reply_unavailable(&reply, 60, "no \"%s\"\n", "room");
	assert_non_null(strstr(send(&reply, env), "Retry-After: 60\r\n"));
	assert_string_equal(strstr(text_str(&sent), "{"), "{\"ok\":false,\"error\":\"no \\\"room\\\"\\n\"}");
}

static void what_the_client_has_is_not_sent_again(void **state)
{
	char none[] = "HTTP_IF_NONE_MATCH=\"0\"", *env[] = {get, none, NULL}, *known, *tag;
	static const char *const programs[] = {NULL};
	struct channel_io io = {NULL, keep};
	struct request req;
	struct reply reply;
	struct text field = TEXT_INIT;

	(void)state;
	text_clear(&sent);
	request_begin(&req, env, &io, NULL, NULL, programs);
	reply_begin(&reply);
	reply_text(&reply, 200, "page");
	assert_false(reply_etag(&reply, &req, NULL, 0));
	tag = strchr(reply.headers.ptr, '"');
	text_raw(&field, "HTTP_IF_NONE_MATCH=W/\"1\", W/");
	text_rawn(&field, tag, strcspn(tag, "\r"));
	known = env[1] = text_take(&field);
	reply_end(&reply);
	reply_begin(&reply);
	reply_text(&reply, 200, "page");
	assert_true(reply_etag(&reply, &req, NULL, 0));
	reply_send(&reply, &req);
	assert_non_null(strstr(text_str(&sent), "Status: 304 Not Modified\r\n"));
	assert_null(strstr(text_str(&sent), "Content-Type"));
	reply_end(&reply);
	request_end(&req);
	free(known);
}

static int forget(void **state)
{
	(void)state;
	text_free(&sent);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_answer_has_exactly_these_headers),
		cmocka_unit_test(head_is_the_same_without_the_body),
		cmocka_unit_test(no_value_can_begin_another_header),
		cmocka_unit_test(an_error_is_json_whatever_it_says),
		cmocka_unit_test(what_the_client_has_is_not_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
