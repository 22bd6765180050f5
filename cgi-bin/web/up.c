/* SPDX-License-Identifier: ISC */
/*
 * Is it up? See up.h. A suspect counts as up until its failure is confirmed, as on every page; a stale state
 * counts as unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/fresh.h"
#include "web/page.h"
#include "web/up.h"

/* What is asked of the state in one transaction. */
struct snapshot {
	struct state_txn *txn;
	struct site site;
	struct asker asker;
	struct pass_info pass;
	bool fresh;
};

static bool open_snapshot(struct snapshot *s, struct web *web, const struct request *req, struct error *err)
{
	struct state *state = web_state(web, err);

	memset(s, 0, sizeof(*s));
	s->txn = state != NULL ? state_begin(state, false, err) : NULL;
	if (s->txn == NULL || !state_site(s->txn, &s->site, err) || !state_pass(s->txn, &s->pass, err))
		return false;
	access_asker(req, &s->site, &s->asker);
	s->fresh = fresh_enough(&s->pass, &req->now);
	return true;
}

static void close_snapshot(struct snapshot *s)
{
	state_end(s->txn);
	site_clear(&s->site);
}

static void unavailable(struct reply *reply, const struct error *err)
{
	log_limited("up-503", "up: %s", err->text);
	reply_unavailable(reply, 60, "the store cannot be used now");
}

/* The state to answer with: what nobody has looked at for too long is unknown, unless it is switched off. */
static enum monitor_state shown(const struct snapshot *s, const struct row *row)
{
	if (row->state == STATE_PAUSED || s->fresh)
		return (enum monitor_state)row->state;
	return STATE_UNKNOWN;
}

static bool is_up(enum monitor_state state)
{
	return state == STATE_UP || state == STATE_SUSPECT;
}

static void say_state(struct reply *reply, enum monitor_state state)
{
	reply->status = is_up(state) ? 200 : 503;
	reply->type = TYPE_JSON;
	text_printf(&reply->body, "{\"ok\":%s,\"state\":\"%s\"}", is_up(state) ? "true" : "false",
		monitor_state_name(is_up(state) ? STATE_UP : state));
}

/* ---- one */

void up_one(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct snapshot s;
	struct monitor monitor;
	struct row row;

	memset(&monitor, 0, sizeof(monitor));
	if (!open_snapshot(&s, web, req, &err))
		unavailable(reply, &err);
	else if (!state_monitor_by_slug(s.txn, match->name, &monitor, &err) && err.kind != ERROR_MISSING)
		unavailable(reply, &err);
	else if (err.kind == ERROR_MISSING || !access_sees(&s.asker, &monitor))
		page_not_found(req, reply);
	else if (!state_row(s.txn, monitor.id, &row, &err))
		unavailable(reply, &err);
	else
		say_state(reply, shown(&s, &row));
	close_snapshot(&s);
	monitor_clear(&monitor);
}

/* ---- all */

struct tally {
	const struct snapshot *snapshot;
	const struct row *rows;
	size_t row_count;
	size_t seen;
	enum monitor_state worst; /* the first that is not up */
};

static bool count_one(void *arg, const struct monitor *monitor)
{
	struct tally *tally = arg;
	enum monitor_state state = STATE_PENDING;

	if (!access_sees(&tally->snapshot->asker, monitor))
		return true;
	tally->seen++;
	if (monitor->id < tally->row_count)
		state = shown(tally->snapshot, &tally->rows[monitor->id]);
	if (!is_up(state))
		tally->worst = state;
	return is_up(state);
}

void up_all(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error err = {ERROR_NONE, ""};
	struct snapshot s;
	struct row *rows = NULL;
	struct tally tally = {.snapshot = &s, .worst = STATE_UP};

	(void)match;
	if (!open_snapshot(&s, web, req, &err) || !state_rows(s.txn, &rows, &tally.row_count, &err)) {
		unavailable(reply, &err);
	} else {
		tally.rows = rows;
		if (!state_monitor_scan(s.txn, count_one, &tally, &err))
			unavailable(reply, &err);
		else if (tally.seen == 0)
			page_not_found(req, reply);
		else
			say_state(reply, tally.worst);
	}
	close_snapshot(&s);
	free(rows);
}

/* ---- ourselves */

static bool inbox_answers(struct web *web, struct error *err)
{
	struct inbox *inbox = web_inbox(web, err);
	struct beat_last last = BEAT_LAST_INIT;
	bool found, ok = inbox != NULL && inbox_beat_read(inbox, "healthz", &last, &found, err);

	beat_last_clear(&last);
	return ok;
}

void up_healthz(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct error state_err = {ERROR_NONE, ""}, inbox_err = {ERROR_NONE, ""};
	struct snapshot s;
	bool state = open_snapshot(&s, web, req, &state_err), fresh = s.fresh,
	     inbox = inbox_answers(web, &inbox_err);

	(void)match;
	if (!state || !inbox)
		log_limited("healthz", "healthz: %s", state ? inbox_err.text : state_err.text);
	reply->status = state && fresh && inbox ? 200 : 503;
	reply->type = TYPE_JSON;
	text_printf(&reply->body,
		"{\"ok\":%s,\"passes\":{\"last\":", reply->status == 200 ? "true" : "false");
	if (state && s.pass.progress_us > 0)
		text_json_seconds(&reply->body, s.pass.progress_us);
	else
		text_raw(&reply->body, "null");
	text_printf(&reply->body, ",\"fresh\":%s},\"state\":%s,\"inbox\":%s}", fresh ? "true" : "false",
		state ? "true" : "false", inbox ? "true" : "false");
	if (reply->status == 503)
		text_raw(&reply->headers, "Retry-After: 60\r\n");
	close_snapshot(&s);
}
