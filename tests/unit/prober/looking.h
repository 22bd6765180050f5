/* SPDX-License-Identifier: ISC */
/* looking: one look of any type, for tests: its options as JSON, a timeout, and the result. */
#ifndef TESTS_LOOKING_H
#define TESTS_LOOKING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/check/check.h"

static const char *looking_ca = "/etc/ssl/certs/ca-certificates.crt";

static void looking_done(struct check *check, void *arg)
{
	struct result *out = arg;

	*out = check->result;
	check->result.headers = check->result.body = NULL;
	loop_stop(check->loop);
}

/* The caller clears the result. */
static struct result look_at(const char *type, const char *options, int64_t timeout_ms)
{
	struct loop *loop = loop_new(NULL);
	struct check_world world = {.ca_bundle = looking_ca};
	struct monitor monitor = {.slug = (char[]){"m"}, .timeout_ms = timeout_ms};
	struct result result = {0};
	struct error err = {0};

	monitor.type = mem_str(type);
	monitor.options = mem_str(options);
	if (check_start(loop, &world, &monitor, NULL, looking_done, &result, &err))
		loop_run(loop, clock_mono_us() + 20 * US_PER_S);
	else
		fprintf(stderr, "%s\n", err.text);
	loop_free(loop);
	free(monitor.type);
	free(monitor.options);
	return result;
}

/* A row of a table: options in which %u is the test's port. */
struct look_row {
	const char *options;
	enum outcome outcome;
	bool definite;
	const char *cause; /* how it begins; "" when up */
};

__attribute__((unused)) static void look_at_rows(const char *type, unsigned port, int64_t timeout_ms, const struct look_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct text options = TEXT_INIT;
		const char *mark = strstr(rows[i].options, "%u");
		struct result result;

		text_rawn(&options, rows[i].options, mark ? (size_t)(mark - rows[i].options) : strlen(rows[i].options));
		if (mark)
			text_printf(&options, "%u%s", port, mark + 2);
		result = look_at(type, text_str(&options), timeout_ms);
		if (result.outcome != rows[i].outcome || result.definite != rows[i].definite ||
			(rows[i].cause[0] ? strncmp(result.cause, rows[i].cause, strlen(rows[i].cause)) != 0 :
					    result.cause[0] != '\0'))
			fail_msg("%s: %s%s, \"%s\"", text_str(&options), outcome_name(result.outcome),
				result.definite ? " definitely" : "", result.cause);
		result_clear(&result);
		text_free(&options);
	}
}

#endif
