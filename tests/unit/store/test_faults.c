/* SPDX-License-Identifier: ISC */
/*
 * The books when the disk, the file system, the limits or the records let them down.
 *
 * The system calls that LMDB and we write with come through this file, so that any one of them can be made
 * to fail. Promises checked throughout: what was acknowledged is there, what failed says so in the right
 * kind, the process lives, and all works again once the fault is over, without anybody's help.
 */
#include "store_test.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/calendar.h"
#include "store/copies.h"
#include "store/inbox.h"
#include "store/lmdb_book.h"
#include "store/state.h"

static struct error err;
static const struct heartbeat_rules rules = {.max_age_ms = 300000, .window_ms = INT64_C(300000000)};

/* ---- system calls that can fail ---------------------------------------------------------------------- */

enum call {
	CALL_PWRITE,
	CALL_WRITEV,
	CALL_FDATASYNC,
	CALL_FSYNC,
	CALL_MMAP,
	CALL_FTRUNCATE,
	CALL_OPEN,
	CALL__COUNT
};
static const char *const call_names[CALL__COUNT] = {
	"pwrite", "writev", "fdatasync", "fsync", "mmap", "ftruncate", "open",
};

/* Calls of one kind fail from the `from`th on, `times` times; 0: none do. */
static struct {
	atomic_int call;
	atomic_int from, times, error;
	atomic_bool shortened; /* writes half instead of failing */
	atomic_int seen, hit;
} fault;

static void set_fault(enum call call, int from, int times, int error)
{
	fault.call = call;
	fault.from = from;
	fault.times = times;
	fault.error = error;
	fault.shortened = false;
	atomic_store(&fault.seen, 0);
	atomic_store(&fault.hit, 0);
}

static void end_fault(void)
{
	fault.from = 0;
}

static bool fails(enum call call)
{
	int n;

	if (!fault.from || fault.call != (int)call)
		return false;
	n = atomic_fetch_add(&fault.seen, 1) + 1;
	if (n < fault.from || n >= fault.from + fault.times)
		return false;
	atomic_fetch_add(&fault.hit, 1);
	errno = fault.error;
	return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (fails(CALL_PWRITE)) {
		if (!fault.shortened)
			return -1;
		n /= 2;
	}
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	if (fails(CALL_WRITEV)) {
		if (!fault.shortened)
			return -1;
		return syscall(SYS_writev, fd, iov, n / 2);
	}
	return syscall(SYS_writev, fd, iov, n);
}

int fdatasync(int fd)
{
	return fails(CALL_FDATASYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	if (fd >= 0 && fails(CALL_MMAP)) /* never those of malloc */
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, from);
}

int ftruncate(int fd, off_t size)
{
	return fails(CALL_FTRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- help -------------------------------------------------------------------------------------------- */

static struct inbox *open_inbox(const char *dir, enum store_mode mode)
{
	struct inbox *inbox = inbox_open(dir, mode, &err);

	if (!inbox)
		print_error("%s\n", err.text);
	assert_non_null(inbox);
	return inbox;
}

static bool beat_once(struct inbox *inbox, const char *slug, int64_t n)
{
	struct beat beat = {.has_time = true, .time_us = T0_US + n, .exit_status = -1, .length_us = -1};
	struct moment now = moment_at(T0_US);
	enum beat_verdict verdict;
	int64_t last;

	return inbox_beat_store(inbox, slug, &rules, &beat, &now, &verdict, &last, &err) &&
	       verdict == BEAT_OK;
}

static int64_t newest(struct inbox *inbox, const char *slug)
{
	struct beat_last last;
	int64_t time_us;
	bool found;

	assert_ok(inbox_beat_read(inbox, slug, &last, &found, &err));
	time_us = found ? last.last_time_us - T0_US : 0;
	beat_last_clear(&last);
	return time_us;
}

/* A reader looks only every few milliseconds whether its book is still the one in its place. */
static bool soon_newest(struct inbox *inbox, const char *slug, int64_t wanted)
{
	for (int i = 0; i < 1000; i++) {
		struct beat_last last;
		bool found, there;

		there = inbox_beat_read(inbox, slug, &last, &found, &err) && found &&
			last.last_time_us - T0_US == wanted;
		beat_last_clear(&last);
		if (there)
			return true;
		usleep(1000);
	}
	return false;
}

/* In a child, so that limits, users and mounts end with it. 77: cannot be tried here. */
#define CANNOT 77
static void in_child(void (*work)(const char *dir), const char *dir)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		work(dir);
		_exit(0);
	}
	status = wait_for(child);
	if (status == CANNOT)
		skip();
	assert_int_equal(status, 0);
}

/* ---- every call at every place ----------------------------------------------------------------------- */

struct deed {
	int64_t acknowledged;
	uint64_t queued, heard;
};

