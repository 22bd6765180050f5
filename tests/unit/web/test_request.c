/* SPDX-License-Identifier: ISC */
/* Requests as the CGI protocol hands them over: methods, headers, people, and every kind of body length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "web/request.h"

/* A body in memory, handed out in small pieces; then `end`. */
struct memory_io {
	struct channel_io io;
	size_t left, given;
	long end;
};

static long memory_read(struct channel_io *io, void *out, size_t n, int64_t deadline_us)
{
	struct memory_io *m = (struct memory_io *)io;

	(void)deadline_us;
	if (m->left == 0)
		return m->end;
	if (n > 1000)
		n = 1000;
	if (n > m->left)
		n = m->left;
	memset(out, 'x', n);
	m->left -= n;
	m->given += n;
	return (long)n;
}

static void begin(struct request *req, char **env, struct memory_io *m)
{
	static const char *const programs[] = {"upbeat.fcgi", NULL};

	m->io.read = memory_read;
	request_begin(req, env, &m->io, NULL, NULL, programs);
}

static void bodies_are_read_by_their_length_and_no_further(void **state)
{
	static const struct {
		const char *length, *coding;
		size_t sent;
		long end;
		enum body_status status;
		size_t len, taken; /* kept, and taken from the channel */
	} rows[] = {
		{"CONTENT_LENGTH=5", NULL, 5, 0, BODY_OK, 5, 5},
		{"CONTENT_LENGTH=5", NULL, 6, 0, BODY_OK, 5, 5},
		{"CONTENT_LENGTH=5", NULL, 4, 0, BODY_SHORT, 4, 4},
		{"CONTENT_LENGTH=5", NULL, 0, 0, BODY_SHORT, 0, 0},
		{"CONTENT_LENGTH=5", NULL, 4, CHANNEL_GONE, BODY_SHORT, 4, 4},
		{"CONTENT_LENGTH=5", NULL, 4, CHANNEL_SLOW, BODY_SLOW, 4, 4},
		{"CONTENT_LENGTH=0", NULL, 3, 0, BODY_OK, 0, 0},
		{"CONTENT_LENGTH=", NULL, 3, 0, BODY_OK, 0, 0},
		{"X=", NULL, 3, 0, BODY_OK, 0, 0},
		{"CONTENT_LENGTH=65536", NULL, 65536, 0, BODY_OK, 65536, 65536},
		{"CONTENT_LENGTH=65537", NULL, 65537, 0, BODY_TOO_LARGE, 0, 65537},
		{"CONTENT_LENGTH=2147483648", NULL, 10, 0, BODY_TOO_LARGE, 0, 10},
		{"CONTENT_LENGTH=9223372036854775808", NULL, 10, 0, BODY_TOO_LARGE, 0, 10},
		{"CONTENT_LENGTH=99999999999999999999999", NULL, 10, 0, BODY_TOO_LARGE, 0, 10},
		{"CONTENT_LENGTH=-1", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"CONTENT_LENGTH=+5", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"CONTENT_LENGTH=1e3", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"CONTENT_LENGTH= 5", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"CONTENT_LENGTH=5x", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"CONTENT_LENGTH=0x5", NULL, 5, 0, BODY_BAD_LENGTH, 0, 0},
		{"X=", "HTTP_TRANSFER_ENCODING=chunked", 3000, 0, BODY_OK, 3000, 3000},
		{"CONTENT_LENGTH=", "HTTP_TRANSFER_ENCODING=Chunked", 3000, 0, BODY_OK, 3000, 3000},
		{"CONTENT_LENGTH=7", "HTTP_TRANSFER_ENCODING=chunked", 3000, 0, BODY_OK, 7, 7},
		{"X=", "HTTP_TRANSFER_ENCODING=chunked", 65536, 0, BODY_OK, 65536, 65536},
		{"X=", "HTTP_TRANSFER_ENCODING=chunked", 65537, 0, BODY_TOO_LARGE, 0, 65537},
		{"X=", "HTTP_TRANSFER_ENCODING=chunked", 300, CHANNEL_SLOW, BODY_SLOW, 300, 300},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		char *length = mem_str(rows[i].length),
		     *coding = mem_str(rows[i].coding != NULL ? rows[i].coding : "Y=");
		char method[] = "REQUEST_METHOD=POST", *env[] = {method, length, coding, NULL};
		struct memory_io m = {.left = rows[i].sent, .end = rows[i].end};
		struct request req;
		enum body_status status;

		begin(&req, env, &m);
		status = request_body(&req, REQUEST_BODY_MAX);
		if (status != rows[i].status || req.body.len != rows[i].len || m.given != rows[i].taken)
			fail_msg("row %zu (%s): status %d, %zu kept, %zu taken", i, rows[i].length,
				(int)status, req.body.len, m.given);
		request_end(&req);
		free(length);
		free(coding);
	}
}

