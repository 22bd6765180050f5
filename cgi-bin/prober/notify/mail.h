/* SPDX-License-Identifier: ISC */
/*
 * mail: what the mail channel sends, and how: the text of one mail (pure), one SMTP transaction through
 * libcurl, or sendmail -t -i. channel_mail.c chooses.
 */
#ifndef PROBER_MAIL_H
#define PROBER_MAIL_H

#include "prober/notify/engine.h"

struct mail_options {
	struct channel_common common;
	struct strings to;
	char *from, *smtp, *user, *password, *sendmail;
};

/* "Upbeat <upbeat@example.com>" or "upbeat@example.com": the address alone; the caller frees. NULL when there
   is none that could stand in an envelope. */
char *mail_address(const char *s);

/* The whole mail. eol is "\r\n" for SMTP and "\n" for sendmail; `to` are those of its To:. */
void mail_compose(struct text *out, const struct message *message, const char *from, const struct strings *to,
	const char *eol, int64_t now_us);

/* Hands the mail to all recipients to the local program, whose row must be in the launcher's table. from: as
   configured; a row that could not be used is not added. */
struct launch_table;
void mail_sendmail_program(struct launch_table *table, const char *path, const char *from);
void mail_sendmail(struct delivery *delivery);
void mail_sendmail_end(struct delivery *delivery);

#endif
