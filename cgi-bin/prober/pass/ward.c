/* SPDX-License-Identifier: ISC */
/*
 * ward: examining and mending books. See ward.h.
 *
 * The child speaks lines: "! what does not hold" for each, then "= " and the counts in order. Its exit status
 * is its finding.
 */
#include "prober/pass/ward.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/log.h"
#include "base/mem.h"
#include "prober/heard.h"
#include "prober/helper.h"
#include "prober/pass/pass.h"
#include "prober/pass/pass_private.h"
#include "store/copies.h"

#define CPU_MAX_S 120               /* a page that points back to itself never ends */
#define SHARE_BYTES (UINT64_C(256) << 10) /* what a pass examines at most, taken over many passes: some 4 ms */
#define DAMAGED_KEPT_S (30 * INT64_C(86400))
#define TORN_AGAIN_S 3600 /* as often as copies are made */

/* ---- in the child ------------------------------------------------------------------------------------ */

static void speak(void *arg, const char *what)
{
	struct text line = TEXT_INIT;

	text_raw(&line, "! ");
	text_raw(&line, what);
	text_char(&line, '\n');
	if (write(*(const int *)arg, line.ptr, line.len) < 0)
		_exit(WARD_UNKNOWN); /* nobody listens */
	text_free(&line);
}

static void speak_counts(int fd, const struct audit *a)
{
	struct text line = TEXT_INIT;
	const uint64_t counts[] = {a->records, a->damaged, a->broken, a->beats, a->queued, a->monitors, a->incidents,
		a->open, a->notices, a->waiting, a->rollups};

	text_raw(&line, "=");
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		text_printf(&line, " %" PRIu64, counts[i]);
	text_char(&line, '\n');
	if (write(fd, line.ptr, line.len) < 0)
		_exit(WARD_UNKNOWN);
	text_free(&line);
}

/* Of a larger book one of n passes examines all, the others trust it. By the minute, scattered, because a pass
   that dies of damage counts nothing, and passes may come every n minutes. */
static bool its_turn(const struct store_figures *figures)
{
	uint64_t minute = (uint64_t)clock_wall_us() / (60 * US_PER_S);

	return (minute * UINT64_C(0x9e3779b97f4a7c15) >> 32) % (1 + figures->used_bytes / SHARE_BYTES) == 0;
}

static bool records_of_inbox(struct inbox *inbox, struct audit *a, bool some, struct error *err)
{
	struct store_figures figures;

	return (some && inbox_figures(inbox, &figures, NULL) && !its_turn(&figures)) ||
		inbox_verify(inbox, &a->records, err);
}

static bool read_state(const char *dir, enum ward_how how, struct audit *a, struct error *err)
{
	struct state *state = state_is_ours(dir, err) ? state_open(dir, STORE_READ, err) : NULL;
	struct store_figures figures;
	bool ok = state != NULL;

	if (ok && how == WARD_RECORDS)
		ok = state_verify(state, &a->records, err);
	else if (ok && (how == WARD_WHOLE || !state_figures(state, &figures, NULL) || its_turn(&figures)))
		ok = state_audit(state, a, err);
	state_close(state);
	return ok;
}

static bool read_inbox(const char *dir, enum ward_how how, struct audit *a, struct error *err)
{
	struct inbox *inbox = inbox_open(dir, STORE_READ, err);
	bool ok = inbox && (how == WARD_WHOLE ? inbox_audit(inbox, a, err)
					      : records_of_inbox(inbox, a, how == WARD_SOME, err));

	inbox_close(inbox);
	return ok;
}

static _Noreturn void child(const char *dir, enum ward_book book, enum ward_how how, int fd)
{
	const struct rlimit limit = {CPU_MAX_S, CPU_MAX_S + 1};
	struct audit audit = {.say = speak, .arg = &fd};
	struct error err = {ERROR_NONE, ""};
	bool ok;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	setrlimit(RLIMIT_CPU, &limit);
	if (book == WARD_INBOX)
		heard_raise_walls(dir, NULL);
	ok = book == WARD_STATE ? read_state(dir, how, &audit, &err) : read_inbox(dir, how, &audit, &err);
	if (!ok)
		speak(&fd, err.text);
	speak_counts(fd, &audit);
	if (!ok)
		_exit(err.kind == ERROR_DAMAGED ? WARD_DAMAGED : WARD_UNKNOWN);
	_exit(audit.damaged ? WARD_DAMAGED : audit.torn ? WARD_TORN : audit.broken ? WARD_BROKEN : WARD_GOOD);
}

/* ---- listening to it --------------------------------------------------------------------------------- */

static void hear_counts(struct audit *a, const char *s)
{
	uint64_t *const counts[] = {&a->records, &a->damaged, &a->broken, &a->beats, &a->queued, &a->monitors,
		&a->incidents, &a->open, &a->notices, &a->waiting, &a->rollups};
	char *end;

	for (size_t i = 0; i < COUNT_OF(counts); i++, s = end)
		*counts[i] = strtoull(s, &end, 10);
}

