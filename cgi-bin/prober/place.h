/* SPDX-License-Identifier: ISC */
/*
 * place: where this program lies, and what came with it. A portable folder (make portable) may be unpacked
 * anywhere: bin/ with this program, web/ with the web program, lib/ with what both need. Its configuration
 * and its books are kept in it. An installed program (make install) has none of that around it.
 */
#ifndef PROBER_PLACE_H
#define PROBER_PLACE_H

/* Our own absolute path, as cron and people can call it; "upbeat-prober" when it cannot be known. The caller
   frees. */
char *place_program(void);
/* What lies at this path relative to the program's folder ("../web"), as an absolute path without "..";
   NULL when there is nothing. The caller frees. */
char *place_beside(const char *relative);
/* The portable folder that this program lies in; NULL when it is an installed one. The caller frees. */
char *place_portable(void);

#endif
