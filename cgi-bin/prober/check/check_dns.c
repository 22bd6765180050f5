/* SPDX-License-Identifier: ISC */
/*
 * check_dns: a name has the records that it should have, as the system's resolvers see it, or one server.
 *
 * Silence of a server that was named is its fault: down. When our own resolvers are silent, and answer nothing
 * else either, we could not look: unknown.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/check.h"
#include "prober/check/dns_answer.h"
#include "prober/net/query.h"

#define RESOLVE_SHARE(ms) ((ms) * 8 / 10)

struct dns_options {
	char *name, *record;
	struct strings expect;
	char *server;
};

struct dns_look {
	struct check *check;
	struct loop_resolve *resolve; /* of a server that is a name */
	struct query *query;
	char *server_host;            /* NULL: the system's resolvers */
	unsigned server_port;
	int64_t asked_us;
};

static const struct dns_options *options_of(const struct dns_look *look)
{
	return look->check->options;
}

static void finish(struct dns_look *look, enum outcome outcome)
{
	look->check->result.outcome = outcome;
	check_finish(look->check);
}

/* ---- the server: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53", "ns.example.com" */

static bool server_split(const char *server, char **host, unsigned *port)
{
	const char *end = strrchr(server, ':'), *first = strchr(server, ':');
	bool bracketed = server[0] == '[', has_port = bracketed ? end > strchr(server, ']') : end && end == first;
	size_t n = has_port ? (size_t)(end - server) : strlen(server);
	uint64_t number = 53;

	*host = NULL;
	if (has_port && (!text_to_u64(end + 1, &number) || number == 0 || number > 65535))
		return false;
	if (bracketed && (n < 3 || server[n - 1] != ']'))
		return false;
	*host = bracketed ? mem_strn(server + 1, n - 2) : mem_strn(server, n);
	*port = (unsigned)number;
	return true;
}

static bool server_valid(const void *value, struct text *why)
{
	struct text unused = TEXT_INIT;
	char *host;
	unsigned port;
	bool ok = server_split(*(char *const *)value, &host, &port) && address_host_valid(&host, &unused);

	free(host);
	text_free(&unused);
	if (!ok)
		text_raw(why, "must be a DNS server: a host or an address, with \":port\" if it is not 53");
	return ok;
}

/* ---- what came */

/* "a, b, c", cut at a length that leaves room for more in a cause */
static void put_list(struct text *out, const struct strings *list)
{
	struct text all = TEXT_INIT;

	for (size_t i = 0; i < list->n; i++)
		text_printf(&all, "%s%s", i ? ", " : "", list->at[i]);
	text_cut(out, list->n ? text_str(&all) : "nothing", 60);
	text_free(&all);
}

static void keep_evidence(struct result *result, const struct strings *records)
{
	struct text lines = TEXT_INIT;

	for (size_t i = 0; i < records->n; i++)
		text_printf(&lines, "%s\n", records->at[i]);
	if (lines.len == 0)
		return;
	result->body_len = lines.len < BODY_KEPT_MAX ? lines.len : BODY_KEPT_MAX;
	result->body = mem_strn(text_str(&lines), result->body_len);
	text_free(&lines);
}

static void judge(struct dns_look *look, const struct strings *records)
{
	const struct dns_options *options = options_of(look);
	struct text cause = TEXT_INIT;

	if (options->expect.n == 0 || dns_same_records(dns_record_type(options->record), &options->expect, records)) {
		finish(look, OUTCOME_UP);
		return;
	}
	text_printf(&cause, "%s is ", options->record);
	put_list(&cause, records);
	text_raw(&cause, ", expected ");
	put_list(&cause, &options->expect);
	result_cause(&look->check->result, "%s", text_str(&cause));
	text_free(&cause);
	keep_evidence(&look->check->result, records);
	finish(look, OUTCOME_DOWN);
}

static void read_answer(struct dns_look *look, const uint8_t *message, size_t n)
{
	const char *record = options_of(look)->record;
	struct strings records;

	if (!dns_answer_read(message, n, dns_record_type(record), &records)) {
		result_cause(&look->check->result, "the DNS answer is garbled");
		finish(look, OUTCOME_DOWN);
	} else if (records.n == 0) {
		result_cause(&look->check->result, "there is no %s record", record);
		finish(look, OUTCOME_DOWN);
	} else {
		judge(look, &records);
	}
	dns_records_clear(&records);
}

/* Nothing came. Whose fault is it? */
static enum outcome cause_silence(struct dns_look *look)
{
	struct result *result = &look->check->result;

	if (look->server_host) {
		result_cause(result, "DNS server %.60s does not answer", look->server_host);
		return OUTCOME_DOWN;
	}
	if (look->query && query_resolvers_work(look->query)) {
		result_cause(result, "the name's DNS servers do not answer");
		return OUTCOME_DOWN;
	}
	result_cause(result, "our DNS resolvers do not answer");
	return OUTCOME_UNKNOWN;
}