/* One line; the first that does not hold is what the error says. */
static void hear_line(const char *line, struct audit *found, struct error *err)
{
	if (line[0] == '=' && found)
		hear_counts(found, line + 1);
	if (line[0] != '!' || !line[1])
		return;
	if (!*err->text)
		error_set(err, ERROR_DAMAGED, "%s", line + 2);
	if (found && found->say)
		found->say(found->arg, line + 2);
}

static void listen_to(int fd, struct audit *found, struct error *err)
{
	struct text said = TEXT_INIT;
	char bytes[4096], *line, *end;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && said.len < (1u << 20))
			text_rawn(&said, bytes, (size_t)n);
	for (line = said.ptr; line && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		hear_line(line, found, err);
	}
	text_free(&said);
}

/* What a damaged file does to who reads it. Any other end (SIGKILL of the system that is out of memory) says
   nothing of the file. */
static bool is_of_damage(int signal_number)
{
	static const int signals[] = {SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGXCPU};

	for (size_t i = 0; i < COUNT_OF(signals); i++)
		if (signals[i] == signal_number)
			return true;
	return false;
}

static enum ward_health found_by(pid_t pid, const char *book, struct error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			error_set(err, ERROR_TEMPORARY, "the child that examined it is lost");
			return WARD_UNKNOWN;
		}
	if (WIFEXITED(status) && WEXITSTATUS(status) <= WARD_UNKNOWN)
		return (enum ward_health)WEXITSTATUS(status);
	if (WIFSIGNALED(status) && is_of_damage(WTERMSIG(status))) {
		error_set(err, ERROR_DAMAGED, "%s: reading it ended with signal %d (%s)", book, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
		return WARD_DAMAGED;
	}
	error_set(err, ERROR_TEMPORARY, "%s could not be examined", book);
	return WARD_UNKNOWN;
}

enum ward_health ward_examine(const char *dir, enum ward_book book, enum ward_how how, struct audit *found,
	struct error *err)
{
	enum ward_health health;
	int ends[2];
	pid_t pid;

	*err = (struct error){ERROR_NONE, ""};
	if (pipe2(ends, O_CLOEXEC)) {
		error_set(err, ERROR_TEMPORARY, "no pipe: %s", strerror(errno));
		return WARD_UNKNOWN;
	}
	fflush(NULL); /* what stands in our buffers is not the child's to print */
	pid = fork();
	if (pid == 0)
		child(dir, book, how, ends[1]);
	close(ends[1]);
	if (pid > 0)
		listen_to(ends[0], found, err);
	close(ends[0]);
	if (pid < 0) {
		error_set(err, ERROR_TEMPORARY, "no process: %s", strerror(errno));
		return WARD_UNKNOWN;
	}
	health = found_by(pid, book == WARD_STATE ? "state" : "inbox", err);
	return health;
}

/* ---- before the books are opened --------------------------------------------------------------------- */

static void newest_aside(void *arg, const char *name, int64_t damaged_s, int64_t copy_s)
{
	int64_t *newest_s = arg;

	(void)copy_s;
	if (strncmp(name, "state", 5) == 0 && damaged_s > *newest_s)
		*newest_s = damaged_s;
}

/* A copy may take the place of a torn book when nothing is torn in it, and once an hour: were it a fault of ours
   that tears it, each pass would throw away what the last one decided. */
static bool copy_is_better(const char *store, int64_t now_s)
{
	struct text path = TEXT_INIT;
	int64_t copy_s, aside_s = 0;
	struct error err;
	bool better = copies_count(store, &copy_s) > 0;

	copies_damaged(store, now_s, DAMAGED_KEPT_S, newest_aside, &aside_s);
	text_printf(&path, "%s/copies/", store);
	calendar_put_iso(&path, copy_s);
	better = better && now_s - aside_s >= TORN_AGAIN_S &&
		ward_examine(text_str(&path), WARD_STATE, WARD_WHOLE, NULL, &err) == WARD_GOOD;
	text_free(&path);
	return better;
}

bool ward_admit(const char *store, bool last_died, struct error *err)
{
	int64_t now_s = clock_wall_us() / US_PER_S;
	uint64_t state_id = state_file_id(store);
	struct error why;
	enum ward_health health = state_id
		? ward_examine(store, WARD_STATE, last_died ? WARD_WHOLE : WARD_SOME, NULL, &why) : WARD_GOOD;

	if (health != WARD_DAMAGED && health != WARD_TORN)
		return true;
	if (health == WARD_TORN && !copy_is_better(store, now_s)) {
		log_limited("torn", "the state does not hold, and no copy is better (doctor --verify): %s", why.text);
		return true;
	}
	log_error("%s", why.text);
	return state_mend(store, state_id, now_s, err);
}

void ward_expect_inbox(const char *store)
{
	struct error err;

	if (inbox_make(store, &err))
		heard_start(store, &err);
}

struct inbox *ward_admit_inbox(const char *store, bool last_died, uint64_t *damaged, struct error *err)
{
	uint64_t id = inbox_file_id(store);
	struct inbox *inbox = inbox_make(store, err) ? heard_open(store, err) : NULL;
	struct audit audit = {0};

