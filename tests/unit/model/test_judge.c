/* SPDX-License-Identifier: ISC */
/*
 * judge: rows of little stories. A story is a list of steps "SECONDS:WHAT"; what the judge answered is
 * written down as a trace of "SECONDS>..." for each step that was not silent, and compared.
 *
 *	g good   s slow and good   b bad   d definitely bad   l lagged and bad   u could not look
 *	C B H    from here on the view is clear, blind, held   D decide again   (not traced)
 *	p r      pause, resume     m e  maintenance begins, ends     x blind()     c calm()     o owed()
 *	k        the last alert was held back by the caller (untold)
 *
 * A trace names the new decided state, EVENTS told, -EVENT/rule held, "open", "close".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/judge.h"

#define T0 (INT64_C(1770000000) * US_PER_S)

static struct heartbeat_rules heartbeat;

static struct monitor rules_default(void)
{
	return (struct monitor){.interval_ms = 60000,
		.confirm = 3,
		.confirm_waits_ms = {5000, 5000, 10000, 10000},
		.confirm_wait_count = 4,
		.recover = 2,
		.recover_wait_ms = 10000,
		.slow_ms = 1000};
}

/* ---- the player */

struct player {
	struct judge judge;
	struct monitor rules;
	enum judge_view view;
	uint32_t incidents;
	unsigned last_events;
	struct text trace;
};

static void trace_events(struct text *t, unsigned events, const char *before, const char *after)
{
	for (unsigned e = 0; e < EVENT__COUNT; e++) {
		if (events & EVENT_BIT(e))
			text_printf(t, " %s%s%s", before, event_name((enum event_kind)e), after);
	}
}

/* Writes down one verdict, and does what callers do with it. */
static void take(struct player *p, double at, const struct verdict *v)
{
	struct text line = TEXT_INIT;
	struct text rule = TEXT_INIT;

	if (v->changed)
		text_printf(&line, " %s", monitor_state_name(v->to));
	text_printf(&rule, "/%s", v->held_because ? v->held_because : "?");
	trace_events(&line, v->events, "+", "");
	trace_events(&line, v->held, "-", text_str(&rule));
	if (v->open_incident)
		text_raw(&line, " open");
	if (v->close_incident)
		text_raw(&line, " close");
	if (line.len > 0)
		text_printf(&p->trace, "%s%g>%s", p->trace.len ? "; " : "", at, text_str(&line) + 1);
	if (v->open_incident)
		p->judge.incident = ++p->incidents;
	if (v->close_incident)
		p->judge.incident = 0;
	if (v->events)
		p->last_events = v->events;
	text_free(&line);
	text_free(&rule);
}

/* Whatever a call changed must be stored, and nothing else need be. */
static void check_dirty(const struct player *p, const struct judge *before, const struct verdict *v)
{
	assert_int_equal(v->dirty, memcmp(before, &p->judge, sizeof(*before)) != 0);
}

static enum outcome outcome_of(char what)
{
	switch (what) {
	case 'g':
	case 's':
		return OUTCOME_UP;
	case 'u':
		return OUTCOME_UNKNOWN;
	default:
		return OUTCOME_DOWN;
	}
}

static void look(struct player *p, char what, double at, int64_t now)
{
	struct result result = {.at_us = now,
		.outcome = outcome_of(what),
		.definite = what == 'd',
		.lagged = what == 'l',
		.timings = {-1, -1, -1, -1, what == 's' ? 2000000 : 1000}};
	struct judge before = p->judge;
	struct verdict v = judge_result(&p->judge, &p->rules, &result, now);
	bool ready = v.ready;

	check_dirty(p, &before, &v);
	take(p, at, &v);
	if (ready) {
		before = p->judge;
		v = judge_decide(&p->judge, &p->rules, p->view, now);
		check_dirty(p, &before, &v);
		take(p, at, &v);
	}
}

