/* SPDX-License-Identifier: ISC */
/*
 * outbox_ack: has somebody taken an incident in hand since the pass last looked? A person who presses
 * "acknowledge" must not be reminded a second later, so the inbox is read once more before each reminder and
 * each escalation.
 */
#include <string.h>

#include "model/request.h"
#include "prober/notify/outbox_private.h"

struct search {
	const struct incident *incident;
	bool found;
};

static bool is_for(const struct person_request *request, const struct incident *incident)
{
	if (request->kind != REQUEST_ACKNOWLEDGE)
		return false;
	return request->incident ? request->incident == incident->id :
		request->monitor && !strcmp(request->monitor, incident->monitor);
}

static bool look(void *arg, const struct inbox_entry *entry)
{
	struct search *search = arg;
	struct person_request request;

	if (entry->at_us < search->incident->started_us ||
		!request_decode(entry->payload, entry->payload_len, &request, NULL))
		return true;
	search->found = is_for(&request, search->incident);
	request_clear(&request);
	return !search->found;
}

bool outbox_acknowledged(struct state_txn *txn, struct inbox *inbox, const struct incident *incident)
{
	struct search search = {incident, false};
	uint64_t seen = 0;

	/* No inbox, or one that cannot be read now: then the reminder goes out. */
	if (inbox && state_inbox_seen(txn, &seen, NULL))
		inbox_queue_scan(inbox, INBOX_REQUEST, seen, look, &search, NULL);
	return search.found;
}
