/* SPDX-License-Identifier: ISC */
/* http: what an answer, a wrong answer and no answer are taken for, against a server of scripted answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/http.h"
#include "small_server.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Who: me\r\n\r\nhello"
#define JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define MOVED(code, to) "HTTP/1.1 " code " Moved\r\nContent-Length: 0\r\nLocation: " to "\r\n\r\n"

static const struct script scripts[] = {
	{"/ok", OK, THEN_CLOSE},
	{"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", THEN_CLOSE},
	{"/broken", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", THEN_CLOSE},
	{"/silent", "", THEN_HANG},
	{"/nothing", "", THEN_CLOSE},
	{"/reset", "", THEN_RESET},
	{"/ssh", "SSH-2.0-OpenSSH_9.2\r\n", THEN_CLOSE},
	{"/old", "hello, this is HTTP/0.9\n", THEN_CLOSE},
	{"/headers", "HTTP/1.1 200 OK\r\nA: b\r\n", THEN_REPEAT},
	{"/continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", THEN_REPEAT},
	{"/endless", "HTTP/1.1 200 OK\r\n\r\nline\nline", THEN_REPEAT},
	{"/drip", "HTTP/1.1 200 OK\r\n\r\n", THEN_DRIP},
	{"/short", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this", THEN_CLOSE},
	{"/here", MOVED("302", "/ok"), THEN_CLOSE},
	{"/there", MOVED("301", "http://localhost:%d/ok"), THEN_CLOSE},
	{"/loop", MOVED("302", "/loop"), THEN_CLOSE},
	{"/void", MOVED("302", ""), THEN_CLOSE},
	{"/file", MOVED("302", "file:///etc/passwd"), THEN_CLOSE},
	{"/nowhere", MOVED("302", "http://:::/"), THEN_CLOSE},
	{"/json", JSON "{\"status\":{\"db\":\"ok\",\"n\":[1,2]}}", THEN_CLOSE},
	{"/badchunk", CHUNKED "5\r\nhello\r\nxyz\r\n", THEN_CLOSE},
	{"/hugechunk", CHUNKED "fffffffffffffffffff\r\nhello", THEN_CLOSE},
	{"/nochunk", CHUNKED "5\r\nhello\r\n", THEN_RESET},
	{"/notjson", JSON "{\"status\":", THEN_CLOSE},
};

static struct small_server server;

static void keep(struct check *check, void *arg)
{
	struct result *out = arg;

	*out = check->result;
	check->result.headers = check->result.body = NULL;
	loop_stop(check->loop);
}

/* One look with these options (of which url is a path, or a whole URL) and this timeout. */
static struct result look(const char *url, const char *more, int64_t timeout_ms)
{
	struct loop *loop = loop_new(NULL);
	struct check_world world = {.ca_bundle = "/etc/ssl/certs/ca-certificates.crt"};
	struct text options = TEXT_INIT;
	struct monitor monitor = {.slug = (char[]){"m"}, .type = (char[]){"http"}, .timeout_ms = timeout_ms};
	struct result result = {0};

	text_raw(&options, "{\"url\":\"");
	if (url[0] == '/')
		text_printf(&options, "http://127.0.0.1:%u", server.port);
	text_printf(&options, "%s\"%s%s}", url, more ? "," : "", more ? more : "");
	monitor.options = options.ptr;
	assert_non_null(check_start(loop, &world, &monitor, NULL, keep, &result, NULL));
	loop_run(loop, clock_mono_us() + 10 * US_PER_S);
	loop_free(loop);
	text_free(&options);
	return result;
}

struct row {
	const char *url, *more;
	enum outcome outcome;
	bool definite;
	const char *cause; /* how it begins */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct result result = look(rows[i].url, rows[i].more, 400);

