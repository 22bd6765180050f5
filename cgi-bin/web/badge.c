/* SPDX-License-Identifier: ISC */
/* badge: a label, a message, a colour; then SVG or JSON. */
#include "web/badge.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/history.h"
#include "web/language.h"

#define LABEL_MAX 80
#define KEEP_S 60 /* as often as a state may change */

struct badge {
	struct text label, message;
	const char *color; /* "#rrggbb": dark enough for white letters */
};

static const struct {
	const char *color, *sign;
} looks[STATE__COUNT] = {
	[STATE_PENDING] = {"#55635c", "…"},
	[STATE_UP] = {"#08775b", "✓"},
	[STATE_SUSPECT] = {"#8a5a00", "!"},
	[STATE_DOWN] = {"#bf3706", "✕"},
	[STATE_UNKNOWN] = {"#5d4bb0", "?"},
	[STATE_PAUSED] = {"#55635c", "‖"},
};

/* ---- what it says */

static void say_state(struct badge *badge, const struct view_monitor *m, enum language language)
{
	text_printf(&badge->message, "%s %s", looks[m->state].sign, word(language, word_of_state(m->state)));
	badge->color = looks[m->state].color;
}

static void say_response(struct badge *badge, const struct view_monitor *m, enum language language)
{
	if (m->response_us > 0 && m->state != STATE_UNKNOWN)
		words_response(&badge->message, language, m->response_us);
	else
		text_raw(&badge->message, word(language, WORD_NO_DATA));
	badge->color = looks[m->state].color;
}

/* ?span= in days; 30 when it is none of ours. */
static int64_t asked_days(const struct request *req)
{
	static const struct {
		const char *name;
		int days;
	} spans[] = {{"24h", 1}, {"7d", 7}, {"30d", 30}, {"90d", 90}, {"1y", 365}};
	char *asked = request_query(req, "span");
	int64_t days = 30;

	for (size_t i = 0; asked && i < COUNT_OF(spans); i++)
		if (strcmp(asked, spans[i].name) == 0)
			days = spans[i].days;
	free(asked);
	return days;
}

static void say_uptime(struct badge *badge, const struct view *view, const struct view_monitor *m,
	const struct request *req, enum language language)
{
	int64_t now_s = view->now_us / US_PER_S;
	struct rollup sum;
	double uptime = -1;

	if (history_sum(view->txn, m->listed->id, now_s - asked_days(req) * HISTORY_DAY_S, now_s,
		    history_hold_s(m->listed->interval_ms, view->pass.cadence_us), true, &sum, NULL))
		uptime = series_uptime(&sum);
	if (uptime < 0)
		text_raw(&badge->message, word(language, WORD_NO_DATA));
	else /* cut, not rounded */
		text_printf(&badge->message, "%.2f %%", (double)(int64_t)(uptime * 10000) / 100);
	badge->color = uptime < 0 ? looks[STATE_UNKNOWN].color :
		uptime >= .99     ? looks[STATE_UP].color :
		uptime >= .95     ? looks[STATE_SUSPECT].color :
				    looks[STATE_DOWN].color;
}

static void fill(
	struct badge *badge, const struct view *view, const struct view_monitor *m, const struct request *req)
{
	enum language language = page_language(req, view->site->language);
	char *show = request_query(req, "show"), *label = request_query(req, "label");

	text_cut(&badge->label, label && *label ? label : m->listed->name, LABEL_MAX);
	if (show && strcmp(show, "uptime") == 0)
		say_uptime(badge, view, m, req, language);
	else if (show && strcmp(show, "response") == 0)
		say_response(badge, m, language);
	else
		say_state(badge, m, language);
	free(show);
	free(label);
}

/* ---- how it looks */

/* About how wide a text is at 11 px: narrow letters, wide letters, and signs of East Asia. The SVG stretches
   the text to this length, so a font that differs does no harm. */
