/* SPDX-License-Identifier: ISC */
/*
 * Base64 both ways: what is decoded and encoded again must be what came in (there is one form only), and
 * any bytes encoded must decode to themselves.
 */
#include "base/sign.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text plain = TEXT_INIT, coded = TEXT_INIT;

	if (sign_unbase64((const char *)data, size, &plain)) {
		sign_base64(&coded, text_str(&plain), plain.len);
		FUZZ_CHECK(coded.len == size && (size == 0 || memcmp(coded.ptr, data, size) == 0));
	} else {
		FUZZ_CHECK(plain.len == 0);
	}
	text_clear(&plain);
	text_clear(&coded);
	sign_base64(&coded, data, size);
	FUZZ_CHECK(sign_unbase64(text_str(&coded), coded.len, &plain));
	FUZZ_CHECK(plain.len == size && (size == 0 || memcmp(plain.ptr, data, size) == 0));
	text_free(&plain);
	text_free(&coded);
	return 0;
}
