/* SPDX-License-Identifier: ISC */
/*
 * Time windows. The first byte chooses the zone of texts that name none, the next four a moment between 1970
 * and 2106. What window_next_change() says is when window_active() changes, and not before.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "model/window.h"

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	"Africa/Cairo", "America/Nuuk", "Pacific/Apia", "Africa/Casablanca"};

static void check_change(const struct window *window, int64_t at)
{
	int64_t next = window_next_change(window, at), from, to;
	bool active = window_active(window, at);

	FUZZ_CHECK(next > at);
	if (next == WINDOW_NEVER)
		return;
	FUZZ_CHECK(window_active(window, next) != active);
	FUZZ_CHECK(window_active(window, next - 1) == active);
	FUZZ_CHECK(window_active(window, at + (next - at) / 2) == active);
	FUZZ_CHECK(window_next_change(window, at + (next - at) / 2) == next);
	FUZZ_CHECK(window_next_span(window, at, &from, &to));
	FUZZ_CHECK(from < to && to > at && active == (from <= at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct zone *zone = calendar_zone(zones[fuzz_byte(&data, &size) % COUNT_OF(zones)]);
	uint32_t at = 0;
	const char *why = NULL;
	struct window window;
	char *s;

	for (int i = 0; i < 4; i++)
		at = at << 8 | fuzz_byte(&data, &size);
	s = fuzz_string(data, size);
	if (!window_parse(s, zone, &window, &why))
		FUZZ_CHECK(why && *why);
	else
		check_change(&window, at);
	free(s);
	return 0;
}
