/* SPDX-License-Identifier: ISC */
/*
 * channel: one way of reaching people. A type whose message is one HTTP request is a row of data, sent by
 * the engine in engine.c; only types for which that does not do have code. Each is one file with one
 * `struct channel_type` and one line of channels.def:
 *
 *	CHANNEL(slack)
 */
#ifndef PROBER_CHANNEL_H
#define PROBER_CHANNEL_H

#include "model/notice.h"
#include "prober/field.h"
#include "prober/net/loop.h"
#include "prober/notify/message.h"

struct channel_type;
struct delivery;

/* How one HTTP request says a message, and how the service says that it has it. Texts are templates
   (template.h): {{name}} is a field of the message or of the channel's own options (a secret too), escaped
   for its context. A header whose text comes out empty after the colon is not sent. */
struct http_row {
	const char *method;            /* "POST" when NULL */
	const char *url;               /* "{{api}}/v2/pushes"; a leading "{{webhook}}" is taken as it stands */
	const char *const *headers;    /* "Access-Token: {{token}}", NULL-terminated; or NULL */
	const struct map *more;        /* the user's own headers, templates too; or NULL */
	const char *type;              /* Content-Type: decides how values in the body are escaped */
	const char *body;
	const char *basic;             /* "{{account}}:{{token}}" for Basic auth, or NULL */
	const char *success;           /* what the body of a 2xx must be, see answer.h; NULL: anything */
	const char *refused;           /* texts in a body that mean never, separated by "|"; or NULL */
	const char *thread;            /* JSON path of what the service gives for threading, or NULL */
	const char *wait;              /* JSON path of the seconds to wait, when there is no Retry-After; or NULL */
	int also_retry[4];             /* statuses that are tried again beside the usual ones, 0-terminated */
};

struct channel_type {
	const char *name;              /* as in "type" */
	const char *help;
	const struct field *fields;    /* CHANNEL_COMMON among them */
	size_t field_count;
	size_t options_size;           /* of a struct that begins with struct channel_common */
	const struct http_row *http;   /* the data, or NULL */
	/* Where one row will not do: fills in the request for these options and this message. Or NULL. */
	void (*row)(const void *options, const struct message *message, struct http_row *row);
	size_t title_max, text_max;    /* the service's limits in bytes; 0: none */
	bool machine;                  /* wants every event on its own: never gathered into a digest */
	const char *metrics;           /* its row that maps monitors to metrics: it also takes response times */
	bool (*validate)(const void *options, struct text *why); /* may be NULL */
	/* For types with code: begins sending; channel_finish() is called exactly once, not from within. */
	void (*send)(struct delivery *delivery);
	void (*end)(struct delivery *delivery); /* stops what is under way, releases delivery->own */
};

/* What every channel has: the first member of its options, and the rows for it. */
struct channel_common {
	char *language;                /* of its messages; NULL: the site's */
	int64_t limit;                 /* messages an hour, then digests; 0: as many as there are */
};
#define CHANNEL_LIMIT_DEFAULT 200
#define CHANNEL_LIMIT_TEXT "200"
#define CHANNEL_COMMON(options)                                                                              \
	{.name = "language", .type = FIELD_CHOICE, .offset = offsetof(struct options, common.language),         \
		.choices = channel_languages,                                                                   \
		.help = "Language of this channel's messages; the site's by default."},                         \
	{.name = "limit", .type = FIELD_INT, .offset = offsetof(struct options, common.limit), .fallback = CHANNEL_LIMIT_TEXT,\
		.min = 0, .max = 100000, .help = "Messages an hour; further ones become one digest. 0: no limit."}
/* Check of rows that hold an address in a secret: http or https, or a reference to where it is kept. */
bool channel_address_valid(const void *value, struct text *why);
/* Check of rows of headers whose values are templates. */
bool channel_headers_valid(const void *value, struct text *why);
/* The row "api": another base address than the service's own. */
#define CHANNEL_API(options, base)                                                                           \
	{.name = "api", .type = FIELD_URL, .offset = offsetof(struct options, api), .fallback = (base),         \
		.help = "Base address of the service, when it is not its own."}
extern const char *const channel_languages[]; /* NULL-terminated */

extern const struct channel_type *const channel_types[]; /* NULL-terminated */
const struct channel_type *channel_type_by_name(const char *name);

/* One attempt to deliver one message. */
struct delivery {
	const struct channel_type *type;
	char *channel;                 /* its name in the configuration */
	void *options;
	const struct message *message;
	struct loop *loop;
	void *own;
	int64_t started_us;            /* monotonic */
	/* filled in before channel_finish() */
	enum delivery_end end;
	int status;                    /* HTTP or SMTP status, 0 none */
	int64_t retry_after_us;        /* -1 not given */
	char answer[300];              /* the service's answer or the error, printable, without secrets */
	char *thread;                  /* given back with the next attempt of this message, and with what follows
	                                  up on it: Slack's ts; the recipients that have it; or NULL; owned */
	void (*done)(struct delivery *delivery, void *arg);
	void *arg;
};

#define DELIVERY_TIMEOUT_MS 15000

/* Starts an attempt with the channel's configured object (resolved secrets included). Fails at once, with
   err, only on options that cannot be loaded. `message` must live until done was called; in done, or later,
   the caller ends with channel_free(). */
struct delivery *channel_send(struct loop *loop, const char *channel, const cJSON *configured,
	const struct message *message, void (*done)(struct delivery *delivery, void *arg), void *arg,
	struct error *err);
/* Stops an attempt whose done was not called, or releases one that was. NULL is fine. */
void channel_free(struct delivery *delivery);

/* The options of a configured object, as far as no type is needed for them. */
enum language channel_language(const cJSON *configured, enum language site);
int64_t channel_limit(const cJSON *configured);
const struct channel_type *channel_type_of(const cJSON *configured);

/* ---- for the types */

/* Sets the outcome; answer may be what a service sent: it is made printable and short, and the channel's
   secrets are taken out. */
void channel_outcome(struct delivery *delivery, enum delivery_end end, int status, const char *answer);
/* Calls done: the delivery may be gone afterwards. */
void channel_finish(struct delivery *delivery);

#endif
