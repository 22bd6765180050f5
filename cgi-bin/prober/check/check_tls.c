/* SPDX-License-Identifier: ISC */
/*
 * check_tls: a port speaks TLS with a certificate that is right for its name, and not about to expire. How
 * many days before its end it is warned of is weighed by the judge, from what the look saw.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/stream.h"

struct tls_options {
	char *host;
	int64_t port;
	struct ints cert_days;
};

static void opened(void *arg)
{
	struct check *check = arg;

	check->result.outcome = OUTCOME_UP;
	check_finish(check);
}

static void start(struct check *check)
{
	const struct tls_options *options = check->options;
	struct stream_target target = {options->host, options->port, true, true};
	struct stream_user user = {.opened = opened, .arg = check};

	check->own = stream_open(check, &target, &user);
}

static void expire(struct check *check)
{
	stream_expire(check->own, "");
}

static void end(struct check *check)
{
	stream_free(check->own);
}

#define AT(member) .offset = offsetof(struct tls_options, member)
static const struct field fields[] = {
	{.name = "host", .type = FIELD_STRING, AT(host), .required = true, .valid = address_host_valid,
		.help = "A host name, which the certificate must be for, or an address."},
	{.name = "port", .type = FIELD_INT, AT(port), .fallback = "443", .shown = true, .min = 1, .max = 65535,
		.help = "The number of the TCP port."},
	{.name = "cert_days", .type = FIELD_INTS, AT(cert_days), .fallback = "[21,7,1]", .min = 1, .max = 3650,
		.help = "How many days before its end a certificate is warned of."},
};

const struct check_type check_tls = {
	.name = "tls",
	.help = "A certificate is valid, and not about to expire.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct tls_options),
	.start = start,
	.expire = expire,
	.end = end,
};
