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
#include "base/log_held.h"
#include "base/mem.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 4000 }; /* below PIPE_BUF: a line on stderr stays whole too */

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

void log_limited(const char *reason, const char *format, ...)
{
	struct text message = TEXT_INIT;
	struct log_held_due due;
	va_list ap;

	if (!log_held_add(reason, clock_mono_us(), &due))
		return;
	va_start(ap, format);
	text_vprintf(&message, format, ap);
	va_end(ap);
	log_held_put(&message, &due);
	log_warn("%s", text_str(&message));
	text_free(&message);
}

/* What is still held back is told at the end, or the last burst would leave no trace of its size. */
static void tell_rest(const char *reason, unsigned long count)
{
	log_warn("%s: %lu more times", reason, count);
}

void log_close(void)
{
	log_held_flush(tell_rest);
	pthread_mutex_lock(&sink.lock);
	sink_forget();
	pthread_mutex_unlock(&sink.lock);
}
