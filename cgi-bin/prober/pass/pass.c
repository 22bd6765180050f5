/* SPDX-License-Identifier: ISC */
/*
 * pass: the story of one pass.
 */
#include "prober/pass/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/fresh.h"
#include "prober/exit.h"
#include "prober/heard.h"
#include "prober/launch.h"
#include "prober/net/ca_bundle.h"
#include "prober/pass/housekeeping.h"
#include "prober/pass/pass_private.h"
#include "prober/walls.h"
#include "prober/pass/ward.h"

#define LOG_BYTES (1024 * 1024)
#define BUSY_MS 2                      /* how soon to look again whether the processor has room */
#define TIDY_RESERVE_US (5 * US_PER_S) /* of the minute: housekeeping is over before the next pass begins */
#define TIDY_LEAST_US (2 * US_PER_S)   /* and comes to its turn even when passes are always full */
#define LISTEN_MS 2000                 /* how long to sleep at most before the inbox is read again */
#define LISTEN_PEERS_MS 500            /* the same, where peers may say something */
#define DELIVERY_MS 20                 /* how soon to look whether deliveries have ended */
#define PROGRESS_MS 200
#define OUTBOX_ASK_US (200 * US_PER_MS)

int64_t pass_now(const struct pass *pass)
{
	(void)pass;
	return clock_wall_us();
}

/* ---- signals */

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t interrupted;
static volatile pid_t forked; /* 0: none */

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	interrupted = 1;
	if (forked > 0)
		kill(forked, SIGTERM);
	if (write(signal_pipe[1], "", 1) < 0)
		errno = saved; /* full: it is awake already */
	errno = saved;
}

bool pass_interrupted(void)
{
	return interrupted != 0;
}

void pass_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Signals wait meanwhile: none may come between the fork and the note of it. */
pid_t pass_fork(void)
{
	sigset_t ours, before;
	pid_t pid;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &before);
	fflush(NULL);
	pid = fork();
	if (pid > 0)
		forked = pid;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* who kills us means the pass, too */
		close(signal_pipe[0]);
		close(signal_pipe[1]);
		signal_pipe[0] = signal_pipe[1] = -1;
		pass_catch_signals();
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

void pass_forked_ended(void)
{
	forked = 0;
}

static void stop_soon(void *arg, unsigned events)
{
	struct pass *pass = arg;

	(void)events;
	pass->over = true;
	loop_stop(pass->loop);
}

/* ---- opening */

void pass_deaf(struct pass *pass, const struct error *err)
{
	if (pass->deaf.kind == ERROR_NONE)
		log_warn("beats and requests cannot be read: %s", err->text);
	pass->deaf = *err;
}

static bool open_books(struct pass *pass, uint64_t *inbox_damaged, struct error *err)
{
	static char problem[sizeof(err->text)];
	struct error inbox_err = {0};

	ward_expect_inbox(pass->store);
	if (!ward_admit(pass->store, pass->last_died, err))
		return false;
	pass->inbox = ward_admit_inbox(pass->store, pass->last_died, inbox_damaged, &inbox_err);
	if (!pass->inbox) {
		pass_deaf(pass, &inbox_err);
		memcpy(problem, inbox_err.text, sizeof(problem));
		pass->world.inbox_problem = problem;
	}
	pass->world.inbox = pass->inbox;
	pass->state = state_open(pass->store, STORE_CREATE, err);
	return pass->state != NULL;
}

static size_t descriptors(void)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > 65536 ? 65536 : (size_t)limit.rlim_cur;
}

static void set_limits(struct pass *pass)
{
	size_t n = descriptors();

	n = n > OPEN_RESERVE + 1 ? n - OPEN_RESERVE : 1;
	pass->open_max = n;
}

/* ---- what the last pass tells this one */

static int64_t distance(const struct pass_info *last, const struct moment *now)
{
	if (last->boot_id && last->boot_id == now->boot_id)
		return now->boot_us - last->boot_us;
	return now->wall_us - last->started_us;
}

static bool clock_stepped(const struct pass_info *last, const struct moment *now)
{
	int64_t step;

	if (!last->started_us || last->boot_id != now->boot_id)
		return false;
	step = now->wall_us - last->started_us - (now->boot_us - last->boot_us);
	if (llabs(step) <= 30 * US_PER_S)
		return false;
	log_warn("the clock was stepped by %lld s", (long long)(step / US_PER_S));
	return true;
}

