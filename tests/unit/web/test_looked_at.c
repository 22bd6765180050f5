/* SPDX-License-Identifier: ISC */
/* What people and programs look at: honesty about staleness, who sees what, and nothing unescaped anywhere. */
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
#include "base/json_scan.h"
#include "base/log.h"
#include "base/mem.h"
#include "drive.h"
#include "seed.h"
#include "web/asset.h"
#include "web/books.h"
#include "web/language.h"
#include "web/template.h"

#define HTML "Accept: text/html"
#define PERSON HTML "\nREMOTE_USER: alex"
#define READ_KEY "X-Api-Key: read-key-0123456789"
#define WRITE_KEY "X-Api-Key: write-key-0123456789"

static char root[] = "/tmp/upbeat-looked-at-XXXXXX";
static int64_t now_us;

static const char *store_of(enum seed_kind kind)
{
	static char dirs[SEED__COUNT][96];
	static bool made[SEED__COUNT];
	struct error err = {0};

	if (!made[kind]) {
		snprintf(dirs[kind], sizeof(dirs[kind]), "%s/%d", root, kind);
		assert_true(file_make_dir(dirs[kind], 0700, &err));
		if (!seed_store(dirs[kind], kind, now_us, 12 * US_PER_S, &err))
			fail_msg("%s", err.text);
		made[kind] = true;
	}
	return dirs[kind];
}

static int start(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	now_us = clock_wall_us();
	log_open("test", NULL, 0, false);
	return 0;
}

static int finish(void **state)
{
	char path[128];

	(void)state;
	web_close_all();
	for (int kind = 0; kind < SEED__COUNT; kind++) {
		static const char *const files[] = {"state/data.mdb", "state/lock.mdb", "inbox/data.mdb",
			"inbox/lock.mdb", "state", "inbox", "web.log", ""};

		for (size_t i = 0; i < COUNT_OF(files); i++) {
			snprintf(path, sizeof(path), "%s/%d/%s", root, kind, files[i]);
			if (unlink(path) != 0)
				rmdir(path);
		}
	}
	rmdir(root);
	return 0;
}

static bool says(const struct reply *reply, const char *part)
{
	return strstr(text_str(&reply->body), part) != NULL;
}

/* ---- honesty */

static const char *const stale_uris[] = {"/", "/m/shop", "/api/v1/monitors", "/api/v1/monitors/shop",
	"/badge/shop.svg", "/badge/shop.json", "/api/v2/summary.json"};

static void stale_data_is_unknown_everywhere(void **state)
{
	const char *dir = store_of(SEED_CALM);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(stale_uris); i++) {
		struct reply fresh, stale;

		drive_at(&fresh, dir, now_us, "GET", stale_uris[i], HTML, NULL);
		drive_at(&stale, dir, now_us + 400 * US_PER_S, "GET", stale_uris[i], HTML, NULL);
		assert_int_equal(stale.status, 200);
		assert_true(says(&stale, "unknown") || says(&stale, "degraded_performance"));
		assert_false(says(&stale, "\"state\":\"up\""));
		assert_false(says(&stale, "class=\"row is-up\""));
		assert_false(says(&stale, "hero is-up"));
		assert_false(says(&stale, "\"operational\""));
		assert_false(says(&stale, "✓"));
		assert_true(says(&fresh, "is-up") || says(&fresh, "\"up\"") || says(&fresh, "✓") ||
			says(&fresh, "operational"));
		reply_end(&fresh);
		reply_end(&stale);
	}
}

static void stale_metrics_say_nothing_of_success(void **state)
{
	struct reply reply;

	(void)state;
	drive_at(&reply, store_of(SEED_CALM), now_us + 400 * US_PER_S, "GET", "/metrics", NULL, NULL);
	assert_true(says(&reply, "upbeat_watching 0\n"));
	assert_true(says(&reply, "upbeat_monitors{state=\"up\"} 0\n"));
	assert_false(says(&reply, "probe_success{"));
	reply_end(&reply);
}

