/* SPDX-License-Identifier: ISC */
/* peer: rows, tables, messages: writing them, and reading what others wrote. */
#include "model/peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"
#include "base/sign.h"
#include "model/sighting.h"

#define DEPTH_MAX 8

/* ---- one row */

static void told_free(struct peer_told *told, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(told[i].event);
		free(told[i].channel);
	}
	free(told);
}

void peer_row_clear(struct peer_row *row)
{
	free(row->slug);
	free(row->cause);
	free(row->raw);
	told_free(row->told, row->told_count);
	*row = (struct peer_row){0};
}

void peer_row_tell(struct peer_row *row, const char *id, const char *event, const char *channel)
{
	struct peer_told *told;

	if (peer_row_told(row, id))
		return;
	if (row->told_count == PEER_TOLD_MAX) {
		free(row->told[0].event);
		free(row->told[0].channel);
		memmove(&row->told[0], &row->told[1], sizeof(*told) * --row->told_count);
	}
	row->told = mem_grow(row->told, row->told_count + 1, sizeof(*row->told));
	told = &row->told[row->told_count++];
	*told = (struct peer_told){.event = mem_str(event), .channel = mem_str(channel)};
	memcpy(told->id, id, strnlen(id, EVENT_ID_MAX - 1));
}

bool peer_row_told(const struct peer_row *row, const char *id)
{
	for (size_t i = 0; i < row->told_count; i++)
		if (strcmp(row->told[i].id, id) == 0)
			return true;
	return false;
}

static void put_told(struct text *t, const struct peer_row *row)
{
	text_raw(t, ",\"told\":[");
	for (size_t i = 0; i < row->told_count; i++) {
		text_raw(t, i ? ",{\"id\":" : "{\"id\":");
		text_json_string(t, row->told[i].id);
		text_raw(t, ",\"event\":");
		text_json_string(t, row->told[i].event);
		text_raw(t, ",\"channel\":");
		text_json_string(t, row->told[i].channel);
		text_char(t, '}');
	}
	text_char(t, ']');
}

static void put_row(struct text *t, const struct peer_row *row)
{
	text_raw(t, "{\"slug\":");
	text_json_string(t, row->slug);
	text_printf(t, ",\"sees\":\"%s\",\"state\":\"%s\",\"every\":", outcome_name(row->sees),
		monitor_state_name(row->state));
	text_json_seconds(t, row->every_us);
	if (row->looked_us) {
		text_raw(t, ",\"looked\":");
		text_json_seconds(t, row->looked_us);
	}
	if (row->cause) {
		text_raw(t, ",\"cause\":");
		text_json_string(t, row->cause);
	}
	if (row->episode)
		text_printf(t, ",\"episode\":%" PRIu64 ",\"open\":%s", row->episode,
			row->open ? "true" : "false");
	if (row->acknowledged)
		text_raw(t, ",\"acknowledged\":true");
	if (row->told_count)
		put_told(t, row);
	text_char(t, '}');
}

