/* SPDX-License-Identifier: ISC */
/*
 * mem: allocation that succeeds or does not return at all.
 *
 * Out of memory ends the process with exit status 75 and a line on stderr: cron
 * starts the next pass, the web server the next process, and nothing that was
 * acknowledged can be lost by it, because acknowledging comes after the commit.
 *
 * Calls: mem_alloc (zeroed), mem_array (zeroed, overflow checked), mem_grow,
 * mem_dup, mem_str, mem_strn; mem_on_exhaustion; MEM_NEW(type). All are released with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed bytes; the caller frees. */
void *mem_alloc(size_t size);
/* n zeroed elements of the given size; aborts when n * size overflows. */
void *mem_array(size_t n, size_t size);
/* realloc to n elements; new bytes are not zeroed. */
void *mem_grow(void *old, size_t n, size_t size);
void *mem_dup(const void *bytes, size_t size);
/* Copies of strings; mem_str(NULL) is NULL. */
char *mem_str(const char *s);
char *mem_strn(const char *s, size_t n);

/* Called once before the process ends for want of memory, in the thread that asked for it; must not ask again. */
void mem_on_exhaustion(void (*words)(void));

#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