static bool info_begin(struct pass *pass, bool config_ok, struct error *err)
{
	struct state_txn *txn = state_begin(pass->state, false, err);
	bool ok = txn && state_pass(txn, &pass->info, err);
	struct pass_info *info = &pass->info;
	struct moment now;

	state_end(txn);
	if (!ok)
		return false;
	clock_now(&now);
	pass->stepped = clock_stepped(info, &now);
	if (fresh_gap_us(info, &now) == INT64_MAX) {
		log_info("the clock was set back while nobody looked");
		info->grace_from_us = now.wall_us;
	} else if (fresh_gap_us(info, &now) > 0) {
		log_info("nobody looked for %lld s", (long long)(fresh_gap_us(info, &now) / US_PER_S));
		info->grace_from_us = now.wall_us;
	} else if (fresh_rebooted(info, &now)) {
		log_info("this host was started %lld s ago", (long long)(now.boot_us / US_PER_S));
		info->grace_from_us = now.wall_us;
	}
	pass->cadence_us = info->cadence_us;
	if (info->started_us)
		info->cadence_us = fresh_cadence(info->cadence_us, distance(info, &now));
	if (!pass->cadence_us)
		pass->cadence_us = info->cadence_us;
	pass->beats_since_us = info->started_us;
	info->started_us = now.wall_us;
	info->finished_us = 0;
	info->boot_id = now.boot_id;
	info->boot_us = now.boot_us;
	info->config_ok = config_ok;
	info->checked = info->failed = 0;
	pass->info_dirty = true;
	pass->world.grace_from_us = info->grace_from_us;
	pass->world.web_failing = info->web_failing;
	return true;
}

const cJSON *pass_privates(struct pass *pass, const char *section)
{
	struct error err = {0};

	if (!pass->privates_known && !privates_read(pass->state, pass->store, &pass->privates, &err))
		log_warn("the private part of the configuration cannot be read: %s", err.text);
	pass->privates_known = true;
	return cJSON_GetObjectItemCaseSensitive(pass->privates.json, section);
}

const struct site *pass_site(struct pass *pass)
{
	struct state_txn *txn;

	if (!pass->site_known) {
		txn = state_begin(pass->state, false, NULL);
		if (!txn || !state_site(txn, &pass->site, NULL))
			pass->site = (struct site){0};
		state_end(txn);
		pass->site_known = true;
	}
	return &pass->site;
}

/* ---- the minute */

static void notice_end(struct pass *pass)
{
	int64_t now = pass_now(pass), step = now - clock_mono_us() - pass->wall_less_mono_us;

	if (now >= pass->end_us || llabs(step) > STEP_US) {
		pass->over = true;
		outbox_close(pass->outbox);
	}
}

static int64_t outbox_due(struct pass *pass)
{
	int64_t now = clock_mono_us();

	if (now - pass->outbox_asked_us > OUTBOX_ASK_US) {
		pass->outbox_asked_us = now;
		pass->outbox_due_us = outbox_next_us(pass->outbox);
	}
	return pass->outbox_due_us;
}

static bool in_hand(struct pass *pass)
{
	return pass->open > 0 || pass->waiting || outbox_in_flight(pass->outbox) > 0 || witness_busy(pass) ||
	       selfcheck_busy(pass) || report_busy(pass) || (!pass->over && peers_busy(pass));
}

/* When the next thing of this minute is due; INT64_MAX: nothing more. */
static int64_t next_due(struct pass *pass)
{
	int64_t due = posts_next_due(pass), outbox = outbox_due(pass);

	if (posts_ready(pass))
		return 0;
	if (outbox < due)
		due = outbox;
	if (peers_next_due(pass) < due)
		due = peers_next_due(pass);
	return due < pass->end_us ? due : INT64_MAX;
}

static void turn(void *arg);

static void wake_after(struct pass *pass, int64_t ms)
{
	loop_timer_stop(pass->wake);
	pass->wake = loop_after(pass->loop, ms > 0 ? ms : 0, turn, pass);
}

void pass_wake(struct pass *pass)
{
	if (!pass->woken)
		wake_after(pass, 0);
	pass->woken = true;
}

/* Says in the last commit that the pass has finished; false when it could not be stored. */
static bool commit_end(struct pass *pass)
{
	evidence_save(pass);
	pass->info.passes += !pass->info.finished_us; /* not again, when it only has something to add */
	pass->info.finished_us = pass_now(pass);
	if (keep_commit(pass))
		return true;
	pass->info.finished_us = 0;
	pass->info.passes--;
	return false;
}