static bool hear(void *arg, const struct inbox_entry *entry)
{
	struct deed *deed = arg;

	deed->heard += entry->id <= deed->queued;
	return true;
}

/* Opens, beats, queues; notes what was acknowledged. Whatever fails is simply not acknowledged. */
static void live_through(const char *dir, struct deed *deed)
{
	struct inbox *inbox = inbox_open(dir, STORE_CREATE, &err);
	struct moment now = moment_at(T0_US);

	for (int i = 1; inbox && i <= 4; i++) {
		uint64_t id;

		if (beat_once(inbox, "hubot", i))
			deed->acknowledged = i;
		if (inbox_queue_put(inbox, INBOX_REQUEST, "alice", "{}", 2, &now, 0, &id, &err))
			deed->queued = id;
	}
	end_fault();
	if (inbox) { /* the same process goes on */
		assert_true(beat_once(inbox, "hubot", 5));
		deed->acknowledged = 5;
	}
	inbox_close(inbox);
}

static void try_fault(const char *dir, enum call call, int from, int error, bool shortened)
{
	struct deed deed = {0};
	struct inbox *inbox;
	uint64_t records;

	set_fault(call, from, 1, error);
	fault.shortened = shortened;
	live_through(dir, &deed);
	inbox = open_inbox(dir, STORE_CREATE);
	assert_true(newest(inbox, "hubot") >= deed.acknowledged);
	assert_ok(inbox_queue_scan(inbox, 0, 0, hear, &deed, &err));
	assert_true(!deed.queued || deed.heard >= 1);
	assert_true(beat_once(inbox, "hubot", 9));
	assert_ok(inbox_verify(inbox, &records, &err));
	inbox_close(inbox);
}

static void test_each_call_may_fail_once_at_each_place(void **state)
{
	static const int errors[] = {EIO, ENOSPC};
	int points = 0;

	for (int call = 0; call < CALL__COUNT; call++)
		for (size_t e = 0; e <= COUNT_OF(errors); e++) {
			bool shortened = e == COUNT_OF(errors);

			if (shortened && call != CALL_PWRITE && call != CALL_WRITEV)
				continue;
			for (int from = 1;; from++) {
				char *dir = file_join(*state, call_names[call]);

				assert_int_equal(mkdir(dir, 0700), 0);
				try_fault(dir, (enum call)call, from, shortened ? 0 : errors[e], shortened);
				remove_tree(dir);
				free(dir);
				if (!atomic_load(&fault.hit))
					break;
				points++;
			}
		}
	print_message("%d places\n", points);
	assert_true(points > 50);
}

/* ---- what kind of error, and what comes after -------------------------------------------------------- */

static uint64_t transaction(struct inbox *inbox)
{
	struct store_figures figures;

	assert_ok(inbox_figures(inbox, &figures, &err));
	return figures.transaction;
}

static void test_errors_are_told_by_kind(void **state)
{
	static const struct {
		enum call call;
		int error;
		enum error_kind kind;
	} rows[] = {
		{CALL_WRITEV, ENOSPC, ERROR_FULL},
		{CALL_WRITEV, EDQUOT, ERROR_FULL},
		{CALL_WRITEV, EFBIG, ERROR_FULL},
		{CALL_WRITEV, EIO, ERROR_TEMPORARY},
		{CALL_FDATASYNC, EIO, ERROR_TEMPORARY},
		{CALL_FDATASYNC, ENOSPC, ERROR_FULL},
		{CALL_PWRITE, EIO, ERROR_TEMPORARY}, /* the meta page: LMDB gives the environment up */
		{CALL_PWRITE, ENOSPC, ERROR_FULL},
	};
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	int64_t n = 1;

	assert_true(beat_once(inbox, "hubot", n++));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t before = transaction(inbox);

		set_fault(rows[i].call, 1, 1000, rows[i].error);
		assert_false(beat_once(inbox, "hubot", n));
		assert_int_equal(err.kind, rows[i].kind);
		assert_true(atomic_load(&fault.hit) > 0);
		end_fault();
		assert_int_equal(transaction(inbox), before);
		assert_true(beat_once(inbox, "hubot", n));
		assert_int_equal(transaction(inbox), before + 1);
		assert_int_equal(newest(inbox, "hubot"), n++);
	}
	inbox_close(inbox);
}

struct worker {
	struct inbox *inbox;
	pthread_t thread;
	int number;
	atomic_int *stop;
	int64_t stored, refused, reads;
	bool bad;
};

static void *beat_on(void *arg)
{
	struct worker *w = arg;
	char slug[16];

	snprintf(slug, sizeof(slug), "m%d", w->number);
	for (int64_t i = 1; !atomic_load(w->stop); i++) {
		struct beat beat = {
			.has_time = true, .time_us = T0_US + i, .exit_status = -1, .length_us = -1};
		struct moment now = moment_at(T0_US);
		enum beat_verdict verdict;
		struct error why;
		int64_t last;

		if (inbox_beat_store(w->inbox, slug, &rules, &beat, &now, &verdict, &last, &why))
			w->stored = i;
		else
			w->refused++;
	}
	return NULL;
}

