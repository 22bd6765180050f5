/* SPDX-License-Identifier: ISC */
/* What can be asked for: each parameter of lists, badges, UptimeRobot's interface, acting; good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "drive.h"
#include "seed.h"
#include "web/books.h"

#define HTML "Accept: text/html"
#define PERSON HTML "\nREMOTE_USER: alex"
#define WRITE "X-Api-Key: write-key-0123456789\nCONTENT_TYPE: application/json"
#define READ "X-Api-Key: read-key-0123456789\nCONTENT_TYPE: application/json"
#define FORM "CONTENT_TYPE: application/x-www-form-urlencoded"
#define ROBOT "api_key=read-key-0123456789&format=json"

static char plain[] = "/tmp/upbeat-asked-plain-XXXXXX", many[] = "/tmp/upbeat-asked-many-XXXXXX";
static int64_t now_us;

static int start(void **state)
{
	struct error err = {0};

	(void)state;
	now_us = clock_wall_us();
	log_open("test", NULL, 0, false);
	return mkdtemp(plain) && mkdtemp(many) && seed_store(plain, SEED_PLAIN, now_us, 12 * US_PER_S, &err) &&
			       seed_store(many, SEED_MANY, now_us, 12 * US_PER_S, &err) ?
		0 : -1;
}

static int finish(void **state)
{
	static const char *const files[] = {
		"state/data.mdb", "state/lock.mdb", "inbox/data.mdb", "inbox/lock.mdb", "state", "inbox", ""};

	(void)state;
	web_close_all();
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < COUNT_OF(files); j++) {
			char *path = file_join(i ? many : plain, files[j]);

			if (unlink(path) != 0)
				rmdir(path);
			free(path);
		}
	return 0;
}

struct asked {
	const char *method, *uri, *headers, *body;
	int status;
	const char *says; /* NULL: nothing in particular */
};

static void ask_all(const char *dir, const struct asked *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct reply reply;

		drive_at(&reply, dir, now_us, rows[i].method, rows[i].uri, rows[i].headers, rows[i].body);
		if (reply.status != rows[i].status ||
			(rows[i].says && !strstr(text_str(&reply.body), rows[i].says)))
			fail_msg("%s %s %s: %d, expected %d with \"%s\"\n%.600s", rows[i].method, rows[i].uri,
				rows[i].body ? rows[i].body : "", reply.status, rows[i].status,
				rows[i].says ? rows[i].says : "", text_str(&reply.body));
		reply_end(&reply);
	}
}

static void badges_show_what_is_asked(void **state)
{
	static const struct asked rows[] = {
		{"GET", "/staff/badge/shop.svg?show=uptime&span=24h", PERSON, NULL, 200, "%"},
		{"GET", "/staff/badge/shop.svg?show=uptime&span=90d", PERSON, NULL, 200, "%"},
		{"GET", "/staff/badge/shop.svg?show=uptime&span=nothing", PERSON, NULL, 200, "%"},
		{"GET", "/staff/badge/shop.json?show=response", PERSON, NULL, 200, "ms"},
		{"GET", "/staff/badge/shop.svg?label=%E5%95%86%E5%BA%97", PERSON, NULL, 200, "商店"},
		{"GET", "/staff/badge/shop.svg?label=", PERSON, NULL, 200, "Shop"},
		{"GET", "/staff/badge/nobody.svg", PERSON, NULL, 404, "<svg"},
		{"GET", "/staff/badge/shop.png", PERSON, NULL, 404, NULL},
	};

	(void)state;
	ask_all(plain, rows, COUNT_OF(rows));
}

