/* SPDX-License-Identifier: ISC */
/*
 * beats: what programs told the web program while we did something else. A first beat, one after an outage
 * and a reported failure need not wait for the monitor's next slot: the inbox is read when a pass begins and
 * every few seconds while it runs, and whose beat is newer than our last look at it is looked at again.
 *
 * A beat that only goes on as before changes nothing: its old deadline stands, and finds the new one then. A
 * run that begins has a deadline of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define READ_EVERY_US (2 * US_PER_S)
/* A beat is stored a moment after it was received. */
#define STORED_WITHIN_US (2 * US_PER_S)

struct hearing {
	struct pass *pass;
	struct state_txn *txn;
	int64_t since_us; /* wall clock */
};

static bool is_news(const struct row *row, const struct beat_last *last)
{
	if (!(row->flags & ROW_CONFIGURED) || row->state == STATE_PAUSED)
		return false;
	if (row->checked_us > last->any.wall_us + STORED_WITHIN_US)
		return false;
	return row->state != STATE_UP || last->failed.wall_us != 0 || last->started.wall_us != 0;
}

static bool hear(void *arg, const char *slug, const struct beat_last *last)
{
	struct hearing *hearing = arg;
	struct pass *pass = hearing->pass;
	struct monitor monitor = {0};
	struct row row = {0};
	struct post *post = NULL;

	if (last->any.wall_us < hearing->since_us || !state_monitor_by_slug(hearing->txn, slug, &monitor, NULL))
		return true;
	if (monitor.id < pass->post_count && pass->posts[monitor.id])
		row = pass->posts[monitor.id]->row;
	else if (!state_row(hearing->txn, monitor.id, &row, NULL))
		row.flags = 0;
	if (is_news(&row, last))
		post = post_in(pass, monitor.id, hearing->txn);
	if (post)
		post_look(post);
	monitor_clear(&monitor);
	return true;
}

void beats_listen(struct pass *pass)
{
	struct hearing hearing = {.pass = pass, .since_us = pass->beats_since_us};
	int64_t now = clock_mono_us();
	struct error err = {0};

	if (!pass->inbox || !pass->heartbeats || pass->over)
		return;
	if (pass->beats_read_us && now - pass->beats_read_us < READ_EVERY_US)
		return;
	pass->beats_read_us = now;
	pass->beats_since_us = pass_now(pass) - STORED_WITHIN_US;
	hearing.txn = state_begin(pass->state, false, NULL);
	if (hearing.txn && !inbox_beat_scan(pass->inbox, hear, &hearing, &err))
		pass_deaf(pass, &err);
	state_end(hearing.txn);
}
