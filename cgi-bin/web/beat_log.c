/* SPDX-License-Identifier: ISC */
/* beat_log: one JSON object for each beat that has something to say. */
#include "web/beat_log.h"

#include <string.h>

#include "base/json_scan.h"

bool beat_log_put(struct text *t, const struct beat *beat)
{
	struct text msg = TEXT_INIT;
	bool plain = beat->kind == BEAT_SUCCESS && beat->exit_status < 0 && beat->length_us < 0;

	if (plain && (!beat->msg || !*beat->msg))
		return false;
	text_printf(t, "{\"kind\":\"%s\"", beat_kind_name(beat->kind));
	if (beat->exit_status >= 0)
		text_printf(t, ",\"exit\":%d", beat->exit_status);
	if (beat->length_us >= 0) {
		text_raw(t, ",\"length\":");
		text_json_seconds(t, beat->length_us);
	}
	if (beat->msg && *beat->msg) {
		text_cut(&msg, beat->msg, BEAT_LOG_MSG_MAX);
		text_raw(t, ",\"msg\":");
		text_json_string(t, text_str(&msg));
	}
	text_char(t, '}');
	text_free(&msg);
	return true;
}

static void read_kind(const struct json_scan *scan, struct beat_logged *out)
{
	for (int kind = 0; kind < BEAT__COUNT; kind++)
		if (json_scan_is(scan, beat_kind_name((enum beat_kind)kind)))
			out->kind = (enum beat_kind)kind;
}

static void read_member(struct json_scan *scan, struct beat_logged *out)
{
	bool kind = json_scan_is(scan, "kind"), status = json_scan_is(scan, "exit");
	bool length = json_scan_is(scan, "length"), msg = json_scan_is(scan, "msg");
	enum json_token token = json_scan_next(scan);
	int64_t number;

	if (kind && token == JSON_STRING)
		read_kind(scan, out);
	else if (status && token == JSON_NUMBER && json_scan_i64(scan, &number) && number >= 0 && number <= 255)
		out->exit_status = (int)number;
	else if (length && token == JSON_NUMBER)
		json_scan_micros(scan, &out->length_us);
	else if (msg && token == JSON_STRING)
		json_scan_string(scan, &out->msg);
}

bool beat_log_read(const char *payload, size_t n, struct beat_logged *out)
{
	struct json_scan scan;
	enum json_token token;

	*out = (struct beat_logged){.exit_status = -1, .length_us = -1};
	json_scan_init(&scan, payload, n, 0, 2);
	token = json_scan_next(&scan);
	if (token == JSON_OBJECT)
		while ((token = json_scan_next(&scan)) == JSON_KEY)
			read_member(&scan, out);
	json_scan_free(&scan);
	return token == JSON_OBJECT_END;
}
