/* SPDX-License-Identifier: ISC */
/*
 * Answers of DNS servers, and what people expect of them. The first byte chooses the type of record, the
 * second how long the expected text is; the rest is the message. What is read of it is in the form in
 * which records are compared.
 */
#include "fuzz.h"
#include "prober/check/dns_answer.h"

/* Letters of host names, after an MX's number; of others c-ares escapes some. */
static bool is_plain(const char *s)
{
	const char *blank = strchr(s, ' ');

	s = blank ? blank + 1 : s;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.:")] == '\0';
}

/* A record that a person can write is equal to itself; a text may hold anything that has no NUL. */
static void check_records(unsigned type, const struct strings *records)
{
	struct text written = TEXT_INIT;

	for (size_t i = 0; i < records->n; i++) {
		struct strings one = {&records->at[i], 1};

		text_clear(&written);
		FUZZ_CHECK(records->at[i]);
		if (is_plain(records->at[i]) && dns_canonical(type, records->at[i], &written)) {
			FUZZ_CHECK(strcmp(text_str(&written), records->at[i]) == 0);
			FUZZ_CHECK(dns_same_records(type, &one, &one));
		}
	}
	text_free(&written);
}

static void check_canonical(unsigned type, const char *written)
{
	struct text once = TEXT_INIT, twice = TEXT_INIT;

	if (dns_canonical(type, written, &once)) {
		FUZZ_CHECK(dns_canonical(type, text_str(&once), &twice));
		FUZZ_CHECK(strcmp(text_str(&once), text_str(&twice)) == 0);
	}
	text_free(&once);
	text_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t types = 0, length;
	struct strings records = {NULL, 0};
	uint8_t *message;
	unsigned type;
	char *written;

	while (dns_record_names[types])
		types++;
	type = dns_record_type(dns_record_names[fuzz_byte(&data, &size) % types]);
	length = fuzz_byte(&data, &size);
	if (length > size)
		length = size;
	written = fuzz_string(data, length);
	message = (uint8_t *)fuzz_string(data + length, size - length);
	check_canonical(type, written);
	if (dns_answer_read(message, size - length, type, &records))
		check_records(type, &records);
	dns_records_clear(&records);
	free(message);
	free(written);
	return 0;
}
