/* SPDX-License-Identifier: ISC */
/*
 * chart: numbers -> SVG.
 *
 * A bar of cells is one path per kind of cell, not one shape per cell: a run of cells is a single line that
 * the style sheet's dash pattern (3 on, 1 off; it begins anew with each run) cuts into cells. A page of 200
 * bars is some kilobytes instead of hundreds.
 */
#include "web/chart.h"

#include <string.h>

#include "store/state.h"

#define CELL_PITCH 4 /* 3 wide, 1 apart */
#define BAR_HEIGHT 24

/* Where the line of each kind runs: half its thickness above the bottom. */
static const struct cell_line {
	const char *class;
	unsigned middle;
	enum word word;
} lines[CELL__COUNT] = {
	[CELL_NONE] = {"none", 23, WORD_NO_DATA},
	[CELL_UP] = {"up", 16, WORD_STATE_UP},
	[CELL_DOWN] = {"down", 12, WORD_STATE_DOWN},
	[CELL_UNKNOWN] = {"unknown", 21, WORD_STATE_UNKNOWN},
};

static void put_runs(struct text *t, const enum chart_cell *cells, size_t n, enum chart_cell kind)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		size_t from = i;

		if (cells[i] != kind)
			continue;
		while (i + 1 < n && cells[i + 1] == kind)
			i++;
		if (!any)
			text_printf(t, "<path class=\"%s\" d=\"", lines[kind].class);
		any = true;
		text_printf(t, "M%zu %uh%zu", from * CELL_PITCH, lines[kind].middle, (i - from + 1) * CELL_PITCH - 1);
	}
	text_raw(t, any ? "\"/>" : "");
}

void chart_cells(struct text *t, const enum chart_cell *cells, size_t n, const char *label)
{
	text_printf(t, "<svg class=\"bar\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
		n * CELL_PITCH - 1, BAR_HEIGHT);
	text_html(t, label);
	text_raw(t, "\">");
	for (int kind = 0; kind < CELL__COUNT; kind++)
		put_runs(t, cells, n, (enum chart_cell)kind);
	text_raw(t, "</svg>");
}

/* "last results: 30 up, 2 down" */
static void put_recent_label(struct text *t, const enum chart_cell *cells, enum language language)
{
	static const enum chart_cell order[] = {CELL_DOWN, CELL_UNKNOWN, CELL_UP};
	size_t counts[CELL__COUNT] = {0};
	const char *between = ": ";

	for (size_t i = 0; i < CHART_RECENT; i++)
		counts[cells[i]]++;
	text_raw(t, word(language, WORD_LAST_RESULTS));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!counts[order[i]])
			continue;
		text_printf(t, "%s%zu %s", between, counts[order[i]], word(language, lines[order[i]].word));
		between = ", ";
	}
	if (counts[CELL_NONE] == CHART_RECENT)
		text_printf(t, ": %s", word(language, WORD_NO_DATA));
}

void chart_recent(struct text *t, uint64_t recent, enum language language)
{
	static const enum chart_cell kinds[] = {[RECENT_NONE] = CELL_NONE, [RECENT_UP] = CELL_UP,
		[RECENT_DOWN] = CELL_DOWN, [RECENT_UNKNOWN] = CELL_UNKNOWN};
	enum chart_cell cells[CHART_RECENT];
	struct text label = TEXT_INIT;

	for (int i = 0; i < CHART_RECENT; i++)
		cells[i] = kinds[recent >> 2 * (CHART_RECENT - 1 - i) & 3];
	put_recent_label(&label, cells, language);
	chart_cells(t, cells, CHART_RECENT, text_str(&label));
	text_free(&label);
}