	*damaged = 0;
	if (inbox && records_of_inbox(inbox, &audit, !last_died, err))
		return inbox;
	heard_close(inbox);
	if (err->kind == ERROR_DAMAGED)
		*damaged = id;
	return NULL;
}

/* ---- while they are open ----------------------------------------------------------------------------- */

/* Has it been told already? Then its note is there (outbox_tell_all). */
static void tell_of(void *arg, const char *name, int64_t damaged_s, int64_t copy_s)
{
	struct pass *pass = arg;
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	struct text note = TEXT_INIT;
	char *told = NULL;

	(void)damaged_s;
	text_printf(&note, "told/damaged:%s", name);
	if (txn && !state_note_get(txn, text_str(&note), &told, NULL)) {
		announce(pass, ANNOUNCE_DAMAGED, copy_s * US_PER_S, name);
		if (strncmp(name, "inbox", 5) == 0) { /* beats may be lost: nobody is late for that */
			pass->info.grace_from_us = pass_now(pass);
			pass->world.grace_from_us = pass->info.grace_from_us;
		}
	}
	state_end(txn);
	free(told);
	text_free(&note);
}

static void name_damaged(struct pass *pass, uint64_t inbox_damaged)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	struct text id = TEXT_INIT;
	char *known = NULL;

	if (inbox_damaged)
		text_printf(&id, "%" PRIu64, inbox_damaged);
	if (txn)
		state_note_get(txn, STATE_NOTE_INBOX_DAMAGED, &known, NULL);
	state_end(txn);
	if (strcmp(known ? known : "", text_str(&id)) != 0)
		keep_note(pass, STATE_NOTE_INBOX_DAMAGED, inbox_damaged ? text_str(&id) : NULL);
	free(known);
	text_free(&id);
}

void ward_report(struct pass *pass, uint64_t inbox_damaged)
{
	name_damaged(pass, inbox_damaged);
	copies_damaged(pass->store, pass_now(pass) / US_PER_S, DAMAGED_KEPT_S, tell_of, pass);
}

/* ---- copies ------------------------------------------------------------------------------------------ */

static bool copy_is_good(const char *copy, struct error *err)
{
	enum ward_health state = ward_examine(copy, WARD_STATE, WARD_RECORDS, NULL, err);
	enum ward_health inbox;

	if (state != WARD_GOOD)
		return false;
	inbox = inbox_file_id(copy) ? ward_examine(copy, WARD_INBOX, WARD_RECORDS, NULL, err) : WARD_GOOD;
	return inbox == WARD_GOOD;
}

struct copying {
	const char *store;
	bool with_inbox;
	int64_t now_s;
};

/* In a child, with books of its own: those of the pass are not a child's to use. It says what went wrong, or
   nothing. */
static void copy(void *arg, int fd)
{
	const struct copying *copying = arg;
	struct error err = {ERROR_NONE, ""};
	struct state *state;
	struct inbox *inbox = NULL;
	bool ok;

	heard_forget();
	state = state_open(copying->store, STORE_READ, &err);
	if (state && copying->with_inbox)
		inbox = heard_open(copying->store, &err);
	ok = state && (inbox || !copying->with_inbox) &&
		copies_make(copying->store, state, inbox, copying->now_s, copy_is_good, &err);
	heard_close(inbox);
	state_close(state);
	if (!ok && write(fd, err.text, strlen(err.text)) < 0)
		_exit(1);
}

void ward_copy_begin(struct pass *pass)
{
	struct copying copying = {pass->store, pass->inbox != NULL, pass_now(pass) / US_PER_S};
	/* It dies with us: the next pass may begin another. */
	const struct helper helper = {"a copy of the books", SOCK_STREAM, SIGKILL, copy, &copying};
	struct error err;

	if (pass->copy_asked)
		return;
	pass->copy_asked = true;
	if (pass->failed || pass_interrupted() || !copies_due(pass->store, copying.now_s))
		return;
	pass->copier = helper_start(&helper, &pass->copier_says, &err);
	if (pass->copier < 0)
		log_limited("copy", "%s", err.text);
}

void ward_copy_end(struct pass *pass)
{
	struct text said = TEXT_INIT;
	char bytes[512];
	ssize_t n;

	if (pass->copier <= 0)
		return;
	while ((n = pass_interrupted() ? 0 : read(pass->copier_says, bytes, sizeof(bytes))) != 0)
		if (n > 0)
			text_rawn(&said, bytes, (size_t)n);
		else if (errno != EINTR)
			break;
	if (pass_interrupted())
		kill(pass->copier, SIGKILL); /* what it leaves unfinished, the next copy takes away */
	while (waitpid(pass->copier, NULL, 0) < 0 && errno == EINTR)
		;
	if (said.len)
		log_limited("copy", "no copy of the books could be made: %s", text_str(&said));
	close(pass->copier_says);
	pass->copier = 0;
	text_free(&said);
}
