/* SPDX-License-Identifier: ISC */
/*
 * page: the frame of every HTML page. Templates are compiled once for each process and kept.
 */
#include "web/page.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "web/asset.h"
#include "web/csrf.h"
#include "web/kept.h"
#include "web/language.h"

#define TEMPLATES_MAX 64 /* all assets are counted */
#define ETAG_EVERY_US (10 * US_PER_S) /* ages on a page ("12 s ago") may be this old */

/* ---- templates */

static const struct template *find_template(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct template *compiled[TEMPLATES_MAX];
	const struct asset *asset = asset_find(name);
	size_t at = asset ? (size_t)(asset - assets) : TEMPLATES_MAX;
	struct error err = {0};

	if (at >= TEMPLATES_MAX)
		return NULL;
	pthread_mutex_lock(&lock);
	if (!compiled[at])
		compiled[at] = template_compile(asset->bytes, asset->len, &err);
	pthread_mutex_unlock(&lock);
	if (!compiled[at])
		log_error("template %s: %s", name, err.text);
	return compiled[at];
}

static void render(struct reply *reply, const char *name, enum language language, const struct data *data)
{
	const struct template *tpl = find_template(name);
	const char *missing;

	reply->type = TYPE_HTML;
	if (!tpl) {
		reply_text(reply, 500, "This page has no template.");
		return;
	}
	missing = template_render(tpl, find_template, language, data, &reply->body);
	if (missing)
		log_limited("template", "template %s: there is no field \"%s\"", name, missing);
}

/* ---- the frame */

static void put_asset_url(struct data *d, const char *field, const char *base, const char *name)
{
	const struct asset *asset = asset_find(name);

	data_printf(d, field, "%s/static/%s/%s", base, asset ? asset->hash : "0", name);
}

/* The other language and where to switch to it: the same page with ?lang=. */
static void put_switch(struct data *d, enum language language, const char *path)
{
	enum language other = language == LANGUAGE_EN ? LANGUAGE_ZH_TW : LANGUAGE_EN;

	data_text(d, "lang", language_tag(language));
	data_text(d, "other_lang", language_tag(other));
	data_text(d, "other_name", word(other, WORD_LANGUAGE_NAME));
	data_text(d, "path", path);
}

/* The tab's icon shows the state, by shape as well. */
static void put_icon(struct data *d, const struct request *req, enum monitor_state state)
{
	struct text name = TEXT_INIT;

	text_printf(&name, "favicon-%s.svg", monitor_state_name(state));
	put_asset_url(d, "favicon_url", req->mount, text_str(&name));
	data_text(d, "favicon", monitor_state_name(state));
	text_free(&name);
}

static void put_frame(struct data *d, const struct request *req, enum language language, const char *title)
{
	char *base = page_base(req);

	data_text(d, "base", base);
	data_text(d, "mount", req->mount);
	data_text(d, "site_title", title);
	data_text(d, "title", title);
	data_flag(d, "staff", req->staff);
	data_text(d, "person", req->person);
	put_switch(d, language, req->path);
	put_asset_url(d, "style_url", req->mount, "style.css");
	put_asset_url(d, "script_url", req->mount, "page.js");
	free(base);
}

char *page_base(const struct request *req)
{
	struct text t = TEXT_INIT;

	text_raw(&t, req->mount);
	text_raw(&t, req->staff ? "/staff" : "");
	return t.ptr ? text_take(&t) : mem_str("");
}

/* A page that needs no state: errors, and the first minute. */
void page_plain(const struct request *req, struct reply *reply, int status, enum word title, enum word help)
{
	enum language language = page_language(req, LANGUAGE_EN);
	struct data *d = data_new();

	put_frame(d, req, language, "Upbeat");
	put_switch(d, language, "/"); /* what is not there is answered alike, whatever was asked for */
	data_text(d, "heading", word(language, title));
	data_text(d, "help", word(language, help));
	data_flag(d, "setup", title == WORD_SETUP_TITLE);
	data_flag(d, "error", title != WORD_SETUP_TITLE);
	put_icon(d, req, STATE_UNKNOWN);
	reply->status = status;
	reply->cache_s = -1;
	render(reply, "message.html", language, d);
	data_free(d);
}

void page_not_found(struct request *req, struct reply *reply)
{
	if (request_wants_html(req))
		page_plain(req, reply, 404, WORD_NOT_FOUND, WORD_NOT_FOUND_HELP);
	else
		reply_error_json(reply, 404, "not found");
}

void page_unavailable(struct request *req, struct reply *reply, const struct error *err)
{
	bool none_yet = err->kind == ERROR_MISSING;

	if (!none_yet)
		log_limited("page: state", "page: %s", err->text);
	reply_header(reply, "Retry-After", "60");
	page_plain(req, reply, 503, none_yet ? WORD_SETUP_TITLE : WORD_UNAVAILABLE,
		none_yet ? WORD_SETUP_HELP : WORD_UNAVAILABLE_HELP);
}

static void finish(struct page *page)
{
	data_free(page->data);
	view_close(&page->view);
	free(page->base);
}

