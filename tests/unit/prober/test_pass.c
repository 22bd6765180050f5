/* SPDX-License-Identifier: ISC */
/*
 * pass: whole passes over real books, a real server and a real webhook, one minute after the other. Each pass
 * is a process of its own, as cron would start it, with its clock moved to the minute of the story; what it
 * left behind is read by another one and compared as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "prober/pass/pass.h"
#include "prober/pass/slots.h"
#include "small_server.h"
#include "store/inbox.h"
#include "store/state.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define HEALTHY "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n{\"ok\":true,\"state\":true,\"inbox\":true}"
#define BAD "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"

enum { SITE, OTHER, HOOK, HEALTH, SLOW, REPORT, SCRIPTS };

/* The server is a process of its own: its threads must not hold a lock of malloc's while we fork. */
static struct shared {
	struct small_server server;
	struct script scripts[SCRIPTS];
} *shared;
static struct small_server *server;
static struct script *scripts;
static char folder[64];
static struct text store_path = TEXT_INIT, config_path = TEXT_INIT;
static time_t begin_s; /* the minute that the story begins with */

/* ---- the world */

/* %p becomes the server's port. */
static void put_with_port(struct text *config, const char *json)
{
	for (const char *c = json; *c; c++) {
		if (c[0] == '%' && c[1] == 'p') {
			text_printf(config, "%u", server->port);
			c++;
		} else {
			text_char(config, *c);
		}
	}
}

static void write_config(const char *top, const char *monitors)
{
	struct text config = TEXT_INIT;
	FILE *file;

	text_printf(&config, "{\"store\":\"%s\",", text_str(&store_path));
	put_with_port(&config, top);
	put_with_port(&config,
		"\"channels\":{\"hook\":{\"type\":\"webhook\",\"url\":\"http://127.0.0.1:%p/hook\","
		"\"secret\":\"0123456789abcdef\"}},\"defaults\":{\"notify\":[\"hook\"],\"timeout\":\"10s\","
		"\"confirm_waits\":[\"50ms\",\"50ms\",\"50ms\"],\"recover_wait\":\"50ms\"},\"monitors\":{");
	put_with_port(&config, monitors);
	text_raw(&config, "}}");
	unlink(text_str(&config_path));
	file = fopen(text_str(&config_path), "w");
	assert_non_null(file);
	fputs(text_str(&config), file);
	fclose(file);
	chmod(text_str(&config_path), 0600);
	text_free(&config);
}

#define HTTP(slug, path, more) \
	"\"" slug "\":{\"type\":\"http\",\"url\":\"http://127.0.0.1:%p" path "\"" more "}"
#define REFUSED(slug, more) "\"" slug "\":{\"type\":\"http\",\"url\":\"http://127.0.0.1:1/\"" more "}"
#define BEAT(slug, more) "\"" slug "\":{\"type\":\"heartbeat\",\"secret\":\"0123456789abcdef\"" more "}"

static int world_make(void **state)
{
	(void)state;
	for (int i = 0; i < SCRIPTS; i++)
		scripts[i].answer = i == SLOW ? "" : i == HEALTH ? HEALTHY : OK;
	memset(server->asked, 0, sizeof(server->asked));
	server->let_go = false;
	snprintf(folder, sizeof(folder), "/tmp/upbeat-pass-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	text_clear(&store_path);
	text_clear(&config_path);
	text_printf(&store_path, "%s/store", folder);
	text_printf(&config_path, "%s/upbeat.json", folder);
	begin_s = time(NULL) / 60 * 60;
	return 0;
}

static int world_remove(void **state)
{
	struct text command = TEXT_INIT;
	pid_t pid;

	(void)state;
	text_printf(&command, "%s", folder);
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-r", "-f", text_str(&command), (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	text_free(&command);
	return 0;
}

/* ---- processes at a moment of the story */

static pid_t child_at(double minute)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec now;
		char offset[32];

		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(offset, sizeof(offset), "%lld",
			(long long)((double)begin_s * 1000 + minute * 60000 + 1000 -
				    (double)now.tv_sec * 1000 - (double)now.tv_nsec / 1e6));
		setenv("UPBEAT_TESTING", "1", 1);
		setenv("UPBEAT_CLOCK_OFFSET_MS", offset, 1);
		if (!getenv("SHOW") && !freopen("/dev/null", "w", stderr))
			_exit(99);
	}
	return pid;
}

