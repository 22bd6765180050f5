/* SPDX-License-Identifier: ISC */
/*
 * log: one line per event. See log.h.
 *
 * Nothing here reports its own failures: there is nobody left to tell. The file is opened for each line, so
 * that a rotation by another process, or a deleted file, is noticed by the next one.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 4000, /* below PIPE_BUF: a line on stderr stays whole too */
	MAX_REASONS = 64,
	HOLD_S = 60,
};

static const char *const level_names[] = {
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

/* What log_open said. Before it, and after log_close, warnings go to stderr only. */
static struct {
	pthread_mutex_t lock;
	char *program, *path, *old_path;
	size_t max_bytes;
	bool to_stderr;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .to_stderr = true};

static void sink_forget(void)
{
	free(sink.program);
	free(sink.path);
	free(sink.old_path);
	sink.program = sink.path = sink.old_path = NULL;
	sink.to_stderr = true;
}

void log_open(const char *program, const char *path, size_t max_bytes, bool to_stderr)
{
	pthread_mutex_lock(&sink.lock);
	sink_forget();
	sink.program = mem_str(program);
	if (path) {
		struct text old = TEXT_INIT;

		text_raw(&old, path);
		text_raw(&old, ".1");
		sink.old_path = text_take(&old);
		sink.path = mem_str(path);
	}
	sink.max_bytes = max_bytes;
	sink.to_stderr = to_stderr;
	pthread_mutex_unlock(&sink.lock);
}

/* ---- writing a line ---------------------------------------------------------------------------------- */

static int open_file(void)
{
	return open(sink.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
}

/* Moves the full file behind fd away, unless another process has done so already: only the holder of its
   lock may, and only while the name still leads to it. */
static void rotate(int fd, const struct stat *full)
{
	struct stat now;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (stat(sink.path, &now) == 0 && now.st_dev == full->st_dev && now.st_ino == full->st_ino)
		(void)rename(sink.path, sink.old_path);
}

static void write_to_file(const struct text *line)
{
	int fd = open_file();
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(size_t)st.st_size + line->len > sink.max_bytes) {
		rotate(fd, &st);
		close(fd);
		fd = open_file();
		if (fd < 0)
			return;
	}
	if (write(fd, line->ptr, line->len) < 0) {
		close(fd); /* a full disk: the line is lost, the caller goes on */
		return;
	}
	close(fd);
}

/* Escapes the message, frames it, and hands it to whoever listens. The sink is locked by the caller. */
static void emit(enum log_level level, const char *message)
{
	struct text line = TEXT_INIT;

	calendar_put_iso(&line, clock_wall_us() / US_PER_S);
	text_printf(&line, " %s[%ld] %s: ", sink.program ? sink.program : "upbeat", (long)getpid(),
		level_names[level]);
	text_log(&line, message);
	if (line.len > LINE_MAX_BYTES) {
		line.len = LINE_MAX_BYTES;
		text_raw(&line, "...");
	}
	text_char(&line, '\n');
	if (sink.path)
		write_to_file(&line);
	if (sink.to_stderr && level >= LOG_LEVEL_WARN && write(STDERR_FILENO, line.ptr, line.len) < 0)
		sink.to_stderr = false; /* nobody reads it any more */
	text_free(&line);
}

static void __attribute__((format(printf, 2, 0))) emit_v(enum log_level level, const char *format, va_list ap)
{
	struct text message = TEXT_INIT;
	int kept = errno; /* logging between a failure and its report must not change the reason */

	text_vprintf(&message, format, ap);
	pthread_mutex_lock(&sink.lock);
	emit(level, text_str(&message));
	pthread_mutex_unlock(&sink.lock);
	text_free(&message);
	errno = kept;
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit_v(LOG_LEVEL_INFO, format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit_v(LOG_LEVEL_WARN, format, ap);
	va_end(ap);
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit_v(LOG_LEVEL_ERROR, format, ap);
	va_end(ap);
}

/* ---- holding back ------------------------------------------------------------------------------------ */

/* One slot per reason, taken at its first line and kept: reasons are literals, so there are few. Held under
   its own lock, which guards a few loads only: ten thousand refusals a second must not wait for a disk. */
static struct held {
	const char *reason;
	int64_t since_us; /* clock_mono_us of the last line written */
	unsigned long count; /* events since then */
} held[MAX_REASONS];
static size_t held_used;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

/* The reason's slot; all that do not fit share the last one. */
static struct held *held_find(const char *reason)
{
	for (size_t i = 0; i < held_used; i++)
		if (held[i].reason == reason || strcmp(held[i].reason, reason) == 0)
			return &held[i];
	if (held_used == MAX_REASONS)
		return &held[MAX_REASONS - 1];
	held[held_used].reason = reason;
	held[held_used].since_us = INT64_MIN;
	return &held[held_used++];
}

/* true when the line is due; then *count events (with this one) are told by it, after *minutes of silence. */
static bool held_due(const char *reason, unsigned long *count, int64_t *minutes)
{
	int64_t now = clock_mono_us();
	struct held *h;
	bool due;

	pthread_mutex_lock(&held_lock);
	h = held_find(reason);
	h->count++;
	due = h->since_us == INT64_MIN || now - h->since_us >= HOLD_S * US_PER_S;
	if (due) {
		*count = h->count;
		*minutes = h->since_us == INT64_MIN ? 0 : (now - h->since_us) / (60 * US_PER_S);
		h->since_us = now;
		h->count = 0;
	}
	pthread_mutex_unlock(&held_lock);
	return due;
}

void log_limited(const char *reason, const char *format, ...)
{
	struct text message = TEXT_INIT;
	unsigned long count;
	int64_t minutes;
	va_list ap;

	if (!held_due(reason, &count, &minutes))
		return;
	va_start(ap, format);
	text_vprintf(&message, format, ap);
	va_end(ap);
	if (count > 1 && minutes <= 1)
		text_printf(&message, " (%lu times in the last minute)", count);
	else if (count > 1)
		text_printf(&message, " (%lu times in the last %lld minutes)", count, (long long)minutes);
	log_warn("%s", text_str(&message));
	text_free(&message);
}

/* What is still held back is told at the end, or the last burst would leave no trace of its size. */
static void held_flush(void)
{
	pthread_mutex_lock(&held_lock);
	for (size_t i = 0; i < held_used; i++)
		if (held[i].count > 0)
			log_warn("%s: %lu more times", held[i].reason, held[i].count);
	memset(held, 0, sizeof(held));
	held_used = 0;
	pthread_mutex_unlock(&held_lock);
}

void log_close(void)
{
	held_flush();
	pthread_mutex_lock(&sink.lock);
	sink_forget();
	pthread_mutex_unlock(&sink.lock);
}
