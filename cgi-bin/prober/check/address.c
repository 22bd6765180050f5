/* SPDX-License-Identifier: ISC */
/*
 * address: kinds of addresses, and errors of connections in words.
 */
#include "prober/check/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const struct sockaddr_in *as_v4(const union address *address)
{
	return (const struct sockaddr_in *)address;
}

static const struct sockaddr_in6 *as_v6(const union address *address)
{
	return (const struct sockaddr_in6 *)address;
}

void address_print(const union address *address, char *out, size_t size)
{
	const void *bytes = address->any.sa_family == AF_INET6 ? (const void *)&as_v6(address)->sin6_addr :
							     (const void *)&as_v4(address)->sin_addr;

	if (!inet_ntop(address->any.sa_family, bytes, out, (socklen_t)size))
		out[0] = '\0';
}

bool address_parse(const char *text, union address *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	return out->any.sa_family != AF_UNSPEC;
}

void address_set_port(union address *address, unsigned port)
{
	if (address->any.sa_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

socklen_t address_length(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* IPv4 blocks that are nobody's public address. */
static const struct block {
	uint32_t net;
	unsigned bits;
} PRIVATE_V4[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* RFC 1918 */
	{0x64400000, 10}, /* shared, RFC 6598 */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* link-local, and where clouds keep their keys */
	{0xac100000, 12}, /* RFC 1918 */
	{0xc0a80000, 16}, /* RFC 1918 */
	{0xe0000000, 3},  /* multicast, reserved, broadcast */
};

static bool private_v4(uint32_t ip)
{
	for (size_t i = 0; i < COUNT_OF(PRIVATE_V4); i++)
		if ((ip ^ PRIVATE_V4[i].net) >> (32 - PRIVATE_V4[i].bits) == 0)
			return true;
	return false;
}

static uint32_t v4_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool private_v6(const uint8_t *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, zero[12];
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(ip, mapped, sizeof(mapped)) == 0 || memcmp(ip, nat64, sizeof(nat64)) == 0)
		return private_v4(v4_at(ip + 12));
	if (memcmp(ip, zero, sizeof(zero)) == 0)
		return true; /* ::, ::1, and the long abandoned ::192.0.2.1 form */
	if (ip[0] == 0x20 && ip[1] == 0x02)
		return private_v4(v4_at(ip + 2)); /* 6to4 */
	return ip[0] == 0xff || (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0x80) == 0x80);
}

bool address_private(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return private_v4(ntohl(as_v4(address)->sin_addr.s_addr));
	if (address->any.sa_family == AF_INET6)
		return private_v6(as_v6(address)->sin6_addr.s6_addr);
	return true;
}

bool address_names_loopback(const char *host)
{
	size_t n = strcspn(host, ":/?#");

	if (strncmp(host, "[::1]", 5) == 0 || strcmp(host, "::1") == 0)
		return true;
	return strncmp(host, "127.", 4) == 0 || (n == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (n > 10 && strncasecmp(host + n - 10, ".localhost", 10) == 0);
}

bool address_routable(const union address *address)
{
	union address to = *address;
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	address_set_port(&to, 53);
	ok = connect(fd, (const struct sockaddr *)&to, address_length(&to)) == 0 ||
		(errno != ENETUNREACH && errno != ENETDOWN && errno != EADDRNOTAVAIL);
	close(fd);
	return ok;
}

bool address_host_valid(const void *value, struct text *why)
{
	const char *host = *(char *const *)value;
	union address address;
	size_t n = strlen(host);
	bool name = n > 0 && n <= 253;

	for (const char *c = host; *c; c++)
		name = name && (isalnum((unsigned char)*c) || strchr("-._", *c));
	if (name || address_parse(host, &address))
		return true;
	text_raw(why, "must be a host name or an address, without scheme or port");
	return false;
}

/* What errors of a connection mean. `ours`: this machine's doing, nothing about the target. */
static const struct meaning {
	int error;
	const char *text;
	bool definite, ours;
} MEANINGS[] = {
	{ECONNREFUSED, "connection refused", true, false},
	{ECONNRESET, "connection reset", false, false},
	{EPIPE, "connection closed by the other side", false, false},
	{ETIMEDOUT, "connection timed out", false, false},
	{EHOSTUNREACH, "no route to host", false, false},
	{EHOSTDOWN, "host is down", false, false},
	{ENETUNREACH, "network unreachable", false, false},
	{EMFILE, "we have no file descriptors left", false, true},
	{ENFILE, "we have no file descriptors left", false, true},
	{ENOMEM, "we are out of memory", false, true},
	{ENOBUFS, "we are out of memory", false, true},
	{EADDRNOTAVAIL, "we have no local address or port left for it", false, true},
	{EAFNOSUPPORT, "this machine does not speak that address family", false, true},
	{ENETDOWN, "our network is down", false, true},
	{EACCES, "this machine does not let us connect there", false, true},
	{EPERM, "this machine does not let us connect there", false, true},
};

void address_cause(struct result *result, int error, const union address *address)
{
	result->outcome = OUTCOME_DOWN;
	result->definite = false;
	/* The same error comes from our own routing table and from a router far away. */
	if (error == ENETUNREACH && address && !address_routable(address)) {
		result->outcome = OUTCOME_UNKNOWN;
		result_cause(result, "this machine has no route to %s addresses like this one",
			address->any.sa_family == AF_INET6 ? "IPv6" : "IPv4");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++) {
		if (MEANINGS[i].error != error)
			continue;
		result->outcome = MEANINGS[i].ours ? OUTCOME_UNKNOWN : OUTCOME_DOWN;
		result->definite = MEANINGS[i].definite;
		result_cause(result, "%s", MEANINGS[i].text);
		return;
	}
	result_cause(result, "cannot connect: %s", strerror(error));
}
