/* SPDX-License-Identifier: ISC */
/*
 * sign: hashes against published vectors, the grammar of the signature headers by a table, and which
 * secrets a signature passes with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/sign.h"

static void assert_hex(const uint8_t *bytes, size_t n, const char *hex)
{
	struct text t = TEXT_INIT;

	sign_hex(&t, bytes, n);
	assert_string_equal(text_str(&t), hex);
	text_free(&t);
}

/* FIPS 180-4 examples. */
static void sha256_gives_the_published_values(void **state)
{
	uint8_t out[SHA256_BYTES];

	(void)state;
	sign_sha256("", 0, out);
	assert_hex(out, sizeof(out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sign_sha256("abc", 3, out);
	assert_hex(out, sizeof(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 2202 (SHA-1) and RFC 4231 (SHA-256); the last has a key longer than a block. */
static void hmac_gives_the_published_values(void **state)
{
	static const struct {
		char key_byte;
		size_t key_len;
		const char *key, *data, *sha1, *sha256;
	} rows[] = {
		{0x0b, 20, NULL, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{0, 4, "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{(char)0xaa, 80, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
			"aa4ae5e15272d00e95705637ce8a3b55ed402112", NULL},
		{(char)0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", NULL,
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t key[160], out[SHA256_BYTES];

		memset(key, rows[i].key_byte, sizeof(key));
		if (rows[i].key)
			memcpy(key, rows[i].key, rows[i].key_len);
		if (rows[i].sha1) {
			sign_hmac_sha1(key, rows[i].key_len, rows[i].data, strlen(rows[i].data), out);
			assert_hex(out, SHA1_BYTES, rows[i].sha1);
		}
		if (rows[i].sha256) {
			sign_hmac_sha256(key, rows[i].key_len, rows[i].data, strlen(rows[i].data), out);
			assert_hex(out, SHA256_BYTES, rows[i].sha256);
		}
	}
}

#define HEX40 "0123456789abcdefABCDEF0123456789abcdef01"
#define HEX64 HEX40 "0123456789abcdef01234567"

static const struct {
	const char *sha1, *sha256;
	bool ok, is_sha256;
} headers[] = {
	{NULL, NULL, false, false},
	{HEX40, NULL, true, false},
	{"sha1=" HEX40, NULL, true, false},
	{"SHA1=" HEX40, NULL, true, false},
	{"sHa1=" HEX40, NULL, true, false},
	{" \t sha1=" HEX40 "\t ", NULL, true, false},
	{"sha256=" HEX64, NULL, true, true},
	{"SHA256=" HEX64, NULL, true, true},
	{HEX64, NULL, false, false},
	{"sha1=" HEX64, NULL, false, false},
	{"sha256=" HEX40, NULL, false, false},
	{"sha1 =" HEX40, NULL, false, false},
	{"sha1= " HEX40, NULL, false, false},
	{"sha1:" HEX40, NULL, false, false},
	{"sha1=sha1=" HEX40, NULL, false, false},
	{"sha512=" HEX40, NULL, false, false},
	{"md5=" HEX40, NULL, false, false},
	{"=" HEX40, NULL, false, false},
	{"sha1=", NULL, false, false},
	{"", NULL, false, false},
	{" ", NULL, false, false},
	{HEX40 "0", NULL, false, false},
	{"x" HEX40, NULL, false, false},
	{HEX40 ";", NULL, false, false},
	{HEX40 "\n", NULL, false, false},
	{HEX40 "\r", NULL, false, false},
	{"\v" HEX40, NULL, false, false},
	{"sha1=" HEX40 ", sha1=" HEX40, NULL, false, false},
	{HEX40 "," HEX40, NULL, false, false},
	{"\"" HEX40 "\"", NULL, false, false},
	{"sha1=0123456789abcdefABCDEF0123456789abcdef0g", NULL, false, false},
	{NULL, HEX64, true, true},
	{NULL, "sha256=" HEX64, true, true},
	{NULL, " SHA256=" HEX64 " ", true, true},
	{NULL, HEX40, false, false},
	{NULL, "sha1=" HEX40, false, false},
	{NULL, "sha1=" HEX64, false, false},
	{NULL, "sha256=" HEX64 ", sha256=" HEX64, false, false},
	{"sha1=" HEX40, "sha256=" HEX64, true, true},
	{"nonsense", HEX64, true, true},
	{"sha1=" HEX40, "nonsense", false, false},
	{"sha1=" HEX40, "", false, false},
};

static void header_grammar_takes_these_forms_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		struct sign_headers h = {headers[i].sha1, headers[i].sha256};
		struct signature sig;
		bool ok = sign_parse_headers(&h, &sig);

		if (ok != headers[i].ok)
			fail_msg("row %zu: %s / %s", i, h.sha1 ? h.sha1 : "-", h.sha256 ? h.sha256 : "-");
		if (!ok)
			continue;
		assert_int_equal(sig.is_sha256, headers[i].is_sha256);
		assert_memory_equal(sig.mac, "\x01\x23\x45\x67\x89\xab\xcd\xef\xab\xcd\xef", 11);
	}
}

static const char body[] = "{\"time\":1777601404.25}";

static struct signature signed_with(const char *key, bool is_sha256)
{
	struct signature sig = {.is_sha256 = is_sha256};

	if (is_sha256)
		sign_hmac_sha256(key, strlen(key), body, strlen(body), sig.mac);
	else
		sign_hmac_sha1(key, strlen(key), body, strlen(body), sig.mac);
	return sig;
}

static void a_signature_passes_with_any_of_the_secrets(void **state)
{
	static const struct {
		const char *key;
		bool is_sha256, sha256_only;
		size_t n_secrets;
		bool ok;
	} rows[] = {
		{"old secret", true, false, 2, true},
		{"new secret", true, false, 2, true},
		{"new secret", false, false, 2, true},
		{"new secret", false, true, 2, false},
		{"new secret", true, true, 2, true},
		{"new secret", true, false, 1, false},
		{"other", true, false, 2, false},
		{"", true, false, 2, false},
		{"old secret", true, false, 0, false},
		{"no heartbeat has this for a key", true, false, 0, false},
		{"no heartbeat has this for a key\0", false, false, 0, false},
	};
	const struct secret secrets[] = {{(const uint8_t *)"old secret", 10}, {(const uint8_t *)"new secret", 10}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct signature sig = signed_with(rows[i].key, rows[i].is_sha256);

		assert_int_equal(
			sign_verify(&sig, rows[i].sha256_only, secrets, rows[i].n_secrets, body, strlen(body)),
			rows[i].ok);
		sig.mac[rows[i].is_sha256 ? 31 : 19] ^= 1;
		assert_false(sign_verify(&sig, rows[i].sha256_only, secrets, rows[i].n_secrets, body, strlen(body)));
	}
}

static void the_dummy_key_opens_nothing(void **state)
{
	struct signature sig = {.is_sha256 = true};

	(void)state;
	sign_hmac_sha256("no heartbeat has this for a key", 32, body, strlen(body), sig.mac);
	assert_false(sign_verify(&sig, false, NULL, 0, body, strlen(body)));
}

static void an_empty_body_can_be_signed(void **state)
{
	const struct secret secret = {(const uint8_t *)"k", 1};
	struct signature sig = {.is_sha256 = true};

	(void)state;
	sign_hmac_sha256("k", 1, NULL, 0, sig.mac);
	assert_true(sign_verify(&sig, true, &secret, 1, NULL, 0));
}

static void hex_is_strict(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_true(sign_unhex("fFa0", 4, out, 2));
	assert_int_equal(out[0] << 8 | out[1], 0xffa0);
	assert_true(sign_unhex("", 0, out, 0));
	assert_false(sign_unhex("ffa", 3, out, 2));
	assert_false(sign_unhex("ffa0", 4, out, 1));
	assert_false(sign_unhex("ff", 2, out, 2));
	assert_false(sign_unhex("fg00", 4, out, 2));
	assert_false(sign_unhex("0x00", 4, out, 2));
}

/* RFC 4648 §10, and what its strict readers refuse. */
static void base64_goes_both_ways_and_has_one_form_only(void **state)
{
	static const struct {
		const char *plain, *coded;
	} rows[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "+//+"},
		{NULL, "Zg"},
		{NULL, "Zg="},
		{NULL, "Zh=="},
		{NULL, "Zm9="},
		{NULL, "===="},
		{NULL, "Z==="},
		{NULL, "Zg==Zg=="},
		{NULL, "Zm9v\n"},
		{NULL, "Zm 9"},
		{NULL, "Zm9_"},
		{NULL, "=m9v"},
		{NULL, "Z=9v"},
		{NULL, "Zm=v"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text coded = TEXT_INIT, plain = TEXT_INIT;

		assert_int_equal(sign_unbase64(rows[i].coded, strlen(rows[i].coded), &plain), rows[i].plain != NULL);
		assert_string_equal(text_str(&plain), rows[i].plain ? rows[i].plain : "");
		if (rows[i].plain) {
			sign_base64(&coded, rows[i].plain, strlen(rows[i].plain));
			assert_string_equal(text_str(&coded), rows[i].coded);
		}
		text_free(&coded);
		text_free(&plain);
	}
}

static void equality_wiping_and_randomness(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	sign_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(sign_equal(a, b, sizeof(a)));
	b[31] ^= 0x80;
	assert_false(sign_equal(a, b, sizeof(a)));
	assert_true(sign_equal(a, b, 31));
	assert_true(sign_equal(a, b, 0));
	sign_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	sign_wipe(a, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_values),
		cmocka_unit_test(hmac_gives_the_published_values),
		cmocka_unit_test(header_grammar_takes_these_forms_and_no_others),
		cmocka_unit_test(a_signature_passes_with_any_of_the_secrets),
		cmocka_unit_test(the_dummy_key_opens_nothing),
		cmocka_unit_test(an_empty_body_can_be_signed),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(base64_goes_both_ways_and_has_one_form_only),
		cmocka_unit_test(equality_wiping_and_randomness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