static void cause_refused(struct dns_look *look)
{
	if (look->server_host) {
		result_cause(&look->check->result, "DNS server %.60s refuses connections", look->server_host);
		look->check->result.definite = true;
		finish(look, OUTCOME_DOWN);
	} else {
		result_cause(&look->check->result, "our DNS resolvers cannot be reached");
		finish(look, OUTCOME_UNKNOWN);
	}
}

static void answered(void *arg, enum query_end end, const uint8_t *message, size_t n)
{
	static const char *const causes[QUERY__COUNT] = {
		[QUERY_NO_NAME] = "no such name",
		[QUERY_FAILURE] = "DNS server failure",
		[QUERY_REFUSED] = "the DNS server refuses to answer",
		[QUERY_NOT_KNOWN] = "the DNS server does not know such questions",
		[QUERY_GARBLED] = "the DNS answer is garbled",
	};
	struct dns_look *look = arg;
	struct result *result = &look->check->result;

	result->timings.dns_us = clock_mono_us() - look->asked_us;
	if (end == QUERY_ANSWERED || (end == QUERY_NO_DATA && message)) {
		read_answer(look, message, n);
	} else if (end == QUERY_NO_DATA) {
		result_cause(result, "there is no %s record", options_of(look)->record);
		finish(look, OUTCOME_DOWN);
	} else if (end == QUERY_SILENT) {
		finish(look, cause_silence(look));
	} else if (end == QUERY_UNREACHABLE) {
		cause_refused(look);
	} else if (end == QUERY_REFUSED && !look->server_host) {
		result_cause(result, "our DNS resolvers refuse to answer");
		finish(look, OUTCOME_UNKNOWN);
	} else if (end == QUERY_IMPOSSIBLE) {
		result_cause(result, "DNS cannot be asked here");
		finish(look, OUTCOME_UNKNOWN);
	} else {
		result_cause(result, "%s", causes[end]);
		finish(look, OUTCOME_DOWN);
	}
	look->query = NULL;
}

/* ---- asking */

static void ask(struct dns_look *look, const char *servers)
{
	const struct dns_options *options = options_of(look);

	look->asked_us = clock_mono_us();
	look->query = query_start(look->check->loop, servers, options->name, dns_record_type(options->record), answered,
		look);
}

static void server_found(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct dns_look *look = arg;
	struct result *result = &look->check->result;
	struct text servers = TEXT_INIT;

	look->resolve = NULL;
	if (addresses->n == 0) {
		result_cause(result, "DNS server %.60s: %s", look->server_host, why);
		finish(look, ours ? OUTCOME_UNKNOWN : OUTCOME_DOWN);
		return;
	}
	address_print(&addresses->at[0], result->address, sizeof(result->address));
	text_printf(&servers, addresses->at[0].any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", result->address,
		look->server_port);
	ask(look, text_str(&servers));
	text_free(&servers);
}

static void start(struct check *check)
{
	struct dns_look *look = MEM_NEW(struct dns_look);

	check->own = look;
	look->check = check;
	if (options_of(look)->server && server_split(options_of(look)->server, &look->server_host, &look->server_port))
		look->resolve = loop_resolve(check->loop, look->server_host, AF_UNSPEC,
			RESOLVE_SHARE(check_left_ms(check)), server_found, look);
	else
		ask(look, NULL);
}

static void expire(struct check *check)
{
	check->result.outcome = cause_silence(check->own);
}

static void end(struct check *check)
{
	struct dns_look *look = check->own;

	loop_resolve_stop(look->resolve);
	query_stop(look->query);
	free(look->server_host);
	free(look);
}

static bool validate(const void *value, struct text *why)
{
	const struct dns_options *options = value;
	bool ok = address_host_valid(&options->name, why);

	if (!ok) /* "name" is a key of every monitor too, which may be anything there */
		text_raw(why, ": \"name\" is what a dns monitor looks up");
	for (size_t i = 0; ok && i < options->expect.n; i++) {
		struct text unused = TEXT_INIT;

		ok = dns_canonical(dns_record_type(options->record), options->expect.at[i], &unused);
		if (!ok)
			text_printf(why, "expects \"%.60s\", which is no %s record", options->expect.at[i], options->record);
		text_free(&unused);
	}
	return ok;
}

#define AT(member) .offset = offsetof(struct dns_options, member)
static const struct field fields[] = {
	{.name = "name", .type = FIELD_STRING, AT(name), .required = true, .valid = address_host_valid,
		.help = "The name that is looked up."},
	{.name = "record", .type = FIELD_CHOICE, AT(record), .fallback = "A", .choices = dns_record_names,
		.help = "Which kind of record."},
	{.name = "expect", .type = FIELD_STRINGS, AT(expect),
		.help = "The records that there must be, all of them and no others, in any order; without it, any will do."},
	{.name = "server", .type = FIELD_STRING, AT(server), .valid = server_valid,
		.help = "The DNS server to ask, with \":port\" if it is not 53; the system's resolvers when not given."},
};

const struct check_type check_dns = {
	.name = "dns",
	.help = "A name has the DNS records that it should have.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct dns_options),
	.validate = validate,
	.start = start,
	.expire = expire,
	.end = end,
};
