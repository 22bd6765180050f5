/* SPDX-License-Identifier: ISC */
/*
 * sign: HMAC signatures and the primitives around them. See sign.h.
 *
 * HMAC is written out here (RFC 2104, ten lines) because libcrypto's own goes through its providers.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sign.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

enum { BLOCK_BYTES = 64 }; /* of SHA-1 and SHA-256 alike */

/* ---- hashes ------------------------------------------------------------------------------------------ */

union context {
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

/* The two hashes as one kind of thing, so that HMAC is written once. */
struct hash {
	size_t size;
	void (*init)(union context *c);
	void (*update)(union context *c, const void *bytes, size_t n);
	void (*final)(union context *c, uint8_t *out);
};

static void sha1_init(union context *c)
{
	SHA1_Init(&c->sha1);
}

static void sha1_update(union context *c, const void *bytes, size_t n)
{
	SHA1_Update(&c->sha1, bytes, n);
}

static void sha1_final(union context *c, uint8_t *out)
{
	SHA1_Final(out, &c->sha1);
}

static void sha256_init(union context *c)
{
	SHA256_Init(&c->sha256);
}

static void sha256_update(union context *c, const void *bytes, size_t n)
{
	SHA256_Update(&c->sha256, bytes, n);
}

static void sha256_final(union context *c, uint8_t *out)
{
	SHA256_Final(out, &c->sha256);
}

static const struct hash sha1 = {SHA1_BYTES, sha1_init, sha1_update, sha1_final};
static const struct hash sha256 = {SHA256_BYTES, sha256_init, sha256_update, sha256_final};

static void hash_once(const struct hash *h, const void *bytes, size_t n, uint8_t *out)
{
	union context c;

	h->init(&c);
	h->update(&c, bytes, n);
	h->final(&c, out);
	sign_wipe(&c, sizeof(c));
}

static void hmac(const struct hash *h, const void *key, size_t key_len, const void *bytes, size_t n,
	uint8_t *out)
{
	uint8_t pad[BLOCK_BYTES] = {0};
	union context c;

	if (key_len > BLOCK_BYTES)
		hash_once(h, key, key_len, pad);
	else if (key_len)
		memcpy(pad, key, key_len);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] ^= 0x36;
	h->init(&c);
	h->update(&c, pad, BLOCK_BYTES);
	h->update(&c, bytes, n);
	h->final(&c, out);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	h->init(&c);
	h->update(&c, pad, BLOCK_BYTES);
	h->update(&c, out, h->size);
	h->final(&c, out);
	sign_wipe(pad, sizeof(pad));
	sign_wipe(&c, sizeof(c));
}

void sign_sha256(const void *bytes, size_t n, uint8_t out[SHA256_BYTES])
{
	hash_once(&sha256, bytes, n, out);
}

void sign_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t out[SHA1_BYTES])
{
	hmac(&sha1, key, key_len, bytes, n, out);
}

void sign_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t out[SHA256_BYTES])
{
	hmac(&sha256, key, key_len, bytes, n, out);
}

/* ---- primitives -------------------------------------------------------------------------------------- */

/* volatile keeps the compiler from leaving the loop at the first difference. */
bool sign_equal(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < n; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

void sign_random(void *out, size_t n)
{
	static const char line[] = "upbeat: the system gives no randomness\n";
	uint8_t *at = out;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
				_exit(76);
			_exit(75);
		}
		at += got;
		n -= (size_t)got;
	}
}

void sign_wipe(void *bytes, size_t n)
{
	explicit_bzero(bytes, n);
}

/* ---- hex and base64 ---------------------------------------------------------------------------------- */

void sign_hex(struct text *t, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++) {
		text_char(t, digits[b[i] >> 4]);
		text_char(t, digits[b[i] & 15]);
	}
}