/* What was stored last is to be told: the pass goes on until it is. */
static void go_on(struct pass *pass)
{
	if (pass->info.finished_us)
		pass->info.passes--;
	pass->info.finished_us = 0;
	pass_wake(pass);
}

/* Nothing is in hand and nothing more is due. */
static void try_to_end(struct pass *pass)
{
	int64_t wait_us = pass->committed_us + COMMIT_US - clock_mono_us();
	bool stored = true;

	if (keep_pending(pass) || !pass->info.finished_us) {
		if (pass->committed_us && wait_us > 0 && !pass->over) {
			wake_after(pass, wait_us / US_PER_MS + 1);
			return;
		}
		stored = commit_end(pass);
		pass->outbox_asked_us = 0;
		if (in_hand(pass) || (!pass->over && next_due(pass) < INT64_MAX)) {
			go_on(pass);
			return;
		}
	}
	if (!stored && !pass->over)
		wake_after(pass, COMMIT_US / US_PER_MS);
	else if (!report_start(pass))
		loop_stop(pass->loop);
}

/* Until then, but people and programs may be heard meanwhile. */
static int64_t sleep_ms(const struct pass *pass, int64_t due)
{
	int64_t now = pass_now(pass), until = due < pass->end_us ? due : pass->end_us;
	int64_t ms = until > now ? (until - now) / US_PER_MS + 1 : BUSY_MS;

	if (pass->peers && ms > LISTEN_PEERS_MS)
		return LISTEN_PEERS_MS;
	return ms < LISTEN_MS ? ms : LISTEN_MS;
}

static void wait_for_next(struct pass *pass, int64_t due)
{
	if (outbox_in_flight(pass->outbox) > 0)
		wake_after(pass, DELIVERY_MS);
	else if (pass->over)
		wake_after(pass, 1000);
	else if (due == 0)
		wake_after(pass, pass->open < pass->open_max ? BUSY_MS : 50);
	else
		wake_after(pass, sleep_ms(pass, due));
}

bool pass_lasts(const struct pass *pass)
{
	int64_t third_us = (pass->end_us - pass->info.started_us) / 3;

	return pass->committed_us && !pass->over && pass_now(pass) >= pass->info.started_us + third_us;
}

/* One look at all that there is to do. Called whenever something ended, and when something falls due. */
static void turn(void *arg)
{
	struct pass *pass = arg;
	int64_t due;

	pass->wake = NULL;
	pass->woken = false;
	notice_end(pass);
	people_listen(pass);
	beats_listen(pass);
	decide_waiting(pass);
	looks_start(pass);
	if (pass->over && pass->open == 0 && !witness_busy(pass) && !selfcheck_busy(pass))
		decide_forget(pass);
	if (outbox_due(pass) <= pass_now(pass)) {
		outbox_pump(pass->outbox);
		pass->outbox_asked_us = 0;
	}
	peers_send(pass);
	if (report_is_due(pass))
		report_start(pass);
	if (pass_lasts(pass))
		ward_copy_begin(pass);
	due = pass->over ? INT64_MAX : next_due(pass);
	if (!in_hand(pass) && due == INT64_MAX)
		try_to_end(pass);
	else if (!pass->woken)
		wait_for_next(pass, due);
}

/* ---- progress, for who watches */

static void show_progress(void *arg)
{
	struct pass *pass = arg;

	fprintf(stderr, "\r%llu looked at, %zu under way, %llu not up \033[K",
		(unsigned long long)pass->info.checked, pass->open, (unsigned long long)pass->info.failed);
	pass->progress = loop_after(pass->loop, PROGRESS_MS, show_progress, pass);
}

/* ---- the story */

static bool refresh_config(struct pass *pass, bool *ok, struct error *err)
{
	struct config_news news;

	if (!config_refresh(pass->state, pass->config_path, pass->store, &news, err))
		return false;
	pass->reconsider = news.changed;
	*ok = news.ok;
	config_launch(pass->config_path, news.programs, pass->state, pass->store);
	walls_raise(pass->store, ca_bundle());
	return true;
}

/* A delivery has ended: perhaps it was what the pass waited for. */
static void told(void *arg)
{
	struct pass *pass = arg;

	pass->outbox_asked_us = 0;
	pass_wake(pass);
}

