/* SPDX-License-Identifier: ISC */
/*
 * monitor: what a monitor is, as both programs see it.
 *
 * The prober checks upbeat.json and publishes one of these for each monitor into the state; the web
 * program reads them from there. What only one type knows (a URL, a port) travels as `options`, a small
 * JSON object whose fields are the rows of that type in prober/check/. The one exception is the
 * heartbeat, whose rules the web program itself applies.
 */
#ifndef MODEL_MONITOR_H
#define MODEL_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sign.h"

#define SLUG_MAX 64 /* bytes, without the NUL */
#define CONFIRM_MAX 16
#define CONFIRM_WAITS_MAX 16

enum monitor_state {
	STATE_PENDING = 0, /* no decision yet; a heartbeat that never beat */
	STATE_UP,
	STATE_SUSPECT, /* failing, not yet confirmed: shown as up with a mark, told to nobody */
	STATE_DOWN,
	STATE_UNKNOWN, /* we could not look */
	STATE_PAUSED,
	STATE__COUNT
};
/* "pending" "up" "suspect" "down" "unknown" "paused": the names of API and payloads. */
const char *monitor_state_name(enum monitor_state state);
bool monitor_state_parse(const char *name, enum monitor_state *out);

/* Marks stand beside the state. */
#define MARK_MAINTENANCE 0x01u
#define MARK_FLAPPING 0x02u
#define MARK_SLOW 0x04u
#define MARK_CERTIFICATE 0x08u
#define MARK_ACKNOWLEDGED 0x10u

enum event_kind {
	EVENT_DOWN = 0,
	EVENT_UP,
	EVENT_UNKNOWN,
	EVENT_SLOW,
	EVENT_CERTIFICATE,
	EVENT_FLAPPING,
	EVENT_MAINTENANCE,
	EVENT_TEST,
	EVENT_DIGEST,
	EVENT__COUNT
};
const char *event_name(enum event_kind event); /* "down" "up" ... "digest" */
bool event_parse(const char *name, enum event_kind *out);
#define EVENT_BIT(event) (1u << (event))
/* What a notify entry without "events" asks for. */
#define EVENTS_DEFAULT                                                                                       \
	(EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_UP) | EVENT_BIT(EVENT_UNKNOWN) | EVENT_BIT(EVENT_SLOW) | \
		EVENT_BIT(EVENT_CERTIFICATE) | EVENT_BIT(EVENT_FLAPPING))

/* One entry of "notify": whom, and when. */
struct notify_rule {
	char *channel;      /* name in "channels" */
	int64_t after_ms;   /* escalation: told only when it still lasts by then; 0 at once */
	int64_t repeat_ms;  /* again until acknowledged or up; 0 never */
	unsigned events;    /* EVENT_BIT()s */
	char *hours;        /* "mon-fri 09:00-18:00" or NULL for always */
};

/* How a heartbeat's secret, token and deadlines are; published for the web program. */
struct heartbeat_rules {
	char **secrets;       /* rotation: any of them signs */
	size_t secret_count;
	bool sha256_only;     /* "signature": "sha256" */
	char *token;          /* for /ping/TOKEN and /api/push/TOKEN, or NULL */
	int64_t max_age_ms;   /* deadline after the last success; 0 when there is a schedule */
	char *schedule;       /* cron expression, or NULL */
	int64_t grace_ms;     /* after a scheduled time */
	char *timezone;       /* of the schedule */
	int64_t window_ms;    /* how far the client's time may be from ours */
};

/* How a third party calls what we watch too. */
struct monitor_source {
	char *from; /* service: "uptimerobot" */
	char *name; /* its name there, its number, or its URL */
};

struct monitor {
	uint32_t id;          /* given once to a slug by the state, never reused: history hangs on it */
	char *slug;
	char *type;           /* name of a row in prober/check/checks.def */
	char *name;           /* what people read; the slug when not configured */
	char *group;          /* "" when none */
	char **tags;
	size_t tag_count;
	bool is_public;
	bool paused;
	int64_t interval_ms;
	int64_t timeout_ms;
	unsigned confirm;                           /* bad results that make it down */
	int64_t confirm_waits_ms[CONFIRM_WAITS_MAX]; /* between the rechecks of a suspect */
	unsigned confirm_wait_count;
	unsigned recover;                           /* good results that make it up */
	int64_t recover_wait_ms;
	int64_t slow_ms;      /* warn when slower; 0 never */
	char **depends_on;    /* slugs */
	size_t depends_count;
	struct notify_rule *notify;
	size_t notify_count;
	char **maintenance;   /* windows, in the text form model/window reads */
	size_t maintenance_count;
	char *runbook;        /* or NULL */
	char *options;        /* JSON object of the type's own fields, without secrets; "{}" at least */
	struct heartbeat_rules *heartbeat; /* NULL unless it is one */
	struct monitor_source *sources;
	size_t source_count;
	int64_t quorum;       /* so many places must find it down; 0: most of those that see */
	char **places;        /* peers that look at it too; none: whichever has one of this slug */
	size_t place_count;
	uint64_t place;       /* order in the configuration: how people sorted them */
};

/* Frees what it points to, and wipes secrets; not the struct itself. */
void monitor_clear(struct monitor *monitor);
void heartbeat_rules_clear(struct heartbeat_rules *rules);

/* Frees a list of n owned strings, and the list. */
void strings_free(char **list, size_t n);

/* [a-z0-9][a-z0-9._-]{0,63} and none of the verbs start, fail, log. */
bool monitor_slug_valid(const char *s, size_t n);
/* [A-Za-z0-9_-]{8,64} */
bool monitor_token_valid(const char *s, size_t n);

#endif
