/* SPDX-License-Identifier: ISC */
/*
 * words: looking rows up, filling them, and lengths of time in words.
 */
#include "model/words.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/monitor.h"

struct row {
	const char *text[LANGUAGE__COUNT];
};

static const struct row ROWS[WORD__COUNT] = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): texts, one may be several literals */
#define WORD(id, en, zh) [WORD_##id] = {{[LANGUAGE_EN] = en, [LANGUAGE_ZH_TW] = zh}},
#include "model/words.def"
#undef WORD
};

static const char *const TAGS[LANGUAGE__COUNT] = {
	[LANGUAGE_EN] = "en",
	[LANGUAGE_ZH_TW] = "zh-TW",
};

const char *word(enum language language, enum word id)
{
	if ((unsigned)id >= WORD__COUNT)
		return "";
	return ROWS[id].text[(unsigned)language < LANGUAGE__COUNT ? language : LANGUAGE_EN];
}

enum word words_count(uint64_t count, enum word one, enum word many)
{
	return count == 1 ? one : many;
}

enum language language_parse(const char *tag)
{
	/* Readers of Simplified Chinese are better served by Traditional Chinese than by English. */
	bool zh = tag && strncasecmp(tag, "zh", 2) == 0 && (tag[2] == '\0' || tag[2] == '-' || tag[2] == '_');

	return zh ? LANGUAGE_ZH_TW : LANGUAGE_EN;
}

const char *language_tag(enum language language)
{
	return TAGS[(unsigned)language < LANGUAGE__COUNT ? language : LANGUAGE_EN];
}

/* ---- filling */

/* s points at "{3}" and the like: the number, or 0 when it is just a brace. */
static size_t placeholder(const char *s)
{
	return s[0] == '{' && s[1] >= '1' && s[1] <= '9' && s[2] == '}' ? (size_t)(s[1] - '0') : 0;
}

/* The row's own words between two placeholders. */
static void put_piece(struct text *t, text_verb put, const char *s, size_t n)
{
	struct text piece = TEXT_INIT;

	if (n == 0)
		return;
	text_rawn(&piece, s, n);
	put(t, text_str(&piece));
	text_free(&piece);
}

void words_put(struct text *t, text_verb put, enum language language, enum word id, const char *const *args,
	size_t n)
{
	const char *from = word(language, id), *at = from;

	while (*at) {
		size_t which = placeholder(at);

		if (which == 0) {
			at++;
			continue;
		}
		put_piece(t, put, from, (size_t)(at - from));
		if (which <= n && args[which - 1])
			put(t, args[which - 1]);
		at += 3;
		from = at;
	}
	put_piece(t, put, from, (size_t)(at - from));
}

/* ---- lengths */

static const struct unit {
	int64_t us;
	enum word word;
} UNITS[] = {
	{86400 * US_PER_S, WORD_LENGTH_D},
	{3600 * US_PER_S, WORD_LENGTH_H},
	{60 * US_PER_S, WORD_LENGTH_MIN},
	{US_PER_S, WORD_LENGTH_S},
	{US_PER_MS, WORD_LENGTH_MS},
};

static void put_unit(struct text *t, enum language language, enum word unit, int64_t count)
{
	struct text number = TEXT_INIT;
	const char *arg;

	text_printf(&number, "%lld", (long long)count);
	arg = text_str(&number);
	words_put(t, text_raw, language, unit, &arg, 1);
	text_free(&number);
}

void words_length(struct text *t, enum language language, int64_t us)
{
	size_t i = 0;
	int64_t rest;

	if (us < 0)
		us = 0;
	while (i + 1 < COUNT_OF(UNITS) && us < UNITS[i].us)
		i++;
	put_unit(t, language, UNITS[i].word, us / UNITS[i].us);
	rest = us % UNITS[i].us;
	/* A second unit where it still tells something: not milliseconds beside seconds. */
	if (i + 1 < COUNT_OF(UNITS) && UNITS[i + 1].us >= US_PER_S && rest >= UNITS[i + 1].us) {
		text_char(t, ' ');
		put_unit(t, language, UNITS[i + 1].word, rest / UNITS[i + 1].us);
	}
}