static int ended(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void pass_at(double minute)
{
	pid_t pid = child_at(minute);

	if (pid == 0)
		_exit(pass_run(text_str(&config_path), text_str(&store_path)));
	assert_int_equal(ended(pid), 0);
}

static void beat_at(double minute, const char *slug)
{
	pid_t pid = child_at(minute);

	if (pid == 0) {
		struct heartbeat_rules rules = {.max_age_ms = 60000, .window_ms = 300000};
		struct inbox *inbox = inbox_open(text_str(&store_path), STORE_CREATE, NULL);
		enum beat_verdict verdict;
		struct moment now;
		struct beat beat;
		int64_t last;

		clock_now(&now);
		beat = (struct beat){.kind = BEAT_SUCCESS,
			.has_time = true,
			.time_us = now.wall_us,
			.exit_status = -1,
			.length_us = -1};
		_exit(inbox && inbox_beat_store(inbox, slug, &rules, &beat, &now, &verdict, &last, NULL) ? 0
													 : 1);
	}
	assert_int_equal(ended(pid), 0);
}

static void put_at(double minute, enum inbox_kind kind, const char *sender, const char *payload)
{
	pid_t pid = child_at(minute);

	if (pid == 0) {
		struct inbox *inbox = inbox_open(text_str(&store_path), STORE_CREATE, NULL);
		struct moment now;
		uint64_t id;

		clock_now(&now);
		_exit(inbox && inbox_queue_put(inbox, kind, sender, payload, strlen(payload), &now, 0, &id, NULL) ? 0 : 1);
	}
	assert_int_equal(ended(pid), 0);
}

static void ask_at(double minute, const char *payload)
{
	put_at(minute, INBOX_REQUEST, "ada", payload);
}

/* A third party's report. */
static void report_at(double minute, const char *from, const char *sees)
{
	struct text payload = TEXT_INIT;

	text_printf(&payload, "{\"from\":\"%s\",\"sees\":\"%s\",\"name\":\"Shop\",\"detail\":\"HTTP 503\"}", from, sees);
	put_at(minute, INBOX_HOOK, from, text_str(&payload));
	text_free(&payload);
}

/* ---- what is there afterwards, as text */

struct dump {
	struct state_txn *txn;
	FILE *out;
	uint32_t id;
};

static bool dump_sample(void *arg, const struct sample *sample)
{
	static const char letters[] = {[OUTCOME_UNKNOWN] = '?', [OUTCOME_UP] = 'u', [OUTCOME_DOWN] = 'd'};
	struct dump *dump = arg;

	fputc(letters[sample->outcome], dump->out);
	return true;
}

static bool dump_incident(void *arg, const struct incident *incident)
{
	static const char letters[] = {[ENTRY_ATTEMPT] = 'a',
		[ENTRY_DECIDED] = 'D',
		[ENTRY_HELD] = 'h',
		[ENTRY_QUEUED] = 'q',
		[ENTRY_DELIVERY] = 'd',
		[ENTRY_ACKNOWLEDGED] = 'k',
		[ENTRY_NOTE] = 'n'};
	struct dump *dump = arg;

	fprintf(dump->out, " %s[", incident->ended_us ? "over" : "open");
	for (size_t i = 0; i < incident->entry_count; i++)
		fputc(letters[incident->entries[i].kind], dump->out);
	fputc(']', dump->out);
	return true;
}

static bool dump_notice(void *arg, const struct notice *notice)
{
	static const char *const states[] = {"waiting", "delivered", "refused", "expired", "superseded"};
	struct dump *dump = arg;

	if (dump->id ? notice->monitor_id == dump->id : !notice->monitor)
		fprintf(dump->out, " %s:%s", event_name(notice->event), states[notice->state]);
	return true;
}

/* "site down samples=ud open[aaaDq] down:delivered" */
static bool dump_monitor(void *arg, const struct monitor *monitor)
{
	struct dump *dump = arg;
	struct row row = {0};

	dump->id = monitor->id;
	state_row(dump->txn, monitor->id, &row, NULL);
	fprintf(dump->out, "%s %s%s%s", monitor->slug, monitor_state_name(row.state),
		row.marks & MARK_MAINTENANCE ? "+maintenance" : "",
		row.marks & MARK_ACKNOWLEDGED ? "+known" : "");
	fputs(" ", dump->out);
	state_sample_scan(dump->txn, monitor->id, 0, INT64_MAX, dump_sample, dump, NULL);
	state_incident_scan(dump->txn, monitor->id, false, false, dump_incident, dump, NULL);
	state_notice_scan(dump->txn, 0, dump_notice, dump, NULL);
	fputc('\n', dump->out);
	return true;
}

static void dump_all(FILE *out)
{
	struct state *state = state_open(text_str(&store_path), STORE_READ, NULL);
	struct dump dump = {.out = out};

	if (!state)
		return;
	dump.txn = state_begin(state, false, NULL);
	state_monitor_scan(dump.txn, dump_monitor, &dump, NULL);
	dump.id = 0;
	fputs("all", out);
	state_notice_scan(dump.txn, 0, dump_notice, &dump, NULL);
	fputc('\n', out);
	state_end(dump.txn);
	state_close(state);
}

static char seen_text[65536];

static const char *seen(void)
{
	char *at = seen_text;
	int pipes[2];
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		FILE *out = fdopen(pipes[1], "w");

		dump_all(out);
		fflush(out);
		_exit(0);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], at, (size_t)(seen_text + sizeof(seen_text) - 1 - at))) > 0)
		at += n;
	*at = '\0';
	close(pipes[0]);
	ended(pid);
	return seen_text;
}

