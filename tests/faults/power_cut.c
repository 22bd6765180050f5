/* SPDX-License-Identifier: ISC */
/*
 * power_cut: what may a disk hold when the power is cut, and does the book still open, hold, and have all that
 * was acknowledged?
 *
 *	power_cut RECORD BOOK INITIAL WORKDIR MOST SEED
 *
 * RECORD is of record_writes.c, BOOK "inbox" or "state", INITIAL its data.mdb before the first entry. At each
 * entry the power is cut: what was synced is on the disk; of what was not, any part may be, in any order, and a
 * write may be torn between sectors of 512 bytes. From all these states MOST are chosen (0: all of the regular
 * ones, and RANDOM_OF_EACH random ones at each entry); each is opened in a child, audited, asked for the newest
 * acknowledged beats, and every fifth takes a new beat, too. Prints one line of counts; exit status 1 when
 * anything was lost.
 *
 * Tears within a sector are counted apart: disks do not do that, and LMDB's meta page (a 120-byte write that
 * lies in one sector) has no checksum that would notice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "record.h"
#include "store/audit.h"
#include "store/inbox.h"
#include "store/state.h"

#define SECTOR 512
#define SLUGS_MAX 64
#define RANDOM_OF_EACH 6
#define WRITE_EACH 5 /* every so manieth state takes a new beat */

enum cut {
	CUT_PREFIX,  /* everything that was written so far is there, synced or not */
	CUT_SYNCED,  /* only what was synced */
	CUT_SUBSET,  /* of what was not synced, any of the writes */
	CUT_SECTORS, /* any of their sectors */
	CUT_TORN,    /* the write at hand came to the middle of its sectors */
	CUT_BYTES,   /* the write at hand was torn within a sector */
	CUT__COUNT
};
static const char *const cut_names[CUT__COUNT] = {"prefix", "synced", "subset", "sectors", "torn", "bytes"};

struct step {
	struct entry head;
	const uint8_t *bytes;
};

static struct {
	struct step *steps;
	size_t count;
	uint8_t *image;      /* what is synced by now */
	size_t size, used;   /* of the file; up to the last byte that is not zero */
	char *dir;
	bool inbox;
	struct {
		char slug[SLUG_MAX + 1];
		int64_t time_us;
	} acked[SLUGS_MAX];
	size_t acked_count;
	uint64_t states[CUT__COUNT], bad[CUT__COUNT], lost[CUT__COUNT], writes;
	uint64_t random;
} run;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "power_cut: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t random_next(void) /* xorshift64* */
{
	run.random ^= run.random >> 12;
	run.random ^= run.random << 25;
	run.random ^= run.random >> 27;
	return run.random * UINT64_C(2685821657736338717);
}

/* ---- reading the record ------------------------------------------------------------------------------ */

static uint8_t *read_file(const char *path, size_t *n)
{
	struct text t = TEXT_INIT;
	struct error err;

	if (!file_read(path, (size_t)1 << 31, &t, &err)) {
		fprintf(stderr, "power_cut: %s\n", err.text);
		exit(2);
	}
	*n = t.len;
	return (uint8_t *)text_take(&t);
}

static void read_record(const char *path, char book)
{
	size_t n, at = 0;
	const uint8_t *bytes = read_file(path, &n);

	while (at + sizeof(struct entry) <= n) {
		struct step step;

		memcpy(&step.head, bytes + at, sizeof(step.head));
		step.bytes = bytes + at + sizeof(step.head);
		at += sizeof(step.head) + step.head.length;
		if (step.head.magic != ENTRY_MAGIC || at > n)
			fail("the record is no record");
		if (step.head.book != book)
			continue;
		if (!(run.count & (run.count - 1)))
			run.steps = mem_grow(run.steps, run.count ? 2 * run.count : 1, sizeof(*run.steps));
		run.steps[run.count++] = step;
	}
}

static void acknowledge(const struct step *step)
{
	char slug[SLUG_MAX + 1], line[128] = "";
	long long time_us;
	size_t i;

	memcpy(line, step->bytes, step->head.length < sizeof(line) - 1 ? step->head.length : sizeof(line) - 1);
	if (sscanf(line, "%64s %lld", slug, &time_us) != 2)
		fail("an acknowledgement is none");
	for (i = 0; i < run.acked_count && strcmp(run.acked[i].slug, slug); i++)
		;
	if (i == SLUGS_MAX)
		fail("too many slugs");
	if (i == run.acked_count) {
		memcpy(run.acked[i].slug, slug, strlen(slug) + 1);
		run.acked_count++;
	}
	run.acked[i].time_us = time_us;
}

/* ---- images ------------------------------------------------------------------------------------------ */

