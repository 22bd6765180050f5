/* SPDX-License-Identifier: ISC */
/* headers: which header lines may stand in a request of ours, whether a check or a channel sends it. */
#ifndef PROBER_HEADERS_H
#define PROBER_HEADERS_H

#include <stdbool.h>

#include "base/text.h"

/* Check of rows of headers, a struct map: names are tokens (RFC 9110, 5.6.2), values hold no control characters,
   so that none makes a line of its own. */
bool headers_valid(const void *value, struct text *why);

#endif
