/* SPDX-License-Identifier: ISC */
/*
 * statuspage: Statuspage.io. An outage sets its component and opens an incident, the recovery sets it back and
 * resolves it; response times go there as metrics, all in one request. Each step is one request, and no two
 * requests of this program come within a second: that is what the service allows.
 *
 * Opening an incident is the one step that must not be done twice. Before it is repeated (an attempt failed,
 * or a process died) the open incidents are asked for one that carries our event id.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/answer.h"
#include "prober/notify/engine.h"

#define BETWEEN_REQUESTS_US (US_PER_S + 50 * US_PER_MS)

struct statuspage_options {
	struct channel_common common;
	char *token, *page, *api;
	struct map components, metrics;
	bool incidents;
};

static const struct field fields[] = {
	{.name = "token", .type = FIELD_SECRET, .offset = offsetof(struct statuspage_options, token), .required = true,
		.help = "API key."},
	{.name = "page", .type = FIELD_STRING, .offset = offsetof(struct statuspage_options, page), .required = true,
		.help = "Id of the page."},
	{.name = "components", .type = FIELD_MAP, .offset = offsetof(struct statuspage_options, components),
		.help = "Which monitor (slug) is which component (id)."},
	{.name = "incidents", .type = FIELD_BOOL, .offset = offsetof(struct statuspage_options, incidents),
		.fallback = "true", .help = "Open and resolve incidents too."},
	{.name = "metrics", .type = FIELD_MAP, .offset = offsetof(struct statuspage_options, metrics),
		.help = "Which monitor's (slug) response times are which metric (id)."},
	CHANNEL_API(statuspage_options, "https://api.statuspage.io/v1"),
	CHANNEL_COMMON(statuspage_options),
};

/* ---- what is to be done for a message */

enum step { STEP_COMPONENT, STEP_FIND, STEP_OPEN, STEP_RESOLVE, STEP_POINTS };
#define STEPS_MAX 4

struct errand {
	struct delivery *delivery;
	const char *component, *status; /* NULL: none */
	enum step steps[STEPS_MAX];
	size_t count, at;
	char *incident;                 /* its id there, once known */
	struct http_request request;
	struct exchange exchange;
	struct loop_timer *later;
};

/* What a component is after an event; over: the event says that it is over. */
static const struct {
	const char *event;
	const char *begun, *over;
} statuses[] = {
	{"down", "major_outage", "operational"},
	{"up", "operational", "operational"},
	{"slow", "degraded_performance", "operational"},
	{"flapping", "partial_outage", "operational"},
	{"maintenance", "under_maintenance", "operational"},
};

static const char *component_of(const struct statuspage_options *o, const char *monitor)
{
	for (size_t i = 0; i < o->components.n; i++)
		if (!strcmp(o->components.names[i], monitor))
			return o->components.values[i];
	return NULL;
}

static void add_step(struct errand *e, enum step step)
{
	e->steps[e->count++] = step;
}

static void plan(struct errand *e)
{
	const struct statuspage_options *o = e->delivery->options;
	const struct message *m = e->delivery->message;

	if (m->points) {
		add_step(e, STEP_POINTS);
		return;
	}
	e->component = component_of(o, m->monitor);
	for (size_t i = 0; e->component && i < COUNT_OF(statuses); i++)
		if (!strcmp(statuses[i].event, m->event))
			e->status = m->good ? statuses[i].over : statuses[i].begun;
	if (!e->status)
		return;
	add_step(e, STEP_COMPONENT);
	if (!o->incidents || m->late)
		return;
	if (!strcmp(m->event, "down") && !m->reminder) {
		if (m->again)
			add_step(e, STEP_FIND);
		add_step(e, STEP_OPEN);
	} else if (!strcmp(m->event, "up")) {
		e->incident = mem_str(m->thread);
		if (!e->incident)
			add_step(e, STEP_FIND);
		add_step(e, STEP_RESOLVE);
	}
}

/* ---- requests */

static void put_member(struct text *t, const char *before, const char *name, const char *value)
{
	text_printf(t, "%s\"%s\":", before, name);
	text_json_string(t, value);
}

