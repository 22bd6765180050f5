/* SPDX-License-Identifier: ISC */
/*
 * message: what a notice says, in words: built purely from the notice, its monitor and the site. Channels
 * put its fields into their own shapes.
 */
#ifndef PROBER_MESSAGE_H
#define PROBER_MESSAGE_H

#include "model/incident.h"
#include "model/monitor.h"
#include "model/notice.h"
#include "model/site.h"
#include "model/words.h"

struct message {
	char *id;          /* the event id: stable across retries */
	const char *event; /* "down", ... */
	char *monitor;     /* slug, "" for a digest */
	char *name;
	const char *state, *previous; /* "" for a digest */
	int64_t since_us, at_us; /* since when it is in this state; when that was decided */
	int64_t duration_us; /* of the outage, at recovery; -1 */
	char *cause;       /* "" when none */
	uint32_t incident; /* 0 none */
	char *url;         /* of the incident or the dashboard, "" when no url is configured */
	char *runbook;     /* "" when none */
	char *title;       /* one line: "Shop is down" */
	char *text;        /* what is below the title: several lines, plain text, UTF-8 */
	char *root;        /* event id of the outage's first message to this channel; its own for that one */
	char *thread;      /* what the service gave for that message, or NULL */
	char *progress;    /* what the service gave for an earlier attempt of this message, or NULL */
	enum language language;
	bool good;         /* green, not red */
	bool test;         /* marked as a test */
	bool late;         /* tells of an outage and its end at once */
	bool reminder;     /* the outage was told before */
	bool again;        /* an earlier attempt may have arrived */
	char *points;      /* instead of a message: response times, a JSON object of lists; or NULL */
};

/* What a message says beside its notice: found by the deliverer, all of it optional. */
struct message_context {
	const struct incident *incident; /* for the evidence in one line */
	const char *root;                /* event id of the outage's first message to this channel */
	const char *thread;              /* what the service gave for that one */
	uint64_t children;               /* monitors that depend on it and are held back ... */
	const char *children_names;      /* ... and the first of their names, for people; or NULL */
	bool again;                      /* it was in flight when a process died */
	bool late;                       /* the outage was over before it could be told */
};

/* monitor may be NULL: for a digest, or when it is no longer configured; context may be NULL. */
void message_build(struct message *message, const struct notice *notice, const struct monitor *monitor,
	const struct site *site, enum language language, const struct message_context *context);
/* The marked message of `notify CHANNEL [--event down]`. */
void message_test(struct message *message, enum event_kind event, const char *channel, const struct site *site,
	enum language language, int64_t now_us);
/* The webhook's and hubot's payload: {id,event,monitor,name,state,previous,since,at,duration,cause,incident,
   url,text}; times in seconds since 1970, what there is not is null. `text` is title and text. */
void message_payload(const struct message *message, struct text *json);
void message_clear(struct message *message);

/* One line of a digest: "Shop: down (HTTP 502)". */
void message_digest_row(struct text *t, enum language language, const struct notice *notice, const char *name);

#endif
