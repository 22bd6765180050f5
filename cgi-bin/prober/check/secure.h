/* SPDX-License-Identifier: ISC */
/*
 * secure: TLS as a client, for checks that open their own connections, and what handshakes fail of, in words.
 */
#ifndef PROBER_SECURE_H
#define PROBER_SECURE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "model/result.h"
#include "prober/check/certificate.h"

/* A new connection object for the connected, non-blocking fd. host, a name or a literal address, is asked for
   and, with verify, must be in the certificate. What is shown is noted in *out, which outlives the object.
   The authorities of ca_bundle are parsed once per process. NULL: TLS cannot be used here, and the cause is
   set. The caller frees it with SSL_free(). */
SSL *secure_new(int fd, const char *host, bool verify, const char *ca_bundle, struct certificate *out,
	struct result *result);
/* Sets outcome down and the cause of a failed handshake: the certificate's fault, that of OpenSSL's `error`
   (ERR_get_error(); 0 none), or that of errno. */
void secure_cause(const struct certificate *certificate, unsigned long error, int system_error,
	struct result *result);

/* The same for a handshake that libcurl made: of OpenSSL's error only its words are left. */
void secure_cause_words(const char *words, struct result *result);

#endif
