/* SPDX-License-Identifier: ISC */
/*
 * The grammar of the signature headers. The input is the headers' values, one per line: X-Hub-Signature,
 * then X-Hub-Signature-256; a missing line is a missing header. Whatever passes must be hex in one of the
 * forms, and written out again must be what came in.
 */
#include <ctype.h>
#include <strings.h>

#include "base/sign.h"
#include "fuzz.h"

/* The hex digits at the end of a value whose blanks and prefix are gone, or NULL. */
static const char *digits_of(char *value, bool *is_sha256, bool alone)
{
	size_t n;

	value += strspn(value, " \t");
	for (n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
		value[n - 1] = '\0';
	*is_sha256 = alone;
	if (strncasecmp(value, "sha256=", 7) == 0) {
		*is_sha256 = true;
		value += 7;
	} else if (!alone && strncasecmp(value, "sha1=", 5) == 0) {
		value += 5;
	}
	n = strlen(value);
	if (strspn(value, "0123456789abcdefABCDEF") != n || n != (*is_sha256 ? 64u : 40u))
		return NULL;
	for (size_t i = 0; i < n; i++)
		value[i] = (char)tolower((unsigned char)value[i]);
	return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = fuzz_string(data, size), *second = strchr(first, '\n');
	struct sign_headers headers = {size ? first : NULL, NULL};
	struct signature sig;
	struct text hex = TEXT_INIT;
	const char *digits = NULL;
	bool ok, is_sha256 = false;

	if (second) {
		*second++ = '\0';
		headers.sha256 = second;
	}
	ok = sign_parse_headers(&headers, &sig);
	FUZZ_CHECK(!sign_verify(&sig, false, NULL, 0, data, size));
	if (headers.sha256)
		digits = digits_of(second, &is_sha256, true);
	else if (headers.sha1)
		digits = digits_of(first, &is_sha256, false);
	FUZZ_CHECK(ok == (digits != NULL));
	if (ok) {
		FUZZ_CHECK(sig.is_sha256 == is_sha256);
		sign_hex(&hex, sig.mac, is_sha256 ? SHA256_BYTES : SHA1_BYTES);
		FUZZ_CHECK(strcmp(text_str(&hex), digits) == 0);
	}
	text_free(&hex);
	free(first);
	return 0;
}