static void component_body(const struct errand *e, struct text *t)
{
	put_member(t, "{\"component\":{", "status", e->status);
	text_raw(t, "}}");
}

static void open_body(const struct errand *e, struct text *t)
{
	const struct message *m = e->delivery->message;
	struct text name = TEXT_INIT, body = TEXT_INIT;

	text_cut(&name, m->title, 255);
	text_cut(&body, m->cause[0] ? m->cause : m->title, 25000);
	put_member(t, "{\"incident\":{", "name", text_str(&name));
	put_member(t, ",", "status", "investigating");
	put_member(t, ",", "body", text_str(&body));
	text_raw(t, ",\"component_ids\":[");
	text_json_string(t, e->component);
	text_raw(t, "],\"components\":{");
	text_json_string(t, e->component);
	text_char(t, ':');
	text_json_string(t, e->status);
	put_member(t, "},\"metadata\":{\"upbeat\":{", "id", m->id);
	text_raw(t, "}}}}");
	text_free(&name);
	text_free(&body);
}

static void resolve_body(const struct errand *e, struct text *t)
{
	struct text body = TEXT_INIT;

	text_cut(&body, e->delivery->message->title, 25000);
	put_member(t, "{\"incident\":{", "status", "resolved");
	put_member(t, ",", "body", text_str(&body));
	text_raw(t, ",\"components\":{");
	text_json_string(t, e->component);
	text_char(t, ':');
	text_json_string(t, e->status);
	text_raw(t, "}}}");
	text_free(&body);
}

static void points_body(const struct errand *e, struct text *t)
{
	text_raw(t, "{\"data\":");
	text_raw(t, e->delivery->message->points); /* made by the outbox: JSON already */
	text_char(t, '}');
}

/* What a step asks for: below /pages/PAGE, then an id where there is one. */
static const struct {
	const char *method, *path;
	bool with_component, with_incident;
	void (*body)(const struct errand *e, struct text *t);
} requests[] = {
	[STEP_COMPONENT] = {"PATCH", "/components/", true, false, component_body},
	[STEP_FIND] = {"GET", "/incidents/unresolved", false, false, NULL},
	[STEP_OPEN] = {"POST", "/incidents", false, false, open_body},
	[STEP_RESOLVE] = {"PATCH", "/incidents/", false, true, resolve_body},
	[STEP_POINTS] = {"POST", "/metrics/data", false, false, points_body},
};

static void build(struct errand *e, enum step step)
{
	const struct statuspage_options *o = e->delivery->options;
	struct text url = TEXT_INIT, line = TEXT_INIT;
	size_t n = strlen(o->api);

	while (n && o->api[n - 1] == '/')
		n--;
	text_rawn(&url, o->api, n);
	text_raw(&url, "/pages/");
	text_url(&url, o->page);
	text_raw(&url, requests[step].path);
	if (requests[step].with_component)
		text_url(&url, e->component);
	if (requests[step].with_incident)
		text_url(&url, e->incident);
	e->request = (struct http_request){.method = mem_str(requests[step].method), .url = text_take(&url)};
	text_raw(&line, "Authorization: OAuth ");
	text_header(&line, o->token);
	e->request.headers = curl_slist_append(NULL, text_str(&line));
	if (requests[step].body) {
		e->request.headers = curl_slist_append(e->request.headers, "Content-Type: application/json");
		requests[step].body(e, &e->request.body);
	}
	text_free(&line);
}

/* ---- one step after the other, a second apart */

/* When a request newest was under way, whichever channel it was of: the limit is the key's, and channels may
   share one. What the pass before this one sent last we do not know, only that it was before we began. */
static int64_t newest_us;

static void begin_when_free(void *arg);

static void next_step(struct errand *e)
{
	int64_t now_us = clock_mono_us(), at_us;

	if (!newest_us)
		newest_us = now_us;
	at_us = newest_us + BETWEEN_REQUESTS_US;
	e->later = loop_after(e->delivery->loop, at_us > now_us ? (at_us - now_us) / US_PER_MS + 1 : 0,
		begin_when_free, e);
}

