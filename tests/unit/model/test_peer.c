/* SPDX-License-Identifier: ISC */
/* peer: what one Upbeat writes another reads, also when one of them is older. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/peer.h"

static struct peer_row row_make(const char *slug, enum outcome sees)
{
	struct peer_row row = {.slug = mem_str(slug), .sees = sees, .state = STATE_UP, .every_us = 60000000};

	peer_row_seal(&row);
	return row;
}

static void put(struct peer_table *table, const char *slug, enum outcome sees)
{
	struct peer_row row = row_make(slug, sees);

	peer_table_put(table, &row);
}

static char *encode(const struct peer_message *message)
{
	struct text t = TEXT_INIT;

	peer_message_encode(&t, message);
	return text_take(&t);
}

static void equal_content_is_equal_bytes(void **unused)
{
	struct peer_message m = {.from = mem_str("berlin"), .to = mem_str("taipei"), .time_us = 1777600000500000,
		.every_us = 60000000, .again = true, .more = true, .digest = 0x0123456789abcdef};
	struct peer_row row = {.slug = mem_str("shop"), .sees = OUTCOME_DOWN, .state = STATE_DOWN,
		.every_us = 1500000, .looked_us = 1777600000000000, .cause = mem_str("HTTP \"502\""), .episode = 8,
		.open = true};
	char *text;

	(void)unused;
	peer_row_tell(&row, "upbeat-1", "down", "ops");
	assert_true(peer_row_seal(&row));
	assert_false(peer_row_seal(&row)); /* nothing changed */
	peer_table_put(&m.rows, &row);
	put(&m.rows, "db", OUTCOME_UP);
	m.gone = mem_array(1, sizeof(*m.gone));
	m.gone[m.gone_count++] = mem_str("old");
	text = encode(&m);
	assert_string_equal(text,
		"{\"version\":1,\"from\":\"berlin\",\"to\":\"taipei\",\"time\":1777600000.5,\"every\":60,\"again\":true,"
		"\"more\":true,\"digest\":\"0123456789abcdef\",\"monitors\":["
		"{\"slug\":\"db\",\"sees\":\"up\",\"state\":\"up\",\"every\":60},"
		"{\"slug\":\"shop\",\"sees\":\"down\",\"state\":\"down\",\"every\":1.5,\"looked\":1777600000,"
		"\"cause\":\"HTTP \\\"502\\\"\",\"episode\":8,\"open\":true,"
		"\"told\":[{\"id\":\"upbeat-1\",\"event\":\"down\",\"channel\":\"ops\"}]}],\"gone\":[\"old\"]}");
	free(text);
	peer_message_clear(&m);
}

static void what_was_written_is_read_and_written_the_same(void **unused)
{
	struct peer_message m = {.from = mem_str("a"), .to = mem_str("b"), .time_us = 5, .offline = true, .full = true};
	struct peer_message back;
	char *text, *again;

	(void)unused;
	for (char c = 'z'; c >= 'a'; c--)
		put(&m.rows, (char[]){c, 0}, c % 2 ? OUTCOME_UP : OUTCOME_UNKNOWN);
	m.digest = peer_table_digest(&m.rows);
	text = encode(&m);
	assert_true(peer_message_decode(text, strlen(text), &back, NULL));
	assert_true(back.offline && back.full && !back.again && !back.more);
	assert_int_equal(back.rows.n, 26);
	assert_true(peer_table_digest(&back.rows) == m.digest);
	again = encode(&back);
	assert_string_equal(text, again);
	free(text);
	free(again);
	peer_message_clear(&m);
	peer_message_clear(&back);
}

static bool reads(const char *json, struct peer_message *out)
{
	return peer_message_decode(json, strlen(json), out, NULL);
}

static void a_newer_one_is_understood_as_far_as_we_can(void **unused)
{
	static const char newer[] =
		"{\"version\":9,\"mood\":{\"a\":[1,null]},\"from\":\"a\",\"to\":\"b\",\"time\":1.25,\"monitors\":["
		"{\"colour\":\"red\",\"slug\":\"shop\",\"sees\":\"sideways\",\"state\":\"dreaming\",\"told\":["
		"{\"id\":\"x\",\"to\":\"y\"},{\"event\":\"down\"}]}]}";
	struct peer_message m;
	struct peer_row *row;

	(void)unused;
	assert_true(reads(newer, &m));
	row = peer_table_find(&m.rows, "shop");
	assert_int_equal(row->sees, OUTCOME_UNKNOWN);
	assert_int_equal(row->state, STATE_UNKNOWN);
	assert_int_equal(row->told_count, 1);
	assert_true(peer_row_told(row, "x"));
	assert_non_null(strstr(row->raw, "\"colour\":\"red\"")); /* what counts in the digest */
	peer_message_clear(&m);
}