static void apply(uint8_t *image, size_t size, const struct step *w, size_t from, size_t to)
{
	if (w->head.offset + to <= size)
		memcpy(image + w->head.offset + from, w->bytes + from, to - from);
}

/* A write beyond the end of the file makes it longer. */
static void make_room(const struct step *w)
{
	size_t end = (size_t)w->head.offset + w->head.length;

	if (w->head.kind != 'w')
		return;
	if (end > run.size) {
		run.image = mem_grow(run.image, end, 1);
		memset(run.image + run.size, 0, end - run.size);
		run.size = end;
	}
	for (size_t i = w->head.length; i > 0; i--)
		if (w->bytes[i - 1]) {
			if (w->head.offset + i > run.used)
				run.used = (size_t)w->head.offset + i;
			break;
		}
}

static void apply_sectors(uint8_t *image, size_t size, const struct step *w)
{
	for (size_t at = 0; at < w->head.length;) {
		size_t end = SECTOR - (w->head.offset + at) % SECTOR + at;

		end = end < w->head.length ? end : w->head.length;
		if (random_next() & 1)
			apply(image, size, w, at, end);
		at = end;
	}
}

static size_t torn_at(const struct step *w, bool within)
{
	size_t first = SECTOR - w->head.offset % SECTOR, sectors;

	if (within)
		return w->head.length > 1 ? 1 + random_next() % (w->head.length - 1) : 0;
	if (first >= w->head.length)
		return 0;
	sectors = (w->head.length - first) / SECTOR + 1;
	return first + random_next() % sectors * SECTOR;
}

/* ---- is it well? ------------------------------------------------------------------------------------- */

static void complain(void *arg, const char *what)
{
	fprintf(stderr, "%s: %s\n", (const char *)arg, what);
}

enum { WELL = 0, BAD = 1, LOST = 2 };

static int look_at_inbox(const char *name, bool writes)
{
	struct audit audit = {.say = complain, .arg = (void *)(uintptr_t)name};
	struct error err = {ERROR_NONE, ""};
	struct inbox *inbox = inbox_open(run.dir, writes ? STORE_WRITE : STORE_READ, &err);

	if (!inbox || !inbox_audit(inbox, &audit, &err) || audit.damaged || audit.broken) {
		fprintf(stderr, "%s: %s\n", name, err.text);
		return BAD;
	}
	for (size_t i = 0; i < run.acked_count; i++) {
		struct beat_last last;
		bool found;

		if (!inbox_beat_read(inbox, run.acked[i].slug, &last, &found, &err))
			return BAD;
		if (!found || last.last_time_us < run.acked[i].time_us) {
			fprintf(stderr, "%s: %s was acknowledged at %lld, stored is %lld\n", name, run.acked[i].slug,
				(long long)run.acked[i].time_us, (long long)last.last_time_us);
			return LOST;
		}
	}
	if (writes) {
		const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = INT64_C(3600000)};
		struct beat beat = {.has_time = true, .exit_status = -1, .length_us = -1};
		enum beat_verdict verdict;
		struct moment now;
		int64_t last_us;

		clock_now(&now);
		beat.time_us = now.wall_us;
		if (!inbox_beat_store(inbox, "afterwards", &rules, &beat, &now, &verdict, &last_us, &err) ||
			verdict != BEAT_OK || !inbox_audit(inbox, &audit, &err) || audit.damaged || audit.broken) {
			fprintf(stderr, "%s: no new beat: %s\n", name, err.text);
			return BAD;
		}
	}
	inbox_close(inbox);
	return WELL;
}

static int look_at_state(const char *name, bool writes)
{
	struct audit audit = {.say = complain, .arg = (void *)(uintptr_t)name};
	struct error err = {ERROR_NONE, ""};
	struct state *state = state_open(run.dir, writes ? STORE_WRITE : STORE_READ, &err);
	struct state_txn *txn;

	if (!state || !state_audit(state, &audit, &err) || audit.damaged || audit.broken) {
		fprintf(stderr, "%s: %s\n", name, err.text);
		return BAD;
	}
	if (writes) {
		txn = state_begin(state, true, &err);
		if (!txn || !state_note_put(txn, "afterwards", "x", &err) || !state_commit(txn, &err) ||
			!state_audit(state, &audit, &err) || audit.damaged || audit.broken)
			return BAD;
	}
	state_close(state);
	return WELL;
}

static void write_image(const uint8_t *image)
{
	char *book = file_join(run.dir, run.inbox ? "inbox" : "state"), *path = file_join(book, "data.mdb"),
	     *lock = file_join(book, "lock.mdb");
	int fd;

	unlink(lock);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, image, run.used) != (ssize_t)run.used || ftruncate(fd, (off_t)run.size))
		fail(path);
	close(fd);
	free(book);
	free(path);
	free(lock);
}