static void the_page_says_since_when_nobody_watches(void **state)
{
	struct reply reply;

	(void)state;
	drive_at(&reply, store_of(SEED_CALM), now_us + 400 * US_PER_S, "GET", "/?lang=en", HTML, NULL);
	assert_true(says(&reply, "Not watching since "));
	reply_end(&reply);
	drive_at(&reply, store_of(SEED_CALM), now_us, "GET", "/?lang=en", HTML, NULL);
	assert_false(says(&reply, "Not watching"));
	assert_true(says(&reply, "Checked 12 s ago"));
	reply_end(&reply);
}

static void a_store_without_state_says_what_to_do(void **state)
{
	char dir[64];
	struct reply reply;
	struct error err = {0};

	(void)state;
	snprintf(dir, sizeof(dir), "%s/none", root);
	assert_true(file_make_dir(dir, 0700, &err));
	drive(&reply, dir, "GET", "/", HTML, NULL);
	assert_int_equal(reply.status, 503);
	assert_true(says(&reply, "* * * * * upbeat-prober"));
	assert_non_null(strstr(text_str(&reply.headers), "Retry-After: 60"));
	reply_end(&reply);
	drive(&reply, dir, "GET", "/api/v1/monitors", NULL, NULL);
	assert_int_equal(reply.status, 503);
	reply_end(&reply);
	rmdir(dir);
}

/* ---- who sees what */

/* shop is public, db is not, nope does not exist. */
static const struct access_row {
	const char *method, *uri;                    /* %s is the slug */
	int visitor_private, reader, writer, person; /* what comes back for db */
} access_rows[] = {
	{"GET", "/m/%s", 404, 200, 200, 200},
	{"GET", "/api/v1/monitors/%s", 404, 200, 200, 200},
	{"GET", "/api/v1/monitors/%s/history", 404, 200, 200, 200},
	{"GET", "/api/v1/monitors/%s/uptime", 404, 200, 200, 200},
	{"GET", "/badge/%s.svg", 404, 200, 200, 200},
	{"GET", "/badge/%s.json", 404, 200, 200, 200},
	{"GET", "/api/v1/incidents?monitor=%s", 404, 200, 200, 200},
	{"GET", "/up/%s", 404, 200, 200, 200},
	{"POST", "/api/v1/monitors/%s/pause", 403, 403, 202, 403 /* no token of a form */},
	{"POST", "/m/%s/pause", 403, 403, 303, 403},
};

static void ask(
	struct reply *reply, const struct access_row *row, const char *slug, bool staff, const char *headers)
{
	const char *hole = strstr(row->uri, "%s");
	char uri[160];

	snprintf(uri, sizeof(uri), "%s%.*s%s%s", staff ? "/staff" : "", (int)(hole - row->uri), row->uri,
		slug, hole + 2);
	drive_at(reply, store_of(SEED_CALM), now_us, row->method, uri, headers, NULL);
}

static void everyone_sees_what_they_may(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(access_rows); i++) {
		const struct access_row *row = &access_rows[i];
		const struct {
			const char *headers;
			bool staff;
			int status;
		} askers[] = {{HTML, false, row->visitor_private}, {READ_KEY, false, row->reader},
			{WRITE_KEY, false, row->writer}, {PERSON, true, row->person},
			{PERSON, false, row->visitor_private} /* REMOTE_USER elsewhere is nobody's word */,
			{HTML "\nX-Api-Key: wrong", false, row->visitor_private}};

		for (size_t k = 0; k < COUNT_OF(askers); k++) {
			struct reply reply;

			ask(&reply, row, "db", askers[k].staff, askers[k].headers);
			if (reply.status != askers[k].status)
				fail_msg("%s %s as asker %zu: %d, not %d", row->method, row->uri, k,
					reply.status, askers[k].status);
			reply_end(&reply);
		}
	}
}

