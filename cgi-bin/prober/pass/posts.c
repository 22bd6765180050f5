/* SPDX-License-Identifier: ISC */
/*
 * posts: the schedule of one pass.
 *
 * Only the rows are read at first, one packed array. Those that fall due within the minute become posts and
 * stand in a heap by due time; ripe ones move to two queues, suspects and regular ones. A monitor's record is
 * read when its look begins and let go when nothing more is due of it, so memory follows what is in hand.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/pass/pass_private.h"

/* ---- the heap */

static void heap_set(struct pass *pass, size_t index, struct post *post)
{
	pass->heap[index] = post;
	post->heap_index = index;
}

/* Of equal due times in the order of ids: neighbours share pages of the store. */
static bool before(const struct post *a, const struct post *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->id < b->id;
}

static void heap_up(struct pass *pass, size_t index)
{
	struct post *post = pass->heap[index];

	while (index > 0 && before(post, pass->heap[(index - 1) / 2])) {
		heap_set(pass, index, pass->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	heap_set(pass, index, post);
}

static void heap_down(struct pass *pass, size_t index)
{
	struct post *post = pass->heap[index];

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= pass->heap_count)
			break;
		if (child + 1 < pass->heap_count && before(pass->heap[child + 1], pass->heap[child]))
			child++;
		if (!before(pass->heap[child], post))
			break;
		heap_set(pass, index, pass->heap[child]);
		index = child;
	}
	heap_set(pass, index, post);
}

static void heap_insert(struct pass *pass, struct post *post)
{
	if (pass->heap_count == pass->heap_size) {
		pass->heap_size = pass->heap_size ? pass->heap_size * 2 : 64;
		pass->heap = mem_grow(pass->heap, pass->heap_size, sizeof(pass->heap[0]));
	}
	post->place = PLACE_HEAP;
	heap_set(pass, pass->heap_count, post);
	heap_up(pass, pass->heap_count++);
}

static void heap_remove(struct pass *pass, struct post *post)
{
	size_t index = post->heap_index;
	struct post *last = pass->heap[--pass->heap_count];

	post->place = PLACE_IDLE;
	if (last == post)
		return;
	heap_set(pass, index, last);
	heap_down(pass, index);
	heap_up(pass, last->heap_index);
}

/* ---- the queues of what is due */

static void ready_add(struct post_queue *ready, struct post *post)
{
	post->place = PLACE_READY;
	post->next_ready = NULL;
	*ready->last = post;
	ready->last = &post->next_ready;
}

static struct post *ready_take(struct post_queue *ready)
{
	struct post *post = ready->first;

	ready->first = post->next_ready;
	if (!ready->first)
		ready->last = &ready->first;
	post->place = PLACE_IDLE;
	return post;
}

static void make_ready(struct post *post)
{
	struct pass *pass = post->pass;

	if (post->place == PLACE_READY)
		return;
	if (post->place == PLACE_HEAP)
		heap_remove(pass, post);
	ready_add(post->ladder || post->row.state == STATE_SUSPECT ? &pass->suspects : &pass->regular, post);
}

void posts_ripen(struct pass *pass)
{
	int64_t now = pass_now(pass);

	while (pass->heap_count > 0 && pass->heap[0]->due_us <= now)
		make_ready(pass->heap[0]);
}

bool posts_ready(const struct pass *pass)
{
	return pass->suspects.first || pass->regular.first;
}

struct post *posts_take(struct pass *pass)
{
	if (pass->suspects.first)
		return ready_take(&pass->suspects);
	return pass->regular.first ? ready_take(&pass->regular) : NULL;
}

int64_t posts_next_due(struct pass *pass)
{
	return pass->heap_count > 0 ? pass->heap[0]->due_us : INT64_MAX;
}

/* ---- one post */

int64_t post_interval(const struct post *post)
{
	return post->monitor->interval_ms * US_PER_MS;
}

int64_t post_rhythm(const struct post *post)
{
	return slot_interval(post_interval(post), post->pass->cadence_us);
}

void post_schedule(struct post *post)
{
	int64_t due = post->slot_us;

	if (post->step_us && post->step_us < due)
		due = post->step_us;
	if (post->tend_us && post->tend_us < due)
		due = post->tend_us;
	if (due != post->row.next_due_us)
		post->row_dirty = true; /* goes with the next thing that is stored of it */
	post->due_us = post->row.next_due_us = due;
	post->row.flags = (uint8_t)((post->row.flags & ~ROW_LADDER) | (post->ladder ? ROW_LADDER : 0));
	if (post->place == PLACE_HEAP)
		heap_remove(post->pass, post);
	if (post->place == PLACE_IDLE && !post->check)
		heap_insert(post->pass, post);
}

void post_look(struct post *post)
{
	if (post->check || post->place == PLACE_READY)
		return;
	post->step_us = pass_now(post->pass);
	make_ready(post);
}

void post_now(struct post *post)
{
	if (post->check || post->place == PLACE_READY)
		return;
	post->ladder = true;
	post_look(post);
}

