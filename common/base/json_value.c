/* SPDX-License-Identifier: ISC */
/*
 * json_value: what the tokens of json_scan say: strings decoded, numbers exactly, places as people count
 * them.
 *
 * Everything here trusts the token: json_scan_next() has checked it.
 */
#include "base/json_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- strings ----------------------------------------------------------------------------------------- */

void json_scan_string(const struct json_scan *s, struct text *out)
{
	json_decode(s->text, s->start, s->end, out);
}

bool json_scan_is(const struct json_scan *s, const char *name)
{
	size_t n = strlen(name), raw = s->end - s->start - 2;
	struct text decoded = TEXT_INIT;
	bool same;

	if (!memchr(s->text + s->start + 1, '\\', raw))
		return raw == n && memcmp(s->text + s->start + 1, name, n) == 0;
	json_scan_string(s, &decoded);
	same = decoded.len == n && memcmp(decoded.ptr, name, n) == 0;
	text_free(&decoded);
	return same;
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

/* A number token taken apart: digits times 10 to the exponent. */
struct decimal {
	const char *digits, *end; /* a point may stand among them */
	bool negative;
	int64_t n_digits, exponent;
};

/* Exponents beyond this mean zero or too much for every number whose digits fit in memory. */
#define MAX_EXPONENT (INT64_C(1) << 50)

static int64_t read_exponent(const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	int64_t value = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	for (; at < end && value < MAX_EXPONENT; at++)
		value = value * 10 + (*at - '0');
	return negative ? -value : value;
}

static struct decimal take_apart(const struct json_scan *s)
{
	const char *at = s->text + s->start, *end = s->text + s->end;
	struct decimal d = {.negative = *at == '-'};
	bool after_point = false;

	at += d.negative;
	for (d.digits = at; at < end && *at != 'e' && *at != 'E'; at++) {
		d.exponent -= after_point && *at != '.';
		after_point |= *at == '.';
		d.n_digits += *at != '.';
	}
	d.end = at;
	if (at < end)
		d.exponent += read_exponent(at + 1, end);
	return d;
}

/* The number times 10^scale, rounded to the nearest (halves away from zero); *inexact when that lost anything.
   false when it does not fit. */
static bool scaled(const struct json_scan *s, int scale, int64_t *out, bool *inexact)
{
	struct decimal d = take_apart(s);
	int64_t keep = d.n_digits + d.exponent + scale; /* that many digits stand before the point now */
	uint64_t value = 0;
	bool up = false;

	*inexact = false;
	for (const char *at = d.digits; at < d.end; at++) {
		if (*at == '.')
			continue;
		if (keep-- <= 0) {
			*inexact |= *at != '0';
			up |= keep == -1 && *at >= '5'; /* the first digit that is lost decides */
		} else if (__builtin_mul_overflow(value, 10, &value) ||
			   __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
			return false;
		}
	}
	for (; keep > 0 && value > 0; keep--)
		if (__builtin_mul_overflow(value, 10, &value))
			return false;
	if (__builtin_add_overflow(value, (uint64_t)up, &value) || value > (uint64_t)INT64_MAX + d.negative)
		return false;
	*out = d.negative && value ? -(int64_t)(value - 1) - 1 : (int64_t)value;
	return true;
}

bool json_scan_micros(const struct json_scan *s, int64_t *out)
{
	bool inexact;

	return scaled(s, 6, out, &inexact);
}

bool json_scan_i64(const struct json_scan *s, int64_t *out)
{
	int64_t value;
	bool inexact;

	if (!scaled(s, 0, &value, &inexact) || inexact)
		return false;
	*out = value;
	return true;
}

/* The programs never call setlocale(), so the point is a point. */
double json_scan_double(const struct json_scan *s)
{
	char *number = mem_strn(s->text + s->start, s->end - s->start);
	double value = strtod(number, NULL);

	free(number);
	return value;
}

/* ---- places ------------------------------------------------------------------------------------------ */

void json_scan_position(const struct json_scan *s, size_t offset, unsigned *line, unsigned *column)
{
	size_t i = json_has_bom(s->text, s->len) ? JSON_BOM_BYTES : 0;

	*line = 1;
	*column = 1;
	for (; i < offset && i < s->len; i++) {
		if (s->text[i] == '\n') {
			++*line;
			*column = 1;
		} else if ((s->text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}
