/* SPDX-License-Identifier: ISC */
/*
 * Cron expressions and when they match. The first byte chooses a zone, the next four a moment between
 * 1970 and 2106. Next lies after it and previous not, and each leads back to the other, unless more than
 * five years are between them: then there is none.
 */
#include "base/calendar.h"
#include "base/mem.h"
#include "fuzz.h"

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	"Africa/Cairo", "America/Nuuk", "Pacific/Apia", "Africa/Casablanca"};

static void check_runs(const struct cron *cron, const struct zone *zone, int64_t at)
{
	int64_t next = calendar_cron_next(cron, zone, at), previous = calendar_cron_previous(cron, zone, at), again;

	if (next != -1) {
		FUZZ_CHECK(next > at);
		FUZZ_CHECK(calendar_cron_previous(cron, zone, next) == next);
		again = calendar_cron_previous(cron, zone, next - 1);
		FUZZ_CHECK(again == previous || again == -1 || previous == -1);
	}
	if (previous > 0) {
		FUZZ_CHECK(previous <= at);
		FUZZ_CHECK(calendar_cron_next(cron, zone, previous - 1) == previous);
		again = calendar_cron_next(cron, zone, previous);
		FUZZ_CHECK(again == next || again == -1 || next == -1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct zone *zone = calendar_zone(zones[fuzz_byte(&data, &size) % COUNT_OF(zones)]);
	uint32_t at = 0;
	const char *why = NULL;
	struct cron cron;
	char *s;

	for (int i = 0; i < 4; i++)
		at = at << 8 | fuzz_byte(&data, &size);
	s = fuzz_string(data, size);
	if (!calendar_parse_cron(s, &cron, &why)) {
		FUZZ_CHECK(why && *why);
	} else {
		FUZZ_CHECK(cron.minutes && cron.hours && cron.days && cron.months && cron.weekdays);
		FUZZ_CHECK(!(cron.minutes >> 60) && !(cron.hours >> 24) && !(cron.days & 1));
		FUZZ_CHECK(!(cron.months & 1) && !(cron.months >> 13) && !(cron.weekdays >> 7));
		check_runs(&cron, zone, at);
	}
	free(s);
	return 0;
}
