/* SPDX-License-Identifier: ISC */
/* feed: one entry for each incident; its id is its address, and it is updated by its end and its notes. */
#include "web/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/incident_list.h"
#include "web/language.h"

#define ENTRIES 50

char *feed_address(const struct view *view, const struct request *req)
{
	const char *host = request_header(req, "Host"), *https = request_env(req, "HTTPS");
	struct text url = TEXT_INIT;

	if (view->site->url && *view->site->url) {
		text_raw(&url, view->site->url);
	} else {
		text_printf(&url, "%s://", https && *https && strcmp(https, "off") != 0 ? "https" : "http");
		text_raw(&url, host && *host ? host : "localhost");
		text_raw(&url, req->mount);
	}
	while (url.len && url.ptr[url.len - 1] == '/')
		url.ptr[--url.len] = '\0';
	return text_take(&url);
}

struct feed {
	struct text *t;
	const struct view *view;
	enum language language;
	char *address;
};

static void put_sentence(struct feed *f, enum word id, const char *a, const char *b)
{
	const char *args[] = {a, b};

	words_put(f->t, text_xml, f->language, id, args, COUNT_OF(args));
}

static int64_t updated_us(const struct view *view, const struct incident *incident)
{
	int64_t us = incident->ended_us ? incident->ended_us : incident->decided_us;

	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *e = &incident->entries[i];

		if (e->kind == ENTRY_NOTE && incident_entry_shown(view, e) && e->at_us > us)
			us = e->at_us;
	}
	return us;
}

static void put_when(struct feed *f, const char *element, int64_t us)
{
	text_printf(f->t, "<%s>", element);
	calendar_put_iso(f->t, us / US_PER_S);
	text_printf(f->t, "</%s>", element);
}

static void put_content(struct feed *f, const struct incident *incident)
{
	text_raw(f->t, "<content type=\"text\">");
	if (f->view->asker.sees_all && incident->cause)
		text_xml(f->t, incident->cause);
	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *e = &incident->entries[i];

		if (e->kind != ENTRY_NOTE || !incident_entry_shown(f->view, e) || !e->text)
			continue;
		text_raw(f->t, "\n");
		text_xml(f->t, e->text);
	}
	text_raw(f->t, "</content>");
}

static void put_entry(struct feed *f, const struct view_monitor *m, const struct incident *incident)
{
	struct text length = TEXT_INIT;

	text_raw(f->t, "<entry><id>");
	text_xml(f->t, f->address);
	text_printf(f->t, "/i/%u</id><link href=\"", incident->id);
	text_xml(f->t, f->address);
	text_printf(f->t, "/i/%u\"/><title>", incident->id);
	words_length(&length, f->language, incident->ended_us - incident->started_us);
	if (incident->ended_us)
		put_sentence(f, WORD_FEED_ENDED, m->listed->name, text_str(&length));
	else if (incident->state == STATE_UNKNOWN)
		put_sentence(f, WORD_INCIDENT_TITLE_UNKNOWN, m->listed->name, "");
	else
		put_sentence(f, WORD_FEED_BEGAN, m->listed->name, "");
	text_raw(f->t, "</title>");
	put_when(f, "published", incident->started_us);
	put_when(f, "updated", updated_us(f->view, incident));
	put_content(f, incident);
	text_raw(f->t, "</entry>\n");
	text_free(&length);
}

static void put_feed(struct feed *f, const struct incident_list *list)
{
	const char *title = f->view->site->title ? f->view->site->title : "Upbeat";
	int64_t newest_us = 0;

	for (size_t i = 0; i < list->count; i++) {
		int64_t us = updated_us(f->view, &list->incidents[i]);

		newest_us = us > newest_us ? us : newest_us;
	}
	text_printf(f->t,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" "
		"xml:lang=\"%s\">\n<id>",
		language_tag(f->language));
	text_xml(f->t, f->address);
	text_raw(f->t, "/</id><title>");
	put_sentence(f, WORD_FEED_TITLE, title, "");
	text_raw(f->t, "</title><author><name>");
	text_xml(f->t, title);
	text_raw(f->t, "</name></author><link rel=\"self\" type=\"application/atom+xml\" href=\"");
	text_xml(f->t, f->address);
	text_raw(f->t, "/feed.atom\"/><link href=\"");
	text_xml(f->t, f->address);
	text_raw(f->t, "/\"/>");
	put_when(f, "updated", newest_us ? newest_us : f->view->watched_us);
	text_raw(f->t, "\n");
	for (size_t i = 0; i < list->count; i++)
		put_entry(f, list->monitors[i], &list->incidents[i]);
	text_raw(f->t, "</feed>\n");
}

void feed_atom(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct incident_query query = {.most = ENTRIES, .entries = true};
	struct incident_list list;
	struct error err = {0};
	struct view view;
	struct feed feed = {.t = &reply->body, .view = &view};

	(void)match;
	if (!api_view(&view, web, req, reply))
		return;
	feed.language = page_language(req, view.site->language);
	feed.address = feed_address(&view, req);
	if (incident_list_read(&list, &view, &query, &err)) {
		put_feed(&feed, &list);
		incident_list_clear(&list);
		reply->type = TYPE_ATOM;
		reply->cache_s = 0;
		reply_etag(reply, req, NULL, 0);
	} else {
		reply_unavailable(reply, 60, "the store cannot be read now");
	}
	free(feed.address);
	view_close(&view);
}