static void *read_on(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(w->stop)) {
		struct beat_last last;
		struct error why;
		bool found;

		if (!inbox_beat_read(w->inbox, "m0", &last, &found, &why)) {
			print_error("%s\n", why.text);
			w->bad = true;
		}
		beat_last_clear(&last);
		w->reads++;
	}
	return NULL;
}

/* The disk fails now and then while eight threads beat and four read: readers notice nothing of the
   environment being closed and opened again below them. */
static void test_reopening_below_readers_is_not_noticed(void **state)
{
	enum { WRITERS = 8, READERS = 4 };
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	struct worker workers[WRITERS + READERS];
	atomic_int stop = 0;
	int64_t refused = 0;

	for (int i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){.inbox = inbox, .number = i, .stop = &stop};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, i < WRITERS ? beat_on : read_on,
			&workers[i]), 0);
	}
	for (int i = 0; i < 60; i++) {
		set_fault(i % 2 ? CALL_FDATASYNC : CALL_PWRITE, 1, 2, EIO);
		usleep(5000);
	}
	end_fault();
	usleep(5000);
	atomic_store(&stop, 1);
	for (int i = 0; i < WRITERS + READERS; i++) {
		char slug[16];

		pthread_join(workers[i].thread, NULL);
		snprintf(slug, sizeof(slug), "m%d", i);
		refused += workers[i].refused;
		assert_false(workers[i].bad);
		if (i < WRITERS)
			assert_int_equal(newest(inbox, slug), workers[i].stored);
		else
			assert_true(workers[i].reads > 0);
	}
	assert_true(refused > 0);
	inbox_close(inbox);
}

static void test_a_failed_commit_of_the_state_leaves_what_was(void **state)
{
	struct state *s = state_open(*state, STORE_CREATE, &err);
	struct state_txn *txn;
	uint64_t seen;

	assert_non_null(s);
	for (uint64_t i = 1; i <= 6; i++) {
		txn = state_begin(s, true, &err);
		assert_ok(state_inbox_seen_put(txn, i, &err));
		if (i % 2)
			set_fault(i == 3 ? CALL_PWRITE : CALL_FDATASYNC, 1, 100, i == 5 ? ENOSPC : EIO);
		assert_true(state_commit(txn, &err) == !(i % 2));
		end_fault();
		txn = state_begin(s, false, &err);
		assert_non_null(txn);
		assert_ok(state_inbox_seen(txn, &seen, &err));
		assert_int_equal(seen, i - i % 2);
		state_end(txn);
	}
	state_close(s);
}

/* ---- limits ------------------------------------------------------------------------------------------ */

static void live_with_small_files(const char *dir)
{
	const struct rlimit limit = {200 << 10, 200 << 10};
	struct moment now = moment_at(T0_US);
	char payload[4001] = {0};
	struct inbox *inbox;
	int stored = 0;

	check(!setrlimit(RLIMIT_FSIZE, &limit));
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox);
	memset(payload, 'x', sizeof(payload) - 1);
	for (int i = 1; i <= 50; i++) {
		char sender[16];
		uint64_t id;

		snprintf(sender, sizeof(sender), "s%d", i);
		if (inbox_queue_put(inbox, INBOX_HOOK, sender, payload, 4000, &now, 0, &id, &err))
			stored++;
		else
			check(err.kind == ERROR_FULL);
	}
	check(stored > 5 && stored < 50);
	check(beat_once(inbox, "hubot", 1) || err.kind == ERROR_FULL);
	inbox_close(inbox);
}

static void test_a_file_size_limit_is_out_of_room_and_not_death(void **state)
{
	in_child(live_with_small_files, *state);
}

static size_t address_space_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (f && fscanf(f, "%zu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4;
}

static void live_in_little_address_space(const char *dir)
{
	struct rlimit limit;
	struct store_figures figures;
	struct inbox *inbox;

#ifdef __SANITIZE_ADDRESS__
	_exit(CANNOT);
#endif
	limit.rlim_cur = limit.rlim_max = (address_space_kb() + (40 << 10)) << 10;
	check(!setrlimit(RLIMIT_AS, &limit));
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox);
	check(inbox_figures(inbox, &figures, &err) && figures.map_bytes < BOOK_MAP_FIRST);
	for (int i = 1; i <= 100; i++)
		check(beat_once(inbox, "hubot", i));
	inbox_close(inbox);
}

static void test_an_address_space_limit_makes_the_map_smaller(void **state)
{
	in_child(live_in_little_address_space, *state);
}

