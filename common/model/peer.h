/* SPDX-License-Identifier: ISC */
/*
 * peer: what one Upbeat tells another, as bytes and as values.
 *
 *	{"version":1,"from":"berlin","to":"taipei","time":1777600000.5,"every":60,"digest":"0123456789abcdef",
 *	 "monitors":[{"slug":"shop","sees":"down","state":"down","every":60,"cause":"HTTP
 *502","episode":8,
 *	   "open":true,"told":[{"id":"upbeat-...","event":"down","channel":"ops"}]}],"gone":["old"]}
 *
 * A message has the rows that changed since the last one that was acknowledged, and a digest of all
 *of them, so that the other side notices when it has missed one, and asks for everything ("again").
 * Members are only ever added: what is not known is ignored, what is missing has a default. So is a
 *row kept as the bytes that came: its hash counts in the digest, also when it says more than we
 *understand.
 *
 * Written in this order and without blanks, rows in the order of their slugs: equal content is
 *equal bytes.
 */
#ifndef MODEL_PEER_H
#define MODEL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/monitor.h"
#include "model/notice.h"
#include "model/result.h"

#define PEER_VERSION 1
#define PEER_MESSAGE_MAX 65536                      /* bytes */
#define PEER_WINDOW_US (15 * 60 * INT64_C(1000000)) /* how far two clocks may be apart */
#define PEER_TAKES_US (5 * INT64_C(1000000))        /* so long a message may be under way */
#define PEER_TOLD_MAX 12                            /* of one row; older ones go */

/* One message to people that a service has accepted. */
struct peer_told {
	char id[EVENT_ID_MAX];
	char *event, *channel;
};

/* What one place knows of one monitor. */
struct peer_row {
	char *slug;
	enum outcome sees;        /* its own newest look, whatever others say */
	enum monitor_state state; /* what it has decided */
	int64_t every_us;         /* how often it looks */
	int64_t looked_us; /* newest look, by its clock; told only while somebody finds it down; 0
			      not told */
	char *cause;       /* why it does not see it up, or NULL */
	uint64_t episode;  /* counts outages; agreed among all who look */
	bool open;         /* the newest of them lasts */
	bool acknowledged; /* somebody has taken it in hand there */
	struct peer_told *told; /* of the newest outage, oldest first */
	size_t told_count;
	char *raw;     /* the row as bytes */
	uint64_t hash; /* of raw */
};

/* Rows in the order of their slugs. */
struct peer_table {
	struct peer_row *at;
	size_t n;
};

void peer_row_clear(struct peer_row *row);
/* Makes raw and hash anew from the rest; true when that changed anything. */
bool peer_row_seal(struct peer_row *row);
/* Notes that a message was told; the caller seals. */
void peer_row_tell(struct peer_row *row, const char *id, const char *event, const char *channel);
bool peer_row_told(const struct peer_row *row, const char *id);

void peer_table_clear(struct peer_table *table);
struct peer_row *peer_table_find(const struct peer_table *table, const char *slug); /* or NULL */
/* The row of this slug, made (unsealed) when it is not there. Pointers to other rows are invalid
 * then. */
struct peer_row *peer_table_make(struct peer_table *table, const char *slug);
/* Takes over what *row owns, in the place of an older one. */
void peer_table_put(struct peer_table *table, struct peer_row *row);
bool peer_table_drop(struct peer_table *table, const char *slug); /* false: was not there */
/* Of all rows; the same for equal rows. */
uint64_t peer_table_digest(const struct peer_table *table);
/* As a JSON array, to be kept. */
void peer_table_encode(struct text *t, const struct peer_table *table);
bool peer_table_decode(const char *json, size_t n, struct peer_table *out, struct error *err);

struct peer_message {
	char *from, *to;  /* names as the configurations call them */
	int64_t time_us;  /* by the sender's clock */
	int64_t every_us; /* how often it means to write */
	bool offline;     /* it sees nothing at all: none of its rows is a vote */
	bool again;       /* it has missed something of ours: send everything */
	bool full;        /* what was told before counts no more */
	bool more;        /* the rest follows at once: the digest holds after it */
	uint64_t digest;
	struct peer_table rows;
	char **gone; /* slugs that it looks at no longer */
	size_t gone_count;
};
void peer_message_clear(struct peer_message *message);
void peer_message_encode(struct text *t, const struct peer_message *message);
/* With rows that are bytes already, joined by commas. */
void peer_message_encode_with(struct text *t, const struct peer_message *message, const char *rows);
bool peer_message_decode(const char *json, size_t n, struct peer_message *out, struct error *err);

#endif