static void finish(struct errand *e, enum delivery_end end, int status, const char *answer)
{
	channel_outcome(e->delivery, end, status, answer);
	if (end == DELIVERY_SENT && e->incident)
		e->delivery->thread = mem_str(e->incident);
	channel_finish(e->delivery);
}

/* The incident that this message, or the one at the root of its thread, has opened. */
static char *find_incident(const char *body, const struct message *m)
{
	cJSON *list = cJSON_Parse(body);
	const cJSON *one;
	char *found = NULL;

	cJSON_ArrayForEach(one, list) {
		const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(one, "metadata");
		const cJSON *ours = cJSON_GetObjectItemCaseSensitive(metadata, "upbeat");
		const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ours, "id"));

		if (id && (!strcmp(id, m->id) || !strcmp(id, m->root)) && !found)
			found = mem_str(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "id")));
	}
	cJSON_Delete(list);
	return found;
}

/* What a good answer means for the steps that follow. */
static void step_done(struct errand *e, enum step step, const char *body)
{
	if (step == STEP_OPEN)
		e->incident = answer_path(body, ".id");
	if (step == STEP_FIND) {
		e->incident = find_incident(body, e->delivery->message);
		/* Found: it need not be opened again. Not found: there is nothing to resolve. */
		if (!e->incident == (e->steps[e->at + 1] == STEP_RESOLVE))
			e->count = e->at + 1;
	}
	e->at++;
}

static void answered(void *arg)
{
	static const struct http_row row = {.also_retry = {420}};
	struct errand *e = arg;
	struct exchange *x = &e->exchange;
	struct answer answer = {x->status, text_str(&x->answer), x->retry_after};
	enum delivery_end end = x->problem ? DELIVERY_RETRY : answer_end(&row, &answer);

	newest_us = clock_mono_us(); /* it came there no later than this */
	if (end == DELIVERY_SENT)
		step_done(e, e->steps[e->at], answer.body);
	else
		e->delivery->retry_after_us = x->problem ? -1 : answer_wait_us(&row, &answer, clock_wall_us());
	if (end != DELIVERY_SENT || e->at == e->count)
		finish(e, end, x->status, x->problem ? x->problem : answer.body);
	else
		next_step(e);
}

static void begin_step(struct errand *e)
{
	newest_us = clock_mono_us();
	exchange_clear(&e->exchange);
	http_request_clear(&e->request);
	build(e, e->steps[e->at]);
	e->exchange = (struct exchange){.loop = e->delivery->loop, .done = answered, .arg = e,
		.deadline_us = newest_us + DELIVERY_TIMEOUT_MS * US_PER_MS};
	exchange_request(&e->exchange, &e->request);
	exchange_start(&e->exchange);
}

/* Of several that waited for the same moment one begins, and the others wait behind it. */
static void begin_when_free(void *arg)
{
	struct errand *e = arg;

	e->later = NULL;
	if (clock_mono_us() < newest_us + BETWEEN_REQUESTS_US)
		next_step(e);
	else
		begin_step(e);
}

static void nothing_to_do(void *arg)
{
	struct errand *e = arg;

	e->later = NULL;
	finish(e, DELIVERY_SENT, 0, "nothing on the page stands for this");
}

static void statuspage_send(struct delivery *delivery)
{
	struct errand *e = delivery->own = MEM_NEW(struct errand);

	e->delivery = delivery;
	plan(e);
	if (e->count)
		next_step(e);
	else
		e->later = loop_after(delivery->loop, 0, nothing_to_do, e);
}

static void statuspage_end(struct delivery *delivery)
{
	struct errand *e = delivery->own;

	if (e->later)
		loop_timer_stop(e->later);
	exchange_clear(&e->exchange);
	http_request_clear(&e->request);
	free(e->incident);
	free(e);
}

static bool validate(const void *options, struct text *why)
{
	const struct statuspage_options *o = options;

	if (o->components.n || o->metrics.n)
		return true;
	text_raw(why, "needs components or metrics");
	return false;
}

const struct channel_type channel_statuspage = {
	.name = "statuspage",
	.help = "Statuspage.io: components, incidents and metrics.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct statuspage_options),
	.machine = true,
	.metrics = "metrics",
	.validate = validate,
	.send = statuspage_send,
	.end = statuspage_end,
};