static uint64_t hash_of(const char *bytes, size_t n)
{
	uint8_t sha[SHA256_BYTES];
	uint64_t hash = 0;

	sign_sha256(bytes, n, sha);
	for (size_t i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | sha[i];
	return hash;
}

bool peer_row_seal(struct peer_row *row)
{
	struct text t = TEXT_INIT;
	bool same;

	put_row(&t, row);
	same = row->raw && strcmp(row->raw, t.ptr) == 0;
	row->hash = hash_of(t.ptr, t.len);
	free(row->raw);
	row->raw = text_take(&t);
	return !same;
}

/* ---- tables */

void peer_table_clear(struct peer_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		peer_row_clear(&table->at[i]);
	free(table->at);
	*table = (struct peer_table){NULL, 0};
}

/* Where a slug stands, or would stand. */
static size_t place_of(const struct peer_table *table, const char *slug, bool *found)
{
	size_t from = 0, to = table->n;

	*found = false;
	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = strcmp(table->at[middle].slug, slug);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct peer_row *peer_table_find(const struct peer_table *table, const char *slug)
{
	bool found;
	size_t i = place_of(table, slug, &found);

	return found ? &table->at[i] : NULL;
}

struct peer_row *peer_table_make(struct peer_table *table, const char *slug)
{
	bool found;
	size_t i = place_of(table, slug, &found);

	if (found)
		return &table->at[i];
	if ((table->n & (table->n - 1)) == 0) /* doubles at each power of two */
		table->at = mem_grow(table->at, table->n ? table->n * 2 : 1, sizeof(*table->at));
	memmove(&table->at[i + 1], &table->at[i], (table->n++ - i) * sizeof(*table->at));
	table->at[i] = (struct peer_row){.slug = mem_str(slug)};
	return &table->at[i];
}

void peer_table_put(struct peer_table *table, struct peer_row *row)
{
	struct peer_row *at = peer_table_make(table, row->slug);

	peer_row_clear(at);
	*at = *row;
	*row = (struct peer_row){0};
}

bool peer_table_drop(struct peer_table *table, const char *slug)
{
	bool found;
	size_t i = place_of(table, slug, &found);

	if (!found)
		return false;
	peer_row_clear(&table->at[i]);
	memmove(&table->at[i], &table->at[i + 1], (--table->n - i) * sizeof(*table->at));
	return true;
}

uint64_t peer_table_digest(const struct peer_table *table)
{
	struct text bytes = TEXT_INIT;
	uint64_t digest;

	for (size_t i = 0; i < table->n; i++)
		text_printf(&bytes, "%016" PRIx64, table->at[i].hash);
	digest = hash_of(text_str(&bytes), bytes.len);
	text_free(&bytes);
	return digest;
}

static void put_raw(struct text *t, const struct peer_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		text_raw(t, i ? "," : "");
		text_raw(t, table->at[i].raw);
	}
}

void peer_table_encode(struct text *t, const struct peer_table *table)
{
	text_char(t, '[');
	put_raw(t, table);
	text_char(t, ']');
}

/* ---- reading: one value of a known member */

static bool bad(const struct json_scan *scan, struct error *err)
{
	return error_set(
		err, ERROR_INPUT, "%s", scan->error ? scan->error : "a wrong kind of value");
}

static bool read_string(struct json_scan *scan, size_t max, char **out)
{
	struct text value = TEXT_INIT;

	if (json_scan_next(scan) != JSON_STRING)
		return false;
	json_scan_string(scan, &value);
	free(*out);
	*out = mem_strn(
		text_str(&value), text_utf8_fit(text_str(&value), strlen(text_str(&value)), max));
	text_free(&value);
	return true;
}

static bool read_time(struct json_scan *scan, int64_t *out)
{
	return json_scan_next(scan) == JSON_NUMBER && json_scan_micros(scan, out) && *out >= 0;
}

static bool read_bool(struct json_scan *scan, bool *out)
{
	enum json_token token = json_scan_next(scan);

	*out = token == JSON_TRUE;
	return token == JSON_TRUE || token == JSON_FALSE;
}

static bool read_count(struct json_scan *scan, uint64_t *out)
{
	int64_t value;
	bool ok = json_scan_next(scan) == JSON_NUMBER && json_scan_i64(scan, &value) &&
		  value >= 0 && value < INT64_C(1) << 53;

	*out = ok ? (uint64_t)value : 0;
	return ok;
}

static bool read_hash(struct json_scan *scan, uint64_t *out)
{
	char *hex = NULL;
	uint8_t bytes[sizeof(*out)];
	bool ok = read_string(scan, 32, &hex) && sign_unhex(hex, strlen(hex), bytes, sizeof(bytes));

	*out = 0;
	for (size_t i = 0; ok && i < sizeof(bytes); i++)
		*out = *out << 8 | bytes[i];
	free(hex);
	return ok;
}

/* A newer version may have words that we do not know: they mean nothing to us. */
static bool read_sees(struct json_scan *scan, enum outcome *out)
{
	bool ok = json_scan_next(scan) == JSON_STRING;

	*out = !ok                          ? OUTCOME_UNKNOWN
	       : json_scan_is(scan, "up")   ? OUTCOME_UP
	       : json_scan_is(scan, "down") ? OUTCOME_DOWN
					    : OUTCOME_UNKNOWN;
	return ok;
}

static bool read_state(struct json_scan *scan, enum monitor_state *out)
{
	char *name = NULL;
	bool ok = read_string(scan, 32, &name);

	if (!ok || !monitor_state_parse(name, out))
		*out = STATE_UNKNOWN;
	free(name);
	return ok;
}

/* ---- reading rows */

static bool read_told_member(struct json_scan *scan, struct peer_told *told, char **id)
{
	if (json_scan_is(scan, "id"))
		return read_string(scan, EVENT_ID_MAX - 1, id);
	if (json_scan_is(scan, "event"))
		return read_string(scan, 32, &told->event);
	if (json_scan_is(scan, "channel"))
		return read_string(scan, SIGHTING_WORDS_MAX, &told->channel);
	return json_scan_skip(scan);
}

static bool read_told(struct json_scan *scan, struct peer_row *row)
{
	enum json_token token = json_scan_next(scan);

	if (token != JSON_ARRAY)
		return false;
	while ((token = json_scan_next(scan)) == JSON_OBJECT) {
		struct peer_told told = {.event = NULL};
		char *id = NULL;
		bool ok = true;

		while (ok && (token = json_scan_next(scan)) == JSON_KEY)
			ok = read_told_member(scan, &told, &id);
		if (ok && id && *id)
			peer_row_tell(row, id, told.event ? told.event : "",
				told.channel ? told.channel : "");
		free(id);
		free(told.event);
		free(told.channel);
		if (!ok || token != JSON_OBJECT_END)
			return false;
	}
	return token == JSON_ARRAY_END;
}

static bool read_row_member(struct json_scan *scan, struct peer_row *row)
{
	if (json_scan_is(scan, "slug"))
		return read_string(scan, SLUG_MAX, &row->slug);
	if (json_scan_is(scan, "sees"))
		return read_sees(scan, &row->sees);
	if (json_scan_is(scan, "state"))
		return read_state(scan, &row->state);
	if (json_scan_is(scan, "every"))
		return read_time(scan, &row->every_us);
	if (json_scan_is(scan, "looked"))
		return read_time(scan, &row->looked_us);
	if (json_scan_is(scan, "cause"))
		return read_string(scan, CAUSE_MAX - 1, &row->cause);
	if (json_scan_is(scan, "episode"))
		return read_count(scan, &row->episode);
	if (json_scan_is(scan, "open"))
		return read_bool(scan, &row->open);
	if (json_scan_is(scan, "acknowledged"))
		return read_bool(scan, &row->acknowledged);
	if (json_scan_is(scan, "told"))
		return read_told(scan, row);
	return json_scan_skip(scan);
}

/* An object whose JSON_OBJECT was just read; kept with the bytes that it had. */
static bool read_row(struct json_scan *scan, struct peer_table *table, struct error *err)
{
	struct peer_row row = {.state = STATE_UNKNOWN};
	size_t start = scan->start;
	enum json_token token = JSON_BAD;
	bool ok = true;

	while (ok && (token = json_scan_next(scan)) == JSON_KEY)
		ok = read_row_member(scan, &row);
	if (!ok || token != JSON_OBJECT_END)
		ok = bad(scan, err);
	else if (!row.slug || !monitor_slug_valid(row.slug, strlen(row.slug)))
		ok = error_set(err, ERROR_INPUT, "a monitor without a slug");
	if (ok) {
		row.raw = mem_strn(scan->text + start, scan->end - start);
		row.hash = hash_of(row.raw, strlen(row.raw));
		peer_table_put(table, &row);
	}
	peer_row_clear(&row);
	return ok;
}

static bool read_rows(struct json_scan *scan, struct peer_table *table, struct error *err)
{
	enum json_token token = json_scan_next(scan);

	if (token != JSON_ARRAY)
		return bad(scan, err);
	while ((token = json_scan_next(scan)) == JSON_OBJECT)
		if (!read_row(scan, table, err))
			return false;
	return token == JSON_ARRAY_END || bad(scan, err);
}

bool peer_table_decode(const char *json, size_t n, struct peer_table *out, struct error *err)
{
	struct json_scan scan;
	bool ok;

	*out = (struct peer_table){NULL, 0};
	json_scan_init(&scan, json, n, 0, DEPTH_MAX);
	ok = read_rows(&scan, out, err) && (json_scan_next(&scan) == JSON_DONE || bad(&scan, err));
	json_scan_free(&scan);
	if (!ok)
		peer_table_clear(out);
	return ok;
}

/* ---- messages */

void peer_message_clear(struct peer_message *message)
{
	free(message->from);
	free(message->to);
	peer_table_clear(&message->rows);
	strings_free(message->gone, message->gone_count);
	*message = (struct peer_message){0};
}

void peer_message_encode_with(struct text *t, const struct peer_message *m, const char *rows)
{
	static const char *const flags[] = {"offline", "again", "full", "more"};
	const bool set[] = {m->offline, m->again, m->full, m->more};

	text_printf(t, "{\"version\":%d,\"from\":", PEER_VERSION);
	text_json_string(t, m->from);
	text_raw(t, ",\"to\":");
	text_json_string(t, m->to);
	text_raw(t, ",\"time\":");
	text_json_seconds(t, m->time_us);
	text_raw(t, ",\"every\":");
	text_json_seconds(t, m->every_us);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (set[i])
			text_printf(t, ",\"%s\":true", flags[i]);
	text_printf(t, ",\"digest\":\"%016" PRIx64 "\",\"monitors\":[", m->digest);
	text_raw(t, rows);
	text_raw(t, "],\"gone\":[");
	for (size_t i = 0; i < m->gone_count; i++) {
		text_raw(t, i ? "," : "");
		text_json_string(t, m->gone[i]);
	}
	text_raw(t, "]}");
}

void peer_message_encode(struct text *t, const struct peer_message *message)
{
	struct text rows = TEXT_INIT;

	put_raw(&rows, &message->rows);
	peer_message_encode_with(t, message, text_str(&rows));
	text_free(&rows);
}

static bool read_gone(struct json_scan *scan, struct peer_message *m)
{
	enum json_token token = json_scan_next(scan);

	if (token != JSON_ARRAY)
		return false;
	while ((token = json_scan_next(scan)) == JSON_STRING) {
		struct text slug = TEXT_INIT;

		json_scan_string(scan, &slug);
		m->gone = mem_grow(m->gone, m->gone_count + 1, sizeof(*m->gone));
		m->gone[m->gone_count++] = mem_str(text_str(&slug));
		text_free(&slug);
	}
	return token == JSON_ARRAY_END;
}

static bool read_flag(struct json_scan *scan, struct peer_message *m)
{
	if (json_scan_is(scan, "offline"))
		return read_bool(scan, &m->offline);
	if (json_scan_is(scan, "again"))
		return read_bool(scan, &m->again);
	if (json_scan_is(scan, "full"))
		return read_bool(scan, &m->full);
	if (json_scan_is(scan, "more"))
		return read_bool(scan, &m->more);
	return json_scan_skip(scan);
}

static bool read_member(struct json_scan *scan, struct peer_message *m, struct error *err)
{
	bool ok;

	if (json_scan_is(scan, "monitors"))
		return read_rows(scan, &m->rows, err);
	if (json_scan_is(scan, "from"))
		ok = read_string(scan, SLUG_MAX, &m->from);
	else if (json_scan_is(scan, "to"))
		ok = read_string(scan, SLUG_MAX, &m->to);
	else if (json_scan_is(scan, "time"))
		ok = read_time(scan, &m->time_us);
	else if (json_scan_is(scan, "every"))
		ok = read_time(scan, &m->every_us);
	else if (json_scan_is(scan, "digest"))
		ok = read_hash(scan, &m->digest);
	else if (json_scan_is(scan, "gone"))
		ok = read_gone(scan, m);
	else
		ok = read_flag(scan, m);
	return ok || bad(scan, err);
}

bool peer_message_decode(const char *json, size_t n, struct peer_message *out, struct error *err)
{
	struct json_scan scan;
	enum json_token token;
	bool ok = true;

	*out = (struct peer_message){0};
	json_scan_init(&scan, json, n, 0, DEPTH_MAX);
	token = json_scan_next(&scan);
	if (token != JSON_OBJECT)
		ok = error_set(err, ERROR_INPUT, "not a JSON object");
	while (ok && (token = json_scan_next(&scan)) == JSON_KEY)
		ok = read_member(&scan, out, err);
	if (ok && (token != JSON_OBJECT_END || json_scan_next(&scan) != JSON_DONE))
		ok = bad(&scan, err);
	if (ok && (!out->from || !out->to || !out->time_us))
		ok = error_set(err, ERROR_INPUT, "\"from\", \"to\" or \"time\" is missing");
	json_scan_free(&scan);
	if (!ok)
		peer_message_clear(out);
	return ok;
}
