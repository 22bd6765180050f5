/* SPDX-License-Identifier: ISC */
/* version: of both programs; CHANGES.md says what each brought. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define UPBEAT_VERSION "0.1"

#endif
