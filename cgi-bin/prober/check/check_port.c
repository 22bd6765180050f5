/* SPDX-License-Identifier: ISC */
/*
 * check_port: a TCP port accepts connections, and says what it should say.
 *
 * The worked example of a monitor type. What a type consists of, from the bottom of this file upwards:
 *
 *	check_port     its row, which checks.def puts into the table of all types
 *	fields         its keys in upbeat.json: where each goes, its default, its limits, its sentence in the
 *	               manual; parsing, error texts, the JSON schema and publishing need nothing else
 *	start          begins the look: whatever it needs hangs on the loop, nothing ever blocks
 *	expire         the deadline, which check.c keeps for all types, has passed
 *	end            lets go of everything
 *
 * In between, whenever enough was seen, the result is filled in and check_finish() called.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/keyword.h"
#include "prober/check/stream.h"

#define READ_MAX 65536 /* bytes among which the expected text must be */

struct port_options {
	char *host;
	int64_t port;
	bool tls, verify;
	char *send, *expect;
};

struct port_look {
	struct check *check;
	struct stream *stream;
	struct keyword expected;
	size_t came;
	struct text kept; /* of the answer, as evidence */
};

static const struct port_options *options_of(const struct port_look *look)
{
	return look->check->options;
}

static void up(struct port_look *look)
{
	look->check->result.outcome = OUTCOME_UP;
	check_finish(look->check);
}

/* What it said instead is the evidence. */
static void keep_evidence(struct port_look *look)
{
	struct result *result = &look->check->result;

	if (look->kept.len == 0)
		return;
	result->body_len = look->kept.len;
	result->body = text_take(&look->kept);
}

/* "expected \"220\", but it said \"554 no\"" */
static void put_difference(struct port_look *look, struct text *t)
{
	size_t line = strcspn(text_str(&look->kept), "\r\n");

	text_raw(t, "expected \"");
	text_cut(t, options_of(look)->expect, 40);
	text_raw(t, "\", but it said ");
	if (look->kept.len == 0) {
		text_raw(t, "nothing");
		return;
	}
	text_char(t, '"');
	text_logn(t, look->kept.ptr, line < 40 ? line : 40);
	text_char(t, '"');
}

static void down(struct port_look *look, const char *end)
{
	struct text cause = TEXT_INIT;

	put_difference(look, &cause);
	text_raw(&cause, end);
	look->check->result.outcome = OUTCOME_DOWN;
	result_cause(&look->check->result, "%s", text_str(&cause));
	text_free(&cause);
	keep_evidence(look);
	check_finish(look->check);
}

static void opened(void *arg)
{
	struct port_look *look = arg;
	const struct port_options *options = options_of(look);

	if (options->send)
		stream_send(look->stream, options->send, strlen(options->send));
	if (options->expect)
		stream_read(look->stream);
	else if (!options->send)
		up(look);
}

static void sent(void *arg)
{
	up(arg);
}

static void came(void *arg, const char *bytes, size_t n)
{
	struct port_look *look = arg;
	size_t room = BODY_KEPT_MAX - look->kept.len;

	look->came += n;
	text_rawn(&look->kept, bytes, n < room ? n : room);
	if (keyword_feed(&look->expected, bytes, n))
		up(look);
	else if (look->came >= READ_MAX)
		down(look, " in the first 64 KiB");
}

static void closed(void *arg)
{
	down(arg, " and closed the connection");
}

static void start(struct check *check)
{
	const struct port_options *options = check->options;
	struct port_look *look = MEM_NEW(struct port_look);
	struct stream_target target = {options->host, options->port, options->tls, options->verify};
	struct stream_user user = {opened, sent, came, closed, look};

	check->own = look;
	look->check = check;
	keyword_begin(&look->expected, options->expect ? options->expect : "", false);
	look->stream = stream_open(check, &target, &user);
}

static void expire(struct check *check)
{
	struct port_look *look = check->own;
	struct text waiting = TEXT_INIT;

	if (options_of(look)->expect) {
		text_raw(&waiting, ": ");
		put_difference(look, &waiting);
	}
	stream_expire(look->stream, text_str(&waiting));
	text_free(&waiting);
	keep_evidence(look);
}

static void end(struct check *check)
{
	struct port_look *look = check->own;

	stream_free(look->stream);
	keyword_clear(&look->expected);
	text_free(&look->kept);
	free(look);
}

static bool not_empty(const void *value, struct text *why)
{
	if (**(char *const *)value)
		return true;
	text_raw(why, "must not be empty");
	return false;
}

#define AT(member) .offset = offsetof(struct port_options, member)
static const struct field fields[] = {
	{.name = "host", .type = FIELD_STRING, AT(host), .required = true, .valid = address_host_valid,
		.help = "A host name or an address."},
	{.name = "port", .type = FIELD_INT, AT(port), .required = true, .min = 1, .max = 65535,
		.help = "The number of the TCP port."},
	{.name = "tls", .type = FIELD_BOOL, AT(tls), .fallback = "false",
		.help = "Whether TLS is spoken from the first byte on."},
	{.name = "verify", .type = FIELD_BOOL, AT(verify), .fallback = "true",
		.help = "Whether, with TLS, a wrong certificate is down."},
	{.name = "send", .type = FIELD_STRING, AT(send), .help = "What to send once the connection stands."},
	{.name = "expect", .type = FIELD_STRING, AT(expect), .valid = not_empty,
		.help = "A text that must come, within the first 64 KiB; without it, connecting is enough."},
};

const struct check_type check_port = {
	.name = "port",
	.help = "A TCP port accepts connections.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct port_options),
	.start = start,
	.expire = expire,
	.end = end,
};
