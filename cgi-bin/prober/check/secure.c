/* SPDX-License-Identifier: ISC */
/*
 * secure: one context for the whole process, because parsing a system's bundle of authorities takes 20 ms.
 */
#include "prober/check/secure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- the context */

static SSL_CTX *context_make(const char *ca_bundle)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return NULL;
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (ca_bundle && SSL_CTX_load_verify_locations(context, ca_bundle, NULL) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

/* The shared one, made anew only for another bundle. */
static SSL_CTX *context_for(const char *ca_bundle)
{
	static SSL_CTX *context;
	static char *bundle;

	if (context && (!ca_bundle || (bundle && strcmp(bundle, ca_bundle) == 0)))
		return context;
	SSL_CTX_free(context);
	free(bundle);
	bundle = mem_str(ca_bundle);
	context = context_make(ca_bundle);
	return context;
}

static bool is_literal(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool set_host(SSL *ssl, const char *host)
{
	char *name = (char *)(uintptr_t)host; /* OpenSSL's macro wants it so, and copies it */

	if (is_literal(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, host) == 1;
}

SSL *secure_new(int fd, const char *host, bool verify, const char *ca_bundle, struct certificate *out,
	struct result *result)
{
	SSL_CTX *context = NULL;
	SSL *ssl = NULL;

	result->outcome = OUTCOME_UNKNOWN;
	if (verify && !ca_bundle) {
		result_cause(result, "we have no list of certificate authorities");
		return NULL;
	}
	context = context_for(ca_bundle);
	if (context)
		ssl = SSL_new(context);
	if (ssl && SSL_set_fd(ssl, fd) == 1 && set_host(ssl, host)) {
		certificate_observe_one(ssl, out, verify);
		SSL_set_connect_state(ssl);
		return ssl;
	}
	result_cause(result, context ? "TLS cannot be used here" : "we have no usable list of certificate authorities");
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

/* ---- causes */

#define ALERT(n) (SSL_AD_REASON_OFFSET + (n))

static const struct meaning {
	int reason;
	const char *text;
} MEANINGS[] = {
	{SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS there"},
	{SSL_R_HTTP_REQUEST, "it does not speak TLS there"},
	{SSL_R_PACKET_LENGTH_TOO_LONG, "it does not speak TLS there"},
	{SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, "it speaks only outdated versions of TLS"},
	{SSL_R_UNSUPPORTED_PROTOCOL, "it speaks only outdated versions of TLS"},
	{ALERT(SSL_AD_PROTOCOL_VERSION), "it speaks only other versions of TLS"},
	{ALERT(SSL_AD_HANDSHAKE_FAILURE), "it refused all that we offered"},
	{ALERT(SSL_AD_UNRECOGNIZED_NAME), "it does not know that host name"},
	{ALERT(SSL_AD_INTERNAL_ERROR), "it reports an error of its own"},
	{ALERT(SSL_AD_BAD_CERTIFICATE), "it demands a client certificate"},
	{ALERT(SSL_AD_CERTIFICATE_REQUIRED), "it demands a client certificate"},
	{SSL_R_UNEXPECTED_EOF_WHILE_READING, "it closed the connection"},
	{SSL_R_EXCESSIVE_MESSAGE_SIZE, "its certificates are too long"},
	{SSL_R_DH_KEY_TOO_SMALL, "its key is too short"},
	{SSL_R_EE_KEY_TOO_SMALL, "its key is too short"},
	{SSL_R_CA_MD_TOO_WEAK, "its certificate is signed by an outdated method"},
};

static const char *reason_text(unsigned long error)
{
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++)
		if (ERR_GET_REASON(error) == MEANINGS[i].reason)
			return MEANINGS[i].text;
	return ERR_reason_error_string(error);
}

static void cause_handshake(struct result *result, const char *why)
{
	result->outcome = OUTCOME_DOWN;
	result->definite = false;
	result_cause(result, "TLS handshake failed%s%s", why ? ": " : "", why ? why : "");
}

void secure_cause(const struct certificate *certificate, unsigned long error, int system_error,
	struct result *result)
{
	const char *why = error ? reason_text(error) : NULL;

	if (certificate_cause(certificate, result, result->at_us / US_PER_S)) {
		result->outcome = OUTCOME_DOWN;
		result->definite = true;
		return;
	}
	if (!error && (system_error == ECONNRESET || system_error == EPIPE))
		why = "it reset the connection";
	else if (!error)
		why = "it closed the connection";
	cause_handshake(result, why);
}

void secure_cause_words(const char *words, struct result *result)
{
	const char *code = strstr(words, "error:");
	unsigned long error = code ? strtoul(code + strlen("error:"), NULL, 16) : 0;

	if (error)
		cause_handshake(result, reason_text(error));
	else if (strstr(words, "reset"))
		cause_handshake(result, "it reset the connection");
	else
		cause_handshake(result, "it closed the connection");
}
