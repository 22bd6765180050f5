/* SPDX-License-Identifier: ISC */
/*
 * memory_io: a connection in memory, for requests that no server brought: what is read from it was given,
 * what is written to it is kept.
 *
 *	struct memory_io m = memory_io_of(body, len);
 *	request_begin(&req, env, &m.io, NULL, NULL, programs);
 *	...
 *	text_free(&m.out);
 */
#ifndef TESTS_WEB_MEMORY_IO_H
#define TESTS_WEB_MEMORY_IO_H

#include <string.h>

#include "web/request.h"

struct memory_io {
	struct channel_io io;
	const char *in;
	size_t left;
	struct text out;
};

static inline long memory_read(struct channel_io *io, void *out, size_t n, int64_t deadline_us)
{
	struct memory_io *m = (struct memory_io *)io;

	(void)deadline_us;
	if (n > m->left)
		n = m->left;
	if (n > 0)
		memcpy(out, m->in, n);
	m->in += n;
	m->left -= n;
	return (long)n;
}

static inline bool memory_write(struct channel_io *io, const void *bytes, size_t n)
{
	text_rawn(&((struct memory_io *)io)->out, bytes, n);
	return true;
}

static inline struct memory_io memory_io_of(const void *in, size_t n)
{
	return (struct memory_io){{memory_read, memory_write}, in, n, TEXT_INIT};
}

#endif
