/* SPDX-License-Identifier: ISC */
/*
 * kept: the last few pages that this process has made, by what they were made of. Many readers of one
 * dashboard cost little more than one.
 */
#ifndef WEB_KEPT_H
#define WEB_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sign.h"
#include "base/text.h"

/* Appends the kept page of that key to out; false when there is none. Thread-safe, as kept_put(). */
bool kept_get(const uint8_t key[SHA256_BYTES], struct text *out);
/* Keeps a copy, in the place of the oldest. */
void kept_put(const uint8_t key[SHA256_BYTES], const struct text *page);

#endif
