/* SPDX-License-Identifier: ISC */
/* doctor: how a finding is said. See doctor.h. */
#include "prober/commands/doctor.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_say(struct doctor *d, enum finding finding, const char *format, ...)
{
	static const struct {
		const char *name, *colour;
	} looks[] = {
		[FOUND_GOOD] = {"ok  ", "\033[32m"},
		[FOUND_NOTE] = {"note", "\033[33m"},
		[FOUND_BAD] = {"BAD ", "\033[1;31m"},
	};
	struct text text = TEXT_INIT, line = TEXT_INIT;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	text_printf(&line, "%s%s%s  ", d->colour ? looks[finding].colour : "", looks[finding].name,
		d->colour ? "\033[0m" : "");
	text_log(&line, text_str(&text));
	puts(text_str(&line));
	fflush(stdout);
	d->bad += finding == FOUND_BAD;
	d->notes += finding == FOUND_NOTE;
	text_free(&text);
	text_free(&line);
}
