/* SPDX-License-Identifier: ISC */
/*
 * inbox_remote: the inbox as another process reads it for us. LMDB follows the bytes of its file, and
 * whoever may write that file may lead it anywhere; so we do not open it, and look at what the reader says
 * as at any input.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/inbox_private.h"
#include "store/inbox_wire.h"

#define ANSWER_US (10 * US_PER_S)
#define VERIFY_US (3 * 60 * US_PER_S)
#define BYTES_MAX (128u << 20) /* of one answer: more than the queue's bounds let in */

struct remote {
	struct wire wire;
	bool gone; /* it said nonsense, or nothing any more */
	struct inbox_keeper keeper;
};

/* What is to be done with each frame of an answer; false: it cannot be true. */
struct asking {
	enum wire_kind kind;
	int64_t until_us;
	bool (*take)(struct asking *asking, struct unpack *u);
	bool enough; /* the caller wants no more: the rest is only read */
	uint64_t newest;
	bool (*each_beat)(void *arg, const char *slug, const struct beat_last *last);
	bool (*each_entry)(void *arg, const struct inbox_entry *entry);
	void *arg;
	const char *slug;
	struct beat_last *last;
	bool *found;
	struct store_figures *figures;
	uint64_t *records;
};

static bool lost(struct remote *remote, struct error *err)
{
	error_set(err, ERROR_TEMPORARY, "the inbox cannot be read: its reader gave no sound answer");
	remote->gone = true;
	if (remote->keeper.explain)
		remote->keeper.explain(remote->keeper.arg, err);
	return false;
}

static bool take_answer(struct remote *remote, struct asking *asking, struct error *err)
{
	enum wire_kind kind;
	size_t bytes = 0;
	struct unpack u;

	while (bytes < BYTES_MAX && wire_receive(&remote->wire, &kind, &u, asking->until_us)) {
		bytes += (size_t)(u.end - u.at) + sizeof(u);
		if (kind == WIRE_END)
			return true;
		if (kind == WIRE_ERROR) {
			wire_read_error(&u, err);
			return false;
		}
		if (kind != asking->kind || !asking->take || !asking->take(asking, &u))
			break;
	}
	return lost(remote, err);
}

static bool ask(struct inbox *inbox, enum wire_kind question, struct pack *p, struct asking *asking,
	struct error *err)
{
	struct remote *remote = inbox->remote;
	struct text out = TEXT_INIT;
	struct error own = {0};
	bool ok;

	wire_put(&out, question, p);
	if (!err)
		err = &own;
	if (!asking->until_us)
		asking->until_us = clock_mono_us() + ANSWER_US;
	if (remote->gone || !wire_send(&remote->wire, &out, asking->until_us))
		ok = lost(remote, err);
	else
		ok = take_answer(remote, asking, err);
	text_free(&out);
	return ok;
}

/* ---- beats ------------------------------------------------------------------------------------------- */

static bool take_one(struct asking *asking, struct unpack *u)
{
	char *slug = NULL;
	bool ok = !*asking->found && wire_read_last(u, &slug, asking->last);

	if (!*asking->found && !ok)
		beat_last_clear(asking->last);
	if (ok && strcmp(slug, asking->slug) != 0) {
		beat_last_clear(asking->last);
		ok = false;
	}
	*asking->found = *asking->found || ok;
	free(slug);
	return ok;
}

bool remote_beat_read(struct inbox *inbox, const char *slug, struct beat_last *last, bool *found,
	struct error *err)
{
	struct asking asking = {.kind = WIRE_LAST, .take = take_one, .slug = slug, .last = last, .found = found};
	struct pack p;

	wire_begin(&p, WIRE_BEAT);
	pack_str(&p, 1, slug);
	if (ask(inbox, WIRE_BEAT, &p, &asking, err))
		return true;
	beat_last_clear(last);
	*found = false;
	return false;
}

static bool take_each(struct asking *asking, struct unpack *u)
{
	struct beat_last last;
	char *slug;
	bool ok = wire_read_last(u, &slug, &last);

	if (ok && !asking->enough)
		asking->enough = !asking->each_beat(asking->arg, slug, &last);
	free(slug);
	beat_last_clear(&last);
	return ok;
}

