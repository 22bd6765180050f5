/* SPDX-License-Identifier: ISC */
/*
 * channel: one way of reaching people. A type whose message is one HTTP request is a row of data, sent by
 * the engine in channel_http.c; only types for which that does not do have code. Each is one file with one
 * `struct channel_type` and one line of channels.def:
 *
 *	CHANNEL(slack)
 */
#ifndef PROBER_CHANNEL_H
#define PROBER_CHANNEL_H

#include "model/notice.h"
#include "prober/field.h"
#include "prober/loop.h"
#include "prober/notify/message.h"

struct channel_type;

/* How one HTTP request says a message, and how the service says that it has it. In url, headers and body
   {{name}} is a field of the message or of the channel's own options (a secret too), escaped for its
   context: URL-encoded in url and form bodies, JSON in JSON bodies, header rules in headers. */
struct http_row {
	const char *method;            /* "POST" */
	const char *url;               /* "{{api}}/v2/pushes"; a leading "{{webhook}}" is taken raw */
	const char *const *headers;    /* "Access-Token: {{token}}", NULL-terminated; or NULL */
	const char *type;              /* "application/json" or "application/x-www-form-urlencoded" */
	const char *body;
	const char *basic;             /* "{{account}}:{{token}}" for Basic auth, or NULL */
	const char *success;           /* what a 2xx body must be: NULL any; "=ok" exactly; ".ok=true" a JSON
	                                  path with a value; "!error" must not contain */
	const char *refused;           /* texts in a body that mean never, separated by "|"; or NULL */
	int also_retry[4];             /* statuses that are retried beside the usual ones, 0-terminated */
	int gone[4];                   /* statuses that mean revoked beside the usual 4xx */
};

struct channel_type {
	const char *name;              /* as in "type" */
	const char *help;
	const struct field *fields;
	size_t field_count;
	size_t options_size;
	const struct http_row *http;   /* the data, or NULL */
	size_t title_max, text_max;    /* the service's limits in bytes; 0: none */
	bool (*validate)(const void *options, struct text *why); /* may be NULL */
	/* For types with code: begins sending; channel_finish() is called exactly once, not from within. */
	void (*send)(struct delivery *delivery);
	void (*end)(struct delivery *delivery); /* releases delivery->own */
};

extern const struct channel_type *const channel_types[]; /* NULL-terminated */
const struct channel_type *channel_type_by_name(const char *name);

/* One attempt to deliver one message. */
struct delivery {
	const struct channel_type *type;
	const char *channel;           /* its name in the configuration */
	const void *options;
	const struct message *message;
	struct loop *loop;
	void *own;
	int64_t started_us;            /* monotonic */
	/* filled in before channel_finish() */
	enum delivery_end end;
	int status;                    /* HTTP or SMTP status, 0 none */
	int64_t retry_after_us;        /* -1 not given */
	char answer[300];              /* the service's answer or the error, printable, without secrets */
	char *thread;                  /* for threading the recovery, or NULL; owned */
	void (*done)(struct delivery *delivery, void *arg);
	void *arg;
};

#define DELIVERY_TIMEOUT_MS 15000

/* Starts an attempt with the channel's configured object (resolved secrets included). Fails at once, with
   err, only on options that cannot be loaded. */
struct delivery *channel_send(struct loop *loop, const char *channel, const cJSON *configured,
	const struct message *message, void (*done)(struct delivery *delivery, void *arg), void *arg,
	struct error *err);
void channel_finish(struct delivery *delivery);
void channel_cancel(struct delivery *delivery);
void channel_free(struct delivery *delivery);

#endif
