/* SPDX-License-Identifier: ISC */
/*
 * request: what people (and API keys that may write) ask for.
 *
 * The web program queues a request in the inbox and shows its effect at once; the prober reads the queue
 * and acts. Both call request_apply() on their own copy of judge and incident, so that what a page shows
 * and what then happens cannot differ. Who asked and when are the queue entry's sender and time.
 *
 * As JSON, the payload of INBOX_REQUEST:
 *
 *	{"do":"acknowledge","monitor":"shop","incident":12,"text":"looking into it"}
 *	{"do":"pause","monitor":"shop"}            {"do":"resume","monitor":"shop"}
 *	{"do":"maintenance","monitor":"shop","for":7200}        "for" in seconds; 0 ends it
 *	{"do":"note","monitor":"shop","incident":12,"text":"...","public":true}
 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/incident.h"
#include "model/judge.h"
#include "model/words.h"

#define REQUEST_TEXT_MAX 2000                        /* bytes of a note or comment */
#define REQUEST_FOR_MIN_US (60 * INT64_C(1000000))
#define REQUEST_FOR_MAX_US (31 * 86400 * INT64_C(1000000))

enum request_kind {
	REQUEST_ACKNOWLEDGE = 0,
	REQUEST_PAUSE,
	REQUEST_RESUME,
	REQUEST_MAINTENANCE,
	REQUEST_NOTE,
	REQUEST__COUNT
};
const char *request_kind_name(enum request_kind kind); /* the "do" of the payload, and of URLs */
bool request_kind_parse(const char *name, enum request_kind *out);

/* (Not `struct request`: that is the web program's HTTP request.) */
struct person_request {
	enum request_kind kind;
	char *monitor;      /* slug */
	uint32_t incident;  /* of an acknowledgement (0: whichever is open) and a note */
	int64_t for_us;     /* of maintenance; 0 ends it */
	char *text;         /* of a note; of an acknowledgement a comment, or NULL */
	bool is_public;     /* of a note */
};
void request_clear(struct person_request *request);

/* Appends the payload. */
void request_encode(struct text *t, const struct person_request *request);
/* Reads a payload; unknown members are ignored. The same limits hold as for request_check(). */
bool request_decode(const char *payload, size_t n, struct person_request *out, struct error *err);
/* Is it complete and within its limits? WORD_NONE, or the sentence that says what is wrong. */
enum word request_check(const struct person_request *request);

/* What it is applied to. */
struct request_target {
	struct judge *judge;         /* changed in place */
	struct incident *incident;   /* changed in place: the one named by the request, else the open one;
	                                may be NULL where only the judge matters (a list of monitors) */
	bool paused_by_config;
	bool window_active;          /* a maintenance window of the configuration is active */
};

struct request_effect {
	enum word refused;           /* WORD_NONE when it was done, or was so already */
	struct verdict verdict;      /* what the judge makes of it: incident closed, events to tell */
	bool incident_changed;       /* must be stored */
};

/* asked_us is when it was asked for (what its `for` counts from), now_us when it is applied. */
struct request_effect request_apply(const struct person_request *request, const char *who, int64_t asked_us,
	const struct request_target *target, int64_t now_us);

#endif
