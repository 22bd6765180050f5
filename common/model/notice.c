/* SPDX-License-Identifier: ISC */
/*
 * notice: what becomes of a message after an attempt to deliver it.
 *
 * The wait doubles from 10 s on and gets up to half of itself on top at random, so that a service that
 * comes back is not met by everything that waited for it in the same second; an hour is the most.
 */
#include "model/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sign.h"

void notice_event_id(char out[EVENT_ID_MAX], const struct text *what)
{
	struct text id = TEXT_INIT;
	uint8_t hash[SHA256_BYTES];

	sign_sha256(text_str(what), what->len, hash);
	text_raw(&id, "upbeat-");
	sign_hex(&id, hash, 16);
	memcpy(out, text_str(&id), id.len + 1);
	text_free(&id);
}

void notice_clear(struct notice *notice)
{
	free(notice->channel);
	free(notice->monitor);
	free(notice->cause);
	free(notice->body);
	free(notice->answer);
	free(notice->thread);
	free(notice->instead);
	*notice = (struct notice){0};
}

struct notice notice_copy(const struct notice *notice)
{
	struct notice copy = *notice;

	copy.channel = mem_str(notice->channel);
	copy.monitor = mem_str(notice->monitor);
	copy.cause = mem_str(notice->cause);
	copy.body = mem_str(notice->body);
	copy.answer = mem_str(notice->answer);
	copy.thread = mem_str(notice->thread);
	copy.instead = mem_str(notice->instead);
	return copy;
}

/* How long to wait after the given number of attempts. */
static int64_t backoff_us(unsigned attempts, uint32_t random)
{
	const int64_t most = NOTICE_RETRY_MAX_US / 3 * 2; /* with its random half: NOTICE_RETRY_MAX_US */
	int64_t wait = NOTICE_RETRY_MIN_US;

	for (unsigned i = 1; i < attempts && wait < most; i++)
		wait *= 2;
	if (wait > most)
		wait = most;
	return wait + wait / 2 / 1000 * (int64_t)(random % 1001);
}

/* The next attempt, or the end when it would come after the notice's life. The last attempt is made
   at the very end of it rather than given up early. */
static void notice_retry(struct notice *notice, int64_t retry_after_us, uint32_t random, int64_t now_us)
{
	int64_t wait = backoff_us(notice->attempts, random);

	if (now_us >= notice->expires_us) {
		notice->state = NOTICE_EXPIRED;
		return;
	}
	if (retry_after_us > wait)
		wait = retry_after_us;
	notice->due_us = wait > notice->expires_us - now_us ? notice->expires_us : now_us + wait;
}

void notice_attempted(struct notice *notice, enum delivery_end end, const char *answer,
	int64_t retry_after_us, uint32_t random, int64_t now_us)
{
	char *kept = mem_str(answer); /* first: it may be the old answer itself */

	free(notice->answer);
	notice->answer = kept;
	notice->attempts++;
	notice->in_flight = false;
	switch (end) {
	case DELIVERY_SENT:
		notice->state = NOTICE_DELIVERED;
		break;
	case DELIVERY_REFUSED:
		notice->state = NOTICE_REFUSED;
		break;
	case DELIVERY_RETRY:
		notice_retry(notice, retry_after_us, random, now_us);
		break;
	}
}
