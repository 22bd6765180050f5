/* SPDX-License-Identifier: ISC */
/*
 * books: which store this request is about, and its two books, opened on first use and kept.
 *
 * The store's directory comes from a FastCGI parameter, the process environment, or a file beside the
 * binary, so one process can serve several stores (two sites of one web server): there is one struct web
 * for each, kept for the life of the process.
 *
 * A book may appear or become writable while we run: web_enter() and web_leave() stand around everything
 * that uses one, so that it is only let go when nobody holds it. No second handle to one book may exist in
 * one process.
 */
#ifndef WEB_BOOKS_H
#define WEB_BOOKS_H

#include <stdbool.h>

#include "web/routes.h"

/* Where our binary is: names it goes by, and the line of `upbeat.store` beside it. Once, at start. */
void web_start(const char *argv0, bool one_request);
const char *const *web_programs(void);
/* true when another file stands where our binary was: time to make room for it. Looks some times a second. */
bool web_binary_replaced(void);

/* The store that this request names. Never NULL. */
struct web *web_for(char **env);
const char *web_directory(const struct web *web);
/* The configured address of this site: one of the things that say where we are mounted. NULL when there is
   none, or no state to ask. The caller frees. */
char *web_site_url(struct web *web);

void web_enter(struct web *web, char **env);
void web_leave(struct web *web);
/* Closes its books; the next use opens them again. Nothing may be in use, as before there are threads. */
void web_let_go(struct web *web);
/* Ends all; nothing may be in use any more. */
void web_close_all(void);

#endif
