/* SPDX-License-Identifier: ISC */
/*
 * text: the string builder itself: memory, raw appends, number readers, typo help.
 * The escaping verbs are in text_escape.c.
 */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void text_free(struct text *t)
{
	free(t->ptr);
	*t = (struct text)TEXT_INIT;
}

void text_clear(struct text *t)
{
	t->len = 0;
	if (t->ptr)
		t->ptr[0] = '\0';
}

const char *text_str(const struct text *t)
{
	return t->ptr ? t->ptr : "";
}

char *text_take(struct text *t)
{
	char *s = t->ptr ? t->ptr : mem_str("");

	*t = (struct text)TEXT_INIT;
	return s;
}

/* Doubling keeps many small appends linear; the sum cannot wrap, because mem_grow refuses first. */
void text_reserve(struct text *t, size_t more)
{
	size_t need, cap = t->cap ? t->cap : 64;

	if (__builtin_add_overflow(t->len, more, &need) || need > SIZE_MAX / 4)
		need = SIZE_MAX / 2; /* more than any allocator gives: mem_grow ends the process */
	if (t->ptr && need < t->cap)
		return;
	while (cap <= need)
		cap *= 2;
	t->ptr = mem_grow(t->ptr, cap, 1);
	t->cap = cap;
	t->ptr[t->len] = '\0';
}

void text_rawn(struct text *t, const char *s, size_t n)
{
	text_reserve(t, n);
	if (n)
		memcpy(t->ptr + t->len, s, n);
	t->len += n;
	t->ptr[t->len] = '\0';
}

void text_raw(struct text *t, const char *s)
{
	text_rawn(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
	text_rawn(t, &c, 1);
}

/* Most of what is printed is short: it fits what is there, and is formatted once. */
void text_vprintf(struct text *t, const char *format, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	text_reserve(t, 63);
	n = vsnprintf(t->ptr + t->len, t->cap - t->len, format, ap);
	if (n > 0 && (size_t)n >= t->cap - t->len) {
		text_reserve(t, (size_t)n);
		/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): copied above */
		vsnprintf(t->ptr + t->len, (size_t)n + 1, format, again);
	}
	if (n > 0)
		t->len += (size_t)n;
	t->ptr[t->len] = '\0';
	va_end(again);
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_vprintf(t, format, ap);
	va_end(ap);
}

bool text_to_u64(const char *s, uint64_t *out)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool text_to_i64(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t magnitude;

	if (!text_to_u64(negative ? s + 1 : s, &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	if (negative && magnitude)
		*out = -(int64_t)(magnitude - 1) - 1;
	else
		*out = (int64_t)magnitude;
	return true;
}

enum { NAME_MAX_LEN = 63 }; /* longer words are not names of ours */

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One row of the table below: the cost of turning a[0..i] into each b[0..j]. */
static void distance_row(const char *a, size_t i, const char *b, size_t b_len, const size_t *two_up,
	const size_t *up, size_t *row)
{
	row[0] = i;
	for (size_t j = 1; j <= b_len; j++) {
		bool same = lower(a[i - 1]) == lower(b[j - 1]);

		row[j] = smaller(up[j - 1] + !same, smaller(up[j], row[j - 1]) + 1);
		if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
			row[j] = smaller(row[j], two_up[j - 2] + 1);
	}
}

/* Optimal string alignment: insert, delete, replace, swap neighbours; letter case is free. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++)
		distance_row(a, i, b, b_len, rows[(i + 1) % 3], rows[(i + 2) % 3], rows[i % 3]);
	return rows[a_len % 3][b_len];
}

const char *text_nearest(const char *s, const char *const *names, size_t n)
{
	size_t len = strlen(s);
	size_t limit = len < 4 ? 1 : len < 8 ? 2 : 3;
	const char *nearest = NULL;

	if (len == 0 || len > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t name_len = strlen(names[i]), distance;

		if (name_len > NAME_MAX_LEN)
			continue;
		distance = edit_distance(s, len, names[i], name_len);
		if (distance > limit || distance >= smaller(len, name_len) || (nearest && distance == limit))
			continue;
		nearest = names[i];
		limit = distance;
	}
	return nearest;
}
