/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what every fuzz target shares. A target fuzz_NAME.c defines LLVMFuzzerTestOneInput; `make fuzz`
 * links it with libFuzzer (clang), `make corpora` with replay.c (any compiler), which runs the inputs
 * kept in corpus/NAME/.
 *
 * A target does more than not crash: FUZZ_CHECK states what must hold of the result, whatever came in.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                     \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* The bytes as a string of their own, so that reading beyond its end is noticed; the caller frees. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	if (!s)
		abort();
	if (size)
		memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

/* Takes the first byte off as a choice; 0 when there is none. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	--*size;
	return *(*data)++;
}

#endif