static void step(struct player *p, char what, double at)
{
	int64_t now = T0 + (int64_t)(at * 1e6);
	struct judge before = p->judge;
	struct verdict v = {0};

	switch (what) {
	case 'C': p->view = VIEW_CLEAR; return;
	case 'B': p->view = VIEW_BLIND; return;
	case 'H': p->view = VIEW_HELD; return;
	case 'V': p->view = VIEW_OUTVOTED; return;
	case 'k': judge_untold(&p->judge, p->last_events); return;
	case 'D': v = judge_decide(&p->judge, &p->rules, p->view, now); break;
	case 'p': v = judge_pause(&p->judge, true, now); break;
	case 'r': v = judge_pause(&p->judge, false, now); break;
	case 'm': v = judge_maintenance(&p->judge, true, now); break;
	case 'e': v = judge_maintenance(&p->judge, false, now); break;
	case 'x': v = judge_blind(&p->judge, now); break;
	case 'c': v = judge_calm(&p->judge, now); break;
	case 'o': v = judge_owed(&p->judge, now); break;
	default: look(p, what, at, now); return;
	}
	check_dirty(p, &before, &v);
	take(p, at, &v);
}

static void play(struct player *p, const char *story)
{
	while (*story) {
		char *end;
		double at = strtod(story, &end);

		assert_int_equal(*end, ':');
		for (end++; *end && *end != ' '; end++)
			step(p, *end, at);
		story = *end ? end + 1 : end;
	}
}

/* ---- the stories */

struct story {
	const char *name, *steps, *trace;
};

#define DOWN_AT_10 "0:g 60:b 65:b 70:b"

