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
#include "web/beat_log.h"
#include "web/feed.h"

#define REFUSED_SHOWN 5
#define LOG_SHOWN 20

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

/* ---- single beats that had something to say */

struct log_line {
	int64_t at_us, ran_us; /* ran_us -1: not known */
	struct beat_logged beat;
};
struct beat_log {
	const char *slug;
	struct log_line newest[LOG_SHOWN];
	size_t n;
	int64_t started_us; /* of the run that goes on at this point of the log; 0 none */
};

static void push_line(struct beat_log *log, const struct log_line *line)
{
	if (log->n == LOG_SHOWN)
		text_free(&log->newest[--log->n].beat.msg);
	memmove(log->newest + 1, log->newest, log->n * sizeof(log->newest[0]));
	log->newest[0] = *line;
	log->n++;
}

static bool take_logged(void *arg, const struct inbox_entry *entry)
{
	struct beat_log *log = arg;
	struct log_line line = {.at_us = entry->at_us, .ran_us = -1};

	if (strcmp(entry->sender, log->slug) != 0)
		return true;
	if (!beat_log_read(entry->payload, entry->payload_len, &line.beat)) {
		text_free(&line.beat.msg);
		return true;
	}
	line.ran_us = line.beat.length_us;
	if (line.beat.kind == BEAT_START) {
		log->started_us = entry->at_us;
	} else if (line.beat.kind != BEAT_LOG) {
		if (line.ran_us < 0 && log->started_us)
			line.ran_us = entry->at_us - log->started_us;
		log->started_us = 0;
	}
	push_line(log, &line);
	return true;
}

static void put_logged(struct page *page, const struct log_line *line)
{
	static const enum word words[BEAT__COUNT] = {[BEAT_SUCCESS] = WORD_BEAT_SUCCESS,
		[BEAT_START] = WORD_BEAT_START, [BEAT_FAIL] = WORD_BEAT_FAIL, [BEAT_LOG] = WORD_BEAT_LOG};
	struct data *item = data_item(page->data, "logged");
	struct text t = TEXT_INIT;

	page_time(page, item, "iso", "time", line->at_us);
	data_text(item, "kind", word(page->language, words[line->beat.kind]));
	text_printf(&t, "%d", line->beat.exit_status);
	data_text(item, "exit", NULL);
	if (line->beat.exit_status >= 0)
		page_word(page, item, "exit", WORD_BEAT_EXIT, text_str(&t));
	text_clear(&t);
	words_length(&t, page->language, line->ran_us);
	data_text(item, "ran", NULL);
	if (line->ran_us >= 0)
		page_word(page, item, "ran", WORD_BEAT_RAN, text_str(&t));
	data_text(item, "msg", text_str(&line->beat.msg));
	text_free(&t);
}

static void put_log(struct page *page, struct inbox *inbox, const char *slug)
{
	struct beat_log log = {.slug = slug};
	struct error err = {0};

	if (!inbox_queue_scan(inbox, INBOX_LOG_BEAT, 0, take_logged, &log, &err))
		log_limited("page: beat log", "beat log: %s", err.text);
	data_flag(page->data, "logged_any", log.n > 0);
	for (size_t i = 0; i < log.n; i++) {
		put_logged(page, &log.newest[i]);
		text_free(&log.newest[i].beat.msg);
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
	if (inbox && page->view.asker.sees_all) {
		put_log(page, inbox, monitor->slug);
		put_refused(page, inbox, monitor->slug);
	}
	put_how(page, monitor);
	beat_last_clear(&last);
}
