/* SPDX-License-Identifier: ISC */
/* metrics: one family after the other, each a row with its help and its value of a monitor. */
#include "web/metrics.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/view.h"

/* Appends the value and returns true, or returns false when there is none for this monitor. */
typedef bool metric_value(struct text *t, const struct view_monitor *m);

static bool success(struct text *t, const struct view_monitor *m)
{
	if (m->state != STATE_UP && m->state != STATE_SUSPECT && m->state != STATE_DOWN)
		return false;
	text_char(t, m->state == STATE_DOWN ? '0' : '1');
	return true;
}

static bool duration(struct text *t, const struct view_monitor *m)
{
	if (m->response_us <= 0 || (m->state != STATE_UP && m->state != STATE_SUSPECT))
		return false;
	text_json_seconds(t, m->response_us);
	return true;
}

static bool certificate(struct text *t, const struct view_monitor *m)
{
	if (!m->certificate_s)
		return false;
	text_printf(t, "%" PRId64, m->certificate_s);
	return true;
}

static bool since(struct text *t, const struct view_monitor *m)
{
	if (!m->since_us)
		return false;
	text_json_seconds(t, m->since_us);
	return true;
}

static bool checked(struct text *t, const struct view_monitor *m)
{
	if (!m->checked_us)
		return false;
	text_json_seconds(t, m->checked_us);
	return true;
}

static bool maintenance(struct text *t, const struct view_monitor *m)
{
	text_char(t, m->marks & MARK_MAINTENANCE ? '1' : '0');
	return true;
}

static const struct {
	const char *name, *help;
	metric_value *value;
} families[] = {
	{"probe_success", "Whether the monitor is up (1) or down (0). Absent while that is not known.",
		success},
	{"probe_duration_seconds", "Response time of the newest good check.", duration},
	{"probe_ssl_earliest_cert_expiry", "End of the certificate, seconds since 1970.", certificate},
	{"upbeat_monitor_since_timestamp_seconds", "Since when the monitor is in its state.", since},
	{"upbeat_monitor_checked_timestamp_seconds", "When the newest result was made.", checked},
	{"upbeat_monitor_maintenance", "Whether maintenance is active.", maintenance},
};

static void put_head(struct text *t, const char *name, const char *help, const char *type)
{
	text_printf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_label(struct text *t, const char *name, const char *value)
{
	text_printf(t, "%s=\"", name);
	text_label(t, value);
	text_char(t, '"');
}

static void put_family(struct text *t, const struct view *view, size_t which)
{
	struct text value = TEXT_INIT;

	put_head(t, families[which].name, families[which].help, "gauge");
	for (size_t i = 0; i < view->count; i++) {
		const struct view_monitor *m = &view->monitors[i];

		text_clear(&value);
		if (!families[which].value(&value, m))
			continue;
		text_raw(t, families[which].name);
		text_raw(t, "{monitor=\"");
		text_raw(t, m->listed->slug); /* [a-z0-9._-] */
		text_raw(t, "\"} ");
		text_rawn(t, value.ptr, value.len);
		text_char(t, '\n');
	}
	text_free(&value);
}

/* Names and states as labels of a constant 1, to be joined with the others. */
static void put_info(struct text *t, const struct view *view)
{
	put_head(t, "upbeat_monitor_info", "What a monitor is, and its state now.", "gauge");
	for (size_t i = 0; i < view->count; i++) {
		const struct view_monitor *m = &view->monitors[i];

		text_raw(t, "upbeat_monitor_info{");
		put_label(t, "monitor", m->listed->slug);
		text_char(t, ',');
		put_label(t, "name", m->listed->name);
		text_char(t, ',');
		put_label(t, "type", m->listed->type);
		text_char(t, ',');
		put_label(t, "group", m->listed->group_name);
		text_printf(t, ",state=\"%s\"} 1\n", monitor_state_name(m->state));
	}
}

static void put_whole(struct text *t, const struct view *view)
{
	put_head(t, "upbeat_monitors", "How many monitors are in each state.", "gauge");
	for (int state = 0; state < STATE__COUNT; state++)
		text_printf(t, "upbeat_monitors{state=\"%s\"} %zu\n",
			monitor_state_name((enum monitor_state)state), view->counts[state]);
	put_head(t, "upbeat_watching", "Whether passes of the prober are fresh and can see.", "gauge");
	text_printf(t, "upbeat_watching %d\n", view->watching == WATCHING);
	put_head(t, "upbeat_pass_timestamp_seconds", "The newest sign of life of a pass.", "gauge");
	text_raw(t, "upbeat_pass_timestamp_seconds ");
	text_json_seconds(t, view->watched_us);
	text_char(t, '\n');
	put_head(t, "upbeat_passes_total", "Passes that were finished.", "counter");
	text_printf(t, "upbeat_passes_total %" PRIu64 "\n", view->pass.passes);
	put_head(t, "upbeat_config_ok", "Whether the configuration as last read is good.", "gauge");
	text_printf(t, "upbeat_config_ok %d\n", view->pass.config_ok);
}

void metrics_page(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct view view;

	(void)match;
	if (!api_view(&view, web, req, reply))
		return;
	reply->type = TYPE_METRICS;
	put_whole(&reply->body, &view);
	put_info(&reply->body, &view);
	for (size_t i = 0; i < COUNT_OF(families); i++)
		put_family(&reply->body, &view, i);
	view_close(&view);
}