static const struct story stories[] = {
	{"the first good result makes it up and tells nobody", "0:g", "0>up"},
	{"three bad of three make it down", DOWN_AT_10, "0>up; 70>down +down open"},
	{"three bad of five, with good ones between", "0:g 60:b 65:g 70:b 80:g 90:b",
		"0>up; 90>down +down open"},
	{"two bad of five are not enough", "0:g 60:b 65:g 70:b 80:g 90:g 120:g", "0>up"},
	{"one stray failure is nothing", "0:g 60:b 65:g 70:g 80:g 120:g 180:b 185:g 190:g 200:g", "0>up"},
	{"a first check that fails is confirmed and told", "0:b 5:b 10:b", "10>down +down open"},
	{"a first failure that does not last leads to up, silently", "0:b 5:g 10:g 20:g", "20>up"},
	{"a down monitor needs two good results", DOWN_AT_10 " 130:g 140:g",
		"0>up; 70>down +down open; 140>up +up close"},
	{"good results too near each other count once", DOWN_AT_10 " 130:g 133:g 136:g 140:g",
		"0>up; 70>down +down open; 140>up +up close"},
	{"a bad result between begins recovery anew", DOWN_AT_10 " 130:g 135:b 140:g 145:g 150:g",
		"0>up; 70>down +down open; 150>up +up close"},
	{"more bad results while down are silent", DOWN_AT_10 " 130:b 190:d 250:b",
		"0>up; 70>down +down open"},

	{"two definite results at least 10 s apart suffice", "0:g 60:d 71:d", "0>up; 71>down +down open"},
	{"two definite results 5 s apart do not", "0:g 60:d 65:d 70:g 80:g 90:g", "0>up"},
	{"an indefinite failure between does not matter", "0:g 60:d 64:b 70:d", "0>up; 70>down +down open"},
	{"a good answer between makes them doubtful", "0:g 60:d 65:g 80:d 90:g 100:g", "0>up"},

	{"a slow streak ends with a failure", "0:s 60:s 120:b 125:g 130:g 140:g 200:s 260:s", "0>up"},
	{"pausing ends a slow streak", "0:s 60:s 70:p 80:r 90:s 150:s", "0>up; 70>paused; 80>pending; 90>up"},
	{"a bad look ends a row of impossible ones", "0:g 60:u 65:u 70:b 75:u 80:g 85:g 90:g", "0>up"},
	{"a lagged bad result counts for nothing", "0:g 60:b 65:l 70:l 75:b 80:l 85:g 95:g 105:g", "0>up"},

	{"when we are blind it becomes unknown and nobody is told", "0:g 50:B 60:b 65:b 70:b",
		"0>up; 70>unknown -down/blind"},
	{"still blind: still silent", "0:g 50:B 60:b 65:b 70:b 130:b 135:b 140:b",
		"0>up; 70>unknown -down/blind; 140>-down/blind"},
	{"seeing again: up is quiet", "0:g 50:B 60:b 65:b 70:b 80:C 130:g",
		"0>up; 70>unknown -down/blind; 130>up"},
	{"seeing again: what is down is told", "0:g 50:B 60:b 65:b 70:b 80:C 130:b 135:b 140:b",
		"0>up; 70>unknown -down/blind; 140>down +down open"},
	{"blind from the start, then down", "0:B 0:b 5:b 10:b 50:C 60:b 65:b 70:b",
		"10>unknown -down/blind; 70>down +down open"},
	{"a gap makes up unknown, then quietly up", "0:g 3600:x 3600:g", "0>up; 3600>unknown; 3600>up"},
	{"a gap voids old evidence", "0:g 60:b 65:b 3600:x 3600:b 3605:g 3610:g 3620:g",
		"0>up; 3600>unknown; 3620>up"},
	{"a gap leaves pending pending", "0:b 5:b 3600:x 3600:b 3605:b 3610:b", "3610>down +down open"},
	{"down, unknown, down: told once, one incident",
		DOWN_AT_10 " 100:x 130:b 135:b 140:b 190:x 250:b 255:b 260:b",
		"0>up; 70>down +down open; 100>unknown; 140>down; 190>unknown; 260>down"},
	{"down, unknown, up: they are told, after two good ones", DOWN_AT_10 " 100:x 130:g 140:g",
		"0>up; 70>down +down open; 100>unknown; 140>up +up close"},
	{"down, unknown, good, bad: a good one alone is not recovery",
		DOWN_AT_10 " 100:x 130:g 135:b 140:b 145:b",
		"0>up; 70>down +down open; 100>unknown; 145>down"},

	{"held while most fail at once, then told", "0:g 50:H 60:b 65:b 70:b 120:D 150:C 150:D",
		"0>up; 70>-down/mass; 120>-down/mass; 150>down +down open"},
	{"held, and it was nothing", "0:g 50:H 60:b 65:b 70:b 130:g 150:C 150:D 190:g",
		"0>up; 70>-down/mass"},
	{"held, and a new bad result asks again", "0:g 50:H 60:b 65:b 70:b 130:C 130:b",
		"0>up; 70>-down/mass; 130>down +down open"},
	{"held while others find it up, then told", "0:g 50:V 60:b 65:b 70:b 120:D 150:C 150:D",
		"0>up; 70>-down/quorum; 120>-down/quorum; 150>down +down open"},
	{"deciding without evidence does nothing", "0:g 10:D 60:b 61:D", "0>up"},

	{"it cannot be looked at: told after three in a row", "0:g 60:u 65:u 70:u 130:u 190:u",
		"0>up; 70>unknown +unknown open"},
	{"one impossible look is nothing", "0:g 60:u 65:g 120:u 125:u 130:g", "0>up"},
	{"it could never be looked at", "0:u 5:u 10:u 60:u", "10>unknown +unknown open"},
	{"it can be looked at again: those told are told", "0:g 60:u 65:u 70:u 130:g 140:g",
		"0>up; 70>unknown +unknown open; 140>up +up close"},
	{"cannot be looked at, then down: one incident", "0:g 60:u 65:u 70:u 130:b 135:b 140:b",
		"0>up; 70>unknown +unknown open; 140>down +down"},
	{"down, then it cannot be looked at: quiet", DOWN_AT_10 " 130:u 135:u 140:u 190:g 200:g",
		"0>up; 70>down +down open; 140>unknown; 200>up +up close"},
	{"an impossible look inside a ladder only waits", "0:g 60:b 65:u 70:b 80:b",
		"0>up; 80>down +down open"},
	{"blind, then it cannot be looked at: now it is told", "0:g 30:x 60:u 65:u 70:u",
		"0>up; 30>unknown; 70>+unknown open"},

	{"pausing is silent", "0:g 10:p 60:b 65:b 70:b 80:r 90:g", "0>up; 10>paused; 80>pending; 90>up"},
	{"pausing ends an incident without claiming recovery", DOWN_AT_10 " 80:p 90:r 100:g",
		"0>up; 70>down +down open; 80>paused -up/paused close; 90>pending; 100>up"},
	{"resumed and still down: told again", DOWN_AT_10 " 80:p 90:r 100:b 105:b 110:b",
		"0>up; 70>down +down open; 80>paused -up/paused close; 90>pending; 110>down +down open"},
	{"paused twice is paused", "0:p 1:p 2:r 3:r", "0>paused; 2>pending"},

	{"maintenance holds the alert; over before its end: nobody hears",
		"0:g 30:m 60:b 65:b 70:b 130:g 140:g 200:e",
		"0>up; 30>+maintenance; 70>down -down/maintenance open; 140>up -up/untold close; "
		"200>+maintenance"},
	{"still down when maintenance ends: told then", "0:g 30:m 60:b 65:b 70:b 200:e 300:g 310:g",
		"0>up; 30>+maintenance; 70>down -down/maintenance open; 200>+down +maintenance; "
		"310>up +up close"},
	{"told before maintenance, up within it: told", DOWN_AT_10 " 80:m 130:g 140:g 200:e",
		"0>up; 70>down +down open; 80>+maintenance; 140>up +up close; 200>+maintenance"},
	{"told before maintenance, still down after: not told again", DOWN_AT_10 " 80:m 200:e",
		"0>up; 70>down +down open; 80>+maintenance; 200>+maintenance"},
	{"cannot be looked at during maintenance: told after it", "0:g 30:m 60:u 65:u 70:u 200:e",
		"0>up; 30>+maintenance; 70>unknown -unknown/maintenance open; 200>+unknown +maintenance"},
	{"blind during maintenance: never told", "0:g 30:m 50:B 60:b 65:b 70:b 200:e",
		"0>up; 30>+maintenance; 70>unknown -down/blind; 200>+maintenance"},
	{"down in maintenance, blind at its end: told when seen down",
		"0:g 30:m 60:b 65:b 70:b 90:x 200:e 210:b 215:b 220:b",
		"0>up; 30>+maintenance; 70>down -down/maintenance open; 90>unknown; 200>+maintenance; "
		"220>down +down"},

	{"held back by the caller and over before: nobody hears", DOWN_AT_10 " 70:k 130:g 140:g",
		"0>up; 70>down +down open; 140>up -up/untold close"},
	{"held back by the caller, owed later", DOWN_AT_10 " 70:k 100:o 110:o 130:g 140:g",
		"0>up; 70>down +down open; 100>+down; 140>up +up close"},
	{"a slow warning held back by the caller is owed", "0:s 60:s 120:s 120:k 130:o 140:o",
		"0>up; 120>+slow; 130>+slow"},
	{"nothing is owed when all was told", DOWN_AT_10 " 100:o 130:g 140:go",
		"0>up; 70>down +down open; 140>up +up close"},

	{"three slow answers in a row warn once", "0:s 60:s 120:s 180:s 240:s", "0>up; 120>+slow"},
	{"two slow answers do not", "0:s 60:s 120:g 180:s 240:s 300:g", "0>up"},
	{"three fast ones in a row end it", "0:s 60:s 120:s 180:g 240:s 300:g 360:g 420:g",
		"0>up; 120>+slow; 420>+slow"},
	{"slow within maintenance is told after it", "0:m 0:s 60:s 120:s 200:e",
		"0>+maintenance; 0>up; 120>-slow/maintenance; 200>+slow +maintenance"},
	{"slow and over within maintenance: silence", "0:m 0:s 60:s 120:s 180:g 240:g 300:g 400:e",
		"0>+maintenance; 0>up; 120>-slow/maintenance; 400>+maintenance"},
};

