/* SPDX-License-Identifier: ISC */
/* Whole requests through the dispatcher, against a small store: the first line is "METHOD ADDRESS", the next
   ones are CGI variables up to an empty one, the rest is the body. Whatever comes: one whole answer with a
   status that we know, no server error, no header that we did not write, and nothing stored by a GET. */
#include <unistd.h>

#include "../unit/web/fixture.c"
#include "base/log.h"
#include "fuzz.h"

static struct fixture store;

static void close_store(void)
{
	fixture_close(&store);
}

static void open_store(void)
{
	struct error err = {0};

	log_open("fuzz", NULL, 0, false);
	fixture_open(&store);
	if (!fixture_publish(store.dir, FIXTURE_DEFAULT, 0, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	atexit(close_store);
}

/* Takes a line off; NULL when there is none. */
static char *take_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (*line == '\0')
		return NULL;
	if (end != NULL)
		*end = '\0';
	*at = end != NULL ? end + 1 : line + strlen(line);
	return line;
}

static void check(const struct answer *answer)
{
	static const int known[] = {200, 301, 303, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 503};
	bool is_known = false;
	size_t i;

	for (i = 0; i < COUNT_OF(known); i++)
		is_known |= answer->status == known[i];
	FUZZ_CHECK(is_known);
	FUZZ_CHECK(strstr(text_str(&answer->head), "\r\n\r\n") == NULL);
	FUZZ_CHECK(strncmp(text_str(&answer->head), "Status: ", 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_string(data, size), *at = copy, *first, *address, *line;
	const char *env[12] = {NULL};
	struct answer answer = {0};
	size_t n = 0;

	if (store.dir == NULL)
		open_store();
	first = take_line(&at);
	address = first != NULL ? strchr(first, ' ') : NULL;
	if (address != NULL) {
		*address++ = '\0';
		while (n < COUNT_OF(env) - 1 && (line = take_line(&at)) != NULL && *line != '\0')
			if (strchr(line, '=') != NULL && strncmp(line, "UPBEAT_", 7) != 0)
				env[n++] = line;
		fixture_ask(&store, first, address, at, strlen(at), env, &answer);
		check(&answer);
		answer_clear(&answer);
	}
	free(copy);
	return 0;
}
