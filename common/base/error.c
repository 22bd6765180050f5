/* SPDX-License-Identifier: ISC */
/*
 * error: filling in and passing on what went wrong. See error.h.
 *
 * Texts quote what came from outside (host names, servers' answers, file contents), so they are made one
 * line of valid UTF-8 here, once, for everyone who prints them.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Indexed by enum error_kind; 75 is EX_TEMPFAIL: what we were given is right, but cannot be done now. */
static const int exit_status[] = {
	[ERROR_NONE] = 0,
	[ERROR_INPUT] = 1,
	[ERROR_USAGE] = 2,
	[ERROR_TEMPORARY] = 75,
	[ERROR_MISSING] = 1,
	[ERROR_FULL] = 75,
	[ERROR_DAMAGED] = 75,
	[ERROR_NEWER] = 75,
	[ERROR_DENIED] = 75,
};

/* Formats before touching *err: the arguments may be parts of it. */
static void __attribute__((format(printf, 3, 0)))
error_write(struct error *err, const char *tail, const char *format, va_list ap)
{
	struct text line = TEXT_INIT, clean = TEXT_INIT;

	text_vprintf(&line, format, ap);
	if (tail) {
		text_raw(&line, ": ");
		text_raw(&line, tail);
	}
	text_header(&clean, text_str(&line));
	text_clear(&line);
	text_cut(&line, text_str(&clean), sizeof(err->text) - 1);
	memcpy(err->text, text_str(&line), line.len + 1);
	text_free(&line);
	text_free(&clean);
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	va_list ap;

	if (!err)
		return false;
	va_start(ap, format);
	error_write(err, NULL, format, ap);
	va_end(ap);
	err->kind = kind;
	return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
	va_list ap;

	if (!err)
		return false;
	va_start(ap, format);
	error_write(err, err->text, format, ap);
	va_end(ap);
	return false;
}

int error_exit_status(const struct error *err)
{
	size_t kind = (size_t)err->kind;

	return kind < COUNT_OF(exit_status) ? exit_status[kind] : 1;
}
