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

/* The row for a count: `one` for 1, else `many`. */
enum word words_count(uint64_t count, enum word one, enum word many);

/* A length of time for people, at most two units, appended as it is (digits and our own words):
   "340 ms", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". Negative counts as 0. */
void words_length(struct text *t, enum language language, int64_t us);
/* A response time: "87 ms", "1.24 s". */
void words_response(struct text *t, enum language language, int64_t us);

/* The word for a state, an event, a mark (one MARK_... bit), and for the rule that held an alert back
   (see judge.h and ENTRY_HELD; WORD_NONE when it is not one of ours). */
enum word word_of_state(int state);
enum word word_of_event(int event);
enum word word_of_mark(unsigned mark);
enum word word_of_held(const char *rule);

#endif