/* Plays each and compares; `rules` are those of all. */
static void play_all(const struct story *list, size_t n, const struct monitor *rules)
{
	for (size_t i = 0; i < n; i++) {
		struct player p = {.rules = *rules, .trace = TEXT_INIT};
		const char *got;

		play(&p, list[i].steps);
		got = text_str(&p.trace);
		if (strcmp(got, list[i].trace) != 0)
			fail_msg("%s:\n  got  %s\n  want %s", list[i].name, got, list[i].trace);
		text_free(&p.trace);
	}
}

static void stories_end_as_told(void **state)
{
	struct monitor rules = rules_default();

	(void)state;
	play_all(stories, COUNT_OF(stories), &rules);
}

/* ---- flapping: confirm 1 and recover 1 make a change of each result */

#define THREE_CHANGES "0:g 60:b 120:g 180:b"
#define THREE_TOLD "0>up; 60>down +down open; 120>up +up close; 180>down +down open"
#define FLAPS THREE_CHANGES " 240:g"
#define FLAPS_TOLD THREE_TOLD "; 240>up +flapping -up/flapping"

static const struct story flaps[] = {
	{"three changes are not flapping", THREE_CHANGES, THREE_TOLD},
	{"the fourth within 15 minutes is: one message, the incident stays open", FLAPS, FLAPS_TOLD},
	{"silence while it lasts", FLAPS " 300:b 360:g 420:b 430:c",
		FLAPS_TOLD "; 300>down -down/flapping; 360>up -up/flapping; 420>down -down/flapping"},
	{"calm after ten minutes, at rest up: one message, closed", FLAPS " 839:c 840:c 900:c",
		FLAPS_TOLD "; 840>+up close"},
	{"calm at rest down: one message, still open", FLAPS " 300:b 900:c 1000:g",
		FLAPS_TOLD "; 300>down -down/flapping; 900>+down; 1000>up +up close"},
	{"beginning with a down", "0:b 60:g 120:b 180:g 240:b 300:g 900:c",
		"0>down +down open; 60>up +up close; 120>down +down open; 180>up +up close; "
		"240>down +flapping -down/flapping open; 300>up -up/flapping; 900>+up close"},
	{"fifteen minutes to the second are within", THREE_CHANGES " 960:g",
		THREE_TOLD "; 960>up +flapping -up/flapping"},
	{"changes far apart are not flapping", "0:g 400:b 800:g 1200:b 1600:g 2000:b",
		"0>up; 400>down +down open; 800>up +up close; 1200>down +down open; 1600>up +up close; "
		"2000>down +down open"},
	{"unknown between is no change", "0:g 60:x 61:g 120:x 121:g 180:x 181:g 240:x 241:g 300:b",
		"0>up; 60>unknown; 61>up; 120>unknown; 121>up; 180>unknown; 181>up; 240>unknown; 241>up; "
		"300>down +down open"},
	{"not calm while unknown", FLAPS " 300:x 2000:c 2010:g 2600:c 2610:c",
		FLAPS_TOLD "; 300>unknown; 2010>up -up/flapping; 2610>+up close"},
	{"begun in maintenance: told at its end", "0:g 30:m 60:b 120:g 180:b 240:g 250:e 900:c",
		"0>up; 30>+maintenance; 60>down -down/maintenance open; 120>up -up/untold close; "
		"180>down -down/maintenance open; 240>up -up/maintenance -flapping/maintenance; "
		"250>+flapping +maintenance; 900>+up close"},
	{"begun and over in maintenance, up: nobody hears", "0:g 30:m 60:b 120:g 180:b 240:g 900:c 950:e",
		"0>up; 30>+maintenance; 60>down -down/maintenance open; 120>up -up/untold close; "
		"180>down -down/maintenance open; 240>up -up/maintenance -flapping/maintenance; 900>close; "
		"950>+maintenance"},
	{"pausing ends flapping, and old changes do not count", FLAPS " 250:p 260:r 270:g 280:b",
		FLAPS_TOLD "; 250>paused -up/paused close; 260>pending; 270>up; 280>down +down open"},
};