static void private_and_unknown_are_answered_byte_for_byte_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(access_rows); i++) {
		struct reply private, unknown;

		ask(&private, &access_rows[i], "db", false, HTML);
		ask(&unknown, &access_rows[i], "nope", false, HTML);
		assert_int_equal(private.status, unknown.status);
		assert_string_equal(text_str(&private.headers), text_str(&unknown.headers));
		assert_string_equal(text_str(&private.body), text_str(&unknown.body));
		reply_end(&private);
		reply_end(&unknown);
	}
}

static void visitors_are_not_told_of_private_things(void **state)
{
	static const char *const uris[] = {"/", "/m/cart", "/i/2", "/metrics", "/feed.atom",
		"/api/v1/monitors", "/api/v1/incidents", "/api/v1/incidents/2", "/api/v2/summary.json",
		"/api/v2/incidents.json", "/api/v1/monitors/cart"};
	static const char *const secrets[] = {"Orders database", "Gateway Taipei", "Add to cart", "192.0.2.",
		"intervall", "looking into it", "Root cause", "Infrastructure\"><", "shop.example.com",
		"wiki.example.com", "502 Bad"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(uris); i++) {
		struct reply reply;

		drive_at(&reply, store_of(SEED_PLAIN), now_us, "GET", uris[i], HTML, NULL);
		assert_int_equal(reply.status, 200);
		for (size_t k = 0; k < COUNT_OF(secrets); k++)
			if (says(&reply, secrets[k]))
				fail_msg("%s tells \"%s\"", uris[i], secrets[k]);
		reply_end(&reply);
	}
}

static void people_see_the_reasons(void **state)
{
	static const struct {
		const char *uri, *text;
	} rows[] = {{"/staff/", "upbeat.json:12:5"}, {"/staff/", "HTTP 502"},
		{"/staff/m/cart", "shop.example.com/cart"}, {"/staff/i/2", "outside the hours"},
		{"/staff/i/2", "Root cause"}, {"/staff/api/v1/monitors", "\"config\":"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reply reply;

		drive_at(&reply, store_of(SEED_PLAIN), now_us, "GET", rows[i].uri, PERSON, NULL);
		if (!says(&reply, rows[i].text))
			fail_msg("%s does not tell \"%s\"", rows[i].uri, rows[i].text);
		reply_end(&reply);
	}
}

/* ---- nothing unescaped */

static const char *const canary_uris[] = {"/staff/", "/staff/?lang=zh-TW", "/staff/m/cart", "/staff/m/backup",
	"/staff/m/mail?span=1y", "/staff/i/1", "/staff/i/2", "/staff/metrics", "/staff/feed.atom",
	"/staff/api/v1/monitors", "/staff/api/v1/monitors/cart", "/staff/api/v1/incidents",
	"/staff/api/v1/incidents/2", "/staff/api/v2/summary.json", "/staff/api/v2/components.json",
	"/staff/api/v2/incidents.json", "/staff/history", "/staff/badge/cart.svg", "/staff/badge/cart.json",
	"/staff/badge/cart.svg?label=%22%27%3E%3Csvg/onload=1%3E%26",
	("/staff/?q=%22%27%3E%3Csvg/onload=1%3E%26&tag=%22%27%3E%3Csvg/onload=1%3E%26&group=%22%27%3E%3Csvg/"
	 "onload=1%3E%26"),
	"/staff/m/%22%27%3E%3Csvg%20onload=1%3E"};

static bool is_json(const char *s, size_t n)
{
	struct json_scan scan;
	enum json_token token;

	json_scan_init(&scan, s, n, 0, 32);
	while ((token = json_scan_next(&scan)) > JSON_DONE)
		continue;
	json_scan_free(&scan);
	return token == JSON_DONE;
}

static void markup_in_every_field_comes_out_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(canary_uris); i++) {
		struct reply reply;

		drive_at(&reply, store_of(SEED_CANARY_EVERYWHERE), now_us, "GET", canary_uris[i],
			HTML "\nREMOTE_USER: \"'><svg/onload=1>&\nUser-Agent: \"'><svg/onload=1>&", NULL);
		if (strcmp(reply.type, TYPE_METRICS) != 0 && says(&reply, "<svg/onload"))
			fail_msg("%s lets markup through", canary_uris[i]);
		if (strcmp(reply.type, TYPE_METRICS) == 0) /* there a quotation mark would end the label */
			assert_false(says(&reply, "=\"\"'>"));
		if (strcmp(reply.type, TYPE_JSON) == 0 && !is_json(text_str(&reply.body), reply.body.len))
			fail_msg("%s is not JSON", canary_uris[i]);
		assert_null(strstr(text_str(&reply.headers), "onload=1>\r"));
		reply_end(&reply);
	}
}

