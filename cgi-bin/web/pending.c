/* SPDX-License-Identifier: ISC */
/* pending: the inbox's requests, applied to copies. */
#include "web/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/window.h"

static bool take(void *arg, const struct inbox_entry *entry)
{
	struct pending *pending = arg;
	struct pending_request *out;
	struct person_request request;

	if (!request_decode(entry->payload, entry->payload_len, &request, NULL))
		return true; /* of a newer version: the prober will say so */
	pending->requests = mem_grow(pending->requests, pending->count + 1, sizeof(*out));
	out = &pending->requests[pending->count++];
	*out = (struct pending_request){entry->at_us, mem_str(entry->sender), request};
	return true;
}

void pending_load(struct pending *pending, struct web *web, struct state_txn *txn)
{
	struct error err = {0};
	struct inbox *inbox = web_inbox(web, &err);
	uint64_t seen = 0;

	memset(pending, 0, sizeof(*pending));
	if (!inbox)
		return;
	if (!state_inbox_seen(txn, &seen, &err) ||
		!inbox_queue_scan(inbox, INBOX_REQUEST, seen, take, pending, &err))
		log_limited("pending", "requests in the inbox: %s", err.text);
}

void pending_clear(struct pending *pending)
{
	for (size_t i = 0; i < pending->count; i++) {
		free(pending->requests[i].who);
		request_clear(&pending->requests[i].request);
	}
	free(pending->requests);
	memset(pending, 0, sizeof(*pending));
}

bool pending_about(const struct pending *pending, const char *slug)
{
	for (size_t i = 0; i < pending->count; i++)
		if (strcmp(pending->requests[i].request.monitor, slug) == 0)
			return true;
	return false;
}

static bool in_window(const struct monitor *monitor, const struct site *site, int64_t now_us)
{
	const struct zone *zone = calendar_zone(site->timezone ? site->timezone : "UTC");
	int64_t now_s = now_us / US_PER_S;

	return window_any_active(monitor->maintenance, monitor->maintenance_count, zone, now_s, NULL) ||
		window_any_active(site->maintenance, site->maintenance_count, zone, now_s, NULL);
}

void pending_apply(const struct pending *pending, const struct monitor *monitor, const struct site *site,
	struct judge *judge, struct incident *incident, int64_t now_us)
{
	struct request_target target = {.judge = judge,
		.incident = incident,
		.paused_by_config = monitor->paused,
		.window_active = in_window(monitor, site, now_us)};

	for (size_t i = 0; i < pending->count; i++) {
		const struct pending_request *p = &pending->requests[i];

		if (strcmp(p->request.monitor, monitor->slug) == 0)
			request_apply(&p->request, p->who, p->at_us, &target, now_us);
	}
}
