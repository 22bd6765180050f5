/* SPDX-License-Identifier: ISC */
/*
 * announce: what the pass tells of itself, not of one monitor: that it was offline, that its own web side is
 * down, that a book was damaged. Each goes out once, with the next commit, to every channel that any monitor names.
 */
#include <stdlib.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "model/words.h"
#include "prober/pass/pass_private.h"

static void put_local(struct text *t, const struct site *site, int64_t at_us)
{
	const struct zone *zone = calendar_zone(site->timezone ? site->timezone : "UTC");

	calendar_put_local(t, zone ? zone : calendar_zone("UTC"), at_us / US_PER_S);
}

/* "Upbeat was offline from 02:10 to 02:14 (4 min)" */
static void put_span(struct text *t, const struct site *site, enum word id, int64_t from_us, int64_t to_us)
{
	struct text from = TEXT_INIT, to = TEXT_INIT, length = TEXT_INIT;

	put_local(&from, site, from_us);
	put_local(&to, site, to_us);
	words_length(&length, site->language, to_us - from_us);
	words_put(t, text_raw, site->language, id,
		(const char *const[]){text_str(&from), text_str(&to), text_str(&length)}, 3);
	text_free(&from);
	text_free(&to);
	text_free(&length);
}

static bool write_blind(
	const struct announcement *a, const struct site *site, struct text *title, struct text *body)
{
	put_span(title, site, WORD_MSG_BLIND_OVER, a->from_us, a->at_us);
	text_raw(body, word(site->language, WORD_MSG_BLIND_OVER_BODY));
	return true;
}

static bool write_web_down(
	const struct announcement *a, const struct site *site, struct text *title, struct text *body)
{
	text_raw(title, word(site->language, WORD_MSG_WEB_DOWN));
	words_put(body, text_raw, site->language, WORD_MSG_WEB_DOWN_BODY,
		(const char *const[]){site->url ? site->url : "", a->detail ? a->detail : ""}, 2);
	return true;
}

static bool write_web_up(
	const struct announcement *a, const struct site *site, struct text *title, struct text *body)
{
	struct text length = TEXT_INIT;

	(void)body;
	words_length(&length, site->language, a->at_us - a->from_us);
	words_put(title, text_raw, site->language, WORD_MSG_WEB_UP, (const char *const[]){text_str(&length)},
		1);
	text_free(&length);
	return true;
}

static bool write_damaged(
	const struct announcement *a, const struct site *site, struct text *title, struct text *body)
{
	struct text copy = TEXT_INIT;

	words_put(title, text_raw, site->language, WORD_MSG_DAMAGED, (const char *const[]){a->detail}, 1);
	if (a->from_us)
		put_local(&copy, site, a->from_us);
	if (a->from_us)
		words_put(body, text_raw, site->language, WORD_MSG_DAMAGED_COPY,
			(const char *const[]){text_str(&copy)}, 1);
	else
		text_raw(body, word(site->language, WORD_MSG_DAMAGED_NEW));
	text_free(&copy);
	return true;
}

static const struct kind {
	const char *key;
	bool by_detail; /* the same thing is told once by its detail, others by when it began */
	bool (*write)(
		const struct announcement *a, const struct site *site, struct text *title, struct text *body);
} kinds[ANNOUNCE__COUNT] = {
	[ANNOUNCE_BLIND_OVER] = {"blind", false, write_blind},
	[ANNOUNCE_WEB_DOWN] = {"web-down", false, write_web_down},
	[ANNOUNCE_WEB_UP] = {"web-up", false, write_web_up},
	[ANNOUNCE_DAMAGED] = {"damaged", true, write_damaged},
};

void announce(struct pass *pass, enum announce_kind kind, int64_t from_us, const char *detail)
{
	struct announcement *a = MEM_NEW(struct announcement), **end = &pass->announcements;

	while (*end)
		end = &(*end)->next;
	a->kind = kind;
	a->from_us = from_us;
	a->at_us = pass_now(pass);
	a->detail = mem_str(detail);
	*end = a;
	keep_info(pass);
}

bool announce_write(struct state_txn *txn, const struct announcement *a, struct error *err)
{
	struct text title = TEXT_INIT, body = TEXT_INIT, key = TEXT_INIT;
	struct site site = {0};
	bool ok = state_site(txn, &site, err);

	if (ok) {
		kinds[a->kind].write(a, &site, &title, &body);
		if (kinds[a->kind].by_detail)
			text_printf(&key, "%s:%s", kinds[a->kind].key, a->detail);
		else
			text_printf(&key, "%s:%lld", kinds[a->kind].key, (long long)a->from_us);
		ok = outbox_tell_all(txn, EVENT_DIGEST, text_str(&key), text_str(&title), text_str(&body),
			NULL, 0, a->at_us, err);
	}
	site_clear(&site);
	text_free(&title);
	text_free(&body);
	text_free(&key);
	return ok;
}

void announcements_free(struct pass *pass)
{
	while (pass->announcements) {
		struct announcement *a = pass->announcements;

		pass->announcements = a->next;
		free(a->detail);
		free(a);
	}
}
