/* SPDX-License-Identifier: ISC */
/*
 * view: what a page, the API, a badge and a metric all show, read once from both books and in one place
 * made honest: who asks sees only what they may, and what is stale is unknown.
 *
 *	struct view v;
 *	if (!view_open(&v, web, req, &err)) ... 503
 *	for (size_t i = 0; i < v.count; i++) ... v.monitors[i] ...
 *	view_close(&v);
 *
 * The snapshot (v.txn) stays open between the two for what else a page reads; a handler closes the view
 * before it returns, so nothing is open while the answer is sent.
 */
#ifndef WEB_VIEW_H
#define WEB_VIEW_H

#include "model/sighting.h"
#include "web/access.h"
#include "web/catalog.h"
#include "web/pending.h"
#include "web/routes.h"

/* One monitor as it is to be shown to who asks. */
struct view_monitor {
	const struct listed *listed;
	enum monitor_state state; /* nobody watches: unknown, whatever it was; paused stays paused */
	unsigned marks;           /* MARK_... */
	int64_t since_us;         /* of that state; 0 not known */
	int64_t checked_us;       /* newest result; 0 none */
	int64_t response_us;      /* of the newest good result; 0 none */
	uint64_t recent;          /* as struct row has it */
	uint32_t incident;        /* open one; 0 none */
	int64_t certificate_s;    /* its end, seconds since 1970; 0 none */
};

/* How the watching itself is. */
enum watching {
	WATCHING,       /* passes are fresh */
	WATCHING_NEVER, /* no pass has finished or committed yet */
	WATCHING_STALE, /* the newest pass is too long ago: everything is unknown */
	WATCHING_BLIND, /* passes run, but we are offline */
};

struct view {
	int64_t now_us;
	struct asker asker;
	const struct catalog *catalog;
	const struct site *site;      /* the catalog's */
	struct pass_info pass;
	enum watching watching;
	int64_t watched_us;           /* when we last looked: progress of the newest pass; 0 never */
	struct view_monitor *monitors; /* those the asker may see, in configuration order */
	size_t count;
	size_t counts[STATE__COUNT];  /* of them, by state */
	struct pending pending;       /* requests that the prober has not seen: already applied to monitors */
	struct problem *problems;     /* of the configuration; none for those who may not see them */
	size_t problem_count;
	struct state_txn *txn;
};

/* false: the state cannot be read (ERROR_MISSING: there is none yet); nothing is to be closed then. */
bool view_open(struct view *view, struct web *web, const struct request *req, struct error *err);
void view_close(struct view *view);

/* The monitor of that slug, or NULL: also when the asker may not know of it. */
const struct view_monitor *view_find(const struct view *view, const char *slug);
const struct view_monitor *view_find_id(const struct view *view, uint32_t id);
/* The full configuration of a monitor and what is known of it, with pending requests applied (to the open
   incident too, when it is wanted: NULL when not; its id is 0 when there is none). The caller clears both. */
bool view_details(const struct view *view, const struct view_monitor *of, struct monitor *monitor,
	struct judge *judge, struct incident *open, struct error *err);
/* Why it is not up, for those who may see errors; NULL when there is nothing to say. The caller frees. */
char *view_cause(const struct view *view, const struct view_monitor *monitor);

/* What other places, third parties and peers, saw last of it; none when that cannot be read. The caller frees the list. */
void view_places(const struct view *view, const struct view_monitor *of, const struct monitor *monitor,
	struct sighting **list, size_t *n);

/* How bad a state is, for sorting: down first, up last. */
int view_badness(enum monitor_state state);
/* The state that sums up the whole view: its worst, or unknown when nobody watches. */
enum monitor_state view_overall(const struct view *view);
/* The overall sentence ("2 of 12 monitors are down"), through `put`, in that language. Not for
   WATCHING_STALE, which needs a time as people write it: see page.c. */
void view_sentence(const struct view *view, struct text *t, text_verb put, enum language language);

#endif