static bool has_line(const char *line)
{
	size_t n = strlen(line);

	for (const char *at = seen(); *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, line, n) == 0 && at[n] == '\n')
			return true;
	return false;
}

static void expect_line(const char *line)
{
	if (!has_line(line))
		fail_msg("there is no line \"%s\" in\n%s", line, seen_text);
}

static void wait_for_line(const char *line)
{
	for (int i = 0; i < 600 && !has_line(line); i++)
		usleep(100000);
	expect_line(line);
}

static void expect_part(const char *part)
{
	if (!strstr(seen(), part))
		fail_msg("there is no \"%s\" in\n%s", part, seen_text);
}

/* ---- stories */

static void what_answers_is_up_and_nobody_is_told(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	pass_at(0);
	expect_line("site up u");
	pass_at(0.2); /* the same minute: its slot is answered */
	expect_line("site up u");
	pass_at(1);
	expect_line("site up uu");
	expect_line("all");
}

static void an_outage_is_told_once_with_evidence_and_its_end_once(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("site down ud open[aaaDqd] down:delivered");
	pass_at(2);
	expect_line("site down udd open[aaaDqd] down:delivered");
	scripts[SITE].answer = OK;
	pass_at(3);
	expect_line("site up uddu over[aaaDqdaaDqd] up:delivered down:delivered");
	pass_at(4);
	expect_line("site up udduu over[aaaDqdaaDqd] up:delivered down:delivered");
}

/* From the next request on the site answers so. */
static void after_a_request_answer(const char *answer)
{
	bool asked = false;

	for (int i = 0; i < 12000 && !asked; i++) {
		pthread_mutex_lock(&server->lock);
		asked = server->asked[SITE] > 0;
		if (asked)
			scripts[SITE].answer = answer;
		pthread_mutex_unlock(&server->lock);
		usleep(5000);
	}
	assert_true(asked);
}

