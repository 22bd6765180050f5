/* SPDX-License-Identifier: ISC */
/*
 * check_ping: an address answers an ICMP echo request. Up to three packets, half a second apart, the first
 * answer ends it: a single lost packet is no outage. Where this machine does not let us ping at all the look
 * is unknown: that says nothing of the target.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/check.h"
#include "prober/check/ping.h"

#define RESOLVE_SHARE(ms) ((ms) * 8 / 10)

struct ping_options {
	char *host;
};

struct ping_look {
	struct check *check;
	struct loop_resolve *resolve;
	struct echo echo;
	struct ping_program *programs[PING_PACKETS];
	bool by_program;
	struct loop_timer *next;
	unsigned sent, failed;
	int error; /* of the newest packet that was refused */
};

static struct result *result_of(struct ping_look *look)
{
	return &look->check->result;
}

/* ---- ways to end */

static void stop_sending(struct ping_look *look)
{
	loop_timer_stop(look->next);
	look->next = NULL;
}

static void finish(struct ping_look *look, enum outcome outcome)
{
	result_of(look)->outcome = outcome;
	stop_sending(look);
	check_finish(look->check);
}

/* What people know as "the ping": the answering packet's way there and back. */
static void up(struct ping_look *look, int64_t rtt_us)
{
	if (look->check->finished)
		return;
	if (rtt_us >= 0)
		result_of(look)->timings.total_us = result_of(look)->timings.first_byte_us = rtt_us;
	finish(look, OUTCOME_UP);
}

static void cannot(struct ping_look *look, const char *why)
{
	if (look->check->finished)
		return;
	result_cause(result_of(look), "cannot ping here: %s", why);
	finish(look, OUTCOME_UNKNOWN);
}

/* One packet came to nothing. When all have, there is nothing to wait for. */
static void failed(struct ping_look *look, int error)
{
	look->failed++;
	if (error)
		look->error = error;
	if (look->failed < PING_PACKETS || look->check->finished)
		return;
	result_of(look)->outcome = OUTCOME_DOWN;
	if (look->error)
		address_cause(result_of(look), look->error, &look->echo.to);
	else
		result_cause(result_of(look), "no answer to %d pings", PING_PACKETS);
	finish(look, result_of(look)->outcome);
}

/* ---- by our own socket */

static struct ping_look *look_of(struct echo *echo)
{
	return (struct ping_look *)((char *)echo - offsetof(struct ping_look, echo));
}

static void answered(struct echo *echo, int64_t rtt_us)
{
	up(look_of(echo), rtt_us);
}

static void refused(struct echo *echo, int error)
{
	failed(look_of(echo), error);
}

/* ---- by the system's program */

static bool is_refusal_here(const char *words)
{
	return strstr(words, "ermitted") || strstr(words, "ermission") || strstr(words, "rivilege");
}

static void said(void *arg, const struct ping_said *said)
{
	struct ping_look *look = arg;

	if (said->answered)
		up(look, said->rtt_us);
	else if (said->cannot)
		cannot(look, said->cannot);
	else if (is_refusal_here(said->words))
		cannot(look, said->words);
	else
		failed(look, 0);
}

static void run_program(struct ping_look *look)
{
	struct result *result = result_of(look);
	const char *why = NULL;

	look->programs[look->sent] = ping_program_start(look->check->loop, result->address,
		look->echo.to.any.sa_family == AF_INET6, check_left_ms(look->check), said, look, &why);
	if (!look->programs[look->sent])
		cannot(look, why);
}

/* ---- the packets */

static void send_next(void *arg)
{
	struct ping_look *look = arg;
	int error = 0;

	look->next = NULL;
	if (look->by_program)
		run_program(look);
	else
		error = echo_send(&look->echo);
	look->sent++;
	if (error)
		failed(look, error);
	if (!look->check->finished && look->sent < PING_PACKETS)
		look->next = loop_after(look->check->loop, PING_APART_MS, send_next, look);
}

/* The first that we have a route to, else the first. */
static const union address *choose(const struct addresses *addresses)
{
	for (size_t i = 0; addresses->n > 1 && i < addresses->n; i++)
		if (address_routable(&addresses->at[i]))
			return &addresses->at[i];
	return &addresses->at[0];
}

static void resolved(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct ping_look *look = arg;
	struct result *result = result_of(look);

	look->resolve = NULL;
	result->timings.dns_us = addresses->took_us;
	if (addresses->n == 0) {
		result_cause(result, "%s", why);
		finish(look, ours ? OUTCOME_UNKNOWN : OUTCOME_DOWN);
		return;
	}
	look->echo.to = *choose(addresses);
	look->echo.answered = answered;
	look->echo.refused = refused;
	address_print(&look->echo.to, result->address, sizeof(result->address));
	look->by_program = !echo_begin(&look->echo, look->check->loop);
	send_next(look);
}

static void start(struct check *check)
{
	const struct ping_options *options = check->options;
	struct ping_look *look = MEM_NEW(struct ping_look);

	check->own = look;
	look->check = check;
	look->resolve = loop_resolve(check->loop, options->host, AF_UNSPEC, RESOLVE_SHARE(check_left_ms(check)),
		resolved, look);
}

static void expire(struct check *check)
{
	struct ping_look *look = check->own;

	if (look->sent == 0)
		return;
	if (look->error)
		address_cause(&check->result, look->error, &look->echo.to);
	else
		result_cause(&check->result, "no answer to %u ping%s", look->sent, look->sent == 1 ? "" : "s");
}

static void end(struct check *check)
{
	struct ping_look *look = check->own;

	loop_resolve_stop(look->resolve);
	stop_sending(look);
	echo_end(&look->echo);
	for (size_t i = 0; i < PING_PACKETS; i++)
		ping_program_free(look->programs[i]);
	free(look);
}

static const struct field fields[] = {
	{.name = "host", .type = FIELD_STRING, .offset = offsetof(struct ping_options, host), .required = true,
		.valid = address_host_valid, .help = "A host name or an address, IPv4 or IPv6."},
};

const struct check_type check_ping = {
	.name = "ping",
	.help = "An address answers ICMP echo requests.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct ping_options),
	.start = start,
	.expire = expire,
	.end = end,
};
