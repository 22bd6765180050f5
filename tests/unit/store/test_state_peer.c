/* SPDX-License-Identifier: ISC */
/* What the state keeps of peers, and what each of them sees of a monitor, as it is shown and counted. */
#include "state_test.h"

#include "store/peer_book.h"

static void put_note(struct state *s, const char *peer, enum peer_note which, const char *text)
{
	struct state_txn *txn = begin(s, true);
	struct text name = TEXT_INIT;

	peer_note_name(&name, peer, which);
	assert_ok(state_note_put(txn, text_str(&name), text, &err));
	assert_ok(state_commit(txn, &err));
	text_free(&name);
}

/* One that was heard ten seconds ago and saw "shop" down. */
static void put_peer(struct state *s, const char *peer, const char *slug)
{
	struct peer_row row = {.slug = mem_str(slug), .sees = OUTCOME_DOWN, .state = STATE_DOWN,
		.every_us = 60 * US_PER_S, .looked_us = T0_US, .cause = mem_str("HTTP 502")};
	struct peer_table rows = {&row, 1};
	struct peer_head head = {
		.heard_us = T0_US, .time_us = T0_US + 1, .every_us = 60 * US_PER_S, .whole = true};
	struct text text = TEXT_INIT;

	peer_row_seal(&row);
	peer_head_encode(&text, &head);
	put_note(s, peer, PEER_NOTE_HEAD, text_str(&text));
	text_clear(&text);
	peer_table_encode(&text, &rows);
	put_note(s, peer, PEER_NOTE_ROWS, text_str(&text));
	text_free(&text);
	peer_row_clear(&row);
}

static void test_what_was_kept_is_read(void **state)
{
	struct state *s = open_new(state);
	struct state_txn *txn;
	struct peer_table rows;
	struct peer_head head;

	put_peer(s, "far", "shop");
	txn = begin(s, false);
	assert_true(peer_head_read(txn, "far", &head));
	assert_int_equal(head.time_us, T0_US + 1);
	assert_true(head.whole);
	assert_true(peer_rows_read(txn, "far", &rows));
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.at[0].slug, "shop");
	assert_string_equal(rows.at[0].cause, "HTTP 502");
	peer_table_clear(&rows);
	state_end(txn);
	state_close(s);
}

static void test_one_that_never_wrote_or_cannot_be_read_is_empty(void **state)
{
	struct state *s = open_new(state);
	struct peer_head head = {.heard_us = 7};
	struct peer_table rows = {NULL, 7};
	struct state_txn *txn;

	put_note(s, "torn", PEER_NOTE_HEAD, "{\"heard\":");
	put_note(s, "torn", PEER_NOTE_ROWS, "[");
	txn = begin(s, false);
	for (int i = 0; i < 2; i++) {
		const char *peer = i ? "torn" : "nobody";

		assert_false(peer_head_read(txn, peer, &head));
		assert_int_equal(head.heard_us, 0);
		assert_false(peer_rows_read(txn, peer, &rows));
		assert_int_equal(rows.n, 0);
	}
	state_end(txn);
	state_close(s);
}

static void test_those_who_look_at_it_are_shown(void **state)
{
	static const struct {
		const char *slug, *place;
		int64_t ago_us;
		size_t n;
		enum outcome sees;
		bool mute;
	} rows[] = {
		{"shop", NULL, 10 * US_PER_S, 1, OUTCOME_DOWN, false},
		{"shop", "far", 10 * US_PER_S, 1, OUTCOME_DOWN, false},
		{"shop", "elsewhere", 10 * US_PER_S, 0, OUTCOME_UNKNOWN, false},
		{"cart", NULL, 10 * US_PER_S, 0, OUTCOME_UNKNOWN, false},
		{"shop", NULL, 86400 * US_PER_S, 1, OUTCOME_UNKNOWN, true},
	};
	struct state *s = open_new(state);
	struct peer_key peers[] = {
		{.name = "far"}, {.name = "silent"}, {.name = "headless"}, {.name = "another"}};
	struct site site = {.peer_keys = peers, .peer_count = COUNT_OF(peers)};
	struct state_txn *txn;

	put_peer(s, "far", "shop");
	put_peer(s, "another", "garden");
	put_peer(s, "headless", "shop");
	put_note(s, "headless", PEER_NOTE_ROWS, "[");
	txn = begin(s, false);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sighting *list = NULL;
		char *place = rows[i].place;
		struct monitor monitor = {
			.slug = rows[i].slug, .places = &place, .place_count = place != NULL ? 1 : 0};
		size_t n = 0;

		peer_sightings(txn, &site, &monitor, 0, T0_US + rows[i].ago_us, &list, &n);
		assert_int_equal(n, rows[i].n);
		if (n > 0) {
			assert_string_equal(list[0].from, "far");
			assert_string_equal(list[0].detail, "HTTP 502");
			assert_int_equal(list[0].sees, rows[i].sees);
			assert_int_equal(list[0].mute, rows[i].mute);
			assert_true(list[0].peer);
			assert_int_equal(list[0].told_us, T0_US + 1);
		}
		sightings_free(list, n);
	}
	state_end(txn);
	state_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_what_was_kept_is_read),
		test_in_dir(test_one_that_never_wrote_or_cannot_be_read_is_empty),
		test_in_dir(test_those_who_look_at_it_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
