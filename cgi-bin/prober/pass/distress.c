/* SPDX-License-Identifier: ISC */
/*
 * distress: what is told when no pass can be made any more, on a disk that takes nothing for example: then no
 * outage can be decided, or be kept until it is told. Every channel that a monitor names gets one message.
 *
 * That it was told cannot be kept either, so the minute decides: when the newest commit is as old as it may be
 * to be shown (model/fresh.h), one pass of those that fail falls into the minutes that follow. What there is
 * to be known (whom to tell, in which language) is what the last good pass published.
 *
 * A child does it: what made passes fail may be a book that ends whoever reads it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/fresh.h"
#include "prober/config/config.h"
#include "prober/helper.h"
#include "prober/launch.h"
#include "prober/net/ca_bundle.h"
#include "prober/notify/channel.h"
#include "prober/notify/outbox.h"
#include "prober/pass/pass.h"
#include "prober/pass/pass_private.h"
#include "prober/privates.h"
#include "prober/walls.h"

#define PATIENCE_US (40 * US_PER_S) /* the minute is over soon */

struct distress {
	const char *config_path, *store;
	const struct error *why;
	int fd; /* in the child: what our log is to say */
	struct state *state;
	struct state_txn *txn;
	struct site site;
	struct privates privates;
	struct notice notice;
	struct loop *loop;
	size_t waiting;
};

static bool is_its_minute(const struct pass_info *pass, int64_t now_us)
{
	int64_t newest = fresh_newest_us(pass), minutes = now_us / MINUTE_US - newest / MINUTE_US;
	int64_t limit = (fresh_limit_us(pass->cadence_us) + MINUTE_US - 1) / MINUTE_US;
	int64_t step = (pass->cadence_us + MINUTE_US / 2) / MINUTE_US;

	return newest > 0 && minutes >= limit && minutes < limit + (step > 1 ? step : 1);
}

/* One text for all; its id is that of these words about this commit, should two passes fall into the minute. */
static void word_it(struct distress *d, int64_t newest, int64_t now_us)
{
	struct text body = TEXT_INIT, since = TEXT_INIT;
	const struct zone *zone = calendar_zone(d->site.timezone ? d->site.timezone : "UTC");

	calendar_put_local(&since, zone ? zone : calendar_zone("UTC"), newest / US_PER_S);
	text_printf(&body, "distress:%lld", (long long)newest);
	d->notice = (struct notice){.event = EVENT_DIGEST, .at_us = now_us};
	notice_event_id(d->notice.event_id, &body);
	text_clear(&body);
	text_raw(&body, word(d->site.language, WORD_MSG_NO_PASS));
	text_char(&body, '\n');
	words_put(&body, text_raw, d->site.language, WORD_MSG_NO_PASS_BODY,
		(const char *const[]){text_str(&since), d->why->text}, 2);
	d->notice.body = text_take(&body);
	text_free(&since);
}

static void sent(struct delivery *delivery, void *arg)
{
	struct distress *d = arg;

	if (delivery->end != DELIVERY_SENT)
		dprintf(d->fd, "%s was not told: %s; ", delivery->channel, delivery->answer);
	d->waiting--;
	if (d->waiting == 0)
		loop_stop(d->loop);
}

struct cry {
	struct message message;
	struct delivery *delivery;
};

static void cry_out(struct distress *d, const char *channel, struct cry *cry)
{
	const cJSON *channels = cJSON_GetObjectItemCaseSensitive(d->privates.json, "channels");
	const cJSON *configured = cJSON_GetObjectItemCaseSensitive(channels, channel);
	struct error err;

	message_build(&cry->message, &d->notice, NULL, &d->site, channel_language(configured, d->site.language), NULL);
	if (configured)
		cry->delivery = channel_send(d->loop, channel, configured, &cry->message, sent, d, &err);
	d->waiting += cry->delivery != NULL;
}

static void tell_all(struct distress *d, char **channels, size_t n)
{
	struct cry *cries = mem_array(n + 1, sizeof(*cries));

	for (size_t i = 0; i < n; i++)
		cry_out(d, channels[i], &cries[i]);
	if (d->waiting > 0)
		loop_run(d->loop, clock_mono_us() + PATIENCE_US);
	for (size_t i = 0; i < n; i++) {
		channel_free(cries[i].delivery);
		message_clear(&cries[i].message);
	}
	free(cries);
}

/* Whom to tell, and in which words; false: it is not the minute, or nobody can be told. */
static bool prepare_call(struct distress *d, char ***channels, size_t *n)
{
	struct pass_info pass;
	int64_t now_us = clock_wall_us();

	if (!state_pass(d->txn, &pass, NULL) || !is_its_minute(&pass, now_us) || !state_site(d->txn, &d->site, NULL))
		return false;
	word_it(d, fresh_newest_us(&pass), now_us);
	return privates_read(d->state, d->store, &d->privates, NULL) && outbox_channels(d->txn, channels, n, NULL);
}

static void call(struct distress *d)
{
	char **channels = NULL;
	size_t n = 0;

	if (prepare_call(d, &channels, &n)) {
		config_launch(d->config_path, PROGRAM_SENDMAIL, d->state, d->store);
		walls_raise(NULL, ca_bundle());
		d->loop = loop_new(NULL);
		if (d->loop)
			tell_all(d, channels, n);
		loop_free(d->loop);
		launch_stop();
	}
	for (size_t i = 0; i < n; i++)
		free(channels[i]);
	free(channels);
	site_clear(&d->site);
	privates_free(&d->privates);
	free(d->notice.body);
}

static void life(void *arg, int fd)
{
	struct distress *d = arg;

	d->fd = fd;
	d->state = state_is_ours(d->store, NULL) ? state_open(d->store, STORE_READ, NULL) : NULL;
	d->txn = d->state ? state_begin(d->state, false, NULL) : NULL;
	if (d->txn)
		call(d);
	state_end(d->txn);
	state_close(d->state);
}

/* To the child's end, or until somebody wants us to end. */
static void hear_out(int fd)
{
	struct text said = TEXT_INIT;
	char bytes[512];
	ssize_t n;

	while (!pass_interrupted() && ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			text_rawn(&said, bytes, (size_t)n);
	if (said.len)
		log_warn("no pass can be made, and %s", text_str(&said));
	text_free(&said);
}

void distress_call(const char *config_path, const char *store, const struct error *why)
{
	struct distress distress = {.config_path = config_path, .store = store, .why = why};
	const struct helper helper = {"who tells that no pass can be made", SOCK_STREAM, SIGKILL, life, &distress};
	struct error err;
	int fd;
	pid_t pid = helper_start(&helper, &fd, &err);

	if (pid < 0) {
		log_limited("distress", "%s", err.text);
		return;
	}
	hear_out(fd);
	if (pass_interrupted())
		kill(pid, SIGKILL);
	close(fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