/* What a page is made of, in few bytes: while none of it changes the page stays what it is. */
static void put_seed(const struct page *page, struct text *seed)
{
	const struct view *v = &page->view;
	char form[33];

	text_printf(seed, "%" PRIu64 " %s %" PRId64 " %" PRId64 " %d %d %d%d%d ", v->site->generation,
		v->catalog->fingerprint, v->watched_us, v->now_us / ETAG_EVERY_US, v->watching,
		(int)page->language, v->asker.sees_all, v->asker.operates, v->asker.sees_public);
	text_raw(seed, v->asker.name ? v->asker.name : "");
	text_printf(seed, " %s%s?%s ", page->base, page->req->path, page->req->query);
	for (size_t i = 0; i < v->problem_count; i++)
		text_raw(seed, v->problems[i].text);
	for (size_t i = 0; i < asset_count; i++)
		text_raw(seed, assets[i].hash);
	text_raw(seed, csrf_cookie(page->req, form)); /* forms are bound to it */
	if (v->pending.count)
		text_printf(seed, " %" PRId64, v->pending.requests[v->pending.count - 1].at_us);
}

bool page_end_unchanged(struct page *page)
{
	struct text seed = TEXT_INIT;
	bool same;

	put_seed(page, &seed);
	same = reply_etag(page->reply, page->req, seed.ptr, seed.len);
	sign_sha256(seed.ptr, seed.len, page->key);
	text_free(&seed);
	if (same)
		finish(page);
	return same;
}

bool page_end_kept(struct page *page)
{
	page->keep = !kept_get(page->key, &page->reply->body);
	if (page->keep)
		return false;
	page->reply->type = TYPE_HTML;
	finish(page);
	return true;
}

bool page_begin(struct page *page, struct web *web, struct request *req, struct reply *reply)
{
	struct error err = {0};

	memset(page, 0, sizeof(*page));
	page->req = req;
	page->reply = reply;
	if (!view_open(&page->view, web, req, &err)) {
		page_unavailable(req, reply, &err);
		return false;
	}
	page->language = page_language(req, page->view.site->language);
	page->zone_name = page->view.site->timezone ? page->view.site->timezone : "UTC";
	page->zone = calendar_zone(page->zone_name);
	if (!page->zone)
		page->zone = calendar_zone(page->zone_name = "UTC");
	page->base = page_base(req);
	page_remember_language(req, reply);
	reply_header(reply, "Vary", "Accept-Language, Cookie");
	page->data = data_new();
	put_frame(
		page->data, req, page->language, page->view.site->title ? page->view.site->title : "Upbeat");
	data_text(page->data, "zone", page->zone_name);
	data_text(page->data, "logo", page->view.site->logo);
	put_icon(page->data, req, view_overall(&page->view));
	return true;
}

void page_end(struct page *page, const char *template)
{
	render(page->reply, template, page->language, page->data);
	if (page->keep)
		kept_put(page->key, &page->reply->body);
	finish(page);
}

void page_end_error(struct page *page, int status, enum word title, enum word help)
{
	struct data *d = page->data;

	data_text(d, "heading", word(page->language, title));
	data_text(d, "help", word(page->language, help));
	data_flag(d, "setup", false);
	data_flag(d, "error", true);
	data_flag(d, "refresh", false);
	page->reply->status = status;
	render(page->reply, "message.html", page->language, d);
	finish(page);
}

void page_end_missing(struct page *page)
{
	text_clear(&page->reply->headers);
	page_not_found(page->req, page->reply);
	finish(page);
}

void page_end_unavailable(struct page *page, const struct error *err)
{
	log_limited("page: store", "page: %s", err->text);
	reply_header(page->reply, "Retry-After", "60");
	page_end_error(page, 503, WORD_UNAVAILABLE, WORD_UNAVAILABLE_HELP);
}

/* ---- fields */

void page_word(struct page *page, struct data *d, const char *name, enum word id, const char *arg)
{
	struct text t = TEXT_INIT;

	words_put(&t, text_raw, page->language, id, &arg, arg ? 1 : 0);
	data_text(d, name, text_str(&t));
	text_free(&t);
}

void page_word_count(struct page *page, struct data *d, const char *name, enum word id, size_t count)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", count);
	page_word(page, d, name, id, number);
}

void page_put_time(const struct page *page, struct text *t, int64_t us)
{
	struct civil then, now;

	calendar_civil(page->zone, us / US_PER_S, &then);
	calendar_civil(page->zone, page->view.now_us / US_PER_S, &now);
	if (then.year != now.year || then.month != now.month || then.day != now.day)
		text_printf(t, "%04d-%02d-%02d ", then.year, then.month, then.day);
	text_printf(t, "%02d:%02d", then.hour, then.minute);
}

void page_time(struct page *page, struct data *d, const char *iso, const char *text, int64_t us)
{
	struct text t = TEXT_INIT;

	calendar_put_iso(&t, us / US_PER_S);
	data_text(d, iso, text_str(&t));
	text_clear(&t);
	page_put_time(page, &t, us);
	data_text(d, text, text_str(&t));
	text_free(&t);
}

void page_length(struct page *page, struct data *d, const char *name, int64_t us)
{
	struct text t = TEXT_INIT;

	words_length(&t, page->language, us);
	data_text(d, name, text_str(&t));
	text_free(&t);
}
