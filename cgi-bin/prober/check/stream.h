/* SPDX-License-Identifier: ISC */
/*
 * stream: a TCP connection to a host and port, with TLS when wanted, as checks need it: the name is resolved
 * on the loop; its addresses are tried in turn, the next one already after a quarter of a second, so that a
 * dead address does not hide a living one; whatever goes wrong finishes the check with its cause.
 */
#ifndef PROBER_STREAM_H
#define PROBER_STREAM_H

#include "prober/check/check.h"

struct stream;

struct stream_target {
	const char *host; /* a name or a literal address; outlives the stream */
	int64_t port;
	bool tls, verify;
};

/* What a type does with the connection. Each may finish the check; none may free the stream. */
struct stream_user {
	void (*opened)(void *arg);                              /* it stands, TLS included */
	void (*sent)(void *arg);                                /* all of stream_send(), unless it reads; may be NULL */
	void (*came)(void *arg, const char *bytes, size_t n);   /* after stream_read() */
	void (*closed)(void *arg);                              /* by the other side, while reading */
	void *arg;
};

struct stream *stream_open(struct check *check, const struct stream_target *target, const struct stream_user *user);
/* Sends all of it, after what is still to be sent. */
void stream_send(struct stream *stream, const char *bytes, size_t n);
void stream_read(struct stream *stream);
/* The deadline has passed: adds to the cause what was waited for; `reading` names it once the stream stands
   (" waiting for the greeting"). */
void stream_expire(struct stream *stream, const char *reading);
void stream_free(struct stream *stream);

#endif