static void look(enum cut cut, size_t step, const uint8_t *image)
{
	uint64_t number = 0;
	bool writes;
	char name[64];
	int status;
	pid_t child;

	for (int i = 0; i < CUT__COUNT; i++)
		number += run.states[i];
	writes = number % WRITE_EACH == 0 && cut != CUT_BYTES;
	snprintf(name, sizeof(name), "cut at entry %zu, %s", step, cut_names[cut]);
	write_image(image);
	child = fork();
	if (child == 0)
		_exit(run.inbox ? look_at_inbox(name, writes) : look_at_state(name, writes));
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("fork");
	run.states[cut]++;
	run.writes += writes;
	if (WIFEXITED(status) && WEXITSTATUS(status) == LOST)
		run.lost[cut]++;
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != WELL)
		run.bad[cut]++;
}

/* ---- the states at one entry ------------------------------------------------------------------------- */

static bool chosen(size_t most, size_t possible)
{
	return !most || random_next() % possible < most;
}

/* `pending`: the writes [from, to) that no sync followed; those that were synchronous themselves are in the
   image already. `now`: the write at hand, or NULL. */
static void states_at(size_t from, size_t to, const struct step *now, size_t most, size_t possible)
{
	uint8_t *image = mem_alloc(run.used + 1);

	for (int i = 0; i < CUT__COUNT + RANDOM_OF_EACH; i++) {
		enum cut cut = i < CUT__COUNT ? (enum cut)i : i & 1 ? CUT_SECTORS : CUT_SUBSET;
		size_t torn = now && (cut == CUT_TORN || cut == CUT_BYTES) ? torn_at(now, cut == CUT_BYTES) : 0;

		if (!chosen(most, possible) || ((cut == CUT_TORN || cut == CUT_BYTES) && !torn))
			continue;
		memcpy(image, run.image, run.used);
		for (size_t s = from; s < to && cut != CUT_SYNCED; s++) {
			const struct step *w = &run.steps[s];

			if (w->head.kind != 'w' || w->head.durable)
				continue;
			if (cut == CUT_SECTORS)
				apply_sectors(image, run.used, w);
			else if (cut != CUT_SUBSET || random_next() & 1)
				apply(image, run.used, w, 0, w->head.length);
		}
		if (torn)
			apply(image, run.used, now, 0, torn);
		look(cut, to, image);
	}
	free(image);
}

static void cut_everywhere(size_t most)
{
	size_t from = 0, possible = run.count * (CUT__COUNT + RANDOM_OF_EACH);

	for (size_t s = 0; s < run.count; s++) {
		struct step *step = &run.steps[s];

		make_room(step);
		if (step->head.kind != 'a')
			states_at(from, s, step->head.kind == 'w' ? step : NULL, most, possible);
		if (step->head.kind == 'a') {
			acknowledge(step);
		} else if (step->head.kind == 'f') {
			for (; from < s; from++)
				if (run.steps[from].head.kind == 'w' && !run.steps[from].head.durable)
					apply(run.image, run.size, &run.steps[from], 0, run.steps[from].head.length);
			from = s + 1;
		} else if (step->head.durable) {
			apply(run.image, run.size, step, 0, step->head.length);
		}
	}
	states_at(from, run.count, NULL, 0, 1);
}

int main(int argc, char **argv)
{
	uint64_t states = 0, bad = 0, lost = 0;

	if (argc != 7)
		return 2;
	run.inbox = !strcmp(argv[2], "inbox");
	run.dir = argv[4];
	run.random = strtoull(argv[6], NULL, 10) | 1;
	read_record(argv[1], run.inbox ? 'i' : 's');
	run.image = read_file(argv[3], &run.size);
	for (run.used = run.size; run.used && !run.image[run.used - 1]; run.used--)
		;
	cut_everywhere(strtoul(argv[5], NULL, 10));
	for (int i = 0; i < CUT__COUNT; i++) {
		if (i == CUT_BYTES)
			continue;
		states += run.states[i];
		bad += run.bad[i];
		lost += run.lost[i];
	}
	printf("{\"entries\": %zu, \"states\": %llu, \"damaged\": %llu, \"lost\": %llu, \"written\": %llu, "
	       "\"within_sector\": %llu, \"within_sector_bad\": %llu}\n",
		run.count, (unsigned long long)states, (unsigned long long)bad, (unsigned long long)lost,
		(unsigned long long)run.writes, (unsigned long long)run.states[CUT_BYTES],
		(unsigned long long)(run.bad[CUT_BYTES] + run.lost[CUT_BYTES]));
	return bad || lost;
}
