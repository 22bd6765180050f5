/* SPDX-License-Identifier: ISC */
/* dns: every type of record, what is expected of them, and servers that lie, fail, or say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "looking.h"
#include "prober/check/dns_answer.h"
#include "small_server.h"

/* An answer: the records as they stand in the message, each owned by the question's name (a pointer to it). */
#define RR(type, length, data) "\xc0\x0c\0" type "\0\1\0\0\0\x3c" length data
#define A(length, data) RR("\1", length, data)
#define BYTES(s) s, sizeof(s) - 1

enum trick { TRICK_NONE, TRICK_SILENT, TRICK_WRONG_ID, TRICK_CUT };

static const struct zone_row {
	const char *name; /* its first label */
	unsigned type, rcode, count;
	const char *records;
	size_t n;
	enum trick trick;
} zone[] = {
	{"two", 1, 0, 2, BYTES(A("\0\4", "\xc0\0\2\1") A("\0\4", "\xc0\0\2\2")), TRICK_NONE},
	{"six", 28, 0, 1, BYTES(RR("\x1c", "\0\x10", "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1")), TRICK_NONE},
	{"alias", 5, 0, 1, BYTES(RR("\5", "\0\6", "\3WwW\xc0\x12")), TRICK_NONE},
	{"alias", 1, 0, 2, BYTES(RR("\5", "\0\6", "\3www\xc0\x12") A("\0\4", "\xc0\0\2\1")), TRICK_NONE},
	{"mail", 15, 0, 2, BYTES(RR("\xf", "\0\6", "\0\xa\1a\xc0\x0c") RR("\xf", "\0\6", "\0\x14\1b\xc0\x0c")), TRICK_NONE},
	{"nomail", 15, 0, 1, BYTES(RR("\xf", "\0\3", "\0\0\0")), TRICK_NONE},
	{"forged", 16, 0, 1, BYTES(RR("\x10", "\0\6", "\5a\n\x1b\xff" "b")), TRICK_NONE},
	{"text", 16, 0, 1, BYTES(RR("\x10", "\0\xb", "\5v=spf\4 -al")), TRICK_NONE},
	{"stranger", 1, 0, 2, BYTES("\3who\xc0\x15\0\1\0\1\0\0\0\x3c" "\0\4" "\xc0\0\2\7"
		"\3who\xc0\x15\0\5\0\1\0\0\0\x3c" "\0\2\xc0\x0c"), TRICK_NONE},
	{"cname", 1, 0, 3, BYTES("\1b\xc0\x12\0\1\0\1\0\0\0\x3c" "\0\4" "\xc0\0\2\7"
		"\1a\xc0\x12\0\5\0\1\0\0\0\x3c" "\0\4\1B\xc0\x12"
		RR("\5", "\0\4", "\1a\xc0\x12")), TRICK_NONE},
	{"zone", 2, 0, 1, BYTES(RR("\2", "\0\6", "\3ns1\xc0\x11")), TRICK_NONE},
	{"nothing", 1, 0, 0, "", 0, TRICK_NONE},
	{"gone", 1, 3, 0, "", 0, TRICK_NONE},
	{"fails", 1, 2, 0, "", 0, TRICK_NONE},
	{"refuses", 1, 5, 0, "", 0, TRICK_NONE},
	{"wonders", 1, 1, 0, "", 0, TRICK_NONE},
	{"cannot", 1, 4, 0, "", 0, TRICK_NONE},
	{"loop", 1, 0, 1, BYTES(RR("\5", "\0\2", "\xc0\x0c")), TRICK_NONE},
	{"silent", 1, 0, 0, "", 0, TRICK_SILENT},
	{"other", 1, 0, 1, BYTES(A("\0\4", "\xc0\0\2\1")), TRICK_WRONG_ID},
	{"short", 1, 0, 9, BYTES(A("\0\4", "\xc0\0\2\1")), TRICK_CUT},
	{"long", 1, 0, 1, BYTES(A("\xff\xff", "\xc0\0\2\1")), TRICK_CUT},
};

static int server;
static unsigned server_port;

static const struct zone_row *zone_find(const uint8_t *question, size_t n)
{
	size_t length = question[12], type_at = 12;

	while (type_at < n && question[type_at])
		type_at += question[type_at] + 1u;
	for (size_t i = 0; i < COUNT_OF(zone); i++)
		if (strlen(zone[i].name) == length && memcmp(zone[i].name, question + 13, length) == 0 &&
			zone[i].type == question[type_at + 2])
			return &zone[i];
	return NULL;
}

