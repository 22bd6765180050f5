/* SPDX-License-Identifier: ISC */
/*
 * chart: pictures made of numbers, as SVG that belongs into an HTML page. Colours are the style sheet's
 * (classes up, down, unknown); what they tell is told by shape too: good cells are of middle height, bad
 * ones stand out to full height, unknown ones are a low line.
 */
#ifndef WEB_CHART_H
#define WEB_CHART_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/series.h"
#include "model/words.h"

#define CHART_RECENT 32 /* results that a row remembers */

enum chart_cell { CELL_NONE = 0, CELL_UP, CELL_DOWN, CELL_UNKNOWN, CELL__COUNT };

/* A bar of n cells, oldest first; `label` is what a screen reader says. `data` is NULL or further attributes
   (" data-x=\"...\"", escaped by the caller). */
void chart_cells(struct text *t, const enum chart_cell *cells, size_t n, const char *label, const char *data);
/* A thin line of values without scale, oldest first; 0 is a gap. Nothing when there are fewer than two. */
void chart_spark(struct text *t, const uint32_t *values, size_t n);
/* The bar of recent results of a row (struct row), with its label. */
void chart_recent(struct text *t, uint64_t recent, enum language language);

/* ---- response times */

/* The top of the scale for these points: 1, 2 or 5 times a power of ten above the highest 95th percentile;
   0 when no point has a response time. */
int64_t chart_top_us(const struct rollup *points, size_t n);
/* Median as a line, up to the 95th percentile as a band; outages shaded, unknown time hatched. It has no
   text: scales stand beside it in HTML, so that they stay readable on a phone. */
void chart_response(struct text *t, const struct rollup *points, size_t n, int64_t top_us, const char *label);

/* What a point of a day or hour shows as one cell. */
enum chart_cell chart_cell_of(const struct rollup *rollup);

#endif
