/* SPDX-License-Identifier: ISC */
/*
 * report: in each good pass the URL in report_to is called, once: anyone's heartbeat service then notices
 * when passes stop. The cheapest watcher of the watcher.
 *
 * A pass is good when it works and stores what it finds, whatever that is. One that has much to do reports
 * after a third of its time, so that a service that does not answer keeps no pass from ending in its minute;
 * one that is done before reports then. What fails is tried once more, and told once: when it begins, and when
 * it is over.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define TIMEOUT_MS 5000
#define AGAIN_MS 2000
#define TRIES 2
#define REDIRECTS_MAX 3
#define NOTE "report_to" /* what was wrong with it last; none: nothing */

struct report {
	struct pass *pass;
	struct monitor monitor;
	struct check *check;
	struct loop_timer *again;
	unsigned tries;
};

/* cause is NULL when it went well. */
static void tell(struct pass *pass, const char *cause)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	char *last = NULL;

	if (!txn || !state_note_get(txn, NOTE, &last, NULL))
		last = NULL;
	state_end(txn);
	if (cause && (!last || strcmp(last, cause) != 0))
		log_warn("report_to: %s", cause);
	else if (!cause && last)
		log_info("report_to: it is answered again");
	if (cause ? !last || strcmp(last, cause) != 0 : last != NULL)
		keep_note(pass, NOTE, cause);
	free(last);
}

static void call(struct report *report);

static void call_again(void *arg)
{
	struct report *report = arg;

	report->again = NULL;
	call(report);
}

static void called(struct check *check, void *arg)
{
	struct report *report = arg;

	report->check = NULL;
	if (check->result.outcome == OUTCOME_UP)
		tell(report->pass, NULL);
	else if (report->tries < TRIES && !report->pass->over)
		report->again = loop_after(report->pass->loop, AGAIN_MS, call_again, report);
	else
		tell(report->pass, check->result.cause);
	pass_wake(report->pass);
}

static void call(struct report *report)
{
	struct pass *pass = report->pass;
	struct error err = {0};

	report->tries++;
	report->check =
		check_start(pass->loop, &pass->world, &report->monitor, NULL, called, report, &err);
	if (!report->check)
		tell(pass, err.text);
}

static char *make_options(const char *url)
{
	struct text options = TEXT_INIT;

	text_raw(&options, "{\"url\":");
	text_json_string(&options, url);
	text_printf(&options, ",\"status\":\"200-299\",\"follow\":%d}", REDIRECTS_MAX);
	return text_take(&options);
}

bool report_start(struct pass *pass)
{
	const cJSON *url;

	if (pass->report || pass->failed || !pass->info.config_ok)
		return false;
	url = cJSON_GetObjectItemCaseSensitive(pass_privates(pass, "top"), "report_to");
	if (!cJSON_IsString(url))
		return false;
	pass->report = MEM_NEW(struct report);
	pass->report->pass = pass;
	pass->report->monitor.slug = mem_str("report_to");
	pass->report->monitor.type = mem_str("http");
	pass->report->monitor.options = make_options(url->valuestring);
	pass->report->monitor.timeout_ms = TIMEOUT_MS;
	call(pass->report);
	return report_busy(pass);
}

bool report_is_due(const struct pass *pass)
{
	return !pass->report && pass_lasts(pass);
}

bool report_busy(const struct pass *pass)
{
	return pass->report && (pass->report->check || pass->report->again);
}

void report_free(struct report *report)
{
	if (!report)
		return;
	loop_timer_stop(report->again);
	check_cancel(report->check);
	monitor_clear(&report->monitor);
	free(report);
}
