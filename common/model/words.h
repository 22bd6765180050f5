/* SPDX-License-Identifier: ISC */
/*
 * words: every sentence that people read, once for each language. One row of words.def is
 *
 *	WORD(STATE_UP, "up", "正常")
 *
 * Pages, messages and badges take their words from here; nothing else speaks to people (log lines and
 * error texts of the command line are English only). A row's text may hold {1} {2} ..., which
 * words_put() replaces by its arguments; the caller has escaped neither: `put` does, for its context.
 */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum language { LANGUAGE_EN = 0, LANGUAGE_ZH_TW, LANGUAGE__COUNT };

enum word {
#define WORD(id, en, zh) WORD_##id,
#include "model/words.def"
#undef WORD
	WORD__COUNT
};

const char *word(enum language language, enum word id);
/* "en", "zh-TW"; also accepts what browsers send ("zh-Hant", "zh"); anything else is English. */
enum language language_parse(const char *tag);
const char *language_tag(enum language language);

typedef void (*text_verb)(struct text *t, const char *s); /* text_html, text_raw, ... */
/* The row's own text and each argument go through `put`. */
void words_put(struct text *t, text_verb put, enum language language, enum word id, const char *const *args,
	size_t n);

/* "3 minutes", "2 h 5 min", "12 s": for people, at most two units, escaped by nothing. */
void words_length(struct text *t, enum language language, int64_t us);
/* The word for a state, an event, a mark. */
enum word word_of_state(int state);
enum word word_of_event(int event);

#endif
