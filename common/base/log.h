/* SPDX-License-Identifier: ISC */
/*
 * log: one escaped line per event, to a size-bounded file and, where somebody may be reading
 * it, to stderr. Two files at most exist: NAME and NAME.1, each up to the bound.
 *
 *	2026-05-01T02:10:04Z web[1234] warn: beat: bad signature for "hubot" (31 times in the last minute)
 *
 * A log that cannot be written (full disk) is dropped silently: it must never stop a beat.
 * Calls are safe from several threads and several processes (O_APPEND, one write per line).
 * Secrets are never passed to these functions.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Starts logging as `program` into path (NULL: no file), rotating at max_bytes; errors and
   warnings go to stderr too when to_stderr. The path is opened per line batch, not held. */
void log_open(const char *program, const char *path, size_t max_bytes, bool to_stderr);
void log_close(void);

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* At most one line a minute for each reason (a literal), with the count of those held back.
   For what an outsider can cause at will. */
void log_limited(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