static bool put_note(struct state *s, int number)
{
	struct state_txn *txn = state_begin(s, true, &err);
	char name[16], *value = mem_alloc((1 << 20) + 1);
	bool ok = txn != NULL;

	memset(value, 'x', 1 << 20);
	snprintf(name, sizeof(name), "n%d", number);
	if (ok && !state_note_put(txn, name, value, &err)) {
		state_end(txn);
		ok = false;
	} else if (ok) {
		ok = state_commit(txn, &err);
	}
	free(value);
	return ok;
}

static void outgrow_address_space(const char *dir)
{
	struct rlimit limit;
	struct state *s;
	int stored = 0;

#ifdef __SANITIZE_ADDRESS__
	_exit(CANNOT);
#endif
	limit.rlim_cur = limit.rlim_max = (address_space_kb() + (100 << 10)) << 10;
	check(!setrlimit(RLIMIT_AS, &limit));
	s = state_open(dir, STORE_CREATE, &err);
	check(s);
	while (stored < 100 && put_note(s, stored))
		stored++;
	check(stored > 40 && stored < 64 && err.kind == ERROR_FULL);
	for (int i = 0; i < 3; i++)
		check(!put_note(s, stored) && err.kind == ERROR_FULL);
	for (int i = 0; i < 30; i++) { /* what is there may be deleted, and then there is room again */
		struct state_txn *txn = state_begin(s, true, &err);
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		check(txn && state_note_put(txn, name, NULL, &err) && state_commit(txn, &err));
	}
	for (int i = 0; i < 20; i++)
		check(put_note(s, i));
	state_close(s);
}

static void test_a_map_that_cannot_grow_is_full_and_recovers(void **state)
{
	in_child(outgrow_address_space, *state);
}

/* ---- full disks, read-only disks --------------------------------------------------------------------- */

/* A small disk of one's own at dir. */
static void mount_small(const char *dir, const char *options)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("small", dir, "tmpfs", 0, options)) {
		fprintf(stderr, "skipped: mounting is not permitted here\n");
		_exit(CANNOT);
	}
}

static void fill_disk(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	static const char block[4096] = {1};

	check(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void read_on_a_full_disk(const char *dir)
{
	char *hog = file_join(dir, "hog");
	struct state *s;

	mount_small(dir, "size=24m");
	s = state_open(dir, STORE_CREATE, &err);
	check(s);
	state_close(s);
	fill_disk(hog);
	s = state_open(dir, STORE_READ, &err);
	check(s);
	for (int i = 0; i < 500; i++)
		check(state_begin(s, false, &err)); /* each takes a slot in lock.mdb; ended by exiting */
	free(hog);
}

static void test_a_full_disk_does_not_stop_readers(void **state)
{
	in_child(read_on_a_full_disk, *state);
}

static void beat_on_a_full_disk(const char *dir)
{
	char *hog = file_join(dir, "hog");
	struct inbox *inbox;
	struct beat_last last;
	char slug[16];
	bool found;

	mount_small(dir, "size=24m");
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox);
	fill_disk(hog);
	for (int i = 1; i <= 2000; i++) { /* of a hundred heartbeats that never beat before */
		snprintf(slug, sizeof(slug), "m%d", i % 100);
		check(beat_once(inbox, slug, i));
	}
	check(inbox_beat_read(inbox, "m0", &last, &found, &err) && last.last_time_us == T0_US + 2000);
	inbox_close(inbox);
	inbox = inbox_open(dir, STORE_WRITE, &err);
	check(inbox && beat_once(inbox, "m0", 3000));
	inbox_close(inbox);
	free(hog);
}

static void test_a_full_disk_does_not_stop_beats(void **state)
{
	in_child(beat_on_a_full_disk, *state);
}

static void begin_on_a_tiny_disk(const char *dir)
{
	char *hog = file_join(dir, "hog"), payload[4001] = {0};
	struct moment now = moment_at(T0_US);
	struct inbox *inbox;
	bool full = false;
	uint64_t id, records;

	mount_small(dir, "size=400k");
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox);
	check(beat_once(inbox, "hubot", 1));
	memset(payload, 'x', sizeof(payload) - 1);
	for (int i = 0; !full && i < 200; i++)
		full = !inbox_queue_put(inbox, INBOX_HOOK, "x", payload, 4000, &now, 0, &id, &err);
	check(full && err.kind == ERROR_FULL);
	check(inbox_verify(inbox, &records, &err));
	check(!mount("small", dir, "tmpfs", MS_REMOUNT, "size=40m"));
	check(inbox_queue_put(inbox, INBOX_HOOK, "y", payload, 4000, &now, 0, &id, &err));
	check(beat_once(inbox, "hubot", 2));
	inbox_close(inbox);
	free(hog);
}

static void test_a_disk_too_small_is_full_and_recovers(void **state)
{
	in_child(begin_on_a_tiny_disk, *state);
}

