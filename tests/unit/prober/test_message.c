/* SPDX-License-Identifier: ISC */
/*
 * What messages say, in both languages; the payload; and the mail that is made of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/notify/mail.h"
#include "prober/notify/message.h"

#define T0 (INT64_C(1777601400) * US_PER_S) /* 2026-05-01T02:10:00Z, 10:10 in Taipei */
#define MIN (60 * US_PER_S)

static char slug[] = "shop", name[] = "The shop", cause[] = "HTTP 502", runbook[] = "https://wiki.example.com/shop";
static char url[] = "https://example.com/upbeat/", taipei[] = "Asia/Taipei", title[] = "Example";
static char options[] = "{\"url\":\"https://shop.example.com/\"}", root[] = "upbeat-0";

static struct monitor shop = {.slug = slug, .name = name, .runbook = runbook, .options = options};
static struct site site = {.url = url, .timezone = taipei, .title = title};

static struct notice notice_of(enum event_kind event)
{
	return (struct notice){.event_id = {'u', 'p', '-', '1'}, .event = event, .monitor = slug, .cause = cause,
		.now = event == EVENT_UP ? STATE_UP : STATE_DOWN, .previous = event == EVENT_UP ? STATE_DOWN : STATE_UP,
		.since_us = T0, .at_us = T0 + MIN, .ended_us = event == EVENT_UP ? T0 + 4 * MIN : 0, .incident = 12};
}

static const struct {
	enum event_kind event;
	bool repeat, late, over;
	enum monitor_state previous;
	const char *en, *zh;
} titles[] = {
	{EVENT_DOWN, false, false, false, STATE_UP, "The shop is down", "The shop 故障"},
	{EVENT_DOWN, true, false, false, STATE_UP, "The shop is still down, for 1 min now", "The shop 仍然故障，已持續 1 分鐘"},
	{EVENT_UP, false, false, true, STATE_DOWN, "The shop is up again after 4 min", "The shop 已恢復，故障 4 分鐘"},
	{EVENT_UP, false, false, true, STATE_UNKNOWN, "The shop is up; its state was unknown for 4 min",
		"The shop 正常；先前有 4 分鐘狀態未知"},
	{EVENT_UP, false, true, true, STATE_DOWN, "The shop was down 10:10-10:14, told late",
		"The shop 曾於 10:10-10:14 故障（延遲通知）"},
	{EVENT_UNKNOWN, false, false, false, STATE_UP, "The shop cannot be checked", "無法檢查 The shop"},
	{EVENT_SLOW, false, false, false, STATE_UP, "The shop is slow: HTTP 502", "The shop 回應緩慢：HTTP 502"},
	{EVENT_SLOW, false, false, true, STATE_UP, "The shop answers quickly again", "The shop 回應速度已恢復"},
	{EVENT_MAINTENANCE, false, false, false, STATE_UP, "Maintenance of The shop has begun", "The shop 開始維護"},
	{EVENT_MAINTENANCE, false, false, true, STATE_UP, "Maintenance of The shop is over", "The shop 維護結束"},
	{EVENT_FLAPPING, false, false, false, STATE_UP,
		"The shop is flapping: more than 3 changes within 15 min; silent until it is stable",
		"The shop 狀態反覆：15 分鐘內變動超過 3 次；穩定前不再通知"},
};

static void each_title_says_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(titles); i++)
		for (int zh = 0; zh < 2; zh++) {
			struct message_context context = {.late = titles[i].late};
			struct notice notice = notice_of(titles[i].event);
			struct message m;

			notice.repeat = titles[i].repeat;
			notice.previous = titles[i].previous;
			notice.ended_us = titles[i].over ? T0 + 4 * MIN : 0;
			message_build(&m, &notice, &shop, &site, zh ? LANGUAGE_ZH_TW : LANGUAGE_EN, &context);
			assert_string_equal(m.title, zh ? titles[i].zh : titles[i].en);
			message_clear(&m);
		}
}

static void a_late_message_over_midnight_has_dates(void **state)
{
	struct message_context context = {.late = true};
	struct notice notice = notice_of(EVENT_UP);
	struct message m;

	(void)state;
	notice.ended_us = T0 + 14 * 60 * MIN;
	message_build(&m, &notice, &shop, &site, LANGUAGE_EN, &context);
	assert_string_equal(m.title, "The shop was down 2026-05-01 10:10-2026-05-02 00:10, told late");
	message_clear(&m);
}

