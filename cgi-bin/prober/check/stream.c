/* SPDX-License-Identifier: ISC */
/*
 * stream: resolve, connect, shake hands, then move bytes.
 *
 *	resolved    the addresses are there: the first attempt begins
 *	attempted   an attempt has ended: the first that connects wins, the others are dropped
 *	shake       TLS, until it stands or fails
 *	move        bytes in both directions
 */
#include "prober/check/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/address.h"
#include "prober/check/secure.h"

#define NEXT_ADDRESS_MS 250
#define RESOLVE_SHARE(ms) ((ms) * 8 / 10) /* so that a mute resolver is told from a slow target */
#define READ_SIZE 16384

enum phase { PHASE_RESOLVE, PHASE_CONNECT, PHASE_TLS, PHASE_OPEN };

struct attempt {
	struct stream *stream;
	size_t place; /* of its address */
	int fd;
	struct loop_watch *watch;
};

struct stream {
	struct check *check;
	struct stream_target target;
	struct stream_user user;
	enum phase phase;
	int64_t phase_us; /* when it began */
	struct loop_resolve *resolve;
	struct addresses addresses;
	struct attempt attempts[ADDRESSES_MAX];
	size_t begun, pending;
	struct loop_timer *next;
	bool failed_before; /* the result holds an attempt's cause */
	int fd;             /* of the winner */
	struct loop_watch *watch;
	SSL *ssl;
	struct certificate certificate;
	struct text out;
	size_t sent;
	bool reading;
};

static struct result *result_of(struct stream *stream)
{
	return &stream->check->result;
}

static void phase_begin(struct stream *stream, enum phase phase)
{
	stream->phase = phase;
	stream->phase_us = clock_mono_us();
}

static int64_t phase_length(const struct stream *stream)
{
	return clock_mono_us() - stream->phase_us;
}

static void unwatch(struct stream *stream)
{
	loop_unwatch(stream->watch);
	stream->watch = NULL;
}

/* Nothing more happens on the loop: the check waits only to be told of. */
static void finish(struct stream *stream)
{
	unwatch(stream);
	check_finish(stream->check);
}

static void broken(struct stream *stream, int error)
{
	address_cause(result_of(stream), error, NULL);
	finish(stream);
}

/* ---- bytes */

enum moved { MOVED, MOVED_NOT, MOVED_READ, MOVED_WRITE, MOVED_END, MOVED_BROKEN };

/* How an SSL_... call ended that did not succeed. */
static enum moved ssl_ended(struct stream *stream, int returned)
{
	switch (SSL_get_error(stream->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		return MOVED_READ;
	case SSL_ERROR_WANT_WRITE:
		return MOVED_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return MOVED_END;
	default:
		return MOVED_BROKEN;
	}
}

static enum moved plain_ended(ssize_t n, enum moved wanted)
{
	if (n == 0)
		return MOVED_END;
	return errno == EAGAIN || errno == EINTR ? wanted : MOVED_BROKEN;
}

static enum moved take(struct stream *stream, char *bytes, size_t size, size_t *n)
{
	ssize_t got;

	errno = 0;
	if (stream->ssl) {
		ERR_clear_error();
		return SSL_read_ex(stream->ssl, bytes, size, n) == 1 ? MOVED : ssl_ended(stream, 0);
	}
	got = recv(stream->fd, bytes, size, 0);
	*n = got > 0 ? (size_t)got : 0;
	return got > 0 ? MOVED : plain_ended(got, MOVED_READ);
}

static enum moved give(struct stream *stream, size_t *n)
{
	const char *bytes = stream->out.ptr + stream->sent;
	size_t left = stream->out.len - stream->sent;
	ssize_t gone;

	errno = 0;
	if (stream->ssl) {
		ERR_clear_error();
		return SSL_write_ex(stream->ssl, bytes, left, n) == 1 ? MOVED : ssl_ended(stream, 0);
	}
	gone = send(stream->fd, bytes, left, MSG_NOSIGNAL);
	*n = gone > 0 ? (size_t)gone : 0;
	return gone > 0 ? MOVED : plain_ended(gone, MOVED_WRITE);
}

static enum moved send_all(struct stream *stream)
{
	size_t n;

	while (stream->sent < stream->out.len) {
		enum moved moved = give(stream, &n);

		if (moved != MOVED)
			return moved;
		stream->sent += n;
	}
	text_clear(&stream->out);
	stream->sent = 0;
	return MOVED_NOT;
}

/* One piece; the loop comes again for more. */
static enum moved read_some(struct stream *stream)
{
	struct result *result = result_of(stream);
	char bytes[READ_SIZE];
	enum moved moved;
	size_t n = 0;

