/* SPDX-License-Identifier: ISC */
/*
 * page: what every HTML page has in common: the view it shows, the reader's language, the site's time zone,
 * the frame around it, and the URLs in it.
 *
 *	struct page page;
 *	if (!page_begin(&page, web, req, reply))
 *		return;                            // the reply says why (503)
 *	... data_text(page.data, ...) ...
 *	page_end(&page, "monitor.html");           // renders into the reply, closes the view
 *
 * Every URL is written from page.base, so pages work below any path and links of /staff/ stay there.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "base/calendar.h"
#include "web/template.h"
#include "web/view.h"

struct page {
	struct request *req;
	struct reply *reply;
	struct view view;
	enum language language;
	const struct zone *zone; /* of the site: times are written in it, a script turns them to the visitor's */
	const char *zone_name;
	char *base;              /* mount, with "/staff" for people: "" or "/cgi-bin/upbeat.fcgi/staff" */
	struct data *data;
	uint8_t key[SHA256_BYTES]; /* of what the page is made of, after page_end_unchanged() */
	bool keep;                 /* page_end() keeps it under that key */
};

bool page_begin(struct page *page, struct web *web, struct request *req, struct reply *reply);
void page_end(struct page *page, const char *template);
/* Gives the page a validator, made of what it depends on; true when the reader has it already: the reply is
   304 and the page has ended. Ages on a page may be up to 10 s old. */
bool page_end_unchanged(struct page *page);
/* After that, for a page without forms: true when this process has just made the same one for somebody, who
   could have been this reader: it is the reply, and the page has ended. Else page_end() will keep it. */
bool page_end_kept(struct page *page);
/* Ends it with an error page instead. */
void page_end_error(struct page *page, int status, enum word title, enum word help);
/* Ends it with the one answer for what is not there or not to be known. */
void page_end_missing(struct page *page);
/* Ends it with 503: the store could not be read after all. */
void page_end_unavailable(struct page *page, const struct error *err);

/* A page that needs no state, as the whole reply: errors, and the first minute (WORD_SETUP_TITLE). */
void page_plain(const struct request *req, struct reply *reply, int status, enum word title, enum word help);
/* The one answer for what does not exist or may not be known to exist; in JSON for who wants no page. */
void page_not_found(struct request *req, struct reply *reply);
/* 503 as a page: there is no state yet (what to do about it), or it cannot be read. */
void page_unavailable(struct request *req, struct reply *reply, const struct error *err);
/* What links of this request begin with: the mount, with "/staff" for people. The caller frees. */
char *page_base(const struct request *req);

/* Sets a sentence with up to one argument as the field `name`. */
void page_word(struct page *page, struct data *d, const char *name, enum word id, const char *arg);
/* The same with a number. */
void page_word_count(struct page *page, struct data *d, const char *name, enum word id, size_t count);
/* Sets the two fields that a <time> shows, by their full names. Today's times are
   "10:10", others "2026-05-01 10:10". */
void page_time(struct page *page, struct data *d, const char *iso, const char *text, int64_t us);
/* The same text, appended. */
void page_put_time(const struct page *page, struct text *t, int64_t us);
/* A length of time for people, as the field `name`. */
void page_length(struct page *page, struct data *d, const char *name, int64_t us);

#endif
