/* SPDX-License-Identifier: ISC */
/*
 * result: names of outcomes, the cause in words, and freeing.
 */
#include "model/result.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/words.h"

static const char *const OUTCOME_NAMES[OUTCOME__COUNT] = {
	[OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_UP] = "up",
	[OUTCOME_DOWN] = "down",
};

const char *outcome_name(enum outcome outcome)
{
	return (unsigned)outcome < OUTCOME__COUNT ? OUTCOME_NAMES[outcome] : "unknown";
}

void result_clear(struct result *result)
{
	free(result->headers);
	free(result->body);
	*result = (struct result){.timings = TIMINGS_NONE};
}

/* What it quotes may be a stranger's bytes: pages, mails, logs and peers get one line of UTF-8. */
void result_cause(struct result *result, const char *format, ...)
{
	struct text whole = TEXT_INIT, line = TEXT_INIT, cut = TEXT_INIT;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&whole, format, ap);
	va_end(ap);
	text_header(&line, text_str(&whole));
	text_cut(&cut, text_str(&line), CAUSE_MAX - 1);
	memcpy(result->cause, text_str(&cut), cut.len + 1);
	text_free(&whole);
	text_free(&line);
	text_free(&cut);
}

void result_cause_since(struct result *result, const char *what, int64_t us)
{
	struct text length = TEXT_INIT;

	words_length(&length, LANGUAGE_EN, us);
	result_cause(result, "%s for %s", what, text_str(&length));
	text_free(&length);
}
