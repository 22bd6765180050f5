/* SPDX-License-Identifier: ISC */
/*
 * mem: allocation that succeeds or ends the process. See mem.h.
 *
 * The line on stderr is written with write(), because stdio may want memory itself.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_TEMPORARY 75
/* What the C library keeps at hand for malloc(). Its calloc() looks for each piece anew, ten times as long. */
#define SMALL 1024

static void (*last_words)(void);

void mem_on_exhaustion(void (*words)(void))
{
	last_words = words;
}

static void say_exhausted(void)
{
	static const char line[] = "upbeat: out of memory\n";

	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EXIT_TEMPORARY);
}

static _Noreturn void mem_exhausted(void)
{
	say_exhausted();
	if (last_words)
		last_words();
	_exit(EXIT_TEMPORARY);
}

/* Nobody has that much: somebody reckoned wrongly. */
static _Noreturn void mem_absurd(void)
{
	say_exhausted();
	abort();
}

static size_t mem_product(size_t n, size_t size)
{
	size_t product;

	if (__builtin_mul_overflow(n, size, &product))
		mem_absurd();
	return product;
}

static void *mem_raw(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_exhausted();
	return p;
}

void *mem_alloc(size_t size)
{
	void *p;

	if (size <= SMALL)
		return memset(mem_raw(size), 0, size);
	p = calloc(1, size);
	if (!p)
		mem_exhausted();
	return p;
}

void *mem_array(size_t n, size_t size)
{
	return mem_alloc(mem_product(n, size));
}

void *mem_grow(void *old, size_t n, size_t size)
{
	size_t total = mem_product(n, size);
	void *p = realloc(old, total ? total : 1);

	if (!p)
		mem_exhausted();
	return p;
}

void *mem_dup(const void *bytes, size_t size)
{
	void *p = mem_raw(size);

	if (size)
		memcpy(p, bytes, size);
	return p;
}

char *mem_str(const char *s)
{
	return s ? mem_strn(s, strlen(s)) : NULL;
}

char *mem_strn(const char *s, size_t n)
{
	char *copy;

	if (n == SIZE_MAX)
		mem_absurd();
	copy = mem_raw(n + 1);
	if (n)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}