static void bad_parameters_are_refused_or_ignored(void **state)
{
	static const struct {
		const char *uri;
		int status;
	} rows[] = {{"/api/v1/monitors?page=0", 400}, {"/api/v1/monitors?page=-1", 400},
		{"/api/v1/monitors?per_page=99999999999999999999", 400}, {"/api/v1/monitors?state=nope", 400},
		{"/api/v1/monitors?page=1e3", 400}, {"/api/v1/monitors?page=999999", 200},
		{"/api/v1/monitors?page=", 200}, {"/api/v1/monitors/shop/history?from=5&to=4", 400},
		{"/api/v1/monitors/shop/history?resolution=0", 400},
		{"/api/v1/monitors/shop/history?resolution=-9223372036854775808", 400},
		{"/api/v1/monitors/shop/history?from=0", 200},
		{"/api/v1/monitors/shop/history?from=0&resolution=10", 200},
		{"/api/v1/monitors/shop/uptime?from=99999999999", 400}, {"/api/v1/incidents/0", 404},
		{"/api/v1/incidents/4294967296", 404}, {"/api/v1/incidents/x", 404},
		{"/i/99999999999999999999999", 404}, {"/?page=99999&sort=nope&state=nope&group=", 200},
		{"/m/shop?span=nope", 200}, {"/badge/shop", 404}, {"/badge/.svg", 404},
		{"/api/v2/nope.json", 404}, {"/static/0/style.css", 200}, {"/static/0/head.html", 404},
		{"/static/0/../../etc/passwd", 400}, {"/m/shop?lang=%00%ff", 200},
		{"/history?month=9999-99", 200}, {"/history?month=2026-00", 200},
		{"/history?month=%2d%2d%2d%2d-%2d1", 200}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reply reply;

		drive_at(&reply, store_of(SEED_CALM), now_us, "GET", rows[i].uri, NULL, NULL);
		if (reply.status != rows[i].status)
			fail_msg("%s: %d, not %d", rows[i].uri, reply.status, rows[i].status);
		reply_end(&reply);
	}
}

/* ---- pages are whole */

static void every_template_compiles(void **state)
{
	(void)state;
	for (size_t i = 0; i < asset_count; i++) {
		struct error err = {0};
		struct template *tpl;

		if (!strstr(assets[i].name, ".html"))
			continue;
		tpl = template_compile(assets[i].bytes, assets[i].len, &err);
		if (!tpl)
			fail_msg("%s: %s", assets[i].name, err.text);
		template_free(tpl);
	}
}

