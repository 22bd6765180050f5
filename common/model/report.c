/* SPDX-License-Identifier: ISC */
/* report: the one printing of a monitor as a JSON object. */
#include "model/report.h"

#include <inttypes.h>

void report_time(struct text *t, int64_t us)
{
	if (us)
		text_json_seconds(t, us);
	else
		text_raw(t, "null");
}

/* A millisecond is to a microsecond as a second is to a millisecond: 1.2 ms is printed as 1200 us / 1000,
   exactly, with the three decimals there are. */
void report_ms(struct text *t, int64_t us)
{
	if (us <= 0 || us > INT64_MAX / 1000)
		text_raw(t, "null");
	else
		text_json_seconds(t, us * 1000);
}

void report_string(struct text *t, const char *s)
{
	text_json_string(t, s && *s ? s : NULL);
}

void report_number(struct text *t, uint64_t number)
{
	if (number)
		text_printf(t, "%" PRIu64, number);
	else
		text_raw(t, "null");
}

void report_open(struct text *t, const struct report *r)
{
	text_raw(t, "{\"slug\":");
	text_json_string(t, r->slug);
	text_raw(t, ",\"name\":");
	text_json_string(t, r->name);
	text_raw(t, ",\"type\":");
	text_json_string(t, r->type);
	text_raw(t, ",\"group\":");
	report_string(t, r->group);
	text_printf(t, ",\"state\":\"%s\",\"since\":", monitor_state_name(r->state));
	report_time(t, r->since_us);
	text_raw(t, ",\"cause\":");
	report_string(t, r->cause);
	text_raw(t, ",\"checked\":");
	report_time(t, r->checked_us);
	text_raw(t, ",\"response_ms\":");
	report_ms(t, r->response_us);
	text_raw(t, ",\"incident\":");
	report_number(t, r->incident);
}

void report_put(struct text *t, const struct report *report)
{
	report_open(t, report);
	text_char(t, '}');
}
