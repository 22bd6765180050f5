/* SPDX-License-Identifier: ISC */
/*
 * Another Upbeat's message: it is refused with a reason, or understood; what was understood is
 * written and read back as the same bytes, and can be kept as a table.
 */
#include "base/mem.h"
#include "fuzz.h"
#include "model/peer.h"

static void check_table(const struct peer_message *message)
{
	struct text kept = TEXT_INIT;
	struct peer_table back;

	peer_table_encode(&kept, &message->rows);
	FUZZ_CHECK(peer_table_decode(text_str(&kept), kept.len, &back, NULL));
	FUZZ_CHECK(back.n == message->rows.n);
	FUZZ_CHECK(peer_table_digest(&back) == peer_table_digest(&message->rows));
	for (size_t i = 0; i < back.n; i++) {
		FUZZ_CHECK(peer_table_find(&back, back.at[i].slug) == &back.at[i]);
		FUZZ_CHECK(back.at[i].told_count <= PEER_TOLD_MAX);
		peer_row_seal(&back.at[i]);
	}
	peer_table_clear(&back);
	text_free(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text once = TEXT_INIT, twice = TEXT_INIT;
	struct peer_message message, back;
	struct error err = {0};

	if (!peer_message_decode((const char *)data, size, &message, &err)) {
		FUZZ_CHECK(err.text[0]);
		return 0;
	}
	FUZZ_CHECK(message.from && message.to && message.time_us > 0);
	check_table(&message);
	peer_message_encode(&once, &message);
	FUZZ_CHECK(peer_message_decode(text_str(&once), once.len, &back, &err));
	peer_message_encode(&twice, &back);
	FUZZ_CHECK(once.len == twice.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
	peer_message_clear(&message);
	peer_message_clear(&back);
	text_free(&once);
	text_free(&twice);
	return 0;
}
