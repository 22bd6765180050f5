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
		text_printf(t, "M%zu %uh%zu", from * CELL_PITCH, lines[kind].middle,
			(i - from + 1) * CELL_PITCH - 1);
	}
	text_raw(t, any ? "\"/>" : "");
}

void chart_cells(struct text *t, const enum chart_cell *cells, size_t n, const char *label, const char *data)
{
	text_printf(t, "<svg class=\"bar\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" role=\"img\"",
		n * CELL_PITCH - 1, BAR_HEIGHT);
	text_raw(t, data ? data : "");
	text_raw(t, " aria-label=\"");
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
	static const enum chart_cell kinds[] = {[RECENT_NONE] = CELL_NONE,
		[RECENT_UP] = CELL_UP,
		[RECENT_DOWN] = CELL_DOWN,
		[RECENT_UNKNOWN] = CELL_UNKNOWN};
	enum chart_cell cells[CHART_RECENT];
	struct text label = TEXT_INIT;

	for (int i = 0; i < CHART_RECENT; i++)
		cells[i] = kinds[recent >> 2 * (CHART_RECENT - 1 - i) & 3];
	put_recent_label(&label, cells, language);
	chart_cells(t, cells, CHART_RECENT, text_str(&label), NULL);
	text_free(&label);
}

/* ---- a line among words */

#define SPARK_STEP 3
#define SPARK_HEIGHT 16

void chart_spark(struct text *t, const uint32_t *values, size_t n)
{
	uint32_t highest = 1;
	size_t known = 0;
	bool drawing = false;

	for (size_t i = 0; i < n; i++) {
		highest = values[i] > highest ? values[i] : highest;
		known += values[i] > 0;
	}
	if (known < 2)
		return;
	text_printf(t,
		"<svg class=\"spark\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
		"aria-hidden=\"true\"><path d=\"",
		(n - 1) * SPARK_STEP, SPARK_HEIGHT);
	for (size_t i = 0; i < n; i++) {
		if (values[i])
			text_printf(t, "%c%zu %.1f", drawing ? 'L' : 'M', i * SPARK_STEP,
				SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * (double)values[i] / highest);
		drawing = values[i] > 0;
	}
	text_raw(t, "\"/></svg>");
}

/* ---- response times */

#define PLOT_WIDTH 1000
#define PLOT_HEIGHT 200

int64_t chart_top_us(const struct rollup *points, size_t n)
{
	static const int64_t steps[] = {2, 5, 10};
	int64_t highest = 0, power = 1000;

	for (size_t i = 0; i < n; i++)
		if (points[i].count && points[i].p95_us > highest)
			highest = points[i].p95_us;
	if (!highest)
		return 0;
	while (power * 10 < highest)
		power *= 10;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (power * steps[i] >= highest)
			return power * steps[i];
	return highest;
}

struct plot {
	struct text *t;
	const struct rollup *points;
	size_t n;
	int64_t top_us;
};

static double plot_x(const struct plot *plot, size_t i)
{
	return PLOT_WIDTH * ((double)i + .5) / (double)plot->n;
}

static double plot_y(const struct plot *plot, uint32_t us)
{
	return PLOT_HEIGHT - PLOT_HEIGHT * (double)us / (double)plot->top_us;
}

/* Pieces that are worth a background: full width of the piece, full height. Neighbours are one shape. */
static void put_shades(const struct plot *plot, enum chart_cell kind, const char *class)
{
	double width = (double)PLOT_WIDTH / (double)plot->n;

	for (size_t i = 0; i < plot->n; i++) {
		size_t from = i;

		if (chart_cell_of(&plot->points[i]) != kind)
			continue;
		while (i + 1 < plot->n && chart_cell_of(&plot->points[i + 1]) == kind)
			i++;
		text_printf(plot->t, "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"%d\"/>", class,
			(double)from * width, (double)(i - from + 1) * width, PLOT_HEIGHT);
	}
}

/* The end (exclusive) of the run of points with response times that begins at i. */
static size_t run_end(const struct plot *plot, size_t i)
{
	while (i < plot->n && plot->points[i].count)
		i++;
	return i;
}

static void put_band(const struct plot *plot, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		text_printf(plot->t, "%s%.1f %.1f", i == from ? "M" : "L", plot_x(plot, i),
			plot_y(plot, plot->points[i].p95_us));
	for (size_t i = to; i-- > from;)
		text_printf(plot->t, "L%.1f %.1f", plot_x(plot, i), plot_y(plot, plot->points[i].p50_us));
	text_char(plot->t, 'z');
}

/* A run of one point would be invisible as a line: it becomes a short dash. */
static void put_line(const struct plot *plot, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		text_printf(plot->t, "%s%.1f %.1f", i == from ? "M" : "L", plot_x(plot, i),
			plot_y(plot, plot->points[i].p50_us));
	if (to == from + 1)
		text_raw(plot->t, "h2");
}

static void put_path(
	const struct plot *plot, const char *class, void (*put)(const struct plot *, size_t, size_t))
{
	text_printf(plot->t, "<path class=\"%s\" d=\"", class);
	for (size_t i = 0; i < plot->n; i++) {
		size_t end = run_end(plot, i);

		if (end > i)
			put(plot, i, end);
		i = end;
	}
	text_raw(plot->t, "\"/>");
}

void chart_response(struct text *t, const struct rollup *points, size_t n, int64_t top_us, const char *label)
{
	struct plot plot = {t, points, n, top_us};

	text_printf(t,
		"<svg class=\"plot\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
		"aria-label=\"",
		PLOT_WIDTH, PLOT_HEIGHT);
	text_html(t, label);
	text_printf(t, "\"><path class=\"grid\" d=\"M0 0h%d M0 %dh%d M0 %dh%d\"/>", PLOT_WIDTH,
		PLOT_HEIGHT / 2, PLOT_WIDTH, PLOT_HEIGHT, PLOT_WIDTH);
	put_shades(&plot, CELL_UNKNOWN, "unseen");
	put_shades(&plot, CELL_DOWN, "outage");
	if (top_us) {
		put_path(&plot, "band", put_band);
		put_path(&plot, "median", put_line);
	}
	text_raw(t, "</svg>");
}

enum chart_cell chart_cell_of(const struct rollup *r)
{
	int64_t seen = r->up_s + r->down_s;

	if (r->down_s > 0)
		return CELL_DOWN;
	if (seen + r->unknown_s == 0)
		return r->count ? CELL_UP : CELL_NONE;
	return r->unknown_s > seen ? CELL_UNKNOWN : CELL_UP;
}
