/* SPDX-License-Identifier: ISC */
/* peering: decisions. */
#include "model/peering.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_scan.h"

/* ---- what is kept of a peer */

void peer_head_encode(struct text *t, const struct peer_head *head)
{
	text_raw(t, "{\"heard\":");
	text_json_seconds(t, head->heard_us);
	text_raw(t, ",\"time\":");
	text_json_seconds(t, head->time_us);
	text_raw(t, ",\"every\":");
	text_json_seconds(t, head->every_us);
	text_raw(t, ",\"awake\":");
	text_json_seconds(t, head->awake_us);
	text_printf(t, ",\"offline\":%s,\"whole\":%s,\"more\":%s}", head->offline ? "true" : "false",
		head->whole ? "true" : "false", head->more ? "true" : "false");
}

static bool read_member(struct json_scan *scan, struct peer_head *out)
{
	int64_t *time = json_scan_is(scan, "heard")   ? &out->heard_us
			: json_scan_is(scan, "time")  ? &out->time_us
			: json_scan_is(scan, "every") ? &out->every_us
			: json_scan_is(scan, "awake") ? &out->awake_us
						      : NULL;
	bool *flag = json_scan_is(scan, "offline") ? &out->offline
		     : json_scan_is(scan, "whole") ? &out->whole
		     : json_scan_is(scan, "more")  ? &out->more
						   : NULL;
	enum json_token token;

	if (!time && !flag)
		return json_scan_skip(scan);
	token = json_scan_next(scan);
	if (time)
		return token == JSON_NUMBER && json_scan_micros(scan, time);
	*flag = token == JSON_TRUE;
	return token == JSON_TRUE || token == JSON_FALSE;
}

bool peer_head_decode(const char *json, size_t n, struct peer_head *out, struct error *err)
{
	struct json_scan scan;
	enum json_token token = JSON_BAD;
	bool ok;

	*out = (struct peer_head){0};
	json_scan_init(&scan, json, n, 0, 4);
	ok = json_scan_next(&scan) == JSON_OBJECT;
	while (ok && (token = json_scan_next(&scan)) == JSON_KEY)
		ok = read_member(&scan, out);
	ok = ok && token == JSON_OBJECT_END && json_scan_next(&scan) == JSON_DONE;
	json_scan_free(&scan);
	return ok || error_set(err, ERROR_INPUT, "what was kept of a peer cannot be read");
}

/* ---- silence and votes */

static int64_t every_us(const struct peer_head *head)
{
	return head->every_us > 0 ? head->every_us : PEER_EVERY_US;
}

int64_t peering_patience_us(const struct peer_head *head)
{
	return PEER_MISSES * every_us(head) + PEER_TAKES_US;
}

bool peering_silent(const struct peer_head *head, int64_t since_us, int64_t now_us)
{
	int64_t from_us = head->heard_us > since_us ? head->heard_us : since_us;

	from_us = head->awake_us > from_us ? head->awake_us : from_us;
	return !head->heard_us || now_us - from_us > peering_patience_us(head);
}

void peering_wake(struct peer_head *head, int64_t gap_us, int64_t now_us)
{
	if (gap_us > peering_patience_us(head) && head->heard_us > head->awake_us)
		head->awake_us = now_us;
}

void peering_stepped(struct peer_head *head, int64_t now_us)
{
	if (head->heard_us)
		head->heard_us = head->awake_us = now_us;
}

enum outcome peering_view(
	const struct peer_head *head, const struct peer_row *row, int64_t since_us, int64_t now_us)
{
	if (head->offline || peering_silent(head, since_us, now_us) || row->state == STATE_PAUSED)
		return OUTCOME_UNKNOWN;
	return row->sees;
}

enum outcome peering_vote(
	const struct peer_head *head, const struct peer_row *row, int64_t since_us, int64_t now_us)
{
	bool old = head->time_us - row->looked_us > PEER_OLD_LOOK_US;

	/* It would have told us that it does not see it up any more, had it not been late. */
	if (row->sees == OUTCOME_UP &&
		now_us - head->heard_us > every_us(head) * 3 / 2 + PEER_TAKES_US)
		return OUTCOME_UNKNOWN;
	/* A "down" was told when it was seen. An "up" may be from long ago when it looks rarely. */
	if (row->sees == OUTCOME_UP && row->every_us > PEER_OLD_LOOK_US && old)
		return OUTCOME_UNKNOWN;
	return peering_view(head, row, since_us, now_us);
}

static const struct peer_head *last_heard(const struct peer_head *heads, size_t n)
{
	const struct peer_head *last = &heads[0];

	for (size_t i = 1; i < n; i++)
		if (heads[i].heard_us > last->heard_us)
			last = &heads[i];
	return last;
}

/* So long ago that it would be missed even if it were us. */
static bool is_long_gone(const struct peer_head *last, int64_t now_us)
{
	return !last->heard_us || now_us - last->heard_us > PEER_GONE_PATIENCES * peering_patience_us(last);
}

bool peering_all_gone(const struct peer_head *heads, size_t n, int64_t good_us, int64_t now_us)
{
	const struct peer_head *last = last_heard(heads, n);

	for (size_t i = 0; i < n; i++)
		if (now_us - heads[i].heard_us <= every_us(&heads[i]) + PEER_TAKES_US)
			return false;
	return good_us <= last->heard_us + every_us(last) + PEER_TAKES_US && !is_long_gone(last, now_us);
}

bool peering_none_since(
	const struct peer_head *heads, size_t n, int64_t good_us, int64_t since_us, int64_t now_us)
{
	const struct peer_head *last = last_heard(heads, n);

	return last->heard_us <= since_us && good_us <= since_us && !is_long_gone(last, now_us);
}

/* ---- who tells, and under which name */

size_t peering_turn(const char *me, const char *const *others, size_t n)
{
	size_t before = 0;

	for (size_t i = 0; i < n; i++)
		before += strcmp(others[i], me) < 0;
	return before;
}

uint64_t peering_episode(uint64_t own, const struct peer_row *const *others, size_t n)
{
	uint64_t newest = own, joined = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t theirs = others[i]->episode;

		newest = theirs > newest ? theirs : newest;
		if (others[i]->open && theirs > own && theirs > joined)
			joined = theirs;
	}
	return joined ? joined : newest + 1;
}

void peering_event_id(char out[EVENT_ID_MAX], const char *slug, uint64_t episode, const char *event,
	const char *channel, uint64_t ordinal)
{
	struct text what = TEXT_INIT;

	text_printf(&what, "peers\n%s\n%" PRIu64 "\n%s\n%s\n%" PRIu64, slug, episode, event, channel,
		ordinal);
	notice_event_id(out, &what);
	text_free(&what);
}
