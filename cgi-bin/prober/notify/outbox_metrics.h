/* SPDX-License-Identifier: ISC */
/*
 * outbox_metrics: response times for channels that take them (a channel type with `metrics`): once a minute
 * all that is new, in one request for each channel. They are no messages: nothing is queued, and what the
 * service did not take is sent with the next minute's, up to an hour later.
 */
#ifndef PROBER_OUTBOX_METRICS_H
#define PROBER_OUTBOX_METRICS_H

#include <cjson/cJSON.h>

#include "prober/net/loop.h"
#include "store/state.h"

struct metrics;
struct metrics *metrics_new(struct loop *loop, struct state *state);
/* Does any channel of the site take them? */
bool metrics_wanted(const struct site *site);
/* Starts what is due; channels is the private object of all channels. Gives when to call again. */
int64_t metrics_pump(struct metrics *metrics, const cJSON *channels, int64_t now_us);
void metrics_watch(struct metrics *metrics, void (*changed)(void *arg), void *arg);
size_t metrics_in_flight(const struct metrics *metrics);
void metrics_free(struct metrics *metrics);

#endif
