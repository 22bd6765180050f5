/* SPDX-License-Identifier: ISC */
/*
 * notice: one message to one channel, waiting in the outbox until the service itself says that it has it.
 * Written in the transaction of the decision it tells of. Retrying is decided here, purely.
 */
#ifndef MODEL_NOTICE_H
#define MODEL_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/monitor.h"

#define NOTICE_LIFE_US (24 * 3600 * INT64_C(1000000))
#define NOTICE_RETRY_MIN_US (10 * INT64_C(1000000))
#define NOTICE_RETRY_MAX_US (3600 * INT64_C(1000000))
#define EVENT_ID_MAX 48

enum notice_state {
	NOTICE_WAITING = 0,
	NOTICE_DELIVERED,
	NOTICE_REFUSED,    /* the service said never: shown, not retried */
	NOTICE_EXPIRED,    /* 24 h without success: shown, told through another channel */
	NOTICE_SUPERSEDED, /* merged into a later one ("was down 02:10-02:14") or into a digest */
};

struct notice {
	uint64_t id;                  /* order of creation */
	char event_id[EVENT_ID_MAX];  /* stable across retries and crashes; no dot or blank in it */
	enum event_kind event;
	enum notice_state state;
	char *channel;
	char *monitor;                /* slug; NULL for a digest */
	uint32_t monitor_id, incident;
	enum monitor_state now, previous;
	int64_t since_us, at_us;      /* begin of what is told; when it was decided */
	int64_t ended_us;             /* of a recovery: when it came up; of slow and maintenance: when that was
	                                 over; of a certificate: its end; else 0 */
	char *cause;                  /* or NULL */
	char *body;                   /* digest and summary texts that are more than one monitor, or NULL */
	int64_t due_us;               /* next attempt, wall clock */
	int64_t expires_us;
	unsigned attempts;
	bool in_flight;               /* set in a transaction of its own before the first byte is sent */
	bool repeat;                  /* a reminder */
	char *answer;                 /* the last answer or error, for people; or NULL */
	char *thread;                 /* what the service gave for threading (Slack ts), or NULL */
	char *instead;                /* of a superseded one: event id of the message that tells it; or NULL */
};
/* The event id of what these bytes tell apart from all else. */
void notice_event_id(char out[EVENT_ID_MAX], const struct text *what);
void notice_clear(struct notice *notice);
/* With strings of its own; the caller clears. */
struct notice notice_copy(const struct notice *notice);

/* What one attempt came to. */
enum delivery_end {
	DELIVERY_SENT,
	DELIVERY_RETRY,   /* network, 408, 425, 429, 5xx, a full queue */
	DELIVERY_REFUSED, /* other 4xx, revoked webhook, a body that says never */
};

/* Advances state, attempts, due_us (exponential back-off from 10 s to 1 h with jitter from `random`, or
   the service's own wait when that is longer) and expiry. retry_after_us: -1 when the service gave none. */
void notice_attempted(struct notice *notice, enum delivery_end end, const char *answer,
	int64_t retry_after_us, uint32_t random, int64_t now_us);

#endif