static bool prepare(struct pass *pass, bool *config_ok, struct error *err)
{
	uint64_t inbox_damaged;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	set_limits(pass);
	if (!open_books(pass, &inbox_damaged, err) || !refresh_config(pass, config_ok, err))
		return false;
	pass->world.ca_bundle = ca_bundle();
	pass->loop = loop_new(err);
	if (!pass->loop || !info_begin(pass, *config_ok, err))
		return false;
	pass->end_us = minute_end(pass->info.started_us);
	pass->wall_less_mono_us = clock_wall_us() - clock_mono_us();
	if (!posts_load(pass, err))
		return false;
	pass->outbox = outbox_new(pass->loop, pass->state, pass->inbox, pass->store);
	outbox_watch(pass->outbox, told, pass);
	ward_report(pass, inbox_damaged);
	peers_begin(pass);
	return true;
}

static void serve(struct pass *pass)
{
	struct loop_watch *signals =
		signal_pipe[0] >= 0 ? loop_watch(pass->loop, signal_pipe[0], LOOP_READ, stop_soon, pass)
				    : NULL;

	if (isatty(STDERR_FILENO))
		show_progress(pass);
	selfcheck_start(pass);
	if (pass->info.blind_since_us)
		witness_ask(pass);
	pass_wake(pass);
	loop_run(pass->loop, INT64_MAX);
	loop_unwatch(signals);
	loop_timer_stop(pass->progress);
	if (pass->progress)
		fprintf(stderr, "\r\033[K");
	pass->progress = NULL;
	if (pass_interrupted() && keep_pending(pass))
		keep_commit(pass);
}

/* Last of all, in what is left of the minute. A failure is no reason to call the pass bad: all that it saw is
   stored, and the next one tries again. */
static void tidy(struct pass *pass)
{
	int64_t left_us = pass->end_us - pass_now(pass) - TIDY_RESERVE_US;
	struct error err = {0};

	if (left_us < TIDY_LEAST_US)
		left_us = TIDY_LEAST_US;
	if (pass->failed || pass_interrupted())
		return;
	ward_copy_begin(pass);
	if (!housekeeping_due(pass->state, pass_now(pass)))
		return;
	if (!housekeep(pass->state, pass_site(pass), pass_now(pass), clock_mono_us() + left_us, &err))
		log_warn("%s", err.text);
}

static void pass_close(struct pass *pass)
{
	heard_release(pass->inbox); /* its reader ends while we tidy up */
	if (pass->posts)
		posts_free(pass);
	outbox_free(pass->outbox);
	peers_free(pass->peers);
	witness_free(pass->witness);
	selfcheck_free(pass->selfcheck);
	report_free(pass->report);
	sightings_free(pass->strangers, pass->stranger_count);
	keep_forget(pass);
	loop_free(pass->loop);
	site_clear(&pass->site);
	privates_free(&pass->privates);
	free(pass->samples.at);
	launch_stop();
	heard_close(NULL);
	state_close(pass->state);
}

int pass_run(const char *config_path, const char *store)
{
	struct pass pass = {.config_path = config_path};
	struct error err = {0};
	bool config_ok = true, ok;
	char *log, *own = mem_str(store);
	int lock = -1, status;

	pass.store = own;
	log = file_join(store, "prober.log");
	/* Cron mails whatever we print: the log is for people who look, and stderr for what stops the
	 * watching. */
	log_open("prober", log, LOG_BYTES, isatty(STDERR_FILENO));
	ok = store_prepare(store, &err);
	if (ok && !turn_take(store, &lock, &err)) {
		ok = err.kind == ERROR_NONE; /* somebody else is at work */
	} else if (ok) {
		pass.last_died = turn_begin(lock);
		ok = prepare(&pass, &config_ok, &err);
		if (ok) {
			serve(&pass);
			tidy(&pass);
			ward_copy_end(&pass);
		}
		pass_close(&pass);
		turn_end(lock);
	}
	if (lock >= 0)
		close(lock);
	if (ok && pass.failed)
		err = pass.failure;
	ok = ok && !pass.failed;
	if (ok && lock >= 0)
		failure_over(store);
	status = ok ? EXIT_DONE : failure_tell(store, &err);
	if (!ok)
		distress_call(config_path, store, &err);
	free(log);
	free(own);
	return ok && !config_ok ? EXIT_WRONG : status;
}
