/* SPDX-License-Identifier: ISC */
/*
 * people: what people asked for through the web program. The queue is read when a pass begins and every few
 * seconds while it runs; each request is applied by the one function that the pages use too, and `inbox_seen`
 * moves in the transaction that holds its effect.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/request.h"
#include "prober/pass/pass_private.h"

#define READ_EVERY_US (5 * US_PER_S)
#define READ_PEERS_EVERY_US (US_PER_S / 2) /* a decision may wait for what they say */

/* One request as it stood in the queue. */
struct asked {
	struct person_request request;
	char *who;
	int64_t at_us;
};
struct asked_list {
	struct pass *pass;
	struct asked *at;
	size_t n;
	uint64_t newest;
};

static bool collect(void *arg, const struct inbox_entry *entry)
{
	struct asked_list *list = arg;
	struct error err = {0};
	struct asked *asked;

	list->newest = entry->id;
	if (entry->kind == INBOX_HOOK)
		places_collect(list->pass, entry);
	if (entry->kind == INBOX_PEER)
		peers_collect(list->pass, entry);
	if (entry->kind != INBOX_REQUEST)
		return true;
	list->at = mem_grow(list->at, list->n + 1, sizeof(list->at[0]));
	asked = &list->at[list->n];
	if (request_decode(entry->payload, entry->payload_len, &asked->request, &err)) {
		asked->who = mem_str(entry->sender);
		asked->at_us = entry->at_us;
		list->n++;
	} else {
		log_warn("a request of %s cannot be read: %s", entry->sender, err.text);
	}
	return true;
}

static struct post *post_for(struct pass *pass, const char *slug, struct error *err)
{
	struct state_txn *txn = state_begin(pass->state, false, err);
	struct monitor monitor = {0};
	struct post *post = NULL;

	if (txn && state_monitor_by_slug(txn, slug, &monitor, err))
		post = post_in(pass, monitor.id, txn);
	if (post && !post_read(post, txn, err))
		post = NULL;
	state_end(txn);
	monitor_clear(&monitor);
	return post;
}

/* Acknowledgements and notes are entries of a stored incident; they are written by the next commit. */
static void apply(struct pass *pass, const struct asked *asked)
{
	struct error err = {0};
	struct post *post = post_for(pass, asked->request.monitor, &err);
	struct incident incident = {0};
	struct request_target target;
	struct request_effect effect;

	if (!post) {
		log_warn("%s asked to %s %s: %s", asked->who, request_kind_name(asked->request.kind),
			asked->request.monitor, err.text);
		return;
	}
	incident.id = asked->request.incident ? asked->request.incident : post->judge.incident;
	target = (struct request_target){
		&post->judge, &incident, post->monitor->paused, tend_window_active(post)};
	effect = request_apply(&asked->request, asked->who, asked->at_us, &target, pass_now(pass));
	if (effect.incident_changed)
		keep_entries(post, &incident);
	incident_clear(&incident);
	if (effect.verdict.dirty)
		keep_judge(post);
	decide_apply(post, &effect.verdict);
	peers_asked(post);
	post_tend(post);
	log_info("%s: %s %s", asked->who, request_kind_name(asked->request.kind), asked->request.monitor);
}

static uint64_t seen_so_far(struct pass *pass)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	uint64_t seen = 0;

	if (txn && !state_inbox_seen(txn, &seen, NULL))
		seen = 0;
	state_end(txn);
	return seen;
}

void people_listen(struct pass *pass)
{
	struct asked_list list = {.pass = pass};
	int64_t now = clock_mono_us(), every_us = pass->peers ? READ_PEERS_EVERY_US : READ_EVERY_US;
	struct error err = {0};

	/* Whoever writes all the time must not keep a pass from ending: the next one reads the rest. */
	if (!pass->inbox || pass->over || (pass->people_read_us && now - pass->people_read_us < every_us))
		return;
	if (!pass->people_read_us)
		pass->inbox_seen = seen_so_far(pass);
	pass->people_read_us = now;
	list.newest = pass->inbox_seen;
	if (!inbox_queue_scan(pass->inbox, 0, pass->inbox_seen, collect, &list, &err))
		pass_deaf(pass, &err);
	for (size_t i = 0; i < list.n; i++) {
		apply(pass, &list.at[i]);
		request_clear(&list.at[i].request);
		free(list.at[i].who);
	}
	free(list.at);
	places_hear(pass);
	peers_hear(pass);
	if (list.newest != pass->inbox_seen) {
		pass->inbox_seen = list.newest;
		pass->inbox_seen_dirty = true;
		keep_info(pass);
	}
}