static void lists_are_chosen_ordered_and_divided(void **state)
{
	static const struct asked few[] = {
		{"GET", "/staff/?sort=name", PERSON, NULL, 200, "Shop"},
		{"GET", "/staff/?sort=response", PERSON, NULL, 200, "Shop"},
		{"GET", "/staff/?state=down", PERSON, NULL, 200, "Cart"},
		{"GET", "/staff/?q=nothing-is-called-so", PERSON, NULL, 200, NULL},
		{"GET", "/staff/api/v1/monitors?state=down&sort=name", PERSON, NULL, 200, "\"cart\""},
		{"GET", "/staff/api/v1/monitors?sort=state&per_page=1&page=2", PERSON, NULL, 200, "\"monitors\""},
		{"GET", "/staff/api/v1/monitors?state=sideways", PERSON, NULL, 400, "state"},
		{"GET", "/staff/api/v1/incidents?state=open&per_page=1", PERSON, NULL, 200, "\"incidents\""},
		{"GET", "/staff/api/v1/incidents?monitor=nobody", PERSON, NULL, 404, NULL},
		{"GET", "/staff/api/v1/monitors/shop/history?resolution=hour", PERSON, NULL, 200, "\"points\""},
		{"GET", "/staff/api/v1/monitors/shop/history?resolution=3", PERSON, NULL, 400, "resolution"},
		{"GET", "/staff/api/v1/monitors/shop/uptime?from=5&to=3", PERSON, NULL, 400, NULL},
		{"GET", "/staff/history?month=2026-01", PERSON, NULL, 200, NULL},
	};
	static const struct asked lots[] = {
		{"GET", "/staff/", PERSON, NULL, 200, NULL},
		{"GET", "/staff/?sort=name&page=2", PERSON, NULL, 200, NULL},
		{"GET", "/staff/?q=1&page=3", PERSON, NULL, 200, NULL},
		{"GET", "/staff/?state=up&sort=response&page=999999", PERSON, NULL, 200, NULL},
		{"GET", "/staff/api/v1/monitors?per_page=1000&page=10", PERSON, NULL, 200, "\"monitors\""},
	};

	(void)state;
	ask_all(plain, few, COUNT_OF(few));
	ask_all(many, lots, COUNT_OF(lots));
}

static void uptimerobots_parameters_are_answered(void **state)
{
	static const struct asked rows[] = {
		{"POST", "/v2/getMonitors", FORM, ROBOT, 200, "\"stat\":\"ok\""},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&logs=1&logs_limit=3", 200, "\"logs\":["},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&logs=1&logs_limit=1&monitors=1-2-x", 200, "\"logs\":["},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&response_times=1&response_times_limit=2", 200,
			"\"response_times\":["},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&response_times_average=30", 200, NULL},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&response_times_average=1", 200, "\"average_response_time\""},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&all_time_uptime_ratio=1&alert_contacts=1&ssl=1", 200,
			"\"all_time_uptime_ratio\":\""},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&ssl=1", 200, "\"ssl\":{"},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&custom_uptime_ratios=1-7-30-0-x", 200,
			"\"custom_uptime_ratio\":\""},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&search=Cart&statuses=9&types=1-2", 200, "\"total\":1"},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&search=nobody", 200, "\"total\":0"},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&limit=1&offset=2", 200, "\"offset\":2"},
		{"POST", "/v2/getMonitors", FORM, ROBOT "&limit=-1&offset=many", 200, "\"offset\":0"},
		{"POST", "/v2/getMonitors", FORM, "api_key=wrong", 200, "\"stat\":\"fail\""},
		{"POST", "/v2/getMonitors", FORM, "", 200, "\"stat\":\"fail\""},
	};

	(void)state;
	ask_all(plain, rows, COUNT_OF(rows));
}

static void acting_is_refused_with_a_reason(void **state)
{
	static const struct asked rows[] = {
		{"POST", "/api/v1/monitors/shop/pause", READ, "{}", 403, NULL},
		{"POST", "/api/v1/monitors/nobody/pause", WRITE, "{}", 404, NULL},
		{"POST", "/api/v1/monitors/shop/dance", WRITE, "{}", 404, NULL},
		{"POST", "/api/v1/monitors/shop/maintenance", WRITE, "{\"for\":-5}", 400, NULL},
		{"POST", "/api/v1/monitors/shop/maintenance", WRITE, "not json", 400, NULL},
		{"POST", "/api/v1/monitors/shop/note", WRITE, "{\"text\":\"x\",\"incident\":99999}", 409, NULL},
		{"POST", "/api/v1/monitors/shop/acknowledge", WRITE, "{}", 409, NULL},
		{"POST", "/api/v1/monitors/shop/maintenance", WRITE, "{\"for\":7200}", 202, NULL},
		{"POST", "/api/v1/monitors/cart/note", WRITE, "{\"text\":\"looking\",\"public\":true}", 400,
			"no such incident"},
		{"POST", "/staff/m/shop/pause", PERSON "\n" FORM, "csrf=wrong", 403, NULL},
	};

	(void)state;
	ask_all(plain, rows, COUNT_OF(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(badges_show_what_is_asked),
		cmocka_unit_test(lists_are_chosen_ordered_and_divided),
		cmocka_unit_test(uptimerobots_parameters_are_answered),
		cmocka_unit_test(acting_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