static void a_stray_failure_is_rechecked_and_not_told(void **state)
{
	pid_t pid;

	(void)state;
	write_config(
		"", HTTP("site", "/site", ",\"confirm_waits\":[\"500ms\",\"500ms\",\"500ms\",\"500ms\"]"));
	scripts[SITE].answer = BAD;
	pid = child_at(0);
	if (pid == 0)
		_exit(pass_run(text_str(&config_path), text_str(&store_path)));
	after_a_request_answer(OK);
	assert_int_equal(ended(pid), 0);
	expect_line("site up du");
	expect_line("all");
}

static void a_ladder_that_outlives_its_pass_goes_on_with_its_evidence(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ",\"confirm_waits\":[\"1s\",\"70s\"]"));
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("site suspect ud");
	pass_at(2);
	expect_line("site down udd open[aaaDqd] down:delivered");
}

static void slots_that_nobody_answered_are_unknown(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	pass_at(0);
	pass_at(1);
	pass_at(4);
	expect_line("site up uu??u");
}

static void after_a_gap_each_slot_is_looked_at_again(void **state)
{
	static const int minutes[] = {0, 1, 2, 10, 11, 12, 18, 19, 20};

	(void)state;
	write_config("", HTTP("site", "/site", ""));
	for (size_t i = 0; i < COUNT_OF(minutes); i++)
		pass_at(minutes[i]);
	expect_line("site up uuu???????uuu?????uuu");
}

static void with_a_coarse_cron_only_passes_can_be_missed(void **state)
{
	static const int minutes[] = {0, 15, 30, 45, 75, 90};

	(void)state;
	write_config("", HTTP("site", "/site", "") "," HTTP("rare", "/site", ",\"interval\":\"30m\""));
	for (size_t i = 0; i < COUNT_OF(minutes); i++)
		pass_at(minutes[i]);
	expect_line("site up uuuu?uu");
}

/* The story is not where a slot of the first monitor's long interval comes by. */
static void begin_between_slots_of(int64_t interval_us)
{
	begin_s = slot_after(1, interval_us, (int64_t)begin_s * US_PER_S) / MINUTE_US * 60 + 60;
}

static void another_interval_makes_no_gap(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ",\"interval\":\"30m\""));
	begin_between_slots_of(30 * MINUTE_US);
	pass_at(0);
	pass_at(1);
	pass_at(2);
	write_config("", HTTP("site", "/site", ""));
	pass_at(3);
	pass_at(4);
	expect_line("site up uuu");
}

static void a_heartbeat_is_pending_then_up_then_missed_then_back(void **state)
{
	(void)state;
	write_config("", BEAT("job", ",\"max_age\":\"90s\""));
	pass_at(0);
	expect_line("job pending ?");
	beat_at(0.5, "job");
	pass_at(1);
	expect_line("job up ?u");
	pass_at(2.5);
	expect_line("job down ?ud open[aDqd] down:delivered");
	beat_at(2.6, "job");
	pass_at(3);
	expect_line("job up ?udu over[aDqdaDqd] up:delivered down:delivered");
}

static void a_heartbeat_without_max_age_has_five_minutes(void **state)
{
	(void)state;
	write_config("", BEAT("job", ""));
	pass_at(0);
	beat_at(0.1, "job");
	pass_at(1);
	pass_at(3);
	expect_line("job up ?u?u");
	pass_at(5.2);
	expect_line("job down ?u?u?d open[aDqd] down:delivered");
}

static void a_heartbeat_follows_its_schedule(void **state)
{
	(void)state;
	write_config("", BEAT("job", ",\"schedule\":\"*/2 * * * *\",\"grace\":\"30s\",\"timezone\":\"Asia/Taipei\""));
	begin_s -= begin_s % 120;
	pass_at(0);
	beat_at(0.1, "job");
	pass_at(1);
	beat_at(2.2, "job");
	pass_at(2.6);
	pass_at(3);
	expect_line("job up ?uuu");
	pass_at(4.6); /* awaited at 4, and half a minute longer */
	expect_line("job down ?uuud open[aDqd] down:delivered");
}

