/* SPDX-License-Identifier: ISC */
/*
 * report: after each good pass the URL in report_to is called: anyone's heartbeat service then notices when
 * passes stop. The cheapest watcher of the watcher.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define TIMEOUT_MS 5000

struct report {
	struct pass *pass;
	struct monitor monitor;
	struct check *check;
};

static void reported(struct check *check, void *arg)
{
	struct report *report = arg;

	report->check = NULL;
	if (check->result.outcome != OUTCOME_UP)
		log_limited("report_to", "report_to: %s", check->result.cause);
	pass_wake(report->pass);
}

static char *make_options(const char *url)
{
	struct text options = TEXT_INIT;

	text_raw(&options, "{\"url\":");
	text_json_string(&options, url);
	text_raw(&options, ",\"status\":\"200-399\",\"follow\":0}");
	return text_take(&options);
}

bool report_start(struct pass *pass)
{
	const cJSON *url;
	struct error err = {0};

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
	pass->report->check = check_start(
		pass->loop, &pass->world, &pass->report->monitor, NULL, reported, pass->report, &err);
	return pass->report->check;
}

bool report_busy(const struct pass *pass)
{
	return pass->report && pass->report->check;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	check_cancel(report->check);
	monitor_clear(&report->monitor);
	free(report);
}