static void flapping_stories_end_as_told(void **state)
{
	struct monitor rules = rules_default();

	(void)state;
	rules.confirm = rules.recover = 1;
	play_all(flaps, COUNT_OF(flaps), &rules);
}

/* ---- heartbeats */

static const struct story beats[] = {
	{"one missed deadline is enough, one beat ends it", "0:g 300:b 400:g",
		"0>up; 300>down +down open; 400>up +up close"},
	{"never beaten stays pending", "0:u 60:u 120:u 180:u", ""},
	{"our web side down is not its fault", "0:g 60:x 120:g", "0>up; 60>unknown; 120>up"},
	{"late while blind is unknown", "0:g 10:B 300:b", "0>up; 300>unknown -down/blind"},
	{"a first beat that says it failed is told", "0:u 60:d", "60>down +down open"},
};

static void heartbeats_are_definite_at_once(void **state)
{
	struct monitor rules = rules_default();

	(void)state;
	rules.heartbeat = &heartbeat;
	play_all(beats, COUNT_OF(beats), &rules);
}

/* ---- details that a trace does not show */

static struct verdict one_look(struct player *p, char what, double at)
{
	struct result result = {.at_us = T0 + (int64_t)(at * 1e6),
		.outcome = outcome_of(what),
		.definite = what == 'd',
		.lagged = what == 'l',
		.cause = "HTTP 502",
		.timings = TIMINGS_NONE};

	return judge_result(&p->judge, &p->rules, &result, result.at_us);
}