static void a_heartbeat_is_judged_at_its_deadline_while_a_pass_is_there(void **state)
{
	time_t begun = time(NULL);

	(void)state;
	write_config("", BEAT("job", ",\"max_age\":\"10s\""));
	pass_at(0);
	beat_at(0.9, "job"); /* 55 s */
	pass_at(1.01);       /* 61.6 s: due at 65 s */
	assert_in_range(time(NULL) - begun, 3, 40); /* and not when the pass ends, at 120 s */
	expect_line("job down ?ud open[aDqd] down:delivered");
}

static void heartbeats_get_fresh_grace_after_our_own_gap(void **state)
{
	(void)state;
	write_config("", BEAT("job", ",\"max_age\":\"90s\""));
	pass_at(0);
	beat_at(0.5, "job");
	pass_at(1);
	pass_at(20);
	expect_line("all");
	expect_part("job up");
	pass_at(22);
	expect_part("job down");
}

static void without_witnesses_answering_failures_are_unknown_and_one_summary_follows(void **state)
{
	(void)state;
	write_config("\"witnesses\":[\"http://127.0.0.1:1/\",\"http://127.0.0.1:2/\"],", REFUSED("gone", ""));
	pass_at(0);
	expect_line("gone unknown d?"); /* the first bad look made us ask: what followed is no evidence */
	expect_line("all");
	pass_at(1);
	expect_line("gone unknown d??");
	write_config("\"witnesses\":[\"http://127.0.0.1:1/\",\"site\",\"http://127.0.0.1:2/\"],",
		REFUSED("gone", "") "," HTTP("site", "/site", "")); /* one of three is not enough */
	pass_at(2);
	expect_line("gone unknown d???");
	write_config("\"witnesses\":[\"site\"],", REFUSED("gone", "") "," HTTP("site", "/site", ""));
	pass_at(3);
	expect_part("gone down");
	expect_line("all digest:delivered");
}

static void while_our_web_side_is_down_heartbeats_are_unknown_and_that_is_the_one_alert(void **state)
{
	(void)state;
	write_config("\"url\":\"http://127.0.0.1:%p\",", BEAT("job", ",\"max_age\":\"90s\""));
	pass_at(0);
	beat_at(0.5, "job");
	pass_at(1);
	scripts[HEALTH].answer = BAD;
	pass_at(2.5);
	expect_line("job unknown ?ud");
	expect_line("all digest:delivered");
	pass_at(3);
	expect_line("job unknown ?ud?");
	expect_line("all digest:delivered");
	scripts[HEALTH].answer = HEALTHY;
	pass_at(4); /* asks while it looks at the heartbeat, which is given fresh time from now on */
	beat_at(4.5, "job");
	pass_at(5);
	expect_line("job up ?ud??u");
	expect_line("all digest:delivered digest:delivered");
}

static void a_web_side_that_never_answered_is_not_called_down(void **state)
{
	(void)state;
	scripts[HEALTH].answer = BAD;
	write_config("\"url\":\"http://127.0.0.1:%p\",", BEAT("job", ",\"max_age\":\"90s\""));
	pass_at(0);
	beat_at(0.5, "job");
	pass_at(1);
	pass_at(2.5);
	expect_line("job down ?ud open[aDqd] down:delivered");
	expect_line("all");
}

static void each_good_pass_is_reported_once(void **state)
{
	(void)state;
	write_config("\"report_to\":\"http://127.0.0.1:%p/report\",", HTTP("site", "/site", ""));
	pass_at(0);
	pass_at(0.2);
	assert_int_equal(server->asked[REPORT], 2);
}

static void what_a_parent_explains_is_told_of_the_parent_alone(void **state)
{
	(void)state;
	write_config("", HTTP("shop", "/site", "") "," HTTP("cart", "/site", ",\"depends_on\":[\"shop\"]"));
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("shop down ud open[aaaDqd] down:delivered");
	expect_line("cart down ud open[aaaDh]");
	scripts[SITE].answer = OK;
	pass_at(2);
	expect_part("shop up udu");
	expect_part("cart up udu over");
	assert_null(strstr(strstr(seen(), "cart up"), "delivered"));
}