static void *serve(void *arg)
{
	uint8_t bytes[1024];
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t got;

	while ((got = recvfrom(server, bytes, 512, 0, (struct sockaddr *)&from, &length)) > 12) {
		const struct zone_row *row = zone_find(bytes, (size_t)got);
		size_t n = (size_t)got;

		if (!row || row->trick == TRICK_SILENT)
			continue;
		bytes[0] ^= row->trick == TRICK_WRONG_ID ? 1 : 0;
		bytes[2] = 0x85;
		bytes[3] = (uint8_t)(0x80 | row->rcode);
		bytes[6] = 0;
		bytes[7] = (uint8_t)row->count;
		memset(bytes + 8, 0, 4);
		memcpy(bytes + n, row->records, row->n);
		n += row->n;
		sendto(server, bytes, n, 0, (struct sockaddr *)&from, length);
	}
	return arg;
}

#define ASK(name, more) "{\"name\":\"" name ".example.com\",\"server\":\"127.0.0.1:%u\"" more "}"

static void records_are_found_and_compared(void **state)
{
	static const struct look_row rows[] = {
		{ASK("two", ""), OUTCOME_UP, false, ""},
		{ASK("two", ",\"expect\":[\"192.0.2.2\",\"192.0.2.1\"]"), OUTCOME_UP, false, ""},
		{ASK("two", ",\"expect\":\"192.0.2.1\""), OUTCOME_DOWN, false,
			"A is 192.0.2.1, 192.0.2.2, expected 192.0.2.1"},
		{ASK("two", ",\"expect\":[\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\"]"), OUTCOME_DOWN, false, "A is 192"},
		{ASK("six", ",\"record\":\"AAAA\",\"expect\":\"2001:DB8:0:0::1\""), OUTCOME_UP, false, ""},
		{ASK("alias", ",\"record\":\"CNAME\",\"expect\":\"www.Example.COM.\""), OUTCOME_UP, false, ""},
		{ASK("alias", ",\"expect\":\"192.0.2.1\""), OUTCOME_UP, false, ""},
		{ASK("mail", ",\"record\":\"MX\",\"expect\":[\"10 a.mail.example.com\",\"b.mail.example.com\"]"), OUTCOME_UP,
			false, ""},
		{ASK("mail", ",\"record\":\"MX\",\"expect\":[\"11 a.mail.example.com\",\"b.mail.example.com\"]"),
			OUTCOME_DOWN, false, "MX is 10 a.mail.example.com, 20 b.mail.example.com, expected 11"},
		{ASK("nomail", ",\"record\":\"MX\",\"expect\":\"0 .\""), OUTCOME_UP, false, ""}, /* RFC 7505 */
		{ASK("forged", ",\"record\":\"TXT\",\"expect\":\"x\""), OUTCOME_DOWN, false,
			"TXT is a \xef\xbf\xbd" "b, expected x"},
		{ASK("text", ",\"record\":\"TXT\",\"expect\":\"v=spf -al\""), OUTCOME_UP, false, ""},
		{ASK("cname", ",\"expect\":\"192.0.2.7\""), OUTCOME_UP, false, ""},
		{ASK("zone", ",\"record\":\"NS\",\"expect\":\"ns1.example.com\""), OUTCOME_UP, false, ""},
	};

	(void)state;
	look_at_rows("dns", server_port, 1000, rows, COUNT_OF(rows));
}

static void failures_are_named(void **state)
{
	static const struct look_row rows[] = {
		{ASK("nothing", ""), OUTCOME_DOWN, false, "there is no A record"},
		{ASK("loop", ""), OUTCOME_DOWN, false, "there is no A record"},
		{ASK("gone", ""), OUTCOME_DOWN, false, "no such name"},
		{ASK("fails", ""), OUTCOME_DOWN, false, "DNS server failure"},
		{ASK("refuses", ""), OUTCOME_DOWN, false, "the DNS server refuses to answer"},
		{ASK("wonders", ""), OUTCOME_DOWN, false, "the DNS server does not know such questions"},
		{ASK("cannot", ""), OUTCOME_DOWN, false, "the DNS server does not know such questions"},
		{ASK("stranger", ""), OUTCOME_DOWN, false, "there is no A record"},
		{ASK("silent", ""), OUTCOME_DOWN, false, "DNS server 127.0.0.1 does not answer"},
		{ASK("other", ""), OUTCOME_DOWN, false, "DNS server 127.0.0.1 does not answer"},
		{ASK("short", ""), OUTCOME_DOWN, false, "the DNS answer is garbled"},
		{ASK("long", ""), OUTCOME_DOWN, false, "the DNS answer is garbled"},
		{"{\"name\":\"two.example.com\",\"server\":\"127.0.0.1:1\"}", OUTCOME_DOWN, true,
			"DNS server 127.0.0.1 refuses connections"},
	};

	(void)state;
	look_at_rows("dns", server_port, 400, rows, COUNT_OF(rows));
}

