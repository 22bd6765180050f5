/* SPDX-License-Identifier: ISC */
/* init_web: puts the web program where a web server runs it, for those who may write there: a home
   directory on shared hosting. */
#ifndef PROBER_INIT_WEB_H
#define PROBER_INIT_WEB_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* Makes `folder` hold what `portable`/web holds, with the paths of this installation: upbeat.fcgi and
   upbeat.store are renewed, an .htaccess that is there already stays. What was done is told in `out`.
   ERROR_INPUT when books or secrets would be served from there, or a path cannot stand in an .htaccess. */
bool init_web(
	const char *portable, const char *folder, const char *store, struct text *out, struct error *err);

#endif