static void read_a_read_only_disk(const char *dir)
{
	struct inbox *inbox;
	struct beat_last last;
	bool found;

	mount_small(dir, "size=40m");
	inbox = inbox_open(dir, STORE_CREATE, &err);
	check(inbox && beat_once(inbox, "hubot", 1));
	inbox_close(inbox);
	check(!mount("small", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=40m"));
	for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++) {
		inbox = inbox_open(dir, mode, &err);
		check(inbox);
		check(inbox_beat_read(inbox, "hubot", &last, &found, &err) && found);
		beat_last_clear(&last);
		check(!beat_once(inbox, "hubot", 2) && err.kind == ERROR_DENIED);
		if (mode != STORE_CREATE)
			inbox_close(inbox);
	}
	check(strstr(err.text, "read-only"));
	/* writable again: the open book notices by itself */
	check(!mount("small", dir, "tmpfs", MS_REMOUNT, "size=40m"));
	check(beat_once(inbox, "hubot", 2));
	check(inbox_beat_read(inbox, "hubot", &last, &found, &err) && last.last_time_us == T0_US + 2);
	inbox_close(inbox);
}

static void test_a_read_only_disk_can_be_read(void **state)
{
	in_child(read_a_read_only_disk, *state);
}

/* ---- who may ----------------------------------------------------------------------------------------- */

static mode_t mode_of(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return st.st_mode & 07777;
}

static void make_both(const char *dir)
{
	struct state *s = state_open(dir, STORE_CREATE, &err);

	assert_non_null(s);
	state_close(s);
	inbox_close(open_inbox(dir, STORE_CREATE));
}

static void test_books_are_their_owners_alone_unless_a_group_shares_the_store(void **state)
{
	mode_t umask_before = umask(0);
	char *shared = file_join(*state, "shared");

	make_both(*state);
	assert_int_equal(mode_of(*state, "inbox"), 0700);
	assert_int_equal(mode_of(*state, "inbox/data.mdb"), 0600);
	assert_int_equal(mode_of(*state, "state/lock.mdb"), 0600);
	umask(077);
	assert_int_equal(mkdir(shared, 0700), 0);
	assert_int_equal(chmod(shared, 02770), 0);
	make_both(shared);
	assert_int_equal(mode_of(shared, "inbox"), 02770);
	assert_int_equal(mode_of(shared, "inbox/data.mdb"), 0660);
	assert_int_equal(mode_of(shared, "inbox/lock.mdb"), 0660);
	assert_int_equal(mode_of(shared, "state"), 02750);
	assert_int_equal(mode_of(shared, "state/data.mdb"), 0640);
	assert_int_equal(mode_of(shared, "state/lock.mdb"), 0660);
	umask(umask_before);
	free(shared);
}

static void become_nobody(void)
{
	const gid_t group = 65534;

	if (getuid() || setgroups(0, &group) || setgid(group) || setuid(65534)) {
		fprintf(stderr, "skipped: only root can become somebody else\n");
		_exit(CANNOT);
	}
}

static void read_as_nobody(const char *dir)
{
	become_nobody();
	check(!state_open(dir, STORE_READ, &err));
	check(err.kind == ERROR_DENIED && strstr(err.text, "lock.mdb") && strstr(err.text, "chmod 0660"));
	check(!state_open(dir, STORE_WRITE, &err));
	check(err.kind == ERROR_DENIED && strstr(err.text, "data.mdb"));
	check(!inbox_open(dir, STORE_READ, &err));
	check(err.kind == ERROR_DENIED && strstr(err.text, "may not enter"));
}

static void test_who_may_not_is_told_what_would_help(void **state)
{
	char *path;

	make_both(*state);
	chmod(*state, 0755);
	path = file_join(*state, "state");
	chmod(path, 0755);
	free(path);
	path = file_join(*state, "state/data.mdb");
	chmod(path, 0644);
	free(path);
	in_child(read_as_nobody, *state);
}

/* ---- records that do not hold, books that are not ours ------------------------------------------------ */

/* Flips one bit in the given bytes, wherever they occur in the file after `from` bytes of them. */
static int flip_after(const char *path, const char *bytes, size_t from)
{
	struct text file = TEXT_INIT;
	int flipped = 0, fd;

	assert_ok(file_read(path, (size_t)64 << 20, &file, &err));
	for (size_t i = 0; i + strlen(bytes) + from < file.len; i++)
		if (!memcmp(file.ptr + i, bytes, strlen(bytes))) {
			file.ptr[i + strlen(bytes) + from] ^= 0x10;
			flipped++;
		}
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0 && write(fd, file.ptr, file.len) == (ssize_t)file.len);
	close(fd);
	text_free(&file);
	return flipped;
}

