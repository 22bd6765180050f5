/* SPDX-License-Identifier: ISC */
/*
 * address: what checks ask of an address, and of an error that a connection to it gave.
 */
#ifndef PROBER_ADDRESS_H
#define PROBER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/text.h"
#include "model/result.h"
#include "prober/net/loop.h"

/* "192.0.2.1", "2001:db8::1"; out holds 64 bytes at least. */
void address_print(const union address *address, char *out, size_t size);
/* From its text form; false when it is none. */
bool address_parse(const char *text, union address *out);
void address_set_port(union address *address, unsigned port);
socklen_t address_length(const union address *address);
/* Loopback, link-local, private, shared (CGNAT), unspecified, multicast, and IPv4 ones of these kinds in
   IPv6 clothes: what nobody out there may redirect us to. */
bool address_private(const union address *address);
/* Is it this very machine: a host name or an address, as in a URL (a port or a path may follow) or alone? */
bool address_names_loopback(const char *host);
/* Has this machine any route to it? (No packet is sent.) */
bool address_routable(const union address *address);
/* For keys that take a host: a name or an address, and nothing else (no URL, no port). `value` is a char **. */
bool address_host_valid(const void *value, struct text *why);
/* Sets outcome, cause and definite from the errno of a failed connect, send or receive; unknown when it is
   this machine that cannot. address may be NULL. */
void address_cause(struct result *result, int error, const union address *address);

#endif
