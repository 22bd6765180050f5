/* SPDX-License-Identifier: ISC */
/* outbox_metrics: see outbox_metrics.h. How far a channel has come is kept in a note of the state. */
#include "prober/notify/outbox_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/notify/channel.h"

#define EVERY_US (60 * US_PER_S)
#define BACK_MAX_US (3600 * US_PER_S)
#define POINTS_MAX 2000 /* of one request */

/* One channel's newest sending. */
struct feed {
	struct metrics *metrics;
	char *channel;
	struct delivery *delivery; /* NULL: none is under way */
	struct message message;
	int64_t upto_us;           /* what is being sent goes up to here */
	int64_t due_us;
	struct feed *next;
};

struct metrics {
	struct loop *loop;
	struct state *state;
	struct feed *feeds;
	void (*changed)(void *arg);
	void *changed_arg;
};

struct metrics *metrics_new(struct loop *loop, struct state *state)
{
	struct metrics *metrics = MEM_NEW(struct metrics);

	metrics->loop = loop;
	metrics->state = state;
	return metrics;
}

bool metrics_wanted(const struct site *site)
{
	for (size_t i = 0; i < site->channel_count; i++) {
		const struct channel_type *type = channel_type_by_name(site->channels[i].type);

		if (type && type->metrics)
			return true;
	}
	return false;
}

static char *note_name(const char *channel)
{
	struct text name = TEXT_INIT;

	text_printf(&name, "metrics/%s", channel);
	return text_take(&name);
}

static struct feed *feed_of(struct metrics *metrics, const char *channel)
{
	struct feed *feed = metrics->feeds;

	while (feed && strcmp(feed->channel, channel))
		feed = feed->next;
	if (feed)
		return feed;
	feed = MEM_NEW(struct feed);
	feed->metrics = metrics;
	feed->channel = mem_str(channel);
	feed->next = metrics->feeds;
	metrics->feeds = feed;
	return feed;
}

/* ---- what is new */

struct points {
	struct text json;
	size_t count;      /* of all metrics */
	size_t of_metric;
	int64_t newest_us;
};

static bool add_point(void *arg, const struct sample *sample)
{
	struct points *p = arg;

	if (sample->response_us < 0)
		return true;
	text_printf(&p->json, "%s{\"timestamp\":%lld,\"value\":%.3f}", p->of_metric ? "," : "",
		(long long)(sample->at_us / US_PER_S), (double)sample->response_us / 1000);
	p->of_metric++;
	p->newest_us = sample->at_us > p->newest_us ? sample->at_us : p->newest_us;
	return ++p->count < POINTS_MAX;
}

static void add_metric(struct state_txn *txn, const cJSON *entry, int64_t from_us, int64_t to_us,
	struct points *p)
{
	struct monitor monitor = {0};
	size_t before = p->json.len;

	if (!cJSON_IsString(entry) || !state_monitor_by_slug(txn, entry->string, &monitor, NULL))
		return;
	text_raw(&p->json, before > 1 ? "," : "");
	text_json_string(&p->json, entry->valuestring);
	text_raw(&p->json, ":[");
	p->of_metric = 0;
	state_sample_scan(txn, monitor.id, from_us, to_us, add_point, p, NULL);
	text_char(&p->json, ']');
	if (!p->of_metric) {
		p->json.len = before;
		p->json.ptr[before] = 0;
	}
	monitor_clear(&monitor);
}

/* Where the last sending ended; an hour ago at most. */
static int64_t sent_upto(struct state_txn *txn, const char *channel, int64_t now_us)
{
	char *name = note_name(channel), *note = NULL;
	int64_t upto = 0;

	if (state_note_get(txn, name, &note, NULL))
		text_to_i64(note, &upto);
	free(note);
	free(name);
	return upto < now_us - BACK_MAX_US ? now_us - BACK_MAX_US : upto;
}

