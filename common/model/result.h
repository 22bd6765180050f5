/* SPDX-License-Identifier: ISC */
/*
 * result: what one look at a target showed. Produced by a check, weighed by the judge, kept as a sample
 * and, when it was bad, as evidence of an incident.
 */
#ifndef MODEL_RESULT_H
#define MODEL_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
	OUTCOME_UNKNOWN = 0, /* we could not look */
	OUTCOME_UP,
	OUTCOME_DOWN,
	OUTCOME__COUNT
};
const char *outcome_name(enum outcome outcome);

/* Lengths of the phases in microseconds, each on its own (not cumulative); -1: there was none. */
struct timings {
	int64_t dns_us, connect_us, tls_us, first_byte_us, total_us;
};
#define TIMINGS_NONE {-1, -1, -1, -1, -1}

#define CAUSE_MAX 160
#define BODY_KEPT_MAX 4096

struct result {
	int64_t slot_us;    /* wall clock of the due slot that it answers; 0 for a recheck */
	int64_t at_us;      /* wall clock when the look began */
	enum outcome outcome;
	bool definite;      /* refused, a 4xx/5xx answer, a wrong certificate, a missed heartbeat */
	bool lagged;        /* our own loop was late: a bad one is repeated, not believed */
	struct timings timings;
	int status;         /* HTTP status, or 0 */
	int64_t certificate_expires_s; /* notAfter of the leaf; 0 when there is none */
	char cause[CAUSE_MAX];  /* why it is not up, for people ("HTTP 502"); "" when up */
	char address[64];       /* the address that was tried, "" when it came not so far */
	char *headers;      /* evidence: as received, or NULL; owned */
	char *body;         /* evidence: the first BODY_KEPT_MAX bytes, or NULL; owned */
	size_t body_len;
};

void result_clear(struct result *result);
/* Sets the cause, cut at a character's end. */
void result_cause(struct result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "no beat for 6 minutes": what there was not, and how long. */
void result_cause_since(struct result *result, const char *what, int64_t us);

#endif
