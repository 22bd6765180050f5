/* SPDX-License-Identifier: ISC */
/*
 * certificate: what a TLS handshake showed of the other side's certificate, also when it failed.
 *
 * OpenSSL tells each certificate of a chain to a callback while it verifies; libcurl leaves that callback to
 * us (CURLOPT_SSL_CTX_FUNCTION). So the end of validity is known even of a certificate that was refused.
 */
#ifndef PROBER_CERTIFICATE_H
#define PROBER_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/result.h"

struct certificate {
	int64_t expires_s;            /* notAfter of the leaf, seconds since 1970; 0: none was shown */
	int error;                    /* X509_V_ERR_...; X509_V_OK: none */
	int depth;                    /* where the error is: 0 is the leaf */
	int64_t valid_from_s, valid_until_s; /* of the certificate with the error */
};

/* Notes in *out, which outlives the handshake, what connections of this context show. With verify false
   errors are noted and let through. */
void certificate_observe(SSL_CTX *context, struct certificate *out, bool verify);
/* The same for one connection, whose context is shared with others. */
void certificate_observe_one(SSL *ssl, struct certificate *out, bool verify);
/* Names the noted error for people; true when there is one. */
bool certificate_cause(const struct certificate *certificate, struct result *result, int64_t now_s);

#endif
