/* SPDX-License-Identifier: ISC */
/* lean: start-up without what a plain CGI request does not need. See lean.c. */
#ifndef WEB_LEAN_H
#define WEB_LEAN_H

/* For a process that will hash a lot: lets libcrypto find out what the processor can. Before threads. */
void lean_use_processor(void);
/* For a process that has nothing to do: gives back freed memory, and the pages of our own file, which the
   kernel maps again when they are asked for. */
void lean_give_back(void);

#endif
