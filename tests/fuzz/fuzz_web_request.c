/* SPDX-License-Identifier: ISC */
/* A whole request in memory: lines are CGI variables up to an empty one, the rest is the body. What goes into
   a reply's headers must come out as those headers and no more. */
#include "../unit/web/memory_io.h"
#include "base/mem.h"
#include "fuzz.h"
#include "web/reply.h"

#define ENV_MAX 32

/* Status, type, three of safety, cache, ours, length, the empty one: nothing that was sent adds a line. */
static void check_head(const struct text *out)
{
	const char *end = memmem(out->ptr, out->len, "\r\n\r\n", 4), *at = out->ptr;
	size_t lines = 0;

	FUZZ_CHECK(end != NULL);
	for (; at < end; at++)
		lines += *at == '\n';
	FUZZ_CHECK(lines == 6);
}

static void check_reply(struct request *req, const char *value)
{
	struct memory_io *m = (struct memory_io *)req->io;
	struct reply reply;

	reply_begin(&reply);
	reply_text(&reply, 200, "x");
	reply_header(&reply, "X-Test", value);
	reply_send(&reply, req);
	reply_end(&reply);
	check_head(&m->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const programs[] = {"upbeat.fcgi", NULL};
	struct memory_io m = memory_io_of(NULL, 0);
	char *copy = mem_strn((const char *)data, size), *env[ENV_MAX + 1] = {NULL}, *at = copy,
	     *end = copy + size, *value;
	struct request req;
	size_t n = 0;

	while (at < end && *at != '\n' && n < ENV_MAX) {
		char *eol = memchr(at, '\n', (size_t)(end - at));

		env[n++] = at;
		if (eol == NULL) {
			at = end;
			break;
		}
		*eol = '\0';
		at = eol + 1;
	}
	m.in = at;
	m.left = (size_t)(end - at);
	request_begin(&req, env, &m.io, NULL, "https://example.com/m", programs);
	request_wants_html(&req);
	FUZZ_CHECK(request_body(&req, REQUEST_BODY_MAX) != BODY_OK || req.body.len <= REQUEST_BODY_MAX);
	value = request_form(&req, "api_key");
	free(value);
	value = request_query(&req, "rid");
	check_reply(&req, value != NULL ? value : req.query);
	free(value);
	request_end(&req);
	text_free(&m.out);
	free(copy);
	return 0;
}
