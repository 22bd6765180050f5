/* SPDX-License-Identifier: ISC */
/*
 * sighting: what somebody else saw of something that we watch too: a third party's report, as one
 *JSON object.
 *
 *	{"from":"uptimerobot","id":"777","name":"Shop","url":"https://...","sees":"down","detail":"...","told":1.5}
 *
 * The web program queues one for each report (INBOX_HOOK); the prober keeps the newest of each
 *place beside the monitor, as a list, with the time when we heard it; pages show that list.
 */
#ifndef MODEL_SIGHTING_H
#define MODEL_SIGHTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/monitor.h"
#include "model/result.h"

#define SIGHTING_WORDS_MAX 500 /* bytes of each name or detail that are kept */
#define SIGHTINGS_MAX 32       /* places of one monitor */

struct sighting {
	char *from;            /* the place: "uptimerobot"; required */
	char *id, *name, *url; /* how that place calls what it saw; NULL when it does not say */
	enum outcome sees;     /* OUTCOME_UP or OUTCOME_DOWN; OUTCOME_UNKNOWN when it is unread */
	bool unread;	       /* a message that could not be understood: `detail` says why, `name` is how it begins */
	char *detail;          /* why, in its words, or NULL */
	int64_t told_us;       /* by its own clock; 0 not told. Only ever compared with its own. */
	int64_t heard_us;      /* by ours; 0 while it is queued */
	bool peer;             /* another Upbeat (store/peer_book); never kept: its vote is worked out anew */
	bool mute;             /* of one: it saw this too long ago for a vote; only shown */
};
void sighting_clear(struct sighting *sighting);

/* Appends the object. */
void sighting_encode(struct text *t, const struct sighting *sighting);
/* Reads one; unknown members are ignored. */
bool sighting_decode(const char *json, size_t n, struct sighting *out, struct error *err);

/* A list of them, as a JSON array; free with sightings_free. */
void sightings_encode(struct text *t, const struct sighting *list, size_t n);
bool sightings_decode(
	const char *json, size_t n, struct sighting **list, size_t *count, struct error *err);
void sightings_free(struct sighting *list, size_t n);

/* Does one of the monitor's sources name what was seen? */
bool sighting_is_of(const struct sighting *sighting, const struct monitor *monitor);

/* Puts *news into the list in the place of the same place's older one, and takes over what it owns.
   false: it is older than what that place told before, or there are too many places; *news is the
   caller's still. */
bool sightings_take(struct sighting **list, size_t *n, struct sighting *news);

/* What people have to look at: a message that could not be understood, or one that no monitor has among its
   sources. The newest are kept as a list in a note of the state, for so long. */
#define SIGHTINGS_STRANGE_NOTE "strangers"
#define SIGHTINGS_STRANGE_MAX 8
#define SIGHTINGS_STRANGE_US (7 * 86400 * INT64_C(1000000))
/* Appends a sentence about one. */
void sighting_strange(struct text *t, const struct sighting *stranger);
/* Puts *news first, in the place of an older one that says the same, and takes over what it owns; what is too
   old or too much falls out. true: nothing like it was there. */
bool sightings_strange_take(struct sighting **list, size_t *n, struct sighting *news);

/* Appends the name of the state's note that keeps the list of a monitor. */
void sightings_note(struct text *t, uint32_t monitor_id);

/* The services whose reports we take. */
bool sighting_service(const char *name);
/* "uptimerobot, statuscake, pingdom" */
extern const char *const sighting_services[];

#endif
