/* SPDX-License-Identifier: ISC */
/* state_peer: peers in notes of the state. See peer_book.h. */
#include "store/peer_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void peer_note_name(struct text *t, const char *peer, enum peer_note which)
{
	static const char *const names[] = {
		[PEER_NOTE_HEAD] = "head", [PEER_NOTE_ROWS] = "rows", [PEER_NOTE_SENT] = "sent"};

	text_printf(t, "peer/%s/%s", peer, names[which]);
}

static char *read_note(struct state_txn *txn, const char *peer, enum peer_note which)
{
	struct text name = TEXT_INIT;
	char *note = NULL;

	peer_note_name(&name, peer, which);
	if (!state_note_get(txn, text_str(&name), &note, NULL))
		note = NULL;
	text_free(&name);
	return note;
}

bool peer_head_read(struct state_txn *txn, const char *peer, struct peer_head *out)
{
	char *note = read_note(txn, peer, PEER_NOTE_HEAD);
	bool ok = note && peer_head_decode(note, strlen(note), out, NULL);

	if (!ok)
		*out = (struct peer_head){0};
	free(note);
	return ok;
}

bool peer_rows_read(struct state_txn *txn, const char *peer, struct peer_table *out)
{
	char *note = read_note(txn, peer, PEER_NOTE_ROWS);
	bool ok = note && peer_table_decode(note, strlen(note), out, NULL);

	if (!ok)
		*out = (struct peer_table){NULL, 0};
	free(note);
	return ok;
}

static bool counts_for(const struct monitor *monitor, const char *peer)
{
	for (size_t i = 0; i < monitor->place_count; i++)
		if (strcmp(monitor->places[i], peer) == 0)
			return true;
	return monitor->place_count == 0;
}

bool peer_sighting(const char *peer, const struct peer_head *head, const struct peer_table *rows,
	const struct monitor *monitor, int64_t since_us, int64_t now_us, struct sighting *out)
{
	const struct peer_row *row =
		counts_for(monitor, peer) ? peer_table_find(rows, monitor->slug) : NULL;

	if (!row)
		return false;
	*out = (struct sighting){.from = mem_str(peer),
		.sees = peering_view(head, row, since_us, now_us),
		.mute = peering_vote(head, row, since_us, now_us) == OUTCOME_UNKNOWN,
		.detail = row->cause ? mem_str(row->cause) : NULL,
		.told_us = head->time_us,
		.peer = true,
		.heard_us = head->heard_us};
	return true;
}

void peer_sightings(struct state_txn *txn, const struct site *site, const struct monitor *monitor,
	int64_t since_us, int64_t now_us, struct sighting **list, size_t *n)
{
	for (size_t i = 0; i < site->peer_count; i++) {
		const char *peer = site->peer_keys[i].name;
		struct peer_table rows;
		struct peer_head head;

		if (!peer_head_read(txn, peer, &head) || !peer_rows_read(txn, peer, &rows))
			continue;
		*list = mem_grow(*list, *n + 1, sizeof(**list));
		if (peer_sighting(peer, &head, &rows, monitor, since_us, now_us, &(*list)[*n]))
			(*n)++;
		peer_table_clear(&rows);
	}
}
