/* SPDX-License-Identifier: ISC */
/*
 * catalog: the published monitors as lists and pages need them, kept by the process until the next
 * publication, because unpacking thousands of configurations for each request would be most of its work.
 *
 * A catalog is immutable and counted: several threads may hold one while the next one is already there.
 */
#ifndef WEB_CATALOG_H
#define WEB_CATALOG_H

#include "base/error.h"
#include "model/site.h"
#include "store/state.h"

/* What a list shows of a monitor's configuration. */
struct listed {
	uint32_t id;
	const char *slug, *name, *type;
	size_t group;           /* index into the catalog's groups */
	const char *group_name; /* "" when none */
	char **tags;
	size_t tag_count;
	bool is_public;
	char **maintenance; /* windows */
	size_t maintenance_count;
	int64_t interval_ms;
};

struct catalog {
	struct site site;
	struct listed *monitors; /* in configuration order */
	size_t count;
	const char **groups;     /* in order of first appearance; "" is one too */
	size_t group_count;
	/* private */
	struct listed_monitor *listing; /* owns the strings */
	const struct listed **by_id;
	uint32_t max_id;
	char *fingerprint;
	unsigned holders;
};

/* The catalog of the snapshot that txn sees: the process's own when it is still that one, else read anew.
   `state` tells books apart. NULL with err. The caller gives it back with catalog_release(). */
const struct catalog *catalog_get(const struct state *state, struct state_txn *txn, struct error *err);
void catalog_release(const struct catalog *catalog);

/* The monitor of that id, or NULL. */
const struct listed *catalog_by_id(const struct catalog *catalog, uint32_t id);

#endif
