/* SPDX-License-Identifier: ISC */
/*
 * sheet: records with the same columns, as CSV (RFC 4180, with a head line) or as JSON Lines.
 *
 *	sheet_begin(&sheet, "sample");
 *	sheet_text(&sheet, "monitor", slug);
 *	sheet_ms(&sheet, "response_ms", us);
 *	sheet_end(&sheet);
 *
 * What there is none of is empty in CSV and null in JSON. A text that a spreadsheet would take for a formula
 * gets an apostrophe in CSV.
 */
#ifndef PROBER_SHEET_H
#define PROBER_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct sheet {
	struct text *out;
	bool csv;
	/* private */
	bool headed, first;
	struct text head, line;
};

void sheet_begin(struct sheet *sheet, const char *kind);
void sheet_text(struct sheet *sheet, const char *name, const char *value);     /* NULL: none */
void sheet_number(struct sheet *sheet, const char *name, int64_t value);
void sheet_seconds(struct sheet *sheet, const char *name, int64_t us);        /* a moment; 0: none */
void sheet_ms(struct sheet *sheet, const char *name, int64_t us);             /* a length; below 0: none */
void sheet_share(struct sheet *sheet, const char *name, double share);        /* 0..1; below 0: none */
void sheet_end(struct sheet *sheet);
void sheet_free(struct sheet *sheet);

#endif