static void test_a_flipped_bit_is_noticed(void **state)
{
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	char *data = file_join(*state, "inbox/data.mdb");
	struct beat_last last;
	uint64_t records;
	bool found;

	assert_true(beat_once(inbox, "sound", 1));
	assert_true(beat_once(inbox, "flipped", 1));
	inbox_close(inbox);
	assert_true(flip_after(data, "flipped", 20) > 0);
	inbox = open_inbox(*state, STORE_READ);
	assert_false(inbox_beat_read(inbox, "flipped", &last, &found, &err));
	assert_int_equal(err.kind, ERROR_DAMAGED);
	assert_false(inbox_verify(inbox, &records, &err));
	assert_int_equal(err.kind, ERROR_DAMAGED);
	assert_non_null(strstr(err.text, "table beats"));
	inbox_close(inbox);
	inbox = open_inbox(*state, STORE_WRITE);
	assert_true(beat_once(inbox, "sound", 2)); /* nobody else suffers */
	assert_false(beat_once(inbox, "flipped", 2)); /* not written over what cannot be read */
	assert_int_equal(err.kind, ERROR_DAMAGED);
	inbox_close(inbox);
	free(data);
}

static void count_damaged(void *arg, const char *name, int64_t damaged_s, int64_t copy_s)
{
	assert_memory_equal(name, "inbox.damaged-", 14);
	assert_true(damaged_s > 0);
	*(int64_t *)arg = copy_s;
}

static bool any_copy_is_good(const char *copy, struct error *why)
{
	(void)copy;
	(void)why;
	return true;
}

/* Whoever meets the damage gets an error; the next call finds the copy, and what it held. */
static void test_a_damaged_inbox_is_mended_by_its_writer(void **state)
{
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	struct state *book = state_open(*state, STORE_CREATE, &err);
	char *data = file_join(*state, "inbox/data.mdb");
	struct beat_last last;
	int64_t copy_s = -1;
	bool found;

	assert_true(beat_once(inbox, "kept", 1));
	assert_true(copies_due(*state, T0_S));
	assert_ok(copies_make(*state, book, inbox, T0_S, any_copy_is_good, &err));
	assert_false(copies_due(*state, T0_S + 3599));
	assert_true(beat_once(inbox, "lost", 1));
	assert_true(flip_after(data, "lost", 20) > 0);
	assert_false(beat_once(inbox, "lost", 2));
	assert_int_equal(err.kind, ERROR_DAMAGED);
	assert_true(beat_once(inbox, "lost", 2));
	assert_ok(inbox_beat_read(inbox, "kept", &last, &found, &err));
	assert_true(found);
	beat_last_clear(&last);
	copies_damaged(*state, clock_wall_us() / US_PER_S, 86400, count_damaged, &copy_s);
	assert_int_equal(copy_s, T0_S);
	inbox_close(inbox);
	state_close(book);
	free(data);
}

/* Two who notice at once: the second finds another file in place, and leaves it there. */
static void test_a_book_is_mended_once(void **state)
{
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	uint64_t damaged = inbox_file_id(*state);

	assert_true(damaged != 0);
	assert_ok(inbox_mend(*state, damaged, T0_S, &err));
	assert_true(beat_once(inbox, "robot", 1));
	assert_ok(inbox_mend(*state, damaged, T0_S + 1, &err));
	assert_false(beat_once(inbox, "robot", 1) && inbox_file_id(*state) == damaged);
	inbox_close(inbox);
}

/* The newest whose checksum holds, not merely the newest; and old ones go. */
static void test_only_a_good_copy_takes_over(void **state)
{
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	struct state *book = state_open(*state, STORE_CREATE, &err);
	struct text path = TEXT_INIT;
	int64_t newest_s, copy_s = -1;

	for (int hour = 0; hour < COPIES_KEPT + 3; hour++)
		assert_ok(copies_make(*state, book, inbox, T0_S + hour * 3600, any_copy_is_good, &err));
	assert_int_equal(copies_count(*state, &newest_s), COPIES_KEPT);
	assert_int_equal(newest_s, T0_S + (COPIES_KEPT + 2) * 3600);
	text_printf(&path, "%s/copies/", (char *)*state);
	calendar_put_iso(&path, newest_s);
	text_raw(&path, "/inbox/data.mdb");
	assert_int_equal(truncate(text_str(&path), 5000), 0);
	assert_ok(inbox_mend(*state, 0, T0_S, &err));
	copies_damaged(*state, T0_S, 86400, count_damaged, &copy_s);
	assert_int_equal(copy_s, newest_s - 3600);
	assert_true(beat_once(inbox, "robot", 1));
	inbox_close(inbox);
	state_close(book);
	text_free(&path);
}

