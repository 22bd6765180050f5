/* SPDX-License-Identifier: ISC */
/*
 * cmd_status: what is known now, from the state alone: nothing is checked, nothing is written. As on the
 * pages, what is older than the freshness limit is unknown. For one monitor: its incidents with their evidence
 * (status_incident.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/fresh.h"
#include "model/quorum.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "prober/commands/status.h"
#include "store/peer_book.h"

/* ---- reading */

static struct shown show(const struct status *s, uint32_t id)
{
	static const struct row never;
	const struct row *row = id < s->row_count ? &s->rows[id] : &never;
	struct shown shown = {(enum monitor_state)row->state, row->marks, row->since_us, row->checked_us,
		row->response_us, row->incident};

	if (!s->fresh && s->ever && shown.state != STATE_PAUSED) {
		shown.state = STATE_UNKNOWN;
		shown.marks &= MARK_MAINTENANCE;
	}
	if (shown.state >= STATE__COUNT)
		shown.state = STATE_UNKNOWN;
	return shown;
}

/* The cause of what is wrong, or "". */
static void read_cause(
	const struct status *s, const struct monitor *m, const struct shown *shown, struct judge *judge)
{
	bool wrong =
		shown->state == STATE_DOWN || shown->state == STATE_SUSPECT || shown->state == STATE_UNKNOWN;

	judge->cause[0] = '\0';
	if (wrong && s->fresh && !state_judge(s->txn, m->id, judge, NULL))
		judge->cause[0] = '\0';
}

static bool load(struct status *s, struct error *err)
{
	struct moment now;

	clock_now(&now);
	s->now_us = now.wall_us;
	if (!state_pass(s->txn, &s->pass, err) ||
		!state_problems(s->txn, &s->problems, &s->problem_count, err) ||
		!state_rows(s->txn, &s->rows, &s->row_count, err))
		return false;
	s->fresh = fresh_enough(&s->pass, &now);
	s->ever = fresh_age_us(&s->pass, &now) >= 0;
	if (!state_site(s->txn, &s->site, err) &&
		err->kind != ERROR_MISSING) /* none was ever good: say why */
		return false;
	s->zone = calendar_zone(s->site.timezone ? s->site.timezone : "UTC");
	if (!s->zone)
		s->zone = calendar_zone("UTC");
	for (size_t i = 0; i < s->problem_count; i++)
		s->errors += !s->problems[i].warning;
	return true;
}

static void status_clear(struct status *s)
{
	for (size_t i = 0; i < s->problem_count; i++)
		problem_clear(&s->problems[i]);
	free(s->problems);
	free(s->rows);
	site_clear(&s->site);
	state_end(s->txn);
	state_close(s->state);
}

/* ---- as JSON */

static void json_problems(const struct status *s, struct text *out)
{
	for (size_t i = 0; i < s->problem_count; i++) {
		const struct problem *p = &s->problems[i];

		text_raw(out, i ? ",{\"file\":" : "{\"file\":");
		text_json_string(out, p->file);
		text_printf(out, ",\"line\":%u,\"column\":%u,\"message\":", p->line, p->column);
		text_json_string(out, p->text);
		text_printf(out, ",\"warning\":%s}", p->warning ? "true" : "false");
	}
}

static bool json_monitor(void *arg, const struct monitor *m)
{
	struct status *s = arg;
	struct shown shown = show(s, m->id);
	struct judge judge;

	if (s->only && strcmp(s->only, m->slug) != 0)
		return true;
	read_cause(s, m, &shown, &judge);
	text_raw(s->out, s->printed++ ? "," : "");
	report_put(s->out, &(struct report){
				   .slug = m->slug,
				   .name = m->name,
				   .type = m->type,
				   .group = m->group,
				   .state = shown.state,
				   .since_us = shown.since_us,
				   .cause = judge.cause,
				   .checked_us = shown.checked_us,
				   .response_us = shown.response_us,
				   .incident = shown.incident,
			   });
	return true;
}

static bool print_json(struct status *s, const struct monitor *only, struct error *err)
{
	int64_t last_us =
		s->pass.progress_us > s->pass.finished_us ? s->pass.progress_us : s->pass.finished_us;

	text_raw(s->out, "{\"passes\":{\"last\":");
	report_time(s->out, last_us);
	text_printf(s->out, ",\"fresh\":%s},\"config\":{\"ok\":%s,\"problems\":[",
		s->fresh ? "true" : "false", s->errors ? "false" : "true");
	json_problems(s, s->out);
	text_raw(s->out, "]},\"monitors\":[");
	if (!state_monitor_scan(s->txn, json_monitor, s, err))
		return false;
	text_char(s->out, ']');
	if (only && !status_incidents_json(s, only, err))
		return false;
	text_raw(s->out, "}\n");
	return true;
}

/* ---- for people */

static void put_marks(const struct status *s, unsigned marks)
{
	static const struct {
		unsigned mark;
		const char *name;
	} names[] = {{MARK_MAINTENANCE, "maintenance"}, {MARK_FLAPPING, "flapping"}, {MARK_SLOW, "slow"},
		{MARK_CERTIFICATE, "certificate"}, {MARK_ACKNOWLEDGED, "acknowledged"}};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (marks & names[i].mark)
			text_printf(s->out, "  [%s]", names[i].name);
}

static void put_since(const struct status *s, int64_t since_us)
{
	if (!since_us)
		return;
	text_raw(s->out, "  for ");
	words_length(s->out, LANGUAGE_EN, s->now_us - since_us);
}