		if (result.outcome != rows[i].outcome || result.definite != rows[i].definite ||
			strncmp(result.cause, rows[i].cause, strlen(rows[i].cause)) != 0)
			fail_msg("%s %s: %s%s, \"%s\"", rows[i].url, rows[i].more ? rows[i].more : "",
				outcome_name(result.outcome), result.definite ? " definitely" : "",
				result.cause);
		result_clear(&result);
	}
}

static void answers_are_taken_for_what_they_are(void **state)
{
	static const struct row rows[] = {
		{"/ok", NULL, OUTCOME_UP, false, ""},
		{"/missing", NULL, OUTCOME_DOWN, true, "HTTP 404"},
		{"/broken", NULL, OUTCOME_DOWN, true, "HTTP 502"},
		{"/missing", "\"status\":\"200,404\"", OUTCOME_UP, false, ""},
		{"/ok", "\"status\":\"300-599\"", OUTCOME_DOWN, false, "HTTP 200"},
		{"/ok", "\"header\":{\"x-who\":\"me\"}", OUTCOME_UP, false, ""},
		{"/ok", "\"header\":{\"x-who\":\"you\"}", OUTCOME_DOWN, false, "header x-who is \"me\""},
		{"/ok", "\"header\":{\"x-why\":\"\"}", OUTCOME_DOWN, false, "header x-why is missing"},
		{"/json", "\"json\":{\"status.db\":\"ok\",\"status.n.1\":2}", OUTCOME_UP, false, ""},
		{"/json", "\"json\":{\"status.db\":\"no\"}", OUTCOME_DOWN, false,
			"JSON: status.db is \"ok\""},
		{"/json", "\"json\":{\"status.x\":true}", OUTCOME_DOWN, false, "JSON: there is no status.x"},
		{"/notjson", "\"json\":{\"status\":1}", OUTCOME_DOWN, false, "the answer is not JSON"},
		{"/json", "\"json\":{\"status.db\":\"ok\"},\"max_body\":9", OUTCOME_DOWN, false,
			"the JSON answer is longer"},
	};

	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void redirects_are_followed_as_far_as_allowed(void **state)
{
	static const struct row rows[] = {
		{"/here", NULL, OUTCOME_UP, false, ""},
		{"/there", NULL, OUTCOME_UP, false, ""},
		{"/here", "\"follow\":0,\"status\":\"302\"", OUTCOME_UP, false, ""},
		{"/loop", "\"follow\":3", OUTCOME_DOWN, false, "more than 3 redirects"},
		{"/loop", "\"follow\":1", OUTCOME_DOWN, false, "more than 1 redirect"},
		{"/void", NULL, OUTCOME_DOWN, false, "redirected to nowhere"},
		{"/file", NULL, OUTCOME_DOWN, false, "redirected to something other than http"},
		{"/nowhere", NULL, OUTCOME_DOWN, false, "redirected to what is not a URL"},
	};

	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void hostile_servers_are_named_and_bounded(void **state)
{
	static const struct row rows[] = {
		{"/silent", NULL, OUTCOME_DOWN, false, "timed out after 0.4 s waiting for the answer"},
		{"/drip", NULL, OUTCOME_DOWN, false, "timed out after 0.4 s reading the answer"},
		{"/nothing", NULL, OUTCOME_DOWN, false, "closed the connection without an answer"},
		{"/reset", NULL, OUTCOME_DOWN, false, "connection reset"},
		{"/ssh", NULL, OUTCOME_DOWN, false, "not an HTTP answer"},
		{"/old", NULL, OUTCOME_DOWN, false, "not an HTTP answer"},
		{"/headers", NULL, OUTCOME_DOWN, false, "headers without end"},
		{"/continue", NULL, OUTCOME_DOWN, false, ""},
		{"/short", NULL, OUTCOME_DOWN, false, "the answer was cut off"},
		{"/badchunk", NULL, OUTCOME_DOWN, false, "not a proper HTTP answer"},
		{"/hugechunk", NULL, OUTCOME_DOWN, false, "not a proper HTTP answer"},
		{"/nochunk", NULL, OUTCOME_DOWN, false, "connection reset"},
		{"/endless", NULL, OUTCOME_UP, false, ""},
		{"http://127.0.0.1:1/", NULL, OUTCOME_DOWN, true, "connection refused"},
		{"http://[::1]:1/", "\"ip\":4", OUTCOME_DOWN, false, "the address is of another family"},
	};

	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void what_there_was_no_time_for_is_named(void **state)
{
	struct text url = TEXT_INIT;
	struct result result;

	(void)state;
	text_printf(&url, "https://127.0.0.1:%u/", server.port);
	result = look(text_str(&url), NULL, 400);
	assert_string_equal(result.cause, "timed out after 0.4 s in the TLS handshake");
	result_clear(&result);
	text_free(&url);
}

static void a_bad_answer_leaves_evidence(void **state)
{
	struct result result = look("/broken", NULL, 1000);

	(void)state;
	assert_int_equal(result.status, 502);
	assert_string_equal(result.address, "127.0.0.1");
	assert_string_equal(result.body, "bad");
	assert_int_equal(result.body_len, 3);
	assert_non_null(strstr(result.headers, "502 Bad Gateway"));
	assert_true(result.timings.connect_us >= 0 && result.timings.first_byte_us >= 0);
	assert_true(result.timings.total_us >= result.timings.connect_us + result.timings.first_byte_us);
	assert_int_equal(result.timings.tls_us, -1);
	result_clear(&result);
}

static void a_good_answer_leaves_none(void **state)
{
	struct result result = look("/ok", NULL, 1000);

	(void)state;
	assert_null(result.headers);
	assert_null(result.body);
	assert_int_equal(result.status, 200);
	result_clear(&result);
}

static void secrets_and_methods_are_sent_and_secrets_stay_with_their_host(void **state)
{
	struct result result;

	(void)state;
	text_clear(&server.requests);
	result = look("/ok",
		"\"method\":\"POST\",\"body\":\"a=b\",\"headers\":{\"X-Api-Key\":\"k\"},\"auth\":{\"basic\":["
		"\"u\",\"p\"]}",
		1000);
	assert_int_equal(result.outcome, OUTCOME_UP);
	assert_non_null(strstr(text_str(&server.requests), "POST /ok HTTP/1.1"));
	assert_non_null(strstr(text_str(&server.requests), "Authorization: Basic dTpw"));
	assert_non_null(strstr(text_str(&server.requests), "X-Api-Key: k"));
	assert_non_null(strstr(text_str(&server.requests), "User-Agent: Upbeat/"));
	assert_null(strstr(text_str(&server.requests), "Accept-Encoding"));
	result_clear(&result);
	text_clear(&server.requests);
	result = look("/there",
		"\"headers\":{\"X-Api-Key\":\"k\",\"X-Other\":\"o\"},\"auth\":{\"bearer\":\"t\"}", 1000);
	assert_int_equal(result.outcome, OUTCOME_UP);
	assert_non_null(strstr(text_str(&server.requests), "Authorization: Bearer t"));
	assert_null(strstr(strstr(text_str(&server.requests), "GET /ok"), "Bearer"));
	assert_null(strstr(strstr(text_str(&server.requests), "GET /ok"), "X-Api-Key"));
	assert_non_null(strstr(strstr(text_str(&server.requests), "GET /ok"), "X-Other: o"));
	result_clear(&result);
}

static void proxies_of_the_environment_are_not_used(void **state)
{
	struct result result;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	result = look("/ok", NULL, 1000);
	assert_int_equal(result.outcome, OUTCOME_UP);
	result_clear(&result);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void private_addresses_are_known_in_all_their_clothes(void **state)
{
	static const struct {
		const char *text;
		bool is_private;
	} rows[] = {
		{"127.0.0.1", true},
		{"10.1.2.3", true},
		{"172.16.0.1", true},
		{"172.32.0.1", false},
		{"192.168.1.1", true},
		{"169.254.169.254", true},
		{"100.64.0.1", true},
		{"100.128.0.1", false},
		{"0.0.0.0", true},
		{"224.0.0.1", true},
		{"255.255.255.255", true},
		{"192.0.2.1", false},
		{"8.8.8.8", false},
		{"::1", true},
		{"::", true},
		{"fe80::1", true},
		{"fd00::1", true},
		{"ff02::1", true},
		{"::ffff:127.0.0.1", true},
		{"::ffff:8.8.8.8", false},
		{"64:ff9b::7f00:1", true},
		{"2002:7f00:1::", true},
		{"2001:db8::1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		union address address;

		assert_true(address_parse(rows[i].text, &address));
		if (address_private(&address) != rows[i].is_private)
			fail_msg("%s", rows[i].text);
	}
}

static char *take_requests(void)
{
	char *sent;

	pthread_mutex_lock(&server.lock);
	sent = mem_str(text_str(&server.requests));
	text_clear(&server.requests);
	pthread_mutex_unlock(&server.lock);
	return sent;
}

/* Handles are used again: what one look sent, or was refused for, is not the next one's. */
static void nothing_of_a_look_reaches_the_next(void **state)
{
	static const char *const before[] = {
		"\"headers\":{\"X-Key\":\"canary\",\"User-Agent\":\"canary\"}",
		"\"method\":\"POST\",\"body\":\"canary\"",
		"\"method\":\"DELETE\",\"auth\":{\"basic\":[\"canary\",\"canary\"]}",
		"\"auth\":{\"bearer\":\"canary\"}",
		"\"method\":\"HEAD\"",
	};
	char *first = NULL, *sent;

	(void)state;
	free(take_requests());
	for (size_t i = 0; i <= COUNT_OF(before); i++) {
		struct result result = look("/ok", NULL, 400);

		assert_int_equal(result.outcome, OUTCOME_UP);
		result_clear(&result);
		sent = take_requests();
		if (!first)
			first = mem_str(sent);
		assert_string_equal(sent, first);
		free(sent);
		if (i == COUNT_OF(before))
			break;
		result = look("/missing", before[i], 400);
		assert_string_equal(result.cause, "HTTP 404");
		result_clear(&result);
		free(take_requests());
	}
	free(first);
}

static void options_are_checked(void **state)
{
	static const struct {
		const char *status;
		bool good;
	} rows[] = {
		{"200-399", true},
		{"200", true},
		{"200, 404", true},
		{"200-204,301-308", true},
		{"", false},
		{"2xx", false},
		{"399-200", false},
		{"20", false},
		{"200-", false},
		{"200;404", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text why = TEXT_INIT;
		const char *value = rows[i].status;

		if (http_status_valid(&value, &why) != rows[i].good)
			fail_msg("%s", value);
		text_free(&why);
	}
	assert_true(http_status_good("200-204,301", 301));
	assert_false(http_status_good("200-204,301", 302));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_taken_for_what_they_are),
		cmocka_unit_test(redirects_are_followed_as_far_as_allowed),
		cmocka_unit_test(nothing_of_a_look_reaches_the_next),
		cmocka_unit_test(hostile_servers_are_named_and_bounded),
		cmocka_unit_test(what_there_was_no_time_for_is_named),
		cmocka_unit_test(a_bad_answer_leaves_evidence),
		cmocka_unit_test(a_good_answer_leaves_none),
		cmocka_unit_test(secrets_and_methods_are_sent_and_secrets_stay_with_their_host),
		cmocka_unit_test(proxies_of_the_environment_are_not_used),
		cmocka_unit_test(private_addresses_are_known_in_all_their_clothes),
		cmocka_unit_test(options_are_checked),
	};
	int failed;

	small_server_start(&server, scripts, COUNT_OF(scripts));
	failed = cmocka_run_group_tests_name("check_http", tests, NULL, NULL);
	small_server_stop(&server);
	return failed;
}