static void no_page_asks_for_a_field_that_is_not_there(void **state)
{
	static const char *const uris[] = {"/", "/staff/", "/m/shop", "/staff/m/shop", "/staff/m/backup",
		"/staff/m/invoices", "/staff/i/1", "/i/2", "/nowhere", "/history",
		"/staff/history?month=2020-02", "/staff/?group=Shop&page=2", "/m/nope"};
	char path[96];
	struct text log = TEXT_INIT;
	struct error err = {0};

	(void)state;
	snprintf(path, sizeof(path), "%s/log", root);
	log_open("test", path, 100000, false);
	for (int kind = 0; kind < SEED__COUNT; kind++) {
		for (size_t i = 0; i < COUNT_OF(uris); i++) {
			struct reply reply;

			drive_at(&reply, store_of((enum seed_kind)kind),
				now_us + (kind == SEED_EMPTY ? 400 * US_PER_S : 0), "GET", uris[i], PERSON,
				NULL);
			assert_true(says(&reply, "</html>"));
			reply_end(&reply);
		}
	}
	log_open("test", NULL, 0, false);
	file_read(path, 100000, &log, &err);
	unlink(path);
	if (strstr(text_str(&log), "no field"))
		fail_msg("%s", text_str(&log));
	text_free(&log);
}

static void an_unchanged_page_is_not_rendered_again(void **state)
{
	struct reply first, second;
	const char *tag;
	char header[128];

	(void)state;
	drive_at(&first, store_of(SEED_CALM), now_us, "GET", "/", HTML, NULL);
	tag = strstr(text_str(&first.headers), "ETag: ");
	assert_non_null(tag);
	snprintf(header, sizeof(header), HTML "\nIf-None-Match: %.26s", tag + 6);
	drive_at(&second, store_of(SEED_CALM), now_us, "GET", "/", header, NULL);
	assert_int_equal(second.status, 304);
	assert_int_equal(second.body.len, 0);
	reply_end(&first);
	reply_end(&second);
}

static void a_long_list_shows_at_most_200_rows_and_what_is_wrong(void **state)
{
	struct reply reply;
	size_t rows = 0;

	(void)state;
	drive_at(&reply, store_of(SEED_MANY), now_us, "GET", "/?lang=en", HTML, NULL);
	for (const char *at = text_str(&reply.body); (at = strstr(at, "<li class=\"row ")); at++)
		rows++;
	assert_in_range(rows, 3, 200);
	assert_true(says(&reply, "3 of 10000 monitors are down"));
	assert_true(says(&reply, "Server 00017"));
	assert_true(says(&reply, "Server 09999"));
	assert_true(says(&reply, "Show 99 more"));
	reply_end(&reply);
}

