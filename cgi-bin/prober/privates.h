/* SPDX-License-Identifier: ISC */
/*
 * privates: what must not enter a book: the channels of the good configuration, and the secret fields of
 * monitors, resolved. They are kept beside the books in STORE/private/<fingerprint>.json (0600, directory
 * 0700). The state names the fingerprint, so both change in one commit.
 *
 * Calls: privates_write, then the commit that names the fingerprint, then privates_tidy; privates_read.
 */
#ifndef PROBER_PRIVATES_H
#define PROBER_PRIVATES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/error.h"
#include "store/state.h"

struct privates {
	cJSON *json; /* {"channels":{NAME:{...}},"monitors":{SLUG:{...}},"top":{...}} */
};

bool privates_write(
	const cJSON *privates, const char *store, const char *fingerprint, struct error *err);
/* Can they be read? */
bool privates_there(const char *store, const char *fingerprint);
/* Leaves only the one that is in force. */
void privates_tidy(const char *store, const char *fingerprint);
/* Those of the published configuration, for deliveries and for checks with secrets. */
bool privates_read(struct state *state, const char *store, struct privates *out, struct error *err);
void privates_free(struct privates *privates);

#endif