void words_response(struct text *t, enum language language, int64_t us)
{
	struct text number = TEXT_INIT;
	const char *arg;

	if (us < 0)
		us = 0;
	if (us < US_PER_S - US_PER_MS / 2) { /* what rounds to 1000 ms is a second */
		put_unit(t, language, WORD_LENGTH_MS, (us + US_PER_MS / 2) / US_PER_MS);
		return;
	}
	us += US_PER_S / 200;
	text_printf(&number, "%lld.%02lld", (long long)(us / US_PER_S), (long long)(us % US_PER_S / 10000));
	arg = text_str(&number);
	words_put(t, text_raw, language, WORD_LENGTH_S, &arg, 1);
	text_free(&number);
}

/* ---- words for values */

enum word word_of_state(int state)
{
	static const enum word WORDS[STATE__COUNT] = {
		[STATE_PENDING] = WORD_STATE_PENDING,
		[STATE_UP] = WORD_STATE_UP,
		[STATE_SUSPECT] = WORD_STATE_SUSPECT,
		[STATE_DOWN] = WORD_STATE_DOWN,
		[STATE_UNKNOWN] = WORD_STATE_UNKNOWN,
		[STATE_PAUSED] = WORD_STATE_PAUSED,
	};

	return (unsigned)state < STATE__COUNT ? WORDS[state] : WORD_STATE_UNKNOWN;
}

enum word word_of_event(int event)
{
	static const enum word WORDS[EVENT__COUNT] = {
		[EVENT_DOWN] = WORD_EVENT_DOWN,
		[EVENT_UP] = WORD_EVENT_UP,
		[EVENT_UNKNOWN] = WORD_EVENT_UNKNOWN,
		[EVENT_SLOW] = WORD_EVENT_SLOW,
		[EVENT_CERTIFICATE] = WORD_EVENT_CERTIFICATE,
		[EVENT_FLAPPING] = WORD_EVENT_FLAPPING,
		[EVENT_MAINTENANCE] = WORD_EVENT_MAINTENANCE,
		[EVENT_TEST] = WORD_EVENT_TEST,
		[EVENT_DIGEST] = WORD_EVENT_DIGEST,
	};

	return (unsigned)event < EVENT__COUNT ? WORDS[event] : WORD_EVENT_UNKNOWN;
}

enum word word_of_mark(unsigned mark)
{
	switch (mark) {
	case MARK_MAINTENANCE:
		return WORD_MARK_MAINTENANCE;
	case MARK_FLAPPING:
		return WORD_MARK_FLAPPING;
	case MARK_SLOW:
		return WORD_MARK_SLOW;
	case MARK_CERTIFICATE:
		return WORD_MARK_CERTIFICATE;
	default:
		return WORD_MARK_ACKNOWLEDGED;
	}
}

enum word word_of_held(const char *rule)
{
	static const struct {
		const char *rule;
		enum word word;
	} RULES[] = {
		{"maintenance", WORD_HELD_MAINTENANCE},
		{"flapping", WORD_HELD_FLAPPING},
		{"blind", WORD_HELD_BLIND},
		{"mass", WORD_HELD_MASS},
		{"quorum", WORD_HELD_QUORUM},
		{"parent", WORD_HELD_PARENT},
		{"peer", WORD_HELD_PEER},
		{"hours", WORD_HELD_HOURS},
		{"events", WORD_HELD_EVENTS},
		{"after", WORD_HELD_AFTER},
		{"cap", WORD_HELD_CAP},
		{"storm", WORD_HELD_STORM},
		{"untold", WORD_HELD_UNTOLD},
		{"paused", WORD_HELD_PAUSED},
		{"acknowledged", WORD_HELD_ACKNOWLEDGED},
	};

	for (size_t i = 0; rule && i < COUNT_OF(RULES); i++) {
		if (strcmp(RULES[i].rule, rule) == 0)
			return RULES[i].word;
	}
	return WORD_NONE;
}
