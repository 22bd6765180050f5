/* SPDX-License-Identifier: ISC */
/*
 * window: reading and asking of time windows.
 *
 * A text is cut into words; the zone is taken off its end, and its first word tells which of three small
 * grammars the rest follows. All questions are answered by one function per kind, span_after(): the first
 * single span that ends after a moment. Spans that touch or overlap are joined in one place.
 */
#include "model/window.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define WORDS_MAX 16
#define WORD_LEN 128
#define DAY_S INT64_C(86400)
/* Spans that go on joining for so long, or so often, never end: the whole week is covered, or a cron window
   always begins again before it is over. */
#define ENDLESS_S (15 * DAY_S)
#define ENDLESS_JOINS 1000
#define LENGTH_MAX_S (31 * DAY_S)

/* ---- words */

struct words {
	char word[WORDS_MAX][WORD_LEN];
	size_t n;
};

static bool split(const char *s, struct words *out, const char **why)
{
	out->n = 0;
	for (;;) {
		size_t len;

		s += strspn(s, " \t");
		if (!*s)
			break;
		len = strcspn(s, " \t");
		if (out->n == WORDS_MAX || len >= WORD_LEN) {
			*why = "too long for a time window";
			return false;
		}
		memcpy(out->word[out->n], s, len);
		out->word[out->n++][len] = '\0';
		s += len;
	}
	if (out->n == 0)
		*why = "empty";
	return out->n > 0;
}

static bool is_word(const struct words *words, size_t i, const char *s)
{
	return i < words->n && strcasecmp(words->word[i], s) == 0;
}

/* Takes "in ZONE" off the end. */
static bool take_zone(struct words *words, const struct zone **zone, const char **why)
{
	if (words->n < 2 || !is_word(words, words->n - 2, "in"))
		return true;
	*zone = calendar_zone(words->word[words->n - 1]);
	if (!*zone) {
		*why = "there is no such time zone; they are named like Asia/Taipei";
		return false;
	}
	words->n -= 2;
	return true;
}

/* ---- pieces of times */

/* Exactly `digits` digits at *s, which moves on. */
static bool number(const char **s, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* HH:MM up to 24:00, as minutes of the day. */
static bool clock_time(const char **s, int *minutes)
{
	int hour, minute;

	if (!number(s, 2, &hour) || !literal(s, ':') || !number(s, 2, &minute))
		return false;
	*minutes = hour * 60 + minute;
	return minute < 60 && *minutes <= 24 * 60;
}

/* "for 2h": seconds. */
static bool length_of(const char *s, int64_t *seconds, const char **why)
{
	int64_t ms;

	if (!calendar_parse_duration(s, &ms) || ms < 1000) {
		*why = "after \"for\" a duration is expected, like 90m, 2h or 1d";
		return false;
	}
	*seconds = ms / 1000;
	if (*seconds <= LENGTH_MAX_S)
		return true;
	*why = "a window may last 31 days at most";
	return false;
}

/* ---- once: DATE TIME for DURATION | DATE TIME to DATE TIME, or with T and a zone of its own */

static bool real_date(const struct civil *c)
{
	struct civil again;

	if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > 31)
		return false;
	calendar_civil(NULL, calendar_unix(NULL, c), &again);
	return again.month == c->month; /* the 31st of a shorter month runs over into the next */
}

/* "Z", "+08:00" or nothing. */
static bool offset(const char **s, bool *given, int *seconds)
{
	int sign = **s == '-' ? -1 : 1, minutes;

	*given = **s != '\0';
	*seconds = 0;
	if (!*given || literal(s, 'Z') || literal(s, 'z'))
		return true;
	if (!literal(s, '+') && !literal(s, '-'))
		return false;
	if (!clock_time(s, &minutes))
		return false;
	*seconds = sign * minutes * 60;
	return true;
}

/* HH:MM[:SS][Z|+HH:MM] of a date. */
static bool time_of_day(const char *s, struct civil *c, bool *has_offset, int *offset_s)
{
	int minutes;

	if (!clock_time(&s, &minutes))
		return false;
	c->hour = minutes / 60;
	c->minute = minutes % 60;
	c->second = 0;
	if (*s == ':' && (s++, !number(&s, 2, &c->second) || c->second > 59 || minutes == 24 * 60))
		return false;
	return offset(&s, has_offset, offset_s) && *s == '\0';
}

