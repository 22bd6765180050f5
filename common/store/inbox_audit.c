/* SPDX-License-Identifier: ISC */
/*
 * inbox_audit: what must hold between the records of the inbox.
 *
 * Of I1 (every acknowledged beat is there once) one store shows that last values are of a heartbeat that beat;
 * of the queue that each entry is found by its sender, and that the bounds count what there is.
 */
#include <string.h>

#include "base/mem.h"
#include "store/audit_private.h"
#include "store/inbox_private.h"
#include "store/record.h"

struct sums {
	struct audit *a;
	struct book_txn *t;
	uint64_t entries[INBOX__COUNT], bytes[INBOX__COUNT]; /* by kind, of the queue */
	uint64_t told[INBOX__COUNT];                         /* of all senders' tallies */
	uint64_t newest;
};

static void look_at_words(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct sums *s = arg;
	struct key k = {.n = 0};

	(void)value;
	key_add_bytes(&k, key->mv_data, key->mv_size);
	if (!audit_has(s->t, TABLE_BEATS, &k))
		audit_broken(s->a, "I1: \"%.*s\" has a message, but never beat", (int)key->mv_size,
			(const char *)key->mv_data);
}

static void look_at_entry(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct sums *s = arg;
	unsigned kind = *(const uint8_t *)key->mv_data;
	uint64_t id = key_read_u64(key, 1);
	struct key by_sender;

	if (!kind || kind >= INBOX__COUNT)
		return; /* of a newer program */
	if (id > s->newest)
		s->newest = id;
	s->entries[kind]++;
	if (!inbox_sender_key(key, value, &by_sender, &s->bytes[kind]) ||
		!audit_has(s->t, TABLE_SENDERS, &by_sender))
		audit_broken(s->a, "entry %llu of the queue is not found by its sender",
			(unsigned long long)id);
}

static void look_at_tally(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct sums *s = arg;
	unsigned kind = *(const uint8_t *)key->mv_data;
	struct tally tally;

	if (!kind || kind >= INBOX__COUNT ||
		!record_unpack(value->mv_data, value->mv_size, &SHAPE_TALLY, &tally, NULL))
		return;
	if (key->mv_size > 1)
		s->told[kind] += tally.entries;
	else if (tally.entries != s->entries[kind] || tally.bytes != s->bytes[kind])
		audit_broken(s->a, "the queue has %llu entries of kind %u, its tally says %llu",
			(unsigned long long)s->entries[kind], kind, (unsigned long long)tally.entries);
}

static void look_at_queue(struct sums *s)
{
	struct key k = key_name("queue");
	struct counter counter = {0};
	uint64_t all = 0;
	MDB_val value;

	audit_each(s->t, s->a, TABLE_QUEUE, look_at_entry, s);
	audit_each(s->t, s->a, TABLE_TALLIES, look_at_tally, s);
	for (unsigned kind = 1; kind < INBOX__COUNT; kind++) {
		all += s->entries[kind];
		if (s->told[kind] != s->entries[kind])
			audit_broken(s->a, "the queue has %llu entries of kind %u, those of its senders sum to %llu",
				(unsigned long long)s->entries[kind], kind, (unsigned long long)s->told[kind]);
	}
	if (audit_count(s->t, TABLE_SENDERS) != all)
		audit_broken(s->a, "the index by sender has %llu entries, the queue %llu",
			(unsigned long long)audit_count(s->t, TABLE_SENDERS), (unsigned long long)all);
	if (book_get(s->t, TABLE_META, &k, &value, NULL))
		record_unpack(value.mv_data, value.mv_size, &SHAPE_COUNTER, &counter, NULL);
	if (s->newest > counter.value)
		audit_broken(s->a, "entry %llu of the queue is beyond the last number given, %llu",
			(unsigned long long)s->newest, (unsigned long long)counter.value);
	s->a->queued = all;
}

bool inbox_audit(struct inbox *inbox, struct audit *audit, struct error *err)
{
	struct book_txn t;
	struct sums sums = {.a = audit, .t = &t};

	if (inbox->remote)
		return error_set(err, ERROR_DENIED, "only who has an inbox open can audit it");
	*audit = (struct audit){.say = audit->say, .arg = audit->arg};
	if (!book_begin(inbox->book, false, &t, err))
		return false;
	if (audit_records(&t, audit)) {
		audit->beats = audit_count(&t, TABLE_BEATS);
		audit_each(&t, audit, TABLE_WORDS, look_at_words, &sums);
		look_at_queue(&sums);
	}
	book_end(&t);
	return true;
}
