/* SPDX-License-Identifier: ISC */
/*
 * beat_parse: what a beat says, from the bytes that say it. Pure; of a signed beat only called once its
 * signature holds.
 */
#ifndef WEB_BEAT_PARSE_H
#define WEB_BEAT_PARSE_H

#include "base/text.h"
#include "model/beat.h"

/* The strings that a struct beat points to. */
struct beat_words {
	struct text msg, rid;
};
void beat_words_free(struct beat_words *words);

/* "", "start", "fail", "log", "0".."255" -> a beat with that kind and exit status and nothing else; false for
   anything else. */
bool beat_parse_signal(const char *verb, struct beat *beat);

/* {"time": number, "msg"?: string, "rid"?: string, "length"?: number}; further members are ignored. Sets
   what it finds in *beat, which points into *words. NULL, or why the body is not as described (a literal). */
const char *beat_parse_body(const struct text *body, struct beat *beat, struct beat_words *words);

#endif
