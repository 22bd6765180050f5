/* SPDX-License-Identifier: ISC */
/*
 * Certificates and handshakes that failed, in words. The first eight bytes are numbers, the rest is what
 * OpenSSL or libcurl said, or a certificate as it came (DER). Whatever it is, the cause is one line of
 * UTF-8 and not empty, and the address of a target is one, or is none.
 */
#include <openssl/x509.h>

#include "fuzz.h"
#include "prober/check/address.h"
#include "prober/check/certificate.h"
#include "prober/check/secure.h"

#define NOW_S INT64_C(1777600800)

static void check_cause(struct result *result)
{
	FUZZ_CHECK(text_utf8_valid(result->cause, strlen(result->cause)));
	for (const unsigned char *c = (const unsigned char *)result->cause; *c; c++)
		FUZZ_CHECK(*c >= ' ' && *c != 0x7f);
	result_clear(result);
}

static int64_t number(const uint8_t **data, size_t *size)
{
	int64_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | fuzz_byte(data, size);
	return value;
}

static void check_address(const char *text)
{
	union address address, again;
	struct text why = TEXT_INIT;
	char printed[64];

	if (address_parse(text, &address)) {
		address_print(&address, printed, sizeof(printed));
		FUZZ_CHECK(address_parse(printed, &again));
		FUZZ_CHECK(address_private(&address) == address_private(&again));
		FUZZ_CHECK(address_host_valid(&text, &why) || why.len > 0);
	}
	address_host_valid(&text, &why);
	text_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certificate certificate = {
		.error = (int)(fuzz_byte(&data, &size)) - 2, .depth = fuzz_byte(&data, &size) % 3};
	struct result result = {.outcome = OUTCOME_DOWN};
	char *words;

	certificate.valid_from_s = number(&data, &size) - ((int64_t)fuzz_byte(&data, &size) << 24);
	certificate.valid_until_s = certificate.expires_s = number(&data, &size);
	words = fuzz_string(data, size);
	if (certificate_cause(&certificate, &result, NOW_S))
		FUZZ_CHECK(*result.cause);
	check_cause(&result);
	result = (struct result){.outcome = OUTCOME_DOWN};
	secure_cause_words(words, &result);
	FUZZ_CHECK(*result.cause);
	check_cause(&result);
	result = (struct result){.outcome = OUTCOME_DOWN};
	secure_cause(&certificate, (unsigned long)certificate.expires_s << 8, certificate.depth, &result);
	check_cause(&result);
	check_address(words);
	free(words);
	return 0;
}