static void when_most_fail_at_once_it_waits_two_passes_and_tells_then(void **state)
{
	struct text monitors = TEXT_INIT;

	(void)state;
	for (int i = 0; i < 12; i++)
		text_printf(&monitors,
			"%s\"m%d\":{\"type\":\"http\",\"url\":\"http://127.0.0.1:%%p/site\"%s}", i ? "," : "",
			i, i == 3 ? "" : ",\"notify\":[]");
	write_config("", text_str(&monitors));
	text_free(&monitors);
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("m3 suspect ud");
	pass_at(2);
	expect_part("m3 suspect udd");
	assert_null(strstr(seen(), "down:"));
	pass_at(3);
	expect_part("m3 down uddd");
	expect_part("down:");
	scripts[SITE].answer = OK;
	for (int minute = 4; minute < 8; minute++)
		pass_at(minute);
	scripts[SITE].answer = BAD;
	pass_at(8); /* another one, with nothing in between that failed alone */
	expect_part("m3 suspect uddduuuud");
}

static void people_pause_resume_and_acknowledge(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	scripts[SITE].answer = BAD;
	pass_at(0);
	ask_at(0.5, "{\"do\":\"acknowledge\",\"monitor\":\"site\",\"text\":\"on it\"}");
	pass_at(1);
	expect_line("site down+known dd open[aaaDqdk] down:delivered");
	ask_at(1.5, "{\"do\":\"pause\",\"monitor\":\"site\"}");
	pass_at(2);
	expect_part("site paused dd? over[");
	pass_at(3);
	expect_part("site paused dd? over[");
	scripts[SITE].answer = OK;
	ask_at(3.5, "{\"do\":\"resume\",\"monitor\":\"site\"}");
	pass_at(4);
	expect_part("site up dd?u over[");
}

#define SOURCES ",\"sources\":{\"uptimerobot\":\"Shop\",\"pingdom\":[\"7\",\"Shop\"]}"

static void what_two_others_find_down_is_down_until_one_of_them_finds_it_up(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", SOURCES));
	pass_at(0);
	report_at(0.5, "uptimerobot", "down");
	pass_at(1);
	expect_line("site up uu");
	report_at(1.5, "pingdom", "down");
	pass_at(2);
	expect_part("site down uud open[");
	expect_part(" down:delivered");
	report_at(2.5, "pingdom", "up");
	pass_at(3);
	expect_part("site up uudu over[");
	expect_part(" up:delivered down:delivered");
}

static void one_other_suffices_where_the_quorum_says_so(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ",\"quorum\":1" SOURCES));
	pass_at(0);
	report_at(0.5, "uptimerobot", "down");
	pass_at(1);
	expect_part("site down ud open[");
}

static void a_report_makes_us_look_at_once(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ",\"interval\":\"1h\"" SOURCES));
	begin_between_slots_of(60 * MINUTE_US);
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("site up u");
	report_at(1.5, "uptimerobot", "down");
	pass_at(2);
	expect_line("site down ud open[aaaaDqd] down:delivered");
}

static void what_others_just_found_up_is_told_when_their_word_is_old(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", SOURCES));
	pass_at(0);
	report_at(0.9, "uptimerobot", "up");
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_part("site suspect ");
	expect_line("all");
	pass_at(3);
	expect_part("site suspect ");
	pass_at(6);
	expect_part("site down ");
	expect_part(" down:delivered");
}

static void who_is_silent_does_not_delay_an_alert(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", SOURCES));
	pass_at(0);
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_line("site down ud open[aaaDqd] down:delivered");
}

static void reports_of_what_nobody_watches_change_nothing(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ",\"quorum\":1,\"sources\":{\"statuscake\":\"Shop\"}"));
	pass_at(0);
	report_at(0.5, "uptimerobot", "down");
	put_at(0.6, INBOX_HOOK, "statuscake", "{\"from\":");
	pass_at(1);
	expect_line("site up uu");
}