/* Reads a moment from words[*i], which moves on. */
static bool moment(const struct words *words, size_t *i, const struct zone *zone, int64_t *unix_s)
{
	const char *s = *i < words->n ? words->word[(*i)++] : "";
	struct civil c = {0};
	bool has_offset;
	int offset_s;

	if (!number(&s, 4, &c.year) || !literal(&s, '-') || !number(&s, 2, &c.month) || !literal(&s, '-') ||
		!number(&s, 2, &c.day) || !real_date(&c))
		return false;
	if (*s == '\0')
		s = *i < words->n ? words->word[(*i)++] : "";
	else if (!literal(&s, 'T') && !literal(&s, 't'))
		return false;
	if (!time_of_day(s, &c, &has_offset, &offset_s))
		return false;
	*unix_s = calendar_unix(has_offset ? NULL : zone, &c) - offset_s;
	return true;
}

static bool parse_once(const struct words *words, struct window *out, const char **why)
{
	size_t i = 0;

	out->kind = WINDOW_ONCE;
	*why = "a time is expected, like 2026-05-01 02:00";
	if (!moment(words, &i, out->zone, &out->from_s))
		return false;
	if (is_word(words, i, "for") && i + 2 == words->n) {
		if (!length_of(words->word[i + 1], &out->length_s, why))
			return false;
		out->to_s = out->from_s + out->length_s;
		return true;
	}
	if (!is_word(words, i, "to")) {
		*why = "after the start, \"for DURATION\" or \"to TIME\" is expected";
		return false;
	}
	i++;
	if (!moment(words, &i, out->zone, &out->to_s) || i != words->n)
		return false;
	*why = "the end is not after the start";
	return out->to_s > out->from_s;
}

/* ---- weekly: [DAYS] TIME-TIME[,TIME-TIME...] */

