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
#include "prober/place.h"

/* What came with a portable folder: better old authorities than none, where the system keeps its own out of
   sight. The path lives as long as the program. */
static const char *shipped_bundle(void)
{
	static char *path;

	if (!path)
		path = place_beside("../lib/ca-certificates.crt");
	return path;
}

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
	return shipped_bundle();
}