static void the_ladder_waits_as_configured(void **state)
{
	struct player p = {.rules = rules_default()};

	(void)state;
	assert_int_equal(one_look(&p, 'b', 0).recheck_ms, 5000);
	assert_int_equal(p.judge.state, STATE_SUSPECT);
	assert_int_equal(p.judge.decided, STATE_PENDING);
	assert_int_equal(one_look(&p, 'l', 5).recheck_ms, 5000);
	assert_int_equal(one_look(&p, 'g', 10).recheck_ms, 5000);
	assert_int_equal(one_look(&p, 'b', 15).recheck_ms, 10000);
	assert_int_equal(one_look(&p, 'g', 25).recheck_ms, 10000);
	assert_int_equal(one_look(&p, 'g', 35).recheck_ms, 0);
	assert_int_equal(p.judge.state, STATE_UP);
	assert_int_equal(p.judge.tries, 0);
}

/* No wait is not no recheck: waits of 0s once left a suspect until its next slot. */
static void a_ladder_without_waits_looks_again_at_once(void **state)
{
	struct player p = {.rules = rules_default()};

	(void)state;
	memset(p.rules.confirm_waits_ms, 0, sizeof(p.rules.confirm_waits_ms));
	assert_int_equal(one_look(&p, 'b', 0).recheck_ms, 1);
	assert_int_equal(one_look(&p, 'b', 0.001).recheck_ms, 1);
	one_look(&p, 'b', 0.002);
	assert_true(p.judge.ready);
}

static void a_hopeless_ladder_ends_early(void **state)
{
	struct player p = {.rules = rules_default()};

	(void)state;
	one_look(&p, 'g', 0);
	one_look(&p, 'b', 60);
	assert_int_equal(one_look(&p, 'g', 65).recheck_ms, 5000);
	assert_int_equal(one_look(&p, 'g', 70).recheck_ms, 10000);
	assert_int_equal(p.judge.state, STATE_SUSPECT);
	assert_int_equal(one_look(&p, 'g', 80).recheck_ms, 0); /* one look left could not make three */
	assert_int_equal(p.judge.state, STATE_UP);
}

static void recovery_waits_the_rest_of_its_wait(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	play(&p, DOWN_AT_10);
	assert_int_equal(one_look(&p, 'g', 130).recheck_ms, 10000);
	assert_int_equal(one_look(&p, 'g', 134).recheck_ms, 6000);
	assert_int_equal(p.judge.good, 1);
	text_free(&p.trace);
}

static void since_is_the_first_bad_and_the_first_good_result(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};
	struct verdict v;

	(void)state;
	play(&p, DOWN_AT_10);
	assert_int_equal(p.judge.since_us, T0 + 60 * US_PER_S);
	one_look(&p, 'g', 130);
	v = one_look(&p, 'g', 140);
	assert_true(v.close_incident);
	assert_int_equal(v.outage_us, T0 + 60 * US_PER_S);
	assert_int_equal(p.judge.since_us, T0 + 130 * US_PER_S);
	assert_int_equal(p.judge.outage_us, 0);
	text_free(&p.trace);
}

static void an_outage_goes_on_behind_unknown(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	play(&p, DOWN_AT_10 " 100:x");
	assert_int_equal(p.judge.since_us, T0 + 100 * US_PER_S);
	play(&p, "130:b 135:b 140:b");
	assert_int_equal(p.judge.since_us, T0 + 60 * US_PER_S);
	text_free(&p.trace);
}

static void steady_results_need_no_storing(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	assert_true(one_look(&p, 'g', 0).dirty);
	assert_false(one_look(&p, 'g', 60).dirty);
	play(&p, "120:b 125:b 130:b");
	assert_true(one_look(&p, 'b', 180).dirty); /* its cause is another */
	assert_false(one_look(&p, 'b', 240).dirty);
	assert_string_equal(p.judge.cause, "HTTP 502");
	play(&p, "250:u 255:u 260:u");
	one_look(&p, 'u', 270);
	assert_false(one_look(&p, 'u', 330).dirty);
	text_free(&p.trace);
}

static void verdicts_say_when_the_outage_began(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};
	struct verdict v;

	(void)state;
	play(&p, "0:g 60:b 65:b");
	one_look(&p, 'b', 70);
	v = judge_decide(&p.judge, &p.rules, VIEW_CLEAR, T0 + 70 * US_PER_S);
	assert_true(v.open_incident);
	assert_int_equal(v.outage_us, T0 + 60 * US_PER_S);
	text_free(&p.trace);
}