static bool weekday(const char **s, int *day)
{
	static const char *const NAMES[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	for (*day = 0; *day < 7; (*day)++) {
		if (strncasecmp(*s, NAMES[*day], 3) == 0) {
			*s += 3;
			return true;
		}
	}
	return false;
}

/* "mon-fri,sun": bits. A range may run over the week's end: fri-mon. */
static bool weekdays(const char *s, unsigned *bits)
{
	*bits = 0;
	do {
		int from, to;

		if (!weekday(&s, &from))
			return false;
		to = from;
		if (literal(&s, '-') && !weekday(&s, &to))
			return false;
		for (int day = from;; day = (day + 1) % 7) {
			*bits |= 1u << day;
			if (day == to)
				break;
		}
	} while (literal(&s, ','));
	return *s == '\0';
}

static bool read_spans(const char *s, struct window *out)
{
	do {
		struct window_span *span = &out->spans[out->span_count];

		if (out->span_count == WINDOW_SPANS_MAX)
			return false;
		if (!clock_time(&s, &span->from_min) || !literal(&s, '-') || !clock_time(&s, &span->to_min))
			return false;
		if (span->from_min == 24 * 60)
			return false;
		if (span->to_min <= span->from_min)
			span->to_min += 24 * 60;
		out->span_count++;
	} while (literal(&s, ','));
	return *s == '\0';
}

static bool parse_weekly(const struct words *words, struct window *out, const char **why)
{
	size_t i = 0;

	out->kind = WINDOW_WEEKLY;
	out->weekdays = 0x7f;
	if (words->word[0][0] < '0' || words->word[0][0] > '9') {
		*why = "expected days (mon-fri, sat,sun), a date (2026-05-01 02:00) or \"cron\"";
		if (!weekdays(words->word[i++], &out->weekdays))
			return false;
	}
	*why = "expected times of the day, like 09:00-18:00 (00:00 to 24:00)";
	if (i >= words->n || !read_spans(words->word[i++], out))
		return false;
	*why = "there is something after the times that does not belong there";
	return i == words->n;
}

/* ---- cron: cron EXPRESSION for DURATION */

static bool parse_cron(const struct words *words, struct window *out, const char **why)
{
	struct text expression = TEXT_INIT;
	bool ok;

	out->kind = WINDOW_CRON;
	if (words->n < 4 || !is_word(words, words->n - 2, "for")) {
		*why = "a cron window ends in \"for DURATION\", like cron 0 3 * * sun for 2h";
		return false;
	}
	if (!length_of(words->word[words->n - 1], &out->length_s, why))
		return false;
	for (size_t i = 1; i < words->n - 2; i++) {
		text_raw(&expression, i > 1 ? " " : "");
		text_raw(&expression, words->word[i]);
	}
	ok = calendar_parse_cron(text_str(&expression), &out->cron, why);
	text_free(&expression);
	return ok;
}

static bool looks_like_date(const char *word)
{
	return strspn(word, "0123456789") == 4 && word[4] == '-';
}

bool window_parse(const char *s, const struct zone *zone, struct window *out, const char **why)
{
	struct words words;

	*out = (struct window){.zone = zone};
	*why = NULL;
	if (!split(s, &words, why) || !take_zone(&words, &out->zone, why))
		return false;
	if (is_word(&words, 0, "cron"))
		return parse_cron(&words, out, why);
	if (looks_like_date(words.word[0]))
		return parse_once(&words, out, why);
	return parse_weekly(&words, out, why);
}

/* ---- the first single span that ends after a moment */

struct span {
	int64_t from_s, to_s;
};

static bool once_after(const struct window *w, int64_t unix_s, struct span *out)
{
	*out = (struct span){w->from_s, w->to_s};
	return w->to_s > unix_s;
}

/* The span's two ends on the day that lies `days` after the civil date. Empty when the clocks skip it. */
static struct span on_day(const struct window *w, const struct window_span *span, const struct civil *date,
	int days)
{
	struct civil from = {.year = date->year, .month = date->month, .day = date->day + days,
		.minute = span->from_min};
	struct civil to = from;

	to.minute = span->to_min;
	return (struct span){calendar_unix(w->zone, &from), calendar_unix(w->zone, &to)};
}

static bool weekly_after(const struct window *w, int64_t unix_s, struct span *out)
{
	struct civil date;
	bool found = false;

	calendar_civil(w->zone, unix_s, &date);
	/* From yesterday, whose span may reach into today, until a week later. */
	for (int days = -1; days <= 7; days++) {
		if (!(w->weekdays & (1u << ((date.weekday + days + 7) % 7))))
			continue;
		for (size_t i = 0; i < w->span_count; i++) {
			struct span span = on_day(w, &w->spans[i], &date, days);

			if (span.to_s <= unix_s || span.to_s <= span.from_s)
				continue;
			if (!found || span.from_s < out->from_s)
				*out = span;
			found = true;
		}
	}
	return found;
}

static bool cron_after(const struct window *w, int64_t unix_s, struct span *out)
{
	int64_t from = calendar_cron_previous(&w->cron, w->zone, unix_s);

	if (from < 0 || from + w->length_s <= unix_s)
		from = calendar_cron_next(&w->cron, w->zone, unix_s);
	*out = (struct span){from, from + w->length_s};
	return from >= 0;
}

static bool span_after(const struct window *w, int64_t unix_s, struct span *out)
{
	static bool (*const AFTER[])(const struct window *, int64_t, struct span *) = {
		[WINDOW_ONCE] = once_after,
		[WINDOW_WEEKLY] = weekly_after,
		[WINDOW_CRON] = cron_after,
	};

	return AFTER[w->kind](w, unix_s, out);
}

/* ---- questions */

bool window_next_span(const struct window *window, int64_t unix_s, int64_t *from_s, int64_t *to_s)
{
	struct span all, next;
	unsigned joins = 0;

	if (!span_after(window, unix_s, &all))
		return false;
	/* Whatever begins before this ends, or just then, is one with it. */
	while (span_after(window, all.to_s, &next) && next.from_s <= all.to_s) {
		all.to_s = next.to_s;
		if (++joins > ENDLESS_JOINS || all.to_s - all.from_s > ENDLESS_S + window->length_s) {
			all.to_s = WINDOW_NEVER;
			break;
		}
	}
	*from_s = all.from_s;
	*to_s = all.to_s;
	return true;
}

bool window_active(const struct window *window, int64_t unix_s)
{
	struct span span;

	return span_after(window, unix_s, &span) && span.from_s <= unix_s;
}

int64_t window_next_change(const struct window *window, int64_t unix_s)
{
	int64_t from_s, to_s;

	if (!window_next_span(window, unix_s, &from_s, &to_s))
		return WINDOW_NEVER;
	return from_s <= unix_s ? to_s : from_s;
}

bool window_any_active(char *const *texts, size_t n, const struct zone *zone, int64_t unix_s,
	int64_t *until_s)
{
	int64_t until = 0;

	for (size_t i = 0; i < n; i++) {
		struct window window;
		const char *why;
		int64_t end;

		if (!window_parse(texts[i], zone, &window, &why) || !window_active(&window, unix_s))
			continue;
		end = window_next_change(&window, unix_s);
		if (end > until)
			until = end;
	}
	if (until_s)
		*until_s = until;
	return until != 0;
}