static unsigned width_of(const char *s)
{
	unsigned tenths = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0xe3)
			tenths += 110;
		else if (c >= 0xc0)
			tenths += 80;
		else if (c >= 0x80)
			continue;
		else if (strchr("ijl.,:;|!'", c))
			tenths += 35;
		else if (strchr("mwMW%@", c))
			tenths += 100;
		else
			tenths += 66;
	}
	return tenths / 10 + 1;
}

static void put_words(struct text *t, const struct text *words, unsigned x, unsigned width)
{
	text_printf(t, "<text x=\"%u\" y=\"14\" textLength=\"%u\">", x + 6, width);
	text_xml(t, text_str(words));
	text_raw(t, "</text>");
}

static void put_svg(struct text *t, const struct badge *badge)
{
	unsigned left = width_of(text_str(&badge->label)) + 12,
		 right = width_of(text_str(&badge->message)) + 12;

	text_printf(t,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"20\" role=\"img\" "
		"aria-label=\"",
		left + right);
	text_xml(t, text_str(&badge->label));
	text_raw(t, ": ");
	text_xml(t, text_str(&badge->message));
	text_raw(t, "\"><title>");
	text_xml(t, text_str(&badge->label));
	text_raw(t, ": ");
	text_xml(t, text_str(&badge->message));
	text_printf(t,
		"</title><clipPath id=\"r\"><rect width=\"%u\" height=\"20\" rx=\"4\"/></clipPath>"
		"<g clip-path=\"url(#r)\"><path fill=\"#3c4742\" d=\"M0 0h%uv20H0z\"/><path fill=\"%s\" "
		"d=\"M%u 0h%uv20H%uz\"/></g>"
		"<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">",
		left + right, left, badge->color, left, right, left);
	put_words(t, &badge->label, 0, left - 12);
	put_words(t, &badge->message, left, right - 12);
	text_raw(t, "</g></svg>\n");
}

static void put_json(struct text *t, const struct badge *badge)
{
	text_raw(t, "{\"schemaVersion\":1,\"label\":");
	text_json_string(t, text_str(&badge->label));
	text_raw(t, ",\"message\":");
	text_json_string(t, text_str(&badge->message));
	text_printf(t, ",\"color\":\"%s\",\"cacheSeconds\":%d}\n", badge->color, KEEP_S);
}

/* ---- requests */

/* "shop.svg" -> "shop"; false when it ends otherwise. */
static bool cut_ending(const char *name, const char *ending, char slug[SLUG_MAX + 1])
{
	size_t n = strlen(name), k = strlen(ending);

	if (n <= k || n - k > SLUG_MAX || strcmp(name + n - k, ending) != 0)
		return false;
	memcpy(slug, name, n - k);
	slug[n - k] = '\0';
	return true;
}

/* What does not exist is drawn too, since an <img> shows nothing of an error. */
static void fill_missing(struct badge *badge)
{
	text_raw(&badge->label, "upbeat");
	text_raw(&badge->message, "? not found");
	badge->color = looks[STATE_PENDING].color;
}

void badge_any(struct web *web, struct request *req, const struct route_match *match, struct reply *reply)
{
	struct badge badge = {TEXT_INIT, TEXT_INIT, ""};
	const struct view_monitor *m = NULL;
	char slug[SLUG_MAX + 1] = "";
	bool json = cut_ending(match->name, ".json", slug);
	bool known = json || cut_ending(match->name, ".svg", slug);
	struct view view;

	if (!api_view(&view, web, req, reply))
		return;
	if (known)
		m = view_find(&view, slug);
	if (m)
		fill(&badge, &view, m, req);
	else
		fill_missing(&badge);
	reply->is_public = view.asker.kind == ASKER_VISITOR;
	view_close(&view);
	if (json)
		put_json(&reply->body, &badge);
	else
		put_svg(&reply->body, &badge);
	reply->status = m ? 200 : 404;
	reply->type = json ? TYPE_JSON : TYPE_SVG;
	reply->cache_s = KEEP_S;
	reply_etag(reply, req, NULL, 0);
	text_free(&badge.label);
	text_free(&badge.message);
}