	do {
		moved = take(stream, bytes, sizeof(bytes), &n);
		if (moved != MOVED)
			return moved;
		if (result->timings.first_byte_us < 0)
			result->timings.first_byte_us = phase_length(stream);
		stream->user.came(stream->user.arg, bytes, n);
	} while (stream->ssl && !stream->check->finished && SSL_pending(stream->ssl) > 0);
	return MOVED_READ;
}

static void move(void *arg, unsigned events)
{
	struct stream *stream = arg;
	enum moved out, in = MOVED_NOT;
	unsigned wanted;

	(void)events;
	if (stream->check->finished) {
		unwatch(stream);
		return;
	}
	out = send_all(stream);
	if (out == MOVED_BROKEN || out == MOVED_END) {
		broken(stream, errno ? errno : EPIPE);
		return;
	}
	if (stream->reading)
		in = read_some(stream);
	else if (out == MOVED_NOT && stream->user.sent)
		stream->user.sent(stream->user.arg);
	if (stream->check->finished) {
		unwatch(stream);
	} else if (in == MOVED_END || (in == MOVED_BROKEN && errno == 0)) {
		unwatch(stream);
		stream->user.closed(stream->user.arg);
	} else if (in == MOVED_BROKEN) {
		broken(stream, errno);
	} else {
		wanted = (in == MOVED_READ || out == MOVED_READ ? LOOP_READ : 0) |
			(in == MOVED_WRITE || out == MOVED_WRITE ? LOOP_WRITE : 0);
		loop_watch_events(stream->watch, wanted);
	}
}

void stream_send(struct stream *stream, const char *bytes, size_t n)
{
	text_rawn(&stream->out, bytes, n);
	loop_watch_events(stream->watch, LOOP_WRITE | (stream->reading ? LOOP_READ : 0));
}

void stream_read(struct stream *stream)
{
	stream->reading = true;
	loop_watch_events(stream->watch, LOOP_READ | LOOP_WRITE);
}

static void opened(struct stream *stream)
{
	phase_begin(stream, PHASE_OPEN);
	stream->watch = loop_watch(stream->check->loop, stream->fd, 0, move, stream);
	stream->user.opened(stream->user.arg);
}

/* ---- TLS */

static void note_certificate(struct stream *stream)
{
	if (stream->certificate.expires_s > 0)
		result_of(stream)->certificate_expires_s = stream->certificate.expires_s;
}

static void shake(void *arg, unsigned events)
{
	struct stream *stream = arg;
	struct result *result = result_of(stream);
	int done;
	enum moved moved;

	(void)events;
	errno = 0;
	ERR_clear_error();
	done = SSL_do_handshake(stream->ssl);
	moved = done == 1 ? MOVED : ssl_ended(stream, done);
	if (moved == MOVED_READ || moved == MOVED_WRITE) {
		loop_watch_events(stream->watch, moved == MOVED_READ ? LOOP_READ : LOOP_WRITE);
		return;
	}
	note_certificate(stream);
	result->timings.tls_us = phase_length(stream);
	if (moved == MOVED) {
		unwatch(stream);
		opened(stream);
		return;
	}
	secure_cause(&stream->certificate, ERR_peek_error(), errno, result);
	ERR_clear_error();
	finish(stream);
}

static void tls_begin(struct stream *stream)
{
	phase_begin(stream, PHASE_TLS);
	stream->ssl = secure_new(stream->fd, stream->target.host, stream->target.verify,
		stream->check->world->ca_bundle, &stream->certificate, result_of(stream));
	if (!stream->ssl) {
		finish(stream);
		return;
	}
	stream->watch = loop_watch(stream->check->loop, stream->fd, LOOP_WRITE, shake, stream);
}

/* ---- connecting */

static void attempt_next(struct stream *stream);

static void attempt_drop(struct attempt *attempt)
{
	if (attempt->fd < 0)
		return;
	loop_unwatch(attempt->watch);
	close(attempt->fd);
	attempt->watch = NULL;
	attempt->fd = -1;
	attempt->stream->pending--;
}

static void attempts_drop(struct stream *stream)
{
	loop_timer_stop(stream->next);
	stream->next = NULL;
	for (size_t i = 0; i < stream->begun; i++)
		attempt_drop(&stream->attempts[i]);
}

/* Another address may still do. When none does, the first cause that lies with the target is told. */
static void attempt_failed(struct attempt *attempt, int error)
{
	struct stream *stream = attempt->stream;
	struct result *result = result_of(stream);
	const union address *address = &stream->addresses.at[attempt->place];

	if (!stream->failed_before || result->outcome == OUTCOME_UNKNOWN) {
		address_cause(result, error, address);
		address_print(address, result->address, sizeof(result->address));
	}
	stream->failed_before = true;
	attempt_drop(attempt);
	if (stream->begun < stream->addresses.n)
		attempt_next(stream);
	else if (stream->pending == 0)
		finish(stream);
}

static void attempt_won(struct attempt *attempt)
{
	struct stream *stream = attempt->stream;
	struct result *result = result_of(stream);

	result->timings.connect_us = phase_length(stream);
	result->outcome = OUTCOME_UNKNOWN;
	result->definite = false;
	result->cause[0] = '\0';
	address_print(&stream->addresses.at[attempt->place], result->address, sizeof(result->address));
	stream->fd = attempt->fd;
	loop_unwatch(attempt->watch);
	attempt->watch = NULL;
	attempt->fd = -1;
	attempts_drop(stream);
	if (stream->target.tls)
		tls_begin(stream);
	else
		opened(stream);
}

static void attempted(void *arg, unsigned events)
{
	struct attempt *attempt = arg;
	int error = 0;
	socklen_t n = sizeof(error);

	(void)events;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error)
		attempt_failed(attempt, error);
	else
		attempt_won(attempt);
}