/* The system's resolvers (here: a mute one) are ours: their silence says nothing of the name. */
static void silence_of_our_own_resolvers_is_unknown(void **state)
{
	static const struct look_row mute[] = {
		{"{\"name\":\"silent.example.com\"}", OUTCOME_UNKNOWN, false, "our DNS resolvers do not answer"}};
	static const struct look_row closed[] = {
		{"{\"name\":\"two.example.com\"}", OUTCOME_UNKNOWN, false, "our DNS resolvers cannot be reached"}};
	static const struct look_row http[] = {{"{\"url\":\"http://silent.example.com/\"}", OUTCOME_UNKNOWN, false, "DNS"}};
	struct text servers = TEXT_INIT;

	(void)state;
	text_printf(&servers, "127.0.0.1:%u", server_port);
	setenv("UPBEAT_TESTING", "1", 1);
	setenv("UPBEAT_DNS", text_str(&servers), 1);
	look_at_rows("dns", 0, 400, mute, 1);
	look_at_rows("http", 0, 400, http, 1);
	setenv("UPBEAT_DNS", "127.0.0.1:1", 1);
	look_at_rows("dns", 0, 400, closed, 1);
	unsetenv("UPBEAT_DNS");
	text_free(&servers);
}

static void a_wrong_answer_is_kept_as_evidence(void **state)
{
	struct text options = TEXT_INIT;
	struct result result;

	(void)state;
	text_printf(&options, "{\"name\":\"two.example.com\",\"server\":\"127.0.0.1:%u\",\"expect\":\"192.0.2.9\"}",
		server_port);
	result = look_at("dns", text_str(&options), 1000);
	assert_int_equal(result.outcome, OUTCOME_DOWN);
	assert_string_equal(result.body, "192.0.2.1\n192.0.2.2\n");
	assert_string_equal(result.address, "127.0.0.1");
	assert_true(result.timings.dns_us >= 0);
	result_clear(&result);
	text_free(&options);
}

static void options_are_checked(void **state)
{
	const struct check_type *dns = check_type_by_name("dns");
	static const struct {
		const char *key, *value;
		bool good;
	} rows[] = {
		{"server", "192.0.2.53", true}, {"server", "192.0.2.53:5353", true}, {"server", "[2001:db8::53]:53", true},
		{"server", "2001:db8::53", true}, {"server", "[2001:db8::53]", true}, {"server", "ns.example.com:53", true},
		{"server", "192.0.2.53:0", false}, {"server", "192.0.2.53:", false}, {"server", "udp://192.0.2.53", false},
		{"server", "[2001:db8::53", false}, {"server", "", false}, {"server", ":53", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct field *field = fields_find(dns->fields, dns->field_count, rows[i].key);
		struct text why = TEXT_INIT;

		if (field->valid(&rows[i].value, &why) != rows[i].good)
			fail_msg("%s", rows[i].value);
		text_free(&why);
	}
}

static void expectations_are_checked(void **state)
{
	static const struct {
		const char *record, *expect;
		bool good;
	} rows[] = {
		{"A", "192.0.2.1", true}, {"A", "2001:db8::1", false}, {"A", "www.example.com", false},
		{"AAAA", "2001:db8::1", true}, {"AAAA", "192.0.2.1", false}, {"MX", "10 mail.example.com", true},
		{"MX", "mail.example.com", true}, {"MX", "ten mail.example.com", false}, {"TXT", "any thing", true},
		{"NS", "ns.example.com.", true}, {"NS", "", false}, {"CNAME", "a b", false},
		{"CNAME", ".", true}, {"CNAME", "..", false}, {"CNAME", "a..b", false}, {"NS", ".a", false},
		{"MX", "0 .", true}, {"MX", "10 a.example.com..", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out = TEXT_INIT;

		if (dns_canonical(dns_record_type(rows[i].record), rows[i].expect, &out) != rows[i].good)
			fail_msg("%s %s", rows[i].record, rows[i].expect);
		text_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_found_and_compared),
		cmocka_unit_test(failures_are_named),
		cmocka_unit_test(silence_of_our_own_resolvers_is_unknown),
		cmocka_unit_test(a_wrong_answer_is_kept_as_evidence),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(expectations_are_checked),
	};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	pthread_t thread;
	int failed;

	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&at, n) != 0 || getsockname(server, (struct sockaddr *)&at, &n) != 0 ||
		pthread_create(&thread, NULL, serve, NULL) != 0)
		abort();
	server_port = ntohs(at.sin_port);
	failed = cmocka_run_group_tests_name("check_dns", tests, NULL, NULL);
	shutdown(server, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(server);
	return failed;
}
