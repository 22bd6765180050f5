/* SPDX-License-Identifier: ISC */
/*
 * page_beat: what a heartbeat's page shows of its beats, and how to send one.
 */
#ifndef WEB_PAGE_BEAT_H
#define WEB_PAGE_BEAT_H

#include "web/page.h"

/* Last beat, deadline, run, message, refused beats; for people the lines that send one. */
void page_put_beats(struct page *page, struct web *web, const struct monitor *monitor);

#endif