static void next_fired(void *arg)
{
	struct stream *stream = arg;

	stream->next = NULL;
	attempt_next(stream);
}

static void attempt_next(struct stream *stream)
{
	struct attempt *attempt = &stream->attempts[stream->begun];
	union address *address = &stream->addresses.at[stream->begun];

	*attempt = (struct attempt){.stream = stream, .place = stream->begun++};
	stream->pending++;
	loop_timer_stop(stream->next);
	stream->next = NULL;
	address_set_port(address, (unsigned)stream->target.port);
	attempt->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0) {
		stream->pending--;
		attempt_failed(attempt, errno);
		return;
	}
	if (connect(attempt->fd, (struct sockaddr *)address, address_length(address)) != 0 && errno != EINPROGRESS) {
		attempt_failed(attempt, errno);
		return;
	}
	attempt->watch = loop_watch(stream->check->loop, attempt->fd, LOOP_WRITE, attempted, attempt);
	if (stream->begun < stream->addresses.n)
		stream->next = loop_after(stream->check->loop, NEXT_ADDRESS_MS, next_fired, stream);
}

static void resolved(void *arg, const struct addresses *addresses, const char *why, bool ours)
{
	struct stream *stream = arg;
	struct result *result = result_of(stream);

	stream->resolve = NULL;
	stream->addresses = *addresses;
	result->timings.dns_us = addresses->took_us;
	if (addresses->n == 0) {
		result_cause(result, "%s", why);
		result->outcome = ours ? OUTCOME_UNKNOWN : OUTCOME_DOWN;
		finish(stream);
		return;
	}
	phase_begin(stream, PHASE_CONNECT);
	address_print(&addresses->at[0], result->address, sizeof(result->address));
	attempt_next(stream);
}

/* ---- the calls */

struct stream *stream_open(struct check *check, const struct stream_target *target, const struct stream_user *user)
{
	struct stream *stream = MEM_NEW(struct stream);

	stream->check = check;
	stream->target = *target;
	stream->user = *user;
	stream->fd = -1;
	phase_begin(stream, PHASE_RESOLVE);
	stream->resolve = loop_resolve(check->loop, target->host, AF_UNSPEC, RESOLVE_SHARE(check_left_ms(check)),
		resolved, stream);
	return stream;
}

void stream_expire(struct stream *stream, const char *reading)
{
	const char *waiting[] = {
		[PHASE_RESOLVE] = " looking up the name",
		[PHASE_CONNECT] = " connecting",
		[PHASE_TLS] = " in the TLS handshake",
		[PHASE_OPEN] = reading,
	};
	struct result *result = result_of(stream);
	char *before = mem_str(result->cause);

	result_cause(result, "%s%s", before, waiting[stream->phase]);
	free(before);
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	loop_resolve_stop(stream->resolve);
	attempts_drop(stream);
	unwatch(stream);
	SSL_free(stream->ssl);
	if (stream->fd >= 0)
		close(stream->fd);
	text_free(&stream->out);
	free(stream);
}
