/* SPDX-License-Identifier: ISC */
/*
 * inbox_wire: frames and their records. See inbox_wire.h.
 */
#include "store/inbox_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/record.h"

#define WIRE_VERSION 1
#define READ_AT_ONCE (64u << 10)
#define SENDER_LONGEST 1024
/* The year 9999, and a machine that ran for longer than there were machines: sums of times stay in range. */
#define LATEST_US (INT64_C(253402300800) * US_PER_S)

struct head {
	uint32_t kind, length;
};

void wire_open(struct wire *wire, int fd)
{
	*wire = (struct wire){.fd = fd, .in = TEXT_INIT};
}

void wire_close(struct wire *wire)
{
	text_free(&wire->in);
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
}

/* ---- frames ------------------------------------------------------------------------------------------ */

void wire_begin(struct pack *p, enum wire_kind kind)
{
	pack_begin(p, (uint8_t)kind, WIRE_VERSION);
}

void wire_put(struct text *out, enum wire_kind kind, struct pack *p)
{
	struct head head;

	pack_end(p);
	head = (struct head){(uint32_t)kind, (uint32_t)p->out.len};
	text_rawn(out, (const char *)&head, sizeof(head));
	text_rawn(out, p->out.ptr, p->out.len);
	pack_free(p);
}

