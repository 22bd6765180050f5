/* SPDX-License-Identifier: ISC */
/*
 * dns_answer: the records of a DNS message as texts, and texts of people in the same form, so that both can be
 * compared: addresses and names in small letters and without a final dot, "10 mail.example.com" for MX.
 */
#ifndef PROBER_DNS_ANSWER_H
#define PROBER_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "prober/field.h"

#define DNS_RECORDS_MAX 256

extern const char *const dns_record_names[]; /* NULL-terminated: "A" ... */
/* The number of a type of record; 0: there is none of this name. */
unsigned dns_record_type(const char *name);

/* The records of this type in the message's answer section, in its order. What is there may be anything:
   false when it is no whole message. The caller frees them with dns_records_clear() in any case. */
bool dns_answer_read(const uint8_t *message, size_t n, unsigned type, struct strings *out);
void dns_records_clear(struct strings *records);

/* What a person wrote, in the form of the records; false when it can be none of this type. */
bool dns_canonical(unsigned type, const char *s, struct text *out);
/* The same records, in whatever order? An expected MX without its number fits any number. */
bool dns_same_records(unsigned type, const struct strings *expected, const struct strings *got);

#endif