static void a_prefix_is_kept_of_a_body_of_any_size(void **state)
{
	char method[] = "REQUEST_METHOD=POST", length[] = "CONTENT_LENGTH=100000";
	char *env[] = {method, length, NULL};
	struct memory_io m = {.left = 100000};
	struct request req;

	(void)state;
	begin(&req, env, &m);
	assert_int_equal(request_body_prefix(&req, 10000), BODY_OK);
	assert_int_equal(req.body.len, 10000);
	assert_int_equal(m.given, 100000);
	request_end(&req);
}

static void headers_and_people_are_found(void **state)
{
	char method[] = "REQUEST_METHOD=HEAD", uri[] = "REQUEST_URI=/staff/m/x?a=1",
	     user[] = "REMOTE_USER=ann";
	char signature[] = "HTTP_X_HUB_SIGNATURE_256=abc",
	     authorization[] = "REDIRECT_HTTP_AUTHORIZATION=Bearer k";
	char *env[] = {method, uri, user, signature, authorization, NULL};
	struct memory_io m = {.left = 0};
	struct request req;
	char *a;

	(void)state;
	begin(&req, env, &m);
	assert_int_equal(req.method, METHOD_HEAD);
	assert_string_equal(req.path, "/m/x");
	assert_true(req.staff);
	assert_string_equal(req.person, "ann");
	assert_string_equal(request_header(&req, "X-Hub-Signature-256"), "abc");
	assert_null(request_header(&req, "X-Hub-Signature"));
	assert_string_equal(request_header(&req, "authorization"), "Bearer k");
	a = request_query(&req, "a");
	assert_string_equal(a, "1");
	free(a);
	request_end(&req);
}

/* nginx passes the name of an Authorization header that nobody has checked. */
static void a_user_is_believed_below_staff_only(void **state)
{
	static const struct {
		const char *uri, *user, *person;
	} rows[] = {
		{"REQUEST_URI=/", "REMOTE_USER=ann", NULL},
		{"REQUEST_URI=/staff", "REMOTE_USER=ann", NULL},
		{"REQUEST_URI=/staff/", "REMOTE_USER=ann", "ann"},
		{"REQUEST_URI=/staff/", "REMOTE_USER=", NULL},
		{"REQUEST_URI=/staff/", "HTTP_REMOTE_USER=ann", NULL},
		{"REQUEST_URI=/staff/", "REDIRECT_REMOTE_USER=ann", "ann"},
		{"REQUEST_URI=//staff/", "REMOTE_USER=ann", NULL},
		{"REQUEST_URI=/%73taff/", "REMOTE_USER=ann", NULL},
		{"REQUEST_URI=/x/../staff/", "REMOTE_USER=ann", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		char *uri = mem_str(rows[i].uri), *user = mem_str(rows[i].user), *env[] = {uri, user, NULL};
		struct memory_io m = {.left = 0};
		struct request req;

		begin(&req, env, &m);
		if (rows[i].person == NULL)
			assert_null(req.person);
		else
			assert_string_equal(req.person, rows[i].person);
		request_end(&req);
		free(uri);
		free(user);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read_by_their_length_and_no_further),
		cmocka_unit_test(a_prefix_is_kept_of_a_body_of_any_size),
		cmocka_unit_test(headers_and_people_are_found),
		cmocka_unit_test(a_user_is_believed_below_staff_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
