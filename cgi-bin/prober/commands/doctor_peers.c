/* SPDX-License-Identifier: ISC */
/*
 * doctor_peers: when each of the other Upbeats was heard last, and how its clock goes. (Whether we
 * can reach it is one of the lines of doctor_reach.)
 */
#include <stdlib.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "model/words.h"
#include "prober/commands/doctor.h"
#include "store/peer_book.h"

#define APART_MUCH_US \
	(5 * 60 * US_PER_S) /* of two clocks: a third of what makes messages refused */

/* "its clock is 2 min ahead of ours" */
static void put_clock(struct text *t, int64_t ahead_us)
{
	text_raw(t, "its clock is ");
	if (llabs(ahead_us) < 2 * US_PER_S) {
		text_raw(t, "ours");
		return;
	}
	words_length(t, LANGUAGE_EN, llabs(ahead_us));
	text_raw(t, ahead_us > 0 ? " ahead of ours" : " behind ours");
}

static void examine(
	struct doctor *d, const char *name, const struct peer_head *head, int64_t since_us)
{
	int64_t now_us = clock_wall_us(), ahead_us = head->time_us - head->heard_us;
	bool silent = peering_silent(head, since_us, now_us),
	     apart = llabs(ahead_us) > APART_MUCH_US;
	struct text text = TEXT_INIT;

	text_raw(&text, "heard ");
	words_length(&text, LANGUAGE_EN, now_us - head->heard_us);
	text_raw(&text, " ago; ");
	put_clock(&text, ahead_us);
	if (head->offline)
		text_raw(&text, "; it says that it is offline");
	doctor_say(d,
		silent                   ? FOUND_BAD
		: apart || head->offline ? FOUND_NOTE
					 : FOUND_GOOD,
		"peer %s: %s%s", name, text_str(&text),
		apart ? ": beyond 15 minutes nothing is heard any more" : "");
	text_free(&text);
}

void doctor_peers(struct doctor *d)
{
	struct state_txn *txn = d->state ? state_begin(d->state, false, NULL) : NULL;
	struct site site = {0};
	struct pass_info pass = {0};

	if (txn && state_site(txn, &site, NULL) && state_pass(txn, &pass, NULL)) {
		for (size_t i = 0; i < site.peer_count; i++) {
			struct peer_head head;

			if (peer_head_read(txn, site.peer_keys[i].name, &head) && head.heard_us)
				examine(d, site.peer_keys[i].name, &head, pass.grace_from_us);
			else
				doctor_say(d, FOUND_NOTE,
					"peer %s: never heard: is it running, and is \"url\" there "
					"the address of this one?",
					site.peer_keys[i].name);
		}
	}
	state_end(txn);
	site_clear(&site);
}
