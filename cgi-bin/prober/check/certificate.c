/* SPDX-License-Identifier: ISC */
/*
 * certificate: the verify callback, and its findings in words.
 */
#include "prober/check/certificate.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <time.h>

/* Our own place in an SSL_CTX, and in an SSL, asked for once. */
static int context_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return slot;
}

static int connection_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return slot;
}

/* Where what this connection shows is to be noted; NULL when nobody asked. */
static struct certificate *observer(SSL *ssl)
{
	struct certificate *out = ssl ? SSL_get_ex_data(ssl, connection_slot()) : NULL;

	return out || !ssl ? out : SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_slot());
}

static int64_t asn1_seconds(const ASN1_TIME *when)
{
	struct tm tm = {0};

	return when && ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static int verifying(int ok, X509_STORE_CTX *store)
{
	struct certificate *out = observer(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
	X509 *leaf = X509_STORE_CTX_get0_cert(store), *here = X509_STORE_CTX_get_current_cert(store);

	if (!out)
		return ok;
	if (leaf)
		out->expires_s = asn1_seconds(X509_get0_notAfter(leaf));
	if (!ok && out->error == X509_V_OK) {
		out->error = X509_STORE_CTX_get_error(store);
		out->depth = X509_STORE_CTX_get_error_depth(store);
		out->valid_from_s = here ? asn1_seconds(X509_get0_notBefore(here)) : 0;
		out->valid_until_s = here ? asn1_seconds(X509_get0_notAfter(here)) : 0;
	}
	return ok;
}

void certificate_observe(SSL_CTX *context, struct certificate *out, bool verify)
{
	*out = (struct certificate){.error = X509_V_OK};
	SSL_CTX_set_ex_data(context, context_slot(), out);
	SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verifying);
}

void certificate_observe_one(SSL *ssl, struct certificate *out, bool verify)
{
	*out = (struct certificate){.error = X509_V_OK};
	SSL_set_ex_data(ssl, connection_slot(), out);
	SSL_set_verify(ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verifying);
}

/* "certificate expired 2 days ago", "certificate expired 3 hours ago" */
static void cause_expired(struct result *result, const char *what, int64_t ago_s)
{
	int64_t days = ago_s / 86400, hours = ago_s / 3600;

	if (days >= 1)
		result_cause(result, "%s expired %lld day%s ago", what, (long long)days, days == 1 ? "" : "s");
	else if (hours >= 1)
		result_cause(result, "%s expired %lld hour%s ago", what, (long long)hours, hours == 1 ? "" : "s");
	else
		result_cause(result, "%s expired just now", what);
}

bool certificate_cause(const struct certificate *certificate, struct result *result, int64_t now_s)
{
	const char *what = certificate->depth == 0 ? "certificate" : "a certificate of the chain";

	switch (certificate->error) {
	case X509_V_OK:
		return false;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		cause_expired(result, what, now_s - certificate->valid_until_s);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		result_cause(result, "%s is not valid yet", what);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		result_cause(result, "certificate is self-signed");
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		result_cause(result, "certificate is signed by an unknown authority");
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		result_cause(result, "certificate is for another host name");
		break;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		result_cause(result, "%s has too short a key", what);
		break;
	case X509_V_ERR_CA_MD_TOO_WEAK:
		result_cause(result, "%s is signed by an outdated method", what);
		break;
	default:
		result_cause(result, "certificate: %s", X509_verify_cert_error_string(certificate->error));
		break;
	}
	return true;
}
