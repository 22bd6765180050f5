/* SPDX-License-Identifier: ISC */
/* page_beat: the last values of a heartbeat, read from the inbox. */
#include "web/page_beat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/beat.h"
#include "store/inbox.h"
#include "web/feed.h"

#define REFUSED_SHOWN 5

/* ---- the newest of each kind */

static void put_line(struct page *page, enum word label, const struct moment *at, const char *more)
{
	struct data *item;

	if (!at->wall_us)
		return;
	item = data_item(page->data, "beats");
	data_text(item, "label", word(page->language, label));
	page_time(page, item, "iso", "time", at->wall_us);
	page_length(page, item, "ago", page->view.now_us - at->wall_us);
	data_text(item, "more", more);
}

static void put_run(struct page *page, const struct beat_last *last)
{
	struct text t = TEXT_INIT;
	struct data *d = page->data;

	data_text(d, "run", NULL);
	if (last->started.wall_us) {
		words_length(&t, page->language, page->view.now_us - last->started.wall_us);
		page_word(page, d, "run", WORD_BEAT_RUNNING, text_str(&t));
	} else if (last->run_us >= 0) {
		words_length(&t, page->language, last->run_us);
		page_word(page, d, "run", WORD_BEAT_RAN, text_str(&t));
	}
	text_free(&t);
}

static void put_last(struct page *page, const struct monitor *monitor, const struct beat_last *last)
{
	struct beat_age age =
		beat_age(monitor->heartbeat, last, &page->req->now, page->view.pass.grace_from_us);
	struct text t = TEXT_INIT;
	char status[8] = "";

	if (last->exit_status > 0)
		text_printf(&t, "%d", last->exit_status);
	memcpy(status, text_str(&t), t.len < sizeof(status) ? t.len : 0);
	text_clear(&t);
	put_line(page, WORD_BEAT_SUCCESS, &last->success, NULL);
	if (status[0]) {
		const char *arg = status;
		words_put(&t, text_raw, page->language, WORD_BEAT_EXIT, &arg, 1);
	}
	put_line(page, WORD_BEAT_FAIL, &last->failed, t.len ? text_str(&t) : NULL);
	put_line(page, WORD_BEAT_START, &last->started, NULL);
	put_run(page, last);
	data_text(page->data, "beat_msg", page->view.asker.sees_all ? last->msg : NULL);
	if (age.deadline_us) {
		text_clear(&t);
		page_put_time(page, &t, age.deadline_us);
		page_word(page, page->data, "deadline", WORD_BEAT_DEADLINE, text_str(&t));
	}
	text_free(&t);
}

/* ---- refused ones: a clock stepped back must be diagnosable */

struct refused {
	struct page *page;
	const char *slug;
	char *newest[REFUSED_SHOWN];
	int64_t at_us[REFUSED_SHOWN];
};

static bool take_refused(void *arg, const struct inbox_entry *entry)
{
	struct refused *r = arg;

	if (strcmp(entry->sender, r->slug) != 0)
		return true;
	free(r->newest[REFUSED_SHOWN - 1]);
	memmove(r->newest + 1, r->newest, (REFUSED_SHOWN - 1) * sizeof(r->newest[0]));
	memmove(r->at_us + 1, r->at_us, (REFUSED_SHOWN - 1) * sizeof(r->at_us[0]));
	r->newest[0] = mem_strn(entry->payload, entry->payload_len);
	r->at_us[0] = entry->at_us;
	return true;
}

/* The "error" of a kept refusal; the caller frees. */
static char *refusal_text(const char *payload)
{
	struct json_scan scan;
	struct text value = TEXT_INIT;

	json_scan_init(&scan, payload, strlen(payload), 0, 4);
	if (json_scan_next(&scan) == JSON_OBJECT) {
		while (json_scan_next(&scan) == JSON_KEY) {
			bool wanted = json_scan_is(&scan, "error");

			if (json_scan_next(&scan) == JSON_STRING && wanted)
				json_scan_string(&scan, &value);
		}
	}
	json_scan_free(&scan);
	return value.ptr ? text_take(&value) : mem_str("");
}

static void put_refused(struct page *page, struct inbox *inbox, const char *slug)
{
	struct refused r = {.page = page, .slug = slug};
	struct error err = {0};

	if (!inbox_queue_scan(inbox, INBOX_REFUSED_BEAT, 0, take_refused, &r, &err))
		log_limited("page: refused beats", "refused beats: %s", err.text);
	for (size_t i = 0; i < REFUSED_SHOWN && r.newest[i]; i++) {
		struct data *item = data_item(page->data, "refused");
		char *text = refusal_text(r.newest[i]);

		page_time(page, item, "iso", "time", r.at_us[i]);
		data_text(item, "text", text);
		free(text);
		free(r.newest[i]);
	}
}

/* ---- how to send one */

static void put_how(struct page *page, const struct monitor *monitor)
{
	char *ours = feed_address(&page->view, page->req);

	data_text(page->data, "ours", ours);
	data_flag(page->data, "signed", monitor->heartbeat->secret_count > 0);
	data_text(page->data, "token",
		page->view.asker.kind == ASKER_PERSON && page->view.asker.operates ?
			monitor->heartbeat->token :
			NULL);
	data_flag(page->data, "how", page->view.asker.kind == ASKER_PERSON);
	free(ours);
}

void page_put_beats(struct page *page, struct web *web, const struct monitor *monitor)
{
	struct error err = {0};
	struct inbox *inbox = web_inbox(web, &err);
	struct beat_last last = {0};
	bool found = false;

	if (inbox && !inbox_beat_read(inbox, monitor->slug, &last, &found, &err))
		log_limited("page: beats", "beats: %s", err.text);
	data_flag(page->data, "never_beat", !found);
	data_text(page->data, "deadline", NULL);
	if (found)
		put_last(page, monitor, &last);
	if (inbox && page->view.asker.sees_all)
		put_refused(page, inbox, monitor->slug);
	put_how(page, monitor);
	beat_last_clear(&last);
}
