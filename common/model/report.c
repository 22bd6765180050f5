/* SPDX-License-Identifier: ISC */
/* report: the one printing of a monitor, and of an incident, as a JSON object. */
#include "model/report.h"

#include <inttypes.h>

#include "base/mem.h"

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

/* ---- incidents */

static const char *const entry_names[ENTRY__COUNT] = {
	[ENTRY_ATTEMPT] = "attempt",
	[ENTRY_DECIDED] = "decided",
	[ENTRY_HELD] = "held",
	[ENTRY_QUEUED] = "queued",
	[ENTRY_DELIVERY] = "delivery",
	[ENTRY_ACKNOWLEDGED] = "acknowledged",
	[ENTRY_NOTE] = "note",
};

static void put_member(struct text *t, const char *name, const char *value)
{
	text_printf(t, ",\"%s\":", name);
	report_string(t, value);
}

void report_entry(struct text *t, const struct incident_entry *e, bool all)
{
	const struct {
		const char *name;
		int64_t us;
	} parts[] = {{"dns_ms", e->timings.dns_us}, {"connect_ms", e->timings.connect_us},
		{"tls_ms", e->timings.tls_us}, {"first_byte_ms", e->timings.first_byte_us},
		{"total_ms", e->timings.total_us}};

	text_raw(t, "{\"at\":");
	report_time(t, e->at_us);
	text_printf(t, ",\"kind\":\"%s\"", e->kind < ENTRY__COUNT ? entry_names[e->kind] : "other");
	put_member(t, "who", all ? e->who : NULL);
	put_member(t, "text", e->text);
	if (e->kind == ENTRY_NOTE)
		text_printf(t, ",\"public\":%s", e->status == 1 ? "true" : "false");
	if (e->kind == ENTRY_ATTEMPT || e->kind == ENTRY_DELIVERY) {
		text_printf(t, ",\"outcome\":\"%s\",\"status\":", outcome_name(e->outcome));
		report_number(t, (uint64_t)(e->status > 0 ? e->status : 0));
	}
	if (e->kind == ENTRY_ATTEMPT) {
		put_member(t, "address", e->address);
		for (size_t i = 0; i < COUNT_OF(parts); i++) {
			text_printf(t, ",\"%s\":", parts[i].name);
			report_ms(t, parts[i].us);
		}
		put_member(t, "headers", e->headers);
		put_member(t, "body", e->body);
	}
	text_char(t, '}');
}

void report_incident_open(struct text *t, const struct incident *incident, const char *slug, const char *name, bool all)
{
	text_printf(t, "{\"id\":%u,\"monitor\":", incident->id);
	text_json_string(t, slug);
	put_member(t, "name", name);
	text_printf(t, ",\"state\":\"%s\",\"started\":", monitor_state_name(incident->state));
	report_time(t, incident->started_us);
	text_raw(t, ",\"decided\":");
	report_time(t, incident->decided_us);
	text_raw(t, ",\"ended\":");
	report_time(t, incident->ended_us);
	text_raw(t, ",\"acknowledged\":");
	report_time(t, incident->acknowledged_us);
	put_member(t, "acknowledged_by", all ? incident->acknowledged_by : NULL);
	put_member(t, "cause", all ? incident->cause : NULL);
}
