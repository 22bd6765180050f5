/* SPDX-License-Identifier: ISC */
/*
 * mail: to one or more addresses, one SMTP transaction for each, so that a refused recipient harms no other.
 * What came of each is kept with the notice when some must be tried again: nobody gets a mail twice.
 *
 * smtp:// uses STARTTLS where the server offers it, and insists on it when a password would travel to another
 * machine; smtps:// is TLS from the first byte. Certificates are verified. Only towards this machine itself,
 * and without a password, an unverifiable certificate means going on without TLS: Debian's postfix offers one.
 */
#include "prober/notify/channel.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/mail.h"

/* ---- options */

static bool address_valid(const void *value, struct text *why)
{
	char *address = mail_address(*(char *const *)value);

	if (!address)
		text_raw(why, "must be a mail address");
	free(address);
	return address != NULL;
}

static bool addresses_valid(const void *value, struct text *why)
{
	const struct strings *list = value;

	for (size_t i = 0; i < list->n; i++)
		if (!address_valid(&list->at[i], why))
			return false;
	return true;
}

static bool smtp_valid(const void *value, struct text *why)
{
	const char *url = *(char *const *)value;
	CURLU *parts = curl_url();
	bool ok = (!strncasecmp(url, "smtp://", 7) || !strncasecmp(url, "smtps://", 8)) && parts &&
		!curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER);

	curl_url_cleanup(parts);
	if (!ok)
		text_raw(why, "must be like smtp://mail.example.com:587 or smtps://mail.example.com");
	return ok;
}

static bool program_valid(const void *value, struct text *why)
{
	if (**(char *const *)value == '/')
		return true;
	text_raw(why, "must be the program's full path");
	return false;
}

static const struct field fields[] = {
	{.name = "to", .type = FIELD_STRINGS, .offset = offsetof(struct mail_options, to), .required = true, .min = 1,
		.max = 100, .valid = addresses_valid, .help = "Recipients; each gets a mail of its own."},
	{.name = "from", .type = FIELD_STRING, .offset = offsetof(struct mail_options, from), .required = true,
		.valid = address_valid, .help = "Sender, an address that this host may send from."},
	{.name = "smtp", .type = FIELD_STRING, .offset = offsetof(struct mail_options, smtp), .valid = smtp_valid,
		.help = "Mail server: smtp:// (STARTTLS where it is offered) or smtps://."},
	{.name = "user", .type = FIELD_STRING, .offset = offsetof(struct mail_options, user),
		.help = "Login at the mail server."},
	{.name = "password", .type = FIELD_SECRET, .offset = offsetof(struct mail_options, password),
		.help = "Password for it."},
	{.name = "sendmail", .type = FIELD_STRING, .offset = offsetof(struct mail_options, sendmail),
		.valid = program_valid, .help = "Instead of a server: the local program, /usr/sbin/sendmail."},
	CHANNEL_COMMON(mail_options),
};

static bool validate(const void *options, struct text *why)
{
	const struct mail_options *o = options;

	if (!o->smtp == !o->sendmail)
		text_raw(why, "needs either smtp or sendmail");
	else if (!o->user != !o->password)
		text_raw(why, "needs user and password, or neither");
	else
		return true;
	return false;
}

/* ---- one delivery: recipients one after the other */

struct mailing {
	struct delivery *delivery;
	struct exchange exchange;
	struct curl_slist *recipient;
	struct text mail;          /* of the current transaction */
	size_t read;               /* bytes of it that libcurl has taken */
	size_t next;               /* recipient */
	bool without_tls;          /* second try towards ourselves */
	struct text progress;      /* "+address" has it, "-address" was refused; a line each */
	struct text refusals;      /* "address: answer" */
	unsigned sent, refused;
	struct loop_timer *later;
};

static void next_recipient(struct mailing *m);

/* Is this recipient settled since an earlier attempt? */
static bool settled(struct mailing *m, const char *to, char *how)
{
	const char *at = m->delivery->message->progress;
	size_t n = strlen(to);

	while (at && *at) {
		size_t len = strcspn(at, "\n");

		if (len == n + 1 && !memcmp(at + 1, to, n)) {
			*how = *at;
			return true;
		}
		at += len + (at[len] == '\n');
	}
	return false;
}

static void settle(struct mailing *m, const char *to, char how)
{
	text_printf(&m->progress, "%c%s\n", how, to);
	m->sent += how == '+';
	m->refused += how == '-';
}

static void finish(struct mailing *m, enum delivery_end end, int status, const char *answer)
{
	struct text said = TEXT_INIT;

	text_raw(&said, answer);
	if (m->refusals.len)
		text_printf(&said, "%s%s", said.len ? "; " : "", text_str(&m->refusals));
	channel_outcome(m->delivery, end, status, text_str(&said));
	text_free(&said);
	if (end == DELIVERY_RETRY && m->progress.len)
		m->delivery->thread = mem_str(text_str(&m->progress));
	channel_finish(m->delivery);
}

static bool towards_ourselves(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool ours = false;

	if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) && !curl_url_get(parts, CURLUPART_HOST, &host, 0))
		ours = !strcasecmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "[::1]");
	curl_free(host);
	curl_url_cleanup(parts);
	return ours;
}

/* A certificate that cannot be verified, of our own machine, with no password at stake. */
static bool may_go_without_tls(const struct mailing *m)
{
	const struct mail_options *o = m->delivery->options;
	CURLcode code = m->exchange.code;

	return !m->without_tls && !o->user && !strncasecmp(o->smtp, "smtp://", 7) && towards_ourselves(o->smtp) &&
		(code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR);
}