static void unknown_is_since_the_first_look_that_failed(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};
	struct verdict v;

	(void)state;
	play(&p, "0:g 60:u 65:u");
	v = one_look(&p, 'u', 70);
	assert_true(v.open_incident);
	assert_int_equal(v.outage_us, T0 + 60 * US_PER_S);
	assert_int_equal(p.judge.since_us, T0 + 60 * US_PER_S);
	p = (struct player){.rules = rules_default(), .view = VIEW_BLIND, .trace = p.trace};
	play(&p, "0:g 60:b 65:b 70:b");
	assert_int_equal(p.judge.since_us, T0 + 60 * US_PER_S);
	play(&p, "130:b 135:b 140:b");
	assert_int_equal(p.judge.since_us, T0 + 60 * US_PER_S);
	text_free(&p.trace);
}

static void three_good_results_need_two_waits(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	p.rules.recover = 3;
	play(&p, DOWN_AT_10 " 130:g 140:g 145:g");
	assert_int_equal(p.judge.decided, STATE_DOWN);
	play(&p, "150:g");
	assert_int_equal(p.judge.decided, STATE_UP);
	text_free(&p.trace);
}

static void without_a_wait_the_next_good_look_is_at_once(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	p.rules.recover_wait_ms = 0;
	play(&p, DOWN_AT_10);
	assert_int_equal(one_look(&p, 'g', 130).recheck_ms, 1);
	assert_true(one_look(&p, 'g', 130.1).close_incident);
	text_free(&p.trace);
}

static void a_ladder_may_end_on_a_bad_result(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	p.rules.confirm = 5;
	play(&p, "0:g 60:d 65:g 70:d 75:d 85:b");
	assert_int_equal(p.judge.state, STATE_UP);
	assert_int_equal(p.judge.tries, 0);
	assert_int_equal(p.judge.first_bad_us, 0);
	text_free(&p.trace);
}

static void no_threshold_means_never_slow(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	play(&p, "0:s 60:s 120:s");
	assert_true(p.judge.marks & MARK_SLOW);
	p.rules.slow_ms = 0;
	play(&p, "180:s 240:s 300:s");
	assert_false(p.judge.marks & MARK_SLOW);
	p.rules.slow_ms = 1000;
	play(&p, "360:s 420:s 420:o");
	assert_string_equal(text_str(&p.trace), "0>up; 120>+slow");
	text_free(&p.trace);
}

static void a_rarely_watched_monitor_is_not_left_waiting(void **state)
{
	struct player p = {.rules = rules_default()};
	struct verdict v;

	(void)state;
	p.rules.interval_ms = 3600000;
	one_look(&p, 'b', 0);
	one_look(&p, 'b', 5);
	one_look(&p, 'b', 10);
	v = judge_decide(&p.judge, &p.rules, VIEW_HELD, T0 + 10 * US_PER_S);
	assert_int_equal(v.recheck_ms, PATIENCE_MS);
	v = judge_decide(&p.judge, &p.rules, VIEW_BLIND, T0 + 10 * US_PER_S);
	assert_int_equal(v.recheck_ms, PATIENCE_MS);
}

static void acknowledging_lasts_as_long_as_the_incident(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	play(&p, DOWN_AT_10);
	p.judge.marks |= MARK_ACKNOWLEDGED;
	play(&p, "100:x 130:b 135:b 140:b");
	assert_true(p.judge.marks & MARK_ACKNOWLEDGED);
	play(&p, "200:g 210:g");
	assert_false(p.judge.marks & MARK_ACKNOWLEDGED);
	text_free(&p.trace);
}

static void without_waits_each_slot_is_a_step(void **state)
{
	struct player p = {.rules = rules_default()};

	(void)state;
	p.rules.confirm_wait_count = 0;
	assert_int_equal(one_look(&p, 'b', 0).recheck_ms, 60000);
	assert_int_equal(one_look(&p, 'b', 60).recheck_ms, 60000);
	assert_true(one_look(&p, 'b', 120).ready);
}

static void a_clock_stepped_back_delays_but_does_not_stop(void **state)
{
	struct player p = {.rules = rules_default(), .trace = TEXT_INIT};

	(void)state;
	play(&p, DOWN_AT_10 " 130:g");
	assert_int_equal(one_look(&p, 'g', -86400).recheck_ms, 10000);
	assert_true(one_look(&p, 'g', -86390).close_incident);
	text_free(&p.trace);
}

/* ---- certificates */

#define DAY INT64_C(86400)
static const int thresholds[] = {21, 7, 1};

static bool certificate(struct judge *judge, int64_t expires_s, int64_t day)
{
	int64_t now = day * DAY * US_PER_S;
	struct verdict v = judge_certificate(judge, expires_s, thresholds, COUNT_OF(thresholds), now);

	return v.events == EVENT_BIT(EVENT_CERTIFICATE);
}

