/* SPDX-License-Identifier: ISC */
/*
 * TZif files. Of any that is taken: spans join without gaps, clocks lead back to moments, and cron jobs
 * find their way through whatever offsets it has.
 */
#include "base/mem.h"
#include "base/zone.h"
#include "fuzz.h"

static void check_moment(const struct zone *zone, const struct cron *cron, int64_t at)
{
	struct zone_span span = zone_span_at(zone, at);
	int64_t first = zone_first_moment(zone, at + span.offset), next;

	FUZZ_CHECK(span.start <= at && at < span.end);
	FUZZ_CHECK(first <= at || zone_span_at(zone, first).start == first);
	FUZZ_CHECK(zone_latest_shown(zone, at) >= at + span.offset);
	if (span.end < INT64_C(8000000000))
		FUZZ_CHECK(zone_span_at(zone, span.end).start == span.end);
	next = calendar_cron_next(cron, zone, at);
	FUZZ_CHECK(next == -1 || next > at);
	FUZZ_CHECK(calendar_cron_previous(cron, zone, at) <= at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = mem_dup(data, size);
	struct zone *zone = zone_parse(exact, size);
	struct cron fixed, frequent;
	const char *why;

	free(exact);
	if (!zone)
		return 0;
	FUZZ_CHECK(calendar_parse_cron("30 2 * * *", &fixed, &why));
	FUZZ_CHECK(calendar_parse_cron("*/30 * * * *", &frequent, &why));
	for (int64_t at = INT64_C(-3000000000); at < INT64_C(6000000000); at += INT64_C(277777777)) {
		check_moment(zone, &fixed, at);
		check_moment(zone, &frequent, at);
	}
	zone_free(zone);
	return 0;
}