static void the_readers_language_is_found(void **state)
{
	static const struct {
		const char *accept;
		enum language expected;
	} rows[] = {{"zh-TW,zh;q=0.9,en;q=0.8", LANGUAGE_ZH_TW}, {"en-US,en;q=0.5", LANGUAGE_EN},
		{"fr, zh-Hant;q=0.4, en;q=0.3", LANGUAGE_ZH_TW}, {"en;q=0, zh;q=0.1", LANGUAGE_ZH_TW},
		{"de", LANGUAGE_EN}, {"", LANGUAGE_EN}, {",,;;q=,", LANGUAGE_EN},
		{"zh;q=0.2,en;q=0.25", LANGUAGE_EN}, {NULL, LANGUAGE_EN}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(language_accepted(rows[i].accept, LANGUAGE_EN), rows[i].expected);
}

/* ---- operating */

static void what_was_asked_for_shows_at_once(void **state)
{
	const char *dir = store_of(SEED_PLAIN);
	struct reply reply;

	(void)state;
	drive_at(&reply, dir, now_us, "POST", "/api/v1/monitors/gateway/pause", WRITE_KEY, NULL);
	assert_int_equal(reply.status, 202);
	reply_end(&reply);
	drive_at(&reply, dir, now_us, "GET", "/api/v1/monitors/gateway", READ_KEY, NULL);
	assert_true(says(&reply, "\"state\":\"paused\""));
	reply_end(&reply);
	drive_at(&reply, dir, now_us, "POST", "/api/v1/monitors/backup/acknowledge",
		WRITE_KEY "\nCONTENT_TYPE: application/json", "{\"text\":\"on it\"}");
	assert_int_equal(reply.status, 202);
	reply_end(&reply);
	drive_at(&reply, dir, now_us, "GET", "/staff/i/3", PERSON, NULL);
	assert_true(says(&reply, "Acknowledged by writer"));
	assert_true(says(&reply, "on it"));
	reply_end(&reply);
}

static void what_cannot_be_done_is_refused_at_once(void **state)
{
	static const struct {
		const char *uri, *type, *body;
		int status;
	} rows[] = {
		{"/api/v1/monitors/shop/acknowledge", NULL, NULL, 409},
		{"/api/v1/monitors/shop/maintenance", NULL, "for=1s", 409},
		{"/api/v1/monitors/shop/maintenance", NULL, "for=-1", 400},
		{"/api/v1/monitors/shop/maintenance", NULL, "for=99999999999999999999", 400},
		{"/api/v1/monitors/shop/note", NULL, "text=hello", 409},
		{"/api/v1/monitors/shop/note", NULL, "text=hello&incident=2", 409},
		{"/api/v1/monitors/shop/nothing", NULL, NULL, 404},
		{"/api/v1/monitors/nope/pause", NULL, NULL, 404},
		{"/api/v1/monitors/shop/pause", "application/json", "[]", 400},
		{"/api/v1/monitors/shop/pause", "application/json", "{", 400},
		{"/api/v1/monitors/shop/maintenance", "application/json", "{\"for\":60,\"do\":\"pause\"}",
			400},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reply reply;
		char headers[160];

		snprintf(headers, sizeof(headers), WRITE_KEY "\nCONTENT_TYPE: %s",
			rows[i].type ? rows[i].type : "application/x-www-form-urlencoded");
		drive_at(&reply, store_of(SEED_PLAIN), now_us, "POST", rows[i].uri, headers, rows[i].body);
		if (reply.status != rows[i].status)
			fail_msg("%s %s: %d, not %d: %s", rows[i].uri, rows[i].body ? rows[i].body : "",
				reply.status, rows[i].status, text_str(&reply.body));
		reply_end(&reply);
	}
}

/* The token of a form and the cookie that it belongs to. */
static void read_form(char cookie[64], char token[33])
{
	struct reply page;
	const char *at;

	drive_at(&page, store_of(SEED_PLAIN), now_us, "GET", "/staff/m/db", PERSON, NULL);
	at = strstr(text_str(&page.headers), "upbeat_form=");
	assert_non_null(at);
	snprintf(cookie, 64, "%.44s", at);
	at = strstr(text_str(&page.body), "name=\"csrf\" value=\"");
	assert_non_null(at);
	snprintf(token, 33, "%s", at + 19);
	reply_end(&page);
}

static void a_form_counts_only_with_its_token_cookie_and_origin(void **state)
{
	static const struct {
		bool token, cookie;
		const char *more;
		const char *person;
		int status;
	} rows[] = {
		{true, true, "Origin: https://status.example.com", "alex", 303},
		{true, true, "Referer: https://status.example.com/staff/m/db", "alex", 303},
		{true, true, "Origin: https://example.com", "alex", 303}, /* the configured address */
		{true, true, "Origin: https://evil.example.net", "alex", 403},
		{true, true, "Origin: https://status.example.com.evil.example.net", "alex", 403},
		{true, true, "Origin: null", "alex", 403},
		{true, true, "Sec-Fetch-Site: cross-site", "alex", 403},
		{true, false, "Origin: https://status.example.com", "alex", 403},
		{false, true, "Origin: https://status.example.com", "alex", 403},
		{true, true, "Origin: https://status.example.com", "sam", 403}, /* somebody else's token */
	};
	char cookie[64], token[33];

	(void)state;
	read_form(cookie, token);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char headers[400], body[64];
		struct reply reply;

		snprintf(headers, sizeof(headers),
			HTML "\nCONTENT_TYPE: application/x-www-form-urlencoded\nREMOTE_USER: %s\n%s%s%s",
			rows[i].person, rows[i].more, rows[i].cookie ? "\nCookie: " : "",
			rows[i].cookie ? cookie : "");
		snprintf(body, sizeof(body), "csrf=%s", rows[i].token ? token : "");
		drive_at(&reply, store_of(SEED_PLAIN), now_us, "POST", "/staff/m/db/pause", headers, body);
		if (reply.status != rows[i].status)
			fail_msg("row %zu: %d, not %d", i, reply.status, rows[i].status);
		reply_end(&reply);
	}
}

