/* SPDX-License-Identifier: ISC */
/*
 * inbox_serve: reading the inbox for another process. An answer is collected whole before it is written, so
 * that no transaction waits for whoever reads it.
 */
#include <stdlib.h>

#include "store/inbox_wire.h"

struct answer {
	struct text out;
};

static bool put_last(void *arg, const char *slug, const struct beat_last *last)
{
	struct answer *answer = arg;

	wire_put_last(&answer->out, slug, last);
	return true;
}

static bool put_entry(void *arg, const struct inbox_entry *entry)
{
	struct answer *answer = arg;

	wire_put_entry(&answer->out, entry);
	return true;
}

static bool serve_beat(struct inbox *inbox, struct unpack *u, struct answer *answer, struct error *err)
{
	struct beat_last last;
	char *slug = NULL;
	bool found = false, ok;

	while (unpack_next(u))
		if (u->tag == 1 && u->is_bytes && slug == NULL)
			slug = unpack_str(u);
	ok = inbox_beat_read(inbox, slug != NULL ? slug : "", &last, &found, err);
	if (ok && found)
		wire_put_last(&answer->out, slug, &last);
	if (ok)
		beat_last_clear(&last);
	free(slug);
	return ok;
}

static bool serve_queue(struct inbox *inbox, struct unpack *u, struct answer *answer, struct error *err)
{
	uint64_t kind = 0, after = 0;

	while (unpack_next(u)) {
		if (u->tag == 1 && !u->is_bytes)
			kind = unpack_u64(u);
		else if (u->tag == 2 && !u->is_bytes)
			after = unpack_u64(u);
	}
	return inbox_queue_scan(inbox, (enum inbox_kind)kind, after, put_entry, answer, err);
}

static bool serve_figures(struct inbox *inbox, struct answer *answer, struct error *err)
{
	struct store_figures figures;
	struct pack p;

	if (!inbox_figures(inbox, &figures, err))
		return false;
	wire_begin(&p, WIRE_NUMBERS);
	pack_bytes(&p, 1, &figures, sizeof(figures));
	wire_put(&answer->out, WIRE_NUMBERS, &p);
	return true;
}

static bool serve_verify(struct inbox *inbox, struct answer *answer, struct error *err)
{
	uint64_t records;
	struct pack p;

	if (!inbox_verify(inbox, &records, err))
		return false;
	wire_begin(&p, WIRE_NUMBERS);
	pack_u64(&p, 2, records);
	wire_put(&answer->out, WIRE_NUMBERS, &p);
	return true;
}

static bool serve_one(struct inbox *inbox, enum wire_kind asked, struct unpack *u, struct answer *answer,
	struct error *err)
{
	switch (asked) {
	case WIRE_BEAT:
		return serve_beat(inbox, u, answer, err);
	case WIRE_BEATS:
		return inbox_beat_scan(inbox, put_last, answer, err);
	case WIRE_QUEUE:
		return serve_queue(inbox, u, answer, err);
	case WIRE_FIGURES:
		return serve_figures(inbox, answer, err);
	case WIRE_VERIFY:
		return serve_verify(inbox, answer, err);
	default:
		return error_set(err, ERROR_INPUT, "nobody asks this");
	}
}

/* The last frame of an answer. */
static void put_end(struct text *out, bool ok, const struct error *err)
{
	struct pack p;

	if (!ok) {
		wire_put_error(out, err);
		return;
	}
	wire_begin(&p, WIRE_END);
	wire_put(out, WIRE_END, &p);
}

void inbox_serve(const char *dir, int fd)
{
	struct error err = {0};
	struct inbox *inbox = inbox_open(dir, STORE_READ, &err);
	struct answer answer = {TEXT_INIT};
	struct wire wire;
	struct unpack u;
	enum wire_kind asked;
	bool on;

	wire_open(&wire, fd);
	put_end(&answer.out, inbox != NULL, &err);
	on = wire_send(&wire, &answer.out, 0) && inbox != NULL;
	while (on && wire_receive(&wire, &asked, &u, 0)) {
		text_clear(&answer.out);
		put_end(&answer.out, serve_one(inbox, asked, &u, &answer, &err), &err);
		on = wire_send(&wire, &answer.out, 0);
	}
	text_free(&answer.out);
	wire_close(&wire);
	inbox_close(inbox);
}
