/* SPDX-License-Identifier: ISC */
/*
 * mail_sendmail: the local program, for hosts whose outgoing ports are closed. The launcher starts it,
 * without a shell and with a clean environment; the mail goes to its input and its complaints come back. Its
 * exit status (sysexits) says what became of it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/launch.h"
#include "prober/net/program.h"
#include "prober/notify/mail.h"

struct sending {
	struct delivery *delivery;
	struct text mail;
	struct program *program;
	struct loop_timer *later; /* to say that it could not be started */
};

/* ---- its row */

static char *row_name(const char *path, const char *sender)
{
	struct text name = TEXT_INIT;

	text_printf(&name, "%s -f %s", path, sender);
	return text_take(&name);
}

void mail_sendmail_program(struct launch_table *table, const char *path, const char *from)
{
	char *sender = mail_address(from), *name;
	struct launch_program *row;

	if (path[0] != '/' || sender == NULL) {
		free(sender);
		return;
	}
	name = row_name(path, sender);
	row = launch_add(table, name, (const char *const[]){path, "-i", "-t", "-f", sender, NULL});
	if (row->variable == NULL)
		row->variable = mem_str("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	row->patience_ms = DELIVERY_TIMEOUT_MS;
	free(name);
	free(sender);
}

/* ---- one mail */

static enum delivery_end end_of(int status)
{
	switch (status) {
	case EX_OK:
		return DELIVERY_SENT;
	case EX_USAGE:
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST:
	case EX_NOPERM:
		return DELIVERY_REFUSED;
	default:
		return DELIVERY_RETRY;
	}
}

static void ended(void *arg)
{
	struct sending *s = arg;
	struct program_end end = program_end(s->program);
	int status = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : EX_TEMPFAIL;
	struct text answer = TEXT_INIT;

	if (end.error != 0)
		text_printf(&answer, "sendmail cannot be started: %s", strerror(end.error));
	else if (end.timed_out)
		text_raw(&answer, "sendmail did not end in time");
	else if (WIFSIGNALED(end.status))
		text_printf(&answer, "sendmail was ended by signal %d", WTERMSIG(end.status));
	else
		text_printf(&answer, "sendmail ended with status %d", status);
	if (end.said[0] != '\0')
		text_printf(&answer, ": %s", end.said);
	channel_outcome(s->delivery, end.error != 0 || end.timed_out ? DELIVERY_RETRY : end_of(status), 0,
		text_str(&answer));
	text_free(&answer);
	channel_finish(s->delivery);
}

static void not_started(void *arg)
{
	struct sending *s = arg;

	s->later = NULL;
	channel_outcome(s->delivery, DELIVERY_RETRY, 0, "sendmail cannot be started");
	channel_finish(s->delivery);
}

static void start(struct sending *s)
{
	const struct mail_options *o = s->delivery->options;
	char *sender = mail_address(o->from), *name = row_name(o->sendmail, sender);
	struct program_order order = {
		.name = name, .input = text_str(&s->mail), .n = s->mail.len, .done = ended, .arg = s};
	int error;

	s->program = program_start(s->delivery->loop, &order, &error);
	if (s->program == NULL)
		s->later = loop_after(s->delivery->loop, 0, not_started, s);
	free(name);
	free(sender);
}

/* All recipients in one mail: sendmail reads them from To:. */
void mail_sendmail(struct delivery *delivery)
{
	const struct mail_options *o = delivery->options;
	struct sending *s = delivery->own = MEM_NEW(struct sending);

	s->delivery = delivery;
	mail_compose(&s->mail, delivery->message, o->from, &o->to, "\n", clock_wall_us());
	start(s);
}

void mail_sendmail_end(struct delivery *delivery)
{
	struct sending *s = delivery->own;

	program_free(s->program);
	if (s->later)
		loop_timer_stop(s->later);
	text_free(&s->mail);
	free(s);
}
