/* SPDX-License-Identifier: ISC */
/*
 * What is kept of another Upbeat: its rows, and the head of its newest message. The first byte chooses,
 * the rest is the JSON. What is read is written and read again the same, counts the same in the digest,
 * and is a vote or none.
 */
#include "fuzz.h"
#include "model/peer.h"
#include "model/peering.h"

#define NOW_US INT64_C(1777600800000000)

static void check_row(const struct peer_row *row)
{
	const struct peer_head head = {.heard_us = NOW_US, .time_us = NOW_US, .every_us = 60000000, .whole = true};
	char id[EVENT_ID_MAX];

	FUZZ_CHECK(row->slug && row->raw && row->sees < OUTCOME__COUNT && row->state < STATE__COUNT);
	FUZZ_CHECK(peering_vote(&head, row, 0, NOW_US) < OUTCOME__COUNT);
	FUZZ_CHECK(peering_episode(1, &row, 1) >= 1);
	peering_event_id(id, row->slug, row->episode, "down", "ops", 1);
	FUZZ_CHECK(strlen(id) < EVENT_ID_MAX);
	for (size_t i = 0; i < row->told_count; i++)
		FUZZ_CHECK(strlen(row->told[i].id) < EVENT_ID_MAX);
}

static void check_table(const struct peer_table *table)
{
	struct peer_table again;
	struct text once = TEXT_INIT, twice = TEXT_INIT;
	struct error err;

	for (size_t i = 0; i < table->n; i++) {
		check_row(&table->at[i]);
		FUZZ_CHECK(i == 0 || strcmp(table->at[i - 1].slug, table->at[i].slug) < 0);
		FUZZ_CHECK(peer_table_find(table, table->at[i].slug) == &table->at[i]);
	}
	peer_table_encode(&once, table);
	FUZZ_CHECK(peer_table_decode(text_str(&once), once.len, &again, &err));
	FUZZ_CHECK(peer_table_digest(&again) == peer_table_digest(table));
	peer_table_encode(&twice, &again);
	FUZZ_CHECK(strcmp(text_str(&once), text_str(&twice)) == 0);
	peer_table_clear(&again);
	text_free(&once);
	text_free(&twice);
}

static void try_table(const char *json, size_t n)
{
	struct peer_table table;
	struct error err;

	if (peer_table_decode(json, n, &table, &err)) {
		check_table(&table);
		peer_table_clear(&table);
	}
}

static void try_head(const char *json, size_t n)
{
	struct peer_head head, again;
	struct text once = TEXT_INIT;
	struct error err;

	if (peer_head_decode(json, n, &head, &err)) {
		FUZZ_CHECK(peering_patience_us(&head) > 0);
		peering_silent(&head, 0, NOW_US);
		peer_head_encode(&once, &head);
		FUZZ_CHECK(peer_head_decode(text_str(&once), once.len, &again, &err));
		FUZZ_CHECK(head.offline == again.offline && head.whole == again.whole);
	}
	text_free(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *json, size_t n) = {try_head, try_table};
	uint8_t choice = fuzz_byte(&data, &size);
	char *json = fuzz_string(data, size);

	tries[choice % 2](json, size);
	free(json);
	return 0;
}
