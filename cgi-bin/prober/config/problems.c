/* SPDX-License-Identifier: ISC */
/*
 * problems: the mistakes of a reading. They are gathered with byte offsets in whatever order the
 * checks find them; at the end they are sorted as a person reads the files, repetitions are dropped (one
 * wrong default can be found wrong for each of 10,000 monitors), and offsets become lines and columns.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/config/reading.h"

#define MISTAKES_MAX 10000 /* beyond this nobody reads on, and memory has a bound */
#define MISTAKE_TEXT_MAX 600

static void __attribute__((format(printf, 3, 0)))
add(struct reading *r, struct mistake mistake, const char *format, va_list ap)
{
	struct text text = TEXT_INIT, cut = TEXT_INIT;

	if (!mistake.warning)
		r->error_count++;
	if (r->mistake_count >= MISTAKES_MAX)
		return;
	text_vprintf(&text, format, ap);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			text.ptr[i] = '?';
	text_cut(&cut, text_str(&text), MISTAKE_TEXT_MAX);
	text_free(&text);
	mistake.text = text_take(&cut);
	if (r->mistake_count == r->mistake_room) {
		r->mistake_room = r->mistake_room ? r->mistake_room * 2 : 32;
		r->mistakes = mem_grow(r->mistakes, r->mistake_room, sizeof(r->mistakes[0]));
	}
	r->mistakes[r->mistake_count++] = mistake;
}

static struct mistake spot_of(const struct reading *r, const cJSON *node, enum where where)
{
	const struct place *place = place_of(r, node);

	if (!place)
		return (struct mistake){0};
	return (struct mistake){
		.source = place->source,
		.at = where == AT_KEY ? place->key_at : place->value_at,
	};
}

void mistake_at(struct reading *r, const cJSON *node, enum where where, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, spot_of(r, node, where), format, ap);
	va_end(ap);
}

void warning_at(struct reading *r, const cJSON *node, enum where where, const char *format, ...)
{
	struct mistake mistake = spot_of(r, node, where);
	va_list ap;

	mistake.warning = true;
	va_start(ap, format);
	add(r, mistake, format, ap);
	va_end(ap);
}

void mistake_in(struct reading *r, size_t source, size_t at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, (struct mistake){.source = (uint32_t)source, .at = (uint32_t)at}, format, ap);
	va_end(ap);
}

static int by_place(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Walks a file's bytes forward to each offset in turn; columns count characters. */
struct walker {
	const struct text *text;
	size_t at;
	unsigned line, column;
};

static void walk_to(struct walker *w, size_t offset)
{
	const char *s = text_str(w->text);

	if (w->at == 0 && w->text->len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		w->at = 3;
	for (; w->at < offset && w->at < w->text->len; w->at++) {
		if (s[w->at] == '\n') {
			w->line++;
			w->column = 1;
		} else if (((unsigned char)s[w->at + 1] & 0xc0) != 0x80) {
			w->column++;
		}
	}
}

static bool repeats(const struct mistake *a, const struct mistake *b)
{
	return a->source == b->source && a->at == b->at && strcmp(a->text, b->text) == 0;
}

void problems_finish(struct reading *r)
{
	struct config *config = r->config;
	struct walker walker = {NULL, 0, 1, 1};

	if (r->mistake_count)
		qsort(r->mistakes, r->mistake_count, sizeof(r->mistakes[0]), by_place);
	config->problems = mem_array(r->mistake_count + 1, sizeof(config->problems[0]));
	for (size_t i = 0; i < r->mistake_count; i++) {
		struct mistake *mistake = &r->mistakes[i];

		if (i == 0 || mistake->source != r->mistakes[i - 1].source)
			walker = (struct walker){&r->sources[mistake->source].text, 0, 1, 1};
		else if (repeats(mistake, &r->mistakes[i - 1]))
			continue;
		walk_to(&walker, mistake->at);
		config->problems[config->problem_count++] = (struct problem){
			.file = mem_str(r->sources[mistake->source].path),
			.line = walker.line,
			.column = walker.column,
			.text = mem_str(mistake->text),
			.warning = mistake->warning,
		};
		if (!mistake->warning)
			config->error_count++;
	}
	for (size_t i = 0; i < r->mistake_count; i++)
		free(r->mistakes[i].text);
	free(r->mistakes);
	r->mistakes = NULL;
	r->mistake_count = 0;
}

void problem_print(const struct problem *problem, struct text *out)
{
	text_printf(out, "%s:%u:%u: %s%s\n", problem->file, problem->line, problem->column,
		problem->warning ? "warning: " : "", problem->text);
}

void config_print_problems(const struct config *config, struct text *out)
{
	for (size_t i = 0; i < config->problem_count; i++)
		problem_print(&config->problems[i], out);
}