bool remote_beat_scan(struct inbox *inbox,
	bool (*each)(void *arg, const char *slug, const struct beat_last *last), void *arg, struct error *err)
{
	struct asking asking = {.kind = WIRE_LAST, .take = take_each, .each_beat = each, .arg = arg};
	struct pack p;

	wire_begin(&p, WIRE_BEATS);
	return ask(inbox, WIRE_BEATS, &p, &asking, err);
}

/* ---- queue ------------------------------------------------------------------------------------------- */

static bool take_entry(struct asking *asking, struct unpack *u)
{
	struct inbox_entry entry;
	char *sender, *payload;
	bool ok = wire_read_entry(u, &entry, &sender, &payload) && entry.id > asking->newest;

	asking->newest = entry.id;
	if (ok && !asking->enough)
		asking->enough = !asking->each_entry(asking->arg, &entry);
	free(sender);
	free(payload);
	return ok;
}

bool remote_queue_scan(struct inbox *inbox, enum inbox_kind kind, uint64_t after,
	bool (*each)(void *arg, const struct inbox_entry *entry), void *arg, struct error *err)
{
	struct asking asking = {
		.kind = WIRE_ENTRY, .take = take_entry, .newest = after, .each_entry = each, .arg = arg};
	struct pack p;

	wire_begin(&p, WIRE_QUEUE);
	pack_u64(&p, 1, (uint64_t)kind);
	pack_u64(&p, 2, after);
	return ask(inbox, WIRE_QUEUE, &p, &asking, err);
}

/* ---- figures ----------------------------------------------------------------------------------------- */

static bool take_figures(struct asking *asking, struct unpack *u)
{
	bool ok = unpack_next(u) && u->tag == 1 && u->is_bytes && u->len == sizeof(*asking->figures);

	if (ok)
		memcpy(asking->figures, u->bytes, sizeof(*asking->figures));
	return ok;
}

bool remote_figures(struct inbox *inbox, struct store_figures *out, struct error *err)
{
	struct asking asking = {.kind = WIRE_NUMBERS, .take = take_figures, .figures = out};
	struct pack p;

	*out = (struct store_figures){0};
	wire_begin(&p, WIRE_FIGURES);
	return ask(inbox, WIRE_FIGURES, &p, &asking, err);
}

static bool take_records(struct asking *asking, struct unpack *u)
{
	while (unpack_next(u))
		if (u->tag == 2 && !u->is_bytes)
			*asking->records = unpack_u64(u);
	return unpack_end(u, NULL);
}

bool remote_verify(struct inbox *inbox, uint64_t *records, struct error *err)
{
	struct asking asking = {.kind = WIRE_NUMBERS, .take = take_records, .records = records};
	struct pack p;

	*records = 0;
	asking.until_us = clock_mono_us() + VERIFY_US;
	wire_begin(&p, WIRE_VERIFY);
	return ask(inbox, WIRE_VERIFY, &p, &asking, err);
}

/* ---- opening ----------------------------------------------------------------------------------------- */

struct inbox *inbox_connect(int fd, const struct inbox_keeper *keeper, struct error *err)
{
	struct asking greeting = {.until_us = clock_mono_us() + ANSWER_US};
	struct inbox *inbox = MEM_NEW(struct inbox);

	inbox->remote = MEM_NEW(struct remote);
	inbox->remote->keeper = *keeper;
	wire_open(&inbox->remote->wire, fd);
	if (take_answer(inbox->remote, &greeting, err))
		return inbox;
	inbox_close(inbox);
	return NULL;
}

bool remote_backup(struct inbox *inbox, const char *dir_out, struct error *err)
{
	const struct inbox_keeper *keeper = &inbox->remote->keeper;

	if (!keeper->copy)
		return error_set(err, ERROR_DENIED, "who reads this inbox makes no copies");
	return keeper->copy(keeper->arg, dir_out, err);
}

void remote_close(struct remote *remote)
{
	wire_close(&remote->wire);
	free(remote);
}
