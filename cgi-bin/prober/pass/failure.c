/* SPDX-License-Identifier: ISC */
/*
 * failure: a pass that could not be made is told once, not every minute: cron mails whatever is printed. What
 * was said last stands in prober.failed beside the lock, until a pass can be made again. Where not even that
 * can be written, each pass says it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "prober/pass/pass_private.h"

static bool was_said(const char *path, const char *what)
{
	struct text said = TEXT_INIT;
	bool same = file_read(path, sizeof(((struct error *)0)->text), &said, NULL) &&
		    strcmp(text_str(&said), what) == 0;

	text_free(&said);
	return same;
}

int failure_tell(const char *store, const struct error *err)
{
	char *path = file_join(store, "prober.failed");
	int status = error_exit_status(err);

	if (isatty(STDERR_FILENO) || !was_said(path, err->text)) {
		fprintf(stderr, "upbeat-prober: %s\n", err->text);
		log_info("no pass: %s", err->text);
		file_write_atomic(path, err->text, strlen(err->text), 0600, NULL);
	}
	free(path);
	return status;
}

void failure_over(const char *store)
{
	char *path = file_join(store, "prober.failed");

	unlink(path);
	free(path);
}
