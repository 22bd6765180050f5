/* SPDX-License-Identifier: ISC */
/*
 * incident: its list of what happened is bounded without losing what people did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/incident.h"

static void entries_keep_their_order_and_begin_empty(void **state)
{
	struct incident incident = {0};
	struct incident_entry *entry;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_non_null(incident_add(&incident, ENTRY_ATTEMPT, i));
	entry = incident_add(&incident, ENTRY_NOTE, 20);
	assert_int_equal(entry->length_us, -1);
	assert_int_equal(entry->timings.dns_us, -1);
	assert_int_equal(entry->timings.total_us, -1);
	assert_null(entry->text);
	for (int i = 0; i <= 20; i++)
		assert_int_equal(incident.entries[i].at_us, i);
	incident_clear(&incident);
}

static void a_long_outage_leaves_room_for_what_people_do(void **state)
{
	struct incident incident = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		incident_add(&incident, ENTRY_ATTEMPT, i);
	assert_int_equal(incident.entry_count, INCIDENT_ENTRIES_MAX - INCIDENT_ENTRIES_RESERVED);
	assert_int_equal(incident.entries_dropped, 1000 - incident.entry_count);
	assert_null(incident_add(&incident, ENTRY_DELIVERY, 1000));
	for (int i = 0; i < INCIDENT_ENTRIES_RESERVED; i++)
		assert_non_null(incident_add(&incident, ENTRY_NOTE, 2000 + i));
	assert_null(incident_add(&incident, ENTRY_NOTE, 3000));
	assert_int_equal(incident.entry_count, INCIDENT_ENTRIES_MAX);
	incident_clear(&incident);
}

static void each_channel_is_told_once(void **state)
{
	struct incident incident = {0};

	(void)state;
	assert_false(incident_told(&incident, "ops"));
	incident_tell(&incident, "ops");
	incident_tell(&incident, "mail");
	incident_tell(&incident, "ops");
	assert_int_equal(incident.told_count, 2);
	assert_true(incident_told(&incident, "ops"));
	assert_true(incident_told(&incident, "mail"));
	assert_false(incident_told(&incident, "op"));
	incident_clear(&incident);
}

static void clearing_frees_what_entries_own(void **state)
{
	struct incident incident = {.monitor = mem_str("shop"), .cause = mem_str("HTTP 502")};
	struct incident_entry *entry = incident_add(&incident, ENTRY_ATTEMPT, 1);

	(void)state;
	entry->who = mem_str("w");
	entry->text = mem_str("t");
	entry->address = mem_str("192.0.2.1");
	entry->headers = mem_str("h");
	entry->body = mem_str("b");
	incident.acknowledged_by = mem_str("someone");
	incident_clear(&incident);
	assert_int_equal(incident.entry_count, 0);
	assert_null(incident.entries);
	incident_clear(&incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_keep_their_order_and_begin_empty),
		cmocka_unit_test(a_long_outage_leaves_room_for_what_people_do),
		cmocka_unit_test(each_channel_is_told_once),
		cmocka_unit_test(clearing_frees_what_entries_own),
	};

	return cmocka_run_group_tests_name("incident", tests, NULL, NULL);
}
