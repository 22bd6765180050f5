/* SPDX-License-Identifier: ISC */
/*
 * beat_log: what a heartbeat's page remembers of single beats: their messages, exit statuses and run lengths.
 * A plain success says nothing that the last values do not say, and is not logged.
 *
 *	{"kind":"fail","exit":3,"length":12.5,"msg":"disk full"}
 */
#ifndef WEB_BEAT_LOG_H
#define WEB_BEAT_LOG_H

#include "base/text.h"
#include "model/beat.h"

#define BEAT_LOG_MSG_MAX 500 /* bytes of a message; the newest is kept whole with the last values */

/* Appends the entry; false: there is nothing worth one. */
bool beat_log_put(struct text *t, const struct beat *beat);

/* One entry, read back. */
struct beat_logged {
	enum beat_kind kind;
	int exit_status;   /* -1 none */
	int64_t length_us; /* as the client measured it; -1 none */
	struct text msg;
};
/* false: it is of no form that we know. The caller frees msg. */
bool beat_log_read(const char *payload, size_t n, struct beat_logged *out);

#endif
