/* SPDX-License-Identifier: ISC */
/*
 * message: what a notice says, in words: built purely from the notice, its monitor and the site. Channels
 * put its fields into their own shapes.
 */
#ifndef PROBER_MESSAGE_H
#define PROBER_MESSAGE_H

#include "model/monitor.h"
#include "model/notice.h"
#include "model/site.h"
#include "model/words.h"

struct message {
	char *id;          /* the event id: stable across retries */
	const char *event; /* "down", ... */
	char *monitor;     /* slug, "" for a digest */
	char *name;
	const char *state, *previous;
	int64_t since_us, at_us;
	int64_t duration_us; /* of the outage, at recovery; -1 */
	char *cause;       /* "" when none */
	uint32_t incident; /* 0 none */
	char *url;         /* of the incident or the dashboard, "" when no url is configured */
	char *runbook;     /* "" when none */
	char *title;       /* one line: "Shop is down" */
	char *text;        /* several lines, plain text, UTF-8 */
	char *root;        /* event id of the outage's first message to this channel; its own for that one */
	char *thread;      /* what the service gave for that message, or NULL */
	char *progress;    /* what the service gave for an earlier attempt of this message, or NULL */
	enum language language;
	bool good;         /* green, not red */
	bool test;         /* marked as a test */
};

/* monitor may be NULL for a digest. */
void message_build(struct message *message, const struct notice *notice, const struct monitor *monitor,
	const struct site *site, enum language language);
/* The marked message of `notify CHANNEL [--event down]`. */
void message_test(struct message *message, enum event_kind event, const struct site *site,
	enum language language, int64_t now_us);
/* The webhook's and hubot's payload: {id,event,monitor,name,state,previous,since,at,duration,cause,incident,
   url,text}. */
void message_payload(const struct message *message, struct text *json);
void message_clear(struct message *message);

#endif