static void nobody_outvotes_a_heartbeat(void **state)
{
	(void)state;
	write_config("", BEAT("robot", ",\"max_age\":\"2m\"" SOURCES));
	pass_at(0);
	beat_at(0.1, "robot");
	report_at(0.6, "uptimerobot", "down");
	report_at(0.7, "pingdom", "down");
	pass_at(1);
	expect_part("robot up ");
	report_at(2.8, "uptimerobot", "up");
	report_at(2.8, "pingdom", "up");
	pass_at(3);
	expect_part("robot down ");
}

static void in_maintenance_nobody_is_told_until_it_ends(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	pass_at(0);
	ask_at(0.1, "{\"do\":\"maintenance\",\"monitor\":\"site\",\"for\":120}");
	scripts[SITE].answer = BAD;
	pass_at(1);
	expect_part("site down+maintenance ud open[aaaDh");
	assert_null(strstr(seen(), "down:"));
	pass_at(3);
	expect_part("site down ud");
	expect_part("down:delivered");
}

static void pausing_in_the_configuration_takes_effect_with_the_next_pass(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", ""));
	pass_at(0);
	write_config("", HTTP("site", "/site", ",\"paused\":true"));
	pass_at(0.3);
	expect_line("site paused u?");
	pass_at(1);
	expect_line("site paused u?");
	write_config("", HTTP("site", "/site", ",\"paused\":false"));
	pass_at(2);
	expect_line("site up u?u");
}

static void what_is_taken_out_and_comes_back_keeps_its_history_and_begins_anew(void **state)
{
	(void)state;
	write_config("", HTTP("site", "/site", "") "," HTTP("other", "/other", ""));
	scripts[SITE].answer = BAD;
	pass_at(0);
	expect_line("site down d open[aaaDqd] down:delivered");
	write_config("", HTTP("other", "/other", ""));
	pass_at(1);
	expect_line("other up uu");
	write_config("", HTTP("site", "/site", "") "," HTTP("other", "/other", ""));
	scripts[SITE].answer = OK;
	pass_at(2);
	expect_line("site up du over[aaaDqd] down:delivered");
	expect_line("other up uuu");
}

static void a_pass_that_is_killed_is_continued_by_the_next(void **state)
{
	pid_t pid;

	(void)state;
	write_config("", HTTP("slow", "/slow", ",\"timeout\":\"30s\"") "," HTTP("site", "/site", ""));
	pid = child_at(0);
	if (pid == 0)
		_exit(pass_run(text_str(&config_path), text_str(&store_path)));
	wait_for_line("site up u"); /* the first commit is made, the slow one is under way */
	kill(pid, SIGKILL);
	assert_int_equal(ended(pid), 128);
	scripts[SLOW].answer = OK;
	scripts[SLOW].then = THEN_CLOSE;
	pass_at(1);
	scripts[SLOW].then = THEN_HANG;
	expect_line("site up uu");
	expect_line("slow up u");
}

/* A lock of the store. Not by trying it: then somebody else could not have it. */
static bool is_held(const char *name)
{
	char *path = file_join(text_str(&store_path), name), line[256], inode[32];
	FILE *locks = fopen("/proc/locks", "r");
	bool held = false;
	struct stat s;

	assert_non_null(locks);
	if (stat(path, &s) == 0) {
		snprintf(inode, sizeof(inode), ":%llu ", (unsigned long long)s.st_ino);
		while (!held && fgets(line, sizeof(line), locks))
			held = strstr(line, "FLOCK") && strstr(line, inode);
	}
	fclose(locks);
	free(path);
	return held;
}

static void wait_until_held(const char *name)
{
	for (int i = 0; i < 12000 && !is_held(name); i++)
		usleep(5000);
	assert_true(is_held(name));
}

