/* SPDX-License-Identifier: ISC */
/*
 * inbox_commit: the queue of changes, and the batch of whoever leads. See inbox_commit.h.
 */
#include "store/inbox_commit.h"

#include <string.h>

/* A batch ends here even if more keep coming, so that nobody waits for ever. */
#define BATCH_MAX 256

void commit_line_init(struct commit_line *line, struct book *book)
{
	*line = (struct commit_line){.book = book};
	line->last = &line->first;
	pthread_mutex_init(&line->lock, NULL);
}

void commit_line_free(struct commit_line *line)
{
	pthread_mutex_destroy(&line->lock);
}

/* ---- the queue; with the lock held ------------------------------------------------------------------- */

static void hand_in(struct commit_line *line, struct change *change)
{
	change->next = NULL;
	*line->last = change;
	line->last = &change->next;
}

/* What was handed in goes to the end of the batch. */
static struct change **take(struct commit_line *line, struct change **end, size_t *n)
{
	while (line->first && *n < BATCH_MAX) {
		struct change *change = line->first;

		line->first = change->next;
		change->next = NULL;
		*end = change;
		end = &change->next;
		++*n;
	}
	if (!line->first)
		line->last = &line->first;
	return end;
}

/* ---- a batch ----------------------------------------------------------------------------------------- */

static void refuse_all(struct change *batch, const struct error *err)
{
	for (; batch; batch = batch->next) {
		batch->ok = false;
		batch->err = *err;
	}
}

static void apply_from(struct change *change, struct book_txn *t, bool *changed)
{
	for (; change && !t->failed; change = change->next) {
		bool wrote = false;

		change->ok = change->apply(change, t, &wrote, &change->err);
		*changed |= wrote;
	}
}

/* Takes once more after each round: beginning may have waited for another process's commit, and applying
   takes a while, too. */
static void fill_batch(struct commit_line *line, struct change **batch, struct book_txn *t, bool *changed)
{
	struct change **end = batch;
	size_t n = 0;

	while (*end)
		end = &(*end)->next, n++;
	apply_from(*batch, t, changed);
	while (!t->failed) {
		struct change **begin = end;

		pthread_mutex_lock(&line->lock);
		end = take(line, end, &n);
		pthread_mutex_unlock(&line->lock);
		if (!*begin)
			return;
		apply_from(*begin, t, changed);
	}
}

/* The whole batch has one fate: a verdict may rest on an earlier beat of the same transaction. */
static bool run_once(struct commit_line *line, struct change **batch, struct error *err)
{
	struct book_txn t;
	bool changed = false;

	if (!book_begin(line->book, true, &t, err))
		return false;
	fill_batch(line, batch, &t, &changed);
	if (changed || t.failed)
		return book_txn_commit(&t, err);
	book_end(&t);
	return true;
}

static void run_batch(struct commit_line *line, struct change **batch)
{
	struct error err;
	bool ok = run_once(line, batch, &err);

	/* A full map is grown before the next transaction begins. */
	if (!ok && err.kind == ERROR_FULL && line->book->want_growth)
		ok = run_once(line, batch, &err);
	if (ok)
		return;
	pthread_mutex_lock(&line->lock);
	if (!*batch) { /* it could not even begin: this is everybody's answer */
		size_t n = 0;

		take(line, batch, &n);
	}
	pthread_mutex_unlock(&line->lock);
	refuse_all(*batch, &err);
}

/* Wakes them without the lock, so that they do not meet at it. A woken change is gone at once: it stands on
   the stack of the thread that handed it in. */
static void wake_all(struct change *batch, const struct change *own)
{
	while (batch) {
		struct change *change = batch;

		batch = batch->next;
		change->done = true;
		if (change != own)
			sem_post(&change->wake);
	}
}

/* Runs a batch that `own` is the first of, and hands the lead on. */
static void lead(struct commit_line *line, struct change *own)
{
	struct change *batch = NULL, *next;

	run_batch(line, &batch);
	pthread_mutex_lock(&line->lock);
	next = line->first;
	line->busy = next != NULL;
	pthread_mutex_unlock(&line->lock);
	if (next)
		sem_post(&next->wake); /* first: its batch may begin while this one is answered */
	wake_all(batch, own);
}

static void wait_for_turn(struct change *change)
{
	while (sem_wait(&change->wake)) /* interrupted */
		;
}

bool commit_change(struct commit_line *line, struct change *change, struct error *err)
{
	bool leads;

	change->done = change->ok = false;
	sem_init(&change->wake, 0, 0);
	pthread_mutex_lock(&line->lock);
	hand_in(line, change);
	leads = !line->busy;
	line->busy = true;
	pthread_mutex_unlock(&line->lock);
	if (!leads)
		wait_for_turn(change);
	if (!change->done)
		lead(line, change);
	sem_destroy(&change->wake);
	if (!change->ok && err)
		*err = change->err;
	return change->ok;
}
