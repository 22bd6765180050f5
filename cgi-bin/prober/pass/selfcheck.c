/* SPDX-License-Identifier: ISC */
/*
 * selfcheck: one look at url/healthz in each pass, on the same engine as any http monitor. It is good when
 * our program answers and can read both books; that passes are stale is no news to the pass that asks.
 *
 * One failure is repeated once, some seconds later, before it counts.
 */
#include "prober/pass/selfcheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define TIMEOUT_MS 5000
#define AGAIN_MS 3000

struct selfcheck {
	struct pass *pass;
	struct monitor monitor;
	struct check *check;
	struct loop_timer *again;
	unsigned tries;
};

static char *note_read(struct pass *pass, const char *name)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	char *value = NULL;

	if (!txn || !state_note_get(txn, name, &value, NULL))
		value = NULL;
	state_end(txn);
	return value;
}

static void came_back(struct selfcheck *selfcheck)
{
	struct pass *pass = selfcheck->pass;
	char *since = note_read(pass, "web_failing_since");
	int64_t since_us;

	if (since && text_to_i64(since, &since_us) && since_us > 0)
		announce(pass, ANNOUNCE_WEB_UP, since_us, NULL);
	free(since);
	log_info("our own web side answers again");
	pass->info.web_failing = pass->world.web_failing = false;
	/* Beats could not be heard: everybody gets fresh time. */
	pass->info.grace_from_us = pass->world.grace_from_us = pass_now(pass);
	keep_info(pass);
}

static void went_away(struct selfcheck *selfcheck, const char *cause)
{
	struct pass *pass = selfcheck->pass;
	int64_t now = pass_now(pass);
	struct text since = TEXT_INIT;

	text_printf(&since, "%lld", (long long)now);
	keep_note(pass, "web_failing_since", text_str(&since));
	text_free(&since);
	log_warn("our own web side does not answer: %s", cause);
	pass->info.web_failing = pass->world.web_failing = true;
	announce(pass, ANNOUNCE_WEB_DOWN, now, cause);
	keep_info(pass);
}

/* Has it ever answered at this url? */
static bool is_armed(struct selfcheck *selfcheck)
{
	char *armed = note_read(selfcheck->pass, "self_check");
	bool same = armed && strcmp(armed, selfcheck->monitor.options) == 0;

	free(armed);
	return same;
}

static void ask(struct selfcheck *selfcheck);

static void ask_again(void *arg)
{
	struct selfcheck *selfcheck = arg;

	selfcheck->again = NULL;
	ask(selfcheck);
}

static void answered(struct selfcheck *selfcheck, enum outcome outcome, const char *cause)
{
	struct pass *pass = selfcheck->pass;

	if (outcome == OUTCOME_UP) {
		if (!is_armed(selfcheck))
			keep_note(pass, "self_check", selfcheck->monitor.options);
		if (pass->info.web_failing)
			came_back(selfcheck);
	} else if (!pass->info.web_failing && is_armed(selfcheck)) {
		if (selfcheck->tries < 2 && !pass->over)
			selfcheck->again = loop_after(pass->loop, AGAIN_MS, ask_again, selfcheck);
		else
			went_away(selfcheck, cause);
	}
	pass_wake(pass);
}

static void check_done(struct check *check, void *arg)
{
	struct selfcheck *selfcheck = arg;

	selfcheck->check = NULL;
	answered(selfcheck, check->result.outcome, check->result.cause);
}

static void ask(struct selfcheck *selfcheck)
{
	struct pass *pass = selfcheck->pass;
	struct error err = {0};

	selfcheck->tries++;
	selfcheck->check =
		check_start(pass->loop, &pass->world, &selfcheck->monitor, NULL, check_done, selfcheck, &err);
	if (!selfcheck->check)
		log_warn("self check: %s", err.text);
}

static char *make_options(const char *url)
{
	cJSON *options = cJSON_CreateObject(), *json = cJSON_CreateObject();
	struct text healthz = TEXT_INIT;
	size_t n = strlen(url);
	char *printed, *out;

	text_rawn(&healthz, url, n > 0 && url[n - 1] == '/' ? n - 1 : n);
	text_raw(&healthz, "/healthz");
	cJSON_AddStringToObject(options, "url", text_str(&healthz));
	cJSON_AddStringToObject(options, "status", "200,503");
	cJSON_AddBoolToObject(json, "state", true);
	cJSON_AddBoolToObject(json, "inbox", true);
	cJSON_AddItemToObject(options, "json", json);
	printed = cJSON_PrintUnformatted(options);
	out = mem_str(printed);
	cJSON_free(printed);
	cJSON_Delete(options);
	text_free(&healthz);
	return out;
}

void selfcheck_start(struct pass *pass)
{
	const cJSON *top, *url;

	if (pass->heartbeats == 0 && !pass->peers)
		return;
	top = pass_privates(pass, "top");
	url = cJSON_GetObjectItemCaseSensitive(top, "url");
	if (!cJSON_IsString(url) || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(top, "self_check"))) {
		pass->info.web_failing = pass->world.web_failing = false;
		return;
	}
	pass->selfcheck = MEM_NEW(struct selfcheck);
	pass->selfcheck->pass = pass;
	pass->selfcheck->monitor.slug = mem_str("self");
	pass->selfcheck->monitor.type = mem_str("http");
	pass->selfcheck->monitor.options = make_options(url->valuestring);
	pass->selfcheck->monitor.timeout_ms = TIMEOUT_MS;
	ask(pass->selfcheck);
}

bool selfcheck_busy(const struct pass *pass)
{
	return pass->selfcheck && (pass->selfcheck->check || pass->selfcheck->again);
}

void selfcheck_free(struct selfcheck *selfcheck)
{
	if (!selfcheck)
		return;
	check_cancel(selfcheck->check);
	loop_timer_stop(selfcheck->again);
	monitor_clear(&selfcheck->monitor);
	free(selfcheck);
}