static void an_older_one_says_less(void **unused)
{
	struct peer_message m;

	(void)unused;
	assert_true(reads("{\"from\":\"a\",\"to\":\"b\",\"time\":1}", &m));
	assert_int_equal(m.rows.n, 0);
	assert_int_equal(m.every_us, 0);
	peer_message_clear(&m);
	assert_true(reads("{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"s\"}]}", &m));
	assert_int_equal(m.rows.at[0].sees, OUTCOME_UNKNOWN);
	assert_int_equal(m.rows.at[0].episode, 0);
	peer_message_clear(&m);
}

static void nonsense_is_refused(void **unused)
{
	static const char *const bad[] = {"", "null", "[]", "{}", "{", "{\"from\":\"a\",\"to\":\"b\"}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":0}", "{\"from\":\"a\",\"to\":\"b\",\"time\":-1}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":\"1\"}", "{\"from\":1,\"to\":\"b\",\"time\":1}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1}x", "{\"from\":\"a\",\"from\":\"a\",\"to\":\"b\",\"time\":1}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"digest\":\"12\"}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"gone\":[1]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"full\":1}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[1]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"sees\":\"up\"}]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"No Slug\"}]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"s\",\"episode\":-1}]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"s\",\"episode\":1e99}]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"s\",\"told\":[1]}]}",
		"{\"from\":\"a\",\"to\":\"b\",\"time\":1,\"monitors\":[{\"slug\":\"s\",\"told\":[{\"id\":1}]}]}"};
	struct peer_message m;
	struct error err;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		err.text[0] = '\0';
		if (peer_message_decode(bad[i], strlen(bad[i]), &m, &err))
			fail_msg("taken: %s", bad[i]);
		assert_true(err.text[0]);
		assert_null(m.from);
	}
}

static void a_missed_change_shows_in_the_digest(void **unused)
{
	struct peer_table ours = {NULL, 0}, theirs = {NULL, 0};

	(void)unused;
	for (char c = 'a'; c <= 'h'; c++) {
		put(&ours, (char[]){c, 0}, OUTCOME_UP);
		put(&theirs, (char[]){(char)('a' + 'h' - c), 0}, OUTCOME_UP);
	}
	assert_true(peer_table_digest(&ours) == peer_table_digest(&theirs));
	put(&ours, "c", OUTCOME_DOWN);
	assert_false(peer_table_digest(&ours) == peer_table_digest(&theirs));
	put(&theirs, "c", OUTCOME_DOWN);
	assert_true(peer_table_digest(&ours) == peer_table_digest(&theirs));
	assert_true(peer_table_drop(&ours, "a"));
	assert_false(peer_table_drop(&ours, "a"));
	assert_false(peer_table_digest(&ours) == peer_table_digest(&theirs));
	peer_table_clear(&ours);
	peer_table_clear(&theirs);
}

static void a_table_is_kept_with_what_we_do_not_understand(void **unused)
{
	static const char json[] = "[{\"slug\":\"a\",\"new\":1},{\"slug\":\"b\",\"sees\":\"up\"}]";
	struct peer_table table;
	struct text t = TEXT_INIT;

	(void)unused;
	assert_true(peer_table_decode(json, strlen(json), &table, NULL));
	peer_table_encode(&t, &table);
	assert_string_equal(text_str(&t), json);
	peer_table_clear(&table);
	text_free(&t);
	assert_false(peer_table_decode("[{}]", 4, &table, NULL));
	assert_false(peer_table_decode("{}", 2, &table, NULL));
}

static void only_the_newest_tellings_are_remembered(void **unused)
{
	struct peer_row row = row_make("shop", OUTCOME_DOWN);
	struct text id = TEXT_INIT;

	(void)unused;
	for (int i = 0; i < PEER_TOLD_MAX + 3; i++) {
		text_clear(&id);
		text_printf(&id, "upbeat-%d", i);
		peer_row_tell(&row, text_str(&id), "down", "ops");
		peer_row_tell(&row, text_str(&id), "down", "ops");
	}
	assert_int_equal(row.told_count, PEER_TOLD_MAX);
	assert_false(peer_row_told(&row, "upbeat-2"));
	assert_true(peer_row_told(&row, "upbeat-3") && peer_row_told(&row, text_str(&id)));
	peer_row_clear(&row);
	text_free(&id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_content_is_equal_bytes),
		cmocka_unit_test(what_was_written_is_read_and_written_the_same),
		cmocka_unit_test(a_newer_one_is_understood_as_far_as_we_can),
		cmocka_unit_test(an_older_one_says_less),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_missed_change_shows_in_the_digest),
		cmocka_unit_test(a_table_is_kept_with_what_we_do_not_understand),
		cmocka_unit_test(only_the_newest_tellings_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
