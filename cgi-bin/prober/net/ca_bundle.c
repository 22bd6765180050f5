/* SPDX-License-Identifier: ISC */
/*
 * ca_bundle: looked for where the distributions put it; libcurl's built-in path is that of the machine that
 * it was built on.
 */
#include "prober/net/ca_bundle.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

const char *ca_bundle(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Alpine */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem", /* SUSE */
		"/etc/ssl/cert.pem",      /* BSD, macOS */
	};
	const char *given = getenv("SSL_CERT_FILE");

	if (given && access(given, R_OK) == 0)
		return given;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}
