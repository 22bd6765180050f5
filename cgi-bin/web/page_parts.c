/* SPDX-License-Identifier: ISC */
/* page_parts: the fields of monitors and incidents. */
#include "web/page_parts.h"

#include <stdlib.h>

#include "web/chart.h"
#include "web/target.h"

#define CERTIFICATE_SOON_DAYS 30

void page_put_state(struct page *page, struct data *d, enum monitor_state state)
{
	data_text(d, "state", monitor_state_name(state));
	data_text(d, "state_word", word(page->language, word_of_state(state)));
}

void page_put_percent(struct data *d, const char *name, double uptime)
{
	if (uptime < 0)
		data_text(d, name, NULL);
	else if (uptime >= 1)
		data_text(d, name, "100 %");
	else
		data_printf(d, name, "%.2f %%", (double)(int64_t)(uptime * 10000) / 100);
}

/* ---- monitors */

static void put_marks(struct page *page, struct data *d, unsigned marks)
{
	for (unsigned bit = 1; bit && bit <= marks; bit <<= 1)
		if (marks & bit)
			data_text(data_item(d, "marks"), "mark", word(page->language, word_of_mark(bit)));
}

/* The days that are left; true when it is near enough to be said. */
static bool put_certificate(struct page *page, struct data *d, const struct view_monitor *m)
{
	int64_t days = (m->certificate_s - page->view.now_us / US_PER_S) / 86400;

	data_text(d, "certificate", NULL);
	if (!m->certificate_s || days > CERTIFICATE_SOON_DAYS)
		return false;
	if (days < 0)
		data_text(d, "certificate", word(page->language, WORD_CERTIFICATE_EXPIRED));
	else
		page_word_count(page, d, "certificate",
			words_count((uint64_t)days, WORD_CERTIFICATE_DAYS_ONE, WORD_CERTIFICATE_DAYS),
			(size_t)days);
	return true;
}

void page_put_monitor(struct page *page, struct data *d, const struct view_monitor *m, const char *cause)
{
	struct text t = TEXT_INIT;

	data_text(d, "slug", m->listed->slug);
	data_text(d, "name", m->listed->name);
	page_put_state(page, d, m->state);
	data_flag(d, "since", m->since_us > 0);
	page_time(page, d, "since_iso", "since_text", m->since_us);
	page_length(page, d, "since_length", page->view.now_us - m->since_us);
	data_text(d, "cause", cause);
	if (put_certificate(page, d, m))
		put_marks(page, d, m->marks & ~MARK_CERTIFICATE);
	else
		put_marks(page, d, m->marks);
	data_text(d, "response", NULL);
	if (m->response_us > 0 && m->state != STATE_PAUSED) {
		words_response(&t, page->language, m->response_us);
		data_text(d, "response", text_str(&t));
		text_clear(&t);
	}
	chart_recent(&t, m->recent, page->language);
	data_markup(d, "recent", &t);
	text_free(&t);
}

void page_put_target(struct page *page, struct data *d, const struct monitor *monitor)
{
	char *target = page->view.asker.sees_all ? target_of(monitor) : NULL;

	data_text(d, "target", target);
	free(target);
}

/* ---- incidents */

void page_put_incident(
	struct page *page, struct data *d, const struct incident *incident, const struct view_monitor *m)
{
	bool over = incident->ended_us != 0;
	enum word title = incident->state == STATE_UNKNOWN ? WORD_INCIDENT_TITLE_UNKNOWN :
		over                                       ? WORD_INCIDENT_TITLE :
							     WORD_INCIDENT_TITLE_OPEN;

	data_printf(d, "id", "%u", incident->id);
	data_text(d, "slug", m->listed->slug);
	data_text(d, "name", m->listed->name);
	page_put_state(page, d, incident->state);
	data_text(d, "look", over ? "up" : monitor_state_name(incident->state));
	page_word(page, d, "incident_title", title, m->listed->name);
	page_time(page, d, "started_iso", "started_text", incident->started_us);
	data_flag(d, "over", over);
	page_length(
		page, d, "length", (over ? incident->ended_us : page->view.now_us) - incident->started_us);
	data_text(d, "cause", page->view.asker.sees_all ? incident->cause : NULL);
	for (size_t i = 0; i < incident->entry_count; i++) {
		const struct incident_entry *e = &incident->entries[i];

		if (e->kind == ENTRY_NOTE && e->status == 1)
			data_text(data_item(d, "notes"), "note", e->text);
	}
}