static void certificates_count_days(void **state)
{
	static const struct {
		int64_t left_s;
		const char *title;
	} rows[] = {
		{7 * 86400 + 60, "The certificate of The shop expires in 7 days"},
		{86400 + 60, "The certificate of The shop expires in 1 day"},
		{3600, "The certificate of The shop expires within a day"},
		{-3600, "The certificate of The shop has expired"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct notice notice = notice_of(EVENT_CERTIFICATE);
		struct message m;

		notice.ended_us = notice.at_us + rows[i].left_s * US_PER_S;
		message_build(&m, &notice, &shop, &site, LANGUAGE_EN, NULL);
		assert_string_equal(m.title, rows[i].title);
		message_clear(&m);
	}
}

static void an_outage_says_what_since_when_why_and_what_to_do(void **state)
{
	struct incident incident = {.id = 12};
	struct message_context context = {.incident = &incident, .children = 2, .children_names = "Cart, Search"};
	struct notice notice = notice_of(EVENT_DOWN);
	struct message m;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct incident_entry *entry = incident_add(&incident, ENTRY_ATTEMPT, T0 + i);

		entry->outcome = i == 1 ? OUTCOME_UP : OUTCOME_DOWN;
		entry->status = i == 1 ? 200 : 502;
		entry->address = mem_str("192.0.2.7");
		entry->timings.total_us = 134000;
	}
	message_build(&m, &notice, &shop, &site, LANGUAGE_EN, &context);
	assert_string_equal(m.text,
		"Cause: HTTP 502\n"
		"Since: 2026-05-01 10:10:00 (Asia/Taipei)\n"
		"Evidence: 2/3, 192.0.2.7, HTTP 502, 134 ms\n"
		"Target: https://shop.example.com/\n"
		"2 monitors depend on it; their alerts are held back. (Cart, Search)\n"
		"Runbook: https://wiki.example.com/shop\n"
		"Details: https://example.com/upbeat/i/12");
	message_clear(&m);
	incident_clear(&incident);
}

static void the_payload_is_as_promised(void **state)
{
	struct notice notice = notice_of(EVENT_UP);
	struct text json = TEXT_INIT;
	struct message m;

	(void)state;
	notice.at_us = T0 + 5 * MIN + 250000;
	message_build(&m, &notice, &shop, &site, LANGUAGE_EN, NULL);
	free(m.text);
	m.text = mem_str("\"second\" line");
	message_payload(&m, &json);
	assert_string_equal(text_str(&json),
		"{\"id\":\"up-1\",\"event\":\"up\",\"monitor\":\"shop\",\"name\":\"The shop\",\"state\":\"up\","
		"\"previous\":\"down\",\"since\":1777601640,\"at\":1777601700.25,\"duration\":240,"
		"\"cause\":\"HTTP 502\",\"incident\":12,\"url\":\"https://example.com/upbeat/i/12\","
		"\"text\":\"The shop is up again after 4 min\\n\\\"second\\\" line\"}");
	text_free(&json);
	message_clear(&m);
}

static void addresses_are_taken_out_of_what_people_write(void **state)
{
	static const char *const rows[][2] = {
		{"a@example.com", "a@example.com"},
		{"A B <a@example.com>", "a@example.com"},
		{"\"B, A\" <a@example.com>", "a@example.com"},
		{"a@example.com\r\nBcc: b@example.com", NULL},
		{"a b@example.com", NULL},
		{"<a@example.com> x", NULL},
		{"a@", NULL},
		{"@example.com", NULL},
		{"example.com", NULL},
		{"a@example.com,b@example.com", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *address = mail_address(rows[i][0]);

		if (rows[i][1])
			assert_string_equal(address, rows[i][1]);
		else
			assert_null(address);
		free(address);
	}
}

static void a_mail_threads_and_encodes(void **state)
{
	struct message_context context = {.root = root};
	struct notice notice = notice_of(EVENT_UP);
	char *to[] = {mem_str("J\xc3\xb6rg <j@example.com>")};
	const struct strings list = {to, 1};
	char long_name[] = "\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c"
		"\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c\xe6\x95\x85\xe9\x9a\x9c";
	struct monitor monitor = shop;
	struct text mail = TEXT_INIT;
	struct message m;

	(void)state;
	monitor.name = long_name;
	message_build(&m, &notice, &monitor, &site, LANGUAGE_EN, &context);
	mail_compose(&mail, &m, "Upbeat <u@example.com>", &list, "\r\n", T0);
	assert_non_null(strstr(text_str(&mail), "Date: Fri, 01 May 2026 02:10:00 +0000\r\n"));
	assert_non_null(strstr(text_str(&mail), "From: \"Upbeat\" <u@example.com>\r\n"));
	assert_non_null(strstr(text_str(&mail), "To: =?UTF-8?B?SsO2cmc=?=\r\n <j@example.com>\r\n"));
	assert_non_null(strstr(text_str(&mail), "Message-ID: <up-1@example.com>\r\n"));
	assert_non_null(strstr(text_str(&mail), "In-Reply-To: <upbeat-0@example.com>\r\n"));
	assert_non_null(strstr(text_str(&mail), "?=\r\n =?UTF-8?B?")); /* folded between encoded words */
	text_free(&mail);
	free(to[0]);
	message_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_title_says_what),
		cmocka_unit_test(a_late_message_over_midnight_has_dates),
		cmocka_unit_test(certificates_count_days),
		cmocka_unit_test(an_outage_says_what_since_when_why_and_what_to_do),
		cmocka_unit_test(the_payload_is_as_promised),
		cmocka_unit_test(addresses_are_taken_out_of_what_people_write),
		cmocka_unit_test(a_mail_threads_and_encodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