static void test_what_is_no_book_is_damaged(void **state)
{
	static const char *const contents[] = {"", "short", NULL};
	char *dir = file_join(*state, "state"), *data = file_join(dir, "data.mdb");
	char *zeros = mem_alloc(64 << 10);

	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < COUNT_OF(contents); i++) {
		const char *bytes = contents[i] ? contents[i] : zeros;

		assert_ok(file_write_atomic(data, bytes, contents[i] ? strlen(bytes) : 64 << 10, 0600, &err));
		assert_null(state_open(*state, STORE_READ, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
		assert_null(state_open(*state, STORE_CREATE, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
	}
	free(zeros);
	free(data);
	free(dir);
}

static void test_a_book_that_was_cut_off_is_damaged(void **state)
{
	struct state *s = state_open(*state, STORE_CREATE, &err);
	char *data = file_join(*state, "state/data.mdb");
	struct store_figures figures;

	for (int i = 0; i < 3; i++)
		assert_true(put_note(s, i));
	assert_ok(state_figures(s, &figures, &err));
	state_close(s);
	for (off_t left = (off_t)figures.used_bytes - 1; left > 0; left = left * 2 / 3) {
		assert_int_equal(truncate(data, left), 0);
		assert_null(state_open(*state, STORE_READ, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
	}
	free(data);
}

static bool check_anything(const MDB_val *key, const MDB_val *value, struct error *e)
{
	return key && value && e;
}

static void test_a_newer_book_is_refused_and_not_touched(void **state)
{
	static const struct book_table tables[] = {
		{"meta", check_anything}, {"of_the_future", check_anything}};
	static const struct book_plan future = {
		.name = "inbox", .tables = tables, .table_count = 2, .schema = 99, .room_first = 1 << 20,
		.room_ahead = 1 << 20,
	};
	struct book *book = book_open(&future, *state, STORE_CREATE, &err);

	assert_non_null(book);
	book_close(book);
	for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++) {
		assert_null(inbox_open(*state, mode, &err));
		assert_int_equal(err.kind, ERROR_NEWER);
	}
	book = book_open(&future, *state, STORE_WRITE, &err);
	assert_non_null(book);
	assert_int_equal(book->tables_open, 2);
	book_close(book);
}

/* A book of an older program lacks our last tables: a reader sees them empty, a writer makes them. */
static void test_an_older_book_is_read_and_brought_up_to_date(void **state)
{
	static const struct book_table tables[] = {{"meta", check_anything}, {"beats", check_anything}};
	static const struct book_plan past = {
		.name = "inbox", .tables = tables, .table_count = 2, .schema = 1, .room_first = 1 << 20,
		.room_ahead = 1 << 20,
	};
	struct book *book = book_open(&past, *state, STORE_CREATE, &err);
	struct moment now = moment_at(T0_US);
	struct inbox *inbox;
	struct deed deed = {.queued = 1};
	uint64_t id;

	assert_non_null(book);
	book_close(book);
	inbox = open_inbox(*state, STORE_READ);
	assert_int_equal(newest(inbox, "hubot"), 0);
	assert_ok(inbox_queue_scan(inbox, 0, 0, hear, &deed, &err));
	inbox_close(inbox);
	inbox = open_inbox(*state, STORE_WRITE);
	assert_true(beat_once(inbox, "hubot", 1));
	assert_ok(inbox_queue_put(inbox, INBOX_PEER, "b", "{}", 2, &now, 0, &id, &err));
	inbox_close(inbox);
}

/* ---- another book in its place ----------------------------------------------------------------------- */

static void test_a_book_put_in_its_place_is_used_soon(void **state)
{
	char *path = file_join(*state, "inbox"), *aside = file_join(*state, "old"),
	     *copies = file_join(*state, "c");
	char *copy = file_join(copies, "inbox");
	struct inbox *inbox = open_inbox(*state, STORE_WRITE + 1);

	assert_true(beat_once(inbox, "hubot", 1));
	assert_ok(inbox_backup(inbox, copies, &err));
	assert_true(beat_once(inbox, "hubot", 2));
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(rename(copy, path), 0);
	assert_true(soon_newest(inbox, "hubot", 1));
	assert_true(beat_once(inbox, "hubot", 3));
	inbox_close(inbox);
	inbox = open_inbox(*state, STORE_READ);
	assert_int_equal(newest(inbox, "hubot"), 3);
	inbox_close(inbox);
	free(path);
	free(aside);
	free(copies);
	free(copy);
}

static void test_a_book_taken_away_is_missing_or_made_anew(void **state)
{
	char *path = file_join(*state, "inbox"), *aside = file_join(*state, "old");
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);

	assert_true(beat_once(inbox, "hubot", 1));
	inbox_close(inbox);
	inbox = open_inbox(*state, STORE_WRITE);
	assert_int_equal(rename(path, aside), 0);
	assert_false(beat_once(inbox, "hubot", 2));
	assert_int_equal(err.kind, ERROR_MISSING);
	assert_int_equal(rename(aside, path), 0);
	assert_true(beat_once(inbox, "hubot", 2)); /* it is back */
	inbox_close(inbox);
	inbox = open_inbox(*state, STORE_CREATE);
	assert_int_equal(rename(path, aside), 0);
	assert_true(beat_once(inbox, "hubot", 3));
	assert_int_equal(newest(inbox, "hubot"), 3);
	inbox_close(inbox);
	free(path);
	free(aside);
}

static void test_a_damaged_book_is_set_aside_and_its_copy_takes_over(void **state)
{
	char *data = file_join(*state, "inbox/data.mdb"), *copies = file_join(*state, "copies"),
	     *moved = NULL;
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	uint64_t records;
	struct stat st;

	assert_true(beat_once(inbox, "hubot", 1));
	assert_ok(inbox_backup(inbox, copies, &err));
	assert_true(beat_once(inbox, "hubot", 2));
	inbox_close(inbox);
	assert_true(flip_after(data, "hubot", 20) > 0);
	inbox = open_inbox(*state, STORE_WRITE);
	assert_false(inbox_verify(inbox, &records, &err));
	assert_false(inbox_restore(*state, copies, &err)); /* not over one that is there */
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_ok(inbox_set_aside(*state, T0_S, &moved, &err));
	assert_non_null(strstr(moved, "inbox.damaged-2026-05-01"));
	assert_int_equal(stat(moved, &st), 0);
	assert_ok(inbox_restore(*state, copies, &err));
	assert_true(soon_newest(inbox, "hubot", 1)); /* the open book follows */
	assert_true(beat_once(inbox, "hubot", 2));
	assert_ok(inbox_verify(inbox, &records, &err));
	assert_int_equal(stat(data, &st), 0);
	assert_true(st.st_size == 16 << 20 && (st.st_mode & 0777) == 0600);
	inbox_close(inbox);
	assert_false(state_set_aside(*state, T0_S, NULL, &err));
	assert_int_equal(err.kind, ERROR_MISSING);
	free(moved);
	free(data);
	free(copies);
}

/* ---- room -------------------------------------------------------------------------------------------- */

static void test_room_is_allocated_ahead_with_real_zeros(void **state)
{
	struct inbox *inbox = open_inbox(*state, STORE_CREATE);
	struct state *s = state_open(*state, STORE_CREATE, &err);
	char *data = file_join(*state, "inbox/data.mdb");
	struct store_figures figures;
	struct stat st;

	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(st.st_size, 16 << 20);
	assert_true(st.st_blocks * 512 >= st.st_size);
	for (int i = 0; i < 20; i++) {
		assert_true(put_note(s, i));
		assert_ok(state_figures(s, &figures, &err));
		assert_true(figures.file_bytes >= figures.used_bytes + (2 << 20));
	}
	state_close(s);
	inbox_close(inbox);
	free(data);
}

static void test_a_store_directory_is_prepared(void **state)
{
	char *dir = file_join(*state, "new"), *file = file_join(*state, "file");

	assert_ok(store_prepare(dir, &err));
	assert_int_equal(mode_of(*state, "new"), 0700);
	assert_ok(store_prepare(dir, &err));
	assert_ok(file_write_atomic(file, "x", 1, 0600, &err));
	assert_false(store_prepare(file, &err));
	free(dir);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(test_each_call_may_fail_once_at_each_place),
		test_in_dir(test_errors_are_told_by_kind),
		test_in_dir(test_reopening_below_readers_is_not_noticed),
		test_in_dir(test_a_failed_commit_of_the_state_leaves_what_was),
		test_in_dir(test_a_file_size_limit_is_out_of_room_and_not_death),
		test_in_dir(test_an_address_space_limit_makes_the_map_smaller),
		test_in_dir(test_a_map_that_cannot_grow_is_full_and_recovers),
		test_in_dir(test_a_full_disk_does_not_stop_readers),
		test_in_dir(test_a_full_disk_does_not_stop_beats),
		test_in_dir(test_a_disk_too_small_is_full_and_recovers),
		test_in_dir(test_a_read_only_disk_can_be_read),
		test_in_dir(test_books_are_their_owners_alone_unless_a_group_shares_the_store),
		test_in_dir(test_who_may_not_is_told_what_would_help),
		test_in_dir(test_a_flipped_bit_is_noticed),
		test_in_dir(test_a_damaged_inbox_is_mended_by_its_writer),
		test_in_dir(test_a_book_is_mended_once),
		test_in_dir(test_only_a_good_copy_takes_over),
		test_in_dir(test_what_is_no_book_is_damaged),
		test_in_dir(test_a_book_that_was_cut_off_is_damaged),
		test_in_dir(test_a_newer_book_is_refused_and_not_touched),
		test_in_dir(test_an_older_book_is_read_and_brought_up_to_date),
		test_in_dir(test_a_book_put_in_its_place_is_used_soon),
		test_in_dir(test_a_book_taken_away_is_missing_or_made_anew),
		test_in_dir(test_a_damaged_book_is_set_aside_and_its_copy_takes_over),
		test_in_dir(test_room_is_allocated_ahead_with_real_zeros),
		test_in_dir(test_a_store_directory_is_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