static void transacted(void *arg)
{
	struct mailing *m = arg;
	const struct mail_options *o = m->delivery->options;
	const char *to = o->to.at[m->next];
	int status = m->exchange.status;
	bool refused = status >= 500 || (m->exchange.code == CURLE_LOGIN_DENIED && status < 400);
	/* The newest reply, when that is what it failed for. */
	const char *line = status >= 400 ? text_str(&m->exchange.line) : m->exchange.problem;

	if (!m->exchange.problem) {
		settle(m, to, '+');
		m->next++;
		m->without_tls = false;
		next_recipient(m);
	} else if (may_go_without_tls(m)) {
		m->without_tls = true;
		next_recipient(m);
	} else if (refused) {
		settle(m, to, '-');
		text_printf(&m->refusals, "%s%s: %s", m->refusals.len ? "; " : "", to, line);
		m->next++;
		next_recipient(m);
	} else {
		finish(m, DELIVERY_RETRY, status >= 400 ? status : 0, line);
	}
}

static size_t give_mail(char *to, size_t size, size_t n, void *arg)
{
	struct mailing *m = arg;
	size_t left = m->mail.len - m->read, take = size * n < left ? size * n : left;

	memcpy(to, m->mail.ptr + m->read, take);
	m->read += take;
	return take;
}

/* The server's address with the name we greet it with: what the configuration says, or our own. */
static char *greeting_url(const struct mail_options *o, const char *from)
{
	const char *path = strchr(strstr(o->smtp, "://") + 3, '/');
	char host[256] = "";
	struct text t = TEXT_INIT;

	if (path && path[1])
		return mem_str(o->smtp);
	text_rawn(&t, o->smtp, path ? (size_t)(path - o->smtp) : strlen(o->smtp));
	text_char(&t, '/');
	if (gethostname(host, sizeof(host) - 1) || !strchr(host, '.'))
		text_url(&t, strchr(from, '@') + 1);
	else
		text_url(&t, host);
	return text_take(&t);
}

static long tls_wanted(const struct mailing *m, const struct mail_options *o)
{
	if (m->without_tls)
		return CURLUSESSL_NONE;
	if (!strncasecmp(o->smtp, "smtps://", 8) || (o->user && !towards_ourselves(o->smtp)))
		return CURLUSESSL_ALL;
	return CURLUSESSL_TRY;
}

static void set_up(struct mailing *m, const char *from)
{
	const struct mail_options *o = m->delivery->options;
	CURL *easy = m->exchange.easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL, tls_wanted(m, o));
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, m->recipient);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_mail);
	curl_easy_setopt(easy, CURLOPT_READDATA, m);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)m->mail.len);
	if (o->user) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, o->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, o->password);
		curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L);
	}
}

static void all_done(struct mailing *m)
{
	if (m->sent)
		finish(m, DELIVERY_SENT, 250, text_str(&m->exchange.line));
	else
		finish(m, DELIVERY_REFUSED, m->exchange.status >= 400 ? m->exchange.status : 0, "");
}

static void next_recipient(struct mailing *m)
{
	const struct mail_options *o = m->delivery->options;
	struct exchange *x = &m->exchange;
	char *from, *to, how;

	while (m->next < o->to.n && settled(m, o->to.at[m->next], &how))
		settle(m, o->to.at[m->next++], how);
	if (m->next == o->to.n) {
		all_done(m);
		return;
	}
	exchange_clear(x);
	curl_slist_free_all(m->recipient);
	text_clear(&m->mail);
	m->read = 0;
	mail_compose(&m->mail, m->delivery->message, o->from, &(struct strings){&o->to.at[m->next], 1}, "\r\n",
		clock_wall_us());
	from = mail_address(o->from);
	to = mail_address(o->to.at[m->next]);
	m->recipient = curl_slist_append(NULL, to);
	*x = (struct exchange){.loop = m->delivery->loop, .easy = exchange_easy(), .url = greeting_url(o, from),
		.deadline_us = clock_mono_us() + DELIVERY_TIMEOUT_MS * US_PER_MS, .done = transacted, .arg = m};
	if (x->easy)
		set_up(m, from);
	free(from);
	free(to);
	exchange_start(x);
}

static void begin(void *arg)
{
	struct mailing *m = arg;

	m->later = NULL;
	next_recipient(m);
}

static void mail_send(struct delivery *delivery)
{
	const struct mail_options *o = delivery->options;
	struct mailing *m;

	if (o->sendmail) {
		mail_sendmail(delivery);
		return;
	}
	m = delivery->own = MEM_NEW(struct mailing);
	m->delivery = delivery;
	/* Every recipient may be settled already: then it ends at once, but never from within this call. */
	m->later = loop_after(delivery->loop, 0, begin, m);
}

static void mail_end(struct delivery *delivery)
{
	const struct mail_options *o = delivery->options;
	struct mailing *m = delivery->own;

	if (o->sendmail) {
		mail_sendmail_end(delivery);
		return;
	}
	if (m->later)
		loop_timer_stop(m->later);
	exchange_clear(&m->exchange);
	curl_slist_free_all(m->recipient);
	text_free(&m->mail);
	text_free(&m->progress);
	text_free(&m->refusals);
	free(m);
}

const struct channel_type channel_mail = {
	.name = "mail",
	.help = "Mail through an SMTP server or the local sendmail.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct mail_options),
	.validate = validate,
	.send = mail_send,
	.end = mail_end,
};
