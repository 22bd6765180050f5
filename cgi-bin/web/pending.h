/* SPDX-License-Identifier: ISC */
/*
 * pending: what people asked for and the prober has not dealt with yet. It is shown as if it were done:
 * through the same pure function of model/ that the prober will use.
 */
#ifndef WEB_PENDING_H
#define WEB_PENDING_H

#include "model/request.h"
#include "web/routes.h"

struct pending_request {
	int64_t at_us;
	char *who;
	struct person_request request;
};

struct pending {
	struct pending_request *requests; /* oldest first */
	size_t count;
};

/* Those in the inbox that the state's snapshot has not seen. No inbox, or one that cannot be read, is none
   (and a line in the log): the state is still worth showing. */
void pending_load(struct pending *pending, struct web *web, struct state_txn *txn);
void pending_clear(struct pending *pending);

/* Is any of them about this monitor? */
bool pending_about(const struct pending *pending, const char *slug);
/* Applies those about the monitor. `incident` may be NULL when only the judge is of interest. */
void pending_apply(const struct pending *pending, const struct monitor *monitor, const struct site *site,
	struct judge *judge, struct incident *incident, int64_t now_us);

#endif
