/* SPDX-License-Identifier: ISC */
/*
 * Durations, HTTP dates and whole numbers: what is read, written and read again is the same.
 */
#include "base/calendar.h"
#include "fuzz.h"

static void check_duration(const char *s)
{
	struct text t = TEXT_INIT;
	int64_t ms, again;

	if (!calendar_parse_duration(s, &ms))
		return;
	FUZZ_CHECK(ms >= 0 && s[0] >= '0' && s[0] <= '9');
	calendar_put_duration(&t, ms);
	FUZZ_CHECK(calendar_parse_duration(text_str(&t), &again) && again == ms);
	text_free(&t);
}

static void check_date(const char *s)
{
	struct text t = TEXT_INIT;
	int64_t unix_s;

	if (!calendar_parse_http_date(s, &unix_s))
		return;
	calendar_put_http_date(&t, unix_s);
	FUZZ_CHECK(strcmp(text_str(&t), s) == 0);
	text_free(&t);
}

static void check_number(const char *s)
{
	int64_t i = 0;
	uint64_t u = 0;
	bool is_i64 = text_to_i64(s, &i), is_u64 = text_to_u64(s, &u);

	FUZZ_CHECK(!is_u64 || is_i64 == (u <= INT64_MAX));
	FUZZ_CHECK(!is_u64 || !is_i64 || (uint64_t)i == u);
	FUZZ_CHECK(!is_i64 || is_u64 || s[0] == '-');
	FUZZ_CHECK(!is_i64 || strtoll(s, NULL, 10) == i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);

	check_duration(s);
	check_date(s);
	check_number(s);
	free(s);
	return 0;
}
