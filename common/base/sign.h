/* SPDX-License-Identifier: ISC */
/*
 * sign: HMAC signatures as programs send them, and the few primitives around them.
 *
 * The hashes are libcrypto's low-level SHA functions, not EVP: fetching a provider costs
 * 1-2 ms at the start of a process, which a plain CGI request would pay each time.
 *
 * Facts: X-Hub-Signature / X-Hub-Signature-256 are the lower-case hex HMAC of the raw body
 * (GitHub and Facebook webhooks); webhook-signature is Standard Webhooks' base64 form.
 */
#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define SHA1_BYTES 20
#define SHA256_BYTES 32

void sign_sha256(const void *bytes, size_t n, uint8_t out[SHA256_BYTES]);
void sign_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t out[SHA1_BYTES]);
void sign_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
	uint8_t out[SHA256_BYTES]);

/* Constant-time equality of n bytes. */
bool sign_equal(const void *a, const void *b, size_t n);
/* getrandom(); ends the process when there is no randomness. */
void sign_random(void *out, size_t n);
/* Overwrites with zeros in a way the compiler keeps. */
void sign_wipe(void *bytes, size_t n);

/* Lower-case hex out; hex in takes either case and exactly 2 * n digits (s_len counted). */
void sign_hex(struct text *t, const void *bytes, size_t n);
bool sign_unhex(const char *s, size_t s_len, uint8_t *out, size_t n);
/* Standard base64 with padding; decoding is strict and appends to out. */
void sign_base64(struct text *t, const void *bytes, size_t n);
bool sign_unbase64(const char *s, size_t s_len, struct text *out);

/* A secret as bytes; not NUL-terminated. */
struct secret {
	const uint8_t *bytes;
	size_t len;
};

/* What the request brought: header values as received, NULL when the header is absent. The server
   joins doubled headers with ", ", which no signature's grammar allows: refused like any other. */
struct sign_headers {
	const char *sha1;   /* X-Hub-Signature: [sha1=]<40 hex>, or sha256=<64 hex> */
	const char *sha256; /* X-Hub-Signature-256: [sha256=]<64 hex>; alone decides when present */
};

/* A parsed signature: which hash, and its bytes. */
struct signature {
	bool is_sha256;
	uint8_t mac[SHA256_BYTES]; /* 20 or 32 bytes used */
};

/* Grammar only: prefix and hex in either case, blanks around trimmed, nothing else. false when
   absent or malformed. */
bool sign_parse_headers(const struct sign_headers *headers, struct signature *out);

/* true when the signature is the HMAC of body under any of the n secrets. With n == 0 a dummy key is
   tried, so that an unknown name costs what a known one costs. sha256_only refuses SHA-1. Every secret
   is tried, whichever matches, and compared in constant time. */
bool sign_verify(const struct signature *sig, bool sha256_only, const struct secret *secrets, size_t n,
	const void *body, size_t body_len);

#endif