static bool wait_for(int fd, short what, int64_t until_us)
{
	struct pollfd p = {.fd = fd, .events = what};

	for (;;) {
		int64_t left_us = until_us ? until_us - clock_mono_us() : 0;
		int n;

		if (until_us && left_us <= 0)
			return false;
		n = poll(&p, 1, until_us ? (int)(left_us / US_PER_MS) + 1 : -1);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

bool wire_send(struct wire *wire, const struct text *out, int64_t until_us)
{
	for (size_t at = 0; at < out->len;) {
		ssize_t n;

		if (!wait_for(wire->fd, POLLOUT, until_us))
			return false;
		n = write(wire->fd, out->ptr + at, out->len - at < READ_AT_ONCE ? out->len - at : READ_AT_ONCE);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* At least so many bytes from `at` on. */
static bool have(struct wire *wire, size_t n, int64_t until_us)
{
	if (wire->in.len - wire->at >= n)
		return true;
	if (wire->at > 0) {
		memmove(wire->in.ptr, wire->in.ptr + wire->at, wire->in.len - wire->at);
		wire->in.len -= wire->at;
		wire->at = 0;
	}
	while (wire->in.len < n) {
		ssize_t got;

		text_reserve(&wire->in, READ_AT_ONCE);
		if (!wait_for(wire->fd, POLLIN, until_us))
			return false;
		got = read(wire->fd, wire->in.ptr + wire->in.len, READ_AT_ONCE);
		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		wire->in.len += got > 0 ? (size_t)got : 0;
	}
	return true;
}

bool wire_receive(struct wire *wire, enum wire_kind *kind, struct unpack *u, int64_t until_us)
{
	struct head head;

	if (!have(wire, sizeof(head), until_us))
		return false;
	memcpy(&head, wire->in.ptr + wire->at, sizeof(head));
	if (head.length > WIRE_FRAME_MAX || head.kind < WIRE_BEAT || head.kind > WIRE_ERROR ||
		!have(wire, sizeof(head) + head.length, until_us))
		return false;
	*kind = (enum wire_kind)head.kind;
	wire->at += sizeof(head);
	if (!unpack_begin(u, wire->in.ptr + wire->at, head.length, (uint8_t)head.kind, WIRE_VERSION, NULL))
		return false;
	wire->at += head.length;
	return true;
}

/* ---- last values ------------------------------------------------------------------------------------- */

enum { LAST_SLUG = 1, LAST_VALUES, LAST_MESSAGE };

void wire_put_last(struct text *out, const char *slug, const struct beat_last *last)
{
	struct pack p, values;

	record_pack(&values, &SHAPE_BEAT_LAST, last);
	wire_begin(&p, WIRE_LAST);
	pack_str(&p, LAST_SLUG, slug);
	pack_bytes(&p, LAST_VALUES, values.out.ptr, values.out.len);
	pack_str(&p, LAST_MESSAGE, last->msg);
	wire_put(out, WIRE_LAST, &p);
	pack_free(&values);
}

static bool is_time(int64_t us)
{
	return us >= 0 && us < LATEST_US;
}

static bool is_moment(const struct moment *m)
{
	return is_time(m->wall_us) && is_time(m->boot_us);
}

static bool could_be(const struct beat_last *last)
{
	return last->last_time_us > -LATEST_US && last->last_time_us < LATEST_US && is_moment(&last->success) &&
	       is_moment(&last->failed) && is_moment(&last->started) && is_moment(&last->any) &&
	       (unsigned)last->kind < BEAT__COUNT && last->exit_status >= -1 && last->exit_status <= 255 &&
	       last->run_us >= -1 && last->run_us < LATEST_US &&
	       (last->msg == NULL || strlen(last->msg) <= BEAT_MSG_MAX) &&
	       (last->rid == NULL || strlen(last->rid) <= BEAT_RID_MAX);
}

bool wire_read_last(struct unpack *u, char **slug, struct beat_last *last)
{
	char *message = NULL;
	bool ok = true, filled = false;

	*slug = NULL;
	*last = (struct beat_last)BEAT_LAST_INIT;
	while (ok && unpack_next(u)) {
		if (u->tag == LAST_SLUG && u->is_bytes && *slug == NULL) {
			*slug = unpack_str(u);
		} else if (u->tag == LAST_VALUES && u->is_bytes && !filled) {
			ok = filled = record_unpack(u->bytes, u->len, &SHAPE_BEAT_LAST, last, NULL);
		} else if (u->tag == LAST_MESSAGE && u->is_bytes && message == NULL) {
			message = unpack_str(u);
		}
	}
	if (filled && last->msg == NULL) {
		last->msg = message;
		message = NULL;
	}
	free(message);
	return ok && filled && unpack_end(u, NULL) && *slug != NULL && monitor_slug_valid(*slug, strlen(*slug)) &&
	       could_be(last);
}

/* ---- entries of the queue ---------------------------------------------------------------------------- */

enum { ENTRY_ID = 1, ENTRY_KIND, ENTRY_AT, ENTRY_SENDER, ENTRY_PAYLOAD };

void wire_put_entry(struct text *out, const struct inbox_entry *entry)
{
	struct pack p;

	wire_begin(&p, WIRE_ENTRY);
	pack_u64(&p, ENTRY_ID, entry->id);
	pack_u64(&p, ENTRY_KIND, (uint64_t)entry->kind);
	pack_i64(&p, ENTRY_AT, entry->at_us);
	pack_str(&p, ENTRY_SENDER, entry->sender);
	pack_bytes(&p, ENTRY_PAYLOAD, entry->payload, entry->payload_len);
	wire_put(out, WIRE_ENTRY, &p);
}

bool wire_read_entry(struct unpack *u, struct inbox_entry *entry, char **sender, char **payload)
{
	uint64_t kind = 0;

	*entry = (struct inbox_entry){0};
	*sender = *payload = NULL;
	while (unpack_next(u)) {
		if (u->tag == ENTRY_ID && !u->is_bytes) {
			entry->id = unpack_u64(u);
		} else if (u->tag == ENTRY_KIND && !u->is_bytes) {
			kind = unpack_u64(u);
		} else if (u->tag == ENTRY_AT && !u->is_bytes) {
			entry->at_us = unpack_i64(u);
		} else if (u->tag == ENTRY_SENDER && u->is_bytes && *sender == NULL) {
			*sender = unpack_str(u);
		} else if (u->tag == ENTRY_PAYLOAD && u->is_bytes && *payload == NULL) {
			*payload = unpack_str(u);
			entry->payload_len = u->len;
		}
	}
	entry->kind = (enum inbox_kind)kind;
	entry->sender = *sender != NULL ? *sender : "";
	entry->payload = *payload != NULL ? *payload : "";
	return unpack_end(u, NULL) && entry->id > 0 && entry->id < UINT64_MAX && kind > 0 && kind < INBOX__COUNT &&
	       is_time(entry->at_us) && strlen(entry->sender) <= SENDER_LONGEST;
}

/* ---- errors ------------------------------------------------------------------------------------------ */

enum { ERROR_KIND = 1, ERROR_TEXT };

void wire_put_error(struct text *out, const struct error *err)
{
	struct pack p;

	wire_begin(&p, WIRE_ERROR);
	pack_u64(&p, ERROR_KIND, (uint64_t)err->kind);
	pack_str(&p, ERROR_TEXT, err->text);
	wire_put(out, WIRE_ERROR, &p);
}

void wire_read_error(struct unpack *u, struct error *err)
{
	uint64_t kind = 0;
	char *words = NULL;
	struct text shown = TEXT_INIT;

	while (unpack_next(u)) {
		if (u->tag == ERROR_KIND && !u->is_bytes)
			kind = unpack_u64(u);
		else if (u->tag == ERROR_TEXT && u->is_bytes && words == NULL)
			words = unpack_str(u);
	}
	text_screen(&shown, words != NULL ? words : "");
	error_set(err, kind > 0 && kind <= ERROR_DENIED ? (enum error_kind)kind : ERROR_DAMAGED, "%s",
		shown.len > 0 ? text_str(&shown) : "the inbox cannot be read");
	text_free(&shown);
	free(words);
}