void post_tend(struct post *post)
{
	if (post->check || post->place == PLACE_READY)
		return; /* its next look does */
	post->tend_us = pass_now(post->pass);
	make_ready(post);
}

bool post_read(struct post *post, struct state_txn *txn, struct error *err)
{
	struct monitor *monitor;

	if (post->monitor)
		return true;
	monitor = MEM_NEW(struct monitor);
	if (!state_monitor(txn, post->id, monitor, err) || !state_judge(txn, post->id, &post->judge, err)) {
		monitor_clear(monitor);
		free(monitor);
		return false;
	}
	post->monitor = monitor;
	return true;
}

static void monitor_drop(struct post *post)
{
	if (!post->monitor)
		return;
	monitor_clear(post->monitor);
	free(post->monitor);
	post->monitor = NULL;
}

void post_rest(struct post *post)
{
	if (!post->check && !post->dirty && !post->waiting && post->due_us >= post->pass->end_us)
		monitor_drop(post);
}

static struct post *post_new(struct pass *pass, uint32_t id, const struct row *row)
{
	struct post *post = MEM_NEW(struct post);

	post->pass = pass;
	post->id = id;
	post->row = *row;
	post->due_us = row->next_due_us;
	post->ladder = row->flags & ROW_LADDER;
	pass->posts[id] = post;
	return post;
}

struct post *post_in(struct pass *pass, uint32_t id, struct state_txn *txn)
{
	struct row row;

	if (id >= pass->post_count)
		return NULL;
	if (!pass->posts[id] && state_row(txn, id, &row, NULL) && (row.flags & ROW_CONFIGURED))
		post_new(pass, id, &row);
	return pass->posts[id];
}

/* Due within this minute? A look that was made in the future tells that the clock was stepped back since, and
   that the due time means nothing any more. */
static bool is_due(const struct pass *pass, struct row *row)
{
	if (row->checked_us > pass->info.started_us + MINUTE_US)
		row->next_due_us = 0;
	return row->next_due_us < pass->end_us;
}

/* New, paused until now, or back after it was taken out: due at once, and nothing was missed before. */
static bool is_beginning(const struct row *row)
{
	return row->state == STATE_PAUSED || !row->checked_us || row->next_due_us == 0 ||
	       row->next_due_us == INT64_MAX;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* The configuration changed: every due time is worked out again, from the newest look. */
static void reconsider(struct pass *pass, uint32_t id, const struct row *row, struct state_txn *txn)
{
	struct post *post = post_new(pass, id, row);

	if (!post_read(post, txn, NULL))
		return;
	if (is_beginning(row) || post->monitor->paused) {
		post->due_us = post->row.next_due_us = 0;
		heap_insert(pass, post);
		return;
	}
	post->slot_us = slot_after(id, post_interval(post), row->checked_us);
	/* With a shorter interval it would have been due before now; with the one it had nothing was missed. */
	if (row->next_due_us > pass->info.started_us)
		post->slot_us = later(post->slot_us, slot_before(id, post_interval(post), pass->info.started_us));
	post->step_us = post->ladder ? row->next_due_us : 0;
	post->started = true;
	post_schedule(post);
	if (post->row_dirty)
		keep_row(post);
}

bool posts_load(struct pass *pass, struct error *err)
{
	struct state_txn *txn = state_begin(pass->state, false, err);
	struct row *rows = NULL;
	size_t n = 0;
	bool ok = txn && state_rows(txn, &rows, &n, err);

	pass->suspects.last = &pass->suspects.first;
	pass->regular.last = &pass->regular.first;
	pass->posts = mem_array(n + 1, sizeof(pass->posts[0]));
	pass->post_count = n;
	for (uint32_t id = 1; id < n; id++) {
		if (!(rows[id].flags & ROW_CONFIGURED))
			continue;
		pass->configured += rows[id].state != STATE_PAUSED;
		pass->heartbeats += (rows[id].flags & ROW_HEARTBEAT) != 0;
		if (pass->reconsider)
			reconsider(pass, id, &rows[id], txn);
		else if (is_due(pass, &rows[id]))
			heap_insert(pass, post_new(pass, id, &rows[id]));
		else if (rows[id].marks & MARK_FLAPPING)
			post_tend(post_new(pass, id, &rows[id]));
	}
	state_end(txn);
	ok = ok && (!pass->reconsider || retire_removed(pass, rows, n, err));
	free(rows);
	return ok;
}

static void post_free(struct post *post)
{
	check_cancel(post->check);
	monitor_drop(post);
	keep_forget_post(post);
	if (post->parked)
		result_clear(post->parked);
	free(post->parked);
	free(post->parents);
	sightings_free(post->sightings, post->sighting_count);
	free(post);
}

void posts_free(struct pass *pass)
{
	for (size_t id = 0; id < pass->post_count; id++)
		if (pass->posts[id])
			post_free(pass->posts[id]);
	free(pass->posts);
	free(pass->heap);
}
