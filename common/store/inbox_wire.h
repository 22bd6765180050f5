/* SPDX-License-Identifier: ISC */
/*
 * inbox_wire: what two processes say to each other when one reads the inbox for the other: frames of a
 * kind, a length and a packed record. The one that asks takes nothing on trust: a frame is bounded,
 * complete, sealed, and each value in it is one that an honest reader could have found.
 */
#ifndef STORE_INBOX_WIRE_H
#define STORE_INBOX_WIRE_H

#include "base/pack.h"
#include "store/inbox.h"

enum wire_kind {
	/* asked */
	WIRE_BEAT = 1, /* slug */
	WIRE_BEATS,
	WIRE_QUEUE, /* kind, after */
	WIRE_FIGURES,
	WIRE_VERIFY,
	/* answered: any number of these, and then one of the last two */
	WIRE_LAST,  /* slug, values, message */
	WIRE_ENTRY, /* of the queue */
	WIRE_NUMBERS,
	WIRE_END,
	WIRE_ERROR, /* kind, text */
};
#define WIRE_FRAME_MAX (256u << 10)

struct wire {
	int fd;
	struct text in; /* what came and is not used up from `at` on */
	size_t at;
};
void wire_open(struct wire *wire, int fd);
void wire_close(struct wire *wire); /* the descriptor too */

/* Begins a frame's record; wire_put() seals it, appends the frame to out, and frees it. */
void wire_begin(struct pack *p, enum wire_kind kind);
void wire_put(struct text *out, enum wire_kind kind, struct pack *p);
/* false: the other side has gone, or until_us (clock_mono_us; 0: for ever) has passed. */
bool wire_send(struct wire *wire, const struct text *out, int64_t until_us);
/* The next frame, its record begun in *u; valid until the next call. false: gone, too late, or no frame. */
bool wire_receive(struct wire *wire, enum wire_kind *kind, struct unpack *u, int64_t until_us);

/* Records of more than numbers. Reading ones: false when it cannot be true; the caller clears and frees. */
void wire_put_last(struct text *out, const char *slug, const struct beat_last *last);
bool wire_read_last(struct unpack *u, char **slug, struct beat_last *last);
void wire_put_entry(struct text *out, const struct inbox_entry *entry);
bool wire_read_entry(struct unpack *u, struct inbox_entry *entry, char **sender, char **payload);
void wire_put_error(struct text *out, const struct error *err);
void wire_read_error(struct unpack *u, struct error *err);

#endif