static bool gather(struct feed *feed, const cJSON *map, int64_t now_us, struct points *p)
{
	struct state_txn *txn = state_begin(feed->metrics->state, false, NULL);
	const cJSON *entry;
	int64_t from_us;

	if (!txn)
		return false;
	from_us = sent_upto(txn, feed->channel, now_us) + 1;
	text_char(&p->json, '{');
	cJSON_ArrayForEach(entry, map)
		if (p->count < POINTS_MAX)
			add_metric(txn, entry, from_us, now_us, p);
	text_char(&p->json, '}');
	state_end(txn);
	return p->count > 0;
}

/* ---- sending */

static void remember(struct feed *feed)
{
	struct error err = {0};
	struct state_txn *txn = state_begin(feed->metrics->state, true, &err);
	char *name = note_name(feed->channel);
	struct text value = TEXT_INIT;
	bool ok;

	text_printf(&value, "%lld", (long long)feed->upto_us);
	ok = txn && state_note_put(txn, name, text_str(&value), &err);
	if (ok)
		ok = state_commit(txn, &err);
	else
		state_end(txn);
	if (!ok)
		log_limited("metrics", "notify: how far %s has come cannot be stored: %s", feed->channel, err.text);
	text_free(&value);
	free(name);
}

static void feed_rest(struct feed *feed)
{
	channel_free(feed->delivery);
	feed->delivery = NULL;
	message_clear(&feed->message);
}

static void delivered(struct delivery *delivery, void *arg)
{
	struct feed *feed = arg;

	if (delivery->end == DELIVERY_SENT)
		remember(feed);
	else
		log_limited("metrics refused", "notify: %s did not take the response times: %s", feed->channel,
			delivery->answer);
	feed_rest(feed);
	if (feed->metrics->changed)
		feed->metrics->changed(feed->metrics->changed_arg);
}

static void start(struct feed *feed, const cJSON *configured, struct points *p)
{
	struct error err = {0};

	feed->upto_us = p->newest_us;
	feed->message = (struct message){.id = mem_str(""), .event = "", .monitor = mem_str(""), .name = mem_str(""),
		.state = "", .previous = "", .cause = mem_str(""), .url = mem_str(""), .runbook = mem_str(""),
		.title = mem_str(""), .text = mem_str(""), .root = mem_str(""), .points = text_take(&p->json)};
	feed->delivery = channel_send(feed->metrics->loop, feed->channel, configured, &feed->message, delivered, feed,
		&err);
	if (!feed->delivery) {
		log_limited("metrics options", "notify: %s", err.text);
		feed_rest(feed);
	}
}

int64_t metrics_pump(struct metrics *metrics, const cJSON *channels, int64_t now_us)
{
	int64_t next_us = INT64_MAX;
	const cJSON *configured;

	cJSON_ArrayForEach(configured, channels) {
		const struct channel_type *type = channel_type_of(configured);
		const cJSON *map = type && type->metrics ?
			cJSON_GetObjectItemCaseSensitive(configured, type->metrics) : NULL;
		struct points points = {.json = TEXT_INIT};
		struct feed *feed;

		if (!map)
			continue;
		feed = feed_of(metrics, configured->string);
		if (!feed->delivery && feed->due_us <= now_us) {
			feed->due_us = now_us + EVERY_US;
			if (gather(feed, map, now_us, &points))
				start(feed, configured, &points);
			text_free(&points.json);
		}
		next_us = feed->due_us < next_us ? feed->due_us : next_us;
	}
	return next_us;
}

void metrics_watch(struct metrics *metrics, void (*changed)(void *arg), void *arg)
{
	metrics->changed = changed;
	metrics->changed_arg = arg;
}

size_t metrics_in_flight(const struct metrics *metrics)
{
	size_t n = 0;

	for (const struct feed *feed = metrics->feeds; feed; feed = feed->next)
		n += feed->delivery != NULL;
	return n;
}

void metrics_free(struct metrics *metrics)
{
	while (metrics->feeds) {
		struct feed *feed = metrics->feeds;

		metrics->feeds = feed->next;
		feed_rest(feed);
		free(feed->channel);
		free(feed);
	}
	free(metrics);
}