static void a_third_prober_leaves_and_a_second_waits_its_turn(void **state)
{
	static const char *const signs[] = {"prober.lock", "prober.next", NULL};
	pid_t pids[3];

	(void)state;
	write_config("", HTTP("slow", "/slow", ",\"timeout\":\"30s\",\"confirm\":1"));
	for (int i = 0; i < 3; i++) {
		pids[i] = child_at(0);
		if (pids[i] == 0)
			_exit(pass_run(text_str(&config_path), text_str(&store_path)));
		if (signs[i])
			wait_until_held(signs[i]);
	}
	assert_int_equal(ended(pids[2]), 0);
	assert_int_equal(waitpid(pids[0], NULL, WNOHANG), 0);
	server->let_go = true;
	assert_int_equal(ended(pids[0]), 0);
	assert_int_equal(ended(pids[1]), 0);
	expect_part("slow down d open");
}

static pid_t serve_apart(void)
{
	static const struct script rows[SCRIPTS] = {
		[SITE] = {"/site", OK, THEN_CLOSE},
		[OTHER] = {"/other", OK, THEN_CLOSE},
		[HOOK] = {"/hook", OK, THEN_CLOSE},
		[HEALTH] = {"/healthz", HEALTHY, THEN_CLOSE},
		[SLOW] = {"/slow", "", THEN_HANG},
		[REPORT] = {"/report", OK, THEN_CLOSE},
	};
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	server = &shared->server;
	scripts = shared->scripts;
	memcpy(scripts, rows, sizeof(rows));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		small_server_start(server, scripts, SCRIPTS);
		for (;;)
			pause();
	}
	while (*(volatile unsigned *)&server->port == 0)
		usleep(1000);
	return pid;
}

int main(int argc, char **argv)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)
	const struct CMUnitTest tests[] = {
		ROW(what_answers_is_up_and_nobody_is_told),
		ROW(an_outage_is_told_once_with_evidence_and_its_end_once),
		ROW(a_stray_failure_is_rechecked_and_not_told),
		ROW(a_ladder_that_outlives_its_pass_goes_on_with_its_evidence),
		ROW(slots_that_nobody_answered_are_unknown),
		ROW(after_a_gap_each_slot_is_looked_at_again),
		ROW(with_a_coarse_cron_only_passes_can_be_missed),
		ROW(another_interval_makes_no_gap),
		ROW(a_heartbeat_is_pending_then_up_then_missed_then_back),
		ROW(a_heartbeat_without_max_age_has_five_minutes),
		ROW(a_heartbeat_follows_its_schedule),
		ROW(a_heartbeat_is_judged_at_its_deadline_while_a_pass_is_there),
		ROW(heartbeats_get_fresh_grace_after_our_own_gap),
		ROW(without_witnesses_answering_failures_are_unknown_and_one_summary_follows),
		ROW(while_our_web_side_is_down_heartbeats_are_unknown_and_that_is_the_one_alert),
		ROW(a_web_side_that_never_answered_is_not_called_down),
		ROW(each_good_pass_is_reported_once),
		ROW(what_a_parent_explains_is_told_of_the_parent_alone),
		ROW(when_most_fail_at_once_it_waits_two_passes_and_tells_then),
		ROW(people_pause_resume_and_acknowledge),
		ROW(what_two_others_find_down_is_down_until_one_of_them_finds_it_up),
		ROW(one_other_suffices_where_the_quorum_says_so),
		ROW(a_report_makes_us_look_at_once),
		ROW(what_others_just_found_up_is_told_when_their_word_is_old),
		ROW(who_is_silent_does_not_delay_an_alert),
		ROW(reports_of_what_nobody_watches_change_nothing),
		ROW(nobody_outvotes_a_heartbeat),
		ROW(in_maintenance_nobody_is_told_until_it_ends),
		ROW(pausing_in_the_configuration_takes_effect_with_the_next_pass),
		ROW(what_is_taken_out_and_comes_back_keeps_its_history_and_begins_anew),
		ROW(a_pass_that_is_killed_is_continued_by_the_next),
		ROW(a_third_prober_leaves_and_a_second_waits_its_turn),
	};
	pid_t server_pid;
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	server_pid = serve_apart();
	failed = cmocka_run_group_tests_name("pass", tests, NULL, NULL);
	kill(server_pid, SIGKILL);
	ended(server_pid);
	munmap(shared, sizeof(*shared));
	text_free(&store_path);
	text_free(&config_path);
	return failed;
}