/* ---- compatible answers */

static void uptimerobots_clients_are_answered_in_their_words(void **state)
{
	static const struct {
		const char *form, *part;
	} rows[] = {
		{"api_key=read-key-0123456789&format=json",
			"\"stat\":\"ok\",\"pagination\":{\"offset\":0,\"limit\":50,\"total\":12}"},
		{"api_key=read-key-0123456789&limit=2&offset=1", "{\"offset\":1,\"limit\":2,\"total\":12}"},
		{"api_key=read-key-0123456789&search=CART", "\"total\":1}"},
		{"api_key=read-key-0123456789&statuses=9", "\"total\":2}"},
		{"api_key=read-key-0123456789&types=5", "\"total\":3}"},
		{"api_key=read-key-0123456789&monitors=2-3", "\"total\":2}"},
		{"api_key=read-key-0123456789&monitors=2&logs=1", "\"logs\":[{\"id\":"},
		{"api_key=read-key-0123456789&monitors=1&custom_uptime_ratios=1-7-30",
			"\"custom_uptime_ratio\":\""},
		{"api_key=read-key-0123456789&monitors=2", "\"url\":\"https://shop.example.com/cart\""},
		{"api_key=wrong",
			"{\"stat\":\"fail\",\"error\":{\"type\":\"invalid_parameter\",\"parameter_name\":"
			"\"api_key\""},
		{"", "\"stat\":\"fail\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reply reply;

		drive_at(&reply, store_of(SEED_PLAIN), now_us, "POST", "/v2/getMonitors",
			"CONTENT_TYPE: application/x-www-form-urlencoded", rows[i].form);
		assert_int_equal(reply.status, 200);
		assert_true(is_json(text_str(&reply.body), reply.body.len));
		if (!says(&reply, rows[i].part))
			fail_msg("%s: %s", rows[i].form, text_str(&reply.body));
		reply_end(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_data_is_unknown_everywhere),
		cmocka_unit_test(stale_metrics_say_nothing_of_success),
		cmocka_unit_test(the_page_says_since_when_nobody_watches),
		cmocka_unit_test(a_store_without_state_says_what_to_do),
		cmocka_unit_test(private_and_unknown_are_answered_byte_for_byte_alike),
		cmocka_unit_test(visitors_are_not_told_of_private_things),
		cmocka_unit_test(people_see_the_reasons),
		cmocka_unit_test(markup_in_every_field_comes_out_escaped),
		cmocka_unit_test(bad_parameters_are_refused_or_ignored),
		cmocka_unit_test(every_template_compiles),
		cmocka_unit_test(no_page_asks_for_a_field_that_is_not_there),
		cmocka_unit_test(an_unchanged_page_is_not_rendered_again),
		cmocka_unit_test(a_long_list_shows_at_most_200_rows_and_what_is_wrong),
		cmocka_unit_test(the_readers_language_is_found),
		cmocka_unit_test(uptimerobots_clients_are_answered_in_their_words),
		/* these change the stores, so they come last */
		cmocka_unit_test(everyone_sees_what_they_may),
		cmocka_unit_test(what_was_asked_for_shows_at_once),
		cmocka_unit_test(what_cannot_be_done_is_refused_at_once),
		cmocka_unit_test(a_form_counts_only_with_its_token_cookie_and_origin),
	};
	return cmocka_run_group_tests(tests, start, finish);
}