static void each_threshold_is_told_once(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP};
	int64_t expires = 100 * DAY;
	unsigned told = 0;

	(void)state;
	for (int64_t day = 1; day <= 102; day++) {
		bool now = certificate(&judge, expires, day);

		assert_int_equal(now, day == 79 || day == 93 || day == 99);
		told += now;
		assert_int_equal((judge.marks & MARK_CERTIFICATE) != 0, day >= 79);
	}
	assert_int_equal(told, 3);
}

static void a_late_first_sight_tells_only_the_nearest(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP};

	(void)state;
	assert_true(certificate(&judge, 100 * DAY, 95));
	assert_false(certificate(&judge, 100 * DAY, 96));
	assert_true(certificate(&judge, 100 * DAY, 99));
}

static void a_renewed_certificate_begins_anew(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP};

	(void)state;
	assert_true(certificate(&judge, 100 * DAY, 99));
	assert_false(certificate(&judge, 190 * DAY, 99));
	assert_false(judge.marks & MARK_CERTIFICATE);
	assert_true(certificate(&judge, 190 * DAY, 170));
	assert_true(certificate(&judge, 190 * DAY, 184));
}

static void two_servers_with_two_certificates_do_not_repeat(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP};

	(void)state;
	assert_true(certificate(&judge, 100 * DAY, 90));
	assert_true(certificate(&judge, 105 * DAY, 90));
	for (int i = 0; i < 5; i++) {
		assert_false(certificate(&judge, 100 * DAY, 91));
		assert_false(certificate(&judge, 105 * DAY, 91));
		assert_false(certificate(&judge, 400 * DAY, 91));
	}
}

static void no_certificate_and_no_watching_tell_nothing(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP};

	(void)state;
	assert_false(certificate(&judge, 0, 90));
	assert_false(judge.marks & MARK_CERTIFICATE);
	judge.state = judge.decided = STATE_PAUSED;
	assert_false(certificate(&judge, 100 * DAY, 90));
}

static void a_certificate_within_maintenance_is_told_after_it(void **state)
{
	struct judge judge = {.state = STATE_UP, .decided = STATE_UP, .marks = MARK_MAINTENANCE};

	(void)state;
	assert_false(certificate(&judge, 100 * DAY, 90));
	judge_maintenance(&judge, false, 90 * DAY * US_PER_S);
	assert_true(certificate(&judge, 100 * DAY, 90));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_as_told),
		cmocka_unit_test(flapping_stories_end_as_told),
		cmocka_unit_test(heartbeats_are_definite_at_once),
		cmocka_unit_test(the_ladder_waits_as_configured),
		cmocka_unit_test(a_ladder_without_waits_looks_again_at_once),
		cmocka_unit_test(a_hopeless_ladder_ends_early),
		cmocka_unit_test(recovery_waits_the_rest_of_its_wait),
		cmocka_unit_test(since_is_the_first_bad_and_the_first_good_result),
		cmocka_unit_test(an_outage_goes_on_behind_unknown),
		cmocka_unit_test(steady_results_need_no_storing),
		cmocka_unit_test(verdicts_say_when_the_outage_began),
		cmocka_unit_test(unknown_is_since_the_first_look_that_failed),
		cmocka_unit_test(three_good_results_need_two_waits),
		cmocka_unit_test(without_a_wait_the_next_good_look_is_at_once),
		cmocka_unit_test(a_ladder_may_end_on_a_bad_result),
		cmocka_unit_test(no_threshold_means_never_slow),
		cmocka_unit_test(a_rarely_watched_monitor_is_not_left_waiting),
		cmocka_unit_test(acknowledging_lasts_as_long_as_the_incident),
		cmocka_unit_test(without_waits_each_slot_is_a_step),
		cmocka_unit_test(a_clock_stepped_back_delays_but_does_not_stop),
		cmocka_unit_test(each_threshold_is_told_once),
		cmocka_unit_test(a_late_first_sight_tells_only_the_nearest),
		cmocka_unit_test(a_renewed_certificate_begins_anew),
		cmocka_unit_test(two_servers_with_two_certificates_do_not_repeat),
		cmocka_unit_test(no_certificate_and_no_watching_tell_nothing),
		cmocka_unit_test(a_certificate_within_maintenance_is_told_after_it),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