static bool print_line(void *arg, const struct monitor *m)
{
	struct status *s = arg;
	struct shown shown = show(s, m->id);
	struct judge judge;

	read_cause(s, m, &shown, &judge);
	status_put_state(s, shown.state);
	text_raw(s->out, "  ");
	text_screen(s->out, m->slug);
	if (shown.response_us > 0 && shown.state == STATE_UP) {
		text_raw(s->out, "  ");
		words_response(s->out, LANGUAGE_EN, shown.response_us);
	}
	put_since(s, shown.since_us);
	if (judge.cause[0]) {
		text_raw(s->out, "  ");
		text_screen(s->out, judge.cause);
	}
	put_marks(s, shown.marks);
	text_char(s->out, '\n');
	s->printed++;
	return true;
}

static void print_head(struct status *s)
{
	int64_t last_us =
		s->pass.progress_us > s->pass.finished_us ? s->pass.progress_us : s->pass.finished_us;

	if (!last_us)
		text_raw(s->out, "No pass yet: is the crontab line in place?\n");
	else if (!s->fresh) {
		text_raw(s->out, "Not watching since ");
		status_put_time(s, last_us);
		text_raw(s->out, ": is cron running?\n");
	}
	if (s->errors)
		text_printf(s->out, "The configuration has %zu mistake%s; the last good one is in force:\n",
			s->errors, s->errors == 1 ? "" : "s");
	for (size_t i = 0; i < s->problem_count; i++)
		problem_print(&s->problems[i], s->out);
}

static bool print_all(struct status *s, struct error *err)
{
	print_head(s);
	if (!state_monitor_scan(s->txn, print_line, s, err))
		return false;
	if (!s->printed)
		text_raw(s->out, "No monitors are configured.\n");
	return true;
}

static void put_certificate(const struct status *s, uint32_t id)
{
	uint32_t minutes = id < s->row_count ? s->rows[id].certificate_s_div_60 : 0;

	if (!minutes)
		return;
	text_raw(s->out, "\n         its certificate ends ");
	status_put_time(s, (int64_t)minutes * 60 * US_PER_S);
}

/* What others see who look at it too. */
static void print_places(struct status *s, const struct monitor *m)
{
	struct sighting *list = NULL;
	struct site site = {0};
	struct text name = TEXT_INIT;
	char *note = NULL;
	size_t n = 0;

	sightings_note(&name, m->id);
	if (state_note_get(s->txn, text_str(&name), &note, NULL))
		sightings_decode(note, strlen(note), &list, &n, NULL);
	if (state_site(s->txn, &site, NULL))
		peer_sightings(s->txn, &site, m, s->pass.grace_from_us, s->now_us, &list, &n);
	for (size_t i = 0; i < n; i++) {
		text_raw(s->out, "place    ");
		text_screen(s->out, list[i].from);
		text_printf(s->out, ": %s", outcome_name(list[i].sees));
		if (list[i].detail) {
			text_raw(s->out, ", ");
			text_screen(s->out, list[i].detail);
		}
		text_raw(s->out, ", heard ");
		status_put_time(s, list[i].heard_us);
		text_raw(s->out, quorum_counts(&list[i], s->now_us) ? "\n" : ", no vote now\n");
	}
	sightings_free(list, n);
	site_clear(&site);
	text_free(&name);
	free(note);
}

static bool print_one(struct status *s, const struct monitor *m, struct error *err)
{
	struct shown shown = show(s, m->id);
	struct judge judge;

	print_head(s);
	text_screen(s->out, m->name);
	text_printf(s->out, " (%s, %s", m->slug, m->type);
	if (*m->group) {
		text_raw(s->out, ", ");
		text_screen(s->out, m->group);
	}
	text_raw(s->out, ")\n");
	status_put_state(s, shown.state);
	text_raw(s->out, " since ");
	status_put_time(s, shown.since_us);
	put_marks(s, shown.marks);
	read_cause(s, m, &shown, &judge);
	if (judge.cause[0]) {
		text_raw(s->out, "\n         ");
		text_screen(s->out, judge.cause);
	}
	text_raw(s->out, "\nchecked  ");
	status_put_time(s, shown.checked_us);
	if (shown.response_us > 0) {
		text_raw(s->out, ", answered in ");
		words_response(s->out, LANGUAGE_EN, shown.response_us);
	}
	put_certificate(s, m->id);
	text_char(s->out, '\n');
	print_places(s, m);
	return status_incidents(s, m->id, err);
}

/* ---- the command */

static bool print_status(struct status *s, bool json, struct error *err)
{
	struct monitor monitor;
	bool good;

	if (s->only && !state_monitor_by_slug(s->txn, s->only, &monitor, err))
		return err->kind == ERROR_MISSING
			       ? error_set(err, ERROR_INPUT, "there is no monitor \"%s\"", s->only)
			       : false;
	if (json)
		good = print_json(s, s->only ? &monitor : NULL, err);
	else
		good = s->only ? print_one(s, &monitor, err) : print_all(s, err);
	if (s->only)
		monitor_clear(&monitor);
	return good;
}

int cmd_status(struct command *command)
{
	bool json = command_flag(command, "--json"), good;
	struct text out = TEXT_INIT;
	struct status s = {.out = &out, .colour = command_colour()};
	struct error err = {0};
	char *store;

	if (!command_args(command, 0, 1))
		return EXIT_USAGE;
	s.only = command->argc ? command->argv[0] : NULL;
	store = config_store(command->config);
	s.state = state_open(store, STORE_READ, &err);
	s.txn = s.state ? state_begin(s.state, false, &err) : NULL;
	good = s.txn && load(&s, &err) && print_status(&s, json, &err);
	if (!good && err.kind == ERROR_MISSING)
		error_set(&err, ERROR_TEMPORARY, "nothing is known yet: no pass has run with the store %s",
			store);
	fputs(text_str(&out), stdout);
	status_clear(&s);
	free(store);
	text_free(&out);
	return good ? EXIT_DONE : command_fail(&err);
}