bool sign_unhex(const char *s, size_t s_len, uint8_t *out, size_t n)
{
	if (s_len % 2 != 0 || s_len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = text_hex_value(s[2 * i]), low = text_hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sign_base64(struct text *t, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t group = (uint32_t)b[i] << 16;

		if (have > 1)
			group |= (uint32_t)b[i + 1] << 8;
		if (have > 2)
			group |= b[i + 2];
		text_char(t, base64_digits[group >> 18]);
		text_char(t, base64_digits[group >> 12 & 63]);
		text_char(t, have > 1 ? base64_digits[group >> 6 & 63] : '=');
		text_char(t, have > 2 ? base64_digits[group & 63] : '=');
	}
}

static int base64_value(char c)
{
	const char *digit = c ? memchr(base64_digits, c, sizeof(base64_digits) - 1) : NULL;

	return digit ? (int)(digit - base64_digits) : -1;
}

/* Four digits into up to three bytes; gives how many, or 0 when they are wrong. Padding is taken only in the
   last group, and the bits that it cuts must be zero, so that each value has one form only. */
static size_t base64_group(const char *s, bool is_last, uint8_t out[3])
{
	size_t digits = 4;
	uint32_t group = 0;

	if (is_last && s[3] == '=')
		digits = s[2] == '=' ? 2 : 3;
	for (size_t i = 0; i < 4; i++) {
		int value = i < digits ? base64_value(s[i]) : 0;

		if (value < 0)
			return 0;
		group = group << 6 | (uint32_t)value;
	}
	out[0] = (uint8_t)(group >> 16);
	out[1] = (uint8_t)(group >> 8);
	out[2] = (uint8_t)group;
	for (size_t i = digits - 1; i < 3; i++)
		if (out[i] != 0)
			return 0;
	return digits - 1;
}

bool sign_unbase64(const char *s, size_t s_len, struct text *out)
{
	size_t before = out->len;

	if (s_len % 4 != 0)
		return false;
	text_reserve(out, s_len / 4 * 3);
	for (size_t i = 0; i < s_len; i += 4) {
		uint8_t bytes[3];
		size_t n = base64_group(s + i, i + 4 == s_len, bytes);

		if (n == 0) {
			out->len = before;
			out->ptr[before] = '\0';
			return false;
		}
		text_rawn(out, (const char *)bytes, n);
	}
	return true;
}

/* ---- the headers of a beat --------------------------------------------------------------------------- */

/* The forms a header may take; the first row of a header whose prefix fits decides. */
struct form {
	const char *prefix;
	bool is_sha256;
};

static const struct form sha256_forms[] = {{"sha256=", true}, {"", true}};
static const struct form sha1_forms[] = {{"sha1=", false}, {"sha256=", true}, {"", false}};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool parse_value(const char *s, const struct form *form, struct signature *out)
{
	size_t n = strlen(s);

	while (n > 0 && is_blank(*s)) {
		s++;
		n--;
	}
	while (n > 0 && is_blank(s[n - 1]))
		n--;
	/* The last form has an empty prefix, so this ends. */
	while (strncasecmp(s, form->prefix, strlen(form->prefix)) != 0)
		form++;
	out->is_sha256 = form->is_sha256;
	s += strlen(form->prefix);
	n -= strlen(form->prefix);
	return sign_unhex(s, n, out->mac, form->is_sha256 ? SHA256_BYTES : SHA1_BYTES);
}

bool sign_parse_headers(const struct sign_headers *headers, struct signature *out)
{
	memset(out, 0, sizeof(*out));
	if (headers->sha256)
		return parse_value(headers->sha256, sha256_forms, out);
	if (headers->sha1)
		return parse_value(headers->sha1, sha1_forms, out);
	return false;
}

bool sign_verify(const struct signature *sig, bool sha256_only, const struct secret *secrets, size_t n,
	const void *body, size_t body_len)
{
	static const uint8_t dummy_key[32] = "no heartbeat has this for a key";
	static const struct secret dummy = {dummy_key, sizeof(dummy_key)};
	const struct hash *h = sig->is_sha256 ? &sha256 : &sha1;
	bool is_allowed = n > 0 && (sig->is_sha256 || !sha256_only), matches = false;
	uint8_t mac[SHA256_BYTES];

	if (n == 0) {
		secrets = &dummy;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		hmac(h, secrets[i].bytes, secrets[i].len, body, body_len, mac);
		matches |= sign_equal(mac, sig->mac, h->size);
	}
	sign_wipe(mac, sizeof(mac));
	return matches & is_allowed;
}
